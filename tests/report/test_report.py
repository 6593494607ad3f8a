"""A report: what the record has, in a page that needs nothing else, and the same again the next time."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from seedbed.cli.command import cli
from seedbed.errors import SeedbedError, StoreError
from seedbed.report import drawing
from seedbed.report.report import report
from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.verdict.bands import FEWEST, bootstrapped
from seedbed.verdict.compare import compare
from seedbed.verdict.members import members
from tests.report import recorded
from tests.report.reporting import COMPARED, PAGES, Made, figures, files, made

TOLERANCE = 1e-12  # float64 sums of a handful of numbers
VOID = {"meta", "br", "img"}


@pytest.fixture(scope="module")
def ladder(record: Store, tmp_path_factory: pytest.TempPathFactory) -> Made:
    study = recorded.ladder(record)
    study.finish("FINISHED")
    return made(study, tmp_path_factory.mktemp("ladder") / "new" / "out")


class Reader(HTMLParser):
    """Tags that do not match, ids, and everything that leads out of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open += [] if tag in VOID else [tag]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open = self.open if tag in VOID else self.open[:-1]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_a_report_is_pages_tables_and_a_drawing_with_its_numbers_for_every_figure(ladder: Made) -> None:
    assert set(files(ladder.out)) == PAGES | figures(COMPARED)
    for name in COMPARED:
        assert f"](figures/{name}.svg)" in ladder.markdown
        assert f'download="{name}.csv"' in ladder.html


def test_the_page_needs_nothing_else_and_leads_only_to_the_documents_beside_it(ladder: Made) -> None:
    page = ladder.html
    reader = read(page)
    assert reader.open == []
    assert {re.split("[-;]", link)[0] for link in reader.links} == {
        "data:text/csv",
        "model_card.md",
        "reproducibility.md",
        *(f"#{name}" for name in COMPARED),
    }
    assert reader.tags.isdisjoint({"link", "script", "iframe", "object", "img"})
    assert "http" not in page
    assert "url(" not in page.partition("<body>")[0]
    targets = {link[1:] for link in reader.links if link.startswith("#")}
    assert targets <= set(reader.ids)


def test_ids_of_one_page_are_all_different(ladder: Made) -> None:
    ids = read(ladder.html).ids
    assert len(ids) == len(set(ids)) > 100


def test_the_same_record_gives_the_same_bytes(ladder: Made, tmp_path: Path) -> None:
    made(ladder.study, tmp_path / "again")
    assert files(tmp_path / "again") == files(ladder.out)


def test_the_study_s_own_run_has_the_same_files(ladder: Made, tmp_path: Path) -> None:
    client = ladder.study.store.client
    kept = Path(client.download_artifacts(ladder.study.run_id, "report", str(tmp_path)))
    assert files(kept) == files(ladder.out)


def test_the_page_says_what_compare_says(ladder: Made) -> None:
    comparison = compare(members(ladder.study.store, ladder.study.run_id))
    assert comparison.words
    for sentence in (*comparison.words, *comparison.warnings):
        assert sentence in ladder.markdown
        assert sentence in ladder.html
    assert (ladder.out / "settings.csv").read_text() == comparison.settings_csv()
    assert (ladder.out / "pairs.csv").read_text() == comparison.csv()
    means = [f"{row.description.mean:.4f}" for row in comparison.rows]
    assert all(f"| {mean} |" in ladder.markdown and f">{mean}</td>" in ladder.html for mean in means)


def test_of_many_pairs_all_are_told_those_with_the_best_setting_first(record: Store, tmp_path: Path) -> None:
    told = made(recorded.ladder(record, [f"m{place}" for place in range(7)], 2), tmp_path).markdown
    first, _, rest = told.partition("<details><summary>The other 6 pairs</summary>")
    with_the_best = re.findall(r"^- m6 (?:beats|is better than|against) (m\d)", first, re.MULTILINE)
    assert with_the_best == ["m5", "m4", "m3", "m2", "m1", "m0"]
    assert "Shown are the first 6 of 21 pairs." in told
    assert len(re.findall(r"^- m\d ", rest, re.MULTILINE)) == 6


