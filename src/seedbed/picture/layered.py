"""Where the boxes of a directed graph go: in layers, with few crossings; plain geometry, no drawing.

Source: Sugiyama, Tagawa and Toda (1981), "Methods for visual understanding of hierarchical system
structures": longest paths, barycentres, positions.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from statistics import mean
from typing import NamedTuple

Size = tuple[float, float]
Point = tuple[float, float]
Arrow = tuple[str, str]
# A box, or the place where an arrow passes a layer: (source, target, layer).
Item = str | tuple[str, str, int]
Row = list[Item]
# The room of an arrow that passes; between neighbours in a row; between rows. In the unit of the sizes.
PASSING, APART, BETWEEN = 0.1, 0.24, 0.42
NUM_SWEEPS, NUM_STARTS = 12, 6


class Layout(NamedTuple):
    """Where everything is, with (0, 0) at the top left and the second coordinate downwards.

    Args:
        centres: of each box.
        routes: the points of each arrow, from its source's lower edge to its target's upper edge.
        width: of the whole.
        height: of the whole.
    """

    centres: dict[str, Point]
    routes: dict[Arrow, list[Point]]
    width: float
    height: float


class Near(NamedTuple):
    """What each item touches: in the row above, and in the row below."""

    above: dict[Item, Row]
    below: dict[Item, Row]


def placed(sizes: Mapping[str, Size], arrows: Iterable[Arrow], root: str) -> Layout:
    """Places boxes so that every arrow leads downwards.

    Args:
        sizes: width and height of each box, in the order that decides between equals.
        arrows: source and target, without a cycle.
        root: the box that all is about; what leads to it lies as low as it can.
    """
    layer_of = _layers(list(sizes), arrows := list(dict.fromkeys(arrows)), root)
    chains = {arrow: _chain(arrow, layer_of) for arrow in arrows}
    near = _near(sizes, chains.values())
    rows = _untangled(_rows(layer_of, chains.values()), near)
    room = {item: sizes[item] if isinstance(item, str) else (PASSING, 0.0) for row in rows for item in row}
    across = _across(rows, near, {item: width for item, (width, _) in room.items()})
    heights = [max(room[item][1] for item in row) for row in rows]
    tops = [sum(heights[:row]) + row * BETWEEN for row in range(len(rows))]
    centres = {name: (across[name], tops[layer] + heights[layer] / 2) for name, layer in layer_of.items()}
    routes = {}
    for (source, target), chain in chains.items():
        # Straight down through a row, so that no arrow bends behind the row's boxes.
        passed = [
            (across[item], tops[item[2]] + part * heights[item[2]])
            for item in chain
            if not isinstance(item, str)
            for part in (0, 1)
        ]
        start = across[source], centres[source][1] + sizes[source][1] / 2
        stop = across[target], centres[target][1] - sizes[target][1] / 2
        routes[source, target] = [start, *passed, stop]
    width = max(across[item] + own / 2 for item, (own, _) in room.items())
    return Layout(centres, routes, width, tops[-1] + heights[-1])


def _layers(names: Sequence[str], arrows: Sequence[Arrow], root: str) -> dict[str, int]:
    """The layer of each box, 0 on top."""
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in arrows:
        before[target].append(source)
        after[source].append(target)
    order = list(TopologicalSorter(before).static_order())
    layer_of = {root: 0}
    for name in reversed(order):
        below = [layer_of[target] for target in after[name] if target in layer_of]
        if below and name != root:
            layer_of[name] = min(below) - 1
    top = min(layer_of.values())
    for name in order:  # what does not lead to the root follows what it comes from
        if name not in layer_of:
            layer_of[name] = max((layer_of[source] + 1 for source in before[name]), default=top)
    return {name: layer_of[name] - top for name in names}


def _chain(arrow: Arrow, layer_of: Mapping[str, int]) -> Row:
    """What an arrow touches, layer by layer."""
    source, target = arrow
    passed = range(layer_of[source] + 1, layer_of[target])
    return [source, *((source, target, layer) for layer in passed), target]


def _near(names: Iterable[str], chains: Iterable[Row]) -> Near:
    near = Near({name: [] for name in names}, {name: [] for name in names})
    for chain in chains:
        for upper, lower in pairwise(chain):
            near.above.setdefault(lower, []).append(upper)
            near.below.setdefault(upper, []).append(lower)
    return near


def _rows(layer_of: Mapping[str, int], chains: Iterable[Row]) -> list[Row]:
    rows: list[Row] = [[] for _ in range(max(layer_of.values()) + 1)]
    for name, layer in layer_of.items():
        rows[layer].append(name)
    for chain in chains:
        for item in chain:
            if not isinstance(item, str):
                rows[item[2]].append(item)
    return rows


def _untangled(rows: Sequence[Row], near: Near) -> list[Row]:
    """The rows in the order with the fewest crossings that sweeps downwards and upwards come upon."""
    best, fewest = list(rows), _num_crossings(rows, near)
    for start in range(NUM_STARTS):
        shuffler = random.Random(start)  # noqa: S311 - where a search begins, the same every time
        tried = [shuffler.sample(row, len(row)) if start else row for row in rows]
        for sweep in range(NUM_SWEEPS):
            tried = _swept(tried, near.above) if sweep % 2 == 0 else _swept(tried[::-1], near.below)[::-1]
            crossings = _num_crossings(tried, near)
            if crossings < fewest:
                best, fewest = tried, crossings
    return best


def _swept(rows: Sequence[Row], touched: Mapping[Item, Row]) -> list[Row]:
    """Each row but the first by the mean place of what its items touch in the row before."""
    swept = [rows[0]]
    for row in rows[1:]:
        place = {item: number for number, item in enumerate(swept[-1])}
        wanted = [
            mean(place[other] for other in touched[item]) if touched[item] else float(number)
            for number, item in enumerate(row)
        ]
        swept.append([row[at] for at in sorted(range(len(row)), key=wanted.__getitem__)])
    return swept


def _num_crossings(rows: Sequence[Row], near: Near) -> int:
    """How many pairs of arrows between neighbouring rows cross."""
    number = 0
    for upper, lower in pairwise(rows):
        place = {item: at for at, item in enumerate(lower)}
        ends = [end for item in upper for end in sorted(place[other] for other in near.below[item])]
        number += sum(first > second for at, first in enumerate(ends) for second in ends[at + 1 :])
    return number


def _across(rows: Sequence[Row], near: Near, widths: Mapping[Item, float]) -> dict[Item, float]:
    """Where each item is from left to right: near what it touches, and apart from its neighbours."""
    across = {item: 0.0 for row in rows for item in row}
    for sweep in range(NUM_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            touched = [(near.above if down else near.below)[item] or [item] for item in row]
            wanted = [mean(across[other] for other in others) for others in touched]
            across |= zip(row, _apart(wanted, [widths[item] for item in row]), strict=True)
    left = min(across[item] - width / 2 for item, width in widths.items())
    return {item: round(place - left, 4) for item, place in across.items()}


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Places in the given order that do not overlap, with the least squared distance from the wanted ones.

    Without the room that neighbours take, the places must not fall: isotonic regression, by pooling.
    """
    taken = [0.0]
    for first, second in pairwise(widths):
        taken.append(taken[-1] + (first + second) / 2 + APART)
    pools: list[tuple[float, int]] = []  # mean and size
    for place, before in zip(wanted, taken, strict=True):
        pool = place - before, 1
        while pools and pools[-1][0] > pool[0]:
            other, size = pools.pop()
            pool = (other * size + pool[0] * pool[1]) / (size + pool[1]), size + pool[1]
        pools.append(pool)
    level = [place for place, size in pools for _ in range(size)]
    return [place + before for place, before in zip(level, taken, strict=True)]
