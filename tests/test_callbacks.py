"""Which epoch is the best one."""

import math

import pytest

from seedbed.callbacks import EpochEnd
from seedbed.track.record import Record
from seedbed.track.store import Store

NAN = math.nan


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    store = Store.open(tmp_path_factory.mktemp("store"))
    return Record.start(store, experiment="epochs", name="epochs", params={}, tags={})


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("val/loss", [3.0, 1.0, 2.0], 2),
        ("val/loss", [1.0, 1.0], 1),  # a tie keeps the earlier epoch
        ("val/accuracy", [0.5, 0.9, 0.7], 2),
        ("val/loss", [NAN, 2.0, 3.0], 2),  # no number is beaten by any number
        ("val/loss", [2.0, NAN], 1),
    ],
)
def test_the_best_epoch_is_judged_in_the_metrics_own_direction(
    monitor: str, values: list[float], best: int, record: Record
) -> None:
    end = EpochEnd(record, record.folder, monitor)
    for epoch, value in enumerate(values, start=1):
        end._judge({monitor: value}, epoch)
    assert end.best_epoch == best
    assert end.best()[f"best_{monitor}"] == values[best - 1]


def test_without_validation_the_last_epoch_is_kept(record: Record) -> None:
    end = EpochEnd(record, record.folder, None)
    assert [end._judge({}, epoch) for epoch in (1, 2)] == [True, True]
    assert end.best() == {}
