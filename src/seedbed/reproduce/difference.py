"""What differs between two runs before either has trained: config, data, code, packages, machine."""

import hashlib
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from seedbed.checkpoint import RESUMED
from seedbed.config import circumstances
from seedbed.job import leaves
from seedbed.reproduce.recorded import Recorded
from seedbed.track.values import as_text

# Most likely to give another result first.
REACHES = ("any", "rounding", "none")
KINDS = ("config", "data", "code", "packages", "device", "processes", "threads", "flags", "circumstance")
# Keys of the config that change the order or the fusing of sums, not what is summed.
ROUNDING_KEYS = ("trainer.compile", "trainer.channels_last", "trainer.deterministic")
PROCESS_KEYS = ("trainer.strategy", "trainer.devices", "trainer.num_nodes", "trainer.backend")
# Whose releases may order a sum in another way. What the others do shows in config and data digests.
COMPUTING = (
    "python",
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "torchvision",
    "torchmetrics",
    "pytorch-lightning",
    "triton",
    "mkl",
    "intel-openmp",
)
COMPUTING_PREFIX = "nvidia-"
# Groups whose options have keys of their own.
GROUPS = ("data", "features", "model", "optimizer", "schedule")
# Where a run is and what it belongs to, what it shows: no two runs share these, and they say nothing.
PLACE = ("track.", "study.", "launch.", "trainer.progress_bar")
# Told by what was in force, which is what these asked for.
ASKED = ("trainer.accelerator", "trainer.num_threads")
MOVING = (*PROCESS_KEYS, *ASKED)
# Names on record to kinds; all others are flags.
SWITCHES = {
    **dict.fromkeys(("device", "platform", "gpu_driver", "cuda", "cudnn"), "device"),
    **dict.fromkeys(("num_threads", "num_interop_threads"), "threads"),
    **dict.fromkeys(("host", "num_cores", "num_cores_allowed"), "circumstance"),
    "python": "packages",
}
# What says nothing of a run on CPU.
ON_GPU = (
    "gpu_driver",
    "cuda",
    "cudnn",
    "cudnn_deterministic",
    "cudnn_benchmark",
    "cudnn_tf32",
    "matmul_tf32",
)
NUM_DIGITS, NUM_FILES = 12, 3


class Difference(NamedTuple):
    """One thing that is not the same.

    Args:
        kind: one of `KINDS`.
        what: the key, package, split or switch.
        first: what the first run had.
        second: what the second had.
    """

    kind: str
    what: str
    first: str
    second: str

    @property
    def reach(self) -> Literal["any", "rounding", "none"]:
        """How far it can move a result: anywhere, in the last digits of each operation, not at all."""
        if self.kind == "config":
            return "rounding" if self.what in ROUNDING_KEYS else "any"
        if self.kind == "packages":
            computes = self.what in COMPUTING or self.what.startswith(COMPUTING_PREFIX)
            return "rounding" if computes else "none"
        if self.kind in ("data", "code"):
            return "any"
        return "none" if self.kind == "circumstance" else "rounding"

    def told(self) -> str:
        """For a sentence or a list."""
        return f"{self.kind}, {self.what}: {self.first}, then {self.second}"


def differences(first: Recorded, second: Recorded) -> list[Difference]:
    """All that is on record of both and differs, what most likely explains another result first."""
    found = [
        *_config(first, second),
        *_data(first.datasets, second.datasets),
        *_code(first, second),
        *_packages(first, second),
        *_surroundings(first, second),
        *_resumed(first, second),
    ]
    return sorted(found, key=lambda one: (REACHES.index(one.reach), KINDS.index(one.kind)))


def _config(first: Recorded, second: Recorded) -> Iterator[Difference]:
    """Keys of another value; of a group with another option its name and the keys that both have."""
    options, others = first.job.choices, second.job.choices
    chosen = [group for group in GROUPS if options.get(group) != others.get(group)]
    for group in chosen:
        yield Difference("config", group, options.get(group, "null"), others.get(group, "null"))
    values, other_values = dict(leaves(first.job.config)), dict(leaves(second.job.config))
    for key in values | other_values:
        alone = key not in values or key not in other_values
        of_choice = key.partition(".")[0] in chosen and (alone or key.endswith("._target_"))
        told = of_choice or key.startswith(PLACE) or key in ASKED
        if not told and values.get(key) != other_values.get(key):
            first_text, second_text = (as_text(found.get(key)) for found in (values, other_values))
            yield Difference(_kind(key), key, first_text, second_text)


