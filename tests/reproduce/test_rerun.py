"""What a re-run is given: the recorded job out of its study, the digests its data must have."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seedbed.assembly import assemble
from seedbed.errors import ConfigError, DataError
from seedbed.growing import watch_of
from seedbed.job import Job
from seedbed.recording import job_signature
from seedbed.reproduce.recorded import Recorded
from seedbed.reproduce.replay import DATA, JOB, check_data, replay
from seedbed.reproduce.rerun import Options, again, digests
from seedbed.resuming import altered
from tests.conftest import MakeJob
from tests.data.tiny import write_folder
from tests.reproduce.recording import record


@pytest.fixture
def photos(make_job: MakeJob, tmp_path: Path) -> Recorded:
    """The record of a run on pictures, with the identity that its data had."""
    folder = write_folder(tmp_path / "photos")
    place = (f"data.root={folder}", f"data.cache_dir={tmp_path / 'cache'}")
    job = make_job("data=image_folder", *place, "data.image_size=8", "data.batch_size=8")
    splits = assemble(job.config).data.identity()
    return record(job=job, datasets={split.split: split._asdict() for split in splits})


def repaint(folder: Path) -> None:
    """Turns one picture into its negative."""
    path = folder / "cat" / "00.png"
    Image.fromarray(255 - np.array(Image.open(path))).save(path)


def test_the_job_runs_alone_in_this_store_and_says_whom_it_repeats(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job("model=mlp")
    job.config["track"] |= {"parent_run_id": "abc", "root": "elsewhere"}
    job.config["study"] |= {"trial": 3, "pruner": "median"}
    repeated = again(
        record(job=job, run_id="def", name="wide"), Options(command="seedbed reproduce def"), tmp_path
    )
    assert repeated.reproduces == "def"
    assert repeated.command == "seedbed reproduce def"
    assert repeated.name == "wide again"
    assert repeated.config["track"]["root"] == str(tmp_path)
    assert repeated.config["track"]["parent_run_id"] is None
    assert watch_of(repeated) is None
    assert job_signature(repeated) == job_signature(job)


def test_folders_that_were_named_from_the_working_directory_are_found_from_elsewhere(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = record(job=make_job("data=image_folder", "data.root=photos", "data.cache_dir=cache"))
    monkeypatch.chdir(tmp_path)
    data = again(original, Options(), tmp_path).config["data"]
    assert (data["root"], data["cache_dir"]) == (str(tmp_path / "photos"), str(tmp_path / "cache"))
    assert again(original, Options(here=True), tmp_path).config["data"]["root"] == "photos"


def test_overrides_and_a_fresh_seed_are_those_of_a_new_job(make_job: MakeJob, tmp_path: Path) -> None:
    original = record(job=make_job("model=mlp"))
    options = Options(fresh_seed=7, overrides=("optimizer.weight_decay=0.25", "model.hidden_features=[8]"))
    repeated, typed = (
        again(original, options, tmp_path),
        make_job("model=mlp", "seed=7", "optimizer.weight_decay=0.25", "model.hidden_features=[8]"),
    )
    assert job_signature(repeated) == job_signature(typed)
    assert repeated.params == typed.params


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            "optimizer.momentum=0.5",
            "expected KEY=VALUE, with a KEY of this run: .*optimizer.lr.*, got one that",
        ),
        ("model=cnn", "model=cnn: expected KEY=VALUE, with a KEY of this run"),
        ("features=polynomial", "features=polynomial: expected KEY=VALUE, with a KEY of this run"),
        ("track.root=elsewhere", "got one that it does not have, or that only its place or its study sets"),
        ("study.trial=1", "got one that it does not have, or that only its place or its study sets"),
        ("seed=-1", "seed: expected 0 or more, got -1"),
        ("seed=one", "seed: expected a value of type integer, got 'one'"),
        ("objective.l2=much", "objective.l2: expected a value of type float, got 'much'"),
        ("model._target_=os.system", "model._target_: expected a path that starts with one of seedbed"),
    ],
)
def test_an_override_that_cannot_be_is_refused(make_job: MakeJob, override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        altered(make_job(), [override])


def test_data_must_have_the_recorded_digests(photos: Recorded, tmp_path: Path) -> None:
    expected = digests(photos, photos.job)
    assert set(expected) == {"train", "val", "test"}
    check_data(photos.job, expected)
    repaint(tmp_path / "photos")
    old = photos.datasets["train"]["content_digest"]
    told = f"content_digest of the train split: expected {old}, as recorded, got [0-9a-f]{{64}}. Bring .*"
    with pytest.raises(DataError, match=told) as caught:
        check_data(photos.job, expected)
    assert "--allow-data-change" in caught.value.do


def test_missing_data_is_refused_with_the_recorded_digests(photos: Recorded, tmp_path: Path) -> None:
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="photos") as caught:
        check_data(photos.job, digests(photos, photos.job))
    (told,) = caught.value.__notes__
    for split, profile in photos.datasets.items():
        assert f"{split} content_digest {profile['content_digest']}" in told


def test_splits_may_move_only_where_the_job_moves_them(photos: Recorded) -> None:
    reseeded = altered(photos.job, ["seed=1"])
    with pytest.raises(DataError, match="split_digest of the train split: expected "):
        check_data(reseeded, digests(photos, photos.job))
    check_data(reseeded, digests(photos, reseeded))


def test_changed_data_is_refused_before_there_is_a_new_run(photos: Recorded, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    photos.job.save(folder / JOB)
    (folder / DATA).write_text(json.dumps(digests(photos, photos.job)))
    repaint(tmp_path / "photos")
    with pytest.raises(DataError):
        replay(folder)
    assert not (tmp_path / "mlruns").exists()


def test_a_saved_job_that_repeats_none_has_nothing_that_older_code_could_not_read(
    make_job: MakeJob, tmp_path: Path
) -> None:
    make_job().save(tmp_path / JOB)
    assert set(json.loads((tmp_path / JOB).read_text())) == {"config", "choices", "overridden", "command"}
    assert Job.load(tmp_path / JOB) == make_job()
