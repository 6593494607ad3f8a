"""The record of one job, from its first line to its status, whether the job ends, fails or is stopped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from omegaconf import OmegaConf

from seedbed import config as schema
from seedbed.errors import Detached, Stopped, StoreError
from seedbed.job import REPETITION, Job
from seedbed.terminal import said
from seedbed.track.leftover import take_along
from seedbed.track.provenance import Provenance, provenance
from seedbed.track.record import Record
from seedbed.track.room import told_of_room
from seedbed.track.signature import signature
from seedbed.track.store import Store
from seedbed.track.telling import told

JOB = "job.json"
Begun = Callable[[str], None]


class Company(NamedTuple):
    """What a run has in common with others that are made at the same time in this process.

    Args:
        origin: where they all come from.
        deliver_seconds: least time from one delivery of each to its next.
    """

    origin: Provenance
    deliver_seconds: float


@contextmanager
def recorded(
    job: Job, run_id: str | None, begun: Begun | None = None, company: Company | None = None
) -> Iterator[Record]:
    """The run's record, closed with the right status however the run ends, if not by whoever has it.

    Args:
        job: what runs.
        run_id: MLflow run to go on in; None: a new one.
        begun: told the run's id before anything else is written to it.
        company: of other runs in this process, whose keeper notes the machine's load; None: the run is alone.
    """
    track = job.config["track"]
    origin = company.origin if company else provenance(Path.cwd())
    record = _opened(
        job,
        run_id,
        _identity(job) | origin.tags,
        queued=begun is not None,
        deliver_seconds=max(track["deliver_seconds"], company.deliver_seconds if company else 0.0),
    )
    if begun is not None:
        begun(record.run_id)
    with closing(record):
        if run_id is None or not record.has(JOB):  # the last of these files: a crash may have come before it
            job.save(record.folder / JOB)
            record.log_text(OmegaConf.to_yaml(job.config), "config.yaml")
            for path, text in origin.files.items():
                record.log_text(text, path)
            record.log_file(record.folder / JOB)
        # Of several ranks each watches its own device.
        alone = job.config["trainer"]["strategy"] == "single" and company is None
        with record.system_metrics(enabled=track["system_metrics"] and alone):
            yield record


@contextmanager
def closing(record: Record) -> Iterator[None]:
    """Closes a record whose work ends early: KILLED where a signal stopped it, else FAILED with its trace.

    Only where the work goes on elsewhere, it stays RUNNING.
    """
    try:
        with told_of_room():
            yield
    except Detached:
        record.leave()
        raise
    except Stopped:
        record.finish("KILLED", patient=False)
        raise
    except BaseException as error:
        try:
            record.fail(error)
        except StoreError as unsaid:
            error.add_note(f"The record does not say so. {unsaid}")
        raise


def _opened(
    job: Job, run_id: str | None, tags: dict[str, str], *, queued: bool, deliver_seconds: float
) -> Record:
    """The record of a run; one of a study, or out of a queue, may begin while the store is away."""
    track = job.config["track"]
    of_study = track["parent_run_id"] is not None
    store = Store.open(
        Path(track["root"]),
        offline=track["offline"],
        may_be_away=of_study or queued or run_id is not None,
        patience_seconds=track["patience_seconds"],
        deliver_seconds=deliver_seconds,
    )
    if not of_study:
        take_along(store, said, but=store.root / "runs" / run_id if run_id else None)
    if run_id is not None:
        same = {name: tags[name] for name in ("seedbed.signature", "seedbed.code_digest")}
        return Record.resume(store, run_id, params=job.params, same=same)
    return Record.start(
        store,
        experiment=track["experiment"],
        name=job.name,
        params=job.params,
        tags=tags,
        parent_run_id=track["parent_run_id"],
        may_wait=of_study or queued,
    )


def job_of(store: Store, run_id: str) -> Job:
    """The job of a run, from its folder or, elsewhere, from its artifacts; recorded in this store.

    Raises:
        StoreError: for a run that keeps none, such as a study or another program's.
    """
    with TemporaryDirectory() as folder:
        path = store.root / "runs" / run_id / JOB
        if not path.exists():
            with told(f"run {run_id}", do="Resume a run of seedbed; a study goes on by its own command."):
                path = Path(store.client.download_artifacts(run_id, JOB, folder))
        job = Job.load(path)
    job.config["track"]["root"] = str(store.root)
    return job


def job_signature(job: Job) -> str:
    """Identity of a job's config: what can move its result."""
    return signature(job.config, schema.circumstances())


def _identity(job: Job) -> dict[str, str]:
    study = job.config["study"]
    stage, objective = study["stage"], study["objectives"][0]
    return {
        "seedbed.kind": "run",
        "seedbed.signature": job_signature(job),
        "seedbed.setting": signature(job.config, schema.circumstances() | set(REPETITION)),
        "seedbed.command": job.command,
        **({"seedbed.stage": stage, "seedbed.objective": objective} if stage else {}),
        **({"seedbed.reproduces": job.reproduces} if job.reproduces else {}),
    }
