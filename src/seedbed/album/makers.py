"""Every picture of a run, by its name, with who makes it."""

from collections.abc import Callable

from seedbed.album import decision, history, judged, linear
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
}
