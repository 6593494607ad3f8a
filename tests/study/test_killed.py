"""A study that is killed and started again ends with the table of one that nobody disturbed."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kills import LIMIT_SECONDS, SERVER, Counter, Moment
from tests.study.conftest import family
from tests.study.test_studies import artifact

COMMON = (
    "trainer.max_epochs=3",
    "trainer.num_threads=1",
    "track.system_metrics=false",
    "track.log_model=false",
    "track.pictures=false",
)
GRID = ("model=softmax,mlp", "study.num_seeds=2", "evaluate_test=true")
SEARCH = (
    "study=tpe",
    "optimizer.lr=tag(log,interval(0.0001,0.1))",
    "study.num_trials=5",
    "study.num_seeds=2",
    "study.pruner=median",
    "study.startup_trials=1",
    "study.warmup_epochs=0",
    "study.num_finalists=2",
    "study.num_fresh_seeds=2",
)
IN_A_RUN = Moment("seedbed.classifier", "Classifier.step", 40)
GRID_MOMENTS = {
    "in a run": IN_A_RUN,
    "between two runs": Moment("seedbed.study.runner", "Runner._made", 2),
    "while it concludes": Moment("seedbed.study.conclude", "findings"),
    "before it is closed": Moment("seedbed.study.conclude", "_note"),
}
SEARCH_MOMENTS = {
    "in a run": IN_A_RUN,
    "while a run reports an epoch": Moment("seedbed.trial", "Trial.report", 4),
    "between a proposal and its run": Moment("seedbed.study.trials", "Trials._run", 4),
    "before the search hears of a setting": Moment("seedbed.study.search", "Search.tell", 2),
    "in the refit": Moment("seedbed.growing", "evaluate"),
}


def study(folder: Path, arguments: Sequence[str], moment: Moment | None) -> None:
    """The process: a study in a folder, up to the moment."""
    os.chdir(folder)
    sys.argv = ["seedbed"]
    if moment is not None:
        Counter(moment.call).patch(moment)
    from seedbed.cli.command import cli

    cli.main(["train", "-m", *arguments, *COMMON], prog_name="seedbed", standalone_mode=False)


def ended(folder: Path, arguments: Sequence[str], moment: Moment | None) -> int | None:
    folder.mkdir(exist_ok=True)
    process = SERVER.Process(target=study, args=(folder, arguments, moment))
    process.start()
    process.join(LIMIT_SECONDS)
    process.kill()  # nothing, where it has ended
    return process.exitcode


def result(folder: Path, *paths: str) -> list[str]:
    """The tables of the one study of a folder, once its runs are as they should be."""
    parent, children = family(folder)
    assert parent.info.status == "FINISHED"
    names = [child.info.run_name for child in children]
    assert len(set(names)) == len(names), "a run was made twice"
    return [artifact(folder, parent, path) for path in paths]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    for name, arguments in (("grid", GRID), ("search", SEARCH)):
        assert ended(folder / name, arguments, None) == 0
    return folder


@pytest.mark.parametrize("when", GRID_MOMENTS)
def test_a_killed_grid_ends_as_an_undisturbed_one(undisturbed: Path, tmp_path: Path, when: str) -> None:
    assert ended(tmp_path, GRID, GRID_MOMENTS[when]) == -signal.SIGKILL
    assert ended(tmp_path, GRID, None) == 0
    tables = ("summary.csv", "summary_pairs.csv")
    assert result(tmp_path, *tables) == result(undisturbed / "grid", *tables)


@pytest.mark.slow
@pytest.mark.parametrize("when", SEARCH_MOMENTS)
def test_a_killed_search_ends_as_an_undisturbed_one(undisturbed: Path, tmp_path: Path, when: str) -> None:
    assert ended(tmp_path, SEARCH, SEARCH_MOMENTS[when]) == -signal.SIGKILL
    assert ended(tmp_path, SEARCH, None) == 0
    tables = ("search/trials.csv", "finalists.csv", "finalists_pairs.csv", "summary.csv")
    assert "PRUNED" in artifact(tmp_path, family(tmp_path)[0], "search/trials.csv")
    assert result(tmp_path, *tables) == result(undisturbed / "search", *tables)