def test_results_hold_every_run_to_the_last_digit(ladder: Made) -> None:
    found = {run.run_id: run for run in members(ladder.study.store, ladder.study.run_id)}
    rows = ladder.rows("results.csv")
    assert [row["run_id"] for row in rows] == list(found)
    for row in rows:
        run = found[row["run_id"]]
        assert (row["name"], row["status"], row["seed"]) == (run.name, "FINISHED", run.params["seed"])
        assert row["model"] == run.params["model"]
        assert float(row["test/accuracy"]) == run.metrics["test/accuracy"]
        assert float(row["fit/cpu_seconds"]) == run.metrics["fit/cpu_seconds"]


def test_curves_have_the_mean_and_the_t_interval_of_the_record(ladder: Made) -> None:
    rows = [row for row in ladder.rows("figures/learning_curves.csv") if row["metric"] == "val/loss"]
    at_two = [row for row in rows if row["setting"] == "mlp" and row["epoch"] == "2"]
    values = np.array([float(row["value"]) for row in at_two if row["run"] != "mean"])
    (mean,) = (row for row in at_two if row["run"] == "mean")
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert len(values) == 3
    assert float(mean["value"]) == pytest.approx(values.mean(), rel=TOLERANCE)
    assert (float(mean["low"]), float(mean["high"])) == pytest.approx((low, high), rel=TOLERANCE)


def test_curves_of_many_runs_have_a_bootstrapped_band_and_the_caption_says_which_have(
    record: Store, tmp_path: Path
) -> None:
    study = recorded.ladder(record, ("softmax",), FEWEST)
    for seed in range(2):
        recorded.run(study, f"mlp {seed}", 0.9 + 0.01 * seed, params={"model": "mlp", "seed": seed})
    found = made(study, tmp_path)
    rows = [row for row in found.rows("figures/learning_curves.csv") if row["metric"] == "val/loss"]
    last = [row for row in rows if row["setting"] == "softmax" and row["epoch"] == "3"]
    values = np.array([[float(row["value"]) for row in last if row["run"] != "mean"]])
    (mean,) = (row for row in last if row["run"] == "mean")
    low, high = bootstrapped(values)
    assert values.shape == (1, FEWEST)
    assert (float(mean["low"]), float(mean["high"])) == pytest.approx((low[0], high[0]), rel=TOLERANCE)
    for label, kind in (("softmax", "bootstrapped over whole runs"), ("mlp", "by Student's t")):
        assert f"The band of {label} is the 95 % interval of the mean at each epoch, {kind}" in found.markdown


def test_cost_is_the_sum_over_the_runs(ladder: Made) -> None:
    runs = members(ladder.study.store, ladder.study.run_id)
    spent = sum(run.metrics["fit/cpu_seconds"] for run in runs)
    assert f"{spent:,.1f} CPU seconds of training in 6 runs." in ladder.markdown
    costs = {row["setting"]: float(row["cpu_seconds"]) for row in ladder.rows("figures/cost.csv")}
    assert sum(costs.values()) == pytest.approx(spent, rel=TOLERANCE)


def test_the_page_says_where_it_comes_from_and_what_to_type_next(ladder: Made) -> None:
    told = ladder.markdown
    assert "```\nseedbed train -m model=softmax,mlp 'seed=range(0,3)'\n```" in told
    for name, value in (
        ("commit", "0123abcd"),
        ("code", "the commit alone"),
        ("host", "garden"),
        ("torch", "2.15.0"),
    ):
        assert f"| {name} | {value} |" in told
    assert f"seedbed compare {ladder.study.run_id} --root {ladder.study.store.root}\n" in told


def test_a_value_that_runs_do_not_share_is_told_with_how_many_have_it(record: Store, tmp_path: Path) -> None:
    study = recorded.study(record)
    for seed, host in enumerate(("garden", "garden", "field")):
        recorded.run(
            study, f"mlp {seed}", 0.9, params={"model": "mlp", "seed": seed}, tags={"seedbed.host": host}
        )
    assert "| host | garden (2 of 3 runs), field (1 of 3 runs) |" in made(study, tmp_path).markdown


