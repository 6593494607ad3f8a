"""The same bits twice on the same machine: every model, whatever decodes its images."""

from pathlib import Path

import numpy as np
import pytest
import torch

from seedbed.assembly import assemble
from seedbed.seat import Seat
from tests.conftest import MakeJob
from tests.data.tiny import write_folder
from tests.every_model import NAMES, job_of
from tests.ranked import Fit, fit


def check_same(one: Fit, other: Fit) -> None:
    for name, value in one.weights.items():
        np.testing.assert_array_equal(other.weights[name], value, err_msg=name)
    np.testing.assert_array_equal(other.confusion, one.confusion)
    assert (other.epochs, other.test) == (one.epochs, one.test)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_trained_twice_has_the_same_bits(
    make_job: MakeJob, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedbed.model.alexnet.HIDDEN_FEATURES", 32)  # 4096 would take a minute
    job = job_of(make_job, name, tmp_path, "trainer.accelerator=cpu")
    fitted = []
    for place in range(2):
        torch.manual_seed(place)  # what the global generator gives must not matter
        fitted.append(fit(Seat(), job, tmp_path / str(place)))
    assert torch.are_deterministic_algorithms_enabled()
    first = assemble(job.config).classifier.network.state_dict()
    assert any(not np.array_equal(first[key].numpy(), value) for key, value in fitted[0].weights.items())
    check_same(*fitted)


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_the_number_of_processes_that_decode_moves_no_bit(make_job: MakeJob, tmp_path: Path) -> None:
    photos = write_folder(tmp_path / "photos")
    keys = (
        *("data=image_folder", f"data.root={photos}", f"data.cache_dir={tmp_path / 'cache'}"),
        *("data.image_size=8", "data.batch_size=11", "model=cnn", "model.dropout=0.3"),
        *("trainer.max_epochs=2", "trainer.accelerator=cpu", "trainer.progress_bar=false"),
    )
    held = fit(Seat(), make_job(*keys, "data.num_workers=0"), tmp_path / "held")
    for count in range(3):
        streamed = make_job(*keys, "data.memory_limit_gib=0", f"data.num_workers={count}")
        check_same(held, fit(Seat(), streamed, tmp_path / str(count)))
