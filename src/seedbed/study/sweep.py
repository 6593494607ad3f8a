"""A Hydra sweeper that makes a multirun one study: a parent run, named children, one table."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from seedbed.errors import SeedbedError, Stopped, TrainingError
from seedbed.manual import ui_command
from seedbed.stopping import Stopping

# A typo is refused before the record and the statistics are imported: they cost seconds.
if TYPE_CHECKING:
    from seedbed.study import summary
    from seedbed.track.record import Record

NUM_JOBS_LISTED = 20


class StudySweeper(Sweeper):
    """Runs the product of all listed values as the children of one MLflow run.

    Args:
        params: sweep that an experiment file brings with it, overridden by the command line.
    """

    def __init__(self, params: DictConfig | None) -> None:
        self.params = {} if params is None else dict(params.items())
        self.out = Console()

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config: DictConfig = config
        self.loader = hydra_context.config_loader
        self.launcher: Launcher = Plugins.instance().instantiate_launcher(
            config=config, hydra_context=hydra_context, task_function=task_function
        )

    def sweep(self, arguments: list[str]) -> list[JobReturn]:
        jobs = self._jobs(arguments)
        varying = _varying(jobs)
        names = [_name(job, varying) for job in jobs]
        self._check(jobs, varying)
        self._announce(names)
        with Stopping().listening():
            parent = self._begin(varying)
            try:
                finished = self._launch(jobs, names, parent.run_id)
                failures = self._conclude(parent, finished, names)
            except Stopped:
                parent.finish("KILLED")
                raise
            except BaseException as error:
                parent.fail(error)
                raise
        if failures:
            raise _failed(failures, len(names))
        return finished

    def _jobs(self, arguments: list[str]) -> list[list[str]]:
        given = [f"{key!s}={value}" for key, value in self.params.items()]
        overrides = OverridesParser.create(config_loader=self.loader).parse_overrides([*given, *arguments])
        jobs: list[list[str]] = BasicSweeper.split_arguments(overrides, None)[0]
        return jobs

    def _check(self, jobs: Sequence[list[str]], varying: dict[str, list[str]]) -> None:
        """Composes every listed value once, so that a typo costs no run."""
        seen: set[str] = set()
        for job in jobs:
            new = {item for item in job if item.partition("=")[0] in varying} - seen
            if new or not seen:
                self.loader.load_sweep_config(self.config, list(job))
                seen |= new | {""}

    def _announce(self, names: Sequence[str]) -> None:
        shown = ", ".join(names[:NUM_JOBS_LISTED])
        more = f" and {len(names) - NUM_JOBS_LISTED} more" if len(names) > NUM_JOBS_LISTED else ""
        self.out.print(f"Study of {len(names)} runs: {shown}{more}", highlight=False)

    def _begin(self, varying: dict[str, list[str]]) -> "Record":
        from seedbed.track.record import Record
        from seedbed.track.store import Store

        track = self.config.track
        swept = {key: ",".join(values) for key, values in varying.items()}
        return Record.start(
            Store.open(Path(track.root)),
            experiment=track.experiment,
            name=track.run_name or f"{track.experiment}: {' x '.join(swept) or 'one run'}",
            params=swept,
            tags={"seedbed.kind": "study", "seedbed.command": " ".join(["seedbed train", *sys.argv[1:]])},
        )

    def _launch(self, jobs: Sequence[list[str]], names: Sequence[str], parent: str) -> list[JobReturn]:
        bound = [
            [*job, f"track.parent_run_id='{parent}'", f"track.run_name='{name}'"]
            for job, name in zip(jobs, names, strict=True)
        ]
        return list(self.launcher.launch(bound, initial_job_idx=0))

    def _conclude(
        self, parent: "Record", finished: Sequence[JobReturn], names: Sequence[str]
    ) -> dict[str, JobReturn]:
        """Writes the table to the parent and the terminal; the failed jobs by name."""
        from seedbed.study import summary
        from seedbed.study.members import members

        children = members(parent.store, parent.run_id)
        metric = summary.headline(children)
        rows = summary.summarise(children, metric)
        parent.log_text(summary.as_csv(rows, metric), "summary.csv")
        failures = {
            name: done
            for name, done in zip(names, finished, strict=True)
            if done.status != JobStatus.COMPLETED
        }
        parent.set_note(summary.note(rows, metric, children, list(failures)))
        parent.log_metrics({summary.mean_name(row, metric): row.mean for row in rows}, step=0)
        parent.finish("FAILED" if failures else "FINISHED")
        self._print(rows, metric, parent)
        return failures

    def _print(self, rows: "Sequence[summary.Row]", metric: str, parent: "Record") -> None:
        from seedbed.study.summary import cells

        if rows:
            table = Table(*rows[0].labels, "n", f"mean {metric}", "95 % interval")
            for row in rows:
                table.add_row(*cells(row))
            self.out.print(table)
        self.out.print(f"Study {parent.run_id} in {parent.store.uri}", highlight=False, soft_wrap=True)
        self.out.print(f"Look at it: {ui_command(self.config.track.root)}", highlight=False, soft_wrap=True)


def _varying(jobs: Sequence[list[str]]) -> dict[str, list[str]]:
    values: dict[str, dict[str, None]] = {}
    for job in jobs:
        for item in job:
            key, _, value = item.partition("=")
            values.setdefault(key, {})[value] = None
    return {key: list(found) for key, found in values.items() if len(found) > 1}


def _name(job: Sequence[str], varying: dict[str, list[str]]) -> str:
    """What differs first: a group's option alone, else the key's last word with its value."""
    parts = []
    for item in job:
        key, _, value = item.partition("=")
        if key in varying:
            parts.append(f"{key.rpartition('.')[2]} {value}" if "." in key or key == "seed" else value)
    return " ".join(parts).replace("'", "") or "run"


def _failed(failures: dict[str, Any], num_jobs: int) -> SeedbedError:
    told = []
    for name, done in failures.items():
        try:
            told.append(f"{name}: {done.return_value}")
        except Exception as error:  # noqa: BLE001 - whatever a job died of is told, not handled
            told.append(f"{name}: {error}")
    return TrainingError(
        "study",
        expected=f"{num_jobs} finished runs",
        got=f"{len(failures)} failed ({'; '.join(told)})",
        do="Each failed run holds its trace as the artifact error.txt.",
    )


def register() -> None:
    """Makes the sweeper known to Hydra, which takes only names that look like its own plug-ins."""
    Plugins.instance().class_name_to_class["hydra_plugins.seedbed.StudySweeper"] = StudySweeper
