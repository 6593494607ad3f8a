"""The graph that autograd links while a computation runs, and that the backward pass walks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from seedbed.graph.capture import Capture

LEAF = "AccumulateGrad"


class Function(NamedTuple):
    """A step of the backward pass.

    Args:
        name: torch's, with a number where there are several.
        parameter: whose gradient is gathered here; empty: a function that hands gradients on.
        origin: the node whose computation linked it; of a parameter the parameter.
        targets: names of the functions that get their gradients from it.
    """

    name: str
    parameter: str
    origin: str
    targets: tuple[str, ...]


def linked(capture: Capture) -> list[Function]:
    """Every function that the backward pass of the objective walks, the objective's first.

    Args:
        capture: run, not only written down.
    """
    origins, parameters = _origins(capture), _parameters(capture)
    (root,) = (node.value.grad_fn for node in capture.nodes if node.name == capture.objective)
    order = _order(root)
    names = _names(order)
    made = []
    for function in order:
        parameter = parameters[id(function.variable)] if _is_leaf(function) else ""
        targets = tuple(dict.fromkeys(names[target] for target in _targets(function)))
        made.append(Function(names[function], parameter, parameter or origins[function], targets))
    return made


def _is_leaf(function: Any) -> bool:
    return str(function.name()).endswith(LEAF)


def _targets(function: Any) -> list[Any]:
    return [target for target, _ in function.next_functions if target is not None]


def _parameters(capture: Capture) -> dict[int, str]:
    return {id(node.value): node.name for node in capture.nodes if node.kind == "parameter"}


def _origins(capture: Capture) -> dict[Any, str]:
    """Function to the node during whose computation it was linked: the first that leads to it."""
    origins: dict[Any, str] = {}
    for node in capture.nodes:
        waiting = [node.value.grad_fn] if node.value.grad_fn is not None else []
        while waiting:
            function = waiting.pop()
            if function not in origins and not _is_leaf(function):
                origins[function] = node.name
                waiting += _targets(function)
    return origins


def _order(root: Any) -> list[Any]:
    """All functions, each before those that it hands gradients to."""
    done: dict[Any, None] = {}
    waiting = [(root, iter(_targets(root)))]
    entered = {root}
    while waiting:
        function, targets = waiting[-1]
        target = next((target for target in targets if target not in entered), None)
        if target is None:
            done[function] = None
            waiting.pop()
        else:
            entered.add(target)
            waiting.append((target, iter(_targets(target))))
    return list(done)[::-1]


def _names(order: list[Any]) -> Mapping[Any, str]:
    """Names as torch has them; the second of its kind is followed by a 2."""
    counts: dict[str, int] = {}
    names = {}
    for function in order:
        name = str(function.name()).rpartition("::")[2]
        counts[name] = counts.get(name, 0) + 1
        names[function] = name if counts[name] == 1 else f"{name} {counts[name]}"
    return names
