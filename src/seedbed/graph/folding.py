"""Nodes gathered into boxes: by the modules in which they happened, down to a depth."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from seedbed.graph.capture import Capture, Module, Node

# Of boxes for parameters; where there are more, each is in its layer's box.
MAX_PARAMETERS = 8
# Boxes, beyond which steps without parameters share those of the layers that they follow.
MAX_GROUPS = 24
# Random keys of dropout masks, which would be an arrow from the top to every dropout.
KEYS = "keys"
# Beside the objective, and one box at any depth.
PROBABILITY = "probability"


class Group(NamedTuple):
    """The nodes of one box.

    Args:
        name: that no other group has.
        module: that it stands for; None: an operation, or a tensor that is given.
        operations: its own nodes, in order, or the tensor that is given.
        held: parameters and buffers that are in it.
        inputs: names of the groups that it needs.
        then: groups that follow, each on the one before alone, and share its box.
    """

    name: str
    module: Module | None
    operations: tuple[Node, ...]
    held: tuple[Node, ...]
    inputs: tuple[str, ...]
    then: tuple["Group", ...] = ()

    @property
    def last(self) -> Node:
        """What it hands on."""
        return self.then[-1].last if self.then else self.operations[-1]

    @property
    def members(self) -> tuple[Node, ...]:
        return (*self.operations, *self.held, *(node for group in self.then for node in group.members))


def folded(capture: Capture, depth: int, max_parameters: int = MAX_PARAMETERS) -> list[Group]:
    """The groups of a computation, in the order in which they begin.

    Args:
        capture: what is gathered.
        depth: levels of modules, 1 or more: at 1 the network is one box, at 2 its layers are.
        max_parameters: where there are more, each is in the box of what needs it first.
    """
    shown = [node for node in capture.nodes if node.name != KEYS]
    keys = _keys(shown, depth, max_parameters)
    # A weight in its layer's box is penalised, too: that arrow is left out.
    given = {node.name for node in shown if node.kind == "operation" or keys[node.name] == node.name}
    members: dict[str, list[Node]] = {}
    for node in sorted(shown, key=lambda node: node.name not in given):  # a group begins with its own
        members.setdefault(keys[node.name], []).append(node)
    sources = {name: keys[name] for name in given}
    return [_group(key, found, sources, depth) for key, found in members.items()]


def joined(groups: Sequence[Group], max_groups: int = MAX_GROUPS) -> list[Group]:
    """The groups, and where they are many, steps without parameters in the box of what they follow.

    Args:
        groups: folded.
        max_groups: up to so many stay as they are.
    """
    if len(groups) <= max_groups:
        return list(groups)
    users = Counter(name for group in groups for name in group.inputs)
    found: dict[str, Group] = {}
    place: dict[str, str] = {}  # group to the one that it is joined to
    for group in groups:
        before = place.get(group.inputs[0], "") if len(group.inputs) == 1 else ""
        if before and users[group.inputs[0]] == 1 and _joins(found[before], group):
            found[before] = found[before]._replace(then=(*found[before].then, group))
            place[group.name] = before
        else:
            found[group.name] = group._replace(inputs=tuple(place[name] for name in group.inputs))
            place[group.name] = group.name
    return list(found.values())


def _joins(before: Group, group: Group) -> bool:
    """Whether a group is a mere step after another one; the parts of the objective stay apart."""
    tops = [each.operations[0].modules[:1] for each in (before, group)]
    return not group.held and tops[0] == tops[1] != () and before.last.kind == "operation"


def _keys(shown: Sequence[Node], depth: int, max_parameters: int) -> dict[str, str]:
    """Node to its group's name."""
    parts = Counter((node.modules, node.function) for node in shown if node.function)
    keys = {node.name: _key(node, depth, parts) for node in shown if node.kind == "operation"}
    users: dict[str, str] = {}
    for node in shown:
        for name in node.inputs:
            users.setdefault(name, keys[node.name])
    apart = sum(node.kind == "parameter" for node in shown) <= max_parameters
    for node in shown:
        if node.kind != "operation":
            own = node.kind == "data" or (node.kind == "parameter" and apart)
            keys[node.name] = node.name if own else users[node.name]
    return keys


def _key(node: Node, depth: int, parts: Mapping[tuple[tuple[Module, ...], str], int]) -> str:
    if node.modules and node.modules[0].path == PROBABILITY:
        return PROBABILITY
    if len(node.modules) >= depth:
        return node.modules[depth - 1].path
    # A function of torch in several operations, such as a normalisation.
    return f"{node.function}()" if parts[node.modules, node.function] > 1 else node.name


def _group(key: str, found: Sequence[Node], sources: Mapping[str, str], depth: int) -> Group:
    operations = tuple(node for node in found if node.kind == "operation")
    if not operations:  # a tensor that is given
        return Group(key, None, tuple(found), (), ())
    held = tuple(node for node in found if node.kind != "operation")
    modules = operations[0].modules
    module = modules[depth - 1] if len(modules) >= depth else None
    inputs = dict.fromkeys(sources[name] for node in operations for name in node.inputs if name in sources)
    return Group(key, module, operations, held, tuple(name for name in inputs if name != key))
