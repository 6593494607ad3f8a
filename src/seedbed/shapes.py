"""Axis legend and the records that pass between rooms.

batch    examples of one step or of one evaluation chunk
feature  axes of one example: (channel, height, width) of an image, (column,) of a table row
field    columns of a row of categories, whose inputs are codes: names, not numbers
class    the classes, in the order of `Facts.class_names`
logit    outputs of a network: one for `logistic`, else one a class
"""

from typing import NamedTuple

from jaxtyping import Bool, Float, Int32, Int64, UInt8
from torch import Tensor

Inputs = Float[Tensor, "batch *feature"]
Labels = Int64[Tensor, " batch"]
Indices = Int64[Tensor, " batch"]
Keys = Int64[Tensor, " batch"]
Bits = Int32[Tensor, "batch draw"]
Uniform = Float[Tensor, "batch draw"]
Logits = Float[Tensor, "batch logit"]
LogProbabilities = Float[Tensor, "batch class"]
Losses = Float[Tensor, " batch"]
Mask = Bool[Tensor, "batch *feature"]
Pixels = UInt8[Tensor, "example channel height width"]


class Batch(NamedTuple):
    """What a loader yields: normalised inputs, labels, and each example's place in its split.

    `num_examples` counts the whole batch, of which the other fields may hold one process's share.
    """

    inputs: Inputs
    labels: Labels
    indices: Indices
    num_examples: int


class Facts(NamedTuple):
    """What the data knows and the model must be told; nobody types 784.

    `coded` says that inputs are codes of categories. `training_offset` is what thinning out the negatives
    has added to the true log odds of class 1 in the training split: nats, 0 where none were left out.
    """

    input_shape: tuple[int, ...]
    num_classes: int
    class_names: tuple[str, ...]
    coded: bool = False
    training_offset: float = 0.0
