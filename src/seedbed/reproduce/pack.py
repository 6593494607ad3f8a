"""A run or a study as one file from which it can be verified and re-run elsewhere.

Of the data only the digests go along, unless it is asked for: it may be large, and may not be ours to
hand on. What comes with the installed packages, such as the digits, is there in any case.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from seedbed.assembly import data_of
from seedbed.errors import StoreError
from seedbed.job import Job
from seedbed.recording import JOB
from seedbed.reproduce import archive, code
from seedbed.track import resumption
from seedbed.track.checkout import GitError
from seedbed.track.copying import described_run
from seedbed.track.kept import kept
from seedbed.track.store import Store
from seedbed.verdict.find import is_study
from seedbed.verdict.members import Member, members

COMMIT = "mlflow.source.git.commit"
ENDED = ("FINISHED", "FAILED", "KILLED")
# Of a run's local folder: what the store does not have, or not in this order.
LOCAL = ("journal.jsonl", "search.journal")


class Packed(NamedTuple):
    """What went into an archive.

    Args:
        num_runs: runs, a study's own among them.
        num_members: files.
        without: a sentence on each thing that it could have held and does not.
    """

    num_runs: int
    num_members: int
    without: list[str]


def pack(store: Store, found: Member, out: Path, *, with_data: bool = False) -> Packed:
    """Writes a run, or a study with all of its runs, to one file; the same record gives the same bytes.

    Args:
        store: where it is.
        found: the run or the study.
        out: the file, not there yet.
        with_data: also the files that the runs read.

    Raises:
        StoreError: for a run that is not over, or a file that cannot be written.
        DataError: for data that is asked for and not at hand.
    """
    runs = [found, *members(store, found.run_id)] if is_study(found) else [found]
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        packing = _Packing(store, scratch, stack, with_data=with_data)
        for run in runs:
            packing.add(run)
        packing.add_code({run.tags.get(COMMIT, "") for run in runs})
        head = {"kind": "study" if is_study(found) else "run", "run_id": found.run_id, "name": found.name}
        archive.write(out, packing.members, head)
    return Packed(len(runs), len(packing.members), packing.without)


class _Packing:
    """An archive being put together."""

    def __init__(self, store: Store, scratch: Path, stack: ExitStack, *, with_data: bool) -> None:
        self._store, self._scratch, self._stack, self._with_data = store, scratch, stack, with_data
        self.members: dict[str, Path] = {}
        self.without: list[str] = []

    def add(self, member: Member) -> None:
        """A run: what the store knows of it, its files, its journal, its data."""
        run = self._store.client.get_run(member.run_id)
        if run.info.status not in ENDED:
            raise StoreError(
                f"run {member.name} ({member.run_id})",
                expected="one that has ended",
                got=run.info.status,
                do="Let it end, or let it go on to its end: seedbed resume.",
            )
        base, files = f"runs/{member.run_id}", self._stack.enter_context(kept(self._store, member.run_id))
        for path, file in files.items():
            self.members[f"{base}/{path}" if path.startswith("model/") else f"{base}/artifacts/{path}"] = file
        for name in LOCAL:
            file = self._store.root / "runs" / member.run_id / name
            if file.is_file():
                self.members[f"{base}/{name}"] = file
        told = described_run(self._store, run) | {"data": self._add_data(files)}
        self._add_text(f"{base}/run.json", json.dumps(told, indent=1, sort_keys=True) + "\n")
        self._add_text(f"{base}/metrics.jsonl", "".join(_metric_lines(self._store, run)))

    def add_code(self, commits: set[str]) -> None:
        """The files of each commit that a run came from."""
        for commit in sorted(commits):
            if not code.COMMIT.fullmatch(commit):
                self._leave_out("Without code: no commit is on record.")
                continue
            folder = code.repository(commit, self._store.root)
            if folder is None:
                self._leave_out(f"Without code: no repository here has commit {commit}.")
                continue
            try:
                content = code.packed(folder, commit)
            except GitError as error:
                self._leave_out(f"Without code: {error}.")
            else:
                self._add_bytes(f"code/{commit}.pack", content)

    def _add_data(self, files: Mapping[str, Path]) -> str | None:
        """The files that the run read, once for all runs that read the same; their folder."""
        if JOB not in files:
            return None
        config = Job.load(files[JOB]).config
        if not self._with_data:
            if "root" in config["data"]:
                self._leave_out("Without data, of which it has the digests; --data takes it along.")
            return None
        read = data_of(config).files()
        if not read:
            return None
        folder = f"data/{archive.name_of(read)}"
        self.members |= {f"{folder}/{path}": file for path, file in read.items()}
        return folder

    def _leave_out(self, sentence: str) -> None:
        if sentence not in self.without:
            self.without.append(sentence)

    def _add_text(self, name: str, text: str) -> None:
        self._add_bytes(name, text.encode(errors="surrogateescape"))

    def _add_bytes(self, name: str, content: bytes) -> None:
        path = self._scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.members[name] = path


def _metric_lines(store: Store, run: Any) -> Iterator[str]:
    """One line a point: name, step, time, and the value to the last bit."""
    points = sorted(resumption.points(store, run), key=lambda point: (point.name, point.step, point.time))
    for point in points:
        yield json.dumps([point.name, point.step, point.time, float(point.value).hex()]) + "\n"
