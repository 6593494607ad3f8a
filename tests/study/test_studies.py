"""Whole studies on real digits: what they run, what they keep, how they end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run

from seedbed.errors import ConfigError, StoreError, TrainingError
from seedbed.study.seeds import generated
from tests.study.conftest import QUICK, RunStudy, family, recorded

RANGE = "optimizer.lr=tag(log,interval(0.001,0.1))"
TABLE = ("data=breast_cancer", "model=logistic", "data.test_fraction=0")


def stages(children: list[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for child in children:
        found.setdefault(child.data.tags.get("seedbed.stage", ""), []).append(child)
    return found


def artifact(folder: Path, run: Run, path: str) -> str:
    uri = f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}"
    return Path(download_artifacts(run_id=run.info.run_id, artifact_path=path, tracking_uri=uri)).read_text()


# Grids -----------------------------------------------------------------------------------------------


def test_every_setting_gets_the_same_generated_seeds(run_study: RunStudy, tmp_path: Path) -> None:
    run_study("model=softmax,mlp", "study.num_seeds=2", *QUICK)
    _, children = family(tmp_path)
    seeds = [str(seed) for seed in generated(0, "search", 2)]
    assert [(child.data.params["model"], child.data.params["seed"]) for child in children] == [
        ("softmax", seeds[0]),
        ("softmax", seeds[1]),
        ("mlp", seeds[0]),
        ("mlp", seeds[1]),
    ]


def test_runs_of_experiments_that_name_one_of_their_own_belong_to_the_study_s(
    run_study: RunStudy, tmp_path: Path
) -> None:
    run_study("experiment=chd,moons_logistic", "trainer.max_epochs=1")
    parent, children = family(tmp_path)
    assert [child.info.experiment_id for child in children] == [parent.info.experiment_id] * 2
    assert {child.info.status for child in children} == {"FINISHED"}


def test_more_seeds_of_the_same_command_join_the_same_study(run_study: RunStudy, tmp_path: Path) -> None:
    run_study("model=softmax,mlp", "study.num_seeds=2", *QUICK)
    told = run_study("model=softmax,mlp", "study.num_seeds=3", *QUICK)
    parent, children = family(tmp_path)
    assert "4 of these are on record and count." in told
    assert len(children) == 6
    assert parent.data.params == {"model": "softmax,mlp"}
    assert "study.num_seeds=3" in parent.data.tags["seedbed.command"]
    assert parent.info.status == "FINISHED"
    # The aggregate of the larger study is the one that counts.
    assert parent.data.metrics["mlp/best_val/accuracy.n"] == 3


def test_a_finished_study_runs_nothing_again_and_tells_the_same(run_study: RunStudy, tmp_path: Path) -> None:
    first = run_study("seed=range(0,2)", *QUICK)
    again = run_study("seed=range(0,2)", *QUICK)
    assert len(recorded(tmp_path)) == 3
    assert first[first.index("Settings") :] == again[again.index("Settings") :]


def test_another_study_is_made_on_request_and_of_other_settings(run_study: RunStudy, tmp_path: Path) -> None:
    run_study("seed=range(0,2)", *QUICK)
    run_study("seed=range(0,2)", "study.resume=false", *QUICK)
    run_study("seed=range(0,2)", "optimizer.lr=0.1", *QUICK)
    assert sum(run.data.tags["seedbed.kind"] == "study" for run in recorded(tmp_path)) == 3


def test_the_parent_ends_with_aggregate_table_and_note(run_study: RunStudy, tmp_path: Path) -> None:
    told = run_study("model=softmax,mlp", "study.num_seeds=2", *QUICK)
    parent, children = family(tmp_path)
    values = [child.data.metrics["best_val/accuracy"] for child in children[2:]]
    mean = sum(values) / 2
    assert parent.data.metrics["mlp/best_val/accuracy"] == pytest.approx(mean, rel=1e-12)  # a mean of two
    low, high = (parent.data.metrics[f"mlp/best_val/accuracy.{end}"] for end in ("low", "high"))
    assert low < mean < high
    table = artifact(tmp_path, parent, "summary.csv").splitlines()
    assert table[0] == "model,metric,n,mean,standard_deviation,low,high,interquartile_mean"
    assert len(table) == 3
    note = parent.data.tags["mlflow.note.content"]
    assert f"| mlp | 2 | {mean:.4f} |" in note
    assert "n = 2 pairs, p = " in note
    assert "[Compare 4 of 4 runs](#/compare-runs?runs=" in note
    assert f"seedbed report {parent.info.run_id[:8]} --out report" in told


def test_a_study_says_what_it_will_run_before_it_runs(run_study: RunStudy) -> None:
    told = run_study("model=softmax,mlp", "study.num_seeds=2", *QUICK).splitlines()
    assert told[0].endswith("(grid), 4 runs:")
    assert told[1] == "     4  2 settings x 2 seeds"
    assert told[2] == "First: softmax s0, softmax s1, mlp s0, mlp s1"
    assert told[3] == "No estimate: no finished run of this model and data is on record to go by."
    assert told[4].startswith("[1/4] softmax s0: best_val/loss ")


def test_an_estimate_comes_from_the_runs_on_record(run_study: RunStudy) -> None:
    run_study("seed=0,1", *QUICK)
    told = run_study("seed=0,1,2", "optimizer.lr=0.2", *QUICK)
    assert "one run after the other (from runs on record)." in told


# Failures --------------------------------------------------------------------------------------------

FAILING = ("model=softmax,logistic", "study.num_seeds=2")  # logistic takes two classes, digits have ten


def test_a_failed_run_is_on_record_and_the_rest_goes_on(run_study: RunStudy, tmp_path: Path) -> None:
    told = r"^study: expected 4 finished runs, got 2 failed \(logistic s0: .* logistic s1: .*tries them again"
    with pytest.raises(TrainingError, match=told):
        run_study(*FAILING, *QUICK)
    parent, children = family(tmp_path)
    assert [child.info.status for child in children] == ["FINISHED", "FINISHED", "FAILED", "FAILED"]
    assert parent.info.status == "FAILED"
    assert (
        "- logistic s1: ConfigError: model: expected two classes" in parent.data.tags["mlflow.note.content"]
    )


def test_the_failure_budget_ends_a_study_and_names_what_failed(run_study: RunStudy, tmp_path: Path) -> None:
    told = r"^study: expected at most study\.max_failures=0 failed runs, got 1 \(logistic s0\)"
    with pytest.raises(TrainingError, match=told):
        run_study("model=logistic,softmax", "study.num_seeds=2", "study.max_failures=0", *QUICK)
    _, children = family(tmp_path)
    assert [child.info.run_name for child in children] == ["logistic s0"]


def test_a_failed_run_is_tried_again_in_the_same_run(run_study: RunStudy, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(TrainingError):
            run_study(*FAILING, *QUICK)
    _, children = family(tmp_path)
    assert len(children) == 4


def test_a_run_that_is_refused_before_it_has_a_record_gets_one(run_study: RunStudy, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(TrainingError, match="optimizer=lbfgs"):
            run_study("optimizer=adamw,lbfgs", "seed=0,1", *QUICK)
    _, children = family(tmp_path)
    assert [child.info.status for child in children] == ["FINISHED", "FINISHED", "FAILED", "FAILED"]
    assert "data.batch_size" in artifact(tmp_path, children[-1], "error.txt")


# Searches --------------------------------------------------------------------------------------------


def test_a_search_chooses_on_validation_and_reads_the_test_split_in_the_refit_only(
    run_study: RunStudy, tmp_path: Path
) -> None:
    told = run_study(
        "study=tpe", RANGE, "study.num_trials=4", "study.num_finalists=2", "study.num_fresh_seeds=2", *QUICK
    )
    parent, children = family(tmp_path)
    found = stages(children)
    assert {stage: len(runs) for stage, runs in found.items()} == {"search": 4, "finalists": 4, "refit": 2}
    for stage, runs in found.items():
        assert all(("test/accuracy" in run.data.metrics) == (stage == "refit") for run in runs)
    seeds = {stage: {run.data.params["seed"] for run in runs} for stage, runs in found.items()}
    assert seeds["finalists"] == {str(seed) for seed in generated(0, "finalists", 2)}
    assert not seeds["search"] & seeds["finalists"] | seeds["finalists"] & seeds["refit"]
    ranking = sorted(found["search"], key=lambda run: run.data.metrics["best_val/loss"])
    again = {run.data.params["optimizer.lr"] for run in found["finalists"]}
    assert again == {run.data.params["optimizer.lr"] for run in ranking[:2]}
    assert "Refit with new seeds: test/accuracy" in told
    trials = artifact(tmp_path, parent, "search/trials.csv").splitlines()
    assert trials[0] == "number,state,best_val/loss,params.optimizer.lr"
    assert len(trials) == 5


def test_a_search_continues_towards_a_larger_total(run_study: RunStudy, tmp_path: Path) -> None:
    rest = ("study=random", RANGE, "study.num_finalists=null", *QUICK)
    run_study("study.num_trials=2", *rest)
    run_study("study.num_trials=3", *rest)
    _, children = family(tmp_path)
    assert len(children) == 3


def test_a_setting_s_objective_is_the_mean_over_its_seeds(run_study: RunStudy, tmp_path: Path) -> None:
    run_study(
        "study=random", RANGE, "study.num_trials=2", "study.num_seeds=2", "study.num_finalists=null", *QUICK
    )
    parent, children = family(tmp_path)
    lines = [line.split(",") for line in artifact(tmp_path, parent, "search/trials.csv").splitlines()[1:]]
    for _, _, value, rate in lines:
        own = [
            run.data.metrics["best_val/loss"] for run in children if run.data.params["optimizer.lr"] == rate
        ]
        assert len(own) == 2
        assert float(value) == pytest.approx(sum(own) / 2, rel=1e-12)  # a mean of two


def test_a_setting_that_fails_costs_one_run_and_is_no_fault_of_the_search(
    run_study: RunStudy, tmp_path: Path
) -> None:
    told = run_study(
        "study=random", "model=softmax,logistic", "study.num_trials=5", "study.num_seeds=2",
        "study.num_finalists=null", *QUICK,
    )  # fmt: skip
    parent, children = family(tmp_path)
    failed = [child for child in children if child.info.status == "FAILED"]
    states = [line.split(",")[1] for line in artifact(tmp_path, parent, "search/trials.csv").splitlines()[1:]]
    assert 0 < states.count("FAIL") < 5
    assert len(failed) == 1  # the same setting again is on record
    assert parent.info.status == "FINISHED"
    assert "Failed: logistic s0: ConfigError: model: expected two classes" in told


def test_several_objectives_end_with_the_settings_that_no_other_beats(
    run_study: RunStudy, tmp_path: Path
) -> None:
    run_study(
        "study=multi_objective", RANGE, "study.objectives=[best_val/loss,best_val/accuracy]",
        "study.num_trials=4", "study.num_fresh_seeds=2", *QUICK,
    )  # fmt: skip
    parent, children = family(tmp_path)
    assert artifact(tmp_path, parent, "search/trials.csv").startswith(
        "number,state,best_val/loss,best_val/accuracy,"
    )
    assert stages(children)["refit"]


# Folds and streams -----------------------------------------------------------------------------------


def test_cross_validation_tests_each_fold_once(run_study: RunStudy, tmp_path: Path) -> None:
    told = run_study("study=cross_validation", *TABLE, "data.num_folds=3", "study.num_seeds=2", *QUICK)
    parent, children = family(tmp_path)
    folds = [(child.data.params["seed"], child.data.params["data.fold"]) for child in children]
    assert len(set(folds)) == len(folds) == 6
    examples = [sum(counted(child)) for child in children]
    assert sum(examples[:3]) == sum(examples[3:]) == 569
    assert parent.data.metrics["logistic/test/accuracy.n"] == 6
    assert "Nadeau and Bengio 2003" in " ".join(told.split())


def counted(child: Run) -> list[int]:
    """Class counts of the run's test split."""
    assert child.inputs is not None
    profiles = [json.loads(str(split.dataset.profile)) for split in child.inputs.dataset_inputs]
    (test,) = [profile for profile in profiles if profile["split"] == "test"]
    return list(test["class_counts"])


