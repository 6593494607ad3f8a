"""Has an unpenalised fit of a linear model an optimum? Only where no direction parts the classes.

If some weights put every example at least as far on its own class's side as on any other's, and one
example strictly, then scaling these weights up lowers the loss for ever: they have no best length. A
fit then stops where the optimiser's patience does, and its weights mean nothing.

Source: Albert and Anderson (1984), "On the existence of maximum likelihood estimates in logistic
regression models"; the linear programme after Konis (2007), "Linear programming algorithms for
detecting separated data in binary logistic regression models".
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from seedbed.model.direction import Design, found_direction, num_parted_pairs

Table = Float64[np.ndarray, "example column"]
Classes = Int64[np.ndarray, " example"]
Value = Literal["separable", "quasi-separable", "overlapping", "undecided"]

# Pairs of (example, wrong class) times weights: 1 to 4 s of one core at the limit, mostly for HiGHS
# (binary 10,000 x 30 takes 0.3 million and 2.3 s; five classes 1,000 x 30 half a million and 1.0 s).
PROGRAMME_LIMIT = 1_000_000
# Examples times columns times classes: some 5 ms an evaluation, 300 evaluations at most.
FIT_LIMIT = 5_000_000
NO_OPTIMUM = "an unpenalised fit has no optimum, its weights grow for ever; set objective.l2"


class Verdict(NamedTuple):
    """Whether the unpenalised loss has a minimum, and why.

    separable: weights exist that get every example right. quasi-separable: weights exist that are
    wrong nowhere and better somewhere. Neither has a minimum. overlapping: a minimum exists.
    """

    value: Value
    explanation: str


def separability(inputs: Table, labels: Classes, num_classes: int) -> Verdict:
    """The verdict for softmax regression with biases, for two classes the same as for logistic.

    A fit that gets every example right settles it. If none was found, a linear programme does, up to
    the solver's tolerance (1e-7 of the margin asked for), and where that is too large, a search for
    single columns that part one class from the others.

    Args:
        inputs: finite numbers; the scale of a column does not matter.
        labels: 0 .. num_classes-1; a class may be absent, and then its bias has no optimum.
        num_classes: 2 or more.

    Example:
        >>> ages = np.array([[20.0], [30.0], [40.0], [50.0]])
        >>> separability(ages, np.array([0, 0, 1, 1]), 2).value
        'separable'
        >>> separability(ages, np.array([0, 1, 0, 1]), 2).value
        'overlapping'
    """
    num_pairs = len(labels) * (num_classes - 1)
    num_terms = num_pairs * (inputs.shape[1] + 1) * (num_classes - 1)
    if inputs.size * num_classes <= FIT_LIMIT and found_direction(_design(inputs), labels, num_classes):
        return _exact(num_pairs, num_pairs)
    if num_terms <= PROGRAMME_LIMIT:
        return _exact(num_parted_pairs(_design(inputs), labels, num_classes), num_pairs)
    parting = _parting(inputs, labels, num_classes)
    if parting:
        return Verdict("quasi-separable", f"At the least: {parting}; {NO_OPTIMUM}.")
    return Verdict(
        "undecided",
        f"The linear programme would have {num_terms:,} terms, more than the {PROGRAMME_LIMIT:,} that are"
        " solved in seconds, no class is absent and no single column parts one class from the others.",
    )


def one_vs_rest_separability(inputs: Table, labels: Classes, num_classes: int) -> Verdict:
    """The verdict for K logistic regressions, each of one class against all others.

    separable if every one of them is, quasi-separable if one of them has no optimum, overlapping if
    all have; arguments as for `separability`.
    """
    verdicts = [separability(inputs, (labels == k).astype(np.int64), 2) for k in range(num_classes)]
    values = [verdict.value for verdict in verdicts]
    told = "; ".join(
        f"{value}: {', '.join(str(k) for k, own in enumerate(values) if own == value)}"
        for value in dict.fromkeys(values)
    )
    return Verdict(_joint(values), f"Each class against the others is, by class number: {told}.")


def _joint(values: list[Value]) -> Value:
    if len(set(values)) == 1:
        return values[0]
    unbounded = {"separable", "quasi-separable"} & set(values)
    return "quasi-separable" if unbounded else "undecided"


def _design(inputs: Table) -> Design:
    """Columns that vary, each of mean 0 and standard deviation 1, after a column of ones."""
    centred = inputs - inputs.mean(axis=0)
    varying = inputs.min(axis=0) < inputs.max(axis=0)
    scaled = centred[:, varying] / centred[:, varying].std(axis=0)
    return np.hstack([np.ones((len(inputs), 1)), scaled])


def _exact(num_parted: int | None, num_pairs: int) -> Verdict:
    if num_parted is None:
        return Verdict("undecided", "The linear programme's solution is too close to call in 64-bit numbers.")
    if num_parted == num_pairs:
        return Verdict("separable", f"A linear model gets every example right: {NO_OPTIMUM}.")
    if num_parted:
        told = f"{num_parted:,} of {num_pairs:,} pairs of an example and a wrong class can be told apart"
        return Verdict("quasi-separable", f"{told} at no cost to the others: {NO_OPTIMUM}.")
    return Verdict(
        "overlapping", "The classes overlap in every direction: an unpenalised fit has an optimum."
    )


def _parting(inputs: Table, labels: Classes, num_classes: int) -> str:
    """A proof, by looking at one class or column at a time, that there is no optimum; or nothing."""
    absent = sorted(set(range(num_classes)) - set(labels.tolist()))
    if absent:
        return f"class {absent[0]} has no example"
    parts, num_varying = parting_columns(inputs, labels, num_classes)
    if not parts.any():
        return ""
    classes, columns = np.nonzero(parts)
    count = np.unique(columns).size
    return (
        f"{count} of {num_varying} varying columns part one class from all others up to ties,"
        f" such as column {columns[0]} class {classes[0]}"
    )


def parting_columns(
    inputs: Table, labels: Classes, num_classes: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.bool_]], int]:
    """Columns in which a class lies at or below the least value of all others, or at or above the largest.

    With a threshold t between the two, the direction "(t - column) for this class, 0 for the others"
    (or its opposite) is wrong for no example, and right for every example off the threshold, of which
    there is one if the column varies at all: no optimum. A pixel that is never inked in a class, and
    is in another, is such a column.

    Returns:
        One row a class, one column a column of the inputs; and the number of columns that vary.
    """
    lowest = np.stack([inputs[labels == k].min(axis=0) for k in range(num_classes)])
    highest = np.stack([inputs[labels == k].max(axis=0) for k in range(num_classes)])
    others = [np.arange(num_classes) != k for k in range(num_classes)]
    below = np.stack([highest[k] <= lowest[rest].min(axis=0) for k, rest in enumerate(others)])
    above = np.stack([lowest[k] >= highest[rest].max(axis=0) for k, rest in enumerate(others)])
    varying = lowest.min(axis=0) < highest.max(axis=0)
    return (below | above) & varying, int(varying.sum())
