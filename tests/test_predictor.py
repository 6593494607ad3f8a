"""A fitted model in use gives the probabilities of the network it came from, from plain files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.kernel_approximation import Nystroem
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer
from torch import Tensor

from seedbed import predictor
from seedbed.data.preprocessing import Preprocessing
from seedbed.errors import DataError, StoreError
from seedbed.model.cnn import Cnn
from seedbed.model.linear import Logistic, OneVsRest, Softmax
from seedbed.model.mlp import Mlp
from seedbed.model.resnet9 import Resnet9
from seedbed.predictor import Predictor, Served
from seedbed.shapes import Facts

NAMES = ("cat", "dog", "owl")
IMAGE = (1, 8, 8)
COLUMNS = (4,)
# The map sees float64, the network float32: two roundings of numbers around 1.
MAPPED = 1e-6

NETWORKS: dict[str, tuple[type[Any], tuple[int, ...], tuple[str, ...], dict[str, Any]]] = {
    "logistic": (Logistic, COLUMNS, NAMES[:2], {}),
    "softmax": (Softmax, IMAGE, NAMES, {}),
    "one_vs_rest": (OneVsRest, IMAGE, NAMES, {}),
    "mlp": (Mlp, COLUMNS, NAMES, {"hidden_features": [5], "activation": "tanh", "dropout": 0.5}),
    "resnet9": (Resnet9, (3, 32, 32), NAMES, {"width": 2, "whitening": True}),
    "cnn": (Cnn, IMAGE, NAMES, {"channels": [4, 6], "hidden_features": 7, "dropout": 0.5}),
}


def raw_inputs(shape: tuple[int, ...], num: int = 7) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    if len(shape) == 3:
        return torch.randint(0, 256, (num, *shape), generator=generator, dtype=torch.uint8)
    return torch.randn(num, *shape, generator=generator, dtype=torch.float64)


def preprocessing(dtype: torch.dtype = torch.float32) -> Preprocessing:
    return Preprocessing(*(torch.tensor([value], dtype=dtype) for value in (16.0, 0.5, 0.25)))


def written(
    folder: Path,
    kind: str,
    dtype: torch.dtype = torch.float32,
    layout: torch.memory_format = torch.channels_last,
    **changes: Any,
) -> Any:
    """A network with its first weights, and its folder."""
    cls, shape, names, keys = NETWORKS[kind]
    network = cls(input_shape=shape, num_classes=len(names), **keys).to(dtype).to(memory_format=layout).eval()
    given: dict[str, Any] = {
        "network_config": {"_target_": f"{cls.__module__}.{cls.__qualname__}", **keys},
        "facts": Facts(shape, len(names), names),
        "state": network.state_dict(),
        "preprocessing": preprocessing(dtype),
        "feature_map": None,
        "dtype": "32-true",
        "example": raw_inputs(shape),
    }
    predictor.save(folder, **{**given, **changes})
    return network


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", NETWORKS)
def test_raw_inputs_give_the_networks_own_probabilities(
    tmp_path: Path, kind: str, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    network = written(tmp_path, kind, dtype, layout)
    raw = raw_inputs(NETWORKS[kind][1])
    with torch.no_grad():
        logits = network(preprocessing(dtype)(raw))
        expected = network.likelihood.log_probabilities(logits).exp()
    given = Predictor.load(tmp_path)(raw)
    assert given.dtype == dtype
    assert torch.equal(given, expected)


@pytest.mark.parametrize("kind", ["logistic", "softmax", "mlp", "cnn"])
def test_probabilities_sum_to_one_in_the_order_of_the_names(tmp_path: Path, kind: str) -> None:
    written(tmp_path, kind)
    loaded = Predictor.load(tmp_path)
    given = loaded(raw_inputs(NETWORKS[kind][1]))
    torch.testing.assert_close(given.sum(1), torch.ones(7))
    assert loaded.class_names == NETWORKS[kind][2]
    assert given.shape == (7, len(loaded.class_names))


@pytest.mark.parametrize("num", [1, 2, 100])
def test_any_number_of_inputs_works(tmp_path: Path, num: int) -> None:
    written(tmp_path, "cnn")
    assert Predictor.load(tmp_path)(raw_inputs(IMAGE, num)).shape == (num, 3)


@pytest.mark.parametrize(
    "feature_map",
    [
        PolynomialFeatures(degree=2, include_bias=False),
        SplineTransformer(n_knots=5, degree=3, knots="quantile", include_bias=False),
        Nystroem(gamma=0.5, n_components=6, random_state=0),
    ],
    ids=lambda feature_map: type(feature_map).__name__,
)
def test_a_feature_map_comes_between(tmp_path: Path, feature_map: Any) -> None:
    raw = raw_inputs(COLUMNS, 50)
    features = torch.from_numpy(feature_map.fit_transform(preprocessing(torch.float64)(raw).numpy()))
    network = Softmax(input_shape=tuple(features.shape[1:]), num_classes=3)
    written(
        tmp_path,
        "softmax",
        network_config={"_target_": "seedbed.model.linear.Softmax"},
        facts=Facts(tuple(features.shape[1:]), 3, NAMES),
        state=network.state_dict(),
        feature_map=feature_map,
        example=raw,
    )
    with torch.no_grad():
        expected = network.likelihood.log_probabilities(network(features.float())).exp()
    loaded = Predictor.load(tmp_path)
    torch.testing.assert_close(loaded(raw), expected, rtol=MAPPED, atol=MAPPED)
    assert loaded.raw_shape == COLUMNS


def test_a_map_of_an_earlier_save_does_not_linger(tmp_path: Path) -> None:
    written(tmp_path, "softmax", feature_map=PolynomialFeatures().fit(np.zeros((2, 64))))
    written(tmp_path, "softmax")
    assert Predictor.load(tmp_path).feature_map is None


def test_loading_draws_no_random_number(tmp_path: Path) -> None:
    written(tmp_path, "mlp")
    before = torch.get_rng_state()
    Predictor.load(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("shape", [(3, 1, 8, 9), (3, 64), (1, 8, 8)])
def test_inputs_of_another_shape_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    written(tmp_path, "cnn")
    with pytest.raises(DataError, match=r"input: expected \(any number, 1, 8, 8\), got \("):
        Predictor.load(tmp_path)(torch.zeros(shape, dtype=torch.uint8))


def damage(folder: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("name", ["predictor.json", "weights.pt", "example.npy"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\x80\x02K\x01."])
def test_a_folder_that_is_not_whole_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    written(tmp_path, "softmax")
    damage(tmp_path, name, content)
    with pytest.raises(StoreError, match=r"predictor in .*Take the folder from the run's record again"):
        Predictor.load(tmp_path)


def test_code_of_others_is_not_built(tmp_path: Path) -> None:
    written(tmp_path, "softmax")
    told = json.loads((tmp_path / "predictor.json").read_text())
    told["network"] = {"_target_": "os.system", "command": "true"}
    (tmp_path / "predictor.json").write_text(json.dumps(told))
    with pytest.raises(StoreError, match=r"a network that is none of ours: os\.system"):
        Predictor.load(tmp_path)


def test_a_served_model_takes_arrays_and_frames_and_names_its_columns(tmp_path: Path) -> None:
    written(tmp_path, "logistic")
    served = Served(Predictor.load(tmp_path))
    raw = raw_inputs(COLUMNS).numpy()
    from_array, from_frame = served.predict(raw), served.predict(pd.DataFrame(raw))
    pd.testing.assert_frame_equal(from_array, from_frame)
    assert list(from_array.columns) == ["cat", "dog"]
    assert np.allclose(from_array.sum(axis=1), 1)


def test_a_frame_of_whole_numbers_is_taken_too(tmp_path: Path) -> None:
    written(tmp_path, "logistic")
    served = Served(Predictor.load(tmp_path))
    whole = np.arange(8).reshape(2, 4)
    assert served.predict(pd.DataFrame(whole)).equals(served.predict(whole.astype(np.float64)))


def test_logits_are_the_networks_own_and_a_temperature_divides_them(tmp_path: Path) -> None:
    network = written(tmp_path, "softmax")
    loaded, raw = Predictor.load(tmp_path), raw_inputs(IMAGE)
    with torch.no_grad():
        expected = network(preprocessing()(raw))
    assert torch.equal(loaded.logits(raw), expected)
    loaded.temperature = 2.5
    assert torch.equal(loaded.logits(raw), expected)
    torch.testing.assert_close(loaded(raw), (expected / 2.5).softmax(1))


def test_names_of_columns_and_a_temperature_come_back(tmp_path: Path) -> None:
    written(tmp_path, "logistic", column_names=("a", "b", "c", "d"))
    assert Predictor.load(tmp_path).column_names == ("a", "b", "c", "d")
    assert Predictor.load(tmp_path).temperature == 1.0
    told = json.loads((tmp_path / "predictor.json").read_text())
    del told["column_names"]  # as of before they were kept
    (tmp_path / "predictor.json").write_text(json.dumps({**told, "temperature": 0.5}))
    loaded = Predictor.load(tmp_path)
    assert (loaded.column_names, loaded.temperature) == ((), 0.5)
