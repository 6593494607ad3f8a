"""The price of large weights."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor


def penalty(weights: Iterable[Tensor], l1: float, l2: float) -> Float[Tensor, ""]:
    """l1 ||W||_1 + (l2 / 2) ||W||_2^2 over all weights, to be added to the mean loss.

    scikit-learn's C on the summed loss of n examples is l2 = 1 / (C n). Where a weight is 0 the
    gradient of the l1 part is 0, one of its subgradients. Unlike AdamW's weight decay this is part
    of the objective, and so moves its optimum in a way that does not depend on the learning rate.

    Args:
        weights: what is penalised; biases are not among them.
        l1: lambda_1, 0 or more.
        l2: lambda_2, 0 or more.

    Returns:
        A scalar, 0 where there is nothing to penalise.

    Source: Tibshirani (1996) for l1; Hoerl and Kennard (1970) for l2.

    Example:
        >>> penalty([torch.tensor([3.0, -4.0])], l1=0.1, l2=0.02)
        tensor(0.9500)
    """
    terms = []
    for weight in weights:
        if l1:
            terms.append(l1 * _whole(weight.abs().sum()))
        if l2:
            terms.append(l2 / 2 * _whole(weight.square().sum()))
    return torch.stack(terms).sum() if terms else torch.zeros(())


def _whole(value: Tensor) -> Tensor:
    """The sum of what each process holds of it, where a weight is dealt out over several."""
    whole: Tensor = getattr(value, "full_tensor", lambda: value)()
    return whole
