"""Runs that are to be: composed, resolved and named before the first one starts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from seedbed.config import circumstances
from seedbed.job import REPETITION, Job, typed
from seedbed.track.signature import signature

Resolve = Callable[[Sequence[str]], Job]


class Setting(NamedTuple):
    """What is compared: values for the varied keys, without seeds and folds.

    Args:
        name: what differs first; empty for the only setting of a study.
        overrides: key to value, as typed.
        digest: signature of the config without seeds and folds.
    """

    name: str
    overrides: dict[str, str]
    digest: str


class Planned(NamedTuple):
    """One run that is to be.

    Args:
        setting: what it repeats.
        name: of the run.
        overrides: key to value, as typed: the setting's with those of this repetition.
        signature: identity of its config, by which a finished run is found again.
        job: the resolved run, without what the study's record tells it.
    """

    setting: Setting
    name: str
    overrides: dict[str, str]
    signature: str
    job: Job


class Planner:
    """Makes settings and runs; composes each setting once, whatever the number of its seeds.

    Args:
        resolve: overrides to the resolved job, refusing what cannot be composed.
        fixed: key to value for every run of the study.
    """

    def __init__(self, resolve: Resolve, fixed: Mapping[str, str]) -> None:
        self.resolve, self.fixed = resolve, dict(fixed)
        self._jobs: dict[str, Job] = {}
        self._settings: dict[tuple[tuple[str, str], ...], Setting] = {}

    def setting(self, varied: Mapping[str, str]) -> Setting:
        """The setting of these values; refuses what cannot be composed.

        Raises:
            ConfigError: naming the key.
        """
        typed = tuple(varied.items())
        if typed not in self._settings:
            overrides = self.fixed | dict(varied)
            job = self.resolve([f"{key}={value}" for key, value in overrides.items()])
            digest = signature(job.config, circumstances() | set(REPETITION))
            self._jobs[digest] = job
            self._settings[typed] = Setting(named(varied), dict(varied), digest)
        return self._settings[typed]

    def job(self, setting: Setting) -> Job:
        """The resolved job of a setting of this planner."""
        return self._jobs[setting.digest]

    def run(
        self,
        setting: Setting,
        mark: str,
        repetition: Mapping[str, int | bool | None],
        place: Mapping[str, int | str | None],
    ) -> Planned:
        """One run of a setting.

        Args:
            setting: of this planner.
            mark: what tells the run apart from the setting's others, such as `s0`.
            repetition: seeds, folds, and whether the test split is read.
            place: keys of the group `study` that say what the run is for.
        """
        told = {**repetition, **{f"study.{key}": value for key, value in place.items()}}
        job = typed(self._jobs[setting.digest], told)
        overrides = self.fixed | setting.overrides | {key: _text(value) for key, value in told.items()}
        name = f"{setting.name} {mark}".strip() or "run"
        return Planned(setting, name, overrides, signature(job.config, circumstances()), job)


def _text(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def named(varied: Mapping[str, str]) -> str:
    """Values first, because the UI shows about 14 characters: options alone, keys by their last word.

    Example:
        >>> named({"model": "mlp", "optimizer.lr": "0.1"})
        'mlp lr 0.1'
    """
    parts = [
        f"{key.rpartition('.')[2]} {value}" if "." in key or key == "seed" else value
        for key, value in varied.items()
    ]
    return " ".join(parts).replace("'", "").replace('"', "")
