"""Four runs that were trained once, in one store, for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from seedbed.cli.command import cli
from seedbed.predictor import Predictor
from seedbed.track.store import Store
from seedbed.train import run
from seedbed.use.trained import Trained, trained
from seedbed.verdict.find import find
from tests.conftest import jobs_in
from tests.data.tiny import write_folder

QUICK = ("trainer.num_threads=1", "trainer.progress_bar=false", "seed=1")
DIGITS = ("data=digits", "data.standardize=true", "model=cnn", "model.channels=[4]", "trainer.max_epochs=3")
TABLE = ("data=breast_cancer", "model=logistic", "optimizer.lr=0.03", "trainer.max_epochs=3")
# No validation split, and a map of scikit-learn before the model.
MAPPED = ("data=chd", "model=logistic", "features=polynomial", "trainer.max_epochs=2")
PHOTOS = (
    *("data=image_folder", "data.image_size=8", "data.batch_size=16", "data.val_fraction=0.25"),
    *("data.num_workers=0", "model=softmax", "trainer.max_epochs=2"),
)


class Garden(NamedTuple):
    """Runs in a store.

    Args:
        folder: that holds the store, as `mlruns`, and the photographs.
        store: open.
        ids: of the runs, by a word.
    """

    folder: Path
    store: Store
    ids: dict[str, str]

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    def open(self, word: str, **how: Any) -> Any:
        """The context of a run's model."""
        return trained(self.store, find(self.store, self.ids[word]), **how)

    def predictor(self, word: str) -> Predictor:
        with self.open(word) as model:
            return model.predictor  # type: ignore[no-any-return]

    def tags(self, word: str) -> dict[str, str]:
        return dict(find(self.store, self.ids[word]).tags)

    def verb(self, *words: str) -> Result:
        """The verb on a run of this store, in this process."""
        return CliRunner().invoke(cli, [*words, "--root", str(self.store.root)])


@pytest.fixture(scope="session")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Garden:
    folder = tmp_path_factory.mktemp("use")
    photos = write_folder(folder / "photos", each=12)
    own = (f"data.root={photos}", f"data.cache_dir={folder / 'cache'}")
    kinds = {
        "digits": (*DIGITS, "evaluate_test=true"),
        "table": TABLE,
        "mapped": MAPPED,
        "photos": (*PHOTOS, *own, "evaluate_test=true"),
    }
    with jobs_in(folder) as make:
        ids = {word: run(make(*keys, *QUICK)).run_id for word, keys in kinds.items()}
    return Garden(folder, Store.open(folder / "mlruns"), ids)


@pytest.fixture
def digits(garden: Garden) -> Iterator[Trained]:
    with garden.open("digits") as model:
        yield model


@pytest.fixture
def table(garden: Garden) -> Iterator[Trained]:
    with garden.open("table") as model:
        yield model
