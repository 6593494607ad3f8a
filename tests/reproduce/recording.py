"""A record for tests, of a run that nobody made."""

from typing import Any

from seedbed.job import Job
from seedbed.reproduce.recorded import Recorded
from seedbed.track.provenance import packages

NO_JOB = Job({}, {}, {}, "")


def record(*, commit: str = "", job: Job = NO_JOB, **changes: Any) -> Recorded:
    """One that was made with the present packages."""
    present = dict(line.split("==") for line in packages().splitlines())
    tags = {"mlflow.source.git.commit": commit}
    plain = Recorded("run", "run", "FINISHED", job, tags, {}, None, None, {}, {}, present, "", {})
    return plain._replace(**changes)
