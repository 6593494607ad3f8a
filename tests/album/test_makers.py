"""Every picture of a run says what its record says: to the last count, and from the record alone."""

import csv
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seedbed.album import decision, evaluated, history, judged, linear
from seedbed.album.makers import COSTLY, MAKERS
from seedbed.keepsake import NUM_WORST
from seedbed.picture.picture import NAMES, Picture
from seedbed.reproduce.check import Subject
from tests.album.conftest import CONVEX, looked_at, trained
from tests.reproduce.recorded import Recorded

# Sums of a few hundred float64 numbers in another order.
ROUNDING = 1e-12
# float32 log-probabilities, made into probabilities in float64 here and there.
SINGLE = 1e-6
MINUS = "\u2212"


def table(picture: Picture | None) -> list[dict[str, str]]:
    assert picture is not None
    return list(csv.DictReader(io.StringIO(picture.csv())))


def confusion_csv(subject: Subject) -> list[list[str]]:
    return list(csv.reader(subject.files["test/confusion.csv"].read_text().splitlines()))


def with_predictions(subject: Subject, folder: Path, **arrays: Any) -> Subject:
    """The run as if it had predicted this."""
    with np.load(subject.files["test/predictions.npz"]) as kept:
        known = dict(kept)
    path = folder / "predictions.npz"
    np.savez(path, **(known | arrays))
    return subject._replace(files={**subject.files, "test/predictions.npz": path})


def test_every_maker_makes_the_picture_of_its_name_and_the_same_bytes_again(subject: Subject) -> None:
    assert set(MAKERS) <= set(NAMES)
    made = {name: make(subject) for name, make in MAKERS.items()}
    of_tables, of_hidden_units = {"odds_ratios", "plane"}, {"filters", "embedding", *COSTLY}
    assert {name for name, picture in made.items() if picture is None} == of_tables | of_hidden_units
    assert all(picture.name == name for name, picture in made.items() if picture is not None)
    assert {name: make(subject) for name, make in MAKERS.items()} == made


def test_learning_curves_are_the_metrics_of_every_epoch(subject: Subject) -> None:
    rows = table(history.learning_curves(subject))
    splits = [(row["metric"], row["split"], row["epoch"]) for row in rows]
    assert splits == [
        (metric, split, str(epoch))
        for metric in ("loss", "accuracy")
        for split in ("train", "val")
        for epoch in (1, 2, 3)
    ]
    assert float(rows[2]["value"]) == subject.member.metrics["train/loss"]
    assert {row["split"]: row["num_examples"] for row in rows} == {"train": "1150", "val": "288"}


def test_the_confusion_matrix_is_the_recorded_one_and_its_rows_add_up_to_one(subject: Subject) -> None:
    rows = table(judged.confusion_matrix(subject))
    recorded = confusion_csv(subject)
    cells = {(row["true"], row["predicted"]): int(row["count"]) for row in rows}
    names = recorded[0][1:]
    assert cells == {
        (line[0], name): int(cell)
        for line in recorded[1:]
        for name, cell in zip(names, line[1:], strict=True)
    }
    for name in names:
        shares = [float(row["share_of_true"]) for row in rows if row["true"] == name]
        assert sum(shares) == pytest.approx(1, abs=ROUNDING)


def test_bins_and_error_are_those_of_the_metric(subject: Subject) -> None:
    picture = judged.reliability_diagram(subject)
    rows = table(picture)
    assert len(rows) == 15
    assert sum(int(row["num_examples"]) for row in rows) == 359
    gaps = [
        int(row["num_examples"]) * abs(float(row["accuracy"]) - float(row["confidence"]))
        for row in rows
        if int(row["num_examples"])
    ]
    recorded = subject.member.metrics["test/calibration_error"]
    assert sum(gaps) / 359 == pytest.approx(recorded, abs=ROUNDING)
    assert picture is not None
    assert f"test, n = 359 examples, ECE = {recorded:.4f}" in picture.svg


