"""What a fitted linear model can be told beyond its metrics: separability, and its coefficients."""

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from seedbed.data.module import DataModule
from seedbed.errors import TrainingError
from seedbed.model.linear import Linear, Logistic, OneVsRest
from seedbed.model.network import Network

if TYPE_CHECKING:  # statsmodels and SciPy's programmes: for the few runs that ask for them
    from seedbed.model.inference import Coefficients
    from seedbed.model.separability import Verdict

# Doubles of the largest design that is looked at, in bytes: CIFAR-10's would take 1.1e9.
LARGEST_DESIGN = 500_000_000
# Verdicts on data that this process has judged: they do not depend on the fit.
_judged: dict[tuple[str, ...], "Verdict"] = {}


class Report(NamedTuple):
    """Extra tags, metrics and artifact texts of a run."""

    tags: dict[str, str]
    metrics: dict[str, float]
    files: dict[str, str]


def report(config: Mapping[str, Any], network: Network, data: DataModule) -> Report:
    """The separability verdict of an unpenalised linear fit and, for `logistic` on a table, inference.

    Args:
        config: the resolved config.
        network: fitted.
        data: what it was fitted on.
    """
    if not isinstance(network, Linear) or _penalised(config):
        return Report({}, {}, {})
    verdict = _separability(network, data)
    tags: dict[str, str] = {"seedbed.separability": verdict.value}
    files = {"fit/separability.txt": f"{verdict.value}: {verdict.explanation}\n"}
    if verdict.value != "overlapping" or not isinstance(network, Logistic) or not data.column_names:
        return Report(tags, {}, files)
    if data.feature_map is not None:
        return Report(tags, {}, files)
    try:
        found = _coefficients(network, data)
    except TrainingError as error:  # the run is sound, the fit just stopped short of the optimum
        return Report(tags, {}, files | {"fit/no_coefficients.txt": f"{error}\n"})
    metrics = {f"fit/{name}": value for name, value in found.summary().items()}
    texts = {"fit/coefficients.csv": _as_csv(found.rows()), "fit/covariance.csv": _as_csv(_covariance(found))}
    return Report(tags, metrics, files | texts)


def _penalised(config: Mapping[str, Any]) -> bool:
    objective = config["objective"]
    return any((objective["l1"], objective["l2"], config["optimizer"].get("weight_decay", 0.0)))


def _separability(network: Network, data: DataModule) -> "Verdict":
    from seedbed.model.separability import Verdict, one_vs_rest_separability, separability

    counts = next(split for split in data.identity() if split.split == "train")
    num_bytes = counts.num_examples * int(np.prod(data.facts.input_shape)) * 8
    if num_bytes > LARGEST_DESIGN:
        told = f"The inputs are {num_bytes:,} bytes of doubles, more than the {LARGEST_DESIGN:,} looked at."
        return Verdict("undecided", told)
    judge = one_vs_rest_separability if isinstance(network, OneVsRest) else separability
    seen_as = repr([value.tolist() for value in data.preprocessing.state_dict().values()])
    seen = (counts.content_digest, counts.split_digest, judge.__name__, seen_as)
    if data.feature_map is not None or seen not in _judged:
        inputs, labels = _table(data)
        _judged[seen] = judge(inputs, labels, data.facts.num_classes)
    return _judged[seen]


def _table(data: DataModule) -> tuple[Any, Any]:
    """Inputs [example, column] in float64, and labels."""
    batches = list(data.train_inputs())
    inputs = torch.cat([batch.inputs.flatten(1).to("cpu", torch.float64) for batch in batches])
    return inputs.numpy(), torch.cat([batch.labels for batch in batches]).cpu().numpy()


def _coefficients(network: Logistic, data: DataModule) -> "Coefficients":
    from seedbed.model.inference import coefficients

    inputs, labels = _table(data)
    columns = np.ones(inputs.shape[1])
    mean = data.preprocessing.mean.to("cpu", torch.float64).numpy() * columns
    sd = data.preprocessing.sd.to("cpu", torch.float64).numpy() * columns
    weight, bias = (parameter.detach().to("cpu", torch.float64) for parameter in network.parameters())
    return coefficients(
        inputs * sd + mean, labels, weight[0].numpy(), float(bias), mean, sd, data.column_names
    )


def _covariance(found: "Coefficients") -> list[dict[str, str | float | None]]:
    """One mapping a coefficient: its name, then its covariance with each of them."""
    names = [row.name for row in found.table]
    return [
        {"name": name} | dict(zip(names, row, strict=True))
        for name, row in zip(names, found.covariance, strict=True)
    ]


def _as_csv(rows: list[dict[str, str | float | None]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
