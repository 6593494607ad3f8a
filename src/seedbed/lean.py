"""Modules that a run names and never uses: loaded only once something is asked of them.

torch's compiler with all of sympy, scipy.signal, scipy.stats and torchvision.models are a third of what
a run imports. Lightning and torchvision ask the compiler for one class and one function when they are
loaded, torch's optimisers ask it not to look; the answers without a compiler are known. Others take a
function by its name and never call it. Whatever else is asked loads the real thing, so nothing is
missing, only later.
"""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

Answers = Mapping[str, Any]


def _as_it_is(function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
    return function


class Taken:
    """What was taken from a module that was put off: the real one's, from its first use.

    Args:
        module: the module's name.
        name: of its attribute.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(loaded(self._module), self._name)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(loaded(self._module), self._name), name)


def _taken(module: str, *names: str) -> Answers:
    return {name: Taken(module, name) for name in names}


# What is asked while nothing is compiled, and its answer. Packages first, then what lies in them.
KNOWN: Mapping[str, Answers] = {
    "torch._dynamo": {
        "OptimizedModule": type("OptimizedModule", (), {}),  # nothing is an instance of it
        "disable": _as_it_is,
        "graph_break": lambda: None,
    },
    "torch._dynamo.utils": {"is_compile_supported": lambda _: False},
    "torch._inductor": {},
    "torch._inductor.config": {},  # told whether runs are deterministic; it asks nothing back
    "scipy.signal": {"hamming": None},
    "scipy.stats": _taken("scipy.stats", "rankdata"),  # by scikit-learn
    # By torchmetrics.
    "torchvision.models": _taken("torchvision.models", "resnet50", "vgg16", "VGG16_Weights"),
}


class Later(ModuleType):
    """A module that knows a few answers, and loads the real one for any other question.

    Args:
        name: the module's.
        answers: by attribute.
    """

    def __init__(self, name: str, answers: Answers) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__dict__.update(answers)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # whoever walks through all modules wants none of them loaded
            raise AttributeError(name)
        return getattr(loaded(self.__name__), name)

    def told(self) -> dict[str, Any]:
        """What others have set meanwhile."""
        known = {*KNOWN[self.__name__], *(name.rpartition(".")[2] for name in KNOWN)}
        names = [name for name in self.__dict__ if not name.startswith("__") and name not in known]
        return {name: self.__dict__[name] for name in names}


class Within(MetaPathFinder, Loader):
    """Finds a module inside one that was put off: that one is loaded first, as a package's always is."""

    def find_spec(
        self, fullname: str, _: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent = fullname.rpartition(".")[0]
        if not isinstance(sys.modules.get(parent), Later):
            return None
        real = loaded(parent)
        if fullname in sys.modules:  # it came with its package
            return ModuleSpec(fullname, self)
        return PathFinder.find_spec(fullname, real.__path__, target)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: that was done."""


def put_off() -> None:
    """Puts off what nobody has loaded yet; for a process whose runs are not compiled."""
    for name, answers in KNOWN.items():
        if name not in sys.modules:
            sys.modules[name] = Later(name, answers)
            _hang(name)
    if not any(isinstance(finder, Within) for finder in sys.meta_path):
        sys.meta_path.insert(0, Within())


def hang() -> None:
    """Makes what was put off an attribute of its package: torch would import its compiler twice a step."""
    for name in KNOWN:
        if isinstance(sys.modules.get(name), Later):
            _hang(name)


def loaded(name: str) -> ModuleType:
    """The real module, in the place of the one that was put off, and what that was told."""
    top = ".".join(name.split(".")[:2])
    family = [known for known in KNOWN if known == top or known.startswith(f"{top}.")]
    told = {}
    for known in family:
        module = sys.modules.get(known)
        if isinstance(module, Later):
            told[known] = module.told()
            del sys.modules[known]
    for known, values in told.items():
        importlib.import_module(known).__dict__.update(values)
        _hang(known)
    return sys.modules[name]


def _hang(name: str) -> None:
    """A module is an attribute of its package, too, once that is there."""
    package, _, own = name.rpartition(".")
    if package in sys.modules:
        setattr(sys.modules[package], own, sys.modules[name])
