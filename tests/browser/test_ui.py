"""What a person sees of a study in MLflow's UI, in a real browser; pictures go to `.screenshots/`."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from selenium.webdriver.common.by import By

from tests.browser.chromium import Browser, browser
from tests.served import free_port

pytestmark = pytest.mark.browser
QUICK = (
    "trainer.num_threads=1",
    "track.system_metrics=false",
    "track.log_model=false",
    "track.pictures=false",
)
MODELS = ("-m", "model=softmax,mlp,cnn", "study.num_seeds=2", "trainer.max_epochs=3")
TUNED = ("optimizer.lr=tag(log,interval(0.001,0.1))", "objective.l2=tag(log,interval(1e-6,1e-2))")
SEARCH = (
    "-m",
    "study=random",
    "study.num_trials=5",
    "study.num_finalists=1",
    "study.num_fresh_seeds=1",
    *TUNED,
)
# Seconds for two small studies, one after the other.
LIMIT = 240
# Clicks the [+] beside each name; the button "Expand rows" opens nothing in MLflow 3.17.
UNFOLD = "document.querySelectorAll(\"[col-id*='Run Name'] button\").forEach(button => button.click())"
RUN_PAGE = re.compile(r"http://\S+/#/experiments/\S+/runs/\w+\?\S+")


def seedbed(folder: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seedbed", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def ui(folder: Path) -> Iterator[list[str]]:
    """`seedbed ui`: the addresses that it prints, once a page is there to be fetched."""
    command = [sys.executable, "-m", "seedbed", "ui", "--port", str(free_port())]
    with (folder / "ui.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    try:
        assert process.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, (folder / "ui.log").read_text()
            said += line
        yield re.findall(r"http://\S+", said)
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # a background job's children ignore SIGINT
        process.communicate(timeout=LIMIT)


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(window: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both studies are on record; the search is the later one. Not made where there is no browser."""
    folder = tmp_path_factory.mktemp("studies")
    seedbed(folder, "train", *MODELS, *QUICK, "evaluate_test=true")
    seedbed(folder, "report", "last", "--out", "report")
    seedbed(folder, "train", *SEARCH, *QUICK, "model=mlp", "trainer.max_epochs=2")
    return folder


@pytest.fixture(scope="module")
def addresses(folder: Path, window: Browser) -> Iterator[list[str]]:
    with ui(folder) as printed:
        awaited(window, printed[0])
        yield printed


def awaited(window: Browser, url: str) -> None:
    """Asks until the server is there."""
    from urllib3 import PoolManager, Retry

    with PoolManager(retries=Retry(total=120, backoff_factor=0.1, backoff_max=1)) as pool:
        assert pool.request("GET", url.partition("#")[0]).status == 200


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Any]:
    """All runs, oldest first."""
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    return list(client.search_runs(["1"], order_by=["attributes.start_time ASC"]))


def page(addresses: list[str], rest: str) -> str:
    """Another page of the same server."""
    return f"{addresses[0].partition('#')[0]}#{rest}"


def test_the_printed_address_opens_at_the_study(addresses: list[str], window: Browser) -> None:
    assert RUN_PAGE.fullmatch(addresses[0])
    window.open(addresses[0], "lr x l2 (random)", "Child runs", "Finished")
    window.picture("study")


def test_the_experiment_shows_studies_as_parents_of_their_runs(addresses: list[str], window: Browser) -> None:
    window.open(page(addresses, "/experiments/1/runs?workflowType=machine_learning"), "model (grid)")
    folded = window.text()
    assert "lr x l2 (random)" in folded
    assert "softmax s0" not in folded
    window.driver.execute_script(UNFOLD)
    children = [f"{model} s{seed}" for model in ("softmax", "mlp", "cnn") for seed in (0, 1)]
    window.await_texts("model (grid)", *children)
    window.picture("experiment")


def test_the_compare_page_plots_the_tuned_keys(
    addresses: list[str], window: Browser, runs: list[Any]
) -> None:
    """Exactly those that differ, as numbers on axes of their own, and a metric."""
    window.open(addresses[1], "Comparing 5 Runs from 1 Experiment", "Parallel Coordinates Plot")
    axes = window.until(lambda: window.texts(".axis-title"), "a plot")
    assert axes[:2] == ["objective.l2", "optimizer.lr"]
    assert len(axes) == 3
    ticks = window.texts(".axis .tick text")
    assert ticks
    assert not [
        tick for tick in ticks if not re.fullmatch(r"[-\u2212]?\d+(\.\d+)?(e[-\u2212]?\d+|[µm])?", tick)
    ]
    chosen = window.texts("[data-testid='parallel-coordinates-param-select'], .ant-select-selection-item")
    window.picture("compare")
    assert not [name for name in chosen if name.strip() in ("seed", "model", "data")]


def test_notes_are_shown_as_they_are_meant(addresses: list[str], window: Browser, runs: list[Any]) -> None:
    """A study's description is a table with its verdicts, not markdown's source."""
    study = next(run for run in runs if run.info.run_name == "model (grid)")
    window.open(page(addresses, f"/experiments/1/runs/{study.info.run_id}?workflowType=machine_learning"))
    window.await_texts("Description", "Settings: test/accuracy")
    window.until(lambda: "mlp" in "".join(window.texts("table td")), "a table")
    assert "|" not in "".join(window.texts("table td"))
    heading = window.driver.find_element(By.XPATH, "//*[text()='Settings: test/accuracy']")
    window.driver.execute_script("arguments[0].scrollIntoView()", heading)
    window.picture("note")


def test_a_study_shows_its_figures(addresses: list[str], window: Browser, runs: list[Any]) -> None:
    """A figure of its report, under Artifacts, drawn by the browser."""
    study = next(run for run in runs if run.info.run_name == "model (grid)")
    rest = f"/experiments/1/runs/{study.info.run_id}/artifacts?workflowType=machine_learning"
    window.open(page(addresses, rest), "manifest.json")
    window.click("report")
    window.click("figures")
    window.click("paired_dots.svg")
    drawn = "return [...document.images].some(i => i.naturalWidth > 200 && i.clientWidth > 200)"
    window.until(lambda: window.driver.execute_script(drawn), "a figure")
    window.picture("figure")
