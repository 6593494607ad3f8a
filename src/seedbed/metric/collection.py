"""All metrics of one split, accumulated over examples."""

import math
from collections.abc import Callable, Iterable, Mapping

import torch
from jaxtyping import Float64, Int64
from torch import Tensor, nn
from torchmetrics import Metric

from seedbed.errors import ConfigError, DataError
from seedbed.metric import confusion, example
from seedbed.metric.auroc import Auroc
from seedbed.metric.calibration import CalibrationError
from seedbed.metric.chunks import Chunk, Chunks
from seedbed.metric.confusion import Confusion
from seedbed.metric.mean import Mean
from seedbed.metric.state import State, copied
from seedbed.shapes import Labels, LogProbabilities

Score = Callable[[LogProbabilities, Labels], Float64[Tensor, " batch"]]
FROM_EXAMPLES: Mapping[str, Score] = {
    "loss": example.negative_log_likelihood,
    "top5_accuracy": example.top5,
    "brier_loss": example.brier,
}
FROM_COUNTS = {"accuracy": confusion.accuracy, "macro_f1_score": confusion.macro_f1}
FROM_ALL: Mapping[str, Callable[[], Metric]] = {
    "auroc_score": Auroc,
    "calibration_error": CalibrationError,
}
NAMES = (
    "loss",
    "normalised_loss",
    "accuracy",
    "top5_accuracy",
    "macro_f1_score",
    "auroc_score",
    "brier_loss",
    "calibration_error",
)


def available(num_classes: int) -> tuple[str, ...]:
    """Names of the metrics for this many classes: the five best of five are no achievement."""
    missing = {"top5_accuracy": num_classes <= 5, "normalised_loss": num_classes > 2}
    return tuple(name for name in NAMES if not missing.get(name))


class Metrics(nn.Module):
    """Metrics of one split.

    A training step pays for a list append: batches wait until a chunk is full, and torchmetrics sees
    chunks. With torch.distributed at work, `compute` and `confusion` are of all ranks' examples.
    `state` holds waiting batches too, so that a resumed epoch ends on the same bits. It is no part of
    the state dict: what a model knows and what an epoch has come to are different things, and each
    rank has its own.

    Args:
        num_classes: two or more.
        names: which metrics; None takes all that `available` lists. `loss` is always among them.

    Raises:
        ConfigError: for a name that is not available.

    Example:
        >>> import torch
        >>> metrics = Metrics(2, names=("loss", "accuracy"))
        >>> metrics.update(torch.tensor([[0.5, 0.5], [0.2, 0.8]]).log(), torch.tensor([0, 0]))
        >>> metrics.compute()["accuracy"]
        0.5
    """

    def __init__(self, num_classes: int, names: Iterable[str] | None = None) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.names = _checked(names, num_classes)
        self._chunks = Chunks(num_classes)
        self._counts = Confusion(num_classes)
        self._means = nn.ModuleDict({name: Mean() for name in FROM_EXAMPLES if name in self.names})
        self._others = nn.ModuleDict({name: make() for name, make in FROM_ALL.items() if name in self.names})

    def update(self, log_probabilities: LogProbabilities, labels: Labels) -> None:
        """Takes in a batch.

        Args:
            log_probabilities: normalised over the classes; kept without a copy until a chunk is
                full, so do not write into them.
            labels: the true classes; `chunks.PADDING` (-1) marks an example that does not count.
        """
        if self._chunks.add(log_probabilities.detach(), labels):
            for chunk in self._chunks.full():
                self._absorb(chunk)

    def _absorb(self, chunk: Chunk) -> None:
        for name, part in self._parts():
            if name in FROM_EXAMPLES:
                part.update(FROM_EXAMPLES[name](*chunk))
            else:
                part.update(*chunk)

    def compute(self) -> dict[str, float]:
        """Every metric of all examples since `reset`; a NaN among the probabilities makes all NaN.

        Raises:
            DataError: where there was no example.
        """
        counts = self.confusion()
        if int(counts.sum()) == 0:
            raise DataError(
                "the evaluated split",
                expected="at least one example",
                got="none",
                do="Enlarge data.val_fraction or data.test_fraction, or do not evaluate this split.",
            )
        values = {name: float(part.compute()) for name, part in self._parts() if name}
        if math.isnan(values["loss"]):
            return dict.fromkeys(self.names, math.nan)
        values |= {name: score(counts) for name, score in FROM_COUNTS.items()}
        entropy = confusion.label_entropy(counts)
        values["normalised_loss"] = values["loss"] / entropy if entropy else math.nan
        return {name: values[name] for name in self.names}

    def confusion(self) -> Int64[Tensor, "class class"]:
        """Number of examples a (true class, most probable class)."""
        # Also where nothing waits: a rank without examples then has states that others can join.
        self._absorb(self._chunks.rest())
        counts: Tensor = self._counts.compute()
        return counts

    def drain(self, split: str) -> dict[str, float]:
        """Every metric as `<split>/<name>`; forgets all examples."""
        values = {f"{split}/{name}": value for name, value in self.compute().items()}
        self.reset()
        return values

    def reset(self) -> None:
        """Forgets all examples."""
        self._chunks.clear()
        for _, part in self._parts():
            part.reset()

    def _parts(self) -> Iterable[tuple[str, Metric]]:
        """Each torchmetrics part by the metric it computes; the counts serve several: no name."""
        yield "", self._counts
        for group in (self._means, self._others):
            for name, part in group.items():
                assert isinstance(part, Metric)
                yield name, part

    def state(self) -> State:
        """All examples since `reset`, as it takes to go on with them: a copy on the CPU, for all ranks."""
        cpu = torch.device("cpu")
        states = {name: copied(part.metric_state, cpu) for name, part in self._parts()}
        return {"states": states, "waiting": [tensor.to(cpu) for tensor in self._chunks.waiting()]}

    def restore(self, state: State) -> None:
        """Goes on with the examples of a state, in place of those that were there."""
        self.reset()
        for name, part in self._parts():
            for key, value in copied(state["states"][name], part.device).items():
                setattr(part, key, value)
        self._chunks.add(*(tensor.to(self._counts.device) for tensor in state["waiting"]))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Metrics":
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._chunks.to(self._counts.device)
        return self


def _checked(names: Iterable[str] | None, num_classes: int) -> tuple[str, ...]:
    allowed = available(num_classes)
    chosen = allowed if names is None else tuple(names)
    for name in chosen:
        if name not in allowed:
            raise ConfigError(
                "metric",
                expected=f"one of {', '.join(allowed)} with {num_classes} classes",
                got=repr(name),
                do="Choose one of them.",
            )
    if "loss" not in chosen:
        chosen = ("loss", *chosen)
    return chosen
