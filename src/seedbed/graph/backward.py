"""What autograd linked, as a picture: from the objective back to the parameters."""

from collections.abc import Mapping, Sequence

from seedbed.graph.capture import Capture, Node
from seedbed.graph.folding import Group
from seedbed.graph.functions import Function, linked
from seedbed.graph.numbers import shape_of, told
from seedbed.graph.words import Words
from seedbed.picture.graph import Arrow, Box, Diagram, drawn
from seedbed.picture.picture import Cell, Picture

KINDS = {"function": "hands gradients on", "parameter": "gathers a parameter's gradient"}
# Where there are more functions than these, those of one box of the computation share a box.
MAX_FUNCTIONS = 36
# Names of functions in such a box.
MAX_NAMES = 4
CAPTION = (
    "What autograd linked while the batch was computed, in its own names, and walks for the gradients: from"
    " the objective at the bottom up to the parameters."
)


def backward(capture: Capture, groups: Sequence[Group], words: Words, head: str) -> Picture:
    """Draws the functions; the table has every one.

    Args:
        capture: run.
        groups: of the computation, by which functions are gathered where they are many.
        words: for them.
        head: the drawing's first line.
    """
    functions = linked(capture)
    nodes = {node.name: node for node in capture.nodes}
    place = {node.name: group for group in groups for node in group.members}
    many = len(functions) > MAX_FUNCTIONS
    key = {each.name: place[each.origin].name if many else each.name for each in functions}
    if many:
        boxes = _gathered(functions, place, words)
    else:
        boxes = [_box(each, nodes, place, words) for each in functions]
    # Laid out as the computation is, so that the two pictures can be compared.
    arrows = [Arrow(key[target], key[each.name]) for each in functions for target in each.targets]
    arrows = [arrow for arrow in dict.fromkeys(arrows) if arrow.source != arrow.target]
    kinds = {kind: word for kind, word in KINDS.items() if any(box.kind == kind for box in boxes)}
    text = drawn("autograd", Diagram(head, boxes[::-1], arrows, key[functions[0].name], kinds, upwards=True))
    columns = ["function", "linked_by", "parameter", "box", "hands_on_to"]
    rows: list[list[Cell]] = [
        [each.name, each.origin, each.parameter or None, place[each.origin].name, "; ".join(each.targets)]
        for each in functions
    ]
    return Picture("autograd", "Graph of autograd", CAPTION, text, columns, rows)


def _box(function: Function, nodes: Mapping[str, Node], place: Mapping[str, Group], words: Words) -> Box:
    title = function.name.partition(" ")[0]
    if not function.parameter:
        return Box(function.name, title, [f"of {words.title(place[function.origin])}"], "function")
    node = nodes[function.parameter]
    assert node.gradient is not None
    lines = [function.parameter, shape_of(node.value.shape), f"∂ {told(node.gradient)}"]
    return Box(function.name, title, lines, "parameter")


def _gathered(functions: Sequence[Function], place: Mapping[str, Group], words: Words) -> list[Box]:
    members: dict[str, list[Function]] = {}
    for function in functions:
        members.setdefault(place[function.origin].name, []).append(function)
    return [
        Box(name, words.title(place[found[0].origin]), _names(found), "function")
        for name, found in members.items()
    ]


def _names(functions: Sequence[Function]) -> list[str]:
    """The functions of a box, the first of them by name, and how many parameters it has."""
    found = [function.name.partition(" ")[0] for function in functions if not function.parameter]
    num_parameters = len(functions) - len(found)
    lines = (
        found
        if len(found) <= MAX_NAMES
        else [*found[: MAX_NAMES - 1], f"and {len(found) - MAX_NAMES + 1} more"]
    )
    return [*lines, f"{num_parameters} × AccumulateGrad"] if num_parameters else lines
