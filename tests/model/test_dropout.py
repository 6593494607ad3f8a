"""Masks are right on average, independent, and a function of the example's key alone."""

import math

import pytest
import torch

from seedbed.errors import ConfigError
from seedbed.model.dropout import Dropout
from seedbed.streams import example_keys

NUM_EXAMPLES, NUM_UNITS = 400, 250
# A share over 100,000 draws lies within five standard deviations but once in two million times.
STANDARD_DEVIATIONS = 5


def keys(epoch: int = 0, count: int = NUM_EXAMPLES) -> torch.Tensor:
    return example_keys(11, epoch, torch.arange(count))


def kept(probability: float, layer: int = 0, epoch: int = 0) -> torch.Tensor:
    ones = torch.ones(NUM_EXAMPLES, NUM_UNITS)
    return Dropout(probability, layer).forward(ones, keys(epoch)) != 0


def test_no_keys_means_no_dropout() -> None:
    inputs = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert Dropout(0.5, 0)(inputs, None) is inputs


def test_probability_zero_silences_nothing() -> None:
    inputs = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Dropout(0.0, 0)(inputs, keys(count=3)), inputs)


@pytest.mark.parametrize("probability", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_the_share_of_silenced_units_is_the_probability(probability: float) -> None:
    count = NUM_EXAMPLES * NUM_UNITS
    allowed = STANDARD_DEVIATIONS * math.sqrt(probability * (1 - probability) / count)
    assert (~kept(probability)).double().mean().item() == pytest.approx(probability, abs=allowed)


@pytest.mark.parametrize("axis", [0, 1])
def test_every_example_and_every_unit_has_its_fair_share(axis: int) -> None:
    shares = kept(0.5).double().mean(dim=axis)
    count = NUM_EXAMPLES if axis == 0 else NUM_UNITS
    scaled = (shares - 0.5) / math.sqrt(0.25 / count)
    assert scaled.abs().max() < STANDARD_DEVIATIONS
    # Neither too far apart nor too regular: the variance of m such shares is 1, give or take.
    assert scaled.square().mean().item() == pytest.approx(
        1.0, abs=STANDARD_DEVIATIONS * math.sqrt(2 / len(shares))
    )


@pytest.mark.parametrize("probability", [0.25, 0.5, 0.999])
def test_what_is_kept_is_scaled_to_keep_the_mean(probability: float) -> None:
    dropped = Dropout(probability, 0)(torch.full((NUM_EXAMPLES, NUM_UNITS), 3.0), keys())
    assert dropped.unique().tolist() == pytest.approx([0.0, 3.0 / (1 - probability)])


@pytest.mark.parametrize(("layer", "epoch"), [(1, 0), (2, 0), (0, 1)])
def test_layers_and_epochs_are_independent(layer: int, epoch: int) -> None:
    agreement = (kept(0.5) == kept(0.5, layer, epoch)).double().mean().item()
    allowed = STANDARD_DEVIATIONS * math.sqrt(0.25 / (NUM_EXAMPLES * NUM_UNITS))
    assert agreement == pytest.approx(0.5, abs=allowed)


def test_the_same_key_gives_the_same_mask() -> None:
    assert torch.equal(kept(0.5), kept(0.5))


def test_permuting_the_batch_permutes_the_masks() -> None:
    layer, inputs = Dropout(0.5, 3), torch.ones(NUM_EXAMPLES, 7)
    order = torch.randperm(NUM_EXAMPLES, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer(inputs, keys()[order]), layer(inputs, keys())[order])


def test_a_shard_sees_the_masks_of_the_whole_batch() -> None:
    layer, inputs = Dropout(0.5, 3), torch.ones(NUM_EXAMPLES, 7)
    assert torch.equal(layer(inputs[1::3], keys()[1::3]), layer(inputs, keys())[1::3])


def test_maps_of_any_rank_are_masked_unit_by_unit() -> None:
    flat = Dropout(0.5, 0)(torch.ones(NUM_EXAMPLES, 12), keys())
    maps = Dropout(0.5, 0)(torch.ones(NUM_EXAMPLES, 3, 2, 2), keys())
    assert torch.equal(maps.flatten(1), flat)


def test_the_gradient_passes_where_the_unit_is_kept() -> None:
    inputs = torch.ones(NUM_EXAMPLES, 7, requires_grad=True)
    dropped = Dropout(0.75, 0)(inputs, keys())
    (gradient,) = torch.autograd.grad(dropped.sum(), inputs)
    assert torch.equal(gradient, dropped.detach())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_dtype_is_kept_and_does_not_move_the_mask(dtype: torch.dtype) -> None:
    ones = torch.ones(NUM_EXAMPLES, 7)
    dropped = Dropout(0.5, 0)(ones.to(dtype), keys())
    assert dropped.dtype == dtype
    assert torch.equal(dropped != 0, Dropout(0.5, 0)(ones, keys()) != 0)


@pytest.mark.parametrize("probability", [-0.1, 1.0, 1.5, math.nan])
def test_a_probability_out_of_range_is_refused(probability: float) -> None:
    with pytest.raises(ConfigError) as refusal:
        Dropout(probability, 0)
    assert str(refusal.value) == (
        f"model.dropout: expected a probability in [0, 1), got {probability}."
        " Give the share of units to silence; 0 for none."
    )
