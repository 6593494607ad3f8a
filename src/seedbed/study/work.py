"""A study at work: says what it will run, runs what is missing, concludes."""

import sys

from rich.console import Console

from seedbed.errors import TrainingError
from seedbed.launch.launcher import Launcher
from seedbed.study.conclude import conclude
from seedbed.study.estimate import Pace
from seedbed.study.outline import Outline
from seedbed.study.plan import Planned
from seedbed.study.progress import StudyProgress
from seedbed.study.runner import Runner
from seedbed.study.stages import announced, stages
from seedbed.terminal import duration
from seedbed.track.record import Record

# Of a table that goes to a file or a pipe.
NUM_COLUMNS = 110


class Work:
    """One study being done.

    Args:
        launcher: makes the runs.
        record: the study's, locked.
        outline: what was asked for.
    """

    def __init__(self, launcher: Launcher, record: Record, outline: Outline) -> None:
        self.launcher, self.record, self.outline = launcher, record, outline
        self.out = Console(width=None if sys.stdout.isatty() else NUM_COLUMNS)
        self.num_runs = sum(number for _, number in stages(outline))
        self.pace = self._pace()
        self.progress = StudyProgress(self.num_runs, self.pace)
        self.runner = Runner(
            launcher,
            record,
            max_failures=outline.study["max_failures"],
            progress=self.progress,
            say=self.say,
        )

    def say(self, line: str) -> None:
        self.out.print(line, highlight=False, markup=False, soft_wrap=True)

    def done(self) -> TrainingError | None:
        """Runs the study to its end; what was wrong with it, if anything was."""
        spent = None
        strategy = self.outline.strategy(self.record.folder, self.record.run_id, self.launcher.num_parallel)
        try:
            wave = next(strategy)
            self._announce(wave)
            self.progress.start()
            while True:
                wave = strategy.send(self.runner.run(wave))
        except StopIteration:
            pass
        except TrainingError as error:
            spent = error
        finally:
            self.progress.stop()
        return conclude(self.record, self.outline, self.runner.failed, spent, self.out)

    def _announce(self, wave: list[Planned]) -> None:
        for line in announced(f"Study {self.record.run_id[:8]}", self.outline, wave, self.launcher):
            self.say(line)
        counted = sum(self.runner.on_record(planned) is not None for planned in wave)
        if counted:
            self.say(f"{counted} of these are on record and count.")
        self.say(self._estimate(self.num_runs - counted))

    def _pace(self) -> float | None:
        outline = self.outline
        experiment = self.record.store.client.get_run(self.record.run_id).info.experiment_id
        name = self.record.store.client.get_experiment(experiment).name
        settings = outline.settings or [outline.planner.setting({})]
        return Pace(self.record.store, name).mean_seconds(
            outline.planner.job(setting) for setting in settings
        )

    def _estimate(self, num_runs: int) -> str:
        if self.pace is None:
            return "No estimate: no finished run of this model and data is on record to go by."
        return f"About {duration(num_runs * self.pace)}, one run after the other (from runs on record)."
