"""A signature changes with everything that can move a result and with nothing else."""

import hashlib
from typing import Any

import pytest

from seedbed.track.signature import signature

CONFIG: dict[str, Any] = {
    "seed": 3,
    "optimizer": {"lr": 0.1, "betas": [0.9, 0.999], "nesterov": True},
    "track": {"root": "mlruns"},
}
CANONICAL = '{"optimizer":{"betas":[0.9,0.999],"lr":0.1,"nesterov":true},"seed":3}'


def changed(**optimizer: Any) -> dict[str, Any]:
    return {**CONFIG, "optimizer": {**CONFIG["optimizer"], **optimizer}}


def test_it_is_the_same_on_every_machine_and_in_every_version() -> None:
    digest = hashlib.sha256(CANONICAL.encode()).hexdigest()
    assert signature(CONFIG, ["track.root"]) == digest[:16]


def test_the_order_of_keys_does_not_matter() -> None:
    turned = {name: CONFIG[name] for name in reversed(CONFIG)}
    assert signature(turned, []) == signature(CONFIG, [])


@pytest.mark.parametrize(
    "optimizer", [{"lr": 0.1 + 2**-56}, {"betas": [0.999, 0.9]}, {"nesterov": 1}, {"nesterov": None}]
)
def test_every_digit_place_and_type_counts(optimizer: dict[str, Any]) -> None:
    assert signature(changed(**optimizer), []) != signature(CONFIG, [])


def test_one_and_one_point_nought_are_one_number() -> None:
    assert signature(changed(lr=1, betas=[1, 2.0]), []) == signature(changed(lr=1.0, betas=[1.0, 2]), [])


def test_what_is_left_out_does_not_count_whether_there_or_not() -> None:
    other = {**changed(lr=0.2), "seed": 4, "track": {"root": "elsewhere", "experiment": "new"}}
    left_out = {"optimizer.lr", "seed", "track"}
    assert signature(other, left_out) == signature(CONFIG, left_out)
    without = {name: value for name, value in CONFIG.items() if name != "track"}
    assert signature(without, left_out) == signature(CONFIG, left_out)


def test_a_prefix_of_a_name_is_not_the_name() -> None:
    assert signature(changed(lr=0.2), ["optimizer.l", "opt"]) != signature(CONFIG, ["optimizer.l", "opt"])


def test_a_value_that_is_not_plain_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        signature({"seed": object()}, [])
