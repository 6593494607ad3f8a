"""The pictures of a study, drawn when it has ended and kept on its own run."""

from pathlib import Path
from typing import Any

import pytest

from seedbed.report import drawing, pictures
from seedbed.track.store import Store
from tests.study.conftest import QUICK, RunStudy, family

ALONE = {"distribution", "learning_curves", "cost", "cost_against_metric"}
STUDY = ("model=softmax", "seed=range(0,2)", *(word for word in QUICK if "pictures" not in word))


def kept(folder: Path, run_id: str) -> set[str]:
    client = Store.open(folder / "mlruns").client
    return {entry.path for entry in client.list_artifacts(run_id, pictures.FOLDER)}


def test_a_study_that_has_ended_keeps_its_pictures_and_names_those_that_failed(
    run_study: RunStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pictures, with" not in run_study(*STUDY, "track.pictures=false")
    parent, _ = family(tmp_path)
    run_id = parent.info.run_id
    assert kept(tmp_path, run_id) == set()

    told = run_study(*STUDY)  # the same study: it runs nothing again
    assert told.endswith("4 pictures, with their numbers, on its run under pictures/\n")
    files = {f"pictures/{name}.{ending}" for name in ALONE for ending in ("svg", "csv")}
    assert kept(tmp_path, run_id) == files
    store = Store.open(tmp_path / "mlruns")
    drawn, failed = pictures.of_study(store, run_id)
    assert {picture.name for picture in drawn} == ALONE
    assert failed == []
    for picture in drawn:
        path = store.client.download_artifacts(run_id, f"pictures/{picture.name}.svg")
        assert Path(path).read_text() == picture.svg

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("no ink")

    monkeypatch.setattr(drawing, "distribution", broken)
    assert "3 pictures, with" in run_study(*STUDY)
    sentence = "The figure distribution is left out: ZeroDivisionError: no ink"
    parent, children = family(tmp_path)
    assert parent.data.tags["mlflow.note.content"].count(sentence) == 1
    assert (parent.info.status, len(children)) == ("FINISHED", 2)
    pictures.keep(store, run_id)
    assert family(tmp_path)[0].data.tags["mlflow.note.content"].count(sentence) == 1

    def away(*_: Any) -> None:
        raise OSError("no route")

    monkeypatch.setattr(pictures, "gather", away)
    assert "pictures, with" not in run_study(*STUDY)
    assert family(tmp_path)[0].info.status == "FINISHED"
