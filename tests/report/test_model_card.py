"""A model card: what the record says, and visibly what it does not."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.verdict.members import members
from tests.report import recorded
from tests.report.documented import (
    CONTENT,
    LEFT_TO_PEOPLE,
    assert_well_formed,
    document,
    documented,
    headings,
    parsed,
    unanswered,
)
from tests.report.reporting import Made, files, made

SECTIONS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]


@pytest.fixture(scope="module")
def full(record: Store, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(documented(record), tmp_path_factory.mktemp("full"))


def card(found: Made) -> str:
    return (found.out / "model_card.md").read_text()


def test_a_card_has_the_nine_sections_and_is_well_formed(full: Made) -> None:
    assert headings(parsed(card(full))) == SECTIONS
    assert_well_formed(card(full))


def test_the_page_leads_to_the_card(full: Made) -> None:
    assert "- [model_card.md](model_card.md): what the model is" in full.markdown
    assert '<a href="model_card.md">model_card.md</a>: what the model is' in full.html


def test_the_same_record_gives_the_same_card_and_checklist(full: Made, tmp_path: Path) -> None:
    again = files(made(full.study, tmp_path).out)
    for name in ("model_card.md", "reproducibility.md"):
        assert again[name] == files(full.out)[name]


def test_of_a_full_record_only_what_people_know_is_open(full: Made) -> None:
    assert unanswered(card(full)) == LEFT_TO_PEOPLE


def test_the_card_is_of_the_best_setting_and_says_by_what(full: Made) -> None:
    first = next(run for run in members(full.study.store, full.study.run_id) if run.name == "mlp seed 0")
    told = card(full)
    assert "The card is of the setting `mlp`, the best of 2 settings by mean `test/accuracy`." in told
    assert "- **Type.** `model=mlp`, class `seedbed.model.mlp.Mlp`.\n" in told
    assert (
        f"- **Version.** Study `{full.study.run_id}`, 3 runs of this setting, the first `{first.run_id}` "
        "(mlp seed 0). Git: commit 0123abcd, code: the commit alone.\n"
    ) in told
    assert "optimizer:\n  _target_: torch.optim.SGD\n  lr: 0.1\n```" in told
    assert "- The setting was put first by the same `test/accuracy` that is told here" in told


def test_overall_figures_are_those_of_the_record(full: Made) -> None:
    runs = members(full.study.store, full.study.run_id)
    values = np.array([run.metrics["test/accuracy"] for run in runs if run.params["model"] == "mlp"])
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    numbers = f"{values.mean():.4f} | {values.std(ddof=1):.4f} | [{low:.4f}, {high:.4f}]"
    assert f"| `test/accuracy` | 3 | {numbers} |" in card(full)
    assert "| `test/accuracy` | share | higher | the most probable class is the true one |" in card(full)


def test_each_class_has_its_recall_and_f1_score(full: Made) -> None:
    recalls = np.array([15, 16, 17]) / 20
    scores = 2 * np.array([15, 16, 17]) / (20 + np.array([17, 18, 19]))
    ends = [stats.t.interval(0.95, 2, found.mean(), stats.sem(found)) for found in (recalls, scores)]
    told = [
        f"{found.mean():.4f} | {found.std(ddof=1):.4f} | [{low:.4f}, {high:.4f}]"
        for found, (low, high) in zip((recalls, scores), ends, strict=True)
    ]
    assert f"| cat | 20 | 3 | {told[0]} | {told[1]} |" in card(full)
    assert "| a dog | 30 | 3 | 0.9333 | 0.0000 | [0.9333, 0.9333] |" in card(full)


def test_data_are_told_with_sizes_and_digests(full: Made) -> None:
    told = card(full)
    evaluation, training = told.partition("## Training data")[::2]
    assert f"| test | pets | 50 | 20 to 30 | `{CONTENT[:16]}` | `5eed111111111111` | 3 |" in evaluation
    assert f"| train | pets | 150 | 70 to 80 | `{CONTENT[:16]}` | 3 different choices | 3 |" in training
    assert f"| val | pets | 30 | 10 to 20 | `{CONTENT[:16]}` | 3 different choices | 3 |" in training
    assert "data:\n  batch_size: 64\n  standardize: true\n```" in training


def test_what_the_same_test_examples_leave_unknown_is_said(full: Made) -> None:
    assert "- All runs were tested on the same examples: no interval holds what other" in card(full)


def test_without_the_test_split_the_card_is_of_validation_and_says_so(record: Store, tmp_path: Path) -> None:
    study = recorded.study(record)
    for seed in range(2):
        run = recorded.run(study, f"mlp {seed}", 0.9, params={"model": "mlp", "seed": seed}, test=False)
        document(Record(record, run.run_id), seed)
    told = card(made(study, tmp_path))
    evaluation, training = told.partition("## Evaluation data")[2].split("## Training data")
    assert "Below. The test split was not read: the figures are of validation." in evaluation
    assert "| val | pets | 30 |" in evaluation
    assert "| test |" not in told
    assert "| val |" not in training
    assert "| `best_val/accuracy` | 2 | 0.9000 |" in told
    assert "- The figures are of the epoch that the validation split chose: that flatters them." in told
    assert "- No run of this study has read its test split." in told
    assert "other examples would move" not in told


def test_a_search_s_card_is_of_the_refit_and_says_how_it_was_chosen(record: Store, tmp_path: Path) -> None:
    told = card(made(recorded.search(record), tmp_path))
    assert "The card is of the setting `mlp`, the only setting that is compared." in told
    assert (
        "- **How it was chosen.** A search tried 12 settings, judged on `best_val/loss`. Stages: search "
        "(12 runs), finalists (6 runs), refit (3 runs). The best settings were run again with fresh seeds "
        "and compared by `best_val/accuracy`; the winner was refitted with new seeds, and only those runs "
        "are reported as its result.\n"
    ) in told
    assert "was put first by" not in told


def test_one_run_has_no_interval_and_the_card_says_so(record: Store, tmp_path: Path) -> None:
    told = card(made(recorded.ladder(record, ("mlp",), 1), tmp_path))
    assert "- **Variation.** One run: no interval, and nothing is known of" in told
    assert "| `test/accuracy` | 1 | 0.7900 |  | needs 2 runs |" in told


def test_of_another_program_s_runs_nothing_is_made_up(record: Store, tmp_path: Path) -> None:
    study = Record.start(record, experiment="other", name="theirs", params={}, tags={})
    for depth in (1, 2):
        run = Record.start(
            record,
            experiment="other",
            name=f"depth {depth}",
            params={"depth": depth},
            tags={},
            parent_run_id=study.run_id,
        )
        for path in ("config.yaml", "test/confusion.csv"):
            run.log_text("- neither: ours\n", path)
        run.store.client.log_metric(run.run_id, "rmse", float(depth))
        run.finish("FINISHED")
    told = card(made(study, tmp_path, metric="rmse"))
    assert "of 2 settings the one with the largest mean `rmse`, which need not be the best." in told
    nobody_s = {
        "Type",
        "Algorithm, parameters, features",
        "Data sets",
        "Preprocessing",
        "Performance measures",
    }
    assert unanswered(told) == LEFT_TO_PEOPLE | nobody_s | {"Decision thresholds", "Factors evaluated"}
    assert "the record holds no `test/confusion.csv` of this setting" in told


def test_names_are_text_in_the_documents_too(record: Store, tmp_path: Path) -> None:
    name = "<script>alert('x')</script> & | x"
    study = recorded.study(record, name)
    for seed in range(2):
        run = recorded.run(study, f"{name} {seed}", 0.9, params={"model": name, "seed": seed})
        document(Record(record, run.run_id), seed)
    made(study, tmp_path)
    for document_name in ("model_card.md", "reproducibility.md"):
        assert_well_formed((tmp_path / document_name).read_text())
