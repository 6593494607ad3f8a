"""Which study a command means, and its record: the one that is there, or a new one."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seedbed.track.store import Store

# How much of a study there is, and how it is run: the same study goes on when these change.
EXTENT = ("num_trials", "max_failures", "resume", "stage", "trial", "replicate")
NUM_DIGITS = 16


def identity(kind: str, study: Mapping[str, Any], content: Sequence[Any]) -> str:
    """Digest of what a study is.

    More seeds or more trials do not make another study: the same command with a larger number goes
    on with what is there. In a search the seeds are part of the objective and so of the study.

    Args:
        kind: option of the group `study`.
        study: its resolved keys.
        content: the settings, or the space that they are drawn from, and the root seed.
    """
    extent = EXTENT if "sampler" in study else (*EXTENT, "num_seeds")
    kept = {key: value for key, value in study.items() if key not in extent and key != "space"}
    text = json.dumps([kind, kept, content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:NUM_DIGITS]


def found(store: "Store", experiment: str, digest: str, code: str) -> str | None:
    """The latest study of this identity that the same code made; None where there is none."""
    known = store.client.get_experiment_by_name(experiment)
    if known is None:
        return None
    runs = store.client.search_runs(
        [known.experiment_id],
        filter_string=f"tags.seedbed.study = '{digest}' AND tags.seedbed.code_digest = '{code}'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    return str(runs[0].info.run_id) if runs else None
