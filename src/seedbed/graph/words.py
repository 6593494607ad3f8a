"""What stands in a box: the formula of an operation, where it is, what it came to."""

from collections.abc import Mapping
from typing import NamedTuple, final

from seedbed.graph.capture import NETWORK, Capture
from seedbed.graph.folding import PROBABILITY, Group
from seedbed.graph.formulas import INPUTS, formula, worded
from seedbed.graph.numbers import shape_of, told
from seedbed.model.likelihood import Bernoulli, Categorical, Likelihood, OneVsRest
from seedbed.objective import Objective


class Meaning(NamedTuple):
    """What a likelihood makes of the logits z and the label y."""

    nll: str
    probability: str


MEANINGS: Mapping[type[Likelihood], Meaning] = {
    Bernoulli: Meaning("mean of log(1 + exp z) − y z", "p = σ(z)"),
    Categorical: Meaning("mean of log Σ exp z − z of class y", "p = softmax(z)"),
    OneVsRest: Meaning("mean of Σ log(1 + exp z) − z of class y", "p = σ(z) / Σ σ(z)"),
}
SYMBOLS = {INPUTS: "x", "labels": "y", "weight": "W", "bias": "b"}


@final
class Words:
    """Titles and lines for the groups of one computation.

    Args:
        capture: all of it.
        likelihood: of the network.
        objective: that is minimised.
    """

    def __init__(self, capture: Capture, likelihood: Likelihood, objective: Objective) -> None:
        self._capture, self._objective = capture, objective
        self._meaning = MEANINGS.get(type(likelihood), Meaning("mean over the examples", "p"))
        self._nodes = {node.name: node for node in capture.nodes}

    def title(self, group: Group) -> str:
        """A formula, or the name of what is computed first."""
        own = group.operations[-1]
        if own.name == self._capture.objective:
            return "objective"
        special = {
            "objective.nll": "NLL",
            "objective.penalty": "penalty",
            PROBABILITY: self._meaning.probability,
        }
        if group.name in special:
            return special[group.name]
        if own.kind != "operation":
            name = group.name.rpartition(".")[2]
            return SYMBOLS.get(name, name)
        if len(group.operations) == 1:
            start = "z = " if own.operation == "linear" and own.name == self._capture.logits else ""
            return start + formula(own, self._nodes)
        return group.module.kind if group.module else worded(own.function.rpartition("_")[0])

    def lines(self, group: Group) -> list[str]:
        """Formula or place, shape, parameters, value and gradient, as far as there are any."""
        node = group.last
        found = [*self._formulas(group), *(f"then {self.title(each)}" for each in group.then)]
        found.append(shape_of(node.value.shape))
        count = num_parameters(group)
        if count and node.kind == "operation":
            found.append("1 parameter" if count == 1 else f"{count:,} parameters")
        found.append(told(node.value))
        if node.gradient is not None:
            found.append(f"∂ {told(node.gradient)}")
        return [line for line in found if line]

    def _formulas(self, group: Group) -> list[str]:
        """What is computed where the title does not say it, else where that happens."""
        if group.last.name == self._capture.objective:
            return ["NLL + penalty"]
        if group.name == "objective.nll":
            smoothing = self._objective.label_smoothing
            return [self._meaning.nll, *([f"y smoothed by {smoothing:g}"] if smoothing else [])]
        if group.name == "objective.penalty":
            return [self._price()]
        if group.operations[-1].name == self._capture.logits:
            return ["the logits z"]
        if group.last.kind == "parameter":
            return [group.name.rpartition(".")[0]]
        return [group.module.path.removeprefix(NETWORK)] if group.module else []

    def _price(self) -> str:
        l1, l2 = self._objective.l1, self._objective.l2
        terms = [f"{l1:g} ‖W‖₁" if l1 else "", f"{l2:g}/2 ‖W‖²" if l2 else ""]
        return " + ".join(term for term in terms if term) or "l1 = l2 = 0"


def num_parameters(group: Group) -> int:
    """Numbers that are trained, in this group."""
    return sum(node.value.numel() for node in group.held if node.kind == "parameter")
