"""Which jobs train together, and why the others do not: told before a run begins, and without torch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from seedbed.job import Job, leaves
from seedbed.terminal import counted

NETWORKS = {f"seedbed.model.linear.{name}" for name in ("Logistic", "Softmax", "OneVsRest")}
NETWORKS |= {"seedbed.model.mlp.Mlp"}
OPTIMIZERS = {"torch.optim.SGD", "torch.optim.AdamW"}
PRECISIONS = ("32-true", "64-true")
# Values in which the members of a stack may differ; a name without a dot is a key of the root or a group.
MAY_DIFFER = {
    "seed",
    "streams",
    "objective",
    "optimizer.lr",
    "optimizer.momentum",
    "optimizer.weight_decay",
    "model.dropout",
    "evaluate_test",
    "study",
    "track.run_name",
    "track.run_id",
}


class Pile(NamedTuple):
    """Jobs that train together.

    Args:
        numbers: of the jobs among all.
        shares: whether all see the same batches.
    """

    numbers: tuple[int, ...]
    shares: bool


class Sorted(NamedTuple):
    """Jobs, sorted.

    Args:
        piles: those that train together.
        alone: number of each other job, and why it runs alone.
    """

    piles: list[Pile]
    alone: dict[int, str]

    def told(self) -> Iterator[str]:
        """The lines of a plan."""
        for pile in self.piles:
            batches = "the same batches for all" if pile.shares else "each with its own batches"
            yield f"Stacked: {len(pile.numbers)} runs as one, {batches}"
        reasons: dict[str, int] = {}
        for why in self.alone.values():
            reasons[why] = reasons.get(why, 0) + 1
        for why, number in reasons.items():
            yield f"Not stacked: {counted(number, 'run')}, because {why}"


def sort(jobs: Sequence[Job], num_members: int) -> Sorted:
    """Puts jobs together that differ only in what the members of a stack may differ in.

    Those that see the same batches come together; the others of a kind, each with batches of its own.

    Args:
        jobs: resolved.
        num_members: most members of a stack, 2 or more.
    """
    alone: dict[int, str] = {}
    kinds: dict[str, dict[str, list[int]]] = {}
    for number, job in enumerate(jobs):
        why = obstacle(job)
        if why is not None:
            alone[number] = why
        else:
            kinds.setdefault(_kind(job), {}).setdefault(_batches(job), []).append(number)
    piles: list[Pile] = []
    for kind in kinds.values():
        sharing = [numbers for numbers in kind.values() if len(numbers) > 1]
        rest = [number for numbers in kind.values() if len(numbers) == 1 for number in numbers]
        cut = [(part, True) for numbers in sharing for part in _parts(numbers, num_members)]
        cut += [(part, False) for part in _parts(rest, num_members)]
        piles += [Pile(part, shares) for part, shares in cut if len(part) > 1]
        alone |= {part[0]: _ONLY for part, _ in cut if len(part) == 1}
    return Sorted(sorted(piles), dict(sorted(alone.items())))


_ONLY = "no other run of this stage is of its kind"


def _parts(numbers: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """As few parts as there must be, of sizes that differ by one at most."""
    if not numbers:
        return
    count = -(-len(numbers) // most)
    for place in range(count):
        begin, end = (len(numbers) * edge // count for edge in (place, place + 1))
        yield tuple(numbers[begin:end])


def obstacle(job: Job) -> str | None:
    """Why a job cannot be a member of a stack, in words that follow a "because"; None: it can."""
    config = job.config
    model, trainer = config["model"], config["trainer"]
    hurdles = {
        f"model={job.choices['model']} gains nothing in a stack": model["_target_"] not in NETWORKS,
        f"optimizer={job.choices['optimizer']} has no stacked form": (
            config["optimizer"]["_target_"] not in OPTIMIZERS
        ),
        "features holds mapped inputs for each run": config["features"] is not None,
        f"trainer.strategy={trainer['strategy']} shares one run": trainer["strategy"] != "single",
        f"trainer.precision={trainer['precision']} has no stacked form": (
            trainer["precision"] not in PRECISIONS
        ),
        "trainer.compile=true compiles one network": trainer["compile"],
        "trainer.num_micro_batches is above 1": trainer["num_micro_batches"] > 1,
        "it goes on from its own checkpoint": config["track"]["run_id"] is not None,
    }
    return next((why for why, holds in hurdles.items() if holds), None)


def _kind(job: Job) -> str:
    """The same for jobs that may be members of one stack."""
    fixed = {key: value for key, value in leaves(job.config) if not _may_differ(key)}
    return json.dumps(fixed, sort_keys=True, default=str)


def _may_differ(key: str) -> bool:
    return key in MAY_DIFFER or key.partition(".")[0] in MAY_DIFFER


def _batches(job: Job) -> str:
    """The same for jobs of a kind that see the same batches."""
    config = job.config
    names = ["split", "order", *(["augmentation"] if _augments(config["data"]) else [])]
    pinned = config["streams"]
    roots = [config["seed"] if pinned[name] is None else pinned[name] for name in names]
    return json.dumps(roots)


def _augments(data: Mapping[str, Any]) -> bool:
    return bool(data.get("crop_padding") or data.get("flip"))
