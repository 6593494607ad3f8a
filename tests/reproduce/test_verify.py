"""A record that nobody touched is in order; each kind of damage is caught, and told by name."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from seedbed.cli.command import cli
from seedbed.errors import Pruned
from seedbed.job import Job
from seedbed.track.kept import UPLOADING
from seedbed.track.manifest import MANIFEST, TAG, digest, seal
from seedbed.track.record import Record
from seedbed.train import run
from seedbed.verdict.find import find
from tests.conftest import jobs_in
from tests.data.tiny import write_folder
from tests.reproduce.recorded import Recorded

CHECKS = [
    "status",
    "artifacts",
    "configuration",
    "metrics",
    "final metrics",
    "journal",
    "checkpoints",
    "predictions",
    "evaluation",
]
CUT = ("data.image_size=8", "data.batch_size=16", "data.test_fraction=0.2", "data.val_fraction=0.25")
SHORT = ("trainer.max_epochs=3", "trainer.num_threads=1", "evaluate_test=true", "model=softmax")


def trained(job: Job) -> Recorded:
    return Recorded(Path(job.config["track"]["root"]), run(job).run_id)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    with jobs_in(tmp_path_factory.mktemp("verify")) as make:
        return trained(make(*SHORT))


@pytest.fixture
def record(pristine: Recorded, tmp_path: Path) -> Recorded:
    return pristine.copied(tmp_path / "mlruns")


def flip(path: Path, place: int = -1) -> None:
    """Changes one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def reseal(record: Recorded) -> None:
    """What somebody does who knows of the manifest: the other checks have to notice."""
    forger = Record(record.store, record.run_id)
    forger.kept = lambda: None  # type: ignore[method-assign] # of what the store has, not of what was kept
    seal(forger)


def test_a_record_that_nobody_touched_is_in_order(record: Recorded) -> None:
    before = {path: digest(path) for path in record.root.rglob("*") if path.is_file()}
    checks = record.checks()
    assert {what: check.state for what, check in checks.items()} == dict.fromkeys(CHECKS, "ok")
    assert checks["metrics"].told == "53 points of 29 metrics, of epochs 1 to 3 once each"
    assert checks["evaluation"].told == "7 test metrics from 359 examples, the logits bit for bit"
    after = {path: digest(path) for path in record.root.rglob("*") if path.is_file()}
    assert after == before


def test_looking_is_no_read_of_the_test_split(record: Recorded) -> None:
    record.checks()
    assert find(record.store, record.run_id).tags["seedbed.num_test_reads"] == "1"


@pytest.mark.parametrize(
    "path", ["fit/objectives.npy", "checkpoints/best.ckpt", "provenance/packages.txt", "test/confusion.csv"]
)
def test_a_flipped_bit_is_caught(record: Recorded, path: str) -> None:
    before = digest(record.artifact(path))
    flip(record.artifact(path))
    after = digest(record.artifact(path))
    assert f"{path}: expected sha256 {before[:16]}..., got {after[:16]}..." in record.wrong()["artifacts"]


def test_a_flipped_bit_of_the_model_is_caught(record: Recorded) -> None:
    (weights,) = record.root.glob("artifacts/*/models/*/artifacts/data/weights.pt")
    flip(weights)
    assert record.wrong()["artifacts"].startswith("model/data/weights.pt: expected sha256 ")


def test_a_missing_and_an_added_file_are_caught(record: Recorded) -> None:
    record.artifact("config.yaml").rename(record.artifact("config.yaml").with_name("other.yaml"))
    told = record.wrong()["artifacts"]
    assert "config.yaml: expected the file, got none" in told
    assert "other.yaml: expected no such file, got one that the manifest does not know" in told


def test_what_a_killed_upload_left_is_no_file_of_the_run(record: Recorded) -> None:
    record.artifact("config.yaml").with_name(f"{UPLOADING}a1b2c3").write_bytes(b"half of a")
    listed = {found.path for found in record.store.client.list_artifacts(record.run_id)}
    assert "config.yaml" in listed
    assert not any(path.startswith(UPLOADING) for path in listed)
    assert record.wrong() == {}


def test_a_changed_manifest_is_caught(record: Recorded) -> None:
    path = record.artifact(MANIFEST)
    path.write_text(path.read_text() + "\n")
    expected = find(record.store, record.run_id).tags[TAG]
    assert record.wrong() == {"artifacts": f"{TAG}: expected {expected}, got {digest(path)}"}


