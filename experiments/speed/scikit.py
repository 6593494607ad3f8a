"""Peer: scikit-learn's softmax regression on MNIST; and the objective, the same for both sides.

python -m experiments.speed.scikit DATA
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from torchvision import datasets

from experiments.speed.measuring import spent, tell

Floats = npt.NDArray[np.floating[Any]]
C = 0.01


def read(folder: str, train: bool = True) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Pixels from 0 to 1, a row an image, in single precision as both sides compute; labels."""
    split = datasets.MNIST(folder, train=train)
    return split.data.reshape(len(split), -1).numpy().astype(np.float32) / np.float32(
        255
    ), split.targets.numpy()


def objective(weights: Floats, bias: Floats, inputs: Floats, labels: npt.NDArray[np.int64]) -> float:
    """Mean NLL + ||W||^2 / (2 C n), in double precision."""
    logits = inputs.astype(np.float64) @ weights.T.astype(np.float64) + bias
    nll = logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]
    return float(nll.mean() + (weights.astype(np.float64) ** 2).sum() / (2 * C * len(labels)))


def main(data: str) -> None:
    inputs, labels = read(data)
    model = LogisticRegression(C=C, max_iter=1000)
    began = spent()
    model.fit(inputs, labels)
    cost = spent() - began
    tell(
        {"fit": cost},
        objective=objective(model.coef_, model.intercept_, inputs, labels),
        iterations=int(model.n_iter_[0]),
        accuracy=float(model.score(*read(data, train=False))),
    )


if __name__ == "__main__":
    main(sys.argv[1])
