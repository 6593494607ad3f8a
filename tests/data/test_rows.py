import hashlib
import json

import numpy as np
import pytest
import torch

from seedbed.data.rows import Images, Rows, Table, chunk_size

# Sums of a few thousand float64 numbers in two orders.
ROUNDING = 1e-13


@pytest.fixture
def pixels() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (50, 3, 6, 5), generator=generator, dtype=torch.uint8)


@pytest.fixture
def table() -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.randn(40, 3, generator=generator, dtype=torch.float64) * 50 + 1000


def test_channel_statistics_are_numpys_over_the_chosen_images(pixels: torch.Tensor) -> None:
    chosen = torch.tensor([4, 9, 33])
    mean, sd = Images(pixels).mean_and_sd(chosen)
    expected = pixels[chosen].numpy().astype(np.float64)
    assert mean.shape == sd.shape == (3, 1, 1)
    np.testing.assert_allclose(mean.flatten(), expected.mean((0, 2, 3)), rtol=ROUNDING)
    np.testing.assert_allclose(sd.flatten(), expected.std((0, 2, 3)), rtol=ROUNDING)


def test_channel_statistics_do_not_depend_on_the_order_of_the_images(pixels: torch.Tensor) -> None:
    order = torch.randperm(50, generator=torch.Generator().manual_seed(0))
    straight, shuffled = (Images(pixels).mean_and_sd(indices) for indices in (torch.arange(50), order))
    assert all(torch.equal(one, other) for one, other in zip(straight, shuffled, strict=True))


def test_column_statistics_are_numpys_over_the_chosen_rows(table: torch.Tensor) -> None:
    chosen = torch.arange(5, 25)
    mean, sd = Table(table).mean_and_sd(chosen)
    np.testing.assert_allclose(mean, table[chosen].numpy().mean(0), rtol=ROUNDING)
    np.testing.assert_allclose(sd, table[chosen].numpy().std(0), rtol=ROUNDING)


def test_a_constant_column_or_channel_has_no_spread_at_all() -> None:
    assert np.std(np.full(7, 0.1)) > 0  # so rounding alone would give it one
    column = Table(torch.full((7, 1), 0.1, dtype=torch.float64)).mean_and_sd(torch.arange(7))[1]
    channel = Images(torch.full((7, 1, 3, 3), 77, dtype=torch.uint8)).mean_and_sd(torch.arange(7))[1]
    assert column.item() == channel.item() == 0


def test_the_digest_is_that_of_shape_type_and_bytes(pixels: torch.Tensor) -> None:
    header = json.dumps([50, 3, 6, 5, "torch.uint8"]).encode()
    assert Images(pixels).digest == hashlib.sha256(header + pixels.numpy().tobytes()).hexdigest()


def test_the_digest_sees_one_changed_value_and_another_shape(
    pixels: torch.Tensor, table: torch.Tensor
) -> None:
    changed, nudged = pixels.clone(), table.clone()
    changed[49, 2, 5, 4] ^= 1
    nudged[39, 2] = nudged[39, 2].nextafter(torch.tensor(torch.inf, dtype=torch.float64))
    rows: list[Rows] = [Images(pixels), Images(changed), Images(pixels.reshape(50, 3, 5, 6))]
    rows += [Table(table), Table(nudged)]
    assert len({one.digest for one in rows}) == 5


def test_rows_come_in_the_order_asked_for(pixels: torch.Tensor, table: torch.Tensor) -> None:
    chunks = [torch.tensor([3, 1]), torch.tensor([], dtype=torch.int64), torch.tensor([1, 1, 0])]
    for values, rows in ((pixels, Images(pixels)), (table, Table(table))):
        for chunk, raw in zip(chunks, rows.batches(chunks), strict=True):
            assert torch.equal(raw, values[chunk])


@pytest.mark.parametrize(("shape", "size"), [((1,), 4096), ((3, 32, 32), 1365), ((3, 4000, 4000), 1)])
def test_a_chunk_stays_within_four_mebi_values_and_never_empty(shape: tuple[int, ...], size: int) -> None:
    assert chunk_size(shape) == size
