"""The model card of a study's best setting, after Mitchell et al. 2019, section by section.

What the record can answer is filled in; what only people can say is a line that says so. Nothing is
guessed: a card that reads well and is wrong does harm.
"""

from collections.abc import Sequence

from seedbed.report import closing
from seedbed.report.evidence import Evidence
from seedbed.report.page import Items, Section, Text
from seedbed.report.particulars import Particulars, Use
from seedbed.report.quantities import analyses, is_tested, metrics
from seedbed.report.statements import OPEN, Point, chosen, code, data, keys, lines, standing
from seedbed.verdict.setting import Setting

ALGORITHM = ("model", "features", "objective", "optimizer", "schedule", "trainer")


def model_card(evidence: Evidence, found: Particulars) -> list[Section]:
    """All sections.

    Args:
        evidence: what the page is made from.
        found: what is told of single runs.
    """
    best = evidence.comparison.rows[0]
    return [
        _details(evidence, found),
        Section("Intended use", [_open("Primary uses", "Primary users", "Uses out of scope")]),
        _factors(found),
        metrics(evidence),
        _evaluation(best, found),
        _training(best, found),
        analyses(evidence, found),
        Section(
            "Ethical considerations",
            [_open("Sensitive data", "Human life", "Mitigations", "Risks and harms", "Use cases to avoid")],
        ),
        _caveats(evidence, found),
    ]


def _open(*asked: str) -> Items:
    return lines(Point(words) for words in asked)


def _details(evidence: Evidence, found: Particulars) -> Section:
    best, study = evidence.comparison.rows[0], evidence.study
    intro = (
        "After Mitchell et al. 2019, filled in from the record. What the record cannot say is marked:"
        f" {OPEN} The card is of the setting `{best.name}`, {standing(evidence)}."
    )
    user = closing.values(evidence.members, "mlflow.user")
    account = f"The runs were started by the account {user}." if user else ""
    points = [
        Point("Person or organisation", account, partly=True),
        Point("Date", f"The study was started {evidence.began}."),
        Point("Version", f"Study `{study.run_id}`, {_runs(best)}. {code(evidence)}".rstrip()),
        Point("Type", _type(best, found)),
        Point("How it was chosen", chosen(evidence)),
        Point("Algorithm, parameters, features", _keys_told(best, found)),
        *map(Point, ("Fairness constraints", "Paper or other resource", "Citation", "License", "Contact")),
    ]
    return Section("Model details", [Text(intro), lines(points), *keys(found, ALGORITHM)])


def _runs(best: Setting) -> str:
    first = best.runs[0]
    number = f"{len(best.runs)} runs of this setting, the first" if len(best.runs) > 1 else "one run of it,"
    return f"{number} `{first.run_id}` ({first.name})"


def _type(best: Setting, found: Particulars) -> str:
    """The option and its class; empty where the runs are another program's."""
    option, target = best.runs[0].params.get("model", ""), found.config.get("model", {}).get("_target_", "")
    return f"`model={option}`" + (f", class `{target}`." if target else ".") if option else ""


def _keys_told(best: Setting, found: Particulars) -> str:
    return f"Below, as the run {best.runs[0].name} had the keys." if found.config else ""


def _factors(found: Particulars) -> Section:
    told = "The class, below. The record holds no other attribute of an example." if found.classes else ""
    points = [
        Point("Relevant factors (groups, instruments, environments)"),
        Point("Factors evaluated", told, partly=True),
    ]
    return Section("Factors", [lines(points)])


def _evaluation(best: Setting, found: Particulars) -> Section:
    uses = _uses(best, found, ["test" if is_tested(best) else "val"])
    instead = "" if is_tested(best) else " The test split was not read: the figures are of validation."
    points = [
        Point("Data sets", f"Below.{instead}" if uses else ""),
        Point("Motivation"),
        Point("Preprocessing", "The keys of `data` under training data." if found.config else ""),
    ]
    return Section("Evaluation data", [lines(points), *data(uses)])


def _training(best: Setting, found: Particulars) -> Section:
    uses = _uses(best, found, ["train", "val"] if is_tested(best) else ["train"])
    points = [
        Point("Data sets", "Below." if uses else ""),
        Point("Motivation"),
        Point("Preprocessing", _keys_told(best, found)),
    ]
    return Section("Training data", [lines(points), *data(uses), *keys(found, ["data"])])


def _uses(best: Setting, found: Particulars, splits: Sequence[str]) -> list[Use]:
    return [use for use in found.uses(best.runs) if use.split in splits]


def _caveats(evidence: Evidence, found: Particulars) -> Section:
    told = [
        *_flattered(evidence),
        *_one_sample(evidence.comparison.rows[0], found),
        *evidence.comparison.warnings,
        *(closing.counted_reads(evidence) or [closing.NO_READS]),
        "A t interval knows no bounds: near 0 or 1 its ends may lie beyond them.",
        *_open("Further caveats", "Recommendations").sentences,
    ]
    return Section("Caveats and recommendations", [Items(told)])


def _flattered(evidence: Evidence) -> list[str]:
    """What was chosen by the very figures that are told here."""
    metric, found = evidence.comparison.metric, []
    if len(evidence.comparison.rows) > 1:
        found.append(f"The setting was put first by the same `{metric}` that is told here: that flatters it.")
    if metric.startswith("best_val/"):
        found.append("The figures are of the epoch that the validation split chose: that flatters them.")
    return found


def _one_sample(best: Setting, found: Particulars) -> list[str]:
    """What the intervals do not hold where every run was tested on the same examples."""
    tested = _uses(best, found, ["test"])
    if not is_tested(best) or [len(use.split_digests) for use in tested] != [1]:
        return []
    return ["All runs were tested on the same examples: no interval holds what other examples would move."]