def test_reads_of_the_test_split_are_counted_here_and_everywhere(record: Store, tmp_path: Path) -> None:
    tags = {"seedbed.num_test_reads": "2", "seedbed.test_split": "0fd1"}
    for folder in ("first", "second"):
        study = recorded.study(record)
        recorded.run(study, "mlp", 0.9, params={"model": "mlp", "seed": 0}, tags=tags)
        told = made(study, tmp_path / folder).markdown
    assert "Test split `0fd1`: read 2 times by this study's runs, by all runs on record 4 times." in told


def test_reads_without_a_count_are_told_by_the_metrics(ladder: Made) -> None:
    words = "A test split without a digest on record: read 6 times by this study's runs"
    assert f"{words}, by all runs on record not known." in ladder.markdown


def test_a_study_that_read_no_test_split_says_so(record: Store, tmp_path: Path) -> None:
    study = recorded.study(record)
    recorded.run(study, "mlp", 0.9, params={"model": "mlp", "seed": 0}, test=False)
    assert "No run of this study has read its test split." in made(study, tmp_path).markdown


def test_a_running_study_says_so_and_what_to_type_again(record: Store, tmp_path: Path) -> None:
    study = recorded.ladder(record, ("mlp",), 2)
    recorded.run(study, "mlp seed 2", 0.9, params={"model": "mlp", "seed": 2}, status=None)
    told = made(study, tmp_path).markdown
    assert "The study is still running: these are the numbers so far; they will change." in told
    assert "In no mean: 1 of 3 runs, still running: mlp seed 2." in told
    assert f"```\nseedbed report {study.run_id}" in told


def test_one_setting_with_one_run_has_no_pairs_and_no_band(record: Store, tmp_path: Path) -> None:
    found = made(recorded.ladder(record, ("mlp",), 1), tmp_path)
    assert "## Verdicts" not in found.markdown
    assert "needs 2 runs" in found.markdown
    assert set(files(tmp_path)) == (PAGES - {"pairs.csv"}) | figures(
        COMPARED - {"differences", "paired_dots"}
    )


def test_names_are_text_in_either_page(record: Store, tmp_path: Path) -> None:
    name = "<script>alert('x')</script> & | $x$"
    study = recorded.study(record, name)
    for seed in range(2):
        recorded.run(study, f"{name} {seed}", 0.9, params={"model": name, "seed": seed})
        recorded.run(study, f"mlp {seed}", 0.8, params={"model": "mlp", "seed": seed})
    found = made(study, tmp_path)
    assert "script" not in read(found.html).tags
    assert "&lt;script&gt;alert" in found.html
    assert "<script" not in found.markdown
    assert "&lt;script&gt;alert('x')&lt;/script&gt; &amp; \\| $x$ |" in found.markdown


