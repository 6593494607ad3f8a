"""The layers of a network as a table: shape, parameters, multiply-adds."""

from collections.abc import Mapping
from typing import NamedTuple

from seedbed.graph.capture import NETWORK, Capture, Node
from seedbed.graph.folding import folded
from seedbed.graph.numbers import shape_of
from seedbed.graph.words import Words, num_parameters

HEAD = ("layer", "what", "output", "parameters", "multiply-adds")
TOTAL = "all"


class Layer(NamedTuple):
    """One step from inputs to logits.

    Args:
        name: of its module, or torch's of the operation.
        what: is computed.
        output: its shape, of one example.
        num_parameters: trained numbers.
        num_multiply_adds: forwards, of one example: those of matrix products and convolutions, without
            biases. Each is two floating-point operations.
    """

    name: str
    what: str
    output: str
    num_parameters: int
    num_multiply_adds: int


def layers(capture: Capture, depth: int, words: Words) -> list[Layer]:
    """The layers in the order in which they are computed, and their sum as the last.

    Args:
        capture: run or written down.
        depth: levels of modules, 1 or more.
        words: for the capture.
    """
    nodes = {node.name: node for node in capture.nodes}
    found = [
        Layer(
            group.name.removeprefix(NETWORK),
            words.title(group),
            shape_of(group.last.value.shape[1:]),
            num_parameters(group),
            sum(multiply_adds(node, nodes) for node in group.operations),
        )
        for group in folded(capture, depth, max_parameters=0)
        if group.last.modules and group.last.modules[0].path == NETWORK.rstrip(".")
    ]
    sums = (sum(layer.num_parameters for layer in found), sum(layer.num_multiply_adds for layer in found))
    return [*found, Layer(TOTAL, "", "", *sums)]


def multiply_adds(node: Node, nodes: Mapping[str, Node]) -> int:
    """Products that an operation adds up for one example; 0 for what is neither product nor convolution."""
    if node.operation not in ("linear", "conv2d"):
        return 0
    weight = nodes[node.inputs[1]].value
    # Each output is a sum over all that one output's weights see.
    return node.value[:1].numel() * (weight.numel() // len(weight))
