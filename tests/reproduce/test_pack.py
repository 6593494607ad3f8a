"""A record goes into one file and comes out elsewhere as it was; a bad file leaves the store untouched."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from seedbed.cli.command import cli
from seedbed.errors import DataError, StoreError
from seedbed.job import Job
from seedbed.reproduce import archive, code
from seedbed.reproduce.pack import pack
from seedbed.reproduce.unpack import unpack
from seedbed.reproduce.verify import verify
from seedbed.track import resumption
from seedbed.track.checkout import git
from seedbed.track.copying import described_run
from seedbed.track.manifest import digest
from seedbed.track.store import Store
from seedbed.train import run
from seedbed.verdict.find import find, opened
from seedbed.verdict.members import members
from tests.conftest import jobs_in
from tests.data.tiny import write_folder
from tests.reproduce.recorded import Recorded
from tests.reproduce.test_verify_study import pristine as study

__all__ = ["study"]
SHORT = ("trainer.max_epochs=2", "trainer.num_threads=1", "evaluate_test=true", "model=softmax")
CUT = ("data.image_size=8", "data.batch_size=16", "data.test_fraction=0.2", "data.val_fraction=0.25")
OWN = ("run_id", "tags")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    with jobs_in(tmp_path_factory.mktemp("pack")) as make:
        job = make(*SHORT)
    return Recorded(Path(job.config["track"]["root"]), run(job).run_id)


@pytest.fixture(scope="module")
def packed(record: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "run.zip"
    pack(record.store, find(record.store, record.run_id), out)
    return out


def told(store: Store, run_id: str) -> tuple[dict[str, Any], list[Any]]:
    """All that a store knows of a run, without what it cannot have in common with another store."""
    found = store.client.get_run(run_id)
    described = described_run(store, found)
    tags = {name: text for name, text in described["tags"].items() if not name.startswith("seedbed.unpacked")}
    known = {name: value for name, value in described.items() if name not in OWN}
    return known | {"tags": tags}, sorted(resumption.points(store, found))


def files(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): digest(path) for path in root.rglob("*") if path.is_file()}


def test_a_run_comes_out_as_it_went_in(record: Recorded, packed: Path, tmp_path: Path) -> None:
    (done,) = unpack(packed, tmp_path / "mlruns")
    assert (done.name, done.old, done.known) == ("softmax digits 0", record.run_id, False)
    store = opened(tmp_path / "mlruns")
    assert told(store, done.new) == told(record.store, record.run_id)
    assert find(store, done.new).tags["seedbed.unpacked_from"] == record.run_id
    assert not list(tmp_path.glob(".seedbed*"))


def test_what_came_out_is_in_order(packed: Path, tmp_path: Path) -> None:
    (done,) = unpack(packed, tmp_path / "mlruns")
    store = opened(tmp_path / "mlruns")
    (looked,) = verify(store, find(store, done.new))
    assert {check.state for check in looked.checks} == {"ok"}


def test_the_same_record_gives_the_same_bytes(record: Recorded, packed: Path, tmp_path: Path) -> None:
    done = pack(record.store, find(record.store, record.run_id), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()
    assert (done.num_runs, done.without) == (1, [])


def test_unpacking_twice_makes_one_run(packed: Path, tmp_path: Path) -> None:
    (first,) = unpack(packed, tmp_path / "mlruns")
    before = files(tmp_path / "mlruns")
    (second,) = unpack(packed, tmp_path / "mlruns")
    assert second == first._replace(known=True)
    assert files(tmp_path / "mlruns") == before


def test_a_run_is_not_unpacked_beside_itself(record: Recorded, packed: Path) -> None:
    (done,) = unpack(packed, record.root)
    assert (done.new, done.known) == (record.run_id, True)


def test_a_run_of_which_half_was_unpacked_is_made_again(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("seedbed.track.copying._fill_model", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            unpack(packed, tmp_path / "mlruns")
    (done,) = unpack(packed, tmp_path / "mlruns")
    store = opened(tmp_path / "mlruns")
    (looked,) = verify(store, find(store, "softmax digits 0"))
    assert (looked.run_id, done.known) == (done.new, False)
    assert {check.state for check in looked.checks} == {"ok"}


def test_the_code_comes_out_as_a_repository_that_git_worktree_takes(
    record: Recorded, packed: Path, tmp_path: Path
) -> None:
    unpack(packed, tmp_path / "mlruns")
    commit = find(record.store, record.run_id).tags["mlflow.source.git.commit"]
    bare = code.place(tmp_path / "mlruns", commit)
    git(bare, "worktree", "add", "--quiet", "--detach", str(tmp_path / "code"), commit)
    assert git(tmp_path / "code", "rev-parse", "HEAD").strip() == commit
    assert git(tmp_path / "code", "status", "--short") == ""
    listed = git(Path(__file__).parent, "ls-tree", "-r", "--full-tree", "--name-only", commit)
    assert git(tmp_path / "code", "ls-files") == listed


def test_the_pack_of_a_commit_does_not_tell_how_its_repository_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n" * 1000)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git(tmp_path, "init", "--quiet")
    for text in ("two", "three"):
        with (tmp_path / "a.txt").open("a") as file:
            file.write(text)
        git(tmp_path, "add", "a.txt")
        git(tmp_path, *identity, "commit", "--quiet", "--message", text)
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    before = code.packed(tmp_path, commit)
    git(tmp_path, "gc", "--quiet", "--aggressive")
    assert code.packed(tmp_path, commit) == before


def test_a_study_comes_out_with_its_runs_below_it(study: Recorded, tmp_path: Path) -> None:
    pack(study.store, find(study.store, study.run_id), tmp_path / "study.zip")
    parent, *children = unpack(tmp_path / "study.zip", tmp_path / "mlruns")
    store = opened(tmp_path / "mlruns")
    assert {member.run_id for member in members(store, parent.new)} == {child.new for child in children}
    assert [child.name for child in children] == ["softmax s0", "softmax s1", "mlp s0", "mlp s1"]
    looked = list(verify(store, find(store, parent.new)))
    assert {check.state for _, _, checks in looked for check in checks} == {"ok", "skipped"}
    assert unpack(tmp_path / "study.zip", tmp_path / "mlruns")[0] == parent._replace(known=True)


def test_a_run_without_its_study_stands_alone(study: Recorded, tmp_path: Path) -> None:
    child = members(study.store, study.run_id)[0]
    pack(study.store, child, tmp_path / "run.zip")
    (done,) = unpack(tmp_path / "run.zip", tmp_path / "mlruns")
    assert "mlflow.parentRunId" not in find(opened(tmp_path / "mlruns"), "last").tags
    assert find(opened(tmp_path / "mlruns"), "last").run_id == done.new


def test_data_goes_along_only_when_asked(tmp_path: Path, make_job: Callable[..., Job]) -> None:
    folder = write_folder(tmp_path / "images")
    images = ("data=image_folder", f"data.root={folder}", f"data.cache_dir={tmp_path}/cache")
    job = make_job(*SHORT, *images, *CUT)
    run_id = run(job).run_id
    store = opened(Path(job.config["track"]["root"]))
    without = pack(store, find(store, run_id), tmp_path / "without.zip").without
    assert without == ["Without data, of which it has the digests; --data takes it along."]
    assert pack(store, find(store, run_id), tmp_path / "with.zip", with_data=True).without == []
    shutil.rmtree(folder)
    with pytest.raises(DataError):
        pack(store, find(store, run_id), tmp_path / "gone.zip", with_data=True)
    states = []
    for name in ("without", "with"):
        (done,) = unpack(tmp_path / f"{name}.zip", tmp_path / name / "mlruns")
        there = opened(tmp_path / name / "mlruns")
        (looked,) = verify(there, find(there, done.new))
        states.append(looked.checks[-1].state)
    assert states == ["skipped", "ok"]


def test_a_run_that_is_not_over_is_not_packed(record: Recorded, tmp_path: Path) -> None:
    copy = record.copied(tmp_path / "mlruns")
    copy.store.client.update_run(copy.run_id, status="RUNNING")
    with pytest.raises(StoreError, match="expected one that has ended, got RUNNING"):
        pack(copy.store, find(copy.store, copy.run_id), tmp_path / "run.zip")


def test_a_commit_that_is_nowhere_is_told(record: Recorded, tmp_path: Path) -> None:
    copy = record.copied(tmp_path / "mlruns")
    copy.store.client.set_tag(copy.run_id, "mlflow.source.git.commit", "0" * 40)
    done = pack(copy.store, find(copy.store, copy.run_id), tmp_path / "run.zip")
    assert done.without == [f"Without code: no repository here has commit {'0' * 40}."]


Change = Callable[[Path], object]


def rewritten(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def job_naming(target: str) -> Change:
    def change(folder: Path) -> None:
        (path,) = folder.glob("runs/*/artifacts/job.json")
        told = json.loads(path.read_text())
        told["config"]["model"]["_target_"] = target
        path.write_text(json.dumps(told))

    return change


def told_as(**values: object) -> Change:
    return lambda folder: rewritten(next(folder.glob("runs/*/run.json")), **values)


def metrics_of(text: str) -> Change:
    return lambda folder: next(folder.glob("runs/*/metrics.jsonl")).write_text(text)


def damaged_pack(folder: Path) -> None:
    (path,) = folder.glob("code/*.pack")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def named_data(folder: Path) -> None:
    (folder / "data/0123456789abcdef").mkdir(parents=True)
    (folder / "data/0123456789abcdef/a").write_text("a")


BAD: dict[str, tuple[Change, str]] = {
    "target": (job_naming("os.system"), "ConfigError: model._target_: expected a path that starts with"),
    "status": (told_as(status="RUNNING"), "ValueError: expected one of FINISHED, FAILED, KILLED"),
    "id": (told_as(run_id="../../x"), "ValueError: run id '../../x' in "),
    "tags": (told_as(tags={"a": 1}), "TypeError: "),
    "long tag": (told_as(tags={"a": "b" * 9000}), "ValueError: expected texts of at most 8000 characters"),
    "time": (told_as(start_time=None), "ValueError: expected times in milliseconds"),
    "data": (told_as(data="../../etc"), "ValueError: expected a folder of data"),
    "metric": (metrics_of('["../a", 1, 1, "0x1p0"]\n'), "ValueError: expected points of metrics"),
    "value": (metrics_of('["a", 1, 1, "one"]\n'), "ValueError: invalid hexadecimal floating-point string"),
    "nothing": (lambda folder: shutil.rmtree(folder / "runs"), "FileNotFoundError: "),
    "pack": (damaged_pack, "the whole commit "),
    "other commit": (
        lambda folder: next(folder.glob("code/*.pack")).rename(folder / f"code/{'1' * 40}.pack"),
        f"the whole commit {'1' * 40}, got ",
    ),
    "no commit": (
        lambda folder: next(folder.glob("code/*.pack")).rename(folder / "code/hook.sh"),
        "packs of commits under code/, got hook.sh",
    ),
    "named data": (
        named_data,
        "folders of data named by their content, got 0123456789abcdef",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_an_archive_of_what_no_store_knew_is_refused_with_nothing_written(
    packed: Path, tmp_path: Path, what: str
) -> None:
    change, expected = BAD[what]
    content = tmp_path / "content"
    archive.read(packed, content)
    change(content)
    members = {str(path.relative_to(content)): path for path in content.rglob("*") if path.is_file()}
    archive.write(tmp_path / "bad.zip", members, {})
    with pytest.raises(StoreError) as caught:
        unpack(tmp_path / "bad.zip", tmp_path / "new" / "mlruns")
    assert expected in str(caught.value)
    assert str(caught.value).endswith("Nothing was written. Have it packed or sent again.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip", "content"]


def test_a_broken_archive_leaves_a_store_that_is_there_untouched(
    record: Recorded, packed: Path, tmp_path: Path
) -> None:
    copy = record.copied(tmp_path / "mlruns")
    before = files(copy.root)
    bad = tmp_path / "bad.zip"
    bad.write_bytes(packed.read_bytes()[:-1])
    done = CliRunner().invoke(cli, ["unpack", str(bad), "--root", str(copy.root)])
    assert isinstance(done.exception, StoreError)
    assert files(copy.root) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip", "mlruns"]


def test_the_verbs_say_what_they_did_and_what_to_type_next(record: Recorded, tmp_path: Path) -> None:
    out, root = tmp_path / "run.zip", tmp_path / "mlruns"
    done = CliRunner().invoke(cli, ["pack", "last", "--out", str(out), "--root", str(record.root)])
    assert done.output == f"1 run in {out}: {out.stat().st_size} bytes.\n"
    done = CliRunner().invoke(cli, ["unpack", str(out), "--root", str(root)])
    new = find(opened(root), "last").run_id
    assert done.output.splitlines() == [
        f"softmax digits 0: {record.run_id[:8]} is now {new}",
        f"Next: seedbed verify {new[:8]} --root {root}",
        f"Next: seedbed reproduce {new[:8]} --root {root}",
    ]
    done = CliRunner().invoke(cli, ["unpack", str(out), "--root", str(root)])
    assert done.output.splitlines()[0] == f"softmax digits 0: {record.run_id[:8]} is here as {new}"
