"""Embeddings, drawn from what a run has kept."""

import csv
import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from seedbed.album.embedded import embedding, embedding_umap
from seedbed.album.subjects import split_file
from seedbed.embedding import FILE
from seedbed.errors import PictureError
from seedbed.picture.picture import Picture
from seedbed.reproduce.check import Subject


def arrays(subject: Subject) -> dict[str, np.ndarray]:
    found = split_file(subject, "embedding.npz")
    assert found is not None
    return found[1]


def table(picture: Picture) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(picture.csv())))


def test_the_first_two_components_are_drawn_with_what_distances_do_not_mean(cnn: Subject) -> None:
    picture, found = embedding(cnn), arrays(cnn)
    assert picture is not None
    assert "What distances do not mean" in picture.caption
    assert "of the test split (all 359)" in picture.caption
    wrong = (found["labels"] != found["predictions"]).sum()
    assert f"each of the {wrong} misclassified" in picture.caption
    assert f"component 1 ({found['shares'][0]:.1%} of the variance)" in picture.svg
    rows = table(picture)
    np.testing.assert_allclose([float(row["first"]) for row in rows], found["components"][:, 0])
    assert [int(row["index"]) for row in rows] == found["indices"].tolist()
    assert embedding(cnn) == picture  # to the byte


def test_umap_is_told_a_seed_and_gets_the_kept_components(
    cnn: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    class Umap:
        def __init__(self, **settings: object) -> None:
            asked.update(settings)

        def fit_transform(self, rows: np.ndarray) -> np.ndarray:
            return rows[:, 2:4]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Umap))  # the real one compiles for long
    picture = embedding_umap(cnn)
    assert picture is not None
    assert asked == {"n_neighbors": 15, "random_state": 0, "n_jobs": 1}
    assert "the sizes and densities of clusters, are made by the method" in picture.caption
    np.testing.assert_allclose(
        [float(row["second"]) for row in table(picture)], arrays(cnn)["components"][:, 3]
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # numba's and UMAP's own
def test_umap_gives_the_same_picture_twice(cnn: Subject) -> None:
    assert embedding_umap(cnn) == embedding_umap(cnn)


def test_without_umap_the_error_says_what_to_install(cnn: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(PictureError, match=r"expected the package umap-learn, got .*umap") as caught:
        embedding_umap(cnn)
    assert caught.value.do == "pip install 'seedbed[umap]', or look at the picture embedding."


def test_a_run_that_kept_none_has_none(cnn: Subject) -> None:
    files = {name: path for name, path in cnn.files.items() if not name.endswith(FILE)}
    assert embedding(cnn._replace(files=files)) is None
    assert embedding_umap(cnn._replace(files=files)) is None
