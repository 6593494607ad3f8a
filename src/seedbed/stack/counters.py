"""Lightning's own counters, set to what they would be: a checkpoint carries them, and resuming reads them.

To Lightning an epoch is one batch, and validation comes after it.
"""

from typing import Any

import pytorch_lightning as pl


def stand(trainer: pl.Trainer, epoch: int, *, inside: bool, num_val_batches: int) -> None:
    """Sets the counters of a fit.

    Args:
        trainer: whose they are.
        epoch: from 0.
        inside: between two steps of the epoch; else at its end, after validation.
        num_val_batches: of a validation, 0 for none.
    """
    loop: Any = trainer.fit_loop
    done = 0 if inside else 1
    for place in (loop.epoch_progress.current, loop.epoch_progress.total):
        _set(place, begun=epoch + 1, processed=epoch + done, completed=epoch)
    batches, checks = loop.epoch_loop.batch_progress, loop.epoch_loop.val_loop.batch_progress
    _set(batches.current, begun=1, processed=done, completed=done)
    _set(batches.total, begun=epoch + 1, processed=epoch + done, completed=epoch + done)
    batches.is_last_batch = True
    loop.epoch_loop._batches_that_stepped = epoch + done  # noqa: SLF001 - it is in the state, under this name
    latest = num_val_batches if epoch + done else 0
    _set(checks.current, begun=latest, processed=latest, completed=latest)
    now = done * num_val_batches
    _set(checks.total, begun=now, processed=now, completed=now)
    checks.is_last_batch = latest > 0


def _set(place: Any, *, begun: int, processed: int, completed: int) -> None:
    place.ready = place.started = begun
    place.processed, place.completed = processed, completed
