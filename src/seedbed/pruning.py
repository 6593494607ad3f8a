"""Ends hopeless settings early: each run reports its epochs to the search and asks whether to go on.

The search's journal, a file in a shared folder, is all that the runs of a setting have in common:
they may be in other processes or on other hosts. One trial of the search is one setting; its runs
are replicates 0 .. num_seeds - 1, and it is judged by their mean.
"""

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from seedbed.errors import ConfigError, Pruned, TrainingError
from seedbed.trial import Trial

# Called after each epoch with its number, from 1, and its metrics; raises Pruned to end the run.
Watch = Callable[[int, Mapping[str, float]], None]

PRUNERS = ("median", "hyperband", "asha")
# What the trial's attributes hold: the step that it was pruned at, and every replicate's values.
PRUNED = "pruned"


class Pruner(NamedTuple):
    """When a setting counts as hopeless.

    Args:
        name: median (best mean so far worse than the median of the finished settings at this step),
            hyperband or asha (not among the best 1 / reduction_factor at a rung).
        startup_trials: finished settings that the median needs, 0 or more.
        warmup_epochs: epochs of a run before the median judges it, 0 or more.
        reduction_factor: hyperband and asha keep one in so many, 2 or more.

    Source: median: Golovin et al. (2017), "Google Vizier", section 3.1; asha: Li et al. (2020), "A
    system for massively parallel hyperparameter tuning", algorithm 2; hyperband: Li et al. (2018).
    """

    name: str
    startup_trials: int
    warmup_epochs: int
    reduction_factor: int

    def built(self, max_steps: int) -> Any:
        """Optuna's pruner.

        Args:
            max_steps: epochs of all replicates of a setting.

        Raises:
            ConfigError: naming the key that is out of its range.
        """
        _check("study.pruner", self.name, f"one of {', '.join(PRUNERS)}", self.name in PRUNERS)
        _check("study.startup_trials", self.startup_trials, "0 or more", self.startup_trials >= 0)
        _check("study.warmup_epochs", self.warmup_epochs, "0 or more", self.warmup_epochs >= 0)
        _check("study.reduction_factor", self.reduction_factor, "2 or more", self.reduction_factor >= 2)
        from optuna import pruners

        if self.name == "median":
            # The warm-up is ours: Optuna's counts steps, which here are those of all replicates.
            return pruners.MedianPruner(n_startup_trials=self.startup_trials, n_warmup_steps=0)
        if self.name == "hyperband":
            return pruners.HyperbandPruner(1, max_steps, self.reduction_factor)
        return pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=self.reduction_factor)


def _check(key: str, value: object, expected: str, holds: bool) -> None:
    if not holds:
        raise ConfigError(key, expected=expected, got=str(value), do="Choose another value.")


@dataclass(frozen=True)
class TrialWatch:
    """The watch of one replicate of one setting of a search.

    Step `i * max_epochs + e` of the trial is the mean over replicates 0 .. i after epoch e, reported
    by whichever of them gets there last. Each i is judged by itself: a lucky first seed does not
    cover for the mean. Reporting twice, as a resumed run does, changes nothing.

    Args:
        storage_path: the search's journal.
        study_name: the search's name in it.
        trial_number: the setting's.
        replicate: this run's, 0 <= replicate < num_seeds.
        num_seeds: runs of the setting.
        max_epochs: epochs of a run.
        metric: what the setting is judged by; `best_val/loss` means the `val/loss` of each epoch.
        pruner: when to end it.
    """

    storage_path: Path
    study_name: str
    trial_number: int
    replicate: int
    num_seeds: int
    max_epochs: int
    metric: str
    pruner: Pruner

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Reports an epoch.

        Raises:
            Pruned: where the setting is hopeless, or another replicate has found it so.
            TrainingError: where the epoch lacks the metric.
            StoreError: where the journal lacks the search or the trial.
        """
        value = self._value(metrics)
        trial = self._trial.now
        if trial.state.is_finished():
            if trial.state.name == "PRUNED":
                self._stop(epoch, f"trial {self.trial_number} was pruned")
            return  # told already: nobody asks any more
        if PRUNED in trial.user_attrs:
            self._stop(epoch, f"trial {self.trial_number} was pruned at step {trial.user_attrs[PRUNED]}")
        if math.isnan(value):
            self._prune(epoch, self.replicate, f"{self.metric} is no number")
        self._trial.note(f"value:{self.replicate}:{epoch}", value)
        self._judge(epoch)

    def _value(self, metrics: Mapping[str, float]) -> float:
        name = self.metric.removeprefix("best_")
        if name not in metrics:
            raise TrainingError(
                f"metric {name} of a pruned search",
                expected=f"one of {', '.join(sorted(metrics))}",
                got="an epoch without it",
                do="Set study.objectives to a metric of the validation split, or study.pruner=null.",
            )
        return metrics[name]

    def _judge(self, epoch: int) -> None:
        means = dict(self._means(epoch, self._trial.now.user_attrs))
        for replicate, mean in means.items():
            self._trial.report(self._step(replicate, epoch), mean)
        for step in self._due([self._step(replicate, epoch) for replicate in means]):
            replicate, last = divmod(step - 1, self.max_epochs)
            if self._hopeless(step, replicate):
                mean = self._trial.now.intermediate_values[step]
                why = f"{self.pruner.name}, mean {self.metric} {mean:.4g} of {replicate + 1} seeds"
                self._prune(epoch, replicate, f"{why} at epoch {last + 1}", step)

    def _means(self, epoch: int, known: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
        """Each i from this replicate on whose replicates 0 .. i all have this epoch, with their mean."""
        values = []
        for replicate in range(self.num_seeds):
            value = known.get(f"value:{replicate}:{epoch}")
            if value is None:
                return
            values.append(value)
            if replicate >= self.replicate:
                yield replicate, math.fsum(values) / len(values)

    def _due(self, steps: list[int]) -> list[int]:
        """The steps to be judged now that these are reported.

        The median takes each by itself. The rungs of the others count what a setting has cost, so they
        are asked in order, once every step before is known.
        """
        if self.pruner.name == "median":
            return [step for step in steps if (step - 1) % self.max_epochs >= self.pruner.warmup_epochs]
        known = set(self._trial.now.intermediate_values)
        return list(range(_prefix(known - set(steps)) + 1, _prefix(known) + 1))

    def _hopeless(self, step: int, replicate: int) -> bool:
        """What the pruner says of the mean over replicates 0 .. `replicate`, up to this step."""
        trial = copy.copy(self._trial.now)
        first = self._step(replicate, 1)
        trial.intermediate_values = {
            other: value for other, value in trial.intermediate_values.items() if first <= other <= step
        }
        return bool(self._built.prune(self._trial.study, trial))

    def _step(self, replicate: int, epoch: int) -> int:
        return replicate * self.max_epochs + epoch

    def _prune(self, epoch: int, replicate: int, why: str, step: int | None = None) -> NoReturn:
        self._trial.note(PRUNED, step or self._step(replicate, epoch))
        self._stop(epoch, why)

    def _stop(self, epoch: int, why: str) -> NoReturn:
        raise Pruned(epoch, why)

    @cached_property
    def _built(self) -> Any:
        return self.pruner.built(self.num_seeds * self.max_epochs)

    @cached_property
    def _trial(self) -> Trial:
        return Trial(self.storage_path, self.study_name, self.trial_number)


def _prefix(steps: set[int]) -> int:
    """The n up to which 1 .. n are all among the steps."""
    count = 0
    while count + 1 in steps:
        count += 1
    return count
