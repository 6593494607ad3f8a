"""What the command line says: the help of `train`, and composition errors in our own words."""

import difflib
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import MissingMandatoryValue

from seedbed.config import SCHEMAS, documented_keys, folder
from seedbed.errors import ConfigError

USAGE = """\
Usage: seedbed train [-m] [--plan] [GROUP=OPTION] [KEY=VALUE] ...

Trains one run; with -m, values separated by commas make a study of several:

  seedbed train model=cnn data=mnist trainer.max_epochs=3
  seedbed train -m model=softmax,mlp,cnn study.num_seeds=5      (seeds generated from the root seed)
  seedbed train -m model=softmax,mlp 'seed=range(0,5)'          (0 to 4: the end is excluded)
  seedbed train -m study=tpe 'optimizer.lr=tag(log,interval(0.001,0.1))'   (both ends included)
  seedbed train -m experiment=demo
  seedbed train model=cnn trainer=ddp trainer.devices=2         (two processes, the same result)
  seedbed train -m model=mlp,cnn launch.num_parallel=4          (four runs at a time)
  seedbed train -m model=mlp,cnn launch=slurm                   (as jobs of a SLURM cluster)
  seedbed train -m model=mlp study.num_seeds=64 launch=stacked  (as one model in one process)
  seedbed train -m model=softmax,mlp study.num_seeds=5 --plan   (say what would run, run nothing)
  seedbed train model=mlp --cfg job                             (show the config, run nothing)

A study runs what is missing: the same command again counts its finished runs, continues those that
were cut off, and adds what a larger study.num_seeds or study.num_trials asks for.
"""
SEE_HELP = "See seedbed train --help for keys and options."


def train_help() -> str:
    """The help text: usage, every group with its options, every key with its meaning."""
    lines = [USAGE, "Groups and their options:"]
    groups = {**{group: list(options) for group, options in SCHEMAS.items()}, "experiment": _experiments()}
    lines += [f"  {group:<12}{' '.join(options)}" for group, options in groups.items()]
    for group in ("", *SCHEMAS):
        lines.append(f"\nKeys of {group}:" if group else "\nKeys of every run:")
        lines += [f"  {key:<28}{meaning}" for key, meaning in _keys(group)]
    return "\n".join([*lines, "\nDefaults: conf/<group>/<option>.yaml, or --cfg job."])


def _keys(group: str) -> list[tuple[str, str]]:
    """The keys of a group with their meaning; those of some options only name these."""
    owners: dict[tuple[str, str], list[str]] = {}
    for option, key, meaning in documented_keys():
        chosen, _, name = option.partition("=")
        if chosen == group and not key.endswith(("_target_", "_partial_")):
            owners.setdefault((key, meaning), []).append(name)
    num_options = len(SCHEMAS.get(group, [""]))
    return [
        (key, meaning if len(names) == num_options else f"{meaning} ({', '.join(names)})")
        for (key, meaning), names in owners.items()
    ]


def _experiments() -> list[str]:
    return sorted(path.stem for path in (folder() / "experiment").glob("*.yaml"))


def ui_command(root: str) -> str:
    """What to type to look at the record in this folder."""
    return command_line("ui", "", root)


def command_line(verb: str, arguments: str, root: str) -> str:
    """What to type, with the program as it was called and the record's folder where it is another one."""
    program = Path(sys.argv[0])
    named = "seedbed" if program.name != "seedbed" else str(program)
    words = [named, verb, arguments, "" if root == "mlruns" else f"--root {root}"]
    return " ".join(word for word in words if word)


def explain(error: Exception, overrides: Sequence[str]) -> ConfigError:
    """A composition error of Hydra or OmegaConf as what, expected, got, do this.

    Args:
        error: theirs.
        overrides: that were composed, as typed.
    """
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, option = str(error.missing_cfg_file).rpartition("/")
        return ConfigError(
            group, expected=_listed(error.options), got=repr(option), do=_guess(option, error.options)
        )
    if isinstance(error, MissingMandatoryValue):
        return _without_value(str(error.full_key), overrides)
    if isinstance(error, OverrideParseException):
        return ConfigError(
            f"argument {error.override!r}",
            expected="GROUP=OPTION or KEY=VALUE",
            got=str(error.__cause__ or error).splitlines()[0],
            do="Quote values with spaces or commas: 'key=\"a b\"'; see seedbed train --help.",
        )
    return _misfit(error)


def _without_value(key: str, overrides: Sequence[str]) -> ConfigError:
    """What the key means in the option that was typed, else in the first that has it."""
    known = [(option, meaning) for option, dotted, meaning in documented_keys() if dotted == key]
    chosen = [meaning for option, meaning in known if option in overrides]
    expected = (*chosen, *(meaning for _, meaning in known), "a value")[0]
    return ConfigError(key, expected=expected, got="nothing", do=f"Add {key}=VALUE.")


def _misfit(error: Exception) -> ConfigError:
    """A key that does not exist, or a value of the wrong type."""
    text = " ".join([str(error), str(error.__cause__ or "")])
    typed = re.search(r"[Ee]rror merging override (\S+?)=(\S*)", text)
    unknown = re.search(r"Could not override '([^']+)'", text)
    if typed:
        key, value = typed.groups()
        return ConfigError(key, expected=wanted(text), got=repr(value), do=f"Give {key} such a value.")
    if unknown:
        key = unknown[1].split("=")[0].lstrip("+~")
        known = sorted({dotted for _, dotted, _ in documented_keys()} | set(SCHEMAS) | {"experiment"})
        near = [dotted for dotted in known if dotted.partition(".")[0] == key.partition(".")[0]] or known
        return ConfigError(
            key,
            expected="a key of the chosen options",
            got="one that does not exist there",
            do=_guess(key, near),
        )
    first = str(error).strip().splitlines()[0]
    listed = "Ambiguous value" in first
    do = "Add -m to run every listed value." if listed else SEE_HELP
    return ConfigError("configuration", expected="one that composes", got=first, do=do)


def wanted(text: str) -> str:
    """What OmegaConf would have taken, from its error."""
    kind = re.search(r"could not be converted to (\w+)", text)
    if kind:
        return f"a value of type {kind[1].lower()}"
    if "is not a ListConfig" in text:
        return "a list such as [256,128]"
    return "a value other than null" if "not Optional" in text else "another value"


def _guess(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=2, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else SEE_HELP


def _listed(options: Iterable[str]) -> str:
    return "one of " + ", ".join(sorted(options))
