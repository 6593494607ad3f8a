"""What a process has spent when its first optimiser step is over.

python -m experiments.speed.first_step KEY=VALUE...     # `seedbed train KEY=VALUE...`, and tells
"""

import sys
from typing import Any

from experiments.speed.measuring import Cost, since_start, tell


def costs_at_first_step() -> dict[str, Cost]:
    """A record that torch fills in after the first step of any optimiser."""
    from torch.optim.optimizer import register_optimizer_step_post_hook

    costs: dict[str, Cost] = {}

    def note(*_: Any) -> None:
        costs.setdefault("first step", since_start())

    register_optimizer_step_post_hook(note)
    return costs


def main(overrides: list[str]) -> None:
    from seedbed.cli.command import cli

    costs = costs_at_first_step()
    cli(["train", *overrides], prog_name="seedbed", standalone_mode=False)
    tell(costs)


if __name__ == "__main__":
    main(sys.argv[1:])
