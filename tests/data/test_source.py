from collections.abc import Iterator

import pytest
import torch

from seedbed.data import source
from seedbed.data.rows import Table
from seedbed.data.source import Part, Source, remembered, whole
from seedbed.errors import DataError


@pytest.fixture(autouse=True)
def _own_memory() -> Iterator[None]:
    source.forget()
    yield
    source.forget()


def part(labels: list[int], num_rows: int | None = None) -> Part:
    return whole(Table(torch.zeros(num_rows or len(labels), 1)), torch.tensor(labels))


def make(train: Part, test: Part | None = None) -> Source:
    return Source(train, test, ("ant", "bee", "cow"), 1.0)


def test_a_source_is_read_once_a_process() -> None:
    reads: list[Source] = []

    def read() -> Source:
        reads.append(make(part([0, 1, 2])))
        return reads[-1]

    assert remembered("a", read) is remembered("a", read)
    assert remembered("b", read) is reads[1]
    assert len(reads) == 2


def test_the_oldest_source_is_dropped_first() -> None:
    reads: list[str] = []

    def ask(key: str) -> None:
        remembered(key, lambda: reads.append(key) or make(part([0, 1])))  # type: ignore[func-returns-value]

    for key in "abcd":
        ask(key)
    ask("a")  # the oldest is now b
    ask("e")
    reads.clear()
    for key in "acde":
        ask(key)
    assert reads == []
    ask("b")
    assert reads == ["b"]


@pytest.mark.parametrize("wrong", [-1, 3, 255])
def test_a_label_without_a_class_is_named_with_its_place(wrong: int) -> None:
    with pytest.raises(DataError) as caught:
        remembered("a", lambda: make(part([0, 1]), part([0, 1, 2, wrong])))
    assert str(caught.value) == (
        f"test split, example 3: expected a label from 0 to 2, got {wrong}. "
        "Correct the label or fetch the files again."
    )


def test_data_of_one_class_is_refused() -> None:
    # The other class is in the file, but not among the examples open to training.
    train = part([1, 1, 1, 0])._replace(indices=torch.arange(3))
    with pytest.raises(DataError) as caught:
        remembered("a", lambda: make(train))
    assert str(caught.value) == (
        "train split: expected examples of at least two classes, got only class bee. "
        "Add examples of another class: there is nothing to tell apart."
    )


def test_labels_of_other_data_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        remembered("a", lambda: make(part([0, 1, 2], num_rows=4)))
    assert str(caught.value) == (
        "train split: expected one label an example, got 3 labels for 4 examples. "
        "Fetch the files again; one of them belongs to other data."
    )


def test_a_refused_source_is_not_remembered() -> None:
    with pytest.raises(DataError):
        remembered("a", lambda: make(part([0, 0])))
    mended = make(part([0, 1]))
    assert remembered("a", lambda: mended) is mended
