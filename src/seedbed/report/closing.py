"""The last pages of a report: what it cost, how often the test split was read, how it was made, what next."""

from collections import Counter
from collections.abc import Sequence

from seedbed.manual import ui_command
from seedbed.report import drawing
from seedbed.report.evidence import STAGE, Evidence
from seedbed.report.figures import Figures
from seedbed.report.page import Block, Code, Items, Section, Table, Text
from seedbed.verdict.members import Member
from seedbed.verdict.power import MAX_NUM_SEEDS

PACKAGES = ("torch", "pytorch-lightning", "torchmetrics", "mlflow", "scikit-learn", "numpy", "optuna")
ORIGINS = {
    "commit": "mlflow.source.git.commit",
    "branch": "mlflow.source.git.branch",
    "code": "seedbed.code",
    "Python": "seedbed.python",
    "host": "seedbed.host",
    "CPU": "seedbed.cpu",
    "GPU": "seedbed.gpu",
    "user": "mlflow.user",
}


def cost(evidence: Evidence, figures: Figures) -> Section:
    """What was spent: in all, a stage, a setting, and against what it bought."""
    comparison = evidence.comparison
    blocks: list[Block] = [Text(_spent(evidence.members)), *_stages(evidence.members)]
    if drawing.priced(comparison):
        blocks += figures.draw("cost", lambda: drawing.cost(comparison))
        blocks += figures.draw("cost_against_metric", lambda: drawing.cost_against_metric(comparison))
    return Section("Cost", blocks)


def _spent(runs: Sequence[Member]) -> str:
    known = [run.metrics[drawing.CPU_SECONDS] for run in runs if drawing.CPU_SECONDS in run.metrics]
    told = f"{sum(known):,.1f} CPU seconds of training in {len(known)} runs"
    unknown = len(runs) - len(known)
    return f"{told}; {unknown} more runs have not recorded theirs." if unknown else f"{told}."


def _stages(runs: Sequence[Member]) -> list[Block]:
    """A table where the study had several stages."""
    stages = dict.fromkeys(run.tags.get(STAGE, "") for run in runs)
    if len(stages) < 2:
        return []
    rows = []
    for stage in stages:
        members = [run for run in runs if run.tags.get(STAGE, "") == stage]
        known = [run.metrics.get(drawing.CPU_SECONDS, 0.0) for run in members]
        rows.append([stage or "none", str(len(members)), f"{sum(known):.1f}"])
    return [Table(["stage", "runs", "CPU seconds"], rows)]


def reads(evidence: Evidence) -> Section:
    """How often each test split was read."""
    if not evidence.reads:
        return Section("Reads of the test split", [Text("No run of this study has read its test split.")])
    told = []
    for read in evidence.reads:
        name = f"Test split `{read.split}`" if read.split else "A test split without a digest on record"
        total = "not known" if read.store is None else _times(read.store)
        told.append(f"{name}: read {_times(read.study)} by this study's runs, by all runs on record {total}.")
    why = "Every read after which something is still chosen makes its figures flatter than the truth."
    return Section("Reads of the test split", [Items(told), Text(why)])


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def origin(evidence: Evidence) -> Section:
    """Code, packages and machine."""
    rows = [[name, _values(evidence.members, tag)] for name, tag in ORIGINS.items()]
    rows += [[name, evidence.packages[name]] for name in PACKAGES if name in evidence.packages]
    return Section("How it was made", [Table(["what", "value"], [row for row in rows if row[1]])])


def _values(runs: Sequence[Member], tag: str) -> str:
    """The tag's value; where the runs do not agree, each with how many have it."""
    counts = Counter(run.tags[tag] for run in runs if tag in run.tags)
    if len(counts) == 1 and counts.total() == len(runs):
        return next(iter(counts))
    return ", ".join(f"{value} ({number} of {len(runs)} runs)" for value, number in counts.items())


def what_next(evidence: Evidence, root: str) -> Section:
    """Commands that go on from here, and how many seeds the open pairs would take."""
    study, where = evidence.study.run_id, "" if root == "mlruns" else f" --root {root}"
    commands = [f"seedbed compare {study}{where}", ui_command(root)]
    if evidence.study.status == "RUNNING":
        commands.insert(0, f"seedbed report {study}{where}")
    blocks: list[Block] = [Code("\n".join(commands))]
    needed = sorted(pair.difference.num_seeds or 0 for pair in evidence.comparison.pairs)
    within = [number for number in needed if 0 < number <= MAX_NUM_SEEDS]
    if within:
        told = f"Of {len(within)} open pairs, about {within[0]:,} seeds a setting would settle the nearest"
        blocks.insert(0, Text(f"{told}, about {within[-1]:,} the furthest."))
    return Section("What to type next", blocks)
