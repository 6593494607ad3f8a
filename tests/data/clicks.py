"""Click logs in the public formats, and data modules over them."""

from pathlib import Path
from typing import Any

from experiments.clicks.generate import FORMATS, write
from seedbed.data.clicks import ClickLog, GeneratedClicks
from seedbed.data.population import Rows
from tests.data.tiny import NO_FOLDS

NUM_ROWS, NUM_CATEGORIES = 500, 12
KEYS: dict[str, Any] = NO_FOLDS | {
    "batch_size": 64,
    "val_fraction": 0.2,
    "test_fraction": 0.1,
    "negative_fraction": 1.0,
    "standardize": False,
}


def write_log(path: Path, form: str = "criteo", num_rows: int = NUM_ROWS) -> Rows:
    """A small log; what is returned is the truth about it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (lot,) = write(path, FORMATS[form], num_rows, NUM_CATEGORIES)
    return lot


def click_log(path: Path, form: str = "criteo", **changes: Any) -> ClickLog:
    keys = KEYS | {
        "format": form,
        "root": str(path.parent),
        "file": path.name,
        "cache_dir": str(path.parent / "cache"),
    }
    return ClickLog(**(keys | changes))


def generated(**changes: Any) -> GeneratedClicks:
    keys = KEYS | {
        "num_rows": 1000,
        "num_fields": 4,
        "num_categories": 12,
        "zipf_exponent": 1.0,
        "base_rate": 0.2,
    }
    return GeneratedClicks(**(keys | changes))
