"""A Hydra sweeper that makes a multirun one study: a parent run, named children, a verdict."""

import copy
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from seedbed.composing import from_hydra
from seedbed.config import SCHEMAS
from seedbed.errors import TrainingError
from seedbed.job import Job
from seedbed.launch.launcher import Launcher, launcher_of
from seedbed.stopping import Stopping
from seedbed.study.outline import Outline, outlined
from seedbed.study.stages import announced
from seedbed.terminal import said

# A typo is refused before the record and the statistics are imported: they cost seconds.
if TYPE_CHECKING:
    from seedbed.track.record import Record
    from seedbed.track.store import Store


# An override that gives a value to a key, and does not choose an option.
_VALUE = re.compile(rf"(?!({'|'.join([*SCHEMAS, 'experiment'])})=)[a-z_][\w.]*=")


class StudySweeper(Sweeper):
    """Runs a study: plans it, finds what is on record, makes the rest, and concludes.

    Attributes:
        plans_only: whether the plan is told and nothing else is done.
        then: what is done with a study that has ended, its store and the id of its run: its pictures,
            of which this room knows nothing. Whoever starts Hydra sets it, since Hydra makes the sweeper.
    """

    plans_only = False
    then: ClassVar[Callable[["Store", str], None] | None] = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        del task_function  # Hydra's launchers would call it; ours have jobs
        self.config: DictConfig = config
        self.loader = hydra_context.config_loader
        self._composed: dict[tuple[str, ...], tuple[DictConfig, DictConfig]] = {}

    def sweep(self, arguments: list[str]) -> list[JobReturn]:
        outline = outlined(self.config, arguments, self.loader, self._resolve)
        keys = OmegaConf.to_container(self.config.launch, resolve=True)
        assert isinstance(keys, dict)
        launcher = launcher_of(
            self.config.hydra.runtime.choices.launch, {str(key): value for key, value in keys.items()}
        )
        if self.plans_only:
            launcher.check(outline.example)
            for line in planned(outline, launcher):
                print(line)
            return []
        from seedbed.track.leftover import take_along
        from seedbed.track.store import Store

        with Stopping().listening():
            launcher.check(outline.example)
            track = self.config.track
            store = Store.open(
                Path(track.root), offline=track.offline, patience_seconds=track.patience_seconds
            )
            take_along(store, said)
            record = self._record(store, outline)
            wrong = self._made(record, outline, launcher)
        then = type(self).then
        if then is not None and track.pictures:
            then(store, record.run_id)
        if wrong:
            raise wrong
        return []

    def _resolve(self, overrides: Sequence[str]) -> Job:
        """The job of these overrides; Hydra composes each choice of options once, whatever their values."""
        choices = tuple(override for override in overrides if not _VALUE.match(override))
        if choices not in self._composed:
            self._composed[choices] = self._compose(choices)
        composed, hydra = copy.deepcopy(self._composed[choices])
        values = [override for override in overrides if override not in choices]
        try:
            for value in OverridesParser.create().parse_overrides(values):
                OmegaConf.update(composed, value.key_or_group, value.value(), merge=True)
        except OmegaConfBaseException:
            composed, hydra = self._compose(overrides)  # Hydra says best what is wrong with them
        hydra.overrides.task = list(overrides)
        return from_hydra(composed, hydra, _command())

    def _compose(self, overrides: Sequence[str]) -> tuple[DictConfig, DictConfig]:
        """The config, and what Hydra knows of it."""
        composed = self.loader.load_sweep_config(self.config, list(overrides))
        hydra = OmegaConf.masked_copy(composed.hydra, ["overrides", "runtime"])
        with open_dict(composed):
            del composed.hydra
        return composed, hydra

    def _record(self, store: "Store", outline: Outline) -> "Record":
        """The study's record: the one that the same command and code made, or a new one."""
        from seedbed.study.identity import found
        from seedbed.track.code_digest import code_digest
        from seedbed.track.record import Record

        track, code = self.config.track, code_digest(Path.cwd())
        known = found(store, track.experiment, outline.digest, code) if outline.study["resume"] else None
        if known is not None:
            record = Record.resume(store, known, params={}, same={}, reopen=True)
            record.set_tags({"seedbed.command": _command()})  # of what it has become
            return record
        tags = {
            "seedbed.kind": "study",
            "seedbed.study": outline.digest,
            "seedbed.study_kind": outline.kind,
            "seedbed.code_digest": code,
            "seedbed.command": _command(),
        }
        name = track.run_name or outline.name
        return Record.start(store, experiment=track.experiment, name=name, params=outline.varied, tags=tags)

    def _made(self, record: "Record", outline: Outline, launcher: Launcher) -> TrainingError | None:
        """Does the study, to its end; what was wrong with it, if anything was."""
        from seedbed.errors import SubmissionError
        from seedbed.recording import closing
        from seedbed.study.work import Work
        from seedbed.verdict.members import members

        try:
            with closing(record):
                return Work(launcher, record, outline).done()
        except SubmissionError:
            if not members(record.store, record.run_id):  # nothing of the study has ever run
                record.withdraw()
            raise


def planned(outline: Outline, launcher: Launcher) -> Iterator[str]:
    """What the study would run; of a search only how much, because it proposes as it goes."""
    wave = []
    if not outline.searches:
        wave = next(outline.strategy(Path(outline.track_root), "", launcher.num_parallel))
    yield from announced("A study", outline, wave, launcher)
    yield "Nothing has run; the same command without --plan begins."


def _command() -> str:
    return shlex.join(["seedbed", "train", *sys.argv[1:]])


def register() -> None:
    """Makes the sweeper known to Hydra, which takes only names that look like its own plug-ins."""
    Plugins.instance().class_name_to_class["hydra_plugins.seedbed.StudySweeper"] = StudySweeper
