"""A reproducibility checklist: a box is ticked where the record is the answer, and nowhere else."""

import re
from pathlib import Path

import pytest

from seedbed.reproduce.reproduction import VERDICT
from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.verdict.members import members
from tests.report import recorded
from tests.report.documented import (
    ANSWERED_BY_RECORD,
    CONTENT,
    OPEN,
    assert_well_formed,
    boxes,
    document,
    documented,
    headings,
    parsed,
)
from tests.report.reporting import Made, made

SECTIONS = [
    "Models and algorithms",
    "Theoretical claims",
    "Data",
    "Code",
    "Experimental results",
    "Re-running",
]
ASKED_OF_PEOPLE = {
    "Mathematical setting, algorithm, model", "Assumptions", "Complexity (time, space, sample size)",
    "Statement of each claim", "Proof of each claim", "Data left out, and preprocessing",
    "Where the data can be had", "How new data were collected", "Where the code can be had",
}  # fmt: skip


@pytest.fixture(scope="module")
def full(record: Store, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(documented(record), tmp_path_factory.mktemp("full"))


def checklist(found: Made) -> str:
    return (found.out / "reproducibility.md").read_text()


def test_a_checklist_has_its_sections_and_is_well_formed(full: Made) -> None:
    assert headings(parsed(checklist(full))) == SECTIONS
    assert_well_formed(checklist(full))


def test_the_page_leads_to_the_checklist(full: Made) -> None:
    assert "- [reproducibility.md](reproducibility.md): what it takes to get these" in full.markdown
    assert '<a href="reproducibility.md">reproducibility.md</a>' in full.html


def test_of_a_full_record_what_it_answers_is_ticked_and_the_rest_is_open(full: Made) -> None:
    told = checklist(full)
    assert boxes(told, "x") == ANSWERED_BY_RECORD
    assert boxes(told, " ") == ASKED_OF_PEOPLE


def test_an_open_box_is_visibly_the_authors(full: Made) -> None:
    lines = [line for line in checklist(full).splitlines() if line.startswith("- [")]
    assert {OPEN in line for line in lines if line.startswith("- [ ]")} == {True}
    assert {OPEN in line for line in lines if line.startswith("- [x]")} == {False}


def test_evidence_stands_beside_the_tick(full: Made) -> None:
    told = checklist(full)
    for line in (
        "- [x] **Hyper-parameters considered.** `model`: `softmax,mlp`, `seed`: `0,1,2`.",
        "- [x] **How the best were chosen.** No search is on record: every setting with a finished run is "
        "compared, 2 in all.",
        "- [x] **All hyper-parameters of the results.** 6 of 6 compared runs keep `config.yaml`.",
        "- [x] **Trained models.** 6 of 6 compared runs keep `checkpoints/best.ckpt`.",
        "- [x] **Training code.** Git: commit 0123abcd, code: the commit alone.",
        "- [x] **Central tendency and variation.** Below: mean, sd (n - 1), and Student's 95 % t interval of "
        "the mean over n runs.",
    ):
        assert f"{line}\n" in told
    assert "runs, 6 FINISHED. A test split without a digest on record: read 6 times" in told
    assert "`seed`: 0, 1, 2.\n" in told
    assert f"| test | pets | 50 | 20 to 30 | `{CONTENT[:16]}` | `5eed111111111111` | 6 |" in told
    assert "in force in the run mlp seed 0: num_threads 1, deterministic_algorithms True. " in told
    assert "| mlp | 3 | 0.8480 |" in told


def test_runtimes_are_means_over_the_runs_of_a_setting(full: Made) -> None:
    runs = members(full.study.store, full.study.run_id)
    spent = [run.metrics["fit/cpu_seconds"] for run in runs if run.params["model"] == "softmax"]
    assert f"| softmax | {sum(spent) / 3:.4f} (0.0400) |  |" in checklist(full)


def test_what_the_record_lacks_is_open(record: Store, tmp_path: Path) -> None:
    told = checklist(made(recorded.ladder(record, ("mlp",), 1), tmp_path))
    lacking = {
        "Number of examples and other statistics", "Details of the splits", "Evaluation code",
        "Trained models", "All hyper-parameters of the results", "Central tendency and variation",
        "Computing infrastructure",
    }  # fmt: skip
    assert boxes(told, " ") == ASKED_OF_PEOPLE | lacking
    assert "| split |" not in told


def test_an_artifact_that_some_runs_lack_is_no_tick(record: Store, tmp_path: Path) -> None:
    told = checklist(made(recorded.ladder(record, ("mlp",), 2), tmp_path))
    assert f"- [ ] **Dependencies.** 1 of 2 compared runs keep `provenance/packages.txt`. {OPEN}\n" in told


def test_data_that_some_runs_do_not_name_are_no_tick(record: Store, tmp_path: Path) -> None:
    study = recorded.ladder(record, ("mlp",), 2)
    document(Record(record, members(record, study.run_id)[0].run_id), 0)
    told = checklist(made(study, tmp_path))
    assert f"- [ ] **Details of the splits.** Below. {OPEN}\n" in told
    assert f"| test | pets | 50 | 20 to 30 | `{CONTENT[:16]}` | `5eed111111111111` | 1 |" in told


@pytest.mark.parametrize(
    ("state", "mark"),
    [
        ("the commit and the diff", "x"),
        ("the commit alone, without 2 files", " "),
        ("not in a git checkout", " "),
    ],
)
def test_code_that_is_not_all_on_record_is_no_tick(
    record: Store, tmp_path: Path, state: str, mark: str
) -> None:
    study = recorded.study(record)
    for seed, code in enumerate(("the commit alone", state)):
        tags = {"seedbed.code": code}
        recorded.run(study, f"mlp {seed}", 0.9, params={"model": "mlp", "seed": seed}, tags=tags)
    told = checklist(made(study, tmp_path))
    assert (
        f"- [{mark}] **Training code.** Git: commit 0123abcd, code: the commit alone (1 of 2 runs), " in told
    )
    assert f"{state} (1 of 2 runs)" in told


def rerun(store: Store, run_id: str, verdict: str = "", command: str = "seedbed reproduce x") -> Record:
    """The tags that a re-run has."""
    known = {"seedbed.reproduces": run_id, "seedbed.command": command}
    known |= {VERDICT: verdict} if verdict else {}
    return Record.start(store, experiment="again", name="again", params={}, tags=known)


def test_re_runs_are_told_with_their_verdicts_wherever_they_are(record: Store, tmp_path: Path) -> None:
    study = recorded.ladder(record)
    first, second, *_ = members(record, study.run_id)
    assert "No re-run of a run of this study is on this record." in checklist(made(study, tmp_path))
    same = rerun(record, first.run_id, "identical")
    other = rerun(record, second.run_id, "within tolerance", "seedbed reproduce x trainer.devices=2")
    failed = rerun(record, second.run_id)
    strange = rerun(record, study.run_id, "different")
    for run in (same, other, strange):
        run.finish("FINISHED")
    failed.finish("FAILED")
    told = checklist(made(study, tmp_path)).partition("## Re-running")[2]
    assert "Re-runs of 2 of 6 runs are on this record:\n" in told
    assert re.findall(r"^\| (soft.*) \|$", told, re.MULTILINE) == [
        f"softmax seed 0 | `{same.run_id}` | identical | `seedbed reproduce x`",
        f"softmax seed 1 | `{other.run_id}` | within tolerance | `seedbed reproduce x trainer.devices=2`",
        f"softmax seed 1 | `{failed.run_id}` | none: the re-run is FAILED | `seedbed reproduce x`",
    ]
    assert strange.run_id not in told


def test_the_commands_are_those_to_type(full: Made) -> None:
    study = full.study
    commands = (
        "seedbed train -m model=softmax,mlp 'seed=range(0,3)'\n"
        f"seedbed reproduce {study.run_id} --root {study.store.root}\n"
    )
    assert f"```\n{commands}```" in checklist(full)