def _kind(key: str) -> str:
    if key in PROCESS_KEYS:
        return "processes"
    return "circumstance" if key in circumstances() else "config"


def _data(first: dict[str, Any], second: dict[str, Any]) -> Iterator[Difference]:
    """Contents and places of splits; what is the same of several splits is said once."""
    for what, name in (("content", "content_digest"), ("places", "split_digest")):
        splits: dict[tuple[str, str], list[str]] = {}
        for split in first | second:
            digest, other = (str(found.get(split, {}).get(name, "none")) for found in (first, second))
            if digest != other:
                splits.setdefault((digest[:NUM_DIGITS], other[:NUM_DIGITS]), []).append(split)
        for (digest, other), names in splits.items():
            yield Difference("data", f"{what} of {', '.join(names)}", digest, other)


def _code(first: Recorded, second: Recorded) -> Iterator[Difference]:
    digest, other = (run.tags.get("seedbed.code_digest", "none") for run in (first, second))
    # The digest knows commit and Python files; what else a diff holds moves no result.
    kind = "code" if digest != other else "circumstance"
    commits = [run.tags.get("mlflow.source.git.commit", "none")[:NUM_DIGITS] for run in (first, second)]
    found = [
        *_unequal(kind, "commit", *commits),
        *_unequal(kind, "uncommitted diff", _patch(first.diff), _patch(second.diff)),
    ]
    yield from found or _unequal(kind, "digest of the Python files", digest, other)


def _patch(diff: str) -> str:
    """The files of a patch, and a digest that tells it from another of the same files."""
    if not diff:
        return "none"
    marks = [line.rpartition(" b/")[2] for line in diff.splitlines() if line.startswith("diff --git ")]
    more = f" and {len(marks) - NUM_FILES} more" if len(marks) > NUM_FILES else ""
    digest = hashlib.sha256(diff.encode(errors="surrogateescape")).hexdigest()[:NUM_DIGITS]
    return f"{', '.join(marks[:NUM_FILES])}{more} ({digest})"


def _packages(first: Recorded, second: Recorded) -> Iterator[Difference]:
    if first.packages and second.packages:  # else one record does not say
        for name in sorted(first.packages | second.packages):
            versions = [run.packages.get(name, "not installed") for run in (first, second)]
            yield from _unequal("packages", name, *versions)


def _surroundings(first: Recorded, second: Recorded) -> Iterator[Difference]:
    """Device, threads, flags and machine, where both records say them."""
    states = [_state(run) for run in (first, second)]
    for name in states[0]:
        if name in states[1]:
            yield from _unequal(
                SWITCHES.get(name, "flags"), name, *(as_text(state[name]) for state in states)
            )


def _state(run: Recorded) -> dict[str, Any]:
    """What was in force in the end, without what does not matter on the device that the run used."""
    state = run.machine | run.in_force
    gpus = state.pop("gpus", []) if run.job.config["trainer"]["accelerator"] != "cpu" else []
    if gpus or "cpu" in state:
        state["device"] = ", ".join(gpus) or state["cpu"]
    for name in ("gpus", "cpu") if gpus else ("gpus", "cpu", *ON_GPU):
        state.pop(name, None)
    return state


def _resumed(first: Recorded, second: Recorded) -> Iterator[Difference]:
    """Parts of a run that were trained with other processes or threads than its config says."""
    lives = (run.tags.get(RESUMED, "").splitlines() for run in (first, second))
    moved = [[line for line in told if any(f"{key}=" in line for key in MOVING)] for told in lives]
    yield from _unequal("processes", "resumed", *("; ".join(told) or "in its own place" for told in moved))


def _unequal(kind: str, what: str, first: str, second: str) -> Iterator[Difference]:
    if first != second:
        yield Difference(kind, what, first, second)
