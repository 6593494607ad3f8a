"""What the model card and the checklist both tell: points with their answers, data, code, choice, keys."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from omegaconf import OmegaConf

from seedbed.report import closing, searched
from seedbed.report.evidence import STAGE, Evidence
from seedbed.report.page import Block, Code, Items, Table, Text
from seedbed.report.particulars import Particulars, Use, compared
from seedbed.track.checkout import is_whole
from seedbed.verdict.members import Member

COMMIT, STATE = closing.ORIGINS["commit"], closing.ORIGINS["code"]
OPEN = "*To be filled in by the authors.*"
# Enough of a SHA-256 to tell any two data sets apart; the whole stands on each run.
NUM_DIGITS = 16
NUM_LISTED = 20


class Point(NamedTuple):
    """Something that such a document is to say.

    Args:
        asked: in a few words.
        told: what the record answers; empty where it answers nothing.
        partly: whether the authors have to add to that.
    """

    asked: str
    told: str = ""
    partly: bool = False

    @property
    def is_open(self) -> bool:
        """Whether people have to say something here."""
        return self.partly or not self.told

    @property
    def line(self) -> str:
        """The point in markdown; what is open is visible."""
        answer = [self.told] * bool(self.told) + [OPEN] * self.is_open
        return f"**{self.asked}.** {' '.join(answer)}"


def lines(points: Iterable[Point]) -> Items:
    return Items([point.line for point in points])


def boxes(points: Iterable[Point]) -> Items:
    """A list of tasks: ticked is what the record answers."""
    return Items([f"[{' ' if point.is_open else 'x'}] {point.line}" for point in points])


def data(uses: Sequence[Use]) -> list[Block]:
    """The data of some runs; nothing where none of them names its data."""
    if not uses:
        return []
    head = ["split", "data set", "examples", "examples a class", "content", "which examples", "runs"]
    told = f"Digests are the first {NUM_DIGITS} hex digits of SHA-256; each run's dataset inputs have all."
    return [Table(head, [_use(use) for use in uses]), Text(told)]


def _use(use: Use) -> list[str]:
    first, *others = use.split_digests
    places = f"{len(others) + 1} different choices" if others else f"`{first[:NUM_DIGITS]}`"
    content = f"`{use.content_digest[:NUM_DIGITS]}`"
    return [use.split, use.name, span(use.sizes), span(use.class_sizes), content, places, str(use.num_runs)]


def span(ends: tuple[int, int]) -> str:
    """Fewest and most, once where they are the same."""
    low, high = ends
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def keys(found: Particulars, groups: Sequence[str]) -> list[Block]:
    """The config of these groups, as YAML; nothing where none is on record."""
    held = {group: found.config[group] for group in groups if found.config.get(group)}
    return [Code(OmegaConf.to_yaml(OmegaConf.create(held)).rstrip())] if held else []


def code(evidence: Evidence) -> str:
    """Commit and state of the code of the compared runs; empty where it is not on record."""
    commit, state = (closing.values(compared(evidence), tag) for tag in (COMMIT, STATE))
    told = [f"commit {commit}"] * bool(commit) + [f"code: {state}"] * bool(state)
    return f"Git: {', '.join(told)}." if told else ""


def is_code_known(evidence: Evidence) -> bool:
    """Whether the record has all the code of every compared run."""
    return all(is_whole(run.tags.get(STATE, "")) for run in compared(evidence))


def standing(evidence: Evidence) -> str:
    """Which of the settings the first one is."""
    metric, number = evidence.comparison.metric, len(evidence.comparison.rows)
    if number == 1:
        return "the only setting that is compared"
    if evidence.comparison.unit.better is None:
        return f"of {number} settings the one with the largest mean `{metric}`, which need not be the best"
    return f"the best of {number} settings by mean `{metric}`"


def chosen(evidence: Evidence) -> str:
    """How the settings that are compared came to be."""
    told = [*_search(evidence), *_stages(evidence.members)]
    if evidence.finalists is not None:
        told.append(
            "The best settings were run again with fresh seeds and compared by"
            f" `{evidence.finalists.metric}`; the winner was refitted with new seeds, and only those runs are"
            " reported as its result."
        )
    if not told:
        number = len(evidence.comparison.rows)
        told = [f"No search is on record: every setting with a finished run is compared, {number} in all."]
    return " ".join(told)


def _search(evidence: Evidence) -> list[str]:
    if evidence.trials is None:
        return []
    found = searched.read(evidence.trials, evidence.space)
    kind = evidence.study.tags.get("seedbed.study_kind", "")
    by = f" (`study={kind}`)" if kind else ""
    judged = ", ".join(f"`{name}`" for name in found.objectives)
    return [f"A search{by} tried {len(found.numbers)} settings, judged on {judged}."]


def _stages(runs: Sequence[Member]) -> list[str]:
    sizes = Counter(run.tags.get(STAGE, "") for run in runs)
    told = ", ".join(f"{stage or 'without a name'} ({size} runs)" for stage, size in sizes.items())
    return [f"Stages: {told}."] if len(sizes) > 1 else []


def listed(words: Sequence[str]) -> str:
    """The first twenty, and how many more there are."""
    more = f" and {len(words) - NUM_LISTED} more" if len(words) > NUM_LISTED else ""
    return ", ".join(words[:NUM_LISTED]) + more
