"""A rank in which something goes wrong: `seedbed.ranks.rank` with SEEDBED_PLANT=WHAT:RANK:STEP."""

import os
import signal
import sys
import time
from typing import Any

from seedbed.classifier import Classifier
from seedbed.job import Job
from seedbed.ranks import rank


def plant(what: str, step: int) -> None:
    """Lets it happen when the process begins its n-th step, from 0."""
    whole = Classifier.step

    def planted(self: Classifier, batch: Any) -> None:
        if self.num_steps_done == step:
            happen(what)
        whole(self, batch)

    Classifier.step = planted  # type: ignore[assignment, method-assign]


def happen(what: str) -> None:
    if what == "raise":
        raise ValueError("planted")
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hang":
        time.sleep(600)  # far beyond any timeout that a test sets, and an end if nobody ends it
    if what == "stop":  # as a cluster tells one process of many
        os.kill(os.getpid(), signal.SIGTERM)


def mislead() -> None:
    """Lets this rank read another configuration than the others."""
    whole = Job.load

    def load(path: Any) -> Job:
        job = whole(path)
        job.config["optimizer"]["lr"] *= 2
        return job

    Job.load = load  # type: ignore[method-assign]


if __name__ == "__main__":
    what, on, step = os.environ["SEEDBED_PLANT"].split(":")
    if os.environ["RANK"] == on:
        if what == "mislead":
            mislead()
        else:
            plant(what, int(step))
    sys.exit(rank.run(sys.argv[1:]))
