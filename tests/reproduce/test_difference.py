"""What two runs started from is compared part by part, and nothing is said twice."""

from collections.abc import Iterator
from typing import Any

import pytest

from seedbed.reproduce.difference import KINDS, differences
from seedbed.reproduce.recorded import Recorded
from tests.conftest import MakeJob, jobs_in
from tests.reproduce.runs import SHORT, trained


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeJob]:
    with jobs_in(tmp_path_factory.mktemp("difference")) as make_job:
        yield make_job


@pytest.fixture(scope="module")
def run(make: MakeJob) -> Recorded:
    return trained(make(*SHORT, "trainer.max_epochs=1"))


def tagged(run: Recorded, **tags: str) -> Recorded:
    names = {
        "digest": "seedbed.code_digest",
        "commit": "mlflow.source.git.commit",
        "resumed": "seedbed.resumed",
    }
    return run._replace(tags=run.tags | {names[name]: value for name, value in tags.items()})


def under(run: Recorded, **switches: Any) -> Recorded:
    return run._replace(in_force=run.in_force | switches)


def on_gpu(run: Recorded, make: MakeJob, **switches: Any) -> Recorded:
    job = make(*SHORT, "trainer.max_epochs=1", "trainer.accelerator=auto")
    return under(run._replace(job=job), gpus=["A"], gpu_driver="550", **switches)


def test_a_run_does_not_differ_from_itself(run: Recorded) -> None:
    assert differences(run, run) == []


def test_what_somebody_typed_is_named(run: Recorded, make: MakeJob) -> None:
    other = run._replace(job=make(*SHORT, "trainer.max_epochs=1", "optimizer.lr=0.5", "objective.l2=0.1"))
    lr = str(run.job.config["optimizer"]["lr"])
    assert sorted(differences(run, other)) == [
        ("config", "objective.l2", "0.0", "0.1"),
        ("config", "optimizer.lr", lr, "0.5"),
    ]


def test_another_model_is_one_line_and_the_keys_that_both_have(run: Recorded, make: MakeJob) -> None:
    other = run._replace(job=make("data=digits", "model=cnn", "trainer.max_epochs=1", *SHORT[:3]))
    assert [one[1:] for one in differences(run, other)] == [
        ("model", "mlp", "cnn"),
        ("model.hidden_features", "[32]", "320"),
    ]


def test_where_a_run_is_recorded_is_no_difference(run: Recorded, make: MakeJob) -> None:
    keys = ("track.experiment=other", "track.run_name=other", "trainer.progress_bar=false")
    assert differences(run, run._replace(job=make(*SHORT, "trainer.max_epochs=1", *keys))) == []


def test_threads_are_those_in_force_whatever_was_asked(run: Recorded, make: MakeJob) -> None:
    asked = run._replace(job=make(*SHORT, "trainer.max_epochs=1", "trainer.num_threads=null"))
    assert differences(run, asked) == []
    assert differences(run, under(asked, num_threads=8)) == [("threads", "num_threads", "1", "8")]


def test_processes_can_only_round(run: Recorded, make: MakeJob) -> None:
    other = run._replace(job=make(*SHORT, "trainer.max_epochs=1", "trainer=ddp", "trainer.devices=2"))
    told = differences(run, other)
    assert told == [
        ("processes", "trainer.strategy", "single", "ddp"),
        ("processes", "trainer.devices", "1", "2"),
    ]
    assert {one.reach for one in told} == {"rounding"}


def test_a_run_that_went_on_with_other_threads_says_so(run: Recorded) -> None:
    quiet = tagged(run, resumed="1: after epoch 1 of 3 on here; with data.num_workers=2")
    assert differences(run, quiet) == []
    line = "2: after epoch 2 of 3 on there; with trainer.num_threads=2"
    other = tagged(run, resumed=f"1: after epoch 1 of 3 on here\n{line}")
    assert differences(run, other) == [("processes", "resumed", "in its own place", line)]


def test_code_is_told_by_commit_and_files(run: Recorded) -> None:
    first = tagged(run, digest="a", commit="1" * 40)._replace(diff="")
    patch = "diff --git a/src/x.py b/src/x.py\n+1\ndiff --git a/y.py b/y.py\n+2\n"
    both = differences(first, tagged(first, digest="b", commit="2" * 40)._replace(diff=patch))
    assert [one[:3] for one in both] == [("code", "commit", "1" * 12), ("code", "uncommitted diff", "none")]
    assert both[0].second == "2" * 12
    assert both[1].second.startswith("src/x.py, y.py (")


def test_a_diff_without_python_moves_nothing(run: Recorded) -> None:
    first = run._replace(diff="")
    (one,) = differences(first, first._replace(diff="diff --git a/README.md b/README.md\n+1\n"))
    assert (one.kind, one.reach) == ("circumstance", "none")


@pytest.mark.parametrize(
    ("name", "reach"), [("torch", "rounding"), ("nvidia-cublas", "rounding"), ("ruff", "none")]
)
def test_packages_that_compute_can_round(run: Recorded, name: str, reach: str) -> None:
    first = run._replace(packages={name: "1.0"})
    (one,) = differences(first, run._replace(packages={name: "1.1"}))
    assert one == ("packages", name, "1.0", "1.1")
    assert one.reach == reach
    (gone,) = differences(first, run._replace(packages={"pip": "1", name: "1.0"}))
    assert gone == ("packages", "pip", "not installed", "1")


def test_the_content_that_splits_share_is_said_once(run: Recorded) -> None:
    other = {split: profile | {"content_digest": "f" * 64} for split, profile in run.datasets.items()}
    (one,) = differences(run, run._replace(datasets=other))
    assert one == (
        "data",
        "content of train, val, test",
        run.datasets["val"]["content_digest"][:12],
        "f" * 12,
    )


def test_the_device_is_what_the_run_used(run: Recorded, make: MakeJob) -> None:
    cpu = run._replace(job=make(*SHORT, "trainer.max_epochs=1", "trainer.accelerator=cpu"))
    assert differences(cpu, under(cpu, gpus=["A"], gpu_driver="550", cudnn_tf32=False)) == []
    told = differences(cpu, on_gpu(run, make))
    assert told == [("device", "device", run.machine["cpu"], "A")]


def test_tf32_is_a_flag_of_gpus(run: Recorded, make: MakeJob) -> None:
    first, second = (on_gpu(run, make, matmul_tf32=on) for on in (False, True))
    assert differences(first, second) == [("flags", "matmul_tf32", "false", "true")]


def test_what_is_not_on_both_records_is_no_difference(run: Recorded) -> None:
    assert differences(run._replace(in_force={}, machine={}, packages={}), run) == []


def test_what_explains_most_comes_first(run: Recorded, make: MakeJob) -> None:
    job = make(*SHORT, "trainer.max_epochs=1", "seed=4", "trainer.compile=true", "trainer.devices=2")
    other = tagged(under(run, num_threads=3, deterministic_algorithms=False, num_cores=7), digest="b")
    other = other._replace(job=job, packages=run.packages | {"torch": "1", "a": "1"}, datasets={})
    reaches = [one.reach for one in differences(run, other)]
    assert reaches == sorted(reaches, key=("any", "rounding", "none").index)
    kinds = [one.kind for one in differences(run, other) if one.reach == "any"]
    assert kinds == sorted(kinds, key=KINDS.index)
    assert differences(run, other)[0].what == "seed"
