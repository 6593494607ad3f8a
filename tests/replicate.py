"""One replicate of a setting, in a process that knows only the shared folder: `replicate.py TOLD`.

TOLD is JSON: the fields of `TrialWatch`, `values` an epoch, and optionally `gate`, a file to wait for.
Prints the epoch it was pruned at (null: it ran to its end), and why.
"""

import json
import sys
import time
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

from seedbed.errors import Pruned
from seedbed.pruning import Pruner, TrialWatch


def reported(told: dict[str, Any]) -> tuple[int | None, str]:
    given = {field.name: told[field.name] for field in fields(TrialWatch)}
    given |= {"storage_path": Path(told["storage_path"]), "pruner": Pruner(*told["pruner"])}
    watch = TrialWatch(**given)
    name = told["metric"].removeprefix("best_")
    for epoch, value in enumerate(told["values"], start=1):
        try:
            watch(epoch, {name: value})
        except Pruned as pruned:
            return pruned.epoch, pruned.why
    return None, ""


def main() -> None:
    warnings.simplefilter("error")
    told = json.loads(sys.argv[1])
    if "gate" in told:
        print("ready", flush=True)
        while not Path(told["gate"]).exists():
            time.sleep(0.001)
    print(json.dumps(reported(told)))


if __name__ == "__main__":
    main()
