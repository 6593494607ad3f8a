"""When a checkpoint is written, and the signals that wait for one.

Every rank comes through here alike: what the ranks know is gathered, and the first one writes.
"""

import contextlib
import io
import json
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io import TorchCheckpointIO
from pytorch_lightning.callbacks import Checkpoint

from seedbed.checkpoint import LAST, replace_last
from seedbed.errors import Stopped, StoreError
from seedbed.seat import Seat
from seedbed.stepping import Stepping, StepWatch
from seedbed.stopping import Stopping
from seedbed.terminal import counted, said
from seedbed.track.record import Record

FAILED = "seedbed.checkpoint_failed"
# Where a run says how far it is, and how often.
POSITION, TELL_SECONDS = "position.json", 1.0


class Shelf(TorchCheckpointIO):
    """What Lightning hands a checkpoint to, on the first rank: it becomes the last one of its folder.

    An error waits in `error`: raised here, it would leave the other ranks waiting for this one.
    """

    error: StoreError | None = None

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        content = io.BytesIO()
        torch.save(compact(checkpoint), content)
        try:
            replace_last(Path(path).parent, content.getbuffer())
        except StoreError as error:
            self.error = error


def compact(value: Any) -> Any:
    """The same values; a tensor that is a part of a larger one is copied, or all of that would be saved."""
    if isinstance(value, torch.Tensor):
        part = value.numel() * value.element_size() < value.untyped_storage().nbytes()
        return value.clone() if part else value
    if isinstance(value, dict):
        return {key: compact(held) for key, held in value.items()}
    return [compact(held) for held in value] if isinstance(value, list) else value


def save(trainer: pl.Trainer, seat: Seat, folder: Path) -> None:
    """Writes `last.ckpt` of where the training stands.

    Raises:
        StoreError: on all ranks, where the disk does not take it.
    """
    trainer.strategy.checkpoint_io = shelf = Shelf()
    trainer.save_checkpoint(folder / LAST)
    error = seat.shared(shelf.error)
    if error is not None:
        raise error


class StepEnd(Checkpoint, StepWatch):
    """Writes `last.ckpt` between two steps: every so many of them, and where a signal ends the run.

    A signal lets the step end, and no other work is lost. After the last step of an epoch that
    means: validation runs to its end, and the epoch's own checkpoint is the one. A second signal
    does not wait.

    A checkpoint that fails for want of room costs the run nothing but safety: it goes on, and says so.

    Args:
        record: where a failure is told, on the first rank; None on the others.
        folder: where `last.ckpt` is.
        stopping: hears the signals.
        every_steps: optimiser steps from one checkpoint to the next, 1 or more; None: none but at signals.
    """

    def __init__(
        self, record: Record | None, folder: Path, stopping: Stopping, every_steps: int | None
    ) -> None:
        self.record, self.folder, self.stopping, self.every_steps = record, folder, stopping, every_steps
        self._num_failed, self._untold = 0, ""
        self._told_at, self._began = time.monotonic(), {"time": time.time(), "step": 0}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.stopping.claim()  # not earlier: Lightning sets its own handlers just before
        assert isinstance(pl_module, Stepping)
        self._began = {"time": time.time(), "step": pl_module.num_steps_done}

    def on_step_end(self, trainer: pl.Trainer, module: Stepping) -> None:
        self._say_where(module)
        if module.num_steps_done % module.epoch_steps == 0:
            return
        signal_number = module.seat.largest(self.stopping.pending)
        due = self.every_steps is not None and module.num_steps_done % self.every_steps == 0
        if due or signal_number:
            self._save(trainer, module)
        if signal_number:
            raise Stopped(signal_number)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Stepping)
        self.tell()
        self.stopping.check(pl_module.seat.largest)

    def _say_where(self, module: Stepping) -> None:
        """For who asks from outside, and so now and then only."""
        if self.record is None or time.monotonic() - self._told_at < TELL_SECONDS:
            return
        self._told_at = time.monotonic()
        place = {"step": module.num_steps_done, "num_steps": module.num_steps}
        with contextlib.suppress(OSError):  # a full disk says so elsewhere
            (self.folder / POSITION).write_text(json.dumps(place | {"began": self._began}))

    def _save(self, trainer: pl.Trainer, module: Stepping) -> None:
        try:
            save(trainer, module.seat, self.folder)
        except StoreError as error:
            self._num_failed += 1
            failed, step = counted(self._num_failed, "checkpoint"), module.num_steps_done
            self._untold = f"{failed} failed, at step {step}: {error}"
            if self.record is not None:
                said(self._untold)
            self.tell()

    def tell(self) -> None:
        """Says on the record what has failed, now or as soon as it takes words again."""
        if self.record is not None and self._untold:
            with contextlib.suppress(StoreError):
                self.record.set_tags({FAILED: self._untold})
                self._untold = ""


def failures(record: Record) -> list[str]:
    """A line on the checkpoints that failed, if any did."""
    return [line for name, line in record.tags().items() if name == FAILED]
