"""Weights that part the classes, if there are any: by a linear programme, or by a fit."""

import numpy as np
from jaxtyping import Float64, Int64
from scipy import sparse
from scipy.optimize import OptimizeResult, linprog, minimize
from scipy.special import log_softmax

Design = Float64[np.ndarray, "example weight"]
Classes = Int64[np.ndarray, " example"]
Weights = Float64[np.ndarray, "weight class"]
Margins = Float64[np.ndarray, "example other"]

# HiGHS may miss a constraint by 1e-7; its margins are 0 or 1, so anything between is no answer.
MARGIN_TOLERANCE = 1e-6
# Margins below this share of the largest score could be rounding.
ROUNDING = 1e-12
MAX_ITERATIONS = 300


def num_parted_pairs(design: Design, labels: Classes, num_classes: int) -> int | None:
    """Pairs of (example, wrong class) that weights can part while no other pair is wrong.

    Maximises the sum of t over all pairs, 0 <= t <= 1 and t <= the example's margin over that class.
    Weights that serve two pairs can be added, and any scaled up: at the maximum every t is 0 or 1,
    and the t that are 1 are all the pairs that any such weights part.

    Returns:
        Their number, from 0 (overlapping) to all (separable); None where rounding decides.
    """
    margin = _margin_matrix(design, labels, num_classes)
    num_pairs, num_weights = margin.shape
    result: OptimizeResult = linprog(
        np.concatenate([np.zeros(num_weights), -np.ones(num_pairs)]),
        A_ub=sparse.hstack([-margin, sparse.eye_array(num_pairs)], format="csr"),
        b_ub=np.zeros(num_pairs),
        bounds=[(None, None)] * num_weights + [(0.0, 1.0)] * num_pairs,
        method="highs-ipm",
    )
    if result.status != 0:
        return None
    parted = result.x[num_weights:] > 0.5
    # Not the solver's word but the weights' own margins: none wrong, and those counted full.
    reached = margin @ result.x[:num_weights]
    doubt = np.abs(result.x[num_weights:] - parted).max()
    holds = reached.min() >= -MARGIN_TOLERANCE and np.all(reached[parted] >= 1.0 - MARGIN_TOLERANCE)
    return int(parted.sum()) if holds and doubt <= MARGIN_TOLERANCE else None


def _margin_matrix(design: Design, labels: Classes, num_classes: int) -> sparse.csr_array:
    """From weights to margins, one row a pair; class 0 has no weights, only differences matter."""
    example, wrong = np.nonzero(labels[:, None] != np.arange(num_classes))
    rows = design[example]
    signs = [(labels[example] == k).astype(float) - (wrong == k) for k in range(1, num_classes)]
    return sparse.hstack([sparse.csr_array(sign[:, None] * rows) for sign in signs], format="csr")


def found_direction(design: Design, labels: Classes, num_classes: int) -> bool:
    """Whether an unpenalised softmax fit came upon weights that get every example right.

    True is a proof; False is none, for the fit is given up after 300 iterations.
    """
    found = False

    def stop_when_parted(intermediate_result: OptimizeResult) -> None:
        nonlocal found
        found = _parts(design @ intermediate_result.x.reshape(-1, num_classes), labels)
        if found:
            raise StopIteration

    minimize(
        _mean_nll,
        np.zeros(design.shape[1] * num_classes),
        args=(design, labels),
        jac=True,
        method="L-BFGS-B",
        callback=stop_when_parted,
        options={"maxiter": MAX_ITERATIONS},
    )
    return found


def _parts(scores: Margins, labels: Classes) -> bool:
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    margins = own - scores
    np.put_along_axis(margins, labels[:, None], np.inf, axis=1)
    return bool(margins.min() > ROUNDING * np.abs(scores).max())


def _mean_nll(flat: np.ndarray, design: Design, labels: Classes) -> tuple[float, np.ndarray]:
    weights = flat.reshape(design.shape[1], -1)
    logs = log_softmax(design @ weights, axis=1)
    slope = np.exp(logs)
    examples = np.arange(len(labels))
    slope[examples, labels] -= 1.0
    return -float(logs[examples, labels].mean()), (design.T @ slope).ravel() / len(labels)
