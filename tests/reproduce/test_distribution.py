"""The interval holds one more run of the same setting, and only runs of that setting make it."""

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

from seedbed.reproduce.distribution import Interval, interval_of, predicted
from seedbed.reproduce.recorded import recorded
from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.train import run
from tests.conftest import MakeJob
from tests.reproduce.runs import SHORT, trained


@pytest.mark.parametrize("number", [2, 3, 5, 20])
def test_the_interval_is_that_of_statsmodels(number: int) -> None:
    values = np.random.default_rng(number).normal(0.9, 0.01, number)
    frame = sm.OLS(values, np.ones(number)).fit().get_prediction([1.0]).summary_frame(alpha=0.05)
    interval = predicted("test/accuracy", values)
    assert interval.low == pytest.approx(frame["obs_ci_lower"][0], rel=1e-12)
    assert interval.high == pytest.approx(frame["obs_ci_upper"][0], rel=1e-12)


def test_it_holds_95_of_100_further_runs() -> None:
    random = np.random.default_rng(5)
    held = [predicted("m", random.normal(size=5)).holds(random.normal()) for _ in range(4000)]
    assert np.mean(held) == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 4000) ** 0.5)


def test_the_ends_are_inside() -> None:
    interval = Interval("m", 0.25, 0.5, 3)
    assert [interval.holds(value) for value in (0.24, 0.25, 0.5, 0.51)] == [False, True, True, False]


def test_only_runs_that_differ_in_the_seed_alone_are_counted(make_job: MakeJob) -> None:
    store = Store.open(Path(make_job("data=digits").config["track"]["root"]))
    study = Record.start(
        store, experiment="seedbed", name="a study", params={}, tags={"seedbed.kind": "study"}
    )
    keys = (*SHORT, "trainer.max_epochs=1", f"track.parent_run_id={study.run_id}")
    accuracies = [run(make_job(*keys, f"seed={seed}")).metrics["test/accuracy"] for seed in range(3)]
    other = run(make_job(*keys, "optimizer.lr=0.5", "seed=0")).run_id
    pinned = run(make_job(*keys, "streams.init=7", "seed=0")).run_id
    (original, *_) = (run_id for run_id in _children(store, study.run_id) if run_id not in (other, pinned))
    assert interval_of(store, recorded(store, original)) == predicted("test/accuracy", np.array(accuracies))
    assert interval_of(store, recorded(store, other)) is None
    assert interval_of(store, recorded(store, pinned)) is None
    study.finish("FINISHED")


def test_a_run_of_no_study_has_no_interval(make_job: MakeJob) -> None:
    alone = trained(make_job(*SHORT, "trainer.max_epochs=1"))
    store = Store.open(Path(alone.job.config["track"]["root"]))
    assert interval_of(store, alone) is None


def _children(store: Store, parent: str) -> list[str]:
    from seedbed.verdict.members import members

    return [member.run_id for member in members(store, parent)]
