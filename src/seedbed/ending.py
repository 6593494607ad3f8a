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


class Ending(NamedTuple):
    """What a rank died of.

    Args:
        time: seconds since 1970; infinity where the rank could not say anything.
        kind: class of the error.
        told: its one line.
        trace: where it was raised.
        parts: what a SeedbedError was made of; the number of the signal.
    """

    time: float
    kind: str
    told: str
    trace: str = ""
    parts: Mapping[str, Any] = {}

    @classmethod
    def of(cls, failure: Any) -> "Ending":
        """As torch's launcher reports it."""
        data = failure.error_file_data
        if "seedbed" in data:
            return cls(**data["seedbed"])
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
        return cls(time.time(), type(error).__name__, told, trace, parts)

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

    Args:
        endings: by rank; ranks that ended well are missing.
        config: the trainer's keys.

    Returns:
        The error as the rank raised it where it is one of ours, else a TrainingError; with its trace.
    """
    rank = min(endings, key=lambda rank: endings[rank].time)
    ending = endings[rank]
    if ending.kind == "Stopped":
        return Stopped(ending.parts["signal_number"])
    if ending.parts:
        error: SeedbedError = getattr(errors, ending.kind)(**ending.parts)
    else:
        error = TrainingError(
            f"rank {rank} of {config['devices'] * config['num_nodes']}",
            expected="all ranks to live until the training ends",
            got=ending.told,
            do="Its trace is the artifact error.txt of the run; `seedbed resume` goes on once it is mended.",
        )
    if ending.trace:
        error.add_note(f"On rank {rank}:\n{ending.trace}")
    return error
