"""Whether data at hand is what a run has read, by the digests that it left."""

import json

from seedbed.data.identity import SplitIdentity
from seedbed.data.module import DataModule
from seedbed.errors import DataError
from seedbed.reproduce.check import Subject
from seedbed.use.trained import Trained


def check_same(model: Trained, data: DataModule) -> None:
    """Refuses files that changed since the run read them.

    Raises:
        DataError: naming the splits whose digests differ.
    """
    known, found = _profiles(model.subject), {part.split: _digests(part) for part in data.identity()}
    wrong = [split for split in known if found.get(split) != known[split]]
    if wrong:
        raise DataError(
            data.source,
            expected=f"the data that run {model.name} has read, by its digests",
            got=f"others in {', '.join(wrong)}",
            do="Bring the files back, or name these as data of their own: data.root=FOLDER.",
        )


def _digests(part: SplitIdentity) -> tuple[str, str]:
    return part.content_digest, part.split_digest


def is_own(model: Trained, data: DataModule) -> bool:
    """Whether the test split is the one that the run keeps for its end."""
    known = _profiles(model.subject).get("test")
    return any(part.split == "test" and _digests(part) == known for part in data.identity())


def _profiles(subject: Subject) -> dict[str, tuple[str, str]]:
    """Digests of content and of places, by split."""
    told = (json.loads(used.dataset.profile) for used in subject.run.inputs.dataset_inputs)
    return {part["split"]: (part["content_digest"], part["split_digest"]) for part in told}