def test_nested_cross_validation_chooses_inside_each_fold(run_study: RunStudy, tmp_path: Path) -> None:
    run_study(
        "study=cross_validation", *TABLE, "data.num_folds=2", "data.num_inner_folds=2",
        "optimizer.lr=0.0001,0.1", *QUICK,
    )  # fmt: skip
    parent, children = family(tmp_path)
    found = stages(children)
    assert (len(found["search"]), len(found["nested"])) == (8, 2)
    assert {run.data.params["optimizer.lr"] for run in found["nested"]} == {"0.1"}
    assert not [run for run in found["search"] if "test/accuracy" in run.data.metrics]
    assert parent.data.metrics["logistic/test/accuracy.n"] == 2


def test_a_variance_study_moves_one_stream_at_a_time(run_study: RunStudy, tmp_path: Path) -> None:
    told = run_study("study=variance", "model=mlp", "study.num_seeds=2", *QUICK)
    parent, children = family(tmp_path)
    found = stages(children)
    assert list(found) == ["vary split", "vary init", "vary order", "vary all"]
    assert "Left out, because they cannot move this result: augmentation, dropout" in told
    for stage in ("split", "init", "order"):
        for run in found[f"vary {stage}"]:
            moved = {
                key
                for key, value in run.data.params.items()
                if key.startswith("streams.") and value != "null"
            }
            assert (moved, run.data.params["seed"]) == ({f"streams.{stage}"}, "0")
    table = artifact(tmp_path, parent, "variance.csv").splitlines()
    assert table[0].startswith("stream,n,deviation,low,high,share")
    assert len(table) == 4


