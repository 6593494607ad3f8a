"""The last pages of a report: what it cost, how often the test split was read, how it was made, what next."""

from collections import Counter
from collections.abc import Sequence

from seedbed.manual import ui_command
from seedbed.report import drawing
from seedbed.report.evidence import STAGE, Evidence
from seedbed.report.figures import Figures
from seedbed.report.page import Block, Code, Items, Links, Section, Table, Text
from seedbed.verdict.members import Member
from seedbed.verdict.power import MAX_NUM_SEEDS

CARD, CHECKLIST = "model_card.md", "reproducibility.md"
PACKAGES = ("torch", "pytorch-lightning", "torchmetrics", "mlflow", "scikit-learn", "numpy", "optuna")
NO_READS = "No run of this study has read its test split."
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
    blocks: list[Block] = [Text(spent(evidence.members)), *_stages(evidence.members)]
    blocks += figures.draw("cost")
    blocks += figures.draw("cost_against_metric")
    return Section("Cost", blocks)


def spent(runs: Sequence[Member]) -> str:
    """The CPU seconds of all runs, and how many have not recorded theirs."""
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
        return Section("Reads of the test split", [Text(NO_READS)])
    why = "Every read after which something is still chosen makes its figures flatter than the truth."
    return Section("Reads of the test split", [Items(counted_reads(evidence)), Text(why)])


def counted_reads(evidence: Evidence) -> list[str]:
    """One sentence a test split that was read."""
    told = []
    for read in evidence.reads:
        name = f"Test split `{read.split}`" if read.split else "A test split without a digest on record"
        total = "not known" if read.store is None else _times(read.store)
        told.append(f"{name}: read {_times(read.study)} by this study's runs, by all runs on record {total}.")
    return told


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def origin(evidence: Evidence) -> Section:
    """Code, packages and machine."""
    return Section("How it was made", [origin_table(evidence)])


def origin_table(evidence: Evidence) -> Table:
    """What the record says of code, packages and machine; what it does not say is left out."""
    rows = [[name, values(evidence.members, tag)] for name, tag in ORIGINS.items()]
    rows += [[name, evidence.packages[name]] for name in PACKAGES if name in evidence.packages]
    return Table(["what", "value"], [row for row in rows if row[1]])


def values(runs: Sequence[Member], tag: str) -> str:
    """The tag's value; where the runs do not agree, each with how many have it."""
    counts = Counter(run.tags[tag] for run in runs if tag in run.tags)
    if len(counts) == 1 and counts.total() == len(runs):
        return next(iter(counts))
    return ", ".join(f"{value} ({number} of {len(runs)} runs)" for value, number in counts.items())


def documents() -> Section:
    """What is written beside the page."""
    told = {
        CARD: "what the model is, is for, and reaches, class by class (Mitchell et al. 2019)",
        CHECKLIST: "what it takes to get these results again, and who has tried (Pineau et al. 2021)",
    }
    return Section("Model card and reproducibility", [Links(told)])


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
