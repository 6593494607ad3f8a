"""How a rank ended, written by the rank and read by the process that started it."""

import json
import os
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from seedbed import errors
from seedbed.errors import SeedbedError, Stopped, TrainingError

# Where torch's launcher looks for it.
ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
HUNG = "Hung"
# Words of the libraries that carry gradients, where it is another rank that is gone.
OF_A_PEER = ("Connection closed by peer", "Connection reset by peer", "third_party/gloo", "NCCL", "DistStore")


class Ending(NamedTuple):
    """What a rank died of.

    Args:
        time: seconds since 1970; infinity where the rank could not say anything.
        kind: class of the error.
        told: its one line.
        trace: where it was raised.
        parts: what a SeedbedError was made of; the number of the signal.
        lost: whether it only lost another rank.
    """

    time: float
    kind: str
    told: str
    trace: str = ""
    parts: Mapping[str, Any] = {}
    lost: bool = False

    @classmethod
    def of(cls, failure: Any, stack: Path) -> "Ending":
        """As torch's launcher reports it.

        Args:
            failure: the launcher's.
            stack: where the rank says what it was at when it hung.
        """
        data = failure.error_file_data
        if "seedbed" in data:
            return cls(**data["seedbed"])
        if stack.exists() and stack.stat().st_size:
            trace = stack.read_text()
            return cls(stack.stat().st_mtime, HUNG, "none", trace, lost=_waiting(trace))
        name = failure.signal_name() if failure.exitcode < 0 else ""
        return cls(float("inf"), "", name or f"exit code {failure.exitcode} without a word")

    @classmethod
    def by(cls, error: BaseException) -> "Ending":
        """Of this process, by this error."""
        told = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
        trace = "".join(traceback.format_exception(error))
        if isinstance(error, SeedbedError):
            parts = {name: getattr(error, name) for name in ("what", "expected", "got", "do")}
        elif isinstance(error, Stopped):
            parts = {"signal_number": error.signal_number}
        else:
            parts = {}
        lost = any(word in told for word in OF_A_PEER)
        return cls(time.time(), type(error).__name__, told, trace, parts, lost)

    def tell(self) -> None:
        """Writes it where the launcher looks, in the launcher's words and in ours."""
        extra = {"py_callstack": self.trace, "timestamp": int(self.time)}
        data = {"message": {"message": self.told, "extraInfo": extra}, "seedbed": self._asdict()}
        path = Path(os.environ[ERROR_FILE])
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(data))
        partial.replace(path)


def root_cause(endings: Mapping[int, Ending], config: Mapping[str, Any]) -> BaseException:
    """The error of the rank that ended first: the others only lost it.

    A rank that was killed could not say when; it comes before those that only say whom they miss.

    Args:
        endings: by rank; ranks that ended well are missing.
        config: the trainer's keys.

    Returns:
        The error as the rank raised it where it is one of ours, else a TrainingError; with its trace.
    """
    rank = min(endings, key=lambda rank: (endings[rank].lost, endings[rank].time))
    ending = endings[rank]
    if ending.kind == "Stopped":
        return Stopped(ending.parts["signal_number"])
    who = f"rank {rank} of {config['devices'] * config['num_nodes']}"
    if ending.parts:
        error: SeedbedError = getattr(errors, ending.kind)(**ending.parts)
    elif ending.kind == HUNG:
        error = TrainingError(
            who,
            expected=f"a step within trainer.timeout_minutes={config['timeout_minutes']:g}",
            got=ending.told,
            do="What it was at is in the artifact error.txt. Raise the timeout if a step takes that long.",
        )
    else:
        error = TrainingError(
            who,
            expected="a process that lives until the training ends",
            got=ending.told,
            do="Its trace is the artifact error.txt; `seedbed resume` goes on once it is mended.",
        )
    for other in (rank, *(other for other in endings if other != rank and endings[other].kind == HUNG)):
        if endings[other].trace:
            error.add_note(f"On rank {other}:\n{endings[other].trace}")
    return error


def _waiting(stack: str) -> bool:
    """Whether a process that hung was inside torch: it waited for a rank that was not."""
    main = stack.rpartition("(most recent call first):\n")[2]
    return "site-packages/torch/" in main.partition("\n")[0]
