"""The waves of a search: settings as Optuna proposes them, each with all its seeds, then the protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.study.plan import Planned, Planner, Setting
from seedbed.study.search import Search, Trial
from seedbed.study.strategy import Repetition, Strategy, mean_values, protocol
from seedbed.verdict.members import Member


class Trials:
    """A search at work.

    Args:
        planner: makes its runs.
        search: proposes its settings.
        repeated: the seeds of each setting.
        study: the resolved group `study`.
        root: the study's root seed.
        num_parallel: settings that are proposed at a time.
    """

    def __init__(
        self,
        planner: Planner,
        search: Search,
        repeated: Sequence[Repetition],
        study: Mapping[str, Any],
        root: int,
        num_parallel: int,
    ) -> None:
        self.planner, self.search, self.repeated = planner, search, list(repeated)
        self.study, self.root, self.num_parallel = study, root, num_parallel

    def strategy(self) -> Strategy:
        """Trials until there are as many as asked for, then finalists and refit."""
        waiting = self.search.waiting()
        while waiting or len(self.search.trials) < self.study["num_trials"]:
            room = self.study["num_trials"] - len(self.search.trials)
            num_asked = max(0, min(room, self.num_parallel - len(waiting)))
            batch = waiting + [self.search.ask() for _ in range(num_asked)]
            waiting = []
            yield from self._tried(batch)
        ranking = [self.planner.setting(trial.overrides) for trial in self.search.best()]
        yield from protocol(
            self.planner,
            list({setting.digest: setting for setting in ranking}.values()),
            self.study,
            self.root,
        )

    def _tried(self, batch: Sequence[Trial]) -> Strategy:
        """The seeds of some trials, one seed of all after the other, so that a hopeless trial costs one."""
        alive = {trial.number: self.planner.setting(trial.overrides) for trial in batch}
        found: dict[int, list[Member]] = {trial.number: [] for trial in batch}
        for replicate, (mark, seed) in enumerate(self.repeated):
            wave = [self._run(number, setting, mark, seed, replicate) for number, setting in alive.items()]
            for (number, _), member in zip(list(alive.items()), (yield wave), strict=True):
                found[number].append(member)
                if member.status != "FINISHED":
                    del alive[number]
        for trial in batch:
            self._tell(trial, found[trial.number])

    def _run(
        self, number: int, setting: Setting, mark: str, seed: Mapping[str, Any], replicate: int
    ) -> Planned:
        place: dict[str, int | str | None] = {"stage": "search", "trial": number, "replicate": replicate}
        return self.planner.run(setting, mark, {**seed, "evaluate_test": False}, place)

    def _tell(self, trial: Trial, found: Sequence[Member]) -> None:
        setting = self.planner.setting(trial.overrides)
        pruned = any(member.status == "PRUNED" for member in found)
        values = None if pruned else mean_values(setting, found, self.study["objectives"])
        self.search.tell(trial.number, values, pruned=pruned)
