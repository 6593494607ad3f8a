"""Short real runs, read back from their record."""

from pathlib import Path

import torch
from torch import Tensor

from seedbed.job import Job
from seedbed.objective import Objective
from seedbed.reproduce.recorded import Recorded, recorded
from seedbed.track.store import Store
from seedbed.train import run
from seedbed.verdict.find import opened

COMMON = ("trainer.num_threads=1", "track.log_model=false", "evaluate_test=true")
SHORT = (*COMMON, "data=digits", "model=mlp", "model.hidden_features=[32]", "trainer.max_epochs=2")


def store_of(job: Job) -> Store:
    return opened(Path(job.config["track"]["root"]))


def trained(job: Job) -> Recorded:
    run_id = run(job).run_id  # which makes the store
    return recorded(store_of(job), run_id)


class OneUlpMore(Objective):
    """The objective and its gradient, the last digit of float32 higher."""

    def share(self, *arguments: object) -> Tensor:
        one = torch.ones(())
        return super().share(*arguments) * torch.nextafter(one, 2 * one)  # type: ignore[arg-type]
