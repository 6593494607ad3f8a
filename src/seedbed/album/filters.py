"""What a network's first layer looks for."""

from collections.abc import Mapping

import torch
from torch import Tensor

from seedbed.album.evaluated import model_of
from seedbed.model.alexnet import Alexnet
from seedbed.model.cnn import Cnn
from seedbed.model.mlp import Mlp
from seedbed.model.network import Network
from seedbed.model.resnet9 import Resnet9
from seedbed.picture import filters as drawing
from seedbed.picture.filters import MOST_FILTERS, Filters
from seedbed.picture.picture import Picture
from seedbed.reproduce.check import Subject

# Where each network's first weights are.
FIRST: Mapping[type[Network], str] = {
    Mlp: "hidden.0.weight",
    Cnn: "stages.0.weight",
    Resnet9: "stem.convolution.weight",
    Alexnet: "convolutions.0.weight",
}
TRAINED = "The weights of the first layer, as they were at the end of training."
COMPUTED = "The filters of the first layer, computed from training images and not trained (`Whitening`)."


def filters(subject: Subject) -> Picture | None:
    """The first layer's weights of a network with a hidden layer, on images; None of any other."""
    model = model_of(subject.files)
    found = None if model is None else first_layer(model.network)
    return None if found is None else drawing.filters(found)


def first_layer(network: Network) -> Filters | None:
    """Weights from an image to the first units, at most `MOST_FILTERS`; None of a table or a linear model."""
    if isinstance(network, Resnet9) and network.whitening is not None:
        return _shown(network.whitening.filters, "kernels", COMPUTED)
    name = FIRST.get(type(network))
    if name is None or len(network.input_shape) != 3:
        return None
    weights = network.get_parameter(name)
    if weights.ndim == 2:  # of all pixels
        return _shown(weights.reshape(-1, *network.input_shape), "units", TRAINED)
    return _shown(weights, "kernels", TRAINED)


def _shown(weights: Tensor, word: str, told: str) -> Filters:
    shown = weights[:MOST_FILTERS].detach().to(torch.float64).numpy()
    return Filters(shown, len(weights), word, told)
