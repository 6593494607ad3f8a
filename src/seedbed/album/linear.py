"""What a linear model has learned: its weights as images, its odds ratios."""

import csv

import numpy as np
import torch
from jaxtyping import Float64

from seedbed.album.evaluated import class_names, model_of, num_examples
from seedbed.model.linear import Linear, Logistic, Softmax
from seedbed.picture import odds, templates
from seedbed.picture.picture import Picture
from seedbed.predictor import Predictor
from seedbed.reproduce.check import Subject

Weights = Float64[np.ndarray, "class channel height width"]

MOST_TEMPLATES = 30
UNIT = "logit for a pixel from black to full scale"
COLOURS = ("red", "green", "blue")
COEFFICIENTS = "fit/coefficients.csv"


def weight_templates(subject: Subject) -> Picture | None:
    """Weights of a linear model on images; None for any other model."""
    model = model_of(subject.files)
    if model is None or model.feature_map is not None or len(model.raw_shape) != 3:
        return None
    network = model.network
    if not isinstance(network, Linear):
        return None
    names = class_names(subject)
    notes = []
    if isinstance(network, Logistic):
        names = (f"{names[1]} against {names[0]}",)
    elif isinstance(network, Softmax):
        notes.append("Of each the mean over the classes is subtracted, which moves no probability.")
    weights = centred(model, network)
    shown = [
        templates.Template(_name(name, channel, weights.shape[1]), weights[place, channel])
        for place, name in enumerate(names)
        for channel in range(weights.shape[1])
    ]
    if len(shown) > MOST_TEMPLATES:
        fitting = MOST_TEMPLATES - MOST_TEMPLATES % weights.shape[1]
        notes.append(f"Shown are the first {fitting // weights.shape[1]} of {len(names)} classes.")
        shown = shown[:fitting]
    return templates.templates(shown, UNIT, num_examples(subject, "train"), notes)


def centred(model: Predictor, network: Linear) -> Weights:
    """The weights in units of raw full scale; of a softmax without what all classes have in common."""
    weight = network.linear.weight.detach().to(torch.float64)
    sd = model.preprocessing.sd.to(torch.float64)
    scaled = weight.reshape(len(weight), *network.input_shape) / sd
    if isinstance(network, Softmax):
        scaled = scaled - scaled.mean(dim=0)
    return scaled.numpy()


def _name(name: str, channel: int, num_channels: int) -> str:
    return name if num_channels == 1 else f"{name}, {COLOURS[channel]}"


def odds_ratios(subject: Subject) -> Picture | None:
    """Odds ratios of a logistic regression on a table; None where the run has kept no coefficients."""
    if COEFFICIENTS not in subject.files:
        return None
    with subject.files[COEFFICIENTS].open(newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["odds_ratio"]]
    names = [name.replace("wald", "odds_ratio_wald") for name in ("wald_low", "wald_high")]
    names += ["odds_ratio_profile_low", "odds_ratio_profile_high"]
    ratios = [
        odds.OddsRatio(row["name"], float(row["odds_ratio"]), *(float(row[name]) for name in names))
        for row in rows
    ]
    return odds.odds_ratios(ratios, class_names(subject)[1], num_examples(subject, "train"))
