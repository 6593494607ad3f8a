"""The networks of many members as one: a forward and a backward pass without autograd.

Units lie as [batch, member, unit]. Where all members see the same examples, the first layer is one
wide product, [batch, feature] x [feature, member * unit]; where each sees its own, a product each on a
CPU, because laying their examples side by side costs more than it saves. All others are batched.
"""

from collections.abc import Mapping, Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seedbed.model.linear import Linear
from seedbed.model.mlp import Mlp
from seedbed.model.network import Network
from seedbed.stack.units import Dropouts, Keys, slope_of

Shared = Float[Tensor, "batch feature"]
Beside = Float[Tensor, "batch member feature"]
Own = list[Float[Tensor, "batch feature"]]
Inputs = Shared | Beside | Own
Units = Float[Tensor, "batch member _"]


@final
class Stacked:
    """A parameter of all members, and its gradient.

    Args:
        own: the parameter of each member; it becomes a view of `values`.

    Attributes:
        values: [member, ...].
        slopes: the gradient, in the same shape.
    """

    def __init__(self, own: Sequence[nn.Parameter]) -> None:
        self.own = list(own)
        self.values = torch.stack([parameter.detach() for parameter in own])
        self.slopes = torch.zeros_like(self.values)
        for parameter, value in zip(self.own, self.values, strict=True):
            parameter.data = value

    def keep(self, places: Sequence[int]) -> None:
        """Goes on with the members at these places; the others' parameters become their own."""
        gone = set(range(len(self.own))) - set(places)
        for place in gone:
            self.own[place].data = self.own[place].data.clone()
        self.own = [self.own[place] for place in places]
        self.values, self.slopes = (kept[list(places)] for kept in (self.values, self.slopes))
        for parameter, value in zip(self.own, self.values, strict=True):
            parameter.data = value


@final
class Layer:
    """A linear layer of all members.

    Args:
        weight: [member, output, input].
        bias: [member, output].
    """

    def __init__(self, weight: Stacked, bias: Stacked) -> None:
        self.weight, self.bias = weight, bias
        self._inputs: Inputs = []

    def forward(self, inputs: Inputs) -> Units:
        self._inputs = inputs
        weights, biases = self.weight.values, self.bias.values
        if isinstance(inputs, list):
            own = weights.new_empty(*biases.shape, len(inputs[0]))
            for weight, each, out in zip(weights, inputs, own, strict=True):
                torch.mm(weight, each.t(), out=out)  # half the time of its transpose
            return own.add_(biases[..., None]).permute(2, 0, 1)
        if inputs.ndim == 2:
            wide = torch.addmm(biases.flatten(), inputs, weights.flatten(0, 1).t())
            return wide.view(len(inputs), *biases.shape)
        members = torch.baddbmm(biases[:, None], inputs.transpose(0, 1), weights.transpose(1, 2))
        return members.transpose(0, 1)

    def backward(self, slopes: Units, *, further: bool) -> Units | None:
        """Leaves the gradients of the parameters.

        Args:
            slopes: of the objective by each output.
            further: whether those by the inputs are asked for, too.
        """
        inputs, weight = self._inputs, self.weight
        if isinstance(inputs, torch.Tensor) and inputs.ndim == 2:
            wide = slopes.reshape(len(inputs), -1)
            torch.sum(wide, dim=0, out=self.bias.slopes.view(-1))
            torch.mm(wide.t(), inputs, out=weight.slopes.view(-1, inputs.shape[1]))
            return None
        members = slopes.permute(1, 2, 0)
        torch.sum(members, dim=2, out=self.bias.slopes)
        if isinstance(inputs, list):
            for own, each, out in zip(members, inputs, weight.slopes, strict=True):
                torch.mm(own, each, out=out)
            return None
        torch.bmm(members, inputs.transpose(0, 1), out=weight.slopes)
        return torch.bmm(slopes.transpose(0, 1), weight.values).transpose(0, 1) if further else None


@final
class StackedNetwork:
    """Linear networks or multilayer perceptrons of one shape, side by side.

    Args:
        networks: the members', on one device; their parameters become views.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        first = networks[0]
        self.likelihood = first.likelihood
        self.parameters = _stacked(networks)
        self.penalised = [name for name, stacked in self.parameters.items() if stacked.own[0].ndim > 1]
        self.layers = [
            Layer(self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"])
            for name in _layer_names(first)
        ]
        self._activation = first.activation if isinstance(first, Mlp) else None
        self._dropouts = [
            Dropouts([network.dropout[place] for network in networks])  # type: ignore[index]
            for place in range(len(self.layers) - 1)
        ]
        self._trail: list[tuple[Units, Units, Units | None]] = []

    @property
    def drops(self) -> bool:
        """Whether any member silences units while it trains."""
        return any(dropout.drops for dropout in self._dropouts)

    def forward(self, inputs: Inputs, keys: Keys | None = None) -> Units:
        """Logits of each member.

        Args:
            inputs: a batch, shared or a member's own each.
            keys: a random key for each example; None silences no unit.
        """
        self._trail = []
        units = self.layers[0].forward(inputs)
        for layer, dropout in zip(self.layers[1:], self._dropouts, strict=True):
            assert self._activation is not None
            active = self._activation(units)
            factors = None if keys is None else dropout.factors(keys, active)
            self._trail.append((units, active, factors))
            units = layer.forward(active if factors is None else active * factors)
        return units

    def backward(self, slopes: Units) -> None:
        """Leaves the gradient of every parameter.

        Args:
            slopes: of the objective by each logit of the last `forward`.
        """
        for place in range(len(self.layers) - 1, 0, -1):
            back = self.layers[place].backward(slopes, further=True)
            before, active, factors = self._trail[place - 1]
            assert back is not None
            assert self._activation is not None
            slopes = slope_of(self._activation, before, active, back if factors is None else back * factors)
        self.layers[0].backward(slopes, further=False)
        self._trail = []

    def keep(self, places: Sequence[int]) -> None:
        """Goes on with the members at these places."""
        for stacked in self.parameters.values():
            stacked.keep(places)
        for dropout in self._dropouts:
            dropout.keep(places)


def _stacked(networks: Sequence[Network]) -> Mapping[str, Stacked]:
    named = [dict(network.named_parameters()) for network in networks]
    return {name: Stacked([parameters[name] for parameters in named]) for name in named[0]}


def _layer_names(network: Network) -> list[str]:
    if isinstance(network, Linear):
        return ["linear"]
    assert isinstance(network, Mlp), "the plan lets no other in"
    return [*(f"hidden.{place}" for place in range(len(network.hidden))), "output"]
