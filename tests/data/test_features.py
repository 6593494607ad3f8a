from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer

from seedbed.data import source
from seedbed.errors import ConfigError
from tests.data.tiny import STREAMS, breast_cancer, chd, digits, image_folder, write_folder


def test_the_network_sees_the_map_of_the_standardised_inputs() -> None:
    plain, data = chd(), chd()
    plain.setup(STREAMS, dtype=torch.float64)
    data.setup(STREAMS, dtype=torch.float64, features=PolynomialFeatures(degree=3, include_bias=False))
    assert data.facts.input_shape == (3,)
    (inputs,), (features,) = plain.train_dataloader(), data.train_dataloader()
    age = inputs.inputs
    assert torch.equal(inputs.indices, features.indices)
    # NumPy raises to a power by another route than repeated products.
    torch.testing.assert_close(features.inputs, torch.cat([age, age**2, age**3], dim=1), rtol=1e-14, atol=0)


def test_the_map_learns_from_the_training_split_alone() -> None:
    data = breast_cancer()
    data.setup(STREAMS, dtype=torch.float64, features=SplineTransformer(n_knots=4, knots="quantile"))
    raw = data.raw_examples(10_000)
    inputs = data.preprocessing(raw).numpy()
    alone = SplineTransformer(n_knots=4, knots="quantile").fit(inputs)
    val_loader, fitted = data.val_dataloader(), data.feature_map
    assert val_loader is not None
    assert isinstance(fitted, SplineTransformer)
    for one, other in zip(fitted.bsplines_, alone.bsplines_, strict=True):
        assert np.array_equal(one.t, other.t)
    (batch,) = val_loader
    assert batch.inputs.shape[1:] == data.facts.input_shape == (30 * 6,)


def test_features_are_kept_in_the_type_asked_for_and_preprocessing_stays_with_the_raw_inputs() -> None:
    data = digits()
    data.setup(STREAMS, dtype=torch.float32, features=PolynomialFeatures(degree=1, include_bias=False))
    batch = next(iter(data.train_dataloader()))
    assert batch.inputs.dtype == torch.float32
    assert data.facts.input_shape == (64,)
    assert data.preprocessing(data.raw_examples(5)).shape == (5, 1, 8, 8)


@pytest.mark.parametrize("changes", [{"flip": True}, {"crop_padding": 1}])
def test_augmentation_before_a_map_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        digits(**changes).setup(STREAMS, features=PolynomialFeatures())
    assert str(caught.value) == (
        "features: expected no augmentation, because the map sees every image once, before training, "
        "got data.crop_padding above 0 or data.flip=true. "
        "Set data.crop_padding=0 data.flip=false, or features=null."
    )


def test_a_map_of_streamed_images_is_refused(tmp_path: Path) -> None:
    data = image_folder(write_folder(tmp_path / "photos"), memory_limit_gib=0.0)
    with pytest.raises(ConfigError) as caught:
        data.setup(STREAMS, features=PolynomialFeatures())
    assert str(caught.value) == (
        "features: expected data held in memory, got images that are streamed from their files. "
        "Raise data.memory_limit_gib, lower data.image_size or set features=null."
    )


class Exploding(PolynomialFeatures):  # type: ignore[misc]
    def transform(self, X: Any) -> Any:  # noqa: N803
        return np.empty((len(X), 2**40))  # more than any machine can address


def test_features_beyond_memory_are_refused() -> None:
    source.forget()
    with pytest.raises(ConfigError) as caught:
        digits().setup(STREAMS, features=Exploding(degree=1))
    assert str(caught.value).startswith(
        "features: expected features that fit in memory, got Unable to allocate"
    )
    assert str(caught.value).endswith(
        "(from 64 inputs of 1797 examples). Choose a lower degree or fewer components."
    )
