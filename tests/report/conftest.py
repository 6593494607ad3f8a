"""A record that the tests of one module share."""

from collections.abc import Iterator

import pytest

from seedbed.track.store import Store


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        yield Store.open(tmp_path_factory.mktemp("record") / "mlruns")
