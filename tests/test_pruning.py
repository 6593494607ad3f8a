"""Hopeless settings end early, by the mean of their seeds, whichever process finds it out."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import TrialState

from seedbed.errors import ConfigError, Pruned, StoreError, TrainingError
from seedbed.pruning import Pruner, TrialWatch
from tests import replicate

CHECKOUT = Path(__file__).parents[1]
LIMIT_SECONDS = 120
MEDIAN = Pruner("median", startup_trials=2, warmup_epochs=1, reduction_factor=3)
ASHA = Pruner("asha", startup_trials=0, warmup_epochs=0, reduction_factor=2)
HYPERBAND = ASHA._replace(name="hyperband")
METRIC = "best_val/loss"

Values = Sequence[Sequence[float]]  # of each replicate an epoch


@pytest.fixture(autouse=True)
def _quiet_optuna() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


class Search:
    """The search's side: asks, tells, and looks into the journal."""

    def __init__(self, folder: Path, direction: Literal["minimize", "maximize"] = "minimize") -> None:
        self.path = folder / "search.journal"
        lock = JournalFileOpenLock(str(self.path))
        storage = JournalStorage(JournalFileBackend(str(self.path), lock_obj=lock))
        self.study = optuna.create_study(storage=storage, study_name="s", direction=direction)

    def told(self, number: int, index: int, values: Values, pruner: Pruner, **more: Any) -> dict[str, Any]:
        """What a replicate must know."""
        return {
            "storage_path": str(self.path),
            "study_name": "s",
            "trial_number": number,
            "replicate": index,
            "num_seeds": len(values),
            "max_epochs": max(map(len, values)),
            "metric": METRIC,
            "pruner": list(pruner),
            "values": list(values[index]),
            **more,
        }

    def setting(self, values: Values, pruner: Pruner = MEDIAN, *, apart: bool = False) -> list[int | None]:
        """Runs the replicates of a new setting one after another; the epoch at which each was pruned."""
        number = self.study.ask().number
        tell = [self.told(number, index, values, pruner) for index in range(len(values))]
        ends = [elsewhere(told)[0] if apart else replicate.reported(told)[0] for told in tell]
        if any(end is not None for end in ends):
            self.study.tell(number, state=TrialState.PRUNED)
        else:
            self.study.tell(number, sum(each[-1] for each in values) / len(values))
        return ends

    def watch(self, number: int, index: int = 0, **changes: Any) -> TrialWatch:
        return TrialWatch(
            **{
                "storage_path": self.path,
                "study_name": "s",
                "trial_number": number,
                "replicate": index,
                "num_seeds": 2,
                "max_epochs": 3,
                "metric": METRIC,
                "pruner": MEDIAN,
                **changes,
            }
        )

    def steps(self, number: int) -> dict[int, float]:
        return dict(self.study.trials[number].intermediate_values)


