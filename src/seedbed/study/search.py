"""A search: Optuna proposes settings and hears what became of them, in the study's own process only.

Ranks and jobs get finished configs. The journal file is the whole state, so a search that was killed
goes on where it was: each proposal is a pure function of the root seed and of the trials before it.
"""

import csv
import io
import json
import logging
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import optuna
from hydra.core.override_parser.types import Override
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from seedbed.errors import ConfigError
from seedbed.metric.glossary import better
from seedbed.study.space import distribution, typed
from seedbed.trial import JOURNAL

SAMPLERS = ("quasi_random", "random", "tpe", "cma_es", "nsga2")
# Where a trial keeps its values as typed.
OVERRIDES = "overrides"
# Parents of a generation: Optuna's 50 would leave a study of 20 settings at random.
POPULATION = 10


class Trial(NamedTuple):
    """A proposed setting: its number in the search, and key to value as typed."""

    number: int
    overrides: dict[str, str]


class Search:
    """The search of one study.

    Args:
        folder: the study's, shared with its jobs; holds the journal.
        name: of the study: its run id.
        swept: the keys to be searched.
        sampler: one of `SAMPLERS`.
        objectives: metrics whose names say their direction.
        seed: root of all proposals.

    Raises:
        ConfigError: for a sampler that does not exist or cannot search these keys.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        swept: Mapping[str, Override],
        *,
        sampler: str,
        objectives: Sequence[str],
        seed: int,
    ) -> None:
        self.distributions = distributions(swept, sampler, objectives)
        self.objectives, self._sampler_name, self._seed = list(objectives), sampler, seed
        optuna.logging.set_verbosity(logging.WARNING)
        self._study = optuna.create_study(
            storage=opened(folder),
            study_name=name,
            directions=["minimize" if better(name) == "lower" else "maximize" for name in objectives],
            load_if_exists=True,
        )

    @property
    def trials(self) -> list[FrozenTrial]:
        """The settings that were proposed whole; one that was killed while it was is none."""
        return [trial for trial in self._study.get_trials(deepcopy=False) if OVERRIDES in trial.user_attrs]

    def waiting(self) -> list[Trial]:
        """Settings that were proposed and not told, because the study was stopped."""
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if OVERRIDES not in trial.user_attrs:
                self._study.tell(trial.number, state=TrialState.FAIL)
        return [_proposed(trial) for trial in self.trials if trial.state == TrialState.RUNNING]

    def ask(self) -> Trial:
        """The next setting."""
        self._study.sampler = self._sampler(len(self.trials))
        trial = self._study.ask(fixed_distributions=dict(self.distributions))
        overrides = {key: typed(self.distributions[key], value) for key, value in trial.params.items()}
        trial.set_user_attr(OVERRIDES, overrides)
        return Trial(trial.number, overrides)

    def tell(self, number: int, values: Sequence[float] | None, *, pruned: bool = False) -> None:
        """What became of a setting: its objectives, or that it was pruned, or (None) that it failed."""
        if pruned:
            self._study.tell(number, state=TrialState.PRUNED)
        elif values is None or any(math.isnan(value) for value in values):
            self._study.tell(number, state=TrialState.FAIL)
        else:
            self._study.tell(number, list(values))

    def _sampler(self, number: int) -> BaseSampler:
        """A new sampler a proposal, so that one that was killed proposes what it would have proposed."""
        seed = (self._seed * 1_000_003 + number) % 2**32
        aside = RandomSampler(seed=seed)
        if self._sampler_name == "quasi_random":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                # One seed for all: it scrambles the one sequence whose points are handed out in turn.
                return QMCSampler(seed=self._seed, independent_sampler=aside, warn_independent_sampling=False)
        if self._sampler_name == "tpe":
            return TPESampler(seed=seed)
        if self._sampler_name == "cma_es":
            return CmaEsSampler(seed=seed, independent_sampler=aside, warn_independent_sampling=False)
        if self._sampler_name == "nsga2":
            return NSGAIISampler(seed=seed, population_size=POPULATION)
        return aside

    def best(self) -> list[Trial]:
        """Finished settings, best first; with several objectives those that no other beats in all."""
        if len(self.objectives) > 1:
            return [_proposed(trial) for trial in sorted(self._study.best_trials, key=_first_value)]
        finished = [trial for trial in self.trials if trial.state == TrialState.COMPLETE]
        worst_first = better(self.objectives[0]) == "higher"
        return [_proposed(trial) for trial in sorted(finished, key=_first_value, reverse=worst_first)]

    def as_csv(self) -> str:
        """One line a setting: number, state, objectives, the values tried."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        keys = list(self.distributions)
        writer.writerow(["number", "state", *self.objectives, *(f"params.{key}" for key in keys)])
        for trial in self.trials:
            overrides = trial.user_attrs[OVERRIDES]
            values = trial.values or [""] * len(self.objectives)
            if trial.state == TrialState.PRUNED:
                values = [""] * len(self.objectives)
            writer.writerow([trial.number, trial.state.name, *values, *(overrides[key] for key in keys)])
        return out.getvalue()


def distributions(
    swept: Mapping[str, Override], sampler: str, objectives: Sequence[str]
) -> dict[str, BaseDistribution]:
    """Where each key's value is drawn from.

    Raises:
        ConfigError: for a sampler that does not exist or cannot search these keys.
    """
    if sampler not in SAMPLERS:
        raise ConfigError(
            "study.sampler", expected=f"one of {', '.join(SAMPLERS)}", got=sampler, do="Choose one."
        )
    if len(objectives) > 1 and sampler == "cma_es":
        do = "Use study=multi_objective, or one objective."
        raise ConfigError("study.objectives", expected="one with cma_es", got=str(len(objectives)), do=do)
    if not swept:
        raise ConfigError(
            "study",
            expected="keys with a range to search",
            got="none",
            do="Add one, such as 'optimizer.lr=tag(log,interval(0.0001,0.1))'.",
        )
    found = {key: distribution(key, override) for key, override in swept.items()}
    named = [key for key, drawn in found.items() if isinstance(drawn, CategoricalDistribution)]
    if sampler == "cma_es" and named:
        raise ConfigError(
            named[0],
            expected="numbers from an interval or a range, because cma_es moves a Gaussian",
            got="a list",
            do="Use study=tpe, which takes lists too.",
        )
    return found


def opened(folder: Path) -> JournalStorage:
    """The journal in a folder; what a killed process left of a line is cut off.

    Only the study itself opens it so, before it starts a job.
    """
    path = folder / JOURNAL
    if path.exists():
        whole = path.read_bytes().rfind(b"\n") + 1
        os.truncate(path, whole)
    Path(f"{path}.lock").unlink(missing_ok=True)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))


def as_json(swept: Mapping[str, Override]) -> str:
    """The space in Hydra's words."""
    return json.dumps({key: override.get_value_string() for key, override in swept.items()}, indent=2) + "\n"


def _proposed(trial: FrozenTrial) -> Trial:
    return Trial(trial.number, dict(trial.user_attrs[OVERRIDES]))


def _first_value(trial: FrozenTrial) -> float:
    assert trial.values is not None
    return float(trial.values[0])
