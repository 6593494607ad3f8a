"""Every kind of figure: the same bytes again, whole words, nothing cut off or on top of another."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from seedbed.picture.curves import Curve, Line, Mean, Panel, learning_curves
from seedbed.picture.progress import importances
from seedbed.picture.style import COLOURS, INK, PAPER, inline, look
from tests.picture.examples import DRAW, EASY, HOSTILE, LONG, TRIALS, groups, pairs

NAMES = list(DRAW)
SVG = "{http://www.w3.org/2000/svg}"
# Matplotlib's boxes of a text are a pixel or two larger than its letters.
SLACK = 2.0


def words(svg: str) -> list[str]:
    """Every text of a drawing."""
    return ["".join(found.itertext()) for found in parsed(svg).iter(f"{SVG}text")]


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own text


@pytest.mark.parametrize("name", NAMES)
def test_the_same_numbers_give_the_same_bytes_whatever_the_machine_s_settings(name: str) -> None:
    first = DRAW[name](EASY)
    with mpl.rc_context({"font.size": 20, "lines.linewidth": 9, "svg.fonttype": "path", "figure.dpi": 33}):
        assert DRAW[name](EASY) == first
    assert first.name == name


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_leads_nowhere_and_names_no_date_and_no_program(name: str) -> None:
    svg = DRAW[name](EASY).svg
    assert set(re.findall(r"https?://[^\"]*", svg)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "metadata" not in svg
    assert "atplotlib v" not in svg
    assert all(found.startswith(f"{name}-") for found in re.findall(r'(?:id="|href="#|url\(#)([^")]*)', svg))


@pytest.mark.parametrize("name", ["learning_curves", "distribution", "cost", "cost_against_metric"])
def test_any_name_of_a_setting_is_written_as_it_is(name: str) -> None:
    told = " ".join(words(DRAW[name](HOSTILE).svg))
    assert [label for label in HOSTILE if label not in told] == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("learning_curves", "mlp, n = 2"),
        ("distribution", "mlp, n = 4"),
        ("cost", "mlp, n = 4"),
        ("cost_against_metric", "mlp, n = 4"),
        ("differences", "n = 4 pairs"),
        ("differences", "n = 4 and 4"),
        ("paired_dots", "n = 4 pairs"),
        ("slices", "finished, n = 3 trials"),
        ("slices", "ended early, n = 3 trials"),
        ("importances", "share of the objective's variance (n = 6 trials)"),
        ("best_so_far", "finished, n = 3 trials"),
        ("trade_off", "unbeaten, n = 3"),
        ("expected_best", "expectation over n = 3 finished trials"),
        ("dose_response", "an example, n = 6"),
        ("straight_line", "an example, n = 6"),
        ("log_odds", "fitted line, 95 % band, n = 9"),
        ("fitted_curves", "an example, n = 6"),
        ("likelihood_surface", "minimum of the mean over n = 33 examples"),
        ("decision_boundary", "lower, n = 2"),
        ("histograms", "n = 19, 2 outside"),
    ],
)
def test_every_legend_says_how_many(name: str, told: str) -> None:
    assert told in words(DRAW[name](EASY).svg)


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("learning_curves", {"epoch", "val/loss (nats)", "val/accuracy (share)"}),
        ("distribution", {"test/accuracy (share)"}),
        ("cost", {"CPU seconds of training, all runs of the setting"}),
        ("cost_against_metric", {"CPU seconds of training a run (logarithmic)", "test/accuracy (share)"}),
        ("differences", {"difference in test/accuracy (share)"}),
        ("paired_dots", {"test/accuracy (share)", "difference"}),
        ("slices", {"val/loss (nats)", "optimizer.lr (logarithmic)", "model.width"}),
        ("best_so_far", {"trial", "val/loss (nats)"}),
        ("expected_best", {"number of trials", "expected best val/loss (nats)"}),
        ("dose_response", {"age (years)", "probability of heart disease"}),
        ("straight_line", {"age (years)", "probability of heart disease"}),
        ("log_odds", {"age (years)", "log odds of heart disease (nats)"}),
        ("fitted_curves", {"age (years)", "probability of heart disease"}),
        ("likelihood_surface", {"slope (nats a year)", "mean loss above its minimum (nats)"}),
        ("decision_boundary", {"x", "y", "probability of lower"}),
        ("histograms", {"slope (nats a year)", "number of resamples"}),
    ],
)
def test_every_axis_names_its_unit(name: str, units: set[str]) -> None:
    assert units <= set(words(DRAW[name](EASY).svg))


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("labels", [EASY, LONG, HOSTILE], ids=["easy", "long", "hostile"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_off_and_no_label_covers_another(
    drawn: list[Figure], name: str, labels: Sequence[str]
) -> None:
    DRAW[name](labels)
    (drawing,) = drawn
    _, _, width, height = drawing.bbox.bounds
    for text in visible(drawing):
        box = text.get_window_extent()
        assert -SLACK <= box.x0 < box.x1 <= width + SLACK, text.get_text()
        assert -SLACK <= box.y0 < box.y1 <= height + SLACK, text.get_text()
    for axis in drawing.findobj(Axis):
        for first, second in pairwise(ticks(axis)):
            assert not straight(first, second) or not covers(first, second), (first, second)


@pytest.mark.parametrize("name", ["learning_curves", "cost_against_metric", "distribution", "slices"])
def test_a_legend_covers_no_axes(drawn: list[Figure], name: str) -> None:
    DRAW[name](LONG)
    (drawing,) = drawn
    (legend,) = drawing.legends
    for axes in drawing.axes:
        assert not axes.bbox.overlaps(legend.get_window_extent())
        assert axes.bbox.height > drawing.bbox.height / 4


def visible(drawing: Figure) -> list[Text]:
    """Texts that are drawn: ticks outside the axes' limits are not."""
    hidden = {
        id(tick_label)
        for axis in drawing.findobj(Axis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for tick_label in (tick.label1, tick.label2)
    }
    shown = [text for axis in drawing.findobj(Axis) for text in ticks(axis)]
    others = [text for text in drawing.findobj(Text) if id(text) not in hidden]
    return shown + [text for text in others if text.get_text() and text.get_visible()]


def ticks(axis: Any) -> list[Text]:
    """Labels of the ticks that are inside the limits."""
    if not axis.axes.axison or not axis.get_visible():
        return []
    low, high = sorted(axis.get_view_interval())
    return [
        label
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if low <= tick.get_loc() <= high and label.get_visible() and label.get_text()
    ]


def straight(first: Text, second: Text) -> bool:
    """Boxes of slanted texts overlap where the letters do not."""
    return first.get_rotation() == second.get_rotation() == 0


def covers(first: Text, second: Text) -> bool:
    return bool(first.get_window_extent().overlaps(second.get_window_extent()))


def test_series_are_told_apart_by_more_than_colour() -> None:
    looks = [look(index) for index in range(18)]
    assert len(set(map(str, looks))) == 18
    for first, second in combinations(looks, 2):
        if first.colour == second.colour:
            assert (first.mark, first.dash) != (second.mark, second.dash)
    assert len(set(COLOURS)) == 6


def test_every_run_is_one_mark_and_one_number_of_the_table() -> None:
    picture = DRAW["distribution"](EASY)
    given = groups(EASY)
    marks = re.findall(r'<g id="distribution-PathCollection_\d+">.*?\n   </g>', picture.svg, re.DOTALL)
    assert [mark.count("<use") for mark in marks] == [4, 4, 4]
    rows = list(csv.DictReader(io.StringIO(picture.csv())))
    assert [[float(value) for value in row["values"].split()] for row in rows] == [g.values for g in given]
    assert [float(row["median"]) for row in rows] == pytest.approx([0.9045, 0.9145, 0.9245])


def test_only_partners_have_differences() -> None:
    paired, _, unpaired = pairs(EASY)
    assert paired.differences == pytest.approx([0.01] * 4)
    assert unpaired.differences == []
    rows = list(csv.DictReader(io.StringIO(DRAW["differences"](EASY).csv())))
    assert [row["paired"] for row in rows] == ["true", "true", "false"]
    assert rows[2]["differences"] == ""


def test_a_pruned_trial_without_a_value_is_told_from_one_with_a_value() -> None:
    picture = DRAW["best_so_far"](EASY)
    marks = re.findall(r'<g id="best_so_far-PathCollection_\d+">.*?\n   </g>', picture.svg, re.DOTALL)
    ended_early, finished = [mark.count("<use") for mark in marks]
    assert (ended_early, finished) == (2, 3)
    assert len(picture.rows) == 6
    assert (TRIALS.shown(pruned=False), TRIALS.at_the_edge()) == ([0, 1, 4], [2])


def test_a_pruned_trial_without_a_value_widens_the_axis_to_where_it_lies() -> None:
    import matplotlib.pyplot as plt

    from seedbed.picture.search import mark_at_the_edge

    drawing, axis = plt.subplots()
    axis.scatter([1.0, 2.0], [0.0, 1.0])
    mark_at_the_edge(axis, [-5.0])
    assert axis.get_xlim()[0] < -5.0
    plt.close(drawing)


def test_keys_that_matter_most_come_first_and_names_decide_between_equals() -> None:
    picture = importances(["b", "c", "a"], [0.2, 0.6, 0.2], 9)
    assert [row[0] for row in picture.rows] == ["c", "a", "b"]


def test_a_page_s_own_ink_and_paper_replace_the_drawing_s() -> None:
    told = inline(DRAW["cost"](EASY).svg, "Cost of each setting")
    assert told.startswith('<svg role="img" aria-label="Cost of each setting" width="518.4pt"')
    assert INK not in told
    assert PAPER not in told
    assert "currentColor" in told
    assert "http" not in told
    parsed(told)


def test_one_run_of_one_epoch_is_a_mark() -> None:
    curve = Curve("mlp", [Line("mlp", [1], [0.5])], Mean([1], [0.5], [float("nan")], [float("nan")]))
    told = words(learning_curves([Panel("val/loss (nats)", "val/loss", [curve])]).svg)
    assert "mlp, n = 1" in told
    assert {"1"} == {word for word in told if re.fullmatch(r"[\d.]+", word) and float(word) > 0.6}


def test_a_band_of_two_runs_does_not_flatten_the_curves(drawn: list[Figure]) -> None:
    lines = [Line(f"seed {run}", [1, 2], [0.5 + 0.1 * run, 0.4 + 0.1 * run]) for run in (0, 1)]
    mean = Mean([1, 2], [0.55, 0.45], [-0.1, -0.2], [1.2, 1.1])
    picture = learning_curves([Panel("val/loss (nats)", "val/loss", [Curve("mlp", lines, mean, "by t")])])
    assert drawn[0].axes[0].get_ylim() == pytest.approx((0.2, 0.8))
    assert "The band is the 95 % interval of the mean at each epoch, by t." in picture.caption
    assert picture.caption.endswith("the runs are too few to say where the mean lies; the table has it.")
    assert [row[-2:] for row in picture.rows[-2:]] == [[-0.1, 1.2], [-0.2, 1.1]]
    narrow = Curve("mlp", lines, mean._replace(low=[0.4, 0.3], high=[0.7, 0.6]), "by t")
    assert "leaves the axes" not in learning_curves([Panel("val/loss (nats)", "val/loss", [narrow])]).caption