def test_each_class_has_its_own_counts_with_wilson_s_interval(subject: Subject) -> None:
    rows = table(judged.per_class(subject))
    counts = np.array([list(map(int, line[1:])) for line in confusion_csv(subject)[1:]])
    for place, row in enumerate(rows):
        for kind, total in (("recall", counts[place].sum()), ("precision", counts[:, place].sum())):
            hits = counts[place, place]
            assert (int(row[f"{kind}_hits"]), int(row[f"{kind}_num_examples"])) == (hits, total)
            ends = float(row[f"{kind}_low"]), float(row[f"{kind}_high"])
            assert ends == pytest.approx(by_hand(hits, total), abs=ROUNDING)


def by_hand(hits: int, total: int) -> tuple[float, float]:
    """Wilson 1927: the shares that lie 1.96 of their own standard errors from the one found."""
    z, share = 1.959963984540054, hits / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return middle - half, middle + half


@pytest.mark.parametrize(("hits", "total"), [(0, 1), (1, 1), (0, 29), (29, 29), (7, 9), (4_999, 10_000)])
def test_wilson_s_interval_stays_inside_zero_and_one(hits: int, total: int) -> None:
    low, high = judged.wilson(hits, total)
    assert (low, high) == pytest.approx(by_hand(hits, total), abs=ROUNDING)
    assert -ROUNDING <= low <= hits / total <= high <= 1 + ROUNDING


def test_the_gallery_has_the_worst_mistakes_first(subject: Subject) -> None:
    rows = table(judged.worst_mistakes(subject))
    found = evaluated.evaluated(subject)
    assert found is not None
    chances = np.exp(found.log_probabilities.astype(np.float64))
    true = chances[np.arange(len(chances)), found.labels]
    wrong = np.flatnonzero(found.predicted != found.labels)
    expected = sorted(wrong, key=lambda place: true[place])[:NUM_WORST]
    assert [int(row["place"]) for row in rows] == found.indices[expected].tolist()
    shown = [float(row["p_true"]) for row in rows]
    assert shown == pytest.approx(true[expected].tolist(), rel=SINGLE)
    assert shown == sorted(shown)
    assert all(row["true"] != row["predicted"] for row in rows)


def test_the_gallery_s_images_are_those_of_the_data(subject: Subject) -> None:
    from sklearn.datasets import load_digits

    with np.load(subject.files["test/worst.npz"]) as kept:
        inputs, indices, labels = kept["inputs"], kept["indices"], kept["labels"]
    assert inputs.dtype == np.uint8
    digits = load_digits()
    assert np.array_equal(inputs[:, 0], digits.images[indices].astype(np.uint8))
    assert np.array_equal(labels, digits.target[indices])
    model = evaluated.model_of(subject.files)
    assert model is not None
    images = judged.as_images(inputs, model)
    assert np.array_equal(images, np.rint(inputs[:, 0] * (255 / 16)).astype(np.uint8))


def test_without_a_mistake_there_is_no_gallery(subject: Subject, tmp_path: Path) -> None:
    found = evaluated.evaluated(subject)
    assert found is not None
    perfect = with_predictions(subject, tmp_path, logits=20 * np.eye(10, dtype=np.float32)[found.labels])
    assert judged.worst_mistakes(perfect) is None
    picture = judged.confusion_matrix(perfect)
    assert picture is not None
    assert "n = 359 examples, 359 of them right" in picture.svg


def test_a_class_without_an_example_is_said_to_have_none(subject: Subject, tmp_path: Path) -> None:
    found = evaluated.evaluated(subject)
    assert found is not None
    without = with_predictions(subject, tmp_path, labels=np.where(found.labels == 9, 8, found.labels))
    matrix, classes = judged.confusion_matrix(without), judged.per_class(without)
    assert matrix is not None
    assert "1 of the classes have no example here: their rows are hatched." in matrix.caption
    assert [row["share_of_true"] for row in table(matrix) if row["true"] == "9"] == [""] * 10
    assert table(classes)[9]["recall_value"] == ""


def test_logits_that_are_no_numbers_leave_the_other_pictures_alone(subject: Subject, tmp_path: Path) -> None:
    logits = np.full((359, 10), np.nan, dtype=np.float32)
    broken = with_predictions(subject, tmp_path, logits=logits)
    assert judged.confusion_matrix(broken) is not None


