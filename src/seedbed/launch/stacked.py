"""Runs that differ in a few numbers as one stacked model, in this process; the others one after the other."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import final

from seedbed.job import Job
from seedbed.launch.devices import claim_for_good
from seedbed.launch.here import made
from seedbed.launch.launcher import Hear, Launcher
from seedbed.launch.task import Ended
from seedbed.stack.sorting import Pile, sort


@final
class Stacked(Launcher):
    """Trains in stacks what can be; of the rest, and why, the plan tells."""

    @property
    def num_parallel(self) -> int:
        return int(self.keys["num_proposed"])

    def told(self, jobs: Sequence[Job]) -> Iterator[str]:
        yield from sort(jobs, self.keys["num_members"]).told()

    def launch(self, jobs: Sequence[Job], folder: Path, hear: Hear) -> Generator[Ended]:
        del folder
        found = sort(jobs, self.keys["num_members"])
        for pile in found.piles:
            if self._held:
                return
            hear(f"{len(pile.numbers)} runs train as one")
            claim_for_good(jobs[pile.numbers[0]].config["trainer"])
            yield from _stacked(jobs, pile)
        for number in found.alone:
            if self._held:
                return
            claim_for_good(jobs[number].config["trainer"])
            yield made(number, jobs[number])


def _stacked(jobs: Sequence[Job], pile: Pile) -> Generator[Ended]:
    from seedbed.stack.together import together  # torch is imported here, once the configs are right

    for place, error, outcome in together([jobs[number] for number in pile.numbers], shares=pile.shares):
        yield Ended(pile.numbers[place], error, outcome and outcome._asdict())
