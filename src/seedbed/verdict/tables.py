"""Tables of settings and of pairs, as cells, as markdown and as comma-separated values."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from seedbed.verdict.resampling import Improvement
from seedbed.verdict.setting import Pair, Setting
from seedbed.verdict.statistics import Description
from seedbed.verdict.unit import Unit

STATISTICS = ["n", "mean", "standard_deviation", "low", "high", "interquartile_mean"]
PAIR_COLUMNS = [
    "a", "b", "metric", "paired", "n_a", "n_b", "difference", "low", "high", "p", "p_holm",
    "permutation_p", "permutation_smallest_p", "bca_low", "bca_high", "a_larger_share", "a_larger_low",
    "a_larger_high", "smallest_effect", "seeds_needed", "p_equivalent",
]  # fmt: skip


def number(value: float | None) -> str:
    """Four digits after the point, or four significant ones where these would not do."""
    if value is None:
        return ""
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.4g}"


def interval(low: float | None, high: float | None) -> str:
    return "needs 2 runs" if low is None else f"[{number(low)}, {number(high)}]"


def cells(labels: Iterable[str], description: Description) -> list[str]:
    """A setting as the texts of its table cells."""
    n, mean, deviation, low, high, middle = description
    return [*labels, str(n), number(mean), number(deviation), interval(low, high), number(middle)]


def heads(labels: Iterable[str], metric: str) -> list[str]:
    return [*labels, "n", f"mean {metric}", "sd", "95 % interval", "interquartile mean"]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def settings_markdown(rows: Sequence[Setting], metric: str) -> str:
    found = [cells(row.labels.values(), row.description) for row in rows]
    return markdown(heads(rows[0].labels, metric), found)


def settings_csv(rows: Sequence[tuple[Mapping[str, str], Description]], metric: str) -> str:
    """One row a setting, given as its labels and its numbers."""
    lines = [[*labels.values(), metric, *description] for labels, description in rows]
    return _csv([*(rows[0][0] if rows else []), "metric", *STATISTICS], lines)


def pair_heads(unit: Unit) -> list[str]:
    name = f" ({unit.name})" if unit.name else ""
    often = "better in, 95 %" if unit.better else "larger in, 95 %"
    return ["pair", f"difference, 95 %{name}", "BCa 95 %", "p (Holm)", often, "seen at 80 % power"]


def pair_cells(pair: Pair, unit: Unit) -> list[str]:
    """A pair as the texts of its table cells, told in the metric's unit."""
    found = pair.difference
    decimals = unit.decimals(found.estimate.error if found.estimate else found.mean)
    return [
        f"{pair.a.name} - {pair.b.name}",
        f"{unit.told(found.mean, decimals)} {_ends(found.interval, unit, decimals)}".rstrip(),
        _ends(found.bootstrap, unit, decimals),
        "" if found.p_corrected is None else f"{found.p_corrected:.2g}",
        _often(found.improvement, unit),
        "" if found.smallest_effect is None else unit.told(found.smallest_effect, decimals),
    ]


def _ends(ends: tuple[float, float] | None, unit: Unit, decimals: int) -> str:
    return "" if ends is None else "[" + ", ".join(unit.told(end, decimals) for end in ends) + "]"


def _often(found: Improvement, unit: Unit) -> str:
    """The share in which a is better; where nothing says what is better, larger."""
    if unit.better == "lower":
        found = found.reversed()
    interval = "" if found.low is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"{found.share:.2f}{interval}"


def pair_table(pairs: Sequence[Pair], unit: Unit) -> tuple[list[str], list[list[str]]]:
    """Heads and cells of all pairs; a column that is empty for every pair is left out."""
    heads, lines = pair_heads(unit), [pair_cells(pair, unit) for pair in pairs]
    filled = [place for place in range(len(heads)) if any(line[place] for line in lines)]
    return [heads[place] for place in filled], [[line[place] for place in filled] for line in lines]


def pairs_markdown(pairs: Sequence[Pair], unit: Unit) -> str:
    return markdown(*pair_table(pairs, unit))


def pairs_csv(pairs: Sequence[Pair], metric: str) -> str:
    return _csv(PAIR_COLUMNS, [_pair_line(pair, metric) for pair in pairs])


def _pair_line(pair: Pair, metric: str) -> list[object]:
    found = pair.difference
    return [
        pair.a.name, pair.b.name, metric, found.design.paired, found.num_a, found.num_b, found.mean,
        *(found.interval or (None, None)), found.p_value, found.p_corrected,
        *(found.permutation or (None, None))[:2], *(found.bootstrap or (None, None)), *found.improvement,
        found.smallest_effect, found.num_seeds, found.p_equivalent,
    ]  # fmt: skip


def _csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *lines])
    return out.getvalue()
