"""`seedbed test`: a recorded model on a split, as a child run, with its own preprocessing."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from seedbed.errors import ConfigError, DataError, StoreError
from seedbed.harvest import NUM_READS, TEST_SPLIT
from seedbed.reproduce.verify import verify
from seedbed.use.testing import examine
from seedbed.use.trained import Trained
from seedbed.verdict.find import filtered, find, runs_of
from seedbed.verdict.members import Member
from tests.data.tiny import write_folder
from tests.use.conftest import Garden

# Another number of examples at once sums in another order.
ROUNDING = 1e-6


def reads(garden: Garden, word: str) -> int:
    return int(garden.tags(word).get(NUM_READS, "0"))


def children(garden: Garden, word: str) -> list[Any]:
    run_id = garden.ids[word]
    experiment = find(garden.store, run_id).experiment_id
    return garden.store.search([experiment], f"tags.mlflow.parentRunId = '{run_id}'")


def predictions(garden: Garden, run_id: str, split: str, folder: Path) -> dict[str, Any]:
    path = garden.store.client.download_artifacts(run_id, f"{split}/predictions.npz", str(folder))
    with np.load(path) as kept:
        return dict(kept)


def test_the_own_test_split_again_gives_what_is_on_record_and_counts(garden: Garden, tmp_path: Path) -> None:
    before, known = reads(garden, "digits"), find(garden.store, garden.ids["digits"]).metrics
    done = garden.verb("test", garden.ids["digits"])
    assert done.exit_code == 0, done.exception
    child = children(garden, "digits")[-1]
    own = {name: value for name, value in known.items() if name.startswith("test/")}
    assert child.data.metrics == pytest.approx(own, rel=ROUNDING)
    (tmp_path / "first").mkdir()
    first, again = (
        predictions(garden, run_id, "test", tmp_path) for run_id in (garden.ids["digits"], child.info.run_id)
    )
    for name in ("logits", "labels", "indices"):
        np.testing.assert_array_equal(first[name], again[name])
    assert reads(garden, "digits") == before + 1
    assert TEST_SPLIT not in child.data.tags  # or the split's reads in the store would count it twice
    told = f"cnn digits 1 on digits test: test/accuracy {own['test/accuracy']:.4f}"
    assert done.stdout.startswith(told)
    assert f"The run's test split has been read {before + 1} times by now.\n" in done.stdout
    assert f"Run {child.info.run_id} is on record under {garden.ids['digits'][:8]}." in done.stdout


def test_a_child_run_says_what_it_is(garden: Garden) -> None:
    garden.verb("test", garden.ids["digits"], "--split", "val")
    child = children(garden, "digits")[-1]
    assert child.info.status == "FINISHED"
    assert child.info.run_name == "cnn digits 1 on digits val"
    assert child.data.params == {"model": "cnn", "data": "digits", "split": "val"}
    assert child.data.tags["seedbed.kind"] == "test"
    assert child.data.tags["seedbed.tests"] == garden.ids["digits"]
    (used,) = child.inputs.dataset_inputs
    assert json.loads(used.dataset.profile)["split"] == "val"
    assert "288 examples" in child.data.tags["mlflow.note.content"]


def test_validation_is_no_counted_read_and_gives_the_best_epochs(garden: Garden) -> None:
    before, known = reads(garden, "digits"), find(garden.store, garden.ids["digits"]).metrics
    garden.verb("test", garden.ids["digits"], "--split", "val")
    found = children(garden, "digits")[-1].data.metrics
    assert reads(garden, "digits") == before
    best = {f"val/{name}": known[f"best_val/{name}"] for name in ("loss", "accuracy", "brier_loss")}
    assert {name: found[name] for name in best} == pytest.approx(best, rel=ROUNDING)


def test_the_first_read_of_a_split_that_the_run_has_spared_counts_on_the_run(garden: Garden) -> None:
    assert NUM_READS not in garden.tags("table")
    done = garden.verb("test", garden.ids["table"])
    assert "test split has been read 1 time by now" in done.stdout
    assert reads(garden, "table") == 1
    assert TEST_SPLIT in garden.tags("table")


def other_photos(folder: Path) -> Path:
    """Images of the same classes, darker: a preprocessing fitted to them would be another one."""
    root = write_folder(folder / "dark", each=12)
    for file in root.rglob("*.*"):
        with Image.open(file) as image:
            darker = image.point(lambda value: value // 4)
        darker.save(file)
    return root


def test_other_data_meets_the_preprocessing_of_the_run(garden: Garden, tmp_path: Path) -> None:
    root, before = other_photos(tmp_path), reads(garden, "photos")
    where = (f"data.root={root}", f"data.cache_dir={tmp_path / 'cache'}")
    done = garden.verb("test", garden.ids["photos"], *where)
    assert done.exit_code == 0, done.exception
    assert "has been read" not in done.stdout
    child = children(garden, "photos")[-1]
    found = predictions(garden, child.info.run_id, "test", tmp_path)
    rows = garden.verb("predict", garden.ids["photos"], str(root)).stdout
    table = np.genfromtxt(io.StringIO(rows), delimiter=",", skip_header=1, usecols=(2, 3, 4))
    expected = torch.from_numpy(found["logits"]).softmax(1).numpy()
    np.testing.assert_allclose(table[found["indices"]], expected, rtol=1e-5)
    assert reads(garden, "photos") == before
    assert child.data.tags[NUM_READS] == "1"
    assert child.data.tags[TEST_SPLIT] != garden.tags("photos")[TEST_SPLIT]


def test_files_that_changed_since_are_refused_and_nothing_is_recorded(garden: Garden, tmp_path: Path) -> None:
    with garden.open("photos") as model:
        changed = Trained(changed_data(model, tmp_path), model.predictor)
        before = len(children(garden, "photos"))
        with pytest.raises(
            DataError, match=r"expected the data that run softmax image_folder 1 has read, by"
        ):
            examine(changed, "test", (), "")
    assert len(children(garden, "photos")) == before


def changed_data(model: Trained, folder: Path) -> Any:
    """The run, with its data moved to a copy of which one pixel is another."""
    config = model.subject.job.config
    root = shutil.copytree(config["data"]["root"], folder / "copy")
    Image.new("RGB", (8, 8)).save(root / "cat" / "00.png")
    config["data"] |= {"root": str(root), "cache_dir": str(folder / "cache")}
    job = json.loads(model.subject.files["job.json"].read_text()) | {"config": config}
    (folder / "job.json").write_text(json.dumps(job))
    return model.subject._replace(files={**model.subject.files, "job.json": folder / "job.json"})


@pytest.mark.parametrize(
    ("word", "words", "told"),
    [
        ("digits", ("data=breast_cancer",), "breast_cancer, classes: expected those of the run, 0, 1, 2"),
        ("photos", ("data.image_size=9",), "input shape: expected those of the run, 3, 8, 8, got 3, 9, 9"),
        (
            "table",
            ("data=chd", "data.test_fraction=0.2"),
            r"chd\.csv .*classes: expected .*malignant, benign, got no",
        ),
        (
            "mapped",
            ("--split", "val"),
            "--split val: expected one of train, got chd.csv inside the package with",
        ),
        (
            "digits",
            ("model=mlp",),
            "model=mlp: expected data=OPTION or data.KEY=VALUE, because the model is as",
        ),
        ("digits", ("data.nix=1",), r"data\.nix=1: expected KEY=VALUE, with a KEY of this run"),
        ("digits", ("data=nix",), "data: expected one of avazu, breast_cancer, chd, .*got 'nix'"),
        ("digits", ("data=mnist", "data.root=/nowhere"), "MNIST"),
    ],
)
def test_what_the_model_cannot_be_asked_is_refused_before_it_is_recorded(
    garden: Garden, word: str, words: tuple[str, ...], told: str
) -> None:
    before = len(children(garden, word))
    done = garden.verb("test", garden.ids[word], *words)
    assert isinstance(done.exception, ConfigError | DataError)
    with pytest.raises(type(done.exception), match=told):
        raise done.exception
    assert len(children(garden, word)) == before


def test_a_test_is_no_run_of_a_study(garden: Garden) -> None:
    garden.verb("test", garden.ids["digits"], "--split", "train")
    model = find(garden.store, garden.ids["digits"])
    assert runs_of(garden.store, model) == [model]
    ids = {run.run_id for run in filtered(garden.store, "params.data = 'digits'")}
    assert model.run_id in ids
    assert not ids & {child.info.run_id for child in children(garden, "digits")}


def test_a_model_and_its_tests_verify(garden: Garden) -> None:
    garden.verb("test", garden.ids["table"], "--split", "val")
    for run_id in (garden.ids["table"], children(garden, "table")[-1].info.run_id):
        (looked,) = verify(garden.store, find(garden.store, run_id))
        assert [check.told for check in looked.checks if check.state == "wrong"] == []


def test_a_test_has_no_model_of_its_own(garden: Garden) -> None:
    garden.verb("test", garden.ids["digits"], "--split", "val")
    child: Member = find(garden.store, children(garden, "digits")[-1].info.run_id)
    error = garden.verb("test", child.run_id).exception
    assert isinstance(error, StoreError)
    assert f"got a test of one. Name the model's run: {garden.ids['digits']}" in str(error)
