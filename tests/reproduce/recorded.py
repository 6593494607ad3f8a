"""A finished run in a store of its own that a test may damage: a copy of one that was trained once."""

import shutil
import sqlite3
from pathlib import Path

from mlflow.tracking._tracking_service import utils

from seedbed.reproduce.check import Check
from seedbed.reproduce.verify import verify
from seedbed.track.store import Store
from seedbed.verdict.find import find

ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
)


class Recorded:
    """A run, or a study.

    Args:
        root: folder of the store.
        run_id: MLflow's.
    """

    def __init__(self, root: Path, run_id: str) -> None:
        self.root, self.run_id = root, run_id
        self.store = Store.open(root)

    def copied(self, root: Path) -> "Recorded":
        """The same in another folder, to which the database points."""
        shutil.copytree(self.root, root)
        with sqlite3.connect(root / "mlflow.db") as connection:
            for table, column in ADDRESSES:
                replaced = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"  # noqa: S608
                connection.execute(replaced, (self.root.as_uri(), root.as_uri()))
        connection.close()
        utils._artifact_repos_cache.clear()  # MLflow remembers by run id alone where artifacts are
        return Recorded(root, self.run_id)

    def artifact(self, path: str) -> Path:
        (found,) = self.root.glob(f"artifacts/*/{self.run_id}/artifacts/{path}")
        return found

    def execute(self, statement: str, *values: object) -> int:
        """Changes the database behind everybody's back; how many rows."""
        with sqlite3.connect(self.root / "mlflow.db") as connection:
            count = connection.execute(statement, values).rowcount
        connection.close()
        return count

    def checks(self) -> dict[str, Check]:
        """What is found in the run; of a study, in itself."""
        *_, looked = verify(self.store, find(self.store, self.run_id))
        return {check.what: check for check in looked.checks}

    def wrong(self) -> dict[str, str]:
        return {what: check.told for what, check in self.checks().items() if check.state == "wrong"}
