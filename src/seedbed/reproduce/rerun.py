"""One more run of a recorded job, in a process of its own, where the record says or here."""

import copy
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from seedbed.errors import Stopped
from seedbed.job import Job
from seedbed.recording import job_signature
from seedbed.reproduce.check import UNPACKED_DATA
from seedbed.reproduce.recorded import Recorded
from seedbed.reproduce.replay import DATA, JOB, OUTCOME
from seedbed.reproduce.situation import Situation, situation
from seedbed.resuming import altered
from seedbed.stopping import Stopping
from seedbed.track.store import Store

# Keys that hold a folder, which may be named from the working directory.
FOLDERS = ("root", "cache_dir")
DIGESTS = ("content_digest", "split_digest")


class Options(NamedTuple):
    """How a run is repeated.

    Args:
        here: with the present code and packages in place of the recorded ones.
        allow_data_change: also on data with other digests.
        fresh_seed: another root seed; None: the recorded one.
        overrides: `KEY=VALUE`, any key of the run.
        command: what the user typed.
    """

    here: bool = False
    allow_data_change: bool = False
    fresh_seed: int | None = None
    overrides: tuple[str, ...] = ()
    command: str = "seedbed reproduce"


class RerunError(Exception):
    """A re-run that did not finish; its own words are on the terminal already.

    Args:
        code: exit code of its process; 128 + n: stopped by signal n.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def rerun(store: Store, original: Recorded, options: Options) -> str:
    """Runs the recorded job once more, as a new run that says which one it reproduces.

    Args:
        store: where the record is and the new run goes.
        original: the record.
        options: what is to be as recorded, and what not.

    Returns:
        The new run's id.

    Raises:
        SeedbedError: for a situation that cannot be rebuilt, or an override that cannot be.
        RerunError: where the process ended otherwise than by finishing the run.
    """
    job = again(original, options, store.root)
    try:
        with (
            Stopping().listening(),  # so that SIGTERM, too, leaves nothing behind
            TemporaryDirectory(prefix="seedbed-") as scratch,
            situation(original, store.root, here=options.here) as place,
        ):
            folder = Path(scratch)
            job.save(folder / JOB)
            if not options.allow_data_change:
                (folder / DATA).write_text(json.dumps(digests(original, job)))
            return _run(place, folder, store.uri)
    except Stopped as stopped:
        raise RerunError(128 + stopped.signal_number) from None


def again(original: Recorded, options: Options, root: Path) -> Job:
    """The recorded job as it is to run now: in no study, under a name that tells it from the original.

    Args:
        original: the record.
        options: what is to be as recorded, and what not.
        root: folder of the store.
    """
    seed = () if options.fresh_seed is None else (f"seed={options.fresh_seed}",)
    job = altered(original.job, (*options.overrides, *seed))
    config = copy.deepcopy(job.config)
    place = {"root": str(root), "parent_run_id": None, "run_id": None}
    config["track"] |= place | {"run_name": f"{original.name} again"}
    config["study"] |= {"trial": None}  # no search ends it early
    if UNPACKED_DATA in original.tags and config["data"]["root"] == original.job.config["data"]["root"]:
        config["data"]["root"] = str(root / original.tags[UNPACKED_DATA])
    for name in FOLDERS:
        if name in config["data"] and not options.here:  # the process works in another folder
            config["data"][name] = str(Path(config["data"][name]).expanduser().absolute())
    return replace(job, config=config, command=options.command, reproduces=original.run_id)


def digests(original: Recorded, job: Job) -> dict[str, dict[str, str]]:
    """What the data must agree in: its content, and the places of its splits unless the job may move them."""
    names = DIGESTS if job_signature(job) == job_signature(original.job) else DIGESTS[:1]
    return {split: {name: profile[name] for name in names} for split, profile in original.datasets.items()}


def _run(place: Situation, folder: Path, uri: str) -> str:
    """Runs the folder's job in this place, recorded in the store of this address; the new run's id."""
    # Said, because an address that the variable names from the working directory is another one there.
    code = _ended(place, folder, place.environment() | {"MLFLOW_TRACKING_URI": uri})
    if code:
        raise RerunError(code)
    return str(json.loads((folder / OUTCOME).read_text())["run_id"])


def _ended(place: Situation, folder: Path, variables: dict[str, str]) -> int:
    """Exit code of the process that runs the folder's job; as a shell has it, where a signal killed it."""
    with subprocess.Popen(
        place.command(str(folder)),
        cwd=place.folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        process_group=0,  # a terminal's Ctrl-C comes to us alone, and once from us to it
    ) as process:
        while True:
            try:
                code = process.wait()
            except Stopped as stopped:  # it knows how to end its run, and we wait for that
                process.send_signal(stopped.signal_number)
            else:
                return code if code >= 0 else 128 - code
