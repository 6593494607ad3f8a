"""Our side where a part of a run is timed: a job as `seedbed train` makes it, run in this process.

python -m experiments.speed.ours SUBJECT KEY=VALUE...
"""

import statistics
import sys
from itertools import pairwise
from pathlib import Path

from experiments.speed.measuring import Cost, spent, tell
from seedbed import config, lean

lean.put_off()  # before torch, as the command does

from hydra import compose, initialize_config_dir  # noqa: E402
from omegaconf import open_dict  # noqa: E402

from seedbed.composing import from_hydra  # noqa: E402
from seedbed.job import Job  # noqa: E402
from seedbed.train import run  # noqa: E402

# Imports and whatever else only the first run of a process pays.
WARMING = ("data=digits", "model=softmax", "trainer.max_epochs=1")


def job_of(*overrides: str) -> Job:
    composed = compose("train", list(overrides), return_hydra_config=True)
    hydra = composed.hydra
    with open_dict(composed):
        del composed["hydra"]
    return from_hydra(composed, hydra, " ".join(["seedbed train", *overrides]))


def root_of(overrides: list[str]) -> str:
    return next(override for override in overrides if override.startswith("track.root="))


def epochs(overrides: list[str]) -> None:
    """The first epoch, from the start of its run in a warm process, and the median of the later ones.

    An epoch is all of it: steps, validation if any, metrics to the store, checkpoint, digest of the weights.
    """
    run(job_of(*WARMING, root_of(overrides)))
    job = job_of(*overrides)
    clock = [spent()]
    outcome = run(job, watch=lambda *_: clock.append(spent()))
    costs = [after - before for before, after in pairwise(clock)]
    later = Cost(*(statistics.median(one) for one in zip(*costs[1:], strict=True)))
    names = ("test/accuracy", "best_val/accuracy", "train/accuracy")
    accuracy = next(outcome.metrics[name] for name in names if name in outcome.metrics)
    tell({"first epoch": costs[0], "epoch": later}, accuracy=accuracy)


def tracked(overrides: list[str]) -> None:
    """A run in a process that is warm."""
    run(job_of(*WARMING, root_of(overrides)))
    job, began = job_of(*overrides), spent()
    outcome = run(job)
    tell({"run": spent() - began}, accuracy=outcome.metrics["best_val/accuracy"])


def untracked(overrides: list[str]) -> None:
    """The same fit, validation and checkpoints without a record, as ranks other than the first make it."""
    _grow(job_of(*WARMING, root_of(overrides)))
    job, began = job_of(*overrides), spent()
    _grow(job)
    tell({"run": spent() - began})


def alone(overrides: list[str]) -> None:
    """As `untracked`, in a process that does nothing else."""
    _grow(job_of(*overrides))
    tell({}, mlflow_imported="mlflow" in sys.modules)


def _grow(job: Job) -> None:
    from tempfile import TemporaryDirectory

    from seedbed.growing import Plot, grow
    from seedbed.seat import Seat
    from seedbed.stopping import Stopping

    with TemporaryDirectory() as folder:
        grow(Plot(job, Seat(), Path(folder), None, Stopping()), resumed=False)


def optimum(overrides: list[str]) -> None:
    """A fit of softmax regression, and the objective that its weights have."""
    import torch

    from experiments.speed.scikit import objective, read

    run(job_of(*WARMING, root_of(overrides)))
    job = job_of(*overrides)
    outcome = run(job)
    (best,) = Path(job.config["track"]["root"]).glob(f"**/{outcome.run_id}/**/best.ckpt")
    weights = torch.load(best, weights_only=True)["state_dict"]
    inputs, labels = read(job.config["data"]["root"])
    weight, bias = (weights[f"network.linear.{name}"].double().numpy() for name in ("weight", "bias"))
    if job.config["data"]["centred"]:  # the same model of pixels that are not
        bias = bias - weight @ inputs.mean(axis=0, dtype="float64")
    spent_fitting = (outcome.metrics[f"fit/{name}_seconds"] for name in ("cpu", "wall"))
    tell({"fit": Cost(*spent_fitting)}, objective=objective(weight, bias, inputs, labels))


SUBJECTS = {subject.__name__: subject for subject in (epochs, tracked, untracked, alone, optimum)}

if __name__ == "__main__":
    config.register()
    with initialize_config_dir(str(config.folder()), version_base="1.3"):
        SUBJECTS[sys.argv[1]](sys.argv[2:])
