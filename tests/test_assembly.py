"""Each stream moves only its own thing: seen on the parts of a run, before any training."""

from typing import Any

import pytest
import torch

from seedbed.assembly import Assembly, assemble
from seedbed.errors import ConfigError
from seedbed.streams import example_keys
from tests.conftest import MakeJob

THINGS = ("split", "init", "order", "augmentation", "dropout")
DRAWN = ("model=mlp", "model.dropout=0.5", "data.crop_padding=2", "data.flip=true")


def seen(assembly: Assembly) -> dict[str, Any]:
    """What each stream decides, on its own where it can be: pixels and masks by example, not by place."""
    loader = assembly.data.train_dataloader()
    (split,) = (part.split_digest for part in assembly.data.identity() if part.split == "val")
    order = torch.cat([batch.indices for batch in loader])
    first = next(iter(loader))
    shared = torch.arange(8)
    network, stream = assembly.classifier.network, assembly.classifier.dropout_stream
    plain = torch.linspace(0, 1, 8 * 64).reshape(8, 1, 8, 8)
    masks = network(plain, example_keys(stream, 0, shared)) == network(plain)
    return {
        "split": split,
        "init": torch.cat([parameter.detach().flatten() for parameter in network.parameters()]),
        "order": order,
        "augmentation": first.inputs[first.indices.argsort()],
        "dropout": example_keys(stream, 0, shared),
        "masked": not bool(masks.all()),
    }


def same(one: Any, other: Any) -> bool:
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else bool(one == other)


@pytest.mark.parametrize("moved", THINGS)
def test_a_stream_moves_its_own_thing_and_no_other(make_job: MakeJob, moved: str) -> None:
    before = seen(assemble(make_job(*DRAWN).config))
    after = seen(assemble(make_job(*DRAWN, f"streams.{moved}=1").config))
    assert before["masked"]
    changed = {thing for thing in THINGS if not same(before[thing], after[thing])}
    # Another cut is other examples to order; another order fills the first batch with other examples.
    follows = {"split": {"order", "augmentation"}, "order": {"augmentation"}}
    assert moved in changed
    assert changed <= {moved} | follows.get(moved, set())


def test_a_pinned_stream_is_the_one_the_other_seed_would_have_had(make_job: MakeJob) -> None:
    one = seen(assemble(make_job(*DRAWN, "seed=1").config))
    pinned = seen(assemble(make_job(*DRAWN, "streams.init=1").config))
    assert same(one["init"], pinned["init"])
    assert not same(one["order"], pinned["order"])


def test_the_global_random_state_decides_nothing(make_job: MakeJob) -> None:
    torch.manual_seed(1)
    one = seen(assemble(make_job(*DRAWN).config))
    torch.manual_seed(2)
    state = torch.get_rng_state()
    other = seen(assemble(make_job(*DRAWN).config))
    assert all(same(one[thing], other[thing]) for thing in THINGS)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_classifier_of_two_classes_is_not_given_ten(make_job: MakeJob) -> None:
    with pytest.raises(ConfigError, match="two classes"):
        assemble(make_job("model=logistic").config)
