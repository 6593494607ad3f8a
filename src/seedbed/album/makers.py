"""Every picture of a run, by name."""

from collections.abc import Callable, Mapping

from seedbed.album.embedded import embedding, embedding_umap
from seedbed.album.explained import gradcam, integrated_gradients, occlusion
from seedbed.album.filters import filters
from seedbed.picture.picture import Picture
from seedbed.reproduce.check import Subject

Maker = Callable[[Subject], Picture | None]
MAKERS: Mapping[str, Maker] = {
    "filters": filters,
    "embedding": embedding,
    "gradcam": gradcam,
    "integrated_gradients": integrated_gradients,
    "occlusion": occlusion,
    "embedding_umap": embedding_umap,
}
# These take seconds to minutes: they are made where they are asked for by name.
COSTLY = ("gradcam", "integrated_gradients", "occlusion", "embedding_umap")
