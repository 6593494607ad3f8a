"""What a process has spent when its first optimiser step is over.

python -m experiments.speed.first_step KEY=VALUE...     # `seedbed train KEY=VALUE...`, and tells
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from experiments.speed.measuring import Cost, since_start, tell

OPTIMIZER = "torch.optim.optimizer"


def costs_at_first_step() -> dict[str, Cost]:
    """A record that is filled in after the first step of any optimiser of torch."""
    costs: dict[str, Cost] = {}

    def note(*_: Any) -> None:
        costs.setdefault("first step", since_start())

    if OPTIMIZER in sys.modules:
        sys.modules[OPTIMIZER].register_optimizer_step_post_hook(note)
    else:
        sys.meta_path.insert(0, Within(note))
    return costs


class Within(MetaPathFinder):
    """Leaves a note with torch's optimisers as soon as somebody imports them, and imports nothing itself."""

    def __init__(self, note: Any) -> None:
        self._note = note

    def find_spec(self, name: str, path: Any, _: Any = None) -> ModuleSpec | None:
        if name != OPTIMIZER:
            return None
        spec = PathFinder.find_spec(name, path)
        assert spec is not None
        loader: Any = spec.loader
        execute = loader.exec_module

        def executed(module: Any) -> None:
            execute(module)
            module.register_optimizer_step_post_hook(self._note)

        loader.exec_module = executed
        return spec


def main(overrides: list[str]) -> None:
    costs = costs_at_first_step()
    from seedbed.cli.command import main as seedbed

    sys.argv = ["seedbed", "train", *overrides]
    try:
        seedbed()
    finally:
        tell(costs)


if __name__ == "__main__":
    main(sys.argv[1:])
