"""The computation of a batch as torch.export writes it down, run node by node."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, fx
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind
from torch.fx.node import map_arg

from seedbed.graph.computation import Computation
from seedbed.graph.scene import Scene

# Operations that may hand on what they got, and are no step of the computation then.
HANDING_ON = ("flatten", "to", "alias", "contiguous", "view", "reshape")
NETWORK = "network."
KINDS = {InputKind.PARAMETER: "parameter", InputKind.BUFFER: "buffer"}


class Module(NamedTuple):
    """A module in which an operation happened: its dotted path, and the class's name."""

    path: str
    kind: str


class Node(NamedTuple):
    """One tensor of the computation.

    Args:
        name: that no other node has; of a parameter the dotted one.
        kind: data, parameter, buffer or operation.
        operation: what made it: torch's name without the overload; of the others the kind.
        modules: it happened in these, outermost first, without the whole.
        function: the call in the source that it is a part of; empty: none.
        constants: the operation's arguments that are no tensors, None in the place of one that is.
        inputs: names of the nodes that it was made from.
        value: the tensor.
        gradient: of the objective by it; None where the objective does not depend on it by a derivative.
    """

    name: str
    kind: str
    operation: str
    modules: tuple[Module, ...]
    function: str
    constants: tuple[Any, ...]
    inputs: tuple[str, ...]
    value: Tensor
    gradient: Tensor | None


class Capture(NamedTuple):
    """The nodes of a computation in the order in which they are computed.

    Args:
        nodes: all of them.
        objective: the name of the last node on the way to it.
        logits: the name of the network's output.
    """

    nodes: tuple[Node, ...]
    objective: str
    logits: str


@final
class _Run(fx.Interpreter):
    """Keeps what every node came to."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.results: dict[str, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        self.results[n.name] = super().run_node(n)
        return self.results[n.name]


def captured(scene: Scene) -> Capture:
    """Exports the computation, runs it and differentiates it; running statistics stay as they are.

    Args:
        scene: the network and the batch.
    """
    computation = Computation(scene.network, scene.objective)
    exported = _exported(computation, scene)
    run = _Run(exported.graph_module)
    run.run(*_arguments(exported, computation, scene))
    return _read(exported, run.results, differentiate=True)


def outlined(scene: Scene) -> Capture:
    """The same without any number: tensors that have a shape and no more.

    Args:
        scene: the network and the batch.
    """
    exported = _exported(Computation(scene.network, scene.objective), scene)
    results = {node.name: node.meta.get("val") for node in exported.graph.nodes}
    return _read(exported, results, differentiate=False)


def _exported(computation: Computation, scene: Scene) -> ExportedProgram:
    inputs = scene.batch.inputs, scene.batch.labels, scene.keys
    return torch.export.export(computation, inputs, strict=False)


def _arguments(exported: ExportedProgram, computation: Computation, scene: Scene) -> list[Any]:
    """What the graph's inputs stand for, in order; buffers as copies, because training moves them."""
    parameters, buffers = dict(computation.named_parameters()), dict(computation.named_buffers())
    given = iter((scene.batch.inputs, scene.batch.labels, scene.keys))
    arguments: list[Any] = []
    for spec in exported.graph_signature.input_specs:
        if spec.kind is InputKind.PARAMETER:
            arguments.append(parameters[spec.target])
        elif spec.kind is InputKind.BUFFER:
            arguments.append(buffers[spec.target].clone())
        else:
            known = spec.kind is InputKind.USER_INPUT
            arguments.append(next(given) if known else exported.constants[spec.target])
    return arguments


def _read(exported: ExportedProgram, results: Mapping[str, Any], *, differentiate: bool) -> Capture:
    """The nodes on the way to the objective and to the probabilities.

    Args:
        exported: the graph with its signature.
        results: what each node came to.
        differentiate: whether the results are numbers that the objective can be differentiated by.
    """
    *found, last = exported.graph.nodes
    objective, probability = (node.name for node in last.args[0])
    sources, kept = _sources(found, results), {objective, probability}
    for node in reversed(found):
        if node.name in kept:
            kept.update(sources[node.name])
    found = [node for node in found if node.name in kept]
    gradients = _gradients(results, found, objective) if differentiate else {}
    held = {spec.arg.name: spec for spec in exported.graph_signature.input_specs if spec.target}
    named = {name: str(spec.target).removeprefix(NETWORK) for name, spec in held.items()}
    nodes = [
        Node(
            named.get(node.name, node.name),
            **_origin(node, held),
            inputs=tuple(named.get(name, name) for name in sources[node.name]),
            value=results[node.name],
            gradient=gradients.get(node.name),
        )
        for node in found
    ]
    beside = next(node for node in nodes if node.modules and node.modules[0].path == "probability")
    return Capture(tuple(nodes), objective, beside.inputs[0])


def _sources(found: Sequence[fx.Node], results: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Node to the nodes that it is made from, past those that hand on what they got or are no tensor."""
    stands_for: dict[str, tuple[str, ...]] = {}
    sources = {}
    for node in found:
        own = [name for source in node.all_input_nodes for name in stands_for[source.name]]
        sources[node.name] = tuple(dict.fromkeys(own))
        through = not isinstance(results[node.name], Tensor) or _hands_on(node, results)
        stands_for[node.name] = sources[node.name] if through else (node.name,)
    return sources


def _hands_on(node: fx.Node, results: Mapping[str, Any]) -> bool:
    """Whether it gives the tensor that it got."""
    if node.op == "placeholder" or _operation(node) not in HANDING_ON:
        return False
    before, after = results[node.all_input_nodes[0].name], results[node.name]
    return bool(before.shape == after.shape and before.dtype == after.dtype)


def _operation(node: fx.Node) -> str:
    """Torch's name of what a node does; of a part of several results, of what gave them."""
    source = node.args[0] if node.target is operator.getitem else node
    assert isinstance(source, fx.Node)
    return str(getattr(source.target, "__name__", source.target)).partition(".")[0]


def _origin(node: fx.Node, held: Mapping[str, Any]) -> dict[str, Any]:
    """Where a node is from: kind, operation, modules, function and constants."""
    if node.op == "placeholder":
        kind = KINDS.get(held[node.name].kind, "buffer") if node.name in held else "data"
        return {"kind": kind, "operation": kind, "modules": (), "function": "", "constants": ()}
    stack = node.meta.get("nn_module_stack", {}).values()
    return {
        "kind": "operation",
        "operation": _operation(node),
        "modules": tuple(Module(path, _class_name(kind)) for path, kind in stack if path),
        "function": node.meta.get("torch_fn", ("", ""))[0],
        "constants": tuple(map_arg(node.args, lambda _: None)),
    }


def _class_name(kind: Any) -> str:
    """The last part of a class's dotted name, as a word."""
    return str(kind).rpartition(".")[2].strip("_'>")


def _gradients(results: Mapping[str, Any], found: Sequence[fx.Node], objective: str) -> dict[str, Tensor]:
    """Of the objective by each tensor that it is a differentiable function of."""
    names = [node.name for node in found if results[node.name].requires_grad]
    made = torch.autograd.grad(results[objective], [results[name] for name in names], allow_unused=True)
    return {name: gradient for name, gradient in zip(names, made, strict=True) if gradient is not None}
