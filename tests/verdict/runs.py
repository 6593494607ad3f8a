"""Runs as the record has them, without a record."""

from collections.abc import Mapping

from seedbed.verdict.members import Member


def run(
    model: str,
    seed: int,
    value: float | None,
    *,
    metric: str = "test/accuracy",
    status: str = "FINISHED",
    setting: str | None = None,
    tags: Mapping[str, str] | None = None,
    **params: str,
) -> Member:
    """One run of a setting; params with a dot in their name are given as `data__fold`."""
    named = {key.replace("__", "."): text for key, text in params.items()}
    return Member(
        f"{model}-{seed}-{'-'.join(named.values())}",
        f"{model} seed {seed}",
        "1",
        status,
        model if setting is None else setting,
        {"model": model, "data": "digits", "seed": str(seed), **named},
        {} if value is None else {metric: value},
        tags or {},
    )


def foreign(name: str, value: float, **params: str) -> Member:
    """A run of another program."""
    return Member(name, name, "1", "FINISHED", "", params, {"val_acc": value}, {})


def ladder(num_seeds: int = 3, *models: str) -> list[Member]:
    """Settings a point apart, with a spread of their own."""
    return [
        run(model, seed, 0.8 + 0.01 * rank + 0.001 * (seed * (rank + 2) % 3))
        for rank, model in enumerate(models or ("softmax", "mlp", "cnn"))
        for seed in range(num_seeds)
    ]
