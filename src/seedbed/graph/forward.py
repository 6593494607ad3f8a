"""The computation as a picture, from the inputs to the objective."""

from collections.abc import Sequence

from seedbed.graph.capture import Capture
from seedbed.graph.folding import PROBABILITY, Group
from seedbed.graph.numbers import COLUMNS, cells
from seedbed.graph.words import Words
from seedbed.picture.graph import Arrow, Box, Diagram, drawn
from seedbed.picture.picture import Cell, Picture

KINDS = {
    "operation": "operation",
    "parameter": "parameter",
    "data": "data",
    "objective": "objective",
    "beside": "beside the objective",
}
CAPTION = (
    "What is computed for the first batch, from top to bottom. A box says what and where, the shape, the"
    " numbers (of more than three their mean and range) and after ∂ the gradient of the objective by them."
    " The loss is computed from the logits z and not from the probabilities p: the same number, without"
    " overflow."
)


def forward(capture: Capture, groups: Sequence[Group], words: Words, head: str) -> Picture:
    """Draws the groups; the table has every node.

    Args:
        capture: run.
        groups: what is drawn of it.
        words: for them.
        head: the drawing's first line.
    """
    boxes = [Box(each.name, words.title(each), words.lines(each), _kind(each, capture)) for each in groups]
    arrows = [Arrow(source, each.name, each.name == PROBABILITY) for each in groups for source in each.inputs]
    (root,) = (each.name for each in groups if each.last.name == capture.objective)
    text = drawn("graph", Diagram(head, boxes, arrows, root, KINDS))
    columns = ["node", "kind", "operation", "module", "box", "inputs", "shape"]
    columns += [*COLUMNS, *(f"gradient_{name}" for name in COLUMNS)]
    return Picture("graph", "Computational graph", CAPTION, text, columns, _rows(capture, groups))


def _kind(group: Group, capture: Capture) -> str:
    if group.last.name == capture.objective:
        return "objective"
    return "beside" if group.name == PROBABILITY else group.last.kind


def _rows(capture: Capture, groups: Sequence[Group]) -> list[list[Cell]]:
    box = {node.name: group.name for group in groups for node in group.members}
    return [
        [
            node.name,
            node.kind,
            node.operation,
            node.modules[-1].path if node.modules else None,
            box.get(node.name),
            " ".join(node.inputs),
            " ".join(map(str, node.value.shape)),
            *cells(node.value),
            *cells(node.gradient),
        ]
        for node in capture.nodes
    ]
