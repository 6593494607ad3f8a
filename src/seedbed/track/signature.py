"""The identity of a configuration: a digest of what can move a result."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

# 64 bits: two of a million different configurations share a signature with probability 3e-8.
NUM_DIGITS = 16
# Above this a float no longer holds every integer.
EXACT = 2**53


def signature(config: Mapping[str, Any], leave_out: Collection[str]) -> str:
    """The first 16 hex digits of the SHA-256 of the config's canonical JSON.

    The order of keys does not matter, 1 and 1.0 are the same number, true and 1 are not the same
    value, and any other float counts with all its digits.

    Args:
        config: the resolved config, plain values and nested mappings.
        leave_out: dotted keys that do not count; a key stands for everything below it.

    Raises:
        TypeError: for a value that JSON cannot hold.

    Example:
        >>> one = signature({"seed": 0, "model": {"width": 2, "lr": 0.1}}, leave_out=["seed"])
        >>> one == signature({"model": {"lr": 0.1, "width": 2.0}, "seed": 1}, leave_out=["seed"])
        True
    """
    kept = _kept(config, frozenset(leave_out), "")
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:NUM_DIGITS]


def _kept(config: Mapping[str, Any], leave_out: frozenset[str], path: str) -> dict[str, Any]:
    """The config without what is left out, and without groups that this leaves empty."""
    kept: dict[str, Any] = {}
    for name, value in config.items():
        dotted = f"{path}.{name}" if path else str(name)
        if dotted in leave_out:
            continue
        inner = _kept(value, leave_out, dotted) if isinstance(value, Mapping) else _canonical(value)
        if inner or not isinstance(value, Mapping):
            kept[str(name)] = inner
    return kept


def _canonical(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _canonical(item) for name, item in value.items()}
    return value
