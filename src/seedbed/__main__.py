"""`python -m seedbed`: the same as the `seedbed` command."""

from seedbed.cli.command import main

main()
