"""One run of a stack: its record, its parts and its checkpoints are those of a run of its own."""

from collections.abc import Generator
from typing import Any, NamedTuple

from pytorch_lightning.trainer.states import TrainerFn
from torch.optim.lr_scheduler import LambdaLR

from seedbed import strategy
from seedbed.assembly import Assembly, assemble
from seedbed.classifier import SO_FAR, Classifier
from seedbed.errors import Pruned
from seedbed.growing import Fit, Outcome, Plot, cut_off, fit_of, ripen, watch_of
from seedbed.harvest import identify, let_go
from seedbed.job import Job
from seedbed.optim import sense
from seedbed.recording import Company, recorded
from seedbed.saving import save
from seedbed.seat import Seat
from seedbed.stack.book import Result
from seedbed.stack.counters import stand
from seedbed.stopping import Stopping
from seedbed.track.manifest import seal
from seedbed.track.provenance import Provenance

# Seconds from one delivery of a member to its next, for each member: many deliveries after every epoch
# would cost more than the epoch. It is a few milliseconds of work, and so a few percent.
DELIVER_SECONDS = 0.2
STACKED = "seedbed.stacked"


class Parts(NamedTuple):
    """What a member hands to the training of its stack."""

    plot: Plot
    assembly: Assembly
    fit: Fit


# Hands out its parts, is then trained by others, and says what came of it. What ends it early is thrown in.
Life = Generator[Parts, None, Outcome]


def life(job: Job, stopping: Stopping, num_members: int, origin: Provenance) -> Life:
    """A run from the first line of its record to the last.

    Args:
        job: what runs.
        stopping: hears the process's signals.
        num_members: of its stack.
        origin: where the process, and so all of them, come from.

    Raises:
        SeedbedError: as `seedbed.train.run`.
    """
    sense.check(job.config)
    strategy.check(job.config)
    company = Company(origin, DELIVER_SECONDS * num_members)
    with recorded(job, None, company=company) as record:
        record.set_tags({STACKED: f"one of {num_members}; seconds are those of the stack"})
        plot = Plot(job, Seat(), record.folder, record, stopping)
        assembly = assemble(job.config)
        identify(record, assembly.data)
        fit = fit_of(plot, assembly, watch_of(job), bar=False)
        _attach(fit, assembly.classifier)
        try:
            yield Parts(plot, assembly, fit)
        except Pruned as pruned:
            outcome = cut_off(plot, fit, pruned)
        else:
            outcome = ripen(plot, assembly, fit)
        assert outcome is not None
        seal(record)
        record.finish("KILLED" if outcome.pruned else "FINISHED")
    if not outcome.pruned:
        let_go(record)
    return outcome


def _attach(fit: Fit, classifier: Classifier) -> None:
    """What Lightning does before it trains; the training itself is the stack's."""
    trainer = fit.trainer
    trainer.state.fn = TrainerFn.FITTING
    trainer.strategy.connect(classifier)
    classifier.trainer = trainer
    trainer.strategy.setup(trainer)


class Member:
    """A run that is being trained as a part of a stack.

    Args:
        number: of its job among those of the stack.
        parts: what its life has handed out.
    """

    def __init__(self, number: int, parts: Parts) -> None:
        self.number, self.parts = number, parts
        self.classifier = parts.assembly.classifier
        self.trainer = parts.fit.trainer
        self.optimizer = self.trainer.optimizers[0]
        schedule = self.trainer.lr_scheduler_configs[0].scheduler
        assert isinstance(schedule, LambdaLR)
        self.schedule = schedule
        self.loader = parts.assembly.data.train_dataloader()
        self.val_loader = parts.assembly.data.val_dataloader()
        self._inside = False

    def begin(self) -> None:
        """What callbacks do before the first step."""
        self.parts.fit.epoch_end.wind()
        self.parts.fit.trace.on_train_start(self.trainer, self.classifier)
        self.parts.fit.step_end.on_train_start(self.trainer, self.classifier)

    def begin_epoch(self, epoch: int) -> None:
        """Args: epoch: from 0."""
        self._stand(epoch, inside=True)
        self.loader.sampler.set_epoch(epoch)
        self.parts.fit.epoch_end.on_train_epoch_start(self.trainer, self.classifier)

    def take(self, num_steps: int, factor: float) -> None:
        """Brings optimiser and schedule to where the stack's training stands.

        Args:
            num_steps: that are done.
            factor: of the learning rate of the next one.
        """
        self.classifier.num_steps_done = num_steps
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
        for state in self.optimizer.state.values():
            if "step" in state:
                state["step"].fill_(num_steps)
        rates = [group["lr"] for group in self.optimizer.param_groups]
        self.schedule.load_state_dict(
            self.schedule.state_dict()
            | {"last_epoch": num_steps, "_step_count": num_steps + 1, "_last_lr": rates}
        )

    def take_inside(self, so_far: dict[str, Any]) -> None:
        """Takes over what the unfinished epoch has come to.

        Args:
            so_far: as a checkpoint holds it: metrics, objectives and steps.
        """
        self.classifier.on_load_checkpoint({SO_FAR: so_far})
        self._inside = True

    def end_epoch(self, epoch: int, result: Result) -> None:
        """What the module and its callbacks do after an epoch.

        Args:
            epoch: from 0.
            result: of its training.

        Raises:
            Pruned: where the search ends the run.
        """
        self._stand(epoch, inside=False)
        module, fit = self.classifier, self.parts.fit
        if self.val_loader is not None:
            module.on_validation_epoch_end()
        if self._inside:  # forgets it
            module.on_train_epoch_end()
            self._inside = False
        module.epoch_metrics |= {"train/loss": result.loss, "train/accuracy": result.accuracy}
        module.epoch_metrics["train/objective"] = result.objective
        module.epoch_objectives = result.objectives
        for callback in (fit.trace, fit.epoch_end):
            callback.on_train_epoch_end(self.trainer, module)
        fit.step_end.tell()

    def end(self) -> None:
        """The training is over; others may be evaluated before this one."""
        self.parts.fit.epoch_end.halt()

    def save(self) -> None:
        """Writes `last.ckpt` of where the training stands, between two steps of an epoch."""
        save(self.trainer, self.classifier.seat, self.parts.plot.folder)

    def _stand(self, epoch: int, *, inside: bool) -> None:
        num_batches = 0 if self.val_loader is None else len(self.val_loader)
        stand(self.trainer, epoch, inside=inside, num_val_batches=num_batches)
