"""A study as it was asked for: its kind, what varies, its settings and seeds; nothing has run yet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from seedbed.job import Job
from seedbed.study import folds, strategy
from seedbed.study.identity import identity
from seedbed.study.idle import idle_streams
from seedbed.study.plan import Planner, Resolve, Setting
from seedbed.study.sense import check
from seedbed.study.space import SEED_KEYS, Space, parsed
from seedbed.study.strategy import Repetition, Strategy

if TYPE_CHECKING:
    from seedbed.study.search import Search


class Outline(NamedTuple):
    """What was asked for.

    Args:
        kind: option of the group `study`.
        study: its resolved keys.
        space: the arguments, taken apart.
        planner: makes settings and runs.
        settings: of everything but a search, all there are; of a search, none yet.
        repeated: seeds of each setting.
        root: root seed of the study.
        digest: which study it is.
        track_root: folder of the record store.
    """

    kind: str
    study: dict[str, Any]
    space: Space
    planner: Planner
    settings: list[Setting]
    repeated: list[Repetition]
    root: int
    digest: str
    track_root: str

    @property
    def searches(self) -> bool:
        return "sampler" in self.study

    @property
    def example(self) -> Job:
        """The job of one setting, without its place in the study."""
        return self.planner.job(self.settings[0] if self.settings else self.planner.setting({}))

    @property
    def varied(self) -> dict[str, str]:
        """What varies, in the words that were typed, for the study's own page.

        The number of seeds only where it is part of the study; elsewhere it may grow.
        """
        swept = {key: override.get_value_string() for key, override in self.space.swept.items()}
        seeds = {key: ",".join(found) for key, found in self.space.seeds.items()}
        return swept | ({"num_seeds": str(self.study["num_seeds"])} if self.searches else seeds)

    @property
    def name(self) -> str:
        """Of the study's run: what varies first, because the UI shows about 14 characters."""
        keys = [key.rpartition(".")[2] for key in (*self.space.swept, *self.space.seeds)]
        return f"{' x '.join(keys) or 'seeds'} ({self.kind})"

    def strategy(self, folder: Path, name: str, num_parallel: int) -> Strategy:
        """The runs, wave by wave.

        Args:
            folder: the study's own, where a search keeps its journal.
            name: the study's run id.
            num_parallel: runs that are made at a time; a search proposes as many settings at once.
        """
        if self.searches:
            from seedbed.study.trials import Trials

            search = self.search(folder, name)
            return Trials(self.planner, search, self.repeated, self.study, self.root, num_parallel).strategy()
        if self.kind == "cross_validation":
            return folds.cross_validation(self.planner, self.settings, self.repeated, self.study)
        if self.kind == "variance":
            return strategy.variance(
                self.planner, self.settings, self.streams[0], self.study["num_seeds"], self.root
            )
        return strategy.grid(self.planner, self.settings, self.repeated, self.study, self.root)

    def search(self, folder: Path, name: str) -> "Search":
        """The search, as its journal in this folder has it."""
        from seedbed.study.search import Search

        return Search(
            folder,
            name,
            self.space.swept,
            sampler=self.study["sampler"],
            objectives=self.study["objectives"],
            seed=self.root,
        )

    @property
    def streams(self) -> tuple[list[str], list[str]]:
        """Streams of a variance study that can move its result, and those that cannot."""
        idle = idle_streams(self.planner.job(self.settings[0]).config)
        asked = self.study["streams"]
        return [name for name in asked if name not in idle], [name for name in asked if name in idle]


def outlined(config: DictConfig, arguments: Sequence[str], loader: Any, resolve: Resolve) -> Outline:
    """Takes a multirun's arguments apart and composes every listed setting, so that a typo costs no run.

    Raises:
        ConfigError: naming the key.
    """
    study: dict[str, Any] = {str(key): value for key, value in _plain(config.study).items()}
    kind = str(config.hydra.runtime.choices.study)
    space = parsed(study["space"], arguments, loader)
    check(kind, study, space.swept)
    planner = Planner(resolve, space.fixed)
    root = int(config.seed)
    repeated = strategy.repetitions(space, study["num_seeds"], root)
    if "sampler" in study:
        from seedbed.study.search import distributions

        distributions(space.swept, study["sampler"], study["objectives"])
        settings: list[Setting] = []
        words = {key: override.get_value_string() for key, override in space.swept.items()}
        content: list[Any] = [planner.setting({}).digest, words, root]
    else:
        settings = strategy.product(planner, space)
        pinned = {key: value for key, value in space.fixed.items() if key.startswith(SEED_KEYS)}
        content = [
            sorted(setting.digest for setting in settings),
            root if study["num_seeds"] else None,
            pinned,
        ]
    if kind == "cross_validation":
        folds.check_folds(planner.job(settings[0]).config["data"])
        content.append(planner.job(settings[0]).config["data"])
    digest = identity(kind, study, content)
    return Outline(kind, study, space, planner, settings, repeated, root, digest, config.track.root)


def _plain(group: DictConfig) -> dict[Any, Any]:
    container = OmegaConf.to_container(group, resolve=True)
    assert isinstance(container, dict)
    return container
