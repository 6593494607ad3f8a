"""A re-run is judged by what its record holds, and what may explain it is named."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedbed.errors import StoreError
from seedbed.reproduce.distribution import Interval
from seedbed.reproduce.judgement import EXIT_CODES, judge
from seedbed.reproduce.recorded import Recorded
from tests.conftest import MakeJob, jobs_in
from tests.data.tiny import write_folder
from tests.reproduce.runs import COMMON, SHORT, OneUlpMore, trained

FOLDER = ("data=image_folder", "data.num_workers=0", "data.crop_padding=0", "data.flip=false")
FAMILIES: dict[str, tuple[str, ...]] = {
    "logistic": ("data=breast_cancer",),
    "softmax": ("data=digits",),
    "one_vs_rest": ("data=digits",),
    "mlp": ("data=digits", "model.dropout=0.2"),
    "cnn": ("data=digits", "model.dropout=0.2", "data.crop_padding=1"),
    "resnet9": (*FOLDER, "data.image_size=16", "model.width=2", "data.batch_size=7"),
    "hashed_logistic": ("data=clicks", "data.num_rows=2000"),
    "alexnet": (*FOLDER, "data.image_size=227", "data.batch_size=16"),
}
EXPLAINED = "What may explain it, most likely first:"
CONF = Path(__file__).parents[2] / "conf" / "model"


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeJob]:
    with jobs_in(tmp_path_factory.mktemp("judgement")) as make_job:
        yield make_job


@pytest.fixture(scope="module")
def original(make: MakeJob) -> Recorded:
    return trained(make(*SHORT))


def photos(root: Path, **keys: Any) -> tuple[str, ...]:
    return (f"data.root={write_folder(root / 'photos', **keys)}", f"data.cache_dir={root / 'cache'}")


def test_every_family_has_its_case() -> None:
    assert {path.stem for path in CONF.glob("*.yaml")} == set(FAMILIES)


@pytest.mark.parametrize(
    "family",
    [pytest.param(name, marks=pytest.mark.slow if name == "alexnet" else ()) for name in FAMILIES],
)
def test_every_family_gives_the_same_bits_twice(
    make: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    monkeypatch.setattr("seedbed.model.alexnet.HIDDEN_FEATURES", 32)
    where = photos(tmp_path) if family in ("resnet9", "alexnet") else ()
    job = make(f"model={family}", *FAMILIES[family], *where, *COMMON, "trainer.max_epochs=2")
    first, second = trained(job), trained(job)
    judgement = judge(first, second)
    assert judgement.told == [
        "identical: the weights before the first and after each of 2 epochs, the test logits and "
        f"{len(first.history)} metrics are equal bit for bit."
    ]
    assert (judgement.verdict, judgement.place, judgement.causes) == ("identical", "", [])


def test_a_digit_of_the_weight_decay_is_named(make: MakeJob, original: Recorded) -> None:
    again = trained(make(*SHORT, "optimizer.weight_decay=0.02"))
    judgement = judge(original, again)
    assert judgement.verdict == "different"
    assert judgement.told == [
        f"different: furthest apart is {judgement.deviation.told()}, but optimizer.weight_decay can do more "
        "than round.",
        f"First to differ: {judgement.place}.",
        EXPLAINED,
        "  config, optimizer.weight_decay: 0.01, then 0.02",
    ]
    assert original.objectives is not None
    step = np.flatnonzero(original.objectives != again.objectives)[0] + 1
    assert 1 < step <= 18  # the first objective is of weights that nothing has pulled yet
    place = f"the weights after epoch 1, the objective of step {step}, train/loss of epoch 1"
    assert judgement.place == place


def test_a_change_that_moves_the_metrics_is_no_rounding_however_little(
    make: MakeJob, original: Recorded
) -> None:
    again = trained(make(*SHORT, "optimizer.weight_decay=0.11", "trainer.num_threads=2"))
    judgement = judge(original, again)
    assert judgement.verdict == "different"
    assert judgement.deviation.share < 1
    assert judgement.told == [
        f"different: furthest apart is {judgement.deviation.told()}, but optimizer.weight_decay can do more "
        "than round.",
        f"First to differ: {judgement.place}.",
        EXPLAINED,
        "  config, optimizer.weight_decay: 0.01, then 0.11",
        "  threads, num_threads: 1, then 2",
    ]


def test_another_seed_is_another_run(make: MakeJob, original: Recorded) -> None:
    judgement = judge(original, trained(make(*SHORT, "seed=1")))
    first, place, head, seed, *splits = judgement.told
    assert re.fullmatch(r"different: furthest apart is \S+ of epoch \d, .* tolerance .*\.", first)
    assert judgement.deviation.share > 1
    assert place == (
        "First to differ: the initial weights, the objective of step 1, train/accuracy of epoch 1."
    )
    assert [head, seed] == [EXPLAINED, "  config, seed: 0, then 1"]
    assert [line.partition(":")[0] for line in splits] == ["  data, places of train", "  data, places of val"]


def test_another_number_of_threads_only_rounds(make: MakeJob) -> None:
    """At a learning rate that converges: one that does not lets rounding grow without bound on some CPUs."""
    keys = ("data=digits", "model=mlp", "optimizer=sgd", "optimizer.lr=0.1", "optimizer.momentum=0.9")
    steady = (*COMMON, *keys, "schedule=constant", "trainer.max_epochs=3")
    one, two = (trained(make(*steady, f"trainer.num_threads={number}")) for number in (1, 2))
    judgement = judge(one, two)
    assert judgement.verdict in ("identical", "same metrics", "within tolerance")  # as the machine rounds
    assert judgement.told[-1] == "  threads, num_threads: 1, then 2"
    assert [cause.reach for cause in judgement.causes] == ["rounding"]


def test_one_pixel_of_the_data_is_named(make: MakeJob, tmp_path: Path) -> None:
    keys = (*SHORT, *FOLDER, "data.image_size=8", "data.batch_size=8", *photos(tmp_path))
    first = trained(make(*keys))
    path = tmp_path / "photos/cat/00.png"
    pixels = np.asarray(Image.open(path)).copy()
    pixels[3, 4] ^= 255
    Image.fromarray(pixels).save(path)
    judgement = judge(first, trained(make(*keys)))
    assert judgement.verdict == "different"
    assert judgement.told[0].startswith("different: furthest apart is ")
    (cause,) = judgement.causes
    assert (cause.kind, cause.what) == ("data", "content of train, val, test")
    assert judgement.told[-1] == f"  {cause.told()}"


def test_code_that_moves_the_loss_by_its_last_digit_is_named(
    make: MakeJob, original: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedbed.assembly.Objective", OneUlpMore)
    monkeypatch.setattr("seedbed.track.provenance.code_digest", lambda _: "0123456789abcdef")
    judgement = judge(original, trained(make(*SHORT)))
    digest = original.tags["seedbed.code_digest"]
    assert judgement.told == [
        "same metrics: 26 metrics end in the same 4 decimals.",
        "First to differ: the weights after epoch 1, the objective of step 1, train/loss of epoch 1.",
        EXPLAINED,
        f"  code, digest of the Python files: {digest}, then 0123456789abcdef",
    ]


def moved(run: Recorded, share: float, **changes: Any) -> Recorded:
    """The run with all losses so much higher, as if its weights had been others."""
    history = {
        name: {
            step: value * (1 + share) if name.endswith("loss") else value for step, value in values.items()
        }
        for name, values in run.history.items()
    }
    assert run.trace is not None
    trace = run.trace | {"epochs": [run.trace["epochs"][0], "0" * 64]}
    return run._replace(history=history, trace=trace, **changes)


def test_rounding_that_is_explained_is_within_tolerance(original: Recorded) -> None:
    threads = original.in_force | {"num_threads": 7}
    judgement = judge(original, moved(original, 0.019, in_force=threads))
    assert judgement.verdict == "within tolerance"
    assert judgement.told == [
        f"within tolerance: furthest apart is {judgement.deviation.told()}; what differs can only round.",
        "First to differ: the weights after epoch 2, train/loss of epoch 1.",
        EXPLAINED,
        "  threads, num_threads: 1, then 7",
    ]
    assert judgement.deviation.told().endswith(": 1.9 %, tolerance 2 %")
    assert judge(original, moved(original, 0.021, in_force=threads)).verdict == "different"


def test_rounding_that_nothing_explains_is_different(original: Recorded) -> None:
    told = judge(original, moved(original, 0.019)).told
    assert told[0].startswith("different: furthest apart is ")
    assert told[0].endswith(", but no difference on record explains any.")
    assert told[-1] == (
        "Nothing on record explains it: config, data, code, packages, device, threads and flags are the same."
    )


def test_a_fresh_seed_inside_the_interval_is_of_the_same_distribution(
    make: MakeJob, original: Recorded
) -> None:
    again = trained(make(*SHORT, "seed=2"))
    value = again.final["test/accuracy"]
    judgement = judge(original, again, Interval("test/accuracy", value - 0.1, value + 0.1, 5))
    assert judgement.verdict == "same distribution"
    assert judgement.told[1] == (
        f"With a fresh seed test/accuracy is {value:.4f}, inside [{value - 0.1:.4f}, {value + 0.1:.4f}], "
        "where 5 runs of the study let 95 % of further runs fall."
    )
    outside = judge(original, again, Interval("test/accuracy", value - 0.2, value - 0.1, 5))
    assert outside.verdict == "different"
    assert f"is {value:.4f}, outside [" in outside.told[1]


def test_an_interval_is_for_fresh_seeds_only(make: MakeJob, original: Recorded) -> None:
    again = trained(make(*SHORT, "seed=2", "optimizer.lr=0.1"))
    everywhere = Interval("test/accuracy", 0.0, 1.0, 5)
    assert judge(original, again, everywhere).verdict == "different"
    assert "fresh seed" not in " ".join(judge(original, again, everywhere).told)


def test_an_interval_is_for_the_same_data_only(make: MakeJob, original: Recorded) -> None:
    again = trained(make(*SHORT, "seed=2"))
    everywhere = Interval("test/accuracy", 0.0, 1.0, 5)
    assert judge(original, again, everywhere).verdict == "same distribution"
    other = {split: profile | {"content_digest": "f" * 64} for split, profile in again.datasets.items()}
    assert judge(original, again._replace(datasets=other), everywhere).verdict == "different"


def test_weights_that_are_not_on_record_are_not_identical(original: Recorded) -> None:
    judgement = judge(original, original._replace(trace=None))
    assert (judgement.verdict, judgement.place) == ("same metrics", "")


def test_what_differs_and_moves_nothing_is_told_all_the_same(original: Recorded) -> None:
    other = original._replace(in_force=original.in_force | {"num_threads": 7})
    verdict, *lines = judge(original, other).told
    assert verdict.startswith("identical: ")
    assert lines == ["It differs all the same:", "  threads, num_threads: 1, then 7"]


def test_a_metric_of_one_run_only_is_furthest_apart(original: Recorded) -> None:
    history = {name: values for name, values in original.history.items() if name != "test/loss"}
    judgement = judge(original, original._replace(history=history))
    value = f"{original.final['test/loss']:.6g}"
    assert judgement.told[:2] == [
        f"different: furthest apart is test/loss of epoch 2, {value} against none.",
        "First to differ: test/loss of epoch 2.",
    ]


def test_other_logits_alone_are_not_identical(original: Recorded) -> None:
    assert original.trace is not None
    other = original._replace(trace=original.trace | {"test_logits": "0" * 64})
    assert judge(original, other).told[1] == "First to differ: the test logits."


def test_one_value_in_the_middle_is_found(original: Recorded) -> None:
    history = original.history | {"val/loss": original.history["val/loss"] | {1: math.nan}}
    other = original._replace(history=history)
    judgement = judge(original, other)
    assert judgement.place == "val/loss of epoch 1"
    assert judgement.deviation.share == math.inf
    assert judge(other, other).verdict == "identical"  # NaN is NaN


def test_more_epochs_part_where_the_fewer_end(make: MakeJob, original: Recorded) -> None:
    steady = (*SHORT, "schedule=constant")
    fewer, more = trained(make(*steady)), trained(make(*steady, "trainer.max_epochs=3"))
    judgement = judge(fewer, more)
    assert judgement.verdict == "different"
    assert judgement.place.startswith("the weights after epoch 3, the objective of step 37, ")


def test_a_run_without_metrics_is_refused(original: Recorded) -> None:
    with pytest.raises(StoreError, match="expected metrics to compare, got none on a run that is FAILED"):
        judge(original, original._replace(history={}, status="FAILED"))


def test_the_exit_codes_are_those_documented() -> None:
    assert EXIT_CODES == {
        "identical": 0,
        "same metrics": 3,
        "within tolerance": 4,
        "same distribution": 5,
        "different": 1,
    }
