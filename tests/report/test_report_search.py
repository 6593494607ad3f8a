"""A report of a search, and of a study of the variance."""

import re
from pathlib import Path

import numpy as np
import pytest

from seedbed.report.pictures import of_study
from seedbed.track.store import Store
from seedbed.verdict.budget import best_in_any_order
from tests.report import recorded
from tests.report.reporting import COMPARED, PAGES, SEARCHED, Made, figures, files, made

TOLERANCE = 1e-12  # float64 sums of a handful of numbers


@pytest.fixture(scope="module")
def search(record: Store, tmp_path_factory: pytest.TempPathFactory) -> Made:
    study = recorded.search(record, 16)
    study.finish("FINISHED")
    return made(study, tmp_path_factory.mktemp("search"))


def test_a_search_has_its_trials_finalists_and_stages(search: Made) -> None:
    assert set(files(search.out)) == (PAGES - {"pairs.csv"}) | figures(
        (COMPARED | SEARCHED) - {"differences", "paired_dots"}
    )
    told = search.markdown
    assert "16 settings tried: 12 COMPLETE, 3 PRUNED, 1 FAIL. Judged on `best_val/loss`." in told
    assert "| `optimizer.lr` | `tag(log, interval(0.0001, 0.1))` |" in told
    assert re.search(r"## Finalists\n.*\| mlp \| 3 \|.*- mlp beats softmax", told, re.DOTALL)
    assert re.search(r"\| search \| 16 \| [\d.]+ \|\n\| finalists \| 6 \| [\d.]+ \|\n\| refit \| 3 \|", told)


def test_runs_of_earlier_stages_that_did_not_finish_are_named(search: Made) -> None:
    told = "3 of 16 runs of the stage search, pruned by the search: trial 1, trial 4, trial 6."
    assert told in search.markdown
    assert "1 of 16 runs of the stage search, failed: trial 3." in search.markdown
    assert search.html.index("trial 3.") < search.html.index("<h2>Settings</h2>")


def test_the_importance_of_what_moves_the_objective_most_is_the_largest(search: Made) -> None:
    shares = {row["key"]: float(row["share"]) for row in search.rows("figures/importances.csv")}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["optimizer.lr"] > shares["model"] > 0


def test_the_best_so_far_passes_over_what_did_not_finish(search: Made) -> None:
    rows = search.rows("figures/best_so_far.csv")
    assert len(rows) == 16
    best = [float(row["best_so_far"]) for row in rows]
    finished = [float(row["best_val/loss (nats)"]) for row in rows]
    assert np.isnan([finished[place] for place in recorded.STATES]).all()
    assert best == [np.nanmin(finished[: place + 1]) for place in range(16)]


def test_the_band_of_other_orders_is_that_of_the_finished_trials_so_far(search: Made) -> None:
    rows = search.rows("figures/best_so_far.csv")
    finished = np.array([float(row["best_val/loss (nats)"]) for row in rows])
    low, high = best_in_any_order(finished[np.isfinite(finished)], "lower")
    so_far = np.cumsum(np.isfinite(finished)) - 1
    assert [float(row["low"]) for row in rows] == list(low[so_far])
    assert [float(row["high"]) for row in rows] == list(high[so_far])
    assert rows[-1]["low"] == rows[-1]["high"] == rows[-1]["best_so_far"]


def test_the_same_pictures_come_without_a_page(search: Made) -> None:
    store, run_id = search.study.store, search.study.run_id
    drawn, failed = of_study(store, run_id)
    assert failed == []
    names = [picture.name for picture in drawn]
    assert names == re.findall(r"\]\(figures/(\w+)\.svg\)", search.markdown)  # in the page's order
    for picture in drawn:
        assert (search.out / "figures" / f"{picture.name}.svg").read_text() == picture.svg
        assert (search.out / "figures" / f"{picture.name}.csv").read_text() == picture.csv()
    (only,), _ = of_study(store, run_id, metric="best_val/accuracy", names=["distribution"])
    assert only.name == "distribution"
    assert "best_val/accuracy (share)" in only.svg


def test_the_expected_best_ends_near_the_best_and_starts_at_the_mean(search: Made) -> None:
    tried = [float(row["best_val/loss (nats)"]) for row in search.rows("figures/slices.csv")]
    expected = [float(row["best_val/loss (nats)"]) for row in search.rows("figures/expected_best.csv")]
    assert len(expected) == 12
    assert expected[0] == pytest.approx(np.nanmean(tried), rel=TOLERANCE)
    assert np.nanmin(tried) < expected[-1] < expected[0]


def test_two_objectives_are_set_against_each_other(record: Store, tmp_path: Path) -> None:
    found = made(recorded.search(record, 7, ("best_val/loss", "fit/cpu_seconds")), tmp_path)
    rows = found.rows("figures/trade_off.csv")
    assert [row["trial"] for row in rows] == ["0", "2", "5"]
    assert {row["unbeaten"] for row in rows} == {"true"}
    assert "takes 10 finished trials, there are 3." in found.markdown


def test_a_search_without_its_space_says_that_scales_are_guessed(record: Store, tmp_path: Path) -> None:
    study = recorded.ladder(record)
    study.log_text(
        "number,state,best_val/loss,params.lr\n0,COMPLETE,0.5,0.1\n1,RUNNING,,0.2\n", "search/trials.csv"
    )
    found = made(study, tmp_path)
    assert (
        "The artifact `search/space.json` is missing: scales are guessed from what was tried."
        in found.markdown
    )
    assert {"figures/slices.svg", "figures/importances.svg"} & set(files(tmp_path)) == {"figures/slices.svg"}


def test_a_search_of_which_nothing_has_finished_draws_nothing(record: Store, tmp_path: Path) -> None:
    study = recorded.ladder(record)
    study.log_text("number,state,best_val/loss,params.lr\n0,RUNNING,,0.2\n", "search/trials.csv")
    assert "No trial has finished, so there is nothing to draw." in made(study, tmp_path).markdown


def test_a_study_of_the_variance_tells_each_stream_s_share(record: Store, tmp_path: Path) -> None:
    told = made(recorded.variance(record), tmp_path).markdown
    shares = dict(
        re.findall(r"^\| (init|order) \| 5 \| [\d.]+ \| \[.*?\] \| ([\d.]+) \|", told, re.MULTILINE)
    )
    assert shares == {"init": "0.69", "order": "0.01"}  # (0.01 / 0.012)^2, (0.001 / 0.012)^2
    assert "| mlp | 5 | 0.9096 |" in told  # of the runs in which everything varied, no others


def test_a_search_s_page_leads_nowhere(search: Made) -> None:
    assert "http" not in search.html
