"""Checkpoints on disk: written whole or not at all, told apart, and the one to go on from."""

import os
import socket
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch

from seedbed.track.record import Record

LAST, BEST = "last.ckpt", "best.ckpt"
# Where a checkpoint says whose it is and which epochs it stands for.
MARK = "seedbed"
RESUMED = "seedbed.resumed"
# What torch's reader raises over a file that is torn or none of its own.
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, UnpicklingError)


class Mark(NamedTuple):
    """What a checkpoint says of itself.

    Args:
        signature: of the config that it was trained with.
        epoch: finished epochs.
        best_epoch: the best of them.
    """

    signature: str
    epoch: int
    best_epoch: int


class Start(NamedTuple):
    """Where a run goes on.

    Args:
        path: the checkpoint; None: from the beginning.
        epoch: epochs that are finished then.
        refused: a line for each checkpoint that was there and could not serve.
    """

    path: Path | None
    epoch: int
    refused: list[str]


class RefusedError(Exception):
    """A checkpoint that cannot serve; the text says why."""


def copy_atomically(source: Path, path: Path) -> None:
    """A copy that is there whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(source.read_bytes())
    commit(partial, path)


def commit(partial: Path, path: Path) -> None:
    """Renames a file once all of it is on the disk."""
    descriptor = os.open(partial, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    partial.replace(path)


def take_up(record: Record, signature: str, max_epochs: int) -> Start:
    """Where a resumed run goes on, and a line on its record that says so.

    Args:
        record: the run.
        signature: of its config.
        max_epochs: epochs that it is to have.
    """
    start = found(record.folder, signature)
    lives = record.tags().get(RESUMED, "").splitlines()
    head = f"{len(lives) + 1}: after epoch {start.epoch} of {max_epochs} on {socket.gethostname()}"
    record.set_tags({RESUMED: "\n".join([*lives, "; ".join([head, *start.refused])])})
    return start


def found(folder: Path, signature: str) -> Start:
    """The checkpoint to go on from: the last, else the best, else none.

    The last one can only serve beside the best of its epochs. Where it is itself the best, the copy
    that a crash may have kept from being made is made.
    """
    refused = []
    for name in (LAST, BEST):
        if not (folder / name).exists():
            continue
        try:
            mark = read(folder / name, signature)
            if mark.best_epoch == mark.epoch and name == LAST:
                copy_atomically(folder / LAST, folder / BEST)
            _check_best(folder, mark)
        except RefusedError as why:
            refused.append(f"{name} refused: {why}")
        else:
            return Start(folder / name, mark.epoch, refused)
    return Start(None, 0, refused)


def read(path: Path, signature: str) -> Mark:
    """What a checkpoint says of itself, once all of it was read.

    Raises:
        RefusedError: for one that is torn, or another config's.
    """
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        mark = Mark(**checkpoint[MARK])
    except UNREADABLE as error:
        words = str(error).partition("\n")[0]
        raise RefusedError(f"expected a whole checkpoint, got {type(error).__name__}: {words}") from error
    if mark.signature != signature:
        raise RefusedError(f"expected signature {signature}, got {mark.signature}")
    return mark


def _check_best(folder: Path, mark: Mark) -> None:
    if not (folder / BEST).exists():
        raise RefusedError(f"expected {BEST} of epoch {mark.best_epoch} beside it, got none")
    best = read(folder / BEST, mark.signature)
    if best.epoch != mark.best_epoch:
        raise RefusedError(f"expected {BEST} of epoch {mark.best_epoch} beside it, got epoch {best.epoch}")
