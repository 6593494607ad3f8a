"""Checkpoints on disk: written whole or not at all, told apart, and the one to go on from."""

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch

from seedbed.terminal import counted
from seedbed.track.record import Record
from seedbed.track.room import no_room

LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"
# Where a checkpoint says whose it is and where in the training it stands.
MARK = "seedbed"
RESUMED = "seedbed.resumed"
# What torch's reader raises over a file that is torn or none of its own.
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, UnpicklingError)


class Mark(NamedTuple):
    """What a checkpoint says of itself.

    Its position stands for the random streams, too: order, augmentation and dropout are pure
    functions of a stream's seed, the epoch and the example.

    Args:
        signature: of the config that it was trained with.
        epoch: finished epochs.
        batch: batches of the next epoch that are done.
        best_epoch: the best of the finished epochs; 0 before there is one.
    """

    signature: str
    epoch: int
    batch: int
    best_epoch: int

    @property
    def is_best(self) -> bool:
        """Whether this is the end of the best epoch."""
        return (self.epoch, self.batch) == (self.best_epoch, 0)


class Start(NamedTuple):
    """Where a run goes on.

    Args:
        path: the checkpoint; None: from the beginning.
        epoch: epochs that are finished then.
        batch: batches of the next epoch that are done then.
        refused: a line for each checkpoint that was there and could not serve.
    """

    path: Path | None
    epoch: int
    batch: int
    refused: list[str]


class RefusedError(Exception):
    """A checkpoint that cannot serve; the text says why."""


def replace_last(folder: Path, content: bytes | memoryview) -> None:
    """Makes this the last checkpoint, and the one that was it the previous.

    At every moment the newest file under one of the two names is whole.

    Raises:
        StoreError: where the disk does not take it; the last checkpoint is then what it was.
    """
    partial = _written(folder / LAST, content)
    if (folder / LAST).exists():
        (folder / LAST).replace(folder / PREVIOUS)
    _put(partial, folder / LAST)


def copy_to_best(path: Path) -> None:
    """Makes this checkpoint the best one, too: a copy, so that one torn file does not cost both.

    Raises:
        StoreError: where the disk does not take it.
    """
    best = path.with_name(BEST)
    _put(_written(best, path.read_bytes()), best)


def _written(path: Path, content: bytes | memoryview) -> Path:
    """The file beside the path that holds all of it, down to the disk."""
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:  # a second signal's, too
        partial.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise no_room(path, str(error.strerror)) from error
    return partial


def _put(partial: Path, path: Path) -> None:
    """Renames a file, down to the disk: the folder that holds the name is synced, too."""
    partial.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def take_up(record: Record, signature: str, max_epochs: int, changed: Iterable[str]) -> Start:
    """Where a resumed run goes on, and a line on its record that says so.

    Args:
        record: the run.
        signature: of its config.
        max_epochs: epochs that it is to have.
        changed: circumstances, as typed, in which it goes on and did not start.
    """
    start = found(record.folder, signature)
    lives = record.tags().get(RESUMED, "").splitlines()
    inside = f" and {counted(start.batch, 'step')}" if start.batch else ""
    place = f"after epoch {start.epoch} of {max_epochs}{inside} on {socket.gethostname()}"
    others = ", ".join(changed)
    told = [place, *([f"with {others}"] if others else []), *start.refused]
    record.set_tags({RESUMED: "\n".join([*lives, f"{len(lives) + 1}: " + "; ".join(told)])})
    return start


def found(folder: Path, signature: str) -> Start:
    """The checkpoint to go on from: the last, else the one before it, else the best, else none.

    Any other than the best can only serve beside it. One that is itself the best has a copy of that
    name, and where a crash kept it from being made, it is made. One that cannot serve is put aside,
    or the next to be written would make it the previous one.
    """
    refused = []
    for path in (folder / LAST, folder / PREVIOUS, folder / BEST):
        if not path.exists():
            continue
        try:
            mark = read(path, signature)
            if mark.is_best and (path.name == LAST or not (folder / BEST).exists()):
                copy_to_best(path)
            _check_best(folder, mark)
        except RefusedError as why:
            refused.append(f"{path.name} refused: {why}")
            path.replace(path.with_suffix(".refused"))
        else:
            return Start(path, mark.epoch, mark.batch, refused)
    return Start(None, 0, 0, refused)


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
    if mark.best_epoch == 0:
        return
    if not (folder / BEST).exists():
        raise RefusedError(f"expected {BEST} of epoch {mark.best_epoch} beside it, got none")
    best = read(folder / BEST, mark.signature)
    if best.epoch != mark.best_epoch:
        raise RefusedError(f"expected {BEST} of epoch {mark.best_epoch} beside it, got epoch {best.epoch}")
