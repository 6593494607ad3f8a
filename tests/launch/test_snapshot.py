"""Jobs run the code that was there when they were submitted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.launch.snapshot import DIGEST
from seedbed.track.checkout import git
from tests.launch.conftest import QUICK, Desk, said, until

ROOT = Path(__file__).parents[2]
MAKE = """
from pathlib import Path
from seedbed.launch.snapshot import snapshot
print(*snapshot(Path("mlruns").absolute(), Path.cwd()), sep="\\n")
"""
ASK = (
    "from pathlib import Path; from seedbed.track.provenance import provenance; print(provenance(Path.cwd()))"
)
SAME = ("seedbed.code", "seedbed.code_digest", "mlflow.source.git.commit", "mlflow.source.git.branch")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """This package in a repository of its own, with a commit, an edit, a new file and a deleted one."""
    top = tmp_path / "checkout"
    for name in ("src", "conf"):
        shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    (top / ".gitignore").write_text("__pycache__/\nmlruns/\n")
    (top / "gone.py").write_text("gone = True\n")
    git(top, "init", "--quiet", "--initial-branch=trial")
    git(top, "add", "--all")
    git(top, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=all")
    (top / "gone.py").unlink()
    (top / "src/seedbed/new.py").write_text("new = True\n")
    errors = top / "src/seedbed/errors.py"
    errors.write_text(errors.read_text() + "\nEDITED = True\n")
    return top


def python(top: Path, code: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=top,
        env=os.environ | {"PYTHONPATH": str(top / "src")} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_snapshot_is_the_code_that_it_was_made_of_whatever_is_edited_afterwards(checkout: Path) -> None:
    before = python(checkout, ASK)
    cwd, path = python(checkout, MAKE).splitlines()
    (checkout / "src/seedbed/errors.py").write_text("raise SystemExit\n")
    (checkout / "src/seedbed/new.py").unlink()
    after = python(Path(cwd), ASK, PYTHONPATH=path)
    assert after.replace(cwd, str(checkout)) == before
    assert "EDITED = True" in after
    assert "gone.py" in after


def test_where_there_is_no_checkout_the_package_itself_is_kept(checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(checkout / ".git")
    before = python(checkout, DIGEST)
    cwd, path = python(checkout, MAKE).splitlines()
    (checkout / "src/seedbed/new.py").write_text("new = False\n")
    assert python(Path(cwd), DIGEST, PYTHONPATH=path) == before


@pytest.mark.cluster
def test_an_edit_after_submission_does_not_reach_a_job_in_the_queue(desk: Desk, checkout: Path) -> None:
    nodes = ",".join(desk.cluster.nodes)
    desk = desk._replace(folder=checkout, store=checkout / "mlruns")
    desk.cluster.ask("scontrol", "update", f"NodeName={nodes}", "State=DRAIN", "Reason=test")
    try:
        # Folders are named from the checkout: the job itself works elsewhere.
        own = ("track.root=mlruns", f"track.experiment={desk.experiment}", "launch=slurm")
        waiting = desk.typed(
            "train", "trainer.max_epochs=1", *own, *QUICK, variables={"PYTHONPATH": str(checkout / "src")}
        )
        until(lambda: list(desk.store.glob("tasks/*/slurm.json")), waiting)
        told = python(checkout, "from seedbed.track.provenance import provenance as p; print(p('.').tags)")
        (checkout / "src/seedbed/train.py").write_text("raise SystemExit('edited')\n")
        (checkout / "conf/model/softmax.yaml").write_text("edited: true\n")
    finally:
        desk.cluster.ask("scontrol", "update", f"NodeName={nodes}", "State=RESUME")
    said(waiting)
    (run,) = desk.runs()
    assert run.info.status == "FINISHED"
    for name in SAME:
        assert repr(run.data.tags[name]) in told, name