def test_a_record_without_its_manifest_is_told(record: Recorded) -> None:
    record.artifact(MANIFEST).unlink()
    assert record.wrong() == {"artifacts": "manifest.json: expected the file, got none"}


def test_a_metric_that_was_changed_in_the_database_is_caught(record: Recorded) -> None:
    assert record.execute(
        "UPDATE metrics SET value = value + 1e-12 WHERE key = ? AND step = 2 AND run_uuid = ?",
        "val/accuracy",
        record.run_id,
    )
    assert record.wrong() == {
        "metrics": "val/accuracy: expected the points that manifest.json has, got others",
        "journal": "val/accuracy: expected the points that the journal has, got others",
    }


def test_a_changed_test_metric_is_caught_by_evaluating_again(record: Recorded) -> None:
    for table in ("metrics", "latest_metrics"):
        assert record.execute(
            f"UPDATE {table} SET value = 0.99 WHERE key = 'test/accuracy' AND run_uuid = ?",  # noqa: S608
            record.run_id,
        )
    wrong = record.wrong()
    assert set(wrong) == {"metrics", "final metrics", "journal", "evaluation"}
    assert wrong["final metrics"].startswith("test/accuracy at step 3: expected 0.")
    assert wrong["final metrics"].endswith(", got 0.99")
    assert wrong["evaluation"].startswith("test/accuracy: expected 0.")
    assert wrong["evaluation"].endswith(" within 2.8e-03, got 0.99")


def test_a_missing_step_is_caught(record: Recorded) -> None:
    assert record.execute(
        "DELETE FROM metrics WHERE key = 'val/loss' AND step = 2 AND run_uuid = ?", record.run_id
    )
    told = record.wrong()["metrics"]
    assert told.startswith("val/loss: expected epochs 1 to 3 once each, got [2] missing; ")


def test_a_metric_that_is_gone_altogether_is_caught_even_without_manifest_and_journal(
    record: Recorded,
) -> None:
    for table in ("metrics", "latest_metrics"):
        assert record.execute(f"DELETE FROM {table} WHERE key = 'val/loss'")  # noqa: S608
    record.artifact(MANIFEST).unlink()
    shutil.rmtree(record.root / "runs" / record.run_id)
    checks = record.checks()
    assert checks["metrics"].told == "val/loss: expected epochs 1 to 3 once each, got [1, 2, 3] missing"
    assert "val/loss at step 3: expected " in checks["final metrics"].told
    assert (checks["journal"].state, checks["journal"].told) == ("skipped", "the run's folder is not here")


def test_a_step_that_is_there_twice_is_caught(record: Recorded) -> None:
    assert record.execute(
        "INSERT INTO metrics SELECT key, value, timestamp + 1, run_uuid, step, is_nan FROM metrics "
        "WHERE key = 'train/loss' AND step = 3 AND run_uuid = ?",
        record.run_id,
    )
    wrong = record.wrong()
    assert wrong["metrics"].startswith(
        "train/loss: expected epochs 1 to 3 once each, got [3] more than once; "
    )


def test_another_signature_is_caught(record: Recorded) -> None:
    signature = find(record.store, record.run_id).tags["seedbed.signature"]
    assert record.execute(
        "UPDATE tags SET value = '0123456789abcdef' WHERE key = 'seedbed.signature' AND run_uuid = ?",
        record.run_id,
    )
    assert record.wrong() == {
        "configuration": f"seedbed.signature: expected {signature}, got 0123456789abcdef"
    }


def test_a_changed_configuration_is_caught_even_under_a_new_manifest(record: Recorded) -> None:
    path = record.artifact("job.json")
    told = json.loads(path.read_text())
    told["config"]["optimizer"]["lr"] *= 2
    path.write_text(json.dumps(told))
    reseal(record)
    wrong = record.wrong()
    assert set(wrong) == {"configuration", "checkpoints"}
    assert "config.yaml: expected the configuration of job.json, got another" in wrong["configuration"]
    assert wrong["checkpoints"].startswith("last.ckpt: expected signature ")


