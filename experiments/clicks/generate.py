"""Writes click logs in the public formats, from a population whose every probability is known.

python -m experiments.clicks.generate --rows N --out FILE [--format criteo|avazu] [--categories N]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedbed.data.click_format import AVAZU, CRITEO, Column, Format, thresholds
from seedbed.data.population import LOT, Population, Rows, bayes_loss, loss_of

FORMATS = {"criteo": CRITEO, "avazu": AVAZU}
# Values that stand for themselves, and how many categories a field of integers has at most.
OWN, MOST_INTEGERS = (-1, 0, 1, 2), 60
# Avazu's training file goes from the 21st to the 30th of October 2014.
FIRST_DAY, NUM_HOURS = 141021, 240
# Odd, so that multiplying by it modulo 2^32 gives every category a text of its own.
SPREAD = 2654435761

Texts = NDArray[np.bytes_]


def drawn(form: Format) -> list[Column]:
    """The columns whose categories are drawn: time goes its own way."""
    return [column for column in form.columns if column.kind != "hour"]


def population(form: Format, num_categories: int, seed: int = 0) -> Population:
    """The truth behind a file that `write` writes."""
    most = {"category": num_categories, "integer": min(num_categories, MOST_INTEGERS)}
    counts = [most[column.kind] for column in drawn(form)]
    return Population(counts, zipf_exponent=1.1, base_rate=0.1, seed=seed)


def texts(column: Column, count: int) -> list[str]:
    """What each category of a column is called in a file; one in three columns is often empty."""
    if column.kind == "integer":
        numbers = [*OWN, *thresholds()[: max(0, count - 1 - len(OWN))]]
        return ["", *map(str, numbers)][:count]
    names = [f"{(category * SPREAD + column.place) % 2**32:08x}" for category in range(count)]
    if column.place % 3 == 0:
        names[0] = ""
    return names


def write(
    path: Path, form: Format, num_rows: int, num_categories: int = 1000, seed: int = 0
) -> Iterator[Rows]:
    """Writes rows, lot by lot; what is yielded is the truth about those just written."""
    source = population(form, num_categories, seed)
    counts = [len(weights) for weights in source.weights]
    tables = {
        column.place: np.array(texts(column, count), dtype=np.bytes_)
        for column, count in zip(drawn(form), counts, strict=True)
    }
    with path.open("wb") as file:
        if form.header:
            file.write(form.header + b"\n")
        first = 0
        for lot in source.lots(0, num_rows):
            file.write(_lines(form, lot, tables, first, num_rows))
            first += len(lot.clicks)
            yield lot


def _lines(form: Format, lot: Rows, tables: dict[int, Texts], first: int, num_rows: int) -> bytes:
    """The lot as text: padded columns side by side, from which the padding is then dropped."""
    count, places = len(lot.clicks), np.arange(first, first + len(lot.clicks))
    columns = {form.label: lot.clicks.astype(np.bytes_)}
    for place, categories in zip(tables, lot.categories.T, strict=True):
        columns[place] = tables[place][categories]
    if form.time is not None:
        hours = places * NUM_HOURS // num_rows
        columns[form.time] = ((FIRST_DAY + hours // 24) * 100 + hours % 24).astype(np.bytes_)
        columns[0] = places.astype(np.bytes_)  # the id
    parts = []
    for place in range(form.num_columns):
        column = np.ascontiguousarray(columns[place])
        parts.append(column.view(np.uint8).reshape(count, -1))
        last = place == form.num_columns - 1
        parts.append(np.full((count, 1), ord("\n") if last else form.separator[0], dtype=np.uint8))
    flat = np.concatenate(parts, axis=1).reshape(-1)
    text: bytes = flat[flat != 0].tobytes()
    return text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.clicks.generate", description=__doc__)
    parser.add_argument("--rows", type=int, required=True, help="1 or more")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--format", choices=FORMATS, default="criteo")
    parser.add_argument("--categories", type=int, default=1000, help="of each field of categories")
    asked = parser.parse_args()
    if asked.rows < 1 or asked.categories < 1:
        parser.error("--rows and --categories are 1 or more")
    lots = write(asked.out, FORMATS[asked.format], asked.rows, asked.categories)
    written = [(lot.probabilities, lot.clicks) for lot in lots]
    probabilities, clicks = (np.concatenate(column) for column in zip(*written, strict=True))
    print(
        f"{len(clicks):,} rows in lots of {LOT:,}, {asked.out.stat().st_size / 1e6:,.1f} MB, "
        f"{clicks.mean():.4f} clicked. Bayes log loss {bayes_loss(probabilities):.6f} expected, "
        f"{loss_of(probabilities, clicks):.6f} on these clicks."
    )


if __name__ == "__main__":
    main()
