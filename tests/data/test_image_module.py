import pytest

from seedbed.errors import ConfigError
from tests.data.tiny import STREAMS, digits


def test_negative_padding_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        digits(crop_padding=-1)
    assert str(caught.value) == (
        "data.crop_padding: expected 0 or more, got -1. "
        "An eighth of the side is common; 0 switches the crop off."
    )


def test_padding_that_can_lose_the_whole_image_is_refused() -> None:
    digits(crop_padding=7).setup(STREAMS)
    with pytest.raises(ConfigError) as caught:
        digits(crop_padding=8).setup(STREAMS)
    assert str(caught.value) == (
        "data.crop_padding: expected less than the 8 pixels of a side, got 8. "
        "An eighth of the side is common; 0 switches the crop off."
    )
