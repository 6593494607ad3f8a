"""Number formats: what weights are held in, and what a step is computed in."""

import torch
from pytorch_lightning.plugins.precision import DoublePrecision, MixedPrecision, Precision

from seedbed.errors import ConfigError

DTYPES = {
    "32-true": torch.float32,
    "64-true": torch.float64,
    "bf16-mixed": torch.float32,
    "16-mixed": torch.float32,
}


def dtype_of(precision: str) -> torch.dtype:
    """The type of weights, inputs, losses and metrics.

    Raises:
        ConfigError: for an unknown precision.
    """
    if precision not in DTYPES:
        raise ConfigError(
            "trainer.precision", expected="one of " + ", ".join(DTYPES), got=repr(precision), do="Choose one."
        )
    return DTYPES[precision]


def plugin(precision: str, device: torch.device) -> Precision:
    """What lets Lightning compute in a precision.

    From the name alone it would compute 16-mixed on a CPU in bfloat16, and refuse 64-true under fsdp.

    Args:
        precision: a key of `DTYPES`.
        device: where the steps are computed.
    """
    if precision == "64-true":
        return DoublePrecision()
    if precision in ("bf16-mixed", "16-mixed"):
        return MixedPrecision(precision, device.type)  # type: ignore[arg-type]
    return Precision()
