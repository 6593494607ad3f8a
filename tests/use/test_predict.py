"""`seedbed predict`: the model's own probabilities of files it has never seen; what does not fit is named."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits
from torchvision.datasets import ImageFolder

from seedbed.errors import ConfigError, DataError, StoreError
from seedbed.track.record import Record
from seedbed.use.inputs import Inputs
from seedbed.use.item import Input, Item
from seedbed.use.predicting import MOST_AT_ONCE, predict
from seedbed.use.trained import Trained
from tests.use.conftest import Garden

# Another number of inputs at once sums in another order.
ROUNDING = 1e-6


def written(folder: Path, number: int = 3) -> Path:
    """The first digits as files, with their raw values."""
    folder.mkdir(exist_ok=True)
    for place, image in enumerate(load_digits().images[:number]):
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{place}.png")
    return folder


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def probabilities(rows: list[dict[str, str]]) -> Any:
    return np.array([[float(value) for name, value in row.items() if name.startswith("p_")] for row in rows])


def test_files_give_the_models_probabilities_of_their_pixels(garden: Garden, tmp_path: Path) -> None:
    folder = written(tmp_path / "digits")
    done = garden.verb("predict", garden.ids["digits"], str(folder))
    rows = lines(done.stdout)
    assert [row["path"] for row in rows] == [f"{folder}/{place}.png" for place in range(3)]
    raw = torch.from_numpy(load_digits().images[:3].astype(np.uint8))[:, None]
    expected = garden.predictor("digits")(raw).numpy()
    np.testing.assert_allclose(probabilities(rows), expected, rtol=ROUNDING)
    assert [row["predicted"] for row in rows] == [str(number) for number in expected.argmax(1)]
    assert done.stderr == "3 inputs predicted by cnn digits 1.\n"
    assert done.exit_code == 0


def test_photographs_are_resized_as_in_training(garden: Garden) -> None:
    """The logits that the run stored of its test split come out of the files again."""
    done = garden.verb("predict", garden.ids["photos"], str(garden.photos))
    rows = lines(done.stdout)
    files = [file for file, _ in ImageFolder(str(garden.photos)).samples]
    assert [row["path"] for row in rows] == files
    with garden.open("photos") as model, np.load(model.subject.files["test/predictions.npz"]) as kept:
        logits, indices = torch.from_numpy(kept["logits"]), kept["indices"]
    expected = logits.softmax(1).numpy()
    np.testing.assert_allclose(probabilities([rows[place] for place in indices]), expected, rtol=1e-5)


def test_what_does_not_fit_is_named_and_the_rest_goes_on(garden: Garden, tmp_path: Path) -> None:
    folder = written(tmp_path / "mixed", 2)
    (folder / "broken.png").write_bytes(b"no image")
    Image.fromarray(np.zeros((9, 8), np.uint8)).save(folder / "size.png")
    (folder / "notes.txt").write_text("no image by its name")
    gone = tmp_path / "gone.png"
    done = garden.verb("predict", garden.ids["digits"], str(gone), str(folder))
    assert len(lines(done.stdout)) == 2
    assert done.stderr.splitlines() == [
        f"left out: {gone}: expected a file or a folder, got nothing there. Correct the path.",
        f"left out: {folder}/broken.png: expected an image file that Pillow can read to its end, got "
        f"UnidentifiedImageError: cannot identify image file '{folder}/broken.png'. Replace this file.",
        f"left out: {folder}/size.png: expected 8x8 pixels, as in training, got 9x8. Resize it yourself: "
        "nothing is resized that was not resized in training.",
        "2 inputs predicted by cnn digits 1; 3 left out, named above; 1 file of other kinds passed over.",
    ]
    assert done.exit_code == 1


def test_rows_of_a_table_are_found_by_the_names_of_their_columns(garden: Garden, tmp_path: Path) -> None:
    table = load_breast_cancer(as_frame=True).frame.head(4)
    table[reversed(table.columns)].to_csv(tmp_path / "rows.csv")
    done = garden.verb("predict", garden.ids["table"], str(tmp_path))
    rows = lines(done.stdout)
    assert [row["path"] for row in rows] == [f"{tmp_path}/rows.csv:{line}" for line in range(2, 6)]
    expected = garden.predictor("table")(torch.from_numpy(load_breast_cancer().data[:4]))
    np.testing.assert_allclose(probabilities(rows), expected.numpy(), rtol=ROUNDING)
    assert list(rows[0])[1:] == ["predicted", "p_malignant", "p_benign"]


def test_a_feature_map_is_the_runs_own(garden: Garden, tmp_path: Path) -> None:
    (tmp_path / "ages.csv").write_text("age\n20\n81.5\n")
    done = garden.verb("predict", garden.ids["mapped"], str(tmp_path / "ages.csv"))
    raw = torch.tensor([[20.0], [81.5]], dtype=torch.float64)
    expected = garden.predictor("mapped")(raw).numpy()
    np.testing.assert_allclose(probabilities(lines(done.stdout)), expected, rtol=ROUNDING)


def test_the_most_probable_classes_alone(garden: Garden, tmp_path: Path) -> None:
    folder = written(tmp_path / "digits")
    everything = lines(garden.verb("predict", garden.ids["digits"], str(folder)).stdout)
    done = garden.verb("predict", garden.ids["digits"], str(folder), "--top", "2")
    for row, whole in zip(lines(done.stdout), everything, strict=True):
        assert list(row) == ["path", "predicted", "class_1", "p_1", "class_2", "p_2"]
        order = sorted(
            (name for name in whole if name.startswith("p_")), key=lambda name: -float(whole[name])
        )
        assert [f"p_{row['class_1']}", f"p_{row['class_2']}"] == order[:2]
        assert row["p_1"] == whole[order[0]]


@pytest.mark.parametrize("top", ["0", "11"])
def test_a_number_of_classes_that_the_model_has_not_is_refused(garden: Garden, top: str) -> None:
    done = garden.verb("predict", garden.ids["digits"], "x.png", "--top", top)
    assert isinstance(done.exception, ConfigError)
    assert f"--top {top}: expected from 1 to the 10 classes of the model" in str(done.exception)


def test_a_file_of_lines_is_replaced_when_the_new_one_is_whole(garden: Garden, tmp_path: Path) -> None:
    folder, out = written(tmp_path / "digits"), tmp_path / "lines.csv"
    out.write_text("earlier")
    refused = garden.verb("predict", garden.ids["digits"], str(folder), "--out", str(out), "--top", "99")
    assert isinstance(refused.exception, ConfigError)
    assert out.read_text() == "earlier"
    done = garden.verb("predict", garden.ids["digits"], str(folder), "--out", str(out))
    assert done.stderr == f"3 inputs predicted by cnn digits 1. Look at {out}\n"
    assert len(lines(out.read_text())) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits", "lines.csv"]


def test_a_file_that_cannot_be_written_is_named(garden: Garden, tmp_path: Path) -> None:
    out = tmp_path / "no" / "lines.csv"
    done = garden.verb("predict", garden.ids["digits"], "x.png", "--out", str(out))
    assert isinstance(done.exception, StoreError)
    assert f"--out {out}: expected a file that can be written, got No such file" in str(done.exception)


def test_names_that_are_no_text_come_out_as_they_are(garden: Garden, tmp_path: Path) -> None:
    folder, out = written(tmp_path / "digits", 1), tmp_path / "lines.csv"
    strange = os.fsencode(folder) + b"/\xff.png"
    (folder / "0.png").rename(os.fsdecode(strange))
    done = garden.verb("predict", garden.ids["digits"], str(folder), "--out", str(out))
    assert done.exit_code == 0
    assert strange in out.read_bytes()


def test_no_more_than_a_batch_is_held(digits: Trained) -> None:
    out, ahead = io.StringIO(), []

    def items() -> Iterator[Item]:
        for number in range(3 * MOST_AT_ONCE + 1):
            ahead.append(number - (out.getvalue().count("\n") - 1))
            yield Input(str(number), torch.zeros(1, 8, 8, dtype=torch.uint8))

    tally = predict(digits.predictor, items(), out, hear=print)
    assert tally.num_predicted == 3 * MOST_AT_ONCE + 1
    assert max(ahead) <= MOST_AT_ONCE


def test_a_folder_is_read_in_the_order_of_names_and_nothing_is_opened_early(
    digits: Trained, tmp_path: Path
) -> None:
    for name in ("b", "a/c", "a"):
        written(tmp_path / name, 1) if "/" not in name else (tmp_path / "a" / "c").mkdir(parents=True)
    inputs = iter(Inputs(digits, [tmp_path]))
    first = next(inputs)
    (tmp_path / "b" / "0.png").write_bytes(b"changed since")
    second = next(inputs)
    assert isinstance(first, Input)
    assert first.name == f"{tmp_path}/a/0.png"
    assert isinstance(second, DataError)


def test_a_study_is_refused_with_its_runs(garden: Garden) -> None:
    tags = {"seedbed.kind": "study"}
    study = Record.start(garden.store, experiment="other", name="two", params={}, tags=tags)
    child = Record.start(
        garden.store,
        experiment="other",
        name="softmax 7",
        params={},
        tags={"seedbed.kind": "run"},
        parent_run_id=study.run_id,
    )
    for record in (child, study):
        record.finish("FAILED")
    done = garden.verb("predict", study.run_id, "x.png")
    assert str(done.exception) == (
        f"run two ({study.run_id}): expected one run, with one model, got a study of 1 run. "
        f"Name one, by its id: 'softmax 7' ({child.run_id[:8]})."
    )
    refused = garden.verb("predict", child.run_id, "x.png").exception
    assert "expected a finished run with a fitted model, got FAILED. Name a run that is" in str(refused)


def test_calibrated_before_it_was_is_refused(garden: Garden) -> None:
    done = garden.verb("predict", garden.ids["mapped"], "x.csv", "--calibrated")
    assert "got a run that was never calibrated. Type first: seedbed calibrate" in str(done.exception)
