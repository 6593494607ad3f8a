"""One trial of a search, as its journal has it: an Optuna journal file in a shared folder."""

from functools import cached_property
from pathlib import Path
from typing import Any

from seedbed.errors import StoreError

# The file in the study's folder that is all of a search.
JOURNAL = "search.journal"


class Trial:
    """A trial that another process has asked for.

    Args:
        path: the search's journal.
        study_name: the search's name in it.
        number: the trial's.

    Raises:
        StoreError: on first use, where the journal lacks the search or the trial.
    """

    def __init__(self, path: Path, study_name: str, number: int) -> None:
        self._path, self._study_name, self._number = path, study_name, number

    @cached_property
    def study(self) -> Any:
        """Optuna's study."""
        import optuna

        try:
            return optuna.load_study(study_name=self._study_name, storage=self._storage)
        except KeyError as error:
            raise self._missing(f"none of the name {self._study_name}") from error

    @property
    def now(self) -> Any:
        """Optuna's frozen trial, with all that any process has written so far."""
        return self._storage.get_trial(self._id)

    def note(self, name: str, value: float | int) -> None:
        """Sets a user attribute, unless it has this value."""
        if self.now.user_attrs.get(name) != value:
            self._storage.set_trial_user_attr(self._id, name, value)

    def report(self, step: int, value: float) -> None:
        """Sets an intermediate value, unless it is the one."""
        if self.now.intermediate_values.get(step) != value:
            self._storage.set_trial_intermediate_value(self._id, step, value)

    @cached_property
    def _storage(self) -> Any:
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        if not self._path.is_file():  # the backend would make an empty one
            raise self._missing("no such file")
        lock = JournalFileOpenLock(str(self._path))
        return JournalStorage(JournalFileBackend(str(self._path), lock_obj=lock))

    @cached_property
    def _id(self) -> int:
        study_id = self._storage.get_study_id_from_name(self.study.study_name)
        try:
            found = self._storage.get_trial_id_from_study_id_trial_number(study_id, self._number)
            return int(found)
        except KeyError as error:
            raise self._missing(f"no trial {self._number} in {self._study_name}") from error

    def _missing(self, got: str) -> StoreError:
        return StoreError(
            f"search {self._path}",
            expected="the journal of a search that is on",
            got=got,
            do="Start the study again.",
        )