# Bad input -------------------------------------------------------------------------------------------

REFUSED = [
    (("study=tpe",), r"^study: expected keys with a range to search, got none"),
    ((RANGE,), r"^optimizer\.lr: expected a list .* search the interval: study=quasi_random"),
    (("study=tpe", RANGE, "seed=0,1"), r"^seed: expected one value, because study\.num_seeds generates"),
    (("study=tpe,random", RANGE), r"^study: expected one value, because a study has one, got a list"),
    (("study=tpe", RANGE, "study.num_seeds=null"), r"^study\.num_seeds: expected 1 or more with study=tpe"),
    (("study=tpe", RANGE, "study.pruner=mean"), r"^study\.pruner: expected one of median, hyperband, asha"),
    (
        ("study=tpe", RANGE, "study.pruner=asha", "study.reduction_factor=1"),
        r"^study\.reduction_factor: expected 2",
    ),
    (("study.num_seeds=0", "seed=0"), r"^study\.num_seeds: expected 1 or more, got 0"),
    (
        ("study=cross_validation",),
        r"^data\.num_folds: expected 2 or more with study=cross_validation, got null",
    ),
    (("study=cross_validation", "data.num_folds=2", "data.fold=1"), r"^data\.fold: expected null with"),
    (("study.objectives=[val/los]", "seed=0"), r"^metric val/los: expected a name that ends in loss"),
    (
        ("study.objectives=[val/loss,val/accuracy]", "seed=0"),
        r"^study\.objectives: expected one metric with study=grid",
    ),
    (
        ("study=multi_objective", RANGE, "study.pruner=median"),
        r"^study\.pruner: expected null with several objectives, .* got median",
    ),
]


@pytest.mark.parametrize(("arguments", "told"), REFUSED)
def test_what_cannot_work_is_refused_before_anything_is_recorded(
    run_study: RunStudy, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        run_study(*arguments, *QUICK)
    assert not (tmp_path / "mlruns").exists()


def test_an_objective_that_no_run_has_names_those_that_there_are(run_study: RunStudy) -> None:
    with pytest.raises(
        ConfigError, match=r"^study\.objectives: expected metrics of a finished run: best_val/acc"
    ):
        run_study(
            "study=random", RANGE, "study.num_trials=1", "study.objectives=[best_val/top1_accuracy]", *QUICK
        )


def test_a_study_that_another_process_is_at_work_on_is_refused(run_study: RunStudy, tmp_path: Path) -> None:
    run_study("seed=0,1", *QUICK)
    parent, _ = family(tmp_path)
    lock = tmp_path / "mlruns" / "runs" / parent.info.run_id / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="expected a run that no process is at work on"):
            run_study("seed=0,1", *QUICK)
        other.communicate("done\n", timeout=60)


HOLDER = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""
