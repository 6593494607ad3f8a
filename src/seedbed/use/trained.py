"""A run's fitted model, as its record has it, with the run that it came from."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from seedbed.errors import StoreError
from seedbed.predictor import DESCRIPTION, Predictor
from seedbed.reproduce.check import Subject
from seedbed.terminal import counted
from seedbed.track.kept import kept
from seedbed.track.registered import NAME
from seedbed.track.store import Store
from seedbed.verdict.find import is_study, runs_of
from seedbed.verdict.members import Member, is_test

FOLDER = f"{NAME}/data"
TEMPERATURE = "calibration/temperature.json"
NUM_NAMED = 5


class Trained(NamedTuple):
    """A fitted model and the run it is of.

    Args:
        subject: the run, with its files.
        predictor: its model, on the CPU.
    """

    subject: Subject
    predictor: Predictor

    @property
    def name(self) -> str:
        """The run's."""
        return self.subject.member.name

    @property
    def run_id(self) -> str:
        """The run's."""
        return self.subject.member.run_id

    @property
    def full_scale(self) -> float:
        """The raw value that the preprocessing makes 1: the largest of an image, 1 for a table."""
        return float(self.predictor.preprocessing.scale.max())


@contextmanager
def trained(store: Store, found: Member, *, calibrated: bool = False) -> Iterator[Trained]:
    """The model of a run; files that had to be fetched from a server go afterwards.

    Args:
        store: where the run is.
        found: the run.
        calibrated: whether its logits are divided by the temperature that `calibrate` has found.

    Raises:
        StoreError: for a study, for a run without a model, and where it has no temperature yet.
    """
    _check_run(store, found)
    with kept(store, found.run_id) as files:
        if f"{FOLDER}/{DESCRIPTION}" not in files:
            raise _without_model(found)
        subject = Subject(store, found, store.client.get_run(found.run_id), files)
        model = Predictor.load(files[f"{FOLDER}/{DESCRIPTION}"].parent)
        if calibrated:
            model.temperature = _temperature(subject)
        yield Trained(subject, model)


def _temperature(subject: Subject) -> float:
    if TEMPERATURE not in subject.files:
        run = subject.member
        raise StoreError(
            f"run {run.name} ({run.run_id})",
            expected=f"the artifact {TEMPERATURE}",
            got="a run that was never calibrated",
            do=f"Type first: seedbed calibrate {run.run_id[:8]}",
        )
    return float(json.loads(subject.files[TEMPERATURE].read_text())["temperature"])


def _check_run(store: Store, found: Member) -> None:
    what = f"run {found.name} ({found.run_id})"
    if is_study(found):
        runs = runs_of(store, found)
        named = ", ".join(f"{run.name!r} ({run.run_id[:8]})" for run in runs[:NUM_NAMED])
        more = f" and {len(runs) - NUM_NAMED} more" if len(runs) > NUM_NAMED else ""
        do = f"Name one, by its id: {named}{more}." if runs else "Let it train some first."
        raise StoreError(
            what, expected="one run, with one model", got=f"a study of {counted(len(runs), 'run')}", do=do
        )
    if is_test(found):
        of = found.tags.get("mlflow.parentRunId", "")
        raise StoreError(
            what, expected="a run that trained a model", got="a test of one", do=f"Name the model's run: {of}"
        )


def _without_model(found: Member) -> StoreError:
    got, do = found.status, "Name a run that is finished."
    if found.status == "FINISHED":
        got, do = "one that keeps none", "Train it with track.log_model=true, the default."
    return StoreError(
        f"run {found.name} ({found.run_id})", expected="a finished run with a fitted model", got=got, do=do
    )
