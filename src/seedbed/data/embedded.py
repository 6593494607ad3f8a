"""Sources that come with the installed packages: nothing to fetch, nothing to place."""

import abc
import importlib.util
from collections.abc import Hashable
from pathlib import Path
from typing import Unpack, final

import numpy as np
import torch

from seedbed.data.cut import TEST_CUT_SEED, at_end, check_fraction, stratified
from seedbed.data.image_module import ImageModule
from seedbed.data.keys import DataKeys, ImageKeys
from seedbed.data.module import DataModule
from seedbed.data.rows import Columns, Images, Table
from seedbed.data.source import Source, whole
from seedbed.shapes import Labels

TEST_KEY = "data.test_fraction"
# scikit-learn is imported only where its file is read: a warm process has the source in memory.


@final
class Digits(ImageModule):
    """scikit-learn's handwritten digits: 1,797 grey images of 8 x 8 pixels, values 0 to 16, 10 classes.

    The test split is the end of the file, in file order: each writer's digits lie together, so a
    writer stays on one side. A shuffled cut flatters by 1 to 3 points.

    Args:
        test_fraction: share at the end of the file kept as the test split, in [0, 1).
        common: the keys of `ImageModule`.

    Source: E. Alpaydin and C. Kaynak (1998), "Optical recognition of handwritten digits", UCI.
    """

    source = "scikit-learn load_digits"

    def __init__(self, *, test_fraction: float, **common: Unpack[ImageKeys]) -> None:
        super().__init__(**common)
        check_fraction(TEST_KEY, test_fraction)
        self._test_fraction = test_fraction

    def _locate(self) -> Hashable:
        return self._test_fraction

    def _read(self) -> Source:
        # The file that `load_digits` reads: importing scikit-learn for it costs a sixth of a short run.
        rows = torch.from_numpy(np.loadtxt(_sklearn_data() / "digits.csv.gz", delimiter=","))
        pixels = rows[:, :64].to(torch.uint8).reshape(-1, 1, 8, 8)
        examples = whole(Images(pixels), rows[:, 64].to(torch.int64))
        train, test = at_end(examples, self._test_fraction, key=TEST_KEY)
        return Source(train, test, tuple("0123456789"), full_scale=16.0)


def _sklearn_data() -> Path:
    """The folder of the files that scikit-learn's own loaders read, found without importing it."""
    spec = importlib.util.find_spec("sklearn")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "data"


class EmbeddedTable(DataModule):
    """A small table in one file; the test split is stratified and the same for every seed.

    Args:
        test_fraction: share of the examples kept as the fixed test split, in [0, 1).
        common: the keys of `DataModule`.
    """

    def __init__(self, *, test_fraction: float, **common: Unpack[DataKeys]) -> None:
        super().__init__(**common)
        check_fraction(TEST_KEY, test_fraction)
        self._test_fraction = test_fraction

    @abc.abstractmethod
    def _table(self) -> tuple[Columns, Labels, tuple[str, ...], tuple[str, ...]]:
        """Values and labels in file order, class names, column names."""

    def _locate(self) -> Hashable:
        return self._test_fraction

    def _read(self) -> Source:
        values, labels, names, column_names = self._table()
        examples = whole(Table(values), labels)
        train, test = stratified(
            examples, self._test_fraction, TEST_CUT_SEED, key=TEST_KEY, class_names=names
        )
        return Source(train, test, names, full_scale=1.0, column_names=column_names)


@final
class BreastCancer(EmbeddedTable):
    """scikit-learn's breast cancer table: 569 tumours, 30 measurements, malignant (0) or benign (1).

    Source: W. N. Street, W. H. Wolberg and O. L. Mangasarian (1993), UCI.
    """

    source = "scikit-learn load_breast_cancer"

    def _table(self) -> tuple[Columns, Labels, tuple[str, ...], tuple[str, ...]]:
        from sklearn.datasets import load_breast_cancer

        file = load_breast_cancer()
        names, column_names = tuple(map(str, file.target_names)), tuple(map(str, file.feature_names))
        return torch.from_numpy(file.data), torch.from_numpy(file.target), names, column_names


@final
class Chd(EmbeddedTable):
    """Age in years and coronary heart disease of 33 people, 14 of them with the disease.

    Source: COM4059/6059, lecture 6 (logistic regression), table 1.
    """

    source = "chd.csv inside the package"

    def _table(self) -> tuple[Columns, Labels, tuple[str, ...], tuple[str, ...]]:
        rows = torch.from_numpy(np.loadtxt(Path(__file__).with_name("chd.csv"), delimiter=",", skiprows=1))
        return rows[:, :1].contiguous(), rows[:, 1].to(torch.int64), ("no disease", "disease"), ("age",)
