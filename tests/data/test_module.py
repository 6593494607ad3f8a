import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from seedbed import streams
from seedbed.data.loader import Passes
from seedbed.data.preprocessing import Preprocessing
from seedbed.errors import ConfigError
from seedbed.shapes import Batch
from tests.data.tiny import STREAMS, breast_cancer, digits, published, write_mnist


class Recorder(pl.LightningModule):
    """Learns nothing and remembers the order in which examples came."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.weight = nn.Parameter(torch.zeros(1))
        self.epochs: list[list[int]] = []

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def on_train_epoch_start(self) -> None:
        self.epochs.append([])

    def training_step(self, batches: Iterator[Batch], _: int) -> None:
        for batch in batches:
            assert isinstance(batch, Batch)
            self.epochs[-1] += batch.indices.tolist()

    def validation_step(self, batch: Batch, _: int) -> None:
        assert isinstance(batch, Batch)


# Lightning 2.6 still asks torch's trees in the old way.
@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
def test_lightning_trains_each_epoch_in_the_order_streams_order(tmp_path: Path) -> None:
    data, recorder = digits(), Recorder()
    data.setup(STREAMS)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=3,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(recorder, Passes(data.train_dataloader()), data.val_dataloader())
    members = torch.tensor(sorted(recorder.epochs[0]))
    expected = [members[streams.permutation(STREAMS.order, epoch, len(members))] for epoch in range(3)]
    assert recorder.epochs == [order.tolist() for order in expected]


def test_a_null_batch_size_takes_all_training_examples_at_once() -> None:
    data = breast_cancer(batch_size=None)
    data.setup(STREAMS)
    (batch,) = data.train_dataloader()
    assert len(batch.labels) == data.identity()[0].num_examples


def test_a_batch_size_beyond_the_training_split_is_refused() -> None:
    breast_cancer(batch_size=341).setup(STREAMS)
    with pytest.raises(
        ConfigError, match=r"^data.batch_size: expected at most the 341 examples .* got 342\."
    ):
        breast_cancer(batch_size=342).setup(STREAMS)


def test_keys_out_of_range_are_refused_before_anything_is_read() -> None:
    with pytest.raises(ConfigError, match=r"^data.val_fraction: .* got 1\."):
        digits(val_fraction=1.0)
    with pytest.raises(ConfigError, match=r"^data.batch_size: .* got 0\."):
        digits(batch_size=0)


def test_statistics_come_from_the_training_split_alone() -> None:
    data = breast_cancer()
    data.setup(STREAMS, dtype=torch.float64)
    everything = data.raw_examples(10_000)
    assert everything.shape == (341, 30)
    mean, sd = everything.mean(0), everything.std(0, correction=0)
    torch.testing.assert_close(data.preprocessing.mean, mean)
    torch.testing.assert_close(data.preprocessing.sd, sd)


def test_preprocessing_of_the_raw_examples_gives_the_loaders_inputs(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    data = published(tmp_path)
    data.setup(STREAMS, dtype=torch.float32)
    raw = data.raw_examples(1000)
    assert raw.dtype == torch.uint8
    batches = list(data.train_dataloader())
    order = torch.cat([batch.indices for batch in batches]).argsort()
    inputs = torch.cat([batch.inputs for batch in batches])[order]
    served = Preprocessing(**data.preprocessing.state_dict())
    assert torch.equal(served(raw), inputs)


def test_raw_batches_are_a_split_in_file_order_as_the_files_hold_it() -> None:
    data = digits()
    data.setup(STREAMS)
    assert data.splits == ("train", "val", "test")
    loader = data.val_dataloader()
    assert loader is not None
    (batch,) = loader
    parts = list(data.raw_batches("val", 100))
    assert [len(raw) for raw, _, _ in parts] == [100, 100, 100, 60]
    raw, labels, indices = (torch.cat(part) for part in zip(*parts, strict=True))
    assert raw.dtype == torch.uint8
    assert torch.equal(data.preprocessing(raw), batch.inputs)
    assert torch.equal(labels, batch.labels)
    assert torch.equal(indices, batch.indices)


def test_all_splits_of_one_file_share_one_tensor_in_memory() -> None:
    data = digits()
    data.setup(STREAMS)
    rows = [part.rows for part in data._held.values()]
    assert len(rows) == 3
    assert all(one is rows[0] for one in rows)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_batches_on_a_gpu_are_those_of_the_cpu() -> None:
    here, there = digits(crop_padding=1, flip=True), digits(crop_padding=1, flip=True)
    here.setup(STREAMS, dtype=torch.float64)
    there.setup(STREAMS, dtype=torch.float64, device=torch.device("cuda"))
    for one, other in itertools.zip_longest(here.train_dataloader(), there.train_dataloader()):
        assert all(part.device.type == "cuda" for part in other[:3])
        assert all(torch.equal(part, same.cpu()) for part, same in zip(one[:3], other[:3], strict=True))
