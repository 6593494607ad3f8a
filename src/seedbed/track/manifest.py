"""What a finished run's record consists of, to the last bit: `manifest.json`, the last of its artifacts.

It catches damage and edits. Who also rewrites the manifest and the tag with its digest is not caught:
nothing here is signed.
"""

import hashlib
import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.track.entries import Point
from seedbed.track.kept import kept

if TYPE_CHECKING:
    from seedbed.track.record import Record

MANIFEST = "manifest.json"
# Holds the manifest's own digest, so that the file and the database vouch for each other.
TAG = "seedbed.manifest"
# Sampled until the very end, and no result.
SYSTEM = "system/"


def seal(record: "Record", folder: str = "") -> None:
    """Writes digest and size of every artifact, and a digest of every metric's points.

    Args:
        record: of a run that adds nothing more.
        folder: the one artifact folder that is new, of a run that has a manifest: nothing else is
            looked at, or what was changed since would pass for what was made. Empty: all.
    """
    own = record.kept()
    if own is not None and not folder:  # what was kept, whatever the store has of it by now
        new = {path: told for path, told in own.items() if path != MANIFEST}
        manifest: dict[str, Any] | None = {"files": new, "metrics": digests(record.points())}
    else:
        manifest = _of_store(record, folder)
    if manifest is None:
        return
    text = json.dumps(manifest, indent=2) + "\n"
    record.log_text(text, MANIFEST)
    record.set_tags({TAG: hashlib.sha256(text.encode()).hexdigest()})


def _of_store(record: "Record", folder: str) -> dict[str, Any] | None:
    """The manifest of what the store has; None for a record of before there were manifests."""
    with kept(record.store, record.run_id) as files:
        earlier = json.loads(files[MANIFEST].read_bytes()) if folder and MANIFEST in files else None
        if folder and earlier is None:
            return None
        new = {path: described(file) for path, file in files.items() if path != MANIFEST}
    if earlier is None:
        return {"files": new, "metrics": digests(record.points())}
    others = {path: told for path, told in earlier["files"].items() if not _in(path, folder)}
    added = {path: told for path, told in new.items() if _in(path, folder)}
    return {**earlier, "files": dict(sorted((others | added).items()))}


def _in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def described(file: Path) -> dict[str, Any]:
    """Digest and size of a file."""
    return {"sha256": digest(file), "bytes": file.stat().st_size}


def digest(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def digests(points: Iterable[Point]) -> dict[str, str]:
    """SHA-256 of every metric's points with their times, in whatever order; without system metrics."""
    lines: dict[str, list[str]] = {}
    for point in points:
        if not point.name.startswith(SYSTEM):
            value = as_stored(point.value).hex()
            lines.setdefault(point.name, []).append(f"{point.step} {point.time} {value}\n")
    return {name: _digest_of(sorted(told)) for name, told in sorted(lines.items())}


def _digest_of(lines: Iterable[str]) -> str:
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def as_stored(value: float) -> float:
    """The value as MLflow's database hands it back: no infinities, no negative zero.

    Example:
        >>> as_stored(float("-inf")) == -sys.float_info.max, as_stored(-0.0).hex()
        (True, '0x0.0p+0')
    """
    if math.isinf(value):
        return math.copysign(sys.float_info.max, value)
    return value + 0.0


def foreign(files: Mapping[str, Path], manifest: Mapping[str, Any]) -> list[str]:
    """What is not as the manifest says: a line for each file that is missing, changed or not in it.

    Args:
        files: of the run, by path.
        manifest: as `seal` wrote it.
    """
    wrong = [f"{path}: expected the file, got none" for path in manifest["files"] if path not in files]
    for path, file in files.items():
        told = manifest["files"].get(path)
        if told is None and path != MANIFEST:
            wrong.append(f"{path}: expected no such file, got one that the manifest does not know")
        elif told is not None:
            wrong += _differing(path, told, described(file))
    return wrong


def _differing(path: str, told: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    if told["bytes"] != found["bytes"]:
        return [f"{path}: expected {told['bytes']} bytes, got {found['bytes']}"]
    if told["sha256"] != found["sha256"]:
        return [f"{path}: expected sha256 {told['sha256'][:16]}..., got {found['sha256'][:16]}..."]
    return []
