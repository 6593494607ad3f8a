from collections.abc import Mapping

import pytest
import torch
from mlflow.artifacts import download_artifacts

from seedbed.config import SCHEMAS
from seedbed.job import Job
from seedbed.streams import Streams
from seedbed.study.idle import idle_streams, reasons
from seedbed.train import run
from tests.conftest import MakeJob

PLAIN = ("model=softmax", "data.val_fraction=0")
CASES = [
    (PLAIN, {"split", "augmentation", "dropout"}),
    (("model=softmax",), {"augmentation", "dropout"}),
    (("model=mlp",), {"augmentation", "dropout"}),
    (("model=mlp", "model.dropout=0.5"), {"augmentation"}),
    (("model=resnet9", "data=cifar10", "data.root=nowhere"), {"dropout"}),
    ((*PLAIN, "data.flip=true"), {"split", "dropout"}),
    ((*PLAIN, "data.crop_padding=1"), {"split", "dropout"}),
    ((*PLAIN, "data.num_folds=5", "data.fold=0"), {"augmentation", "dropout"}),
    ((*PLAIN, "data.num_inner_folds=5", "data.inner_fold=0"), {"augmentation", "dropout"}),
    (("model=logistic", "data=chd"), {"split", "augmentation", "dropout"}),
    (("model=hashed_logistic", "data=clicks"), {"split", "init", "order", "augmentation", "dropout"}),
    (
        ("model=hashed_logistic", "data=clicks", "data.negative_fraction=0.5"),
        {"init", "order", "augmentation", "dropout"},
    ),
    ((*PLAIN, "data.batch_size=null"), {"split", "augmentation", "dropout"}),
]


@pytest.mark.parametrize(("overrides", "idle"), CASES)
def test_a_stream_is_idle_where_nothing_draws_from_it(
    make_job: MakeJob, overrides: tuple[str, ...], idle: set[str]
) -> None:
    assert idle_streams(make_job(*overrides).config) == idle


@pytest.mark.parametrize("option", SCHEMAS["model"])
def test_every_model_can_be_asked(make_job: MakeJob, option: str) -> None:
    has_dropout = "dropout" in make_job(f"model={option}").config["model"]
    used = make_job(f"model={option}", *(["model.dropout=0.1"] if has_dropout else []))
    assert ("dropout" in idle_streams(used.config)) is not has_dropout


def test_every_idle_stream_has_a_reason(make_job: MakeJob) -> None:
    assert reasons(make_job(*PLAIN).config) == {
        "split": "data.val_fraction=0 and no folds: nothing is cut off",
        "augmentation": "no crop and no flip: every epoch sees the same images",
        "dropout": "no dropout: no unit is silenced",
    }


def result(job: Job) -> Mapping[str, torch.Tensor]:
    """The last weights of a run."""
    uri = f"sqlite:///{job.config['track']['root']}/mlflow.db"
    path = download_artifacts(run_id=run(job).run_id, artifact_path="checkpoints/last.ckpt", tracking_uri=uri)
    state = torch.load(path, weights_only=True)["state_dict"]
    return {name: value for name, value in state.items() if name.startswith("network.")}


@pytest.mark.parametrize(
    "overrides",
    [
        PLAIN,
        (*PLAIN, "data.batch_size=null", "schedule=constant", "data.num_folds=5", "data.fold=0"),
        ("model=mlp", "model.dropout=0.2", "data.crop_padding=1"),
        (
            *("model=hashed_logistic", "data=clicks", "data.num_rows=600", "data.negative_fraction=0.5"),
            "data.batch_size=64",
        ),
    ],
)
def test_idle_streams_move_no_bit_of_the_weights_and_all_others_do(
    make_job: MakeJob, overrides: tuple[str, ...]
) -> None:
    short = (*overrides, "trainer.max_epochs=1", "trainer.num_threads=1", "track.log_model=false")
    idle = idle_streams(make_job(*short).config)
    before = result(make_job(*short))
    for stream in Streams._fields:
        after = result(make_job(*short, f"streams.{stream}=1"))
        same = all(torch.equal(before[name], after[name]) for name in before)
        assert same is (stream in idle), stream
