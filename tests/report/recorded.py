"""Studies on record that nobody had to train."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.track.record import Record, Status
from seedbed.track.store import Store

NUM_EPOCHS = 3
PACKAGES = "mlflow==3.17.2\ntorch==2.15.0\n"
# What became of some trials of a search, and how their runs ended.
STATES: Mapping[int, str] = {1: "PRUNED", 3: "FAIL", 4: "PRUNED", 6: "PRUNED"}
ENDS: Mapping[str, Status] = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}
TAGS = {
    "seedbed.code": "the commit alone",
    "mlflow.source.git.commit": "0123abcd",
    "seedbed.host": "garden",
    "seedbed.python": "3.11.7",
}


def study(store: Store, name: str = "seedbed: model x seed", **params: str) -> Record:
    """A parent run without runs, RUNNING."""
    tags = {
        "seedbed.kind": "study",
        "seedbed.command": "seedbed train -m model=softmax,mlp 'seed=range(0,3)'",
    }
    return Record.start(store, experiment="e", name=name, params=params, tags=tags)


def run(
    parent: Record,
    name: str,
    accuracy: float,
    *,
    params: Mapping[str, Any],
    tags: Mapping[str, str] | None = None,
    status: Status | None = "FINISHED",
    test: bool = True,
) -> Record:
    """A run of the study with curves towards an accuracy; status None leaves it running."""
    known = {"seedbed.setting": setting(params), **TAGS, **(tags or {})}
    record = Record.start(
        parent.store, experiment="e", name=name, params=params, tags=known, parent_run_id=parent.run_id
    )
    for epoch in range(1, NUM_EPOCHS + 1):
        reached = accuracy * epoch / NUM_EPOCHS
        record.log_metrics({"val/accuracy": reached, "val/loss": 1 - reached}, step=epoch)
    last = {"best_val/accuracy": accuracy, "best_val/loss": 1 - accuracy, "fit/cpu_seconds": 10 * accuracy}
    if test:
        last["test/accuracy"] = accuracy - 0.01
    record.log_metrics(last, step=NUM_EPOCHS)
    record.deliver()
    if status is not None:
        record.finish(status)
    return record


def setting(params: Mapping[str, Any]) -> str:
    return json.dumps({key: str(value) for key, value in params.items() if key != "seed"}, sort_keys=True)


def ladder(store: Store, models: Sequence[str] = ("softmax", "mlp"), num_seeds: int = 3) -> Record:
    """Every model with every seed, the later the better; the first run has kept its packages."""
    parent = study(store, model=",".join(models), seed=",".join(map(str, range(num_seeds))))
    for place, model in enumerate(models):
        for seed in range(num_seeds):
            accuracy = 0.8 + 0.05 * place + 0.004 * (seed * (1 + place) % 5)
            made = run(parent, f"{model} seed {seed}", accuracy, params={"model": model, "seed": seed})
            if place == seed == 0:
                made.log_text(PACKAGES, "provenance/packages.txt")
    return parent


def variance(store: Store, num_seeds: int = 5) -> Record:
    """One setting; the seed of the initial weights moves it, the order of the examples hardly."""
    parent = study(store, "seedbed: variance")
    for stream, reach in (("init", 0.01), ("order", 0.001), ("all", 0.012)):
        for seed in range(num_seeds):
            params = {"model": "mlp", "seed": seed} if stream == "all" else {"model": "mlp", "seed": 0}
            tags = {"seedbed.stage": f"vary {stream}", "seedbed.signature": f"{stream} {seed}"}
            accuracy = 0.9 + reach * (seed % 3)
            run(parent, f"{stream} s{seed}", accuracy, params=params, tags=tags, test=False)
    return parent


def search(store: Store, num_trials: int = 12, objectives: Sequence[str] = ("best_val/loss",)) -> Record:
    """A search with three pruned trials and one that failed, its finalists, and the refit of the winner."""
    parent = study(store, "seedbed: search")
    lines = [["number", "state", *objectives, "params.optimizer.lr", "params.model"]]
    for number in range(num_trials):
        lr, model = 10 ** (-4 + 3 * number / max(1, num_trials - 1)), ("softmax", "mlp")[number % 2]
        accuracy = 0.9 - 0.05 * abs(math.log10(lr) + 2) - 0.02 * (model == "softmax")
        state = STATES.get(number, "COMPLETE")
        values = [1 - accuracy, 10 * accuracy] if state == "COMPLETE" else ["", ""]
        lines.append([str(cell) for cell in (number, state, *values[: len(objectives)], lr, model)])
        tags = {"seedbed.stage": "search"} | ({"seedbed.pruned": "median"} if state == "PRUNED" else {})
        params = {"model": model, "optimizer.lr": lr, "seed": 0}
        run(parent, f"trial {number}", accuracy, params=params, tags=tags, status=ENDS[state], test=False)
    _protocol(parent)
    parent.log_text("".join(",".join(line) + "\n" for line in lines), "search/trials.csv")
    space = {"optimizer.lr": "tag(log, interval(0.0001, 0.1))", "model": "choice(softmax,mlp)"}
    parent.log_json(space, "search/space.json")
    return parent


def _protocol(parent: Record) -> None:
    """Both models again with fresh seeds, then the better one with new ones, which reads the test split."""
    read = {"seedbed.num_test_reads": "1", "seedbed.test_split": "5eed"}
    for stage, models in (("finalists", ("mlp", "softmax")), ("refit", ("mlp",))):
        for model in models:
            for seed in (11, 12, 13):
                better = model == "mlp"
                accuracy = 0.88 + 0.001 * (seed - 11) ** (1 + better) + 0.02 * better
                params = {"model": model, "optimizer.lr": 0.01, "seed": seed}
                tags = {"seedbed.stage": stage} | (read if stage == "refit" else {})
                name = f"{stage} {model} s{seed}"
                run(parent, name, accuracy, params=params, tags=tags, test=stage == "refit")
