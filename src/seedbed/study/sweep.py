"""A Hydra sweeper that makes a multirun one study: a parent run, named children, a verdict."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from seedbed.job import Job, from_hydra
from seedbed.launch.launcher import Launcher, launcher_of
from seedbed.stopping import Stopping
from seedbed.study.outline import Outline, outlined
from seedbed.terminal import said

# A typo is refused before the record and the statistics are imported: they cost seconds.
if TYPE_CHECKING:
    from seedbed.track.record import Record
    from seedbed.track.store import Store


class StudySweeper(Sweeper):
    """Runs a study: plans it, finds what is on record, makes the rest, and concludes."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        del task_function  # Hydra's launchers would call it; ours have jobs
        self.config: DictConfig = config
        self.loader = hydra_context.config_loader

    def sweep(self, arguments: list[str]) -> list[JobReturn]:
        outline = outlined(self.config, arguments, self.loader, self._resolve)
        keys = OmegaConf.to_container(self.config.launch, resolve=True)
        assert isinstance(keys, dict)
        launcher = launcher_of(
            self.config.hydra.runtime.choices.launch, {str(key): value for key, value in keys.items()}
        )
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
            self._made(record, outline, launcher)
        return []

    def _resolve(self, overrides: Sequence[str]) -> Job:
        composed = self.loader.load_sweep_config(self.config, list(overrides))
        hydra = composed.hydra
        with open_dict(composed):
            del composed.hydra
        return from_hydra(composed, hydra, _command())

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

    def _made(self, record: "Record", outline: Outline, launcher: Launcher) -> None:
        from seedbed.errors import SubmissionError
        from seedbed.recording import closing
        from seedbed.study.work import Work
        from seedbed.verdict.members import members

        try:
            with closing(record):
                wrong = Work(launcher, record, outline).done()
        except SubmissionError:
            if not members(record.store, record.run_id):  # nothing of the study has ever run
                record.withdraw()
            raise
        if wrong:
            raise wrong


def _command() -> str:
    return shlex.join(["seedbed", "train", *sys.argv[1:]])


def register() -> None:
    """Makes the sweeper known to Hydra, which takes only names that look like its own plug-ins."""
    Plugins.instance().class_name_to_class["hydra_plugins.seedbed.StudySweeper"] = StudySweeper
