"""Every picture of a run, by its name, with who makes it."""

from collections.abc import Callable

from seedbed.album import decision, embedded, explained, filters, history, judged, linear
from seedbed.picture.picture import Picture
from seedbed.reproduce.check import Subject

# From the record alone; None where the run has nothing to draw.
Maker = Callable[[Subject], Picture | None]

MAKERS: dict[str, Maker] = {
    "run_curves": history.learning_curves,
    "confusion": judged.confusion_matrix,
    "reliability": judged.reliability_diagram,
    "per_class": judged.per_class,
    "gallery": judged.worst_mistakes,
    "templates": linear.weight_templates,
    "odds_ratios": linear.odds_ratios,
    "plane": decision.decision_plane,
    "filters": filters.filters,
    "embedding": embedded.embedding,
    "gradcam": explained.gradcam,
    "integrated_gradients": explained.integrated_gradients,
    "occlusion": explained.occlusion,
    "embedding_umap": embedded.embedding_umap,
}
# These take seconds to minutes: they are made where they are asked for by name.
COSTLY = ("gradcam", "integrated_gradients", "occlusion", "embedding_umap")
