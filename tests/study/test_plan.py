"""What a study would run, told without running it; jobs made without composing are those composed anew."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose
from hydra.core.global_hydra import GlobalHydra

from seedbed import composing, config
from seedbed.errors import ConfigError
from seedbed.job import Job, leaves, typed
from seedbed.study.plan import Planner
from seedbed.study.sweep import StudySweeper
from tests.conftest import MakeJob

LIMIT_SECONDS = 120


@pytest.mark.parametrize("setting", [{}, {"model": "mlp", "optimizer.lr": "0.5", "data": "breast_cancer"}])
def test_a_planned_job_is_the_one_that_its_overrides_compose(
    make_job: MakeJob, setting: dict[str, str]
) -> None:
    def resolve(overrides: Sequence[str]) -> Job:
        return make_job(*overrides)

    planner = Planner(resolve, {"trainer.max_epochs": "2"})
    keys: dict[str, int | bool | None] = {"seed": 7, "evaluate_test": True, "streams.order": 3}
    planned = planner.run(planner.setting(setting), "s0", keys, {"stage": "refit", "replicate": 0})
    anew = make_job(*(f"{key}={value}" for key, value in planned.overrides.items()))
    assert replace(planned.job, command="") == replace(anew, command="")
    assert list(planned.job.params.items()) == list(anew.params.items())


def test_a_negative_seed_is_refused_there_too(make_job: MakeJob) -> None:
    with pytest.raises(ConfigError, match=r"streams\.order: expected 0 or more, got -1"):
        typed(make_job(), {"streams.order": -1})


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=mlp", "model.hidden_features=[8,4]", "optimizer=sgd", "optimizer.lr=1"],
        ["experiment=demo", "study.space={}", "seed=3"],
        ["data=mnist", "data.root='a b'", "trainer=ddp", "track.run_name=null"],
    ],
)
def test_a_sweeps_job_is_what_hydra_composes(make_job: MakeJob, overrides: list[str]) -> None:
    del make_job  # which has told Hydra where the configs are
    sweeper = StudySweeper()
    sweeper.loader = GlobalHydra.instance().config_loader()
    sweeper.config = compose("train", return_hydra_config=True)
    sweeper._composed = {}
    for _ in range(2):  # the second from what the first has composed
        job = sweeper._resolve(overrides)
        composed, hydra = sweeper._compose(overrides)
        hydra.overrides.task = overrides
        assert job == composing.from_hydra(composed, hydra, job.command)


@pytest.mark.parametrize(
    ("group", "option"), [(group, option) for group, options in config.SCHEMAS.items() for option in options]
)
def test_what_an_options_file_says_is_what_it_composes_to(make_job: MakeJob, group: str, option: str) -> None:
    del make_job
    chosen = {"data": "digits", "model": "softmax", "optimizer": "adamw", "schedule": "one_cycle"}
    chosen |= {"trainer": "single", "track": "mlflow", "study": "grid", "launch": "local", group: option}
    composed = compose("train", [f"{group}={option}" for group, option in chosen.items()])
    whole = dict(leaves(composing._plain(composed, complete=False)))
    read = dict(leaves(composing._plain(composing._base(tuple(chosen.items())), complete=False)))
    assert {key: read.get(key) for key in whole} == whole


def planned(*words: str) -> subprocess.CompletedProcess[str]:
    program = """if True:
        import sys
        from seedbed.cli.command import main
        try:
            main()
        finally:
            print([name for name in ("torch", "mlflow", "numpy") if name in sys.modules], file=sys.stderr)
    """
    command = [sys.executable, "-c", program, "train", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)


def test_a_plan_lists_the_runs_makes_none_and_imports_no_torch(tmp_path: Path) -> None:
    root = f"track.root={tmp_path / 'mlruns'}"
    done = planned("-m", "model=softmax,mlp", "study.num_seeds=2", root, "--plan")
    assert done.stdout.splitlines() == [
        "A study (grid), 4 runs:",
        "     4  2 settings x 2 seeds",
        "First: softmax s0, softmax s1, mlp s0, mlp s1",
        "Nothing has run; the same command without --plan begins.",
    ]
    assert "'torch'" not in done.stderr
    assert "'mlflow'" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_plan_of_a_search_says_how_much_and_of_one_run_everything(tmp_path: Path) -> None:
    search = planned("-m", "study=tpe", "optimizer.lr=interval(0.1,1)", "study.num_trials=7", "--plan")
    assert search.stdout.splitlines()[:2] == ["A study (tpe), 27 runs:", "     7  7 settings x 1 seed"]
    single = planned("model=cnn", "--plan", f"track.root={tmp_path / 'mlruns'}")
    assert single.stdout.startswith(
        "One run, cnn digits 0, as follows; the same command without --plan makes it."
    )
    assert "_target_: seedbed.model.cnn.Cnn" in single.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_plan_refuses_what_the_run_would(tmp_path: Path) -> None:
    done = planned("-m", "model=softmax,mpl", f"track.root={tmp_path}", "--plan")
    assert done.returncode == 2
    assert "model: expected one of alexnet, cnn" in done.stderr
    assert "Did you mean mlp?" in done.stderr
