"""The benchmark table: everything is measured side by side, in turn.

python -m experiments.speed [--rows 1,4] [--repetitions N] [--data FOLDER] [--photographs FOLDER]
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.speed import results, table
from experiments.speed.contest import Contest, Row, Side
from experiments.speed.measuring import ROOT, Told, measured
from experiments.speed.places import WANTED, places
from experiments.speed.results import Measurement
from experiments.speed.rows import RECORD, ROWS

HERE = Path(__file__).parent


class Bench:
    """One run of the benchmark.

    Args:
        found: folders of the data that there is.
        scratch: where every process gets a new folder.
    """

    def __init__(self, found: dict[str, str], scratch: Path) -> None:
        self._found, self._scratch, self._num_processes = found, scratch, 0
        self._about = (results.today(), results.machine(), results.versions())

    def warm_up(self, rows: Sequence[Row]) -> None:
        """What these rows import, untimed: bytecode is written, files are in memory."""
        sides = [side for row in rows for contest in row.contests for side in contest.sides]
        for module in dict.fromkeys(side.arguments[1] for side in sides):
            self._process(Side(module, ("-c", f"import {module.replace('seedbed', 'seedbed.cli.command')}")))
        if any(RECORD in side.arguments for side in sides):
            self._process(Side("ours", ("-m", "seedbed", "train", "trainer.max_epochs=1", RECORD)))

    def row(self, row: Row, repetitions: int) -> Iterator[Measurement]:
        """Contest by contest, side by side, repetition by repetition; who begins takes turns."""
        contests = [contest for contest in row.contests if self._possible(row, contest)]
        imported = {contest.name: self._imported(contest.sides[0]) for contest in contests if contest.imports}
        for repetition in range(1, repetitions + 1):
            for contest in contests:
                order = contest.sides if repetition % 2 else contest.sides[::-1]
                for side in order:
                    said(f"row {row.number}, {contest.name}: {side.name}, {repetition} of {repetitions}")
                    told = self._process(side)
                    told.reached.update(imported.get(contest.name, {}))
                    yield from self._measurements(row, contest, side, repetition, told)

    def _possible(self, row: Row, contest: Contest) -> bool:
        missing = [WANTED[name] for name in contest.needs if name not in self._found]
        for wanted in missing:
            said(f"row {row.number}, {contest.name}: skipped, there is no {wanted}")
        return not missing

    def _process(self, side: Side) -> Told:
        self._num_processes += 1
        with TemporaryDirectory(dir=self._scratch) as folder:
            names = self._found | {"scratch": folder}
            arguments = tuple(_filled(argument, names) for argument in side.arguments)
            return measured(arguments, Path(folder), side.expected_code)

    def _measurements(
        self, row: Row, contest: Contest, side: Side, repetition: int, told: Told
    ) -> Iterator[Measurement]:
        reached = " ".join(f"{name}={value:.12g}" for name, value in told.reached.items())
        wanted = {figure.measure for figure in contest.figures}
        for measure, cost in told.measures.items():
            if measure in wanted:
                place = (row.number, contest.name, side.name, repetition, measure)
                costs = (round(cost.cpu, 4), round(cost.wall, 4), round(told.peak_mib, 1))
                yield Measurement(*place, *costs, reached, *self._about)

    def _imported(self, side: Side) -> dict[str, float]:
        """How many modules the command imports, and whether torch is among them; untimed."""
        with TemporaryDirectory(dir=self._scratch) as folder:
            own = (_filled(argument, self._found | {"scratch": folder}) for argument in side.arguments)
            arguments = ("-X", "importtime", *own)
            done = subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
            )
            modules = re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr, re.MULTILINE)
        return {"modules": len(modules), "torch": "torch" in modules}


def _filled(argument: str, names: dict[str, str]) -> str:
    for name, folder in names.items():
        argument = argument.replace("{" + name + "}", folder)
    return argument


def said(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.speed", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--rows", default="", help="their numbers, such as 1,4; all where it is missing")
    parser.add_argument("--repetitions", type=int, help="of each side; each row's own where it is missing")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder that holds MNIST/raw")
    parser.add_argument(
        "--photographs", type=Path, default=Path("data/photographs"), help="holds train/<class>/"
    )
    parser.add_argument("--into", type=Path, default=HERE, help="where results.csv and README.md lie")
    return parser.parse_args()


def main(asked: argparse.Namespace) -> int:
    """Measures the rows asked for, and writes them in place of their earlier measurements.

    Returns:
        0; 1 where two sides do not agree in what they reached.
    """
    numbers = {int(number) for number in asked.rows.split(",") if number} or {row.number for row in ROWS}
    chosen = [row for row in ROWS if row.number in numbers]
    path = asked.into / "results.csv"
    with TemporaryDirectory(prefix="seedbed-speed-") as folder:
        scratch = Path(folder)
        bench = Bench(places(asked.data, asked.photographs, scratch), scratch)
        said("warming up")
        bench.warm_up(chosen)
        for row in chosen:
            new = list(bench.row(row, asked.repetitions or row.repetitions))
            contests = {(one.row, one.contest) for one in new}
            kept = [one for one in results.read(path) if (one.row, one.contest) not in contests]
            measurements = sorted([*kept, *new], key=lambda one: one.row)
            results.write(path, measurements)
            table.put(asked.into / "README.md", ROWS, measurements)
    lines = table.told(chosen, results.read(path))
    print("\n".join(lines))
    return int(any("do not agree" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main(arguments()))
