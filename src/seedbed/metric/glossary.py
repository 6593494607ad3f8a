"""What every metric means, in one table; the README prints it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from seedbed.errors import ConfigError


class Entry(NamedTuple):
    """One metric: the values it can take, their unit, its meaning, and where it comes from."""

    range: str
    unit: str
    meaning: str
    source: str


GLOSSARY: Mapping[str, Entry] = {
    "loss": Entry(
        "0 to inf",
        "nats",
        "mean of -log p(true class); equal probabilities give log K",
        "negative log-likelihood an example",
    ),
    "normalised_loss": Entry(
        "0 to inf",
        "ratio",
        "loss divided by the entropy of the labels' shares (normalised entropy): 1 knows these shares alone, "
        "NaN where only one class is there; with two classes",
        "He et al. 2014",
    ),
    "accuracy": Entry("0 to 1", "share", "the most probable class is the true one", "zero-one score"),
    "top5_accuracy": Entry(
        "0 to 1",
        "share",
        "the true class is among the five most probable; with more than five classes",
        "Krizhevsky et al. 2012",
    ),
    "macro_f1_score": Entry(
        "0 to 1",
        "share",
        "F1 a class, averaged over the classes that were seen or predicted",
        "van Rijsbergen 1979",
    ),
    "auroc_score": Entry(
        "0 to 1",
        "share",
        "area under the ROC curve of each class against the rest, ties half, averaged over the classes "
        "with examples on both sides (NaN where there is none); chance is 0.5",
        "Hanley and McNeil 1982",
    ),
    "brier_loss": Entry(
        "0 to 2", "squared probability", "mean of the sum over the classes of (p - y)^2", "Brier 1950"
    ),
    "calibration_error": Entry(
        "0 to 1",
        "probability",
        "gap between confidence and accuracy in 15 bins of equal width, weighted by their examples (ECE)",
        "Guo et al. 2017",
    ),
}
LOWER, HIGHER = ("loss", "error", "seconds"), ("accuracy", "score")


def better(name: str) -> Literal["lower", "higher"]:
    """Which way a metric improves, by the last word of its name, with or without its split.

    Raises:
        ConfigError: for a name that does not say.

    Example:
        >>> better("val/brier_loss"), better("accuracy")
        ('lower', 'higher')
    """
    last_word = name.rpartition("/")[2].rpartition("_")[2]
    if last_word in LOWER:
        return "lower"
    if last_word in HIGHER:
        return "higher"
    raise ConfigError(
        f"metric {name}",
        expected="a name that ends in " + ", ".join(LOWER + HIGHER),
        got=repr(last_word),
        do="Choose one of " + ", ".join(GLOSSARY) + ".",
    )


def markdown() -> str:
    """The glossary as a markdown table, one line a metric, in the order in which they are logged."""
    head = ["| metric | range | unit | better | meaning | source |", "|---|---|---|---|---|---|"]
    rows = [
        f"| `{name}` | {entry.range} | {entry.unit} | {better(name)} | {entry.meaning} | {entry.source} |"
        for name, entry in GLOSSARY.items()
    ]
    return "\n".join(head + rows) + "\n"
