"""What is made of a record: verdicts, pages, MLflow's own UI."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

# Asked for, or the UI opens at its GenAI pages.
MODE = "workflowType=machine_learning"
# Runs on the page that compares them: more make its plot a tangle, and its address too long to click.
NUM_COMPARED = 20


@click.command()
@click.argument("study", nargs=-1)
@click.option("--by", metavar="PARAM", help="Compare the values of this param, whatever else differs.")
@click.option(
    "--metric", metavar="NAME", help="Default: test/accuracy if all read it, else best_val/accuracy."
)
@click.option("--runs", metavar="FILTER", help="Also the runs that match this MLflow search filter.")
@click.option(
    "--margin",
    type=float,
    help="Largest difference that does not matter: test equivalence (shares in points).",
)
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def compare(
    study: tuple[str, ...],
    by: str | None,
    metric: str | None,
    runs: str | None,
    margin: float | None,
    root: str,
) -> None:
    """Tell which settings of a STUDY are better, and how sure that is.

    STUDY is a run's id, the beginning of one, a name, or `last`; several are compared together. Of two
    single runs the test predictions are compared.
    """
    from shutil import get_terminal_size

    from seedbed.verdict.answer import answer
    from seedbed.verdict.find import opened

    width = max(get_terminal_size(fallback=(100, 24)).columns, 60)
    told = answer(
        opened(Path(root)), study, filter_string=runs, metric=metric, by=by, margin=margin, width=width
    )
    click.echo(told, nl=False)


@click.command()
@click.argument("study")
@click.option("--out", default="report", show_default=True, help="Folder for the pages, tables and figures.")
@click.option(
    "--metric", metavar="NAME", help="Default: test/accuracy if all read it, else best_val/accuracy."
)
@click.option("--margin", type=float, help="Largest difference that does not matter (shares in points).")
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def report(study: str, out: str, metric: str | None, margin: float | None, root: str) -> None:
    """Write a STUDY as a web page, a markdown page, a model card, a checklist, tables and figures.

    STUDY is a run's id, the beginning of one, a name, or `last`. The same files go to the study's run in
    the record.
    """
    from seedbed.report.report import report as write
    from seedbed.terminal import said
    from seedbed.track.leftover import take_along
    from seedbed.verdict.find import find, opened

    store = opened(Path(root))
    take_along(store, said)
    written = write(store, find(store, study).run_id, Path(out), metric, margin)
    for sentence in written.failed:
        click.echo(sentence, err=True)
    click.echo(f"Open {written.page}")


@click.command()
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5000, show_default=True, help="Port to listen on.")
def ui(root: str, host: str, port: int) -> None:
    """Open MLflow's UI on the record."""
    from seedbed.track.store import Store

    store = Store.open(Path(root))
    if store.uri.startswith("http"):
        click.echo(f"The record is on a server: {_addresses(store.uri, store)}")
        return
    click.echo(f"Open {_addresses(f'http://{host}:{port}', store)}\n(Ctrl-C ends it)")
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store.uri, "--workers", "1"]
    with subprocess.Popen([*command, "--host", host, "--port", str(port)]) as server:
        try:
            code = server.wait()
        except KeyboardInterrupt:  # the server has had the same Ctrl-C
            code = 0
    sys.exit(code)


def _addresses(base: str, store: Any) -> str:
    """The page of the latest run or study, and the one that compares its runs."""
    client = store.client
    experiments = [found.experiment_id for found in client.search_experiments()]
    latest = client.search_runs(experiments, order_by=["attributes.start_time DESC"], max_results=1)
    if not latest:
        return f"{base}/#/experiments?{MODE}"
    experiment = latest[0].info.experiment_id
    parent = latest[0].data.tags.get("mlflow.parentRunId", latest[0].info.run_id)
    page = f"{base}/#/experiments/{experiment}/runs/{parent}?{MODE}"
    family = f"tags.`mlflow.parentRunId` = '{parent}'"
    first = {"order_by": ["attributes.start_time ASC"], "max_results": NUM_COMPARED}
    # Of a search its trials: what follows them repeats the best.
    runs = client.search_runs([experiment], f"{family} AND tags.`seedbed.stage` = 'search'", **first)
    runs = runs or client.search_runs([experiment], family, **first)
    if len(runs) < 2:
        return page
    compared = "&".join(
        f"{name}={quote(json.dumps(ids))}"
        for name, ids in (("runs", [run.info.run_id for run in runs]), ("experiments", [experiment]))
    )
    # MLflow shows a study folded up, and its charts without the runs below it.
    return f"{page}\nIts runs side by side: {base}/#/compare-runs?{compared}&{MODE}"
