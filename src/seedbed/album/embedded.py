"""Where a network has put the examples of a held-out split, in two dimensions."""

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.album.evaluated import model_of
from seedbed.album.subjects import split_file
from seedbed.embedding import FILE
from seedbed.errors import PictureError
from seedbed.picture.embedding import Points
from seedbed.picture.embedding import embedding as drawing
from seedbed.picture.picture import Picture
from seedbed.reproduce.check import Subject

# UMAP's own default, and the seed that makes it repeatable.
NUM_NEIGHBOURS, SEED = 15, 0
TRAINED_FOR = (
    " The network was trained to keep the classes apart, so that they are apart here says no more than its"
    " accuracy does."
)


def embedding(subject: Subject) -> Picture | None:
    """The units before the last layer along their first two principal components."""
    found = _arrays(subject)
    if found is None:
        return None
    split, arrays, names = found
    shares = arrays["shares"]
    labels = [f"component {place + 1} ({shares[place]:.1%} of the variance)" for place in (0, 1)]
    caption = (
        f"{_told(split, arrays)} Two of {int(arrays['num_units']):,} directions, those in which the units"
        f" vary most, hold {shares[:2].sum():.0%} of the variance. What distances do not mean: points that"
        " are close here may be far apart in the directions that are not drawn, and a distance is one"
        " between activations, not between images or meanings; the directions' signs are arbitrary."
        + TRAINED_FOR
    )
    points = _points(arrays, names, arrays["components"][:, :2], (labels[0], labels[1]))
    return drawing("embedding", "Embedding by principal components", points, caption)


def embedding_umap(subject: Subject) -> Picture | None:
    """The same units by UMAP, which keeps neighbours.

    Raises:
        PictureError: where umap-learn is missing.
    """
    found = _arrays(subject)
    if found is None or len(found[1]["labels"]) <= NUM_NEIGHBOURS:
        return None
    split, arrays, names = found
    mapped = _umap().UMAP(n_neighbors=NUM_NEIGHBOURS, random_state=SEED, n_jobs=1)
    places = mapped.fit_transform(arrays["components"])
    kept = arrays["components"].shape[1]
    caption = (
        f"{_told(split, arrays)} UMAP (McInnes et al. 2018) of their first {kept} principal components,"
        f" {NUM_NEIGHBOURS} neighbours, seed {SEED}. Which points are neighbours may mean something. What"
        " distances do not mean: those between clusters, and the sizes and densities of clusters, are made by"
        " the method and change with its settings (Wattenberg et al. 2016 on t-SNE; Chari and Pachter 2023 on"
        " both)." + TRAINED_FOR
    )
    axes = ("first coordinate (arbitrary unit)", "second coordinate (arbitrary unit)")
    points = _points(arrays, names, places, axes)
    return drawing("embedding_umap", "Embedding by UMAP", points, caption)


def _arrays(subject: Subject) -> tuple[str, dict[str, NDArray[Any]], tuple[str, ...]] | None:
    """What was kept of two components or more, its split, the names of the classes."""
    found, model = split_file(subject, FILE), model_of(subject.files)
    if found is None or model is None or found[1]["components"].shape[1] < 2:
        return None
    return *found, model.class_names


def _told(split: str, arrays: dict[str, NDArray[Any]]) -> str:
    shown, whole = len(arrays["labels"]), int(arrays["num_examples"])
    some = f"all {whole:,}" if shown == whole else f"{shown:,} of {whole:,}, evenly spaced in file order"
    wrong = int((arrays["labels"] != arrays["predictions"]).sum())
    return (
        f"Each mark is an example of the {split} split ({some}): what the last layer of the network sees of"
        f" it, coloured by its true class; a ring marks each of the {wrong:,} misclassified."
    )


def _points(
    arrays: dict[str, NDArray[Any]], names: tuple[str, ...], places: NDArray[Any], axes: tuple[str, str]
) -> Points:
    return Points(
        np.asarray(places, dtype=np.float64),
        arrays["labels"],
        arrays["predictions"],
        arrays["indices"],
        names,
        axes,
    )


def _umap() -> Any:
    try:
        return importlib.import_module("umap")
    except ImportError as error:
        raise PictureError(
            "picture embedding_umap",
            expected="the package umap-learn",
            got=f"{type(error).__name__}: {error}",
            do="pip install 'seedbed[umap]', or look at the picture embedding.",
        ) from error
