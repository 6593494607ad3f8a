"""The model card and the checklist of a study that was really run: the record has what they look for."""

import re
from pathlib import Path

import pytest

from seedbed.cli.command import cli
from tests.report.documented import ANSWERED_BY_RECORD, LEFT_TO_PEOPLE, boxes, unanswered
from tests.study.conftest import QUICK, RunStudy, family

ROUNDING = 1e-4  # of recalls that are told with four digits


def test_a_real_study_s_record_answers_all_that_a_record_can(run_study: RunStudy, tmp_path: Path) -> None:
    run_study("model=softmax", "seed=0,1", "evaluate_test=true", *QUICK)
    study, runs = family(tmp_path)
    cli.main(["report", study.info.run_id, "--out", "out"], standalone_mode=False)
    told, card = ((tmp_path / "out" / name).read_text() for name in ("reproducibility.md", "model_card.md"))
    code_is_whole = {"Training code", "Evaluation code"}  # outside a checkout there is none to name
    assert boxes(told, "x") == ANSWERED_BY_RECORD - code_is_whole
    assert unanswered(card) == LEFT_TO_PEOPLE
    rows = re.findall(r"^\| (\d) \| (\d+) \| 2 \| ([\d.]+) \|", card, re.MULTILINE)
    assert [name for name, *_ in rows] == list("0123456789")
    hits = sum(int(examples) * float(recall) for _, examples, recall in rows)
    accuracy = sum(run.data.metrics["test/accuracy"] for run in runs) / 2
    assert hits / sum(int(examples) for _, examples, _ in rows) == pytest.approx(accuracy, abs=ROUNDING)