def elsewhere(told: dict[str, Any]) -> tuple[int | None, str]:
    """One replicate in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.replicate", json.dumps(told)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    epoch, why = json.loads(done.stdout)
    return epoch, why


@contextmanager
def waiting(tell: list[dict[str, Any]]) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "tests.replicate"]
    started = [
        subprocess.Popen([*command, json.dumps(told)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
        for told in tell
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def flat(*values: float, epochs: int = 3) -> Values:
    return [[value] * epochs for value in values]


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path)


def test_a_bad_setting_in_another_process_is_pruned_by_earlier_good_ones(search: Search) -> None:
    for value in (1.1, 1.0, 0.9):
        assert search.setting(flat(value, value), apart=True) == [None, None]
    assert search.setting(flat(2.0, 2.0), apart=True) == [2, 1]
    assert search.setting(flat(0.5, 0.5), apart=True) == [None, None]
    states = [trial.state.name for trial in search.study.trials]
    assert states == ["COMPLETE"] * 3 + ["PRUNED", "COMPLETE"]


@pytest.mark.parametrize("pruner", [ASHA, HYPERBAND])
def test_the_worse_of_two_is_cut_at_a_rung_by_another_process(search: Search, pruner: Pruner) -> None:
    ends = [search.setting(flat(value, epochs=8), pruner, apart=True) for value in (1.0, 0.5)]
    assert ends == [[None], [None]]
    worse = [search.setting(flat(3.0, epochs=8), pruner, apart=True)[0] for _ in range(2)]
    # Asha judges at step 1; hyperband's brackets give a setting more time, by its number.
    assert all(end is not None and end & (end - 1) == 0 for end in worse)
    assert pruner is HYPERBAND or worse == [1, 1]


def test_rungs_are_powers_of_the_factor(search: Search) -> None:
    search.setting(flat(1.0, epochs=8), ASHA)
    late = [[0.9, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]]
    assert search.setting(late, ASHA) == [2]
    later = [[0.8, 0.8, 0.8, 0.8, 2.0, 2.0, 2.0, 2.0]]
    assert search.setting(later, ASHA) == [8]


@pytest.mark.parametrize("pruner", [MEDIAN, ASHA])
def test_where_higher_is_better_the_low_one_is_pruned(tmp_path: Path, pruner: Pruner) -> None:
    search = Search(tmp_path, "maximize")
    for value in (0.8, 0.9, 0.95):
        assert search.setting(flat(value), pruner) == [None]
    assert search.setting(flat(0.5), pruner) == [2 if pruner is MEDIAN else 1]
    assert search.setting(flat(0.99), pruner) == [None]


def test_a_setting_is_pruned_on_the_mean_of_its_seeds(search: Search) -> None:
    for value in (1.1, 1.0, 0.9):
        search.setting(flat(value, value))
    # The first seed is better than the median, and stays; the mean with the second one is not.
    assert search.setting(flat(0.95, 3.0)) == [None, 2]
    # The second seed alone is worse than the median; the mean is not.
    assert search.setting(flat(0.5, 1.3)) == [None, None]


def test_a_lucky_first_seed_does_not_cover_for_the_mean(search: Search) -> None:
    for value in (1.1, 1.0, 0.9):
        search.setting(flat(value, value))
    assert search.setting([[0.01, 0.01, 0.9], [3.0, 3.0, 3.0]]) == [None, 2]


@pytest.mark.parametrize("num_finished", [0, 1, 2])
def test_the_median_waits_for_its_settings(search: Search, num_finished: int) -> None:
    for _ in range(num_finished):
        search.setting(flat(1.0))
    assert search.setting(flat(5.0)) == [2 if num_finished >= MEDIAN.startup_trials else None]


@pytest.mark.parametrize("warmup_epochs", [0, 1, 2, 3])
def test_each_seed_has_its_warm_up(search: Search, warmup_epochs: int) -> None:
    pruner = MEDIAN._replace(warmup_epochs=warmup_epochs)
    for _ in range(2):
        search.setting(flat(1.0, 1.0))
    end = warmup_epochs + 1 if warmup_epochs < 3 else None
    assert search.setting(flat(0.9, 5.0), pruner) == [None, end]


def test_a_number_that_is_none_prunes_at_once(search: Search) -> None:
    number = search.study.ask().number
    with pytest.raises(Pruned) as caught:
        search.watch(number)(1, {"val/loss": math.nan})
    assert (caught.value.epoch, caught.value.why) == (1, "best_val/loss is no number")
    assert search.study.trials[number].user_attrs["pruned"] == 1


def test_the_other_seeds_of_a_pruned_setting_stop_at_their_next_epoch(search: Search) -> None:
    for _ in range(2):
        search.setting(flat(1.0, 1.0))
    number = search.study.ask().number
    one, other = search.watch(number, 0), search.watch(number, 1)
    other(1, {"val/loss": 0.5})
    one(1, {"val/loss": 5.0})
    with pytest.raises(Pruned, match="median, mean best_val/loss 5 of 1 seeds at epoch 2"):
        one(2, {"val/loss": 5.0})
    with pytest.raises(Pruned) as caught:
        other(2, {"val/loss": 0.5})
    assert (caught.value.epoch, caught.value.why) == (2, f"trial {number} was pruned at step 2")


def test_a_seed_that_is_ahead_leaves_the_report_to_the_one_that_follows(search: Search) -> None:
    number = search.study.ask().number
    first, second = search.watch(number, 0), search.watch(number, 1)
    second(1, {"val/loss": 3.0})
    second(2, {"val/loss": 5.0})
    assert search.steps(number) == {}
    first(1, {"val/loss": 1.0})
    assert search.steps(number) == {1: 1.0, 4: 2.0}
    first(2, {"val/loss": 1.0})
    assert search.steps(number) == {1: 1.0, 2: 1.0, 4: 2.0, 5: 3.0}


def test_rungs_are_asked_in_order_also_where_seeds_run_side_by_side(search: Search) -> None:
    number = search.study.ask().number
    first, second = (search.watch(number, index, pruner=ASHA) for index in range(2))
    for epoch in (1, 2):
        for watch in (first, second):
            watch(epoch, {"val/loss": 1.0})
    rungs = search.study._storage.get_trial(search.study.trials[number]._trial_id).system_attrs
    assert [name for name in rungs if name.startswith("completed_rung")] == [
        "completed_rung_0",
        "completed_rung_1",
    ]
    second(3, {"val/loss": 1.0})
    first(3, {"val/loss": 1.0})  # the last step that was missing: now rung 2 at step 4 is due
    rungs = search.study._storage.get_trial(search.study.trials[number]._trial_id).system_attrs
    assert "completed_rung_2" in rungs


def test_processes_at_the_same_time_report_every_mean_once(search: Search, tmp_path: Path) -> None:
    number = search.study.ask().number
    values = [[float(10 * index + epoch) for epoch in range(4)] for index in range(4)]
    gate = tmp_path / "gate"
    tell = [search.told(number, index, values, MEDIAN, gate=str(gate)) for index in range(4)]
    with waiting(tell) as processes:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        gate.touch()
        ends = [json.loads(process.communicate(timeout=LIMIT_SECONDS)[0]) for process in processes]
    assert ends == [[None, ""]] * 4
    expected = {4 * index + epoch + 1: 5.0 * index + epoch for index in range(4) for epoch in range(4)}
    assert search.steps(number) == expected


@pytest.mark.parametrize("pruner", [MEDIAN, ASHA, HYPERBAND])
def test_a_resumed_run_repeats_its_reports_without_a_trace(search: Search, pruner: Pruner) -> None:
    for value in (1.0, 1.1):
        search.setting(flat(value, value), MEDIAN)
    number = search.study.ask().number
    for epoch in (1, 2):
        search.watch(number, pruner=pruner)(epoch, {"val/loss": 0.5})
    before = search.path.read_bytes()
    for epoch in (1, 2):
        search.watch(number, pruner=pruner)(epoch, {"val/loss": 0.5})
    assert search.path.read_bytes() == before


def test_a_resumed_run_that_was_pruned_is_pruned_again(search: Search) -> None:
    for _ in range(2):
        search.setting(flat(1.0))
    number = search.study.ask().number
    search.watch(number, num_seeds=1)(1, {"val/loss": 5.0})
    for _ in range(2):
        with pytest.raises(Pruned):
            search.watch(number, num_seeds=1)(2, {"val/loss": 5.0})
    before = search.path.read_bytes()
    with pytest.raises(Pruned):
        search.watch(number, num_seeds=1)(1, {"val/loss": 5.0})
    assert search.path.read_bytes() == before


def test_a_setting_that_the_search_has_closed_is_asked_no_more(search: Search) -> None:
    numbers = [search.study.ask().number for _ in range(2)]
    search.study.tell(numbers[0], state=TrialState.FAIL)
    search.study.tell(numbers[1], state=TrialState.PRUNED)
    search.watch(numbers[0])(1, {"val/loss": 1.0})
    assert search.steps(numbers[0]) == {}
    with pytest.raises(Pruned, match=f"trial {numbers[1]} was pruned"):
        search.watch(numbers[1])(1, {"val/loss": 1.0})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "best"}, "study.pruner: expected one of median, hyperband, asha, got best. Choose an"),
        ({"startup_trials": -1}, "study.startup_trials: expected 0 or more, got -1. Choose another value."),
        ({"warmup_epochs": -1}, "study.warmup_epochs: expected 0 or more, got -1. Choose another value."),
        ({"reduction_factor": 1}, "study.reduction_factor: expected 2 or more, got 1. Choose another va"),
    ],
)
def test_a_pruner_that_makes_no_sense_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        MEDIAN._replace(**change).built(10)


def test_a_metric_that_no_epoch_has_is_told_with_those_it_has(search: Search) -> None:
    watch = search.watch(search.study.ask().number, metric="best_val/acc")
    told = r"^metric val/acc of a pruned search: expected one of val/accuracy, val/loss, .*study\.pruner=null"
    with pytest.raises(TrainingError, match=told):
        watch(1, {"val/loss": 1.0, "val/accuracy": 0.5})


def test_a_journal_without_the_search_or_the_trial_is_told(search: Search, tmp_path: Path) -> None:
    number = search.study.ask().number
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"storage_path": tmp_path / "nowhere"}, r"nowhere: expected .* got no such file\. Start the study"),
        ({"study_name": "t"}, "got none of the name t"),
        ({"trial_number": 7}, "got no trial 7 in s"),
    ]
    for change, told in wrong:
        with pytest.raises(StoreError, match=told):
            search.watch(number, **change)(1, {"val/loss": 1.0})
    assert not (tmp_path / "nowhere").exists()


def test_torch_and_optuna_wait_until_they_are_needed() -> None:
    program = "import sys, seedbed.pruning; sys.exit('torch' in sys.modules or 'optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
