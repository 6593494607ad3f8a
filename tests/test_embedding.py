"""What is kept of the units before the last layer: reference, and what does not change by it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from seedbed.assembly import assemble
from seedbed.embedding import (
    MOST_COMPONENTS,
    MOST_EXAMPLES,
    embedded,
    penultimate,
    principal_components,
)
from seedbed.model.cnn import Cnn
from seedbed.model.resnet9 import Resnet9
from seedbed.track.kept import kept
from seedbed.track.store import Store
from seedbed.train import run
from tests.conftest import MakeJob

# Of the largest score: the decomposition squares the rows, and so halves the digits.
TOLERANCE = 1e-6
SHORT = ("data=digits", "trainer.max_epochs=1", "trainer.progress_bar=false")


@pytest.mark.parametrize("shape", [(60, 7), (60, 59), (60, 60), (60, 61), (7, 200), (2, 3)])
def test_components_are_scikit_learn_s(shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(0).normal(size=shape) @ np.diag(np.linspace(3, 1, shape[1])) + 5
    num = min(shape[0] - 1, shape[1], 6)
    reference = PCA(num, svd_solver="full").fit(rows)
    found = principal_components(rows, num)
    np.testing.assert_allclose(found.shares, reference.explained_variance_ratio_, atol=TOLERANCE)
    wanted = reference.transform(rows)
    signs = np.sign((found.scores * wanted).sum(axis=0))
    np.testing.assert_allclose(found.scores * signs, wanted, atol=TOLERANCE * np.abs(wanted).max())
    np.testing.assert_array_equal(signs, 1)  # both make the largest entry of a direction positive


@pytest.mark.parametrize("rows", [np.ones((1, 4)), np.full((5, 3), 2.0), np.full((3, 5), 2.0)])
def test_rows_that_do_not_vary_have_no_share(rows: np.ndarray) -> None:
    found = principal_components(rows)
    np.testing.assert_array_equal(found.scores, 0)
    np.testing.assert_array_equal(found.shares, 0)
    assert found.scores.shape == (len(rows), min(rows.shape))


def test_the_last_layer_makes_the_logits_of_the_units_that_are_kept() -> None:
    torch.manual_seed(0)
    network = Cnn(input_shape=(1, 8, 8), num_classes=3, channels=[2], hidden_features=5, dropout=0.5)
    inputs = torch.rand(4, 1, 8, 8)
    units, logits = penultimate(network.train(), inputs)
    assert units.shape == (4, 5)
    torch.testing.assert_close(network.output(units), logits)
    torch.testing.assert_close(network.eval()(inputs), logits)
    assert not network.output._forward_pre_hooks


def test_a_look_leaves_batch_statistics_and_mode_alone() -> None:
    network = Resnet9(input_shape=(3, 16, 16), num_classes=3, width=2, whitening=False).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    penultimate(network, torch.rand(4, 3, 16, 16))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(("tested", "split", "size"), [(True, "test", 359), (False, "val", 144)])
def test_a_run_keeps_the_embedding_of_what_it_was_held_to(
    make_job: MakeJob, tested: bool, split: str, size: int
) -> None:
    job = make_job(*SHORT, "model=mlp", f"evaluate_test={str(tested).lower()}", "data.val_fraction=0.1")
    run_id = run(job).run_id
    with kept(Store.open(Path(job.config["track"]["root"])), run_id) as files:
        assert [name for name in files if name.endswith("embedding.npz")] == [f"{split}/embedding.npz"]
        with np.load(files[f"{split}/embedding.npz"]) as found:
            assert found["components"].shape == (size, MOST_COMPONENTS)
            assert found["components"].dtype == np.float32
            assert (np.diff(found["shares"]) <= 0).all()
            assert 0.9 < found["shares"].sum() <= 1
            assert (int(found["num_examples"]), int(found["num_units"])) == (size, 128)
            assert len(np.unique(found["indices"])) == len(found["labels"]) == size
            if tested:
                with np.load(files["test/predictions.npz"]) as predictions:
                    np.testing.assert_array_equal(predictions["indices"], found["indices"])
                    np.testing.assert_array_equal(predictions["labels"], found["labels"])
                    np.testing.assert_array_equal(predictions["logits"].argmax(axis=1), found["predictions"])


@pytest.mark.parametrize("keys", [("model=softmax",), ("model=mlp", "data.val_fraction=0")])
def test_nothing_is_kept_of_a_linear_model_or_where_nothing_was_held_out(
    make_job: MakeJob, keys: tuple[str, ...]
) -> None:
    assert embedded(assemble(make_job(*SHORT, *keys).config), "val") is None


def test_units_that_are_no_numbers_are_not_kept_and_end_no_run(make_job: MakeJob) -> None:
    assembly = assemble(make_job(*SHORT, "model=mlp").config)
    with torch.no_grad():
        next(assembly.classifier.network.parameters()).fill_(float("inf"))
    assert embedded(assembly, "val") is None


def test_examples_are_spread_over_the_split(make_job: MakeJob) -> None:
    data = assemble(make_job(*SHORT, "data.val_fraction=0.1").config).data
    loader = data.val_dataloader()
    assert loader is not None
    (whole,) = list(loader)
    for most in (1, 100, 143, 144, 145, MOST_EXAMPLES):
        batches, count = list(data.spread("val", most)), min(most, 144)
        places = [place * 144 // count for place in range(count)]
        assert torch.equal(torch.cat([batch.indices for batch in batches]), whole.indices[places])
        assert torch.equal(torch.cat([batch.inputs for batch in batches]), whole.inputs[places])
        assert torch.equal(torch.cat([batch.labels for batch in batches]), whole.labels[places])
    assert data.num_examples("val") == 144
    assert data.num_examples("nowhere") == 0
