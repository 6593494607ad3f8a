import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits

from seedbed.errors import ConfigError
from seedbed.shapes import Facts
from seedbed.streams import spawn
from tests.data.tiny import STREAMS, breast_cancer, chd, digits, moons

# The sample's population standard deviation as published, to its last printed place.
CHD_SD, PRINTED = 15.597438, 5e-7


def test_the_digits_test_split_is_the_end_of_the_file() -> None:
    file = load_digits()
    data = digits(test_fraction=0.25, standardize=False)
    data.setup(STREAMS, dtype=torch.float64)
    loader = data.test_dataloader()
    assert loader is not None
    (batch,) = loader
    assert batch.indices.tolist() == list(range(1348, 1797))
    assert batch.labels.tolist() == file.target[1348:].tolist()
    assert torch.equal(batch.inputs[:, 0], torch.from_numpy(file.images[1348:] / 16))


def test_digits_are_grey_images_of_ten_classes() -> None:
    data = digits()
    data.setup(STREAMS)
    assert data.facts.input_shape == (1, 8, 8)
    assert data.facts.class_names == tuple("0123456789")
    assert data.source == "scikit-learn load_digits"


def test_breast_cancer_is_scikit_learns_table() -> None:
    file = load_breast_cancer()
    data = breast_cancer(batch_size=None, val_fraction=0.0, test_fraction=0.0, standardize=False)
    data.setup(STREAMS, dtype=torch.float64)
    (batch,) = data.train_dataloader()
    assert torch.equal(batch.inputs, torch.from_numpy(file.data)[batch.indices])
    assert torch.equal(batch.labels, torch.from_numpy(file.target)[batch.indices])
    assert data.facts == Facts((30,), 2, ("malignant", "benign"))


def test_the_test_cut_of_a_table_is_the_same_for_every_seed_and_stratified() -> None:
    cuts = []
    for seed in (0, 1, 2):
        data = breast_cancer()
        data.setup(spawn(seed))
        (test,) = [split for split in data.identity() if split.split == "test"]
        cuts.append(test)
    assert cuts[0] == cuts[1] == cuts[2]
    assert cuts[0].class_counts == (42, 72)  # 212 and 357 in all; a fifth is 42.4 and 71.4


def test_the_chd_table_is_the_lectures() -> None:
    data = chd()
    data.setup(STREAMS, dtype=torch.float64)
    (batch,) = data.train_dataloader()
    raw = data.raw_examples(33).flatten()
    assert raw[[0, 9, 32]].tolist() == [22, 35, 81]
    assert raw.sum().item() == 1556
    assert raw[batch.indices][batch.labels == 1].sum().item() == 822
    assert data.preprocessing.sd.item() == pytest.approx(CHD_SD, abs=PRINTED)
    assert data.identity()[0].class_counts == (19, 14)
    assert data.val_dataloader() is data.test_dataloader() is None


def points(noise: float, seed: int = 0) -> torch.Tensor:
    """All of them, in file order."""
    data = moons(noise=noise, val_fraction=0.0, test_fraction=0.0)
    data.setup(spawn(seed), dtype=torch.float64)
    return data.raw_examples(1000)


def test_moons_without_noise_lie_on_their_two_half_circles() -> None:
    plain, ones = points(0.0), torch.ones(500, dtype=torch.float64)
    upper, lower = plain[:500], plain[500:] - torch.tensor([1.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close(upper.norm(dim=1), ones)
    torch.testing.assert_close(lower.norm(dim=1), ones)
    assert upper[:, 1].min() > -1e-12
    assert lower[:, 1].max() < 1e-12


def test_the_noise_of_moons_is_normal_and_the_same_in_every_run() -> None:
    noise = points(0.2) - points(0.0)
    assert noise.std().item() == pytest.approx(0.2, rel=0.05)  # 2,000 draws: a standard error of 1.6 %
    assert torch.equal(points(0.2, seed=1), points(0.2))
    torch.testing.assert_close(points(0.3) - points(0.0), 1.5 * noise)


@pytest.mark.parametrize("noise", [-0.1, float("inf"), float("nan")])
def test_noise_outside_its_range_is_refused(noise: float) -> None:
    with pytest.raises(ConfigError) as caught:
        moons(noise=noise)
    assert str(caught.value) == (
        f"data.noise: expected a finite number, 0 or more, got {noise:g}."
        " 0 draws two thin arcs; at 0.3 they overlap."
    )


@pytest.mark.parametrize("make", [digits, breast_cancer, chd, moons])
def test_a_test_fraction_outside_its_range_is_refused(make: type) -> None:
    with pytest.raises(
        ConfigError, match=r"^data.test_fraction: expected a number from 0 to below 1, got 1\."
    ):
        make(test_fraction=1.0)
