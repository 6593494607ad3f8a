"""What a piece of this package needs to run elsewhere: its modules, and the packages they import."""

import ast
import importlib.metadata
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

import seedbed

PACKAGE = "seedbed"
# Where the name to import is not the name to install.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow", "yaml": "PyYAML"}


def needed(roots: Collection[str]) -> dict[str, Path]:
    """Modules of this package that the given ones import, directly or not, with their files.

    Read from the source, imports inside functions included; nothing is executed.

    Args:
        roots: dotted module names.
    """
    found: dict[str, Path] = {}
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _file(name)
        if path is not None:
            found[name] = path
            waiting += [other for other in _imported(path, everywhere=True) if _is_ours(other)]
            waiting += _parents(name)
    return dict(sorted(found.items()))


def distributions(modules: Mapping[str, Path], also: Collection[str] = ()) -> list[str]:
    """The packages that these modules import when they load, as `name==version`, MLflow first.

    Args:
        modules: names and files.
        also: packages to name beside these.
    """
    imported = {
        name.partition(".")[0] for path in modules.values() for name in _imported(path, everywhere=False)
    }
    third_party = imported - set(sys.stdlib_module_names) - {PACKAGE}
    names = {DISTRIBUTIONS.get(name, name) for name in third_party} | set(also)
    return [f"{name}=={_version(name)}" for name in ("mlflow", *sorted(names))]


@cache
def _version(name: str) -> str:
    """The published version, without the mark of a local build, which no index has."""
    return importlib.metadata.version(name).partition("+")[0]


def _imported(path: Path, *, everywhere: bool) -> tuple[str, ...]:
    """Dotted names after `import` and `from`; of `from a import b` both `a` and `a.b`."""
    return _names(path.read_bytes(), everywhere)


@cache
def _names(source: bytes, everywhere: bool) -> tuple[str, ...]:
    return tuple(_found(source, everywhere))


def _found(source: bytes, everywhere: bool) -> Iterator[str]:
    tree = ast.parse(source)
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _file(name: str) -> Path | None:
    """The source of a module; None for a name that is an attribute of one."""
    base = Path(seedbed.__path__[0]).joinpath(*name.split(".")[1:])
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)
