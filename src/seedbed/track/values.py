"""How a value becomes text that the store holds whole.

MLflow cuts what is too long without a word. Here the text moves to an artifact instead, and what
stays behind says so.
"""

from collections.abc import Mapping
from typing import Any

Value = str | int | float | bool | list[Any] | None

# mlflow.utils.validation, version 3.17.
PARAM_LIMIT, TAG_LIMIT = 6000, 8000
NUM_SHOWN = 100


def as_text(value: Value) -> str:
    """The value as one would type it on Hydra's command line.

    Example:
        >>> [as_text(value) for value in (None, True, 0.1, 3, "relu", [16, 32])]
        ['null', 'true', '0.1', '3', 'relu', '[16, 32]']
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def fitted(texts: Mapping[str, str], limit: int, folder: str) -> tuple[dict[str, str], dict[str, str]]:
    """Texts of at most `limit` characters, and whole texts under artifact paths for the others.

    Example:
        >>> fitted({"short": "ab", "long": "abcdef"}, limit=3, folder="params")[0]["long"]
        'abcdef ... (6 characters, whole in params/long.txt)'
    """
    whole = {f"{folder}/{name}.txt": text for name, text in texts.items() if len(text) > limit}
    short = {
        name: text if len(text) <= limit else _pointer(text, f"{folder}/{name}.txt")
        for name, text in texts.items()
    }
    return short, whole


def _pointer(text: str, path: str) -> str:
    return f"{text[:NUM_SHOWN]} ... ({len(text)} characters, whole in {path})"
