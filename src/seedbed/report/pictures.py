"""The pictures of a study, without the page around them."""

from seedbed.picture.picture import Picture
from seedbed.report import chapters
from seedbed.report.evidence import gather
from seedbed.track.store import Store


def of_study(store: Store, study_id: str, metric: str | None = None) -> tuple[list[Picture], list[str]]:
    """What a report of the study would draw, and a sentence for each figure that fails.

    Args:
        store: where the study is.
        study_id: its parent run.
        metric: what the settings are compared by; None: as `compare`.

    Raises:
        StoreError: for a run that is no study, and as `compare`.
    """
    made = chapters.compose(gather(store, study_id, metric))
    return list(made.pictures), list(made.failed)
