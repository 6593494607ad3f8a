"""What an optimiser is built from: weights that decay, and the rest that does not."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from torch.optim import LBFGS

from seedbed.optim.ftrl import Ftrl

Groups = list[nn.Parameter] | list[dict[str, Any]]


def parameter_groups(
    network: nn.Module, penalised: Iterable[nn.Parameter], make_optimizer: Callable[..., Any]
) -> Groups:
    """The trainable parameters in the form that the optimiser to be made takes.

    torch's weight decay on a whole network pulls on biases and normalisation too, and so finds
    another optimum than a penalty on the weights. Hence two groups, of which only the first decays.
    FTRL has penalties of its own, which are the decay there. L-BFGS knows neither groups nor decay and
    takes one flat list.

    Args:
        network: whose parameters are trained; those that ask for no gradient are left out.
        penalised: those that decay: the weights, never biases or normalisation.
        make_optimizer: an optimiser class, or a partial of one as Hydra makes it.

    Returns:
        One list of parameters, or two groups (one where the other is empty), in the network's order.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    made = getattr(make_optimizer, "func", make_optimizer)
    if isinstance(made, type) and issubclass(made, LBFGS):
        return trained
    chosen = {id(parameter) for parameter in penalised}
    decaying = [parameter for parameter in trained if id(parameter) in chosen]
    others = [parameter for parameter in trained if id(parameter) not in chosen]
    groups: list[dict[str, Any]] = []
    if decaying:
        groups.append({"params": decaying})
    if others:
        free = {"l1": 0.0, "l2": 0.0} if made is Ftrl else {"weight_decay": 0.0}
        groups.append({"params": others, **free})
    return groups
