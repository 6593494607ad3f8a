import numpy as np
import pytest
import torch

from seedbed.data.preprocessing import Preprocessing, fitted
from seedbed.data.rows import Images, Table
from seedbed.data.source import Part, whole

# Mean and spread of thousands of float64 numbers, summed twice.
ROUNDING = 1e-12


@pytest.fixture
def train() -> Part:
    generator = torch.Generator().manual_seed(5)
    pixels = torch.randint(0, 256, (60, 3, 4, 4), generator=generator, dtype=torch.uint8)
    part = whole(Images(pixels), torch.zeros(60, dtype=torch.int64))
    return part._replace(indices=torch.arange(0, 60, 2))


def raw(part: Part) -> torch.Tensor:
    (values,) = part.rows.batches([part.indices])
    return values


def test_standardised_training_inputs_have_mean_0_and_sd_1_a_channel(train: Part) -> None:
    inputs = fitted(train, full_scale=255.0, standardize=True)(raw(train)).numpy()
    np.testing.assert_allclose(inputs.mean((0, 2, 3)), 0, atol=ROUNDING)
    np.testing.assert_allclose(inputs.std((0, 2, 3)), 1, rtol=ROUNDING)


def test_examples_outside_the_training_split_do_not_move_the_statistics(train: Part) -> None:
    pixels = raw(train._replace(indices=torch.arange(60)))
    pixels[1::2] = 255
    changed = fitted(train._replace(rows=Images(pixels)), full_scale=255.0, standardize=True)
    unchanged = fitted(train, full_scale=255.0, standardize=True)
    assert torch.equal(changed.mean, unchanged.mean)
    assert torch.equal(changed.sd, unchanged.sd)


def test_float64_inputs_are_numpys_to_the_last_bit(train: Part) -> None:
    preprocessing = fitted(train, full_scale=255.0, standardize=True)
    pixels, mean, sd = raw(train).numpy().astype(np.float64), preprocessing.mean, preprocessing.sd
    expected = (pixels / 255.0 - mean.numpy()) / sd.numpy()
    assert preprocessing(raw(train)).dtype == torch.float64
    assert np.array_equal(preprocessing(raw(train)).numpy(), expected)


def test_without_standardising_pixels_are_divided_by_full_scale_alone(train: Part) -> None:
    preprocessing = fitted(train, full_scale=16.0, standardize=False).to(torch.float32)
    assert torch.equal(preprocessing(raw(train)), raw(train).to(torch.float32) / 16)


@pytest.mark.parametrize("standardize", [True, False])
def test_centred_inputs_have_mean_0_at_each_pixel_and_are_otherwise_as_they_were(
    train: Part, standardize: bool
) -> None:
    plain = fitted(train, full_scale=255.0, standardize=standardize)(raw(train)).numpy()
    inputs = fitted(train, full_scale=255.0, standardize=standardize, centred=True)(raw(train)).numpy()
    np.testing.assert_allclose(inputs, plain - plain.mean(0), atol=ROUNDING)


def test_raw_doubles_are_rounded_only_at_the_end() -> None:
    # 2^24 + 1 is no float32: taken through one, it would come out as 0.
    preprocessing = Preprocessing(torch.ones(1), torch.tensor([2.0**24]), torch.ones(1))
    inputs = preprocessing(torch.tensor([[2.0**24 + 1]], dtype=torch.float64))
    assert inputs.dtype == torch.float32
    assert inputs.item() == 1


def test_a_constant_column_is_centred_and_not_divided() -> None:
    values = torch.tensor([[0.1, 1.0], [0.1, 3.0]], dtype=torch.float64)
    preprocessing = fitted(whole(Table(values), torch.tensor([0, 1])), full_scale=1.0, standardize=True)
    assert preprocessing(values).tolist() == [[0.0, -1.0], [0.0, 1.0]]


@pytest.mark.parametrize("standardize", [True, False])
def test_its_state_rebuilds_it(train: Part, standardize: bool) -> None:
    original = fitted(train, full_scale=255.0, standardize=standardize)
    rebuilt = Preprocessing(**original.state_dict())
    assert torch.equal(rebuilt(raw(train)), original(raw(train)))
