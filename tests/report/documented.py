"""A study whose runs keep what real ones keep: config, data, packages, switches, confusions, weights."""

import json
import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.verdict.members import members
from tests.report import recorded

CONFIG = """\
model:
  _target_: seedbed.model.mlp.Mlp
  hidden_features: [8]
features: null
optimizer:
  _target_: torch.optim.SGD
  lr: 0.1
data:
  batch_size: 64
  standardize: true
"""
OPEN = "*To be filled in by the authors.*"
CONTENT, PLACES = "c0ffee" + 58 * "0", "5eed" + 60 * "1"
# Of a model card: what no record of a training can hold.
LEFT_TO_PEOPLE = {
    "Fairness constraints", "Paper or other resource", "Citation", "License", "Contact", "Primary uses",
    "Primary users", "Uses out of scope", "Relevant factors (groups, instruments, environments)",
    "Motivation", "Factors taken together", "Sensitive data", "Human life", "Mitigations", "Risks and harms",
    "Use cases to avoid", "Further caveats", "Recommendations",
}  # fmt: skip
# Of a checklist: what a full record answers.
ANSWERED_BY_RECORD = {
    "Number of examples and other statistics", "Details of the splits", "Dependencies", "Training code",
    "Evaluation code", "Trained models", "Table of results with the command that makes them",
    "Hyper-parameters considered", "How the best were chosen", "All hyper-parameters of the results",
    "Number of training and evaluation runs", "Definition of the measure", "Central tendency and variation",
    "Average runtime", "Computing infrastructure",
}  # fmt: skip
NUM_EXAMPLES = {"train": [70, 80], "val": [10, 20], "test": [20, 30]}


def documented(store: Store) -> Record:
    """Two models, three seeds each, everything on record."""
    study = recorded.ladder(store)
    for run in members(store, study.run_id):
        document(Record(store, run.run_id), int(run.params["seed"]))
    study.finish("FINISHED")
    return study


def document(run: Record, seed: int) -> None:
    """Of the 20 cats one more is found with every seed, of the 30 dogs all but two."""
    run.log_text(CONFIG, "config.yaml")
    run.log_text(recorded.PACKAGES, "provenance/packages.txt")
    run.log_text(json.dumps({"num_threads": 1, "deterministic_algorithms": True}), "provenance/in_force.json")
    run.log_text("weights", "checkpoints/best.ckpt")
    cats = f"cat,{15 + seed},{5 - seed}\n"
    run.log_text(f"true \\ predicted,cat,a dog\n{cats}a dog,2,28\n", "test/confusion.csv")
    for split, counts in NUM_EXAMPLES.items():
        data(run, split, counts, PLACES if split == "test" else f"{seed}{split}")


def data(run: Record, split: str, counts: list[int], places: str) -> None:
    profile = {
        "split": split,
        "num_examples": sum(counts),
        "class_counts": counts,
        "content_digest": CONTENT,
        "split_digest": places,
    }
    run.log_dataset(name="pets", source="pets", split=split, digest=CONTENT, profile=profile)


def unanswered(told: str) -> set[str]:
    """Points of a card to which the record says nothing."""
    return set(re.findall(rf"^- \*\*(.*?)\.\*\* {re.escape(OPEN)}$", told, re.MULTILINE))


def boxes(told: str, mark: str) -> set[str]:
    """Points of a checklist whose box has this mark."""
    return set(re.findall(rf"^- \[{mark}\] \*\*(.*?)\.\*\*", told, re.MULTILINE))


def parsed(markdown: str) -> list[Token]:
    """The document as a reader of CommonMark with tables takes it."""
    return MarkdownIt("commonmark").enable("table").parse(markdown)


def headings(tokens: list[Token], level: str = "h2") -> list[str]:
    return [
        tokens[place + 1].content
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == level
    ]


def assert_well_formed(markdown: str) -> None:
    """One title; every table drawn as one and of even width; nothing that is taken for HTML."""
    tokens = parsed(markdown)
    kinds = [token.type for token in tokens]
    inline = {child.type for token in tokens for child in token.children or ()}
    assert len(headings(tokens, "h1")) == 1
    assert not {"html_block", "html_inline"} & {*kinds, *inline}
    assert kinds.count("table_open") == markdown.count("\n| --- |")
    widths: list[set[int]] = []
    for kind in kinds:
        if kind == "table_open":
            widths.append(set())
        elif kind == "tr_open":
            width = 0
        elif kind in ("th_open", "td_open"):
            width += 1
        elif kind == "tr_close":
            widths[-1].add(width)
    assert all(len(found) == 1 for found in widths)
