"""A study of penalties in one picture, from its record."""

from collections.abc import Iterator

import numpy as np
import pytest

from seedbed.album.path import penalty_path
from seedbed.cli.command import cli
from seedbed.picture.picture import Picture
from seedbed.track.store import Store
from tests.report.recorded import ladder

QUICK = ("data=digits", "trainer.max_epochs=1", "trainer.progress_bar=false", "launch=stacked")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A study of penalties, and one of models that nobody had to train."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("path")
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        keys = ("objective.l2=0.1,1e-4", "seed=0,1", "track.experiment=penalties")
        cli.main(["train", "-m", *QUICK, *keys], standalone_mode=False)
        made = Store.open(folder / "mlruns")
        ladder(made)
        yield made


def parent(store: Store, name: str) -> str:
    experiment = store.client.get_experiment_by_name(name)
    (found,) = store.search([experiment.experiment_id], "tags.`seedbed.kind` = 'study'")
    return str(found.info.run_id)


def drawn(store: Store) -> Picture:
    picture = penalty_path(store, parent(store, "penalties"))
    assert picture is not None
    return picture


def test_each_penalty_has_its_templates_and_the_mean_of_its_runs(store: Store) -> None:
    picture = drawn(store)
    rows = [dict(zip(picture.columns, row, strict=True)) for row in picture.rows]
    assert [row["penalty"] for row in rows] == [0.1] * 10 + [1e-4] * 10
    assert {row["n"] for row in rows} == {2}
    assert [row["class"] for row in rows[:10]] == list("0123456789")
    assert len(str(rows[0]["weights"]).split()) == 64
    # A stronger penalty leaves smaller weights.
    strong, weak = (np.abs(np.array(str(rows[place]["weights"]).split(), float)).sum() for place in (3, 13))
    assert strong < weak
    assert "best_val/loss in nats" in picture.caption


def test_a_study_of_something_else_has_no_path(store: Store) -> None:
    assert penalty_path(store, parent(store, "e")) is None


def test_the_same_record_gives_the_same_bytes(store: Store) -> None:
    assert drawn(store) == drawn(store)
