"""What happens at the end of an epoch, and what the terminal shows meanwhile."""

import faulthandler
import math
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, Checkpoint
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from seedbed.checkpoint import LAST, MARK, Mark, copy_to_best
from seedbed.classifier import Classifier
from seedbed.errors import Pruned
from seedbed.metric.glossary import better
from seedbed.pruning import Watch
from seedbed.saving import save
from seedbed.stepping import StepWatch
from seedbed.terminal import live
from seedbed.track.record import Record


class EpochEnd(Checkpoint):
    """Writes each epoch's metrics to the record, then keeps the last and the best checkpoint.

    A `Checkpoint` in Lightning's sense, because only those run after the module's own epoch end.

    Args:
        record: where the metrics go, on the first rank; None on the others.
        folder: where `last.ckpt` and `best.ckpt` are written.
        monitor: metric that decides which epoch is best; None keeps the last.
        signature: of the config, which each checkpoint carries.
        watch: hears every epoch's metrics and may end the run.
    """

    def __init__(
        self,
        record: Record | None,
        folder: Path,
        monitor: str | None,
        *,
        signature: str = "",
        watch: Watch | None = None,
    ) -> None:
        self.record, self.folder, self.monitor = record, folder, monitor
        self.signature, self._watch = signature, watch
        self.best_epoch, self.best_value = 0, math.nan
        self.best_metrics: dict[str, float] = {}
        self._earlier = {"wall": 0.0, "cpu": 0.0}
        self._clock, self._fitted = _clock(), dict[str, float]()
        self._began, self._behind = time.perf_counter(), 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._began, self._behind = time.perf_counter(), 0.0

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        epoch = trainer.current_epoch + 1
        metrics = dict(pl_module.epoch_metrics)
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        extra = {"train/learning_rate": rate, "train/epoch_seconds": self._epoch_seconds()}
        if self.record is not None:
            self.record.log_metrics(metrics | extra, step=epoch)
            self.record.deliver()
        # Before the checkpoint: a run that dies here repeats its last steps, and so its report.
        pruned = pl_module.seat.shared(self._report(epoch, metrics))
        improved = self._judge(metrics, epoch)
        save(trainer, pl_module.seat, self.folder)
        if improved and pl_module.seat.first:
            copy_to_best(self.folder / LAST)
        if pruned is not None:
            raise pruned

    def _report(self, epoch: int, metrics: dict[str, float]) -> Pruned | None:
        try:
            if self._watch is not None:
                self._watch(epoch, metrics)
        except Pruned as pruned:
            return pruned
        return None

    def _judge(self, metrics: dict[str, float], epoch: int) -> bool:
        if self.monitor is not None:
            sign = 1 if better(self.monitor.partition("/")[2]) == "lower" else -1
            better_than_none = not self.best_epoch or math.isnan(self.best_value)
            if not (better_than_none or sign * metrics[self.monitor] < sign * self.best_value):
                return False
            self.best_value = metrics[self.monitor]
        self.best_epoch, self.best_metrics = epoch, metrics
        return True

    def best(self) -> dict[str, float]:
        """The best epoch and validation's metrics then, under names of their own."""
        validated = {name: value for name, value in self.best_metrics.items() if name.startswith("val/")}
        if not validated:
            return {}
        best = {f"best_{name}": value for name, value in validated.items()}
        return best | {"best_val/epoch": float(self.best_epoch)}

    def _epoch_seconds(self) -> float:
        """Seconds of this epoch so far, counting those before an interruption."""
        return self._behind + time.perf_counter() - self._began

    def wind(self) -> None:
        """Lets the time of fitting begin now."""
        self._clock = _clock()

    def halt(self) -> None:
        """Lets the time of fitting be over."""
        self._fitted = self.seconds()

    def seconds(self) -> dict[str, float]:
        """Seconds of fitting so far, with those of earlier processes up to their last checkpoint."""
        return self._fitted or {
            name: self._earlier[name] + now - self._clock[name] for name, now in _clock().items()
        }

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        assert isinstance(pl_module, Classifier)
        epoch, batch = divmod(pl_module.num_steps_done, pl_module.epoch_steps)
        checkpoint[MARK] = Mark(self.signature, epoch, batch, self.best_epoch)._asdict()

    def state_dict(self) -> dict[str, Any]:
        return {
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
            "best_metrics": self.best_metrics,
            "_earlier": self.seconds(),
            "_behind": self._epoch_seconds(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)


def _clock() -> dict[str, float]:
    return {"wall": time.perf_counter(), "cpu": time.process_time()}


class HangWatch(Callback, StepWatch):
    """Ends a process that stays in one step too long, and says where it was.

    The others would wait for it until their timeout and know only that somebody is missing.

    Args:
        path: where the stack of every thread goes.
        seconds: longest time from one step, or batch of validation, to the next.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self._file, self._seconds = path.open("w"), seconds

    def on_train_start(self, *_: Any) -> None:
        self._again()

    def on_step_end(self, *_: Any) -> None:
        self._again()

    def on_validation_batch_end(self, *_: Any) -> None:
        self._again()

    def _again(self) -> None:
        faulthandler.dump_traceback_later(self._seconds, file=self._file, exit=True)

    def on_fit_end(self, *_: Any) -> None:
        faulthandler.cancel_dump_traceback_later()
        self._file.close()


class Bar(Callback, StepWatch):
    """One live line on a terminal, nothing elsewhere."""

    def __init__(self, name: str, num_steps: int) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[latest]}"),
        )
        self.progress = live(*columns)
        self.task = self.progress.add_task(name, total=num_steps, latest="")

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        self.progress.update(
            self.task, completed=pl_module.num_steps_done
        )  # a resumed run has some behind it
        self.progress.start()

    def on_step_end(self, *_: Any) -> None:
        self.progress.advance(self.task)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        loss = pl_module.epoch_metrics.get("val/loss")
        self.progress.update(self.task, latest="" if loss is None else f"val/loss {loss:.4f}")

    def on_train_end(self, *_: Any) -> None:
        self.progress.stop()

    def on_exception(self, *_: Any) -> None:
        self.progress.stop()
