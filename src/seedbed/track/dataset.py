"""What a run read, in MLflow's words."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# MLflow's columns: 36 characters for a digest, and one row for a (name, digest) in an experiment.
NUM_DIGITS = 16


def entity(
    name: str,
    source: str,
    split: str,
    digest: str,
    profile: Mapping[str, Any],
    schema: Mapping[str, Any] | None,
) -> Any:
    """One split of a data set as an MLflow dataset input.

    MLflow keeps the first profile that it meets for a name and a digest, and one context for them a
    run. So its digest covers all that is said here but the place; the content's own digest stands in
    the profile.

    Args:
        name: the data set's.
        source: where it comes from: a path, an address, or the name of a loading function.
        split: `train`, `val` or `test`, MLflow's context.
        digest: identity of the content.
        profile: what to know about it: sizes, class counts, digest of the split's indices.
        schema: what an example looks like.

    Returns:
        An `mlflow.entities.DatasetInput`.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    kind, place = _place(source)
    told = {"split": split, "digest": digest, **profile}
    identity = json.dumps([name, told, schema], sort_keys=True)
    described = Dataset(
        name=name,
        digest=hashlib.sha256(identity.encode()).hexdigest()[:NUM_DIGITS],
        source_type=kind,
        source=json.dumps(place),
        schema=None if schema is None else json.dumps(schema),
        profile=json.dumps(told),
    )
    return DatasetInput(described, tags=[InputTag("mlflow.data.context", split)])


def _place(source: str) -> tuple[str, dict[str, Any]]:
    """The source as MLflow's own source types write it, so that `mlflow.data.get_source` reads it."""
    if source.startswith(("http://", "https://")):
        return "http", {"url": source}
    if "/" in source:
        return "local", {"uri": source}
    return "code", {"tags": {"mlflow.source.name": source}}
