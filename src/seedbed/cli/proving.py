"""What a record is worth: re-run, verified, compared, packed."""

from pathlib import Path

import click


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def diff(first: str, second: str, root: str) -> None:
    """Show what differs between two runs: config, code, packages, data, device, then metrics.

    RUN is a run's id, the beginning of one, a name, or `last`.
    """
    from shutil import get_terminal_size

    from seedbed.reproduce.contrast import contrast
    from seedbed.reproduce.recorded import recorded
    from seedbed.verdict.find import find, opened

    store = opened(Path(root))
    run, other = (recorded(store, find(store, text).run_id) for text in (first, second))
    width = max(get_terminal_size(fallback=(100, 24)).columns, 60)
    click.echo(contrast(run, other, width), nl=False)
