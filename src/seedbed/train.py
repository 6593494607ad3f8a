"""One run, from a job to a closed record."""

from seedbed import strategy
from seedbed.growing import Outcome as Outcome
from seedbed.growing import Plot, grow
from seedbed.harvest import let_go
from seedbed.job import Job
from seedbed.optim import sense
from seedbed.pruning import Watch
from seedbed.ranks.group import together
from seedbed.recording import Begun, recorded
from seedbed.seat import Seat
from seedbed.stopping import Stopping
from seedbed.track.manifest import seal


def run(
    job: Job, run_id: str | None = None, watch: Watch | None = None, begun: Begun | None = None
) -> Outcome:
    """Trains, evaluates and records one job, in this process or in several.

    Args:
        job: what to run.
        run_id: MLflow run that was cut off, to go on in; None: a new one. What comes out is, to the
            last bit, what an undisturbed run would have given.
        watch: hears every epoch's validation and may end the run early; None: the search's, if any.
        begun: told the run's id as soon as there is one; None: nobody asks.

    Raises:
        SeedbedError: for a configuration, data or store that cannot work, or a run that cannot go on.
        Stopped: where a signal ended the run; its record is KILLED.
    """
    sense.check(job.config)
    strategy.check(job.config)
    stopping = Stopping()
    with stopping.listening(), recorded(job, run_id, begun) as record:
        if job.config["trainer"]["strategy"] == "single":
            plot = Plot(job, Seat(), record.folder, record, stopping)
            outcome = grow(plot, resumed=run_id is not None, watch=watch)
        else:
            assert watch is None, "a watch of the caller's cannot follow the run into other processes"
            outcome = together(job, record, stopping, resumed=run_id is not None)
        assert outcome is not None
        seal(record)
        record.finish("KILLED" if outcome.pruned else "FINISHED")
    if not outcome.pruned:
        let_go(record)
    return outcome