def test_what_an_earlier_report_left_is_replaced_and_other_files_stay(record: Store, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    for name in ("pairs.csv", "figures/slices.svg", "figures/own.svg", "README.md"):
        (tmp_path / name).write_text("old")
    made(recorded.ladder(record, ("mlp",), 1), tmp_path)
    left = files(tmp_path)
    assert (left["README.md"], left["figures/own.svg"]) == (b"old", b"old")
    assert not {"pairs.csv", "figures/slices.svg"} & set(left)


def test_a_figure_that_fails_is_named_and_the_report_goes_on(
    ladder: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("no ink")

    monkeypatch.setattr(drawing, "distribution", broken)
    told = "The figure distribution is left out: ZeroDivisionError: no ink"
    done = CliRunner().invoke(cli, ["report", *_words(ladder, tmp_path)])
    assert done.stderr == f"{told}\n"
    assert done.stdout == f"Open {tmp_path}/report.html\n"
    page = (tmp_path / "report.md").read_text()
    assert page.count(told) == 2  # in its place, and among what to mind
    assert set(files(tmp_path)) == PAGES | figures(COMPARED - {"distribution"})


def _words(study: Made, out: Path) -> list[str]:
    return [study.study.run_id[:12], "--out", str(out), "--root", str(study.study.store.root)]


def test_the_command_line_takes_metric_and_margin(ladder: Made, tmp_path: Path) -> None:
    chosen = ["--metric", "best_val/loss", "--margin", "0.5"]
    done = CliRunner().invoke(cli, ["report", *_words(ladder, tmp_path), *chosen], catch_exceptions=False)
    assert done.exit_code == 0
    told = (tmp_path / "report.md").read_text()
    assert "mean best_val/loss" in told
    assert "equivalent within 0.5 nats" in told


def refusal(store: Store, study_id: str, out: Path, **options: Any) -> str:
    with pytest.raises(StoreError) as refused:
        report(store, study_id, out, **options)
    return str(refused.value)


def test_an_unknown_study_is_refused_with_the_latest(ladder: Made, tmp_path: Path) -> None:
    words = ["report", "nothing", "--out", str(tmp_path), "--root", str(ladder.study.store.root)]
    error = CliRunner().invoke(cli, words).exception
    assert isinstance(error, SeedbedError)
    assert str(error).startswith("run 'nothing': expected the id, at least four characters of its beginning,")


def test_a_record_that_is_not_there_is_refused(tmp_path: Path) -> None:
    error = CliRunner().invoke(cli, ["report", "last", "--root", str(tmp_path / "none")]).exception
    assert str(error).startswith(
        f"record store {tmp_path / 'none'}: expected a folder with runs in mlflow.db, got none."
    )
    assert not (tmp_path / "none").exists()


def test_a_study_without_runs_is_refused(record: Store, tmp_path: Path) -> None:
    study = recorded.study(record)
    assert refusal(record, study.run_id, tmp_path) == (
        f"run seedbed: model x seed ({study.run_id}): expected a study with runs under it, "
        "got none under it. A study is what seedbed train -m leaves; a run alone has no report."
    )


def test_a_run_of_a_study_is_refused_with_its_study(ladder: Made, tmp_path: Path) -> None:
    store = ladder.study.store
    run = members(store, ladder.study.run_id)[0]
    assert refusal(store, run.run_id, tmp_path) == (
        f"run softmax seed 0 ({run.run_id}): expected a study with runs under it, got none under it. "
        f"It is part of a study: seedbed report {ladder.study.run_id}"
    )


def test_a_study_of_which_nothing_has_finished_is_refused(record: Store, tmp_path: Path) -> None:
    study = recorded.study(record)
    recorded.run(study, "mlp", 0.9, params={"model": "mlp", "seed": 0}, status="FAILED")
    assert refusal(record, study.run_id, tmp_path).startswith(
        "comparison: expected finished runs, got 1 FAILED"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_metric_that_no_run_has_is_refused_with_those_there_are(ladder: Made, tmp_path: Path) -> None:
    told = refusal(ladder.study.store, ladder.study.run_id, tmp_path, metric="test/acuracy")
    assert told.startswith(
        "metric test/acuracy: expected one of best_val/accuracy, best_val/loss, fit/cpu_seconds"
    )


@pytest.mark.parametrize("place", ["file", "file/inside"])
def test_a_file_is_no_folder_for_a_report(ladder: Made, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    assert refusal(ladder.study.store, ladder.study.run_id, tmp_path / place) == (
        f"--out {tmp_path / place}: expected a folder to write in, got the file {tmp_path / 'file'}. "
        "Choose another: --out FOLDER."
    )


def test_a_folder_in_the_place_of_a_page_is_told(ladder: Made, tmp_path: Path) -> None:
    (tmp_path / "figures").touch()
    told = refusal(ladder.study.store, ladder.study.run_id, tmp_path)
    assert told.startswith(f"--out {tmp_path}: expected a folder to write in, got ")


def test_runs_of_another_program_have_a_report_too(record: Store, tmp_path: Path) -> None:
    client = record.client
    parent = Record.start(record, experiment="other", name="theirs", params={}, tags={})
    for place, (depth, seed) in enumerate((d, s) for d in (1, 2) for s in (0, 1)):
        theirs: Mapping[str, Any] = {"depth": depth, "random_state": seed}
        run = Record.start(
            record,
            experiment="other",
            name=f"r{place}",
            params=theirs,
            tags={},
            parent_run_id=parent.run_id,
        )
        client.log_metric(run.run_id, "rmse", 1.0 + 0.1 * place)
        run.finish("FINISHED")
    found = made(parent, tmp_path, metric="rmse")
    assert "| depth | n | mean rmse |" in found.markdown
    assert "1.1 CPU" not in found.markdown
    assert "4 more runs have not recorded theirs." in found.markdown
    assert "figures/cost.svg" not in files(tmp_path)
