"""What an operation computes, as people write it."""

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.graph.capture import Node

INPUTS = "inputs"
# Of operations that take two tensors, or one and a number.
SIGNS = {"add": "+", "sub": "−", "mul": "×", "div": "/"}
NAMES = {
    "sigmoid": "σ",
    "batch_norm": "batch normalisation",
    "local_response_norm": "response normalisation",
}


def formula(node: Node, nodes: Mapping[str, Node]) -> str:
    """A few words or signs for one operation.

    Args:
        node: the operation.
        nodes: all of its computation by name.
    """
    if node.operation == "linear":
        return _linear(node, nodes)
    if node.operation == "conv2d":
        return _convolution(node, nodes[node.inputs[1]])
    if node.operation == "max_pool2d":
        return _pooling(node)
    if node.operation in SIGNS:
        return _arithmetic(node)
    return worded(node.operation)


def worded(operation: str) -> str:
    """A name of torch's in words.

    Example:
        >>> worded("local_response_norm"), worded("log_softmax")
        ('response normalisation', 'log softmax')
    """
    return NAMES.get(operation, operation.strip("_").replace("_", " "))


def _linear(node: Node, nodes: Mapping[str, Node]) -> str:
    source = nodes[node.inputs[0]]
    of_inputs = source.name == INPUTS or (source.operation == "flatten" and source.inputs == (INPUTS,))
    bias = " + b" if len(node.inputs) > 2 else ""
    return f"W {'x' if of_inputs else 'h'}{bias}"


def _convolution(node: Node, weight: Node) -> str:
    # After input, weight and bias torch has stride, padding, dilation and groups, as far as they are given.
    settings = dict(zip(("stride", "padding", "dilation", "groups"), node.constants[3:], strict=False))
    stride, groups = _side(settings.get("stride", 1)), settings.get("groups", 1)
    told = [f"{_window(weight.value.shape[2:])} convolution"]
    told += [f"stride {stride}"] if stride != "1" else []
    told += [f"{groups} groups"] if groups != 1 else []
    return ", ".join(told)


def _pooling(node: Node) -> str:
    window, *rest = node.constants[1:]
    told = f"{_window(window)} max-pooling"
    apart = rest and rest[0] and list(rest[0]) != list(window)
    return f"{told}, stride {_side(rest[0])}" if apart else told


def _arithmetic(node: Node) -> str:
    sign, number = SIGNS[node.operation], node.constants[1]
    return sign if number is None else f"{sign} {number:g}"


def _window(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))


def _side(sizes: Any) -> str:
    """A stride: one number where both are the same."""
    several = list(sizes) if isinstance(sizes, Sequence) else [sizes]
    return str(several[0]) if len(set(several)) == 1 else _window(several)