def test_a_changed_param_is_caught(record: Recorded) -> None:
    assert record.execute(
        "UPDATE params SET value = 'cnn' WHERE key = 'model' AND run_uuid = ?", record.run_id
    )
    assert record.wrong() == {"configuration": "param model: expected softmax, got cnn"}


def test_a_truncated_checkpoint_is_caught_even_under_a_new_manifest(record: Recorded) -> None:
    path = record.artifact("checkpoints/last.ckpt")
    path.write_bytes(path.read_bytes()[:-1000])
    reseal(record)
    wrong = record.wrong()
    assert set(wrong) == {"checkpoints"}
    assert wrong["checkpoints"].startswith("last.ckpt: expected a whole checkpoint, got ")


def test_other_weights_are_caught_even_under_a_new_manifest(record: Recorded) -> None:
    path = record.artifact("checkpoints/best.ckpt")
    checkpoint = torch.load(path, weights_only=True)
    name = next(name for name in checkpoint["state_dict"] if name.endswith("weight"))
    checkpoint["state_dict"][name] *= -1
    torch.save(checkpoint, path)
    reseal(record)
    wrong = record.wrong()
    assert set(wrong) == {"checkpoints", "evaluation"}
    assert wrong["checkpoints"].startswith("best.ckpt, weights: expected ")


def test_a_run_that_did_not_finish_is_told(record: Recorded) -> None:
    record.store.client.set_terminated(record.run_id, "KILLED")
    assert record.wrong() == {"status": "expected FINISHED, got KILLED"}


def test_a_broken_file_is_a_finding_and_no_crash(record: Recorded) -> None:
    record.artifact("fit/trace.json").write_text("{")
    wrong = record.wrong()
    assert set(wrong) == {"artifacts", "checkpoints", "predictions", "evaluation"}
    assert wrong["predictions"].startswith("expected a whole record, got JSONDecodeError: ")


def test_the_verb_tells_a_line_a_check_and_by_its_exit_code(record: Recorded) -> None:
    asked = ["verify", record.run_id, "--root", str(record.root)]
    done = CliRunner().invoke(cli, asked)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "Nothing is wrong.")
    assert done.output.splitlines()[1] == "  ok      status: FINISHED"
    assert len(done.output.splitlines()) == len(CHECKS) + 2
    record.artifact("test/confusion.csv").unlink()
    done = CliRunner().invoke(cli, asked)
    assert (done.exit_code, done.output.splitlines()[-1]) == (1, "1 of the checks found something wrong.")
    assert "  wrong   artifacts: test/confusion.csv: expected the file, got none" in done.output.splitlines()


def test_a_run_that_a_search_ended_is_held_to_its_own_length(make_job: Callable[..., Job]) -> None:
    def watch(epoch: int, metrics: Mapping[str, float]) -> None:
        if epoch == 2:
            raise Pruned(epoch, "hopeless")

    job = make_job(*SHORT)
    pruned = Recorded(Path(job.config["track"]["root"]), run(job, watch=watch).run_id)
    checks = pruned.checks()
    assert {what for what, check in checks.items() if check.state != "ok"} == {
        "checkpoints",
        "predictions",
        "evaluation",
    }
    assert {check.state for check in checks.values()} == {"ok", "skipped"}
    assert checks["checkpoints"].told == "a run that a search ended early keeps none"
    assert checks["metrics"].told.endswith(", of epochs 1 to 2 once each")


def test_data_that_is_not_at_hand_is_no_fault_of_the_record(
    tmp_path: Path, make_job: Callable[..., Job]
) -> None:
    folder = write_folder(tmp_path / "images")
    images = ("data=image_folder", f"data.root={folder}", f"data.cache_dir={tmp_path}/cache")
    job = make_job(*SHORT, *images, *CUT)
    record = trained(job)
    assert record.checks()["evaluation"].state == "ok"
    image = next(folder.rglob("*.png"))
    content = image.read_bytes()
    shutil.copyfile(next(other for other in folder.rglob("*.png") if other.read_bytes() != content), image)
    changed = record.checks()["evaluation"]
    assert (changed.state, changed.told) == (
        "skipped",
        "the data at hand is not that of the record, by its digests",
    )
    shutil.rmtree(folder)
    gone = record.checks()["evaluation"]
    assert gone.state == "skipped"
    assert gone.told.startswith("the data is not at hand: data.root")
