"""The runs of a study, and other sets of runs, as the record has them."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

PRUNED = "seedbed.pruned"
KIND = "seedbed.kind"
# Of a run that only evaluates the model of another, under which it stands.
TEST = "test"
# What tells the repetitions of one setting apart, and so is no part of the setting.
SEEDS = ("seed", "streams.")
FOLDS = ("data.fold", "data.inner_fold")


class Member(NamedTuple):
    """One run.

    Args:
        run_id: MLflow's id.
        name: what the UI shows.
        experiment_id: MLflow's id of its experiment.
        status: FINISHED, FAILED, KILLED or RUNNING; PRUNED where a search ended it early.
        setting: digest of the config without seeds and folds; empty for a run of another program.
        params: as MLflow keeps them, texts.
        metrics: the last value of each.
        tags: as MLflow keeps them.
    """

    run_id: str
    name: str
    experiment_id: str
    status: str
    setting: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    def root(self, stream: str) -> str | None:
        """The root seed that this run's stream of this name came from; None where it is not on record."""
        pinned = self.params.get(f"streams.{stream}", "null")
        return self.params.get("seed") if pinned == "null" else pinned

    @property
    def fold(self) -> tuple[str, str]:
        """Outer and inner fold, `null` where the run had none."""
        outer, inner = (self.params.get(key, "null") for key in FOLDS)
        return outer, inner


def of_run(run: Any) -> Member:
    """A member from MLflow's own run."""
    pruned = PRUNED in run.data.tags
    return Member(
        run.info.run_id,
        run.info.run_name,
        run.info.experiment_id,
        "PRUNED" if pruned else run.info.status,
        run.data.tags.get("seedbed.setting", ""),
        run.data.params,
        run.data.metrics,
        run.data.tags,
    )


def members(store: Any, parent_run_id: str) -> list[Member]:
    """The runs under a parent, oldest first, without the tests of a single run's model."""
    parent = store.client.get_run(parent_run_id)
    found = store.search([parent.info.experiment_id], f"tags.mlflow.parentRunId = '{parent_run_id}'")
    return [run for run in map(of_run, found) if not is_test(run)]


def is_test(run: Member) -> bool:
    """Whether it trained nothing, and tells how the model of another run does."""
    return run.tags.get(KIND) == TEST


def headline(runs: Iterable[Member]) -> str:
    """The metric a study is judged by.

    Test accuracy where every finished run read the test split; else what the runs of a search were
    chosen by; else validation accuracy.
    """
    finished = [run for run in runs if run.status == "FINISHED"]
    if finished and all("test/accuracy" in run.metrics for run in finished):
        return "test/accuracy"
    objectives = {run.tags.get("seedbed.objective", "") for run in finished}
    return objectives.pop() if len(objectives) == 1 and "" not in objectives else "best_val/accuracy"
