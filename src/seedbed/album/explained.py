"""Pictures of what a network looks at, by methods that have been seen to depend on what it has learnt."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from seedbed.album import attribution
from seedbed.album.attribution import Maps, Method, Question
from seedbed.album.evaluated import model_of
from seedbed.album.sanity import Verdict, randomisation
from seedbed.album.subjects import Examples, examples_of
from seedbed.errors import PictureError
from seedbed.model.network import Network
from seedbed.picture.maps import MOST_SHOWN, Kind, Shown, maps
from seedbed.picture.picture import Picture
from seedbed.picture.tiles import Values
from seedbed.predictor import Predictor
from seedbed.reproduce.check import Subject

# Of which the first, the last and some between are shown; more would make the test sharper and dearer.
NUM_CHECKED = 12
# Rows and columns of a drawn map: of a larger one blocks are averaged.
FINEST = 64
ABOUT = (
    " Upper row: inputs, with their true class, the predicted one and both probabilities. Lower row: the map"
    " over the faint input, about the logit of the predicted class, each coloured by its own largest value,"
    " which stands below it. The first examples are among those with the smallest p(true) of their split, the"
    " last ones were learnt from, and their true class is not kept here. A map tells what the network used,"
    " not whether that is right."
)


class Explanation(NamedTuple):
    """A way to explain.

    Args:
        kind: how it is drawn.
        method: how it is computed.
        applies: whether a network can be asked.
        told: what a value of the map means.
    """

    kind: Kind
    method: Method
    applies: Callable[[Network], bool]
    told: str


GRADCAM = Explanation(
    Kind("gradcam", "Grad-CAM", "Grad-CAM", "", signed=False),
    attribution.gradcam,
    attribution.has_maps,
    "Grad-CAM (Selvaraju et al. 2017): where the maps of the last convolution (before its relu, in a residual"
    " network those of the last block) raise the class's logit; one"
    " block is one place of these maps, and what speaks against the class is not shown.",
)
INTEGRATED_GRADIENTS = Explanation(
    Kind("integrated_gradients", "Integrated gradients", "attribution (logits)", "logits", signed=True),
    attribution.integrated_gradients,
    attribution.is_deep,
    "Integrated gradients (Sundararajan et al. 2017): the pixels' shares of the logit's difference from that"
    " of a black image, to which they sum; red raises the logit, blue lowers it. Black pixels have no share,"
    " whatever the network thinks of them.",
)
OCCLUSION = Explanation(
    Kind("occlusion", "Occlusion", "fall of the logit (logits)", "logits", signed=True),
    attribution.occlusion,
    attribution.is_deep,
    "Occlusion (Zeiler and Fergus 2014): how far the class's logit falls where a square is blackened, the"
    " mean over the squares that cover a pixel; red pixels speak for the class, blue ones against it.",
)


def gradcam(subject: Subject) -> Picture | None:
    """Grad-CAM of a convolutional network."""
    return explained(subject, GRADCAM)


def integrated_gradients(subject: Subject) -> Picture | None:
    """Integrated gradients of a network with a hidden layer, on images."""
    return explained(subject, INTEGRATED_GRADIENTS)


def occlusion(subject: Subject) -> Picture | None:
    """Occlusion of a network with a hidden layer, on images."""
    return explained(subject, OCCLUSION)


def explained(subject: Subject, explanation: Explanation) -> Picture | None:
    """Maps over a few examples that the run has kept; None where it has none, or no such network.

    Args:
        subject: the run.
        explanation: the way to explain.

    Raises:
        PictureError: where captum is missing, and where maps of random parameters look like the trained ones.
    """
    model = model_of(subject.files)
    if model is None or not explanation.applies(model.network):
        return None
    examples = examples_of(subject, model, NUM_CHECKED)
    if examples is None:
        return None
    question = Question(examples.inputs, examples.logits.argmax(dim=1), examples.baseline)
    found = explanation.method(model.network, question)
    verdict = randomisation(explanation.method, model.network, question, found)
    if not verdict.passed:
        raise _refused(subject, explanation.kind.name, verdict)
    caption = (
        f"{explanation.told}{ABOUT} Parameter-randomisation check (Adebayo et al. 2018) passed: against the"
        f" same network with random parameters, {verdict.told()}."
    )
    return maps(explanation.kind, _shown(model, examples, found), caption)


def _refused(subject: Subject, name: str, verdict: Verdict) -> PictureError:
    return PictureError(
        f"picture {name} of run {subject.member.name}",
        expected="maps that random parameters change (Adebayo et al. 2018)",
        got=verdict.told(),
        do="Such a map shows the input, not what was learnt, and is not drawn. Try another method.",
    )


def _shown(model: Predictor, examples: Examples, found: Maps) -> list[Shown]:
    """The last two, and others from the first to the last before them."""
    count = len(examples.places)
    num_learnt = examples.labels.count(None)
    first = np.linspace(0, count - num_learnt - 1, MOST_SHOWN - num_learnt).round().astype(int)
    rows = [*dict.fromkeys(first.tolist()), *range(count - num_learnt, count)]
    return [_one(model, examples, row, found[row].double().numpy()) for row in rows]


def _one(model: Predictor, examples: Examples, row: int, values: Values) -> Shown:
    names, probabilities, label = model.class_names, examples.probabilities[row], examples.labels[row]
    predicted = int(probabilities.argmax())
    return Shown(
        examples.places[row],
        examples.images[row],
        averaged(values),
        None if label is None else names[label],
        names[predicted],
        None if label is None else float(probabilities[label]),
        float(probabilities[predicted]),
    )


def averaged(values: Values) -> Values:
    """A map of at most `FINEST` rows and columns: means of square blocks, smaller ones at the far edges."""
    block = -(-max(values.shape) // FINEST)
    starts = [np.arange(0, side, block) for side in values.shape]
    sums = np.add.reduceat(np.add.reduceat(values, starts[0], axis=0), starts[1], axis=1)
    sizes = [np.diff([*start, side]) for start, side in zip(starts, values.shape, strict=True)]
    means: Values = sums / np.outer(*sizes)
    return means
