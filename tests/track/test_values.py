"""Nothing is cut without a word."""

import pytest

from seedbed.track.values import NUM_SHOWN, Value, as_text, fitted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.0, "1.0"),
        (1e-8, "1e-08"),
        ("a b", "a b"),
    ],
)
def test_values_read_as_hydra_reads_them(value: Value, text: str) -> None:
    assert as_text(value) == text


def test_a_text_at_the_limit_stays_and_one_above_moves_whole() -> None:
    limit = 2 * NUM_SHOWN
    texts = {"at": "x" * limit, "above": "y" * (limit + 1)}
    short, whole = fitted(texts, limit, "params")
    assert short["at"] == texts["at"]
    assert whole == {"params/above.txt": texts["above"]}
    assert short["above"] == "y" * NUM_SHOWN + f" ... ({limit + 1} characters, whole in params/above.txt)"
