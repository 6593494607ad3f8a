"""All members of a stack through all epochs, step by step, each to an ending of its own."""

from collections.abc import Generator, Mapping, Sequence
from typing import final

import torch
from torch import Tensor

from seedbed.classifier import STEPS_BETWEEN_LOSS_CHECKS
from seedbed.errors import Pruned, TrainingError
from seedbed.seat import Seat
from seedbed.stack.batches import Round, Rounds
from seedbed.stack.book import Book
from seedbed.stack.loss import log_probabilities, loss
from seedbed.stack.member import Member
from seedbed.stack.network import StackedNetwork
from seedbed.stack.optimizer import stacked_optimizer
from seedbed.stack.penalty import Penalties, clip
from seedbed.stopping import Stopping
from seedbed.streams import example_keys
from seedbed.tally import Tally

# A member that has ended early, and what of.
Endings = Mapping[Member, BaseException]
Ending = tuple[Member, BaseException]


@final
class Stack:
    """Members at work, epoch by epoch.

    Args:
        members: of one kind, whose training splits are equally large.
        shares: whether all see the same batches.
        stopping: hears the process's signals.

    Attributes:
        members: those that have not ended.
        num_steps_done: steps that each of them has taken.
    """

    def __init__(self, members: Sequence[Member], *, shares: bool, stopping: Stopping) -> None:
        self.members, self._shares, self._stopping = list(members), shares, stopping
        first = members[0]
        self._trainer = first.parts.plot.job.config["trainer"]
        self._network = StackedNetwork([member.classifier.network for member in members])
        self._factor = first.schedule.lr_lambdas[0]
        self._optimizer = stacked_optimizer(
            self._network.parameters, [member.optimizer for member in members], self._factor
        )
        self._like = next(iter(self._network.parameters.values())).values
        self._book = Book(len(members), first.classifier.train_metrics.num_classes, self._like)
        self._penalties = self._priced()
        self.num_steps_done, self._epoch_steps = 0, len(first.loader)

    def _priced(self) -> Penalties:
        return Penalties([member.classifier.objective for member in self.members], self._like)

    def begin(self) -> None:
        """What is done before the first step."""
        for member in self.members:
            member.begin()

    def release(self) -> None:
        """Makes the members' parameters their own again."""
        self._network.keep([])
        self._optimizer.keep([])

    @torch.no_grad()
    def train(self, epoch: int) -> Generator[Ending]:
        """Takes the members through an epoch; says of each that ends early what ended it.

        Args:
            epoch: from 0.

        Raises:
            Stopped: where a signal ended the training; every member has saved then.
        """
        for member in self.members:
            member.begin_epoch(epoch)
        rounds = Rounds([member.loader for member in self.members], shares=self._shares)
        for number, batches in enumerate(rounds, 1):
            self.step(batches, epoch)
            last = number == self._epoch_steps
            if last or self._book.num_unchecked >= STEPS_BETWEEN_LOSS_CHECKS:
                yield from self._drop(self._not_finite(epoch), rounds)
                if not self.members:
                    return
            if not last:
                self._between()
        self._validate()
        yield from self._drop(self._ended(epoch))
        self._book.clear()
        self._stop_if_told()

    def _between(self) -> None:
        """After any step but an epoch's last, which is followed by a checkpoint anyway."""
        every = self._trainer["checkpoint_every_steps"]
        if self._stopping.pending or (every is not None and self.num_steps_done % every == 0):
            self._tell()
            for member in self.members:
                member.save()
        self._stop_if_told()

    def _stop_if_told(self) -> None:
        if self._stopping.pending:
            self.release()
            self._stopping.check()

    def step(self, batches: Round, epoch: int) -> None:
        """One optimiser step of every member.

        Args:
            batches: a batch of each.
            epoch: from 0.
        """
        network, count = self._network, batches.num_examples
        keys = self._keys(batches.indices, epoch) if network.drops else None
        logits = network.forward(batches.inputs, keys)
        found = loss(network.likelihood, logits, batches.labels, self._penalties.smoothing, count)
        network.backward(found.slopes)
        price = self._penalties.add(network.parameters[name] for name in network.penalised)
        if self._trainer["gradient_clip_norm"] is not None:
            clip(network.parameters.values(), self._trainer["gradient_clip_norm"])
        self._optimizer.step(self.num_steps_done)
        self.num_steps_done += 1
        objectives = found.losses.sum(dim=0) / count + price
        self._book.add(objectives, found, count)

    def _keys(self, indices: Tensor, epoch: int) -> Tensor:
        """A key for each example, of every member or the same for all of them."""
        streams = [member.classifier.dropout_stream for member in self.members]
        if indices.shape[1] == 1 and len(set(streams)) == 1:
            return example_keys(streams[0], epoch, indices[:, 0])[:, None]
        places = indices.expand(-1, len(streams)).unbind(dim=1)
        own = [example_keys(stream, epoch, place) for stream, place in zip(streams, places, strict=True)]
        return torch.stack(own, dim=1)

    def _validate(self) -> None:
        loaders = [member.val_loader for member in self.members if member.val_loader is not None]
        if not loaders:
            return
        if not self._shares:
            for member, loader in zip(self.members, loaders, strict=True):
                for number, batch in enumerate(loader):
                    member.classifier.validation_step(batch, number)
            return
        for batches in Rounds(loaders, shares=True):
            logs = log_probabilities(self._network.likelihood, self._network.forward(batches.inputs))
            labels = batches.labels.expand(logs.shape[:-1])
            for place, member in enumerate(self.members):
                member.classifier.val_metrics.update(logs[:, place].contiguous(), labels[:, place])

    def _tell(self) -> None:
        """Brings the members' own parts to where the training stands, inside an epoch."""
        for place, member in enumerate(self.members):
            member.take(self.num_steps_done, self._factor(self.num_steps_done))
            member.take_inside(self._book.so_far(place) | {"num_steps": self.num_steps_done})

    def _ended(self, epoch: int) -> Endings:
        """Ends the epoch for each member; those that end with it, by an error or a search."""
        ended: dict[Member, BaseException] = {}
        factor = self._factor(self.num_steps_done)
        for member, result in zip(self.members, self._book.results(), strict=True):
            try:
                member.take(self.num_steps_done, factor)
                member.end_epoch(epoch, result)
            except (Exception, Pruned) as ending:  # noqa: BLE001 - whatever it is, it ends this member alone
                ended[member] = ending
        return ended

    def _not_finite(self, epoch: int) -> Endings:
        """The members whose objective is no number any more."""
        failed: dict[Member, BaseException] = {}
        for place, values in self._book.unchecked().items():
            tally = Tally(Seat())
            for value in values:
                tally.add(torch.tensor(value), 1)
            try:
                tally.check(self.num_steps_done, epoch + 1)
            except TrainingError as error:
                failed[self.members[place]] = error
        return failed

    def _drop(self, endings: Endings, rounds: Rounds | None = None) -> Generator[Ending]:
        """Goes on without some members."""
        if not endings:
            return
        places = [place for place, member in enumerate(self.members) if member not in endings]
        self.members = [self.members[place] for place in places]
        for part in (self._network, self._optimizer, self._book, rounds):
            if part is not None:
                part.keep(places)
        if places:
            self._penalties = self._priced()
        yield from endings.items()