def test_templates_are_the_weights_centred_and_on_a_symmetric_scale(subject: Subject) -> None:
    picture = linear.weight_templates(subject)
    shown = np.array([[float(cell) for cell in row["weights"].split()] for row in table(picture)])
    model = evaluated.model_of(subject.files)
    assert model is not None
    weight = model.network.linear.weight.detach().double()  # type: ignore[operator, union-attr]
    expected = (weight / model.preprocessing.sd.double()).numpy()
    assert shown == pytest.approx(expected - expected.mean(axis=0), rel=1e-4, abs=1e-5)
    assert picture is not None
    ticks = [
        float(found.replace(MINUS, "-")) for found in re.findall(rf">({MINUS}?\d\.\d+)</text>", picture.svg)
    ]
    assert ticks
    assert sorted(ticks) == sorted(-tick for tick in ticks)


def test_odds_ratios_are_those_of_the_lecture(root: Path) -> None:
    whole = trained(root, "model=logistic", "data=chd", "data.val_fraction=0", *CONVEX)
    with looked_at(whole) as found:
        (row,) = table(linear.odds_ratios(found))
        assert judged.confusion_matrix(found) is None  # neither a test nor a validation split
    known = (1.14054021968998, 1.041518563, 1.248976292, 1.058826077, 1.279876195)  # shared numbers of CHD
    assert [float(row[name]) for name in list(row)[1:]] == pytest.approx(known, rel=1e-6)
    assert row["name"] == "age"


def test_a_model_of_one_logit_is_judged_like_any_other(logistic: Recorded) -> None:
    with looked_at(logistic) as found:
        rows = table(judged.confusion_matrix(found))
        seen = evaluated.evaluated(found)
        assert seen is not None
        assert seen.split == "val"
        with np.load(found.files["val/predictions.npz"]) as kept:
            assert kept["logits"].shape[1] == 1
            said = kept["logits"][:, 0] > 0
            hits = int((said == kept["labels"]).sum())
        assert sum(int(row["count"]) for row in rows if row["true"] == row["predicted"]) == hits
        assert hits / len(said) == found.member.metrics["best_val/accuracy"]
        assert {row["true"] for row in rows} == {"no disease", "disease"}
        made = {name for name, make in MAKERS.items() if make(found) is not None}
    assert made == {"run_curves", "confusion", "reliability", "per_class", "odds_ratios"}


def test_a_run_that_kept_no_model_has_numbers_for_names(logistic: Recorded) -> None:
    with looked_at(logistic) as found:
        without = {path: file for path, file in found.files.items() if not path.startswith("model/")}
        rows = table(judged.confusion_matrix(found._replace(files=without)))
    assert {row["true"] for row in rows} == {"0", "1"}


def test_two_columns_are_a_plane_with_what_the_model_says_at_each_place(planar: Recorded) -> None:
    with looked_at(planar) as found:
        rows = table(decision.decision_plane(found))
        model = evaluated.model_of(found.files)
        with np.load(found.files["val/points.npz"]) as kept:
            inputs, labels = kept["inputs"], kept["labels"]
    examples = [row for row in rows if row["kind"] == "example"]
    assert [[float(row["age"]), float(row["turn"])] for row in examples] == inputs.tolist()
    assert [row["label"] for row in examples] == [("no disease", "disease")[label] for label in labels]
    grid = [row for row in rows if row["kind"] == "grid"]
    assert len(grid) == decision.NUM_PLACES**2
    assert model is not None
    some = grid[:: len(grid) // 7]
    places = torch.tensor([[float(row["age"]), float(row["turn"])] for row in some], dtype=torch.float64)
    said = [float(row["p(disease)"]) for row in some]
    assert said == pytest.approx(model(places)[:, 1].tolist(), abs=ROUNDING)


def test_nothing_is_read_that_could_run_code(subject: Subject, tmp_path: Path) -> None:
    job = json.loads(subject.files["job.json"].read_text())
    job["config"]["model"]["_target_"] = "os.system"
    path = tmp_path / "job.json"
    path.write_text(json.dumps(job))
    foreign = subject._replace(files={**subject.files, "job.json": path})
    with pytest.raises(ValueError, match=r"a network that is none of ours: os\.system"):
        evaluated.evaluated(foreign)
