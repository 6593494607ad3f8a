"""Makes the runs of a study that are not on record yet, and hands back those that are."""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from seedbed.errors import TrainingError
from seedbed.job import Job, typed
from seedbed.launch.launcher import Launcher
from seedbed.study.plan import Planned
from seedbed.study.progress import StudyProgress
from seedbed.track.patience import complete, when_there
from seedbed.verdict.members import Member, members, of_run

if TYPE_CHECKING:
    from seedbed.track.record import Record

# A run of either kind is not made again.
COUNTS = ("FINISHED", "PRUNED")


class Runner:
    """The runs of one study, on record and to be made.

    Args:
        launcher: makes them.
        parent: the study's record.
        max_failures: failed runs beyond which no more are started; None: no limit.
        progress: told of every run.
        say: prints a line.
    """

    def __init__(
        self,
        launcher: Launcher,
        parent: "Record",
        *,
        max_failures: int | None,
        progress: StudyProgress,
        say: Callable[[str], None],
    ) -> None:
        self._launcher, self._parent = launcher, parent
        self._max_failures = max_failures
        self._progress, self._say = progress, say
        client = parent.store.client
        self._experiment = client.get_experiment(client.get_run(parent.run_id).info.experiment_id).name
        self._known: dict[str, Member] = {}
        for member in members(parent.store, parent.run_id):
            self._know(member)
        self._tried: set[str] = set()
        self.failed: dict[str, Member] = {}

    def _know(self, member: Member) -> None:
        signature = member.tags.get("seedbed.signature", "")
        if signature not in self._known or member.status in COUNTS:
            self._known[signature] = member

    def on_record(self, planned: Planned) -> Member | None:
        """The run of this signature that is not made again: finished, pruned, or tried already."""
        member = self._known.get(planned.signature)
        if member is None or (member.status not in COUNTS and planned.signature not in self._tried):
            return None
        return member

    def run(self, wave: Sequence[Planned]) -> list[Member]:
        """Makes what is missing of a wave; the members of all, in its order.

        Raises:
            TrainingError: where more runs failed than the study allows.
        """
        self._progress.more(len(wave))
        missing: dict[str, Planned] = {}  # once each: a search may propose a setting twice
        for planned in wave:
            member = self.on_record(planned)
            if member is None:
                missing[planned.signature] = planned
            else:
                self._progress.done(member, made=False)
        if missing:
            self._make(list(missing.values()))
        return [self._known[planned.signature] for planned in wave]

    def _make(self, left: Sequence[Planned]) -> None:
        # All of them now: what is edited while the first ones run does not reach the last.
        jobs = [self._job(planned) for planned in left]
        with closing(self._launcher.launch(jobs, self._parent.folder, self._progress.hear)) as endings:
            for ended in endings:
                self._note(left[ended.number], ended.error)
                if self._too_many_failed:
                    self._launcher.hold()
        if self._too_many_failed:
            raise TrainingError(
                "study",
                expected=f"at most study.max_failures={self._max_failures} failed runs",
                got=f"{len(self.failed)} ({', '.join(self.failed)})",
                do="No more were started. Look at their error.txt; the same command goes on from here.",
            )

    def _note(self, planned: Planned, error: BaseException | None) -> None:
        self._tried.add(planned.signature)
        member = when_there(self._parent.store, partial(self._made, planned, error), self._say)
        self._know(member)
        if member.status not in COUNTS:
            self.failed[planned.name] = member
        self._say(self._progress.done(member, made=True))

    @property
    def _too_many_failed(self) -> bool:
        return self._max_failures is not None and len(self.failed) > self._max_failures

    def _job(self, planned: Planned) -> Job:
        found = self._known.get(planned.signature)
        told = {
            "track.experiment": self._experiment,  # the study's, also where a swept option has its own
            "track.parent_run_id": self._parent.run_id,
            "track.run_name": planned.name,
            "track.run_id": found.run_id if found else None,
        }
        return typed(planned.job, told)

    def _made(self, planned: Planned, error: BaseException | None) -> Member:
        """The run as the record has it; one that failed before it had a record gets one."""
        complete(self._parent.store)
        experiment = self._parent.store.client.get_run(self._parent.run_id).info.experiment_id
        wanted = f"tags.mlflow.parentRunId = '{self._parent.run_id}' AND tags.seedbed.signature = "
        found = self._parent.store.search([experiment], f"{wanted}'{planned.signature}'")
        member = of_run(found[-1]) if found else None
        if error is not None and (member is None or member.status == "RUNNING"):
            return self._failed(planned, member, error)
        assert member is not None, f"{planned.name} ended well and is not on record"
        return member

    def _failed(self, planned: Planned, member: Member | None, error: BaseException) -> Member:
        """A job that died before it could begin its record, or before it could close it."""
        from seedbed.track.record import Record

        store = self._parent.store
        if member is None:
            record = self._begun(planned)
        else:
            record = Record.resume(store, member.run_id, params={}, same={})
        record.fail(error)
        return of_run(store.client.get_run(record.run_id))

    def _begun(self, planned: Planned) -> "Record":
        from seedbed.track.record import Record

        parent = self._parent.store.client.get_run(self._parent.run_id)
        return Record.start(
            self._parent.store,
            experiment=self._experiment,
            name=planned.name,
            params={key: value for key, value in planned.overrides.items() if "." in key or key == "seed"},
            tags={
                "seedbed.kind": "run",
                "seedbed.signature": planned.signature,
                "seedbed.setting": planned.setting.digest,
                "seedbed.stage": planned.overrides.get("study.stage", ""),
                "seedbed.code_digest": parent.data.tags["seedbed.code_digest"],
            },
            parent_run_id=self._parent.run_id,
        )
