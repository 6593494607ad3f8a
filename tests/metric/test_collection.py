"""`Metrics` against scikit-learn and NumPy, and against itself under every way of feeding it."""

import math
from collections.abc import Iterable
from itertools import pairwise

import pytest
import torch
from sklearn.metrics import log_loss
from torchmetrics import functional as tm

from seedbed.errors import ConfigError, DataError
from seedbed.metric import chunks
from seedbed.metric.collection import Metrics, available
from seedbed.shapes import Labels, LogProbabilities
from tests.metric.reference import example_set, reference

# Sums of at most 1e4 float64 terms in two orders.
ROUNDING = 1e-12
# torchmetrics divides counts in float32.
FLOAT32 = 1e-6
SMALL_CHUNK = 16


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", SMALL_CHUNK)


def filled(
    log_probabilities: LogProbabilities,
    labels: Labels,
    sizes: Iterable[int] = (),
    names: tuple[str, ...] | None = None,
) -> Metrics:
    """Metrics fed in batches of these sizes, the rest as one batch."""
    metrics = Metrics(log_probabilities.shape[1], names)
    cuts = [0]
    for size in sizes:
        cuts.append(cuts[-1] + size)
    for start, end in pairwise([*cuts, len(labels)]):
        metrics.update(log_probabilities[start:end], labels[start:end])
    return metrics


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num_classes", [2, 3, 10])
@pytest.mark.parametrize("num_examples", [1, 2, 7, 61, 1000])
def test_every_metric_agrees_with_scikit_learn_and_numpy(
    num_examples: int, num_classes: int, dtype: torch.dtype
) -> None:
    examples = example_set(num_examples, num_classes, dtype)
    expected = reference(*examples)
    computed = filled(*examples).compute()
    assert set(computed) == set(expected)
    for name, value in computed.items():
        assert value == pytest.approx(expected[name], rel=ROUNDING, abs=ROUNDING, nan_ok=True), name


@pytest.mark.parametrize("num_classes", [2, 10])
def test_the_loss_is_scikit_learns_log_loss_in_nats(num_classes: int) -> None:
    log_probabilities, labels = example_set(1000, num_classes)
    expected = log_loss(labels, log_probabilities.exp(), labels=range(num_classes))
    assert filled(log_probabilities, labels).compute()["loss"] == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("num_classes", [2, 10])
def test_metrics_agree_with_torchmetrics_own_where_it_has_them(num_classes: int) -> None:
    log_probabilities, labels = example_set(1000, num_classes)
    p, k = log_probabilities.exp(), num_classes
    theirs = {
        "accuracy": tm.classification.multiclass_accuracy(p, labels, k, average="micro"),
        "macro_f1_score": tm.classification.multiclass_f1_score(p, labels, k),
        "auroc_score": tm.classification.multiclass_auroc(p, labels, k),
        "calibration_error": tm.classification.multiclass_calibration_error(p, labels, k),
    }
    ours = filled(log_probabilities, labels).compute()
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(float(value), abs=FLOAT32), name


@pytest.mark.parametrize("sizes", [[1] * 99, [50], [16, 16, 16], [3, 40, 0, 30], [99, 0]])
def test_the_batch_size_moves_no_bit(small_chunks: None, sizes: list[int]) -> None:
    examples = example_set(100, 10)
    assert filled(*examples, sizes).compute() == filled(*examples).compute()


def test_chunks_only_round_differently(small_chunks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = example_set(100, 10)
    in_chunks = filled(*examples).compute()
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 1000)
    assert in_chunks == pytest.approx(filled(*examples).compute(), rel=ROUNDING)


@pytest.mark.parametrize("num_padded", [1, 5, 40])
def test_padding_never_counts(small_chunks: None, num_padded: int) -> None:
    log_probabilities, labels = example_set(50, 10)
    junk = torch.full((num_padded, 10), math.nan, dtype=torch.float64)
    metrics = Metrics(10)
    for start in range(0, 50, 10):
        metrics.update(
            torch.cat([log_probabilities[start : start + 10], junk]),
            torch.cat([labels[start : start + 10], torch.full((num_padded,), chunks.PADDING)]),
        )
    assert metrics.compute() == filled(log_probabilities, labels).compute()
    assert metrics.confusion().sum() == 50


@pytest.mark.parametrize("num_classes", [2, 10])
def test_certainty_is_scored_without_rounding(num_classes: int) -> None:
    right = torch.eye(num_classes).log()
    labels = torch.arange(num_classes)
    best = {name: float(name.endswith(("accuracy", "score"))) for name in available(num_classes)}
    assert filled(right, labels).compute() == best


