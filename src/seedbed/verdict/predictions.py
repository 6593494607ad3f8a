"""Two fitted models on one test set: McNemar's test, from the predictions that each run stored."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64

from seedbed.errors import StoreError
from seedbed.track.store import Store
from seedbed.verdict.members import Member
from seedbed.verdict.statistics import ALPHA, CONFIDENCE
from seedbed.verdict.unit import told_p

FILE = "test/predictions.npz"
# Below this many examples on which the two differ the binomial test, above it the chi-square one.
MAX_EXACT = 1_000


class Predictions(NamedTuple):
    """What one model said of the test split, in the order of the examples' places.

    Args:
        right: whether the most probable class is the true one.
        labels: true classes.
        indices: each example's place in the split.
    """

    right: Bool[np.ndarray, " example"]
    labels: Int64[np.ndarray, " example"]
    indices: Int64[np.ndarray, " example"]


class McNemar(NamedTuple):
    """Model a against model b on the same examples.

    Args:
        num_examples: size of the test split.
        only_a: examples that only a has right.
        only_b: examples that only b has right.
        p_value: two-sided, of both being equally often right.
        exact: whether it is the binomial test, else chi-square with continuity correction.
        low: lower end of the 95 % interval of the difference of the two accuracies, given how many
            examples the two differ on (Clopper and Pearson 1934); None where they differ on none.
        high: its upper end.
    """

    num_examples: int
    only_a: int
    only_b: int
    p_value: float
    exact: bool
    low: float | None
    high: float | None

    @property
    def difference(self) -> float:
        """Accuracy of a minus accuracy of b."""
        return (self.only_a - self.only_b) / self.num_examples


def predictions(store: Store, run: Member) -> Predictions:
    """The stored predictions of a run.

    Raises:
        StoreError: for a run that has none.
    """
    kept = {artifact.path for artifact in store.client.list_artifacts(run.run_id, "test")}
    if FILE not in kept:
        raise StoreError(
            f"run {run.name} ({run.run_id[:8]})",
            expected=f"the artifact {FILE}",
            got="a run that never read its test split",
            do="Train it with evaluate_test=true, or name a study of several runs.",
        )
    with TemporaryDirectory() as folder:
        found = np.load(Path(store.client.download_artifacts(run.run_id, FILE, folder)))
        order = np.argsort(found["indices"], kind="stable")
        logits, labels, indices = (found[name][order] for name in ("logits", "labels", "indices"))
    # One logit is the log odds of class 1.
    said = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)
    return Predictions(said == labels, labels, indices)


def mcnemar(a: Predictions, b: Predictions) -> McNemar:
    """McNemar's test.

    Raises:
        StoreError: unless both predicted the same examples.

    Source: McNemar 1947; exact as the sign test on the examples that one of the two has right.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    if not (np.array_equal(a.indices, b.indices) and np.array_equal(a.labels, b.labels)):
        raise StoreError(
            "predictions",
            expected="two runs that read one test split",
            got=f"{len(a.indices)} and {len(b.indices)} examples with other places or labels",
            do="Compare runs with the same data keys, and the same fold.",
        )
    only_a, only_b = int((a.right & ~b.right).sum()), int((b.right & ~a.right).sum())
    exact = only_a + only_b <= MAX_EXACT
    table = [[int((a.right & b.right).sum()), only_a], [only_b, int((~a.right & ~b.right).sum())]]
    p_value = float(test(table, exact=exact, correction=True).pvalue)
    return McNemar(len(a.right), only_a, only_b, p_value, exact, *_interval(only_a, only_b, len(a.right)))


def _interval(only_a: int, only_b: int, num_examples: int) -> tuple[float, float] | tuple[None, None]:
    from statsmodels.stats.proportion import proportion_confint

    num_told = only_a + only_b
    if not num_told:
        return None, None
    ends = proportion_confint(only_a, num_told, alpha=1 - CONFIDENCE, method="beta")
    low, high = ((2 * float(end) - 1) * num_told / num_examples for end in ends)
    return low, high


def sentence(a: str, b: str, found: McNemar) -> str:
    """The verdict on two models, in words with its numbers.

    Args:
        a: name of the first model.
        b: name of the second.
        found: a against b.
    """
    if found.low is None or found.high is None:
        return f"{a} and {b} are right on the same of {found.num_examples} test examples"
    sign = 1 if found.difference >= 0 else -1
    low, high = sorted(sign * end * 100 for end in (found.low, found.high))
    size = f"{abs(found.difference) * 100:.2f} points [{low:.2f}, {high:.2f}]"
    kind = "exact McNemar" if found.exact else "McNemar"
    evidence = (
        f"n = {found.num_examples} test examples, {kind} p {told_p(found.p_value)}; "
        f"{found.only_a} only {a} has right, {found.only_b} only {b}"
    )
    if found.p_value > ALPHA:
        return f"{a} against {b}: open (difference {size}, {evidence})"
    ahead, behind = (a, b) if sign > 0 else (b, a)
    return f"{ahead} beats {behind} by {size}, {evidence}"
