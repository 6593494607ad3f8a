"""A saved job, run once more by the process that was started for it where it is to run.

The folder is all that this process and the one that started it share. Code of another commit may be
on the other side, so what its files are called and hold does not change.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from seedbed.assembly import assemble
from seedbed.errors import DataError
from seedbed.job import Job
from seedbed.train import run

JOB, DATA, OUTCOME = "job.json", "data.json", "outcome.json"


def replay(folder: Path) -> None:
    """Runs the folder's job if its data is what the folder says; leaves the outcome there.

    Args:
        folder: with `job.json`, and with `data.json` (split to digests by name) if the data must agree.

    Raises:
        SeedbedError: for other data, and as `train.run`.
        Stopped: where a signal ended the run.
    """
    job = Job.load(folder / JOB)
    if (folder / DATA).exists():
        check_data(job, json.loads((folder / DATA).read_text()))
    outcome = run(job)
    (folder / OUTCOME).write_text(json.dumps(outcome._asdict()))


def check_data(job: Job, expected: Mapping[str, Mapping[str, str]]) -> None:
    """Reads the job's data and refuses it where a digest is another one.

    Args:
        job: whose data.
        expected: split to name of a digest to that digest.

    Raises:
        DataError: naming split and digests, also where there is nothing to read.
    """
    try:
        found = {split.split: split._asdict() for split in assemble(job.config).data.identity()}
    except DataError as error:
        error.add_note(f"On record: {_listed(expected)}")
        raise
    for split, digests in expected.items():
        for name, digest in digests.items():
            got = found[split][name] if split in found else "no such split"
            if got != digest:
                raise DataError(
                    f"{name} of the {split} split",
                    expected=f"{digest}, as recorded",
                    got=got,
                    do="Bring the recorded data back, or run on what is there with --allow-data-change.",
                )


def _listed(expected: Mapping[str, Mapping[str, str]]) -> str:
    return "; ".join(
        f"{split} " + ", ".join(f"{name} {digest}" for name, digest in digests.items())
        for split, digests in expected.items()
    )