def test_certain_and_wrong_costs_infinity_and_the_worst_brier_loss() -> None:
    metrics = filled(torch.eye(2).log(), torch.tensor([1, 0])).compute()
    assert metrics["loss"] == math.inf
    assert metrics["brier_loss"] == 2
    assert metrics["calibration_error"] == 1
    assert metrics["auroc_score"] == 0


@pytest.mark.parametrize("names", [None, ("loss", "accuracy")])
def test_no_example_is_an_error_that_says_what_to_do(names: tuple[str, ...] | None) -> None:
    with pytest.raises(DataError) as caught:
        Metrics(3, names).compute()
    assert str(caught.value) == (
        "the evaluated split: expected at least one example, got none. "
        "Enlarge data.val_fraction or data.test_fraction, or do not evaluate this split."
    )


def test_padding_alone_is_no_example() -> None:
    metrics = filled(torch.zeros(4, 3), torch.full((4,), chunks.PADDING))
    with pytest.raises(DataError, match="at least one example"):
        metrics.compute()


@pytest.mark.parametrize("num_classes", [2, 5, 6])
def test_top5_needs_a_sixth_class(num_classes: int) -> None:
    assert ("top5_accuracy" in Metrics(num_classes).names) == (num_classes > 5)


def test_an_unknown_metric_is_refused_with_the_list() -> None:
    with pytest.raises(ConfigError) as caught:
        Metrics(2, names=("loss", "acuracy"))
    assert "'acuracy'" in str(caught.value)
    assert "loss, normalised_loss, accuracy, macro_f1_score, auroc_score, brier_loss, " in str(caught.value)


def test_the_light_choice_gives_the_same_numbers() -> None:
    examples = example_set(100, 10)
    full = filled(*examples).compute()
    light = filled(*examples, names=("loss", "accuracy")).compute()
    assert light == {"loss": full["loss"], "accuracy": full["accuracy"]}


def test_a_nan_among_the_probabilities_is_not_averaged_away() -> None:
    log_probabilities, labels = example_set(100, 10)
    log_probabilities[17] = math.nan
    computed = filled(log_probabilities, labels).compute()
    assert set(computed) == set(available(10))
    assert all(math.isnan(value) for value in computed.values())


def test_reset_forgets_waiting_and_absorbed_examples(small_chunks: None) -> None:
    old, new = example_set(100, 10), example_set(37, 10, seed=1)
    metrics = filled(*old)
    metrics.reset()
    metrics.update(*new)
    assert metrics.compute() == filled(*new).compute()


def test_moving_to_a_device_and_a_second_epoch_round_nothing(small_chunks: None) -> None:
    examples = example_set(1000, 10, torch.float32)
    metrics = Metrics(10).to("cpu")
    for _ in range(2):
        metrics.update(*examples)
        assert metrics.compute() == filled(*examples).compute()
        metrics.reset()


def test_computing_twice_gives_the_same() -> None:
    metrics = filled(*example_set(100, 10))
    assert metrics.compute() == metrics.compute()
    assert metrics.confusion().sum() == 100


def test_updating_keeps_no_graph_alive(small_chunks: None) -> None:
    logits = torch.zeros(4, 3, requires_grad=True)
    metrics = filled(logits.log_softmax(dim=1), torch.tensor([0, 1, 2, 0]))
    waiting = metrics.state()["waiting"]
    assert not waiting[0].requires_grad


def test_the_confusion_matrix_has_true_classes_as_rows() -> None:
    predicted_one = torch.tensor([[0.2, 0.8]]).log()
    assert filled(predicted_one, torch.tensor([0])).confusion().tolist() == [[0, 1], [0, 0]]


def test_deterministic_mode_needs_no_table_of_squared_classes() -> None:
    # torchmetrics' own count would make a table of 8192 x 300^2 here: 5.9 GB.
    examples = example_set(chunks.CHUNK_SIZE, 300, torch.float32)
    torch.use_deterministic_algorithms(True)
    try:
        metrics = filled(*examples, names=("loss", "accuracy"))
    finally:
        torch.use_deterministic_algorithms(False)
    assert metrics.confusion().sum() == chunks.CHUNK_SIZE


def test_a_device_change_rounds_no_loss() -> None:
    log_probabilities, labels = example_set(61, 10)
    metrics = Metrics(10).to(torch.device("cpu"))
    metrics.update(log_probabilities, labels)
    assert metrics.compute() == pytest.approx(reference(log_probabilities, labels), rel=ROUNDING)
