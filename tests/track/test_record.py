"""What was recorded is what MLflow gives back, exactly once, with the right status."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Dataset, Run
from mlflow.exceptions import MlflowException

from seedbed.errors import StoreError
from seedbed.track.record import Record
from seedbed.track.store import Store

STRAY_RUN = """
import sys
from pathlib import Path
from seedbed.track.record import Record
from seedbed.track.store import Store

record = Record.start(Store.open(Path(sys.argv[1])), experiment="e", name="mine", params={"p": 1}, tags={})
record.log_metrics({"loss": 1.0}, 1)
record.log_text("text", "text.txt")
record.finish("FINISHED")
print(record.run_id)
"""


def start(store: Store, **changes: Any) -> Record:
    given: dict[str, Any] = {"experiment": "e", "name": "softmax digits 0", "params": {}, "tags": {}}
    return Record.start(store, **{**given, **changes})


def failing(words: str) -> None:
    raise ZeroDivisionError(words)


def read(record: Record) -> Run:
    run: Run = record.store.client.get_run(record.run_id)
    return run


def datasets(record: Record) -> list[tuple[str, Dataset]]:
    inputs = read(record).inputs
    assert inputs is not None
    return [(entry.tags[0].value, entry.dataset) for entry in inputs.dataset_inputs]


def history(record: Record, name: str) -> list[tuple[int, float]]:
    points = record.store.client.get_metric_history(record.run_id, name)
    return [(point.step, point.value) for point in points]


def artifact(record: Record, path: str) -> bytes:
    return Path(record.store.client.download_artifacts(record.run_id, path)).read_bytes()


def test_a_new_run_is_running_under_its_name_user_and_source(store: Store) -> None:
    run = read(start(store, note="**why** it runs"))
    assert run.info.status == "RUNNING"
    assert run.info.run_name == "softmax digits 0"
    assert run.data.tags["mlflow.note.content"] == "**why** it runs"
    assert run.data.tags["mlflow.source.type"] == "LOCAL"
    assert run.data.tags["mlflow.user"] not in ("", "unknown")
    assert run.data.tags["mlflow.source.name"]
    assert "mlflow.parentRunId" not in run.data.tags


def test_params_keep_their_type_on_the_command_line(store: Store) -> None:
    params = {"model": "mlp", "seed": 0, "optimizer.lr": 1e-3, "flip": True, "features": None}
    run = read(start(store, params=params))
    expected = {"model": "mlp", "seed": "0", "optimizer.lr": "0.001", "flip": "true", "features": "null"}
    assert run.data.params == expected


def test_a_param_of_three_thousand_characters_is_whole(store: Store) -> None:
    widths = ",".join("128" for _ in range(750))
    assert len(widths) == 2999
    assert read(start(store, params={"model.hidden_features": widths})).data.params == {
        "model.hidden_features": widths
    }


def test_a_text_too_long_for_the_store_is_whole_in_an_artifact_and_says_so(store: Store) -> None:
    record = start(store, params={"words": "p" * 6001}, tags={"long": "t" * 8001}, note="n\n" * 5000)
    run = read(record)
    assert run.data.params["words"].endswith("... (6001 characters, whole in params/words.txt)")
    assert run.data.tags["long"].endswith("... (8001 characters, whole in tags/long.txt)")
    assert run.data.tags["mlflow.note.content"].endswith("n\n\n*The rest stands in the artifact `note.md`.*")
    assert artifact(record, "params/words.txt") == b"p" * 6001
    assert artifact(record, "tags/long.txt") == b"t" * 8001
    assert artifact(record, "note.md") == b"n\n" * 5000


def test_more_params_than_one_request_takes_all_arrive(store: Store) -> None:
    params = {f"p{index}": index for index in range(150)}
    assert len(read(start(store, params=params)).data.params) == 150


def test_a_child_names_its_parent(store: Store) -> None:
    parent = start(store, name="study")
    child = start(store, parent_run_id=parent.run_id)
    assert read(child).data.tags["mlflow.parentRunId"] == parent.run_id


def test_metrics_arrive_with_step_value_and_the_time_they_were_noted(store: Store) -> None:
    record = start(store)
    values = [0.1 + 2**-56, math.nan, -0.0]
    for step, value in enumerate(values):
        record.log_metrics({"val/loss": value, "train/loss": 1.0}, step)
    assert read(record).data.metrics == {}  # not before they are delivered
    record.deliver()
    arrived = record.store.client.get_metric_history(record.run_id, "val/loss")
    assert [point.value for point in arrived[::2]] == values[::2]
    assert math.isnan(arrived[1].value)
    assert [point.timestamp for point in arrived] == [
        point.time for point in record._journal.points() if point.name == "val/loss"
    ]
    assert history(record, "train/loss") == [(0, 1.0), (1, 1.0), (2, 1.0)]


def test_a_long_journal_arrives_in_order_in_few_requests(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = start(store)
    sizes = []
    log_batch = store.client.log_batch

    def counted(*arguments: Any, metrics: Any, **keywords: Any) -> None:
        sizes.append(len(metrics))
        log_batch(*arguments, metrics=metrics, **keywords)

    monkeypatch.setattr(store.client, "log_batch", counted)
    for step in range(2001):
        record.log_metrics({"loss": float(step)}, step)
    record.deliver()
    assert sizes == [1000, 1000, 1]
    assert history(record, "loss") == [(step, float(step)) for step in range(2001)]


def test_a_second_delivery_adds_nothing(store: Store) -> None:
    record = start(store)
    for step in range(3):
        record.log_metrics({"loss": 1.0, "odd": math.nan, "far": math.inf}, step)
    record.deliver()
    (record.folder / "delivered").unlink()
    record.log_metrics({"loss": 2.0}, 3)
    record.deliver()
    assert history(record, "loss") == [(0, 1.0), (1, 1.0), (2, 1.0), (3, 2.0)]
    assert [step for step, _ in history(record, "odd")] == [0, 1, 2]
    assert [step for step, _ in history(record, "far")] == [0, 1, 2]


def test_a_crash_between_sending_and_noting_it_neither_loses_nor_doubles(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = start(store)
    for step in range(1500):
        record.log_metrics({"loss": float(step)}, step)

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(record._journal, "mark_delivered", crash)
    with pytest.raises(KeyboardInterrupt):
        record.deliver()
    assert len(history(record, "loss")) == 1000
    Record(store, record.run_id).deliver()
    assert history(record, "loss") == [(step, float(step)) for step in range(1500)]


def test_two_who_deliver_one_journal_do_not_double_it(store: Store) -> None:
    record = start(store)
    other = Record(store, record.run_id)
    record.log_metrics({"loss": 1.0}, 1)
    offered = list(other._journal.undelivered())
    record.deliver()
    other._journal.undelivered = lambda: iter(offered)  # type: ignore[method-assign]
    other.deliver()
    assert history(record, "loss") == [(1, 1.0)]


def test_a_store_that_is_away_delays_what_is_said_and_no_more(
    root: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    record = start(store)
    record.log_metrics({"loss": 1.0}, 1)
    away = root / "away.db"
    (root / "mlflow.db").rename(away)
    assert not record.deliver()
    record.log_metrics({"loss": 2.0}, 2)
    record.set_tags({"said": "meanwhile"})
    away.rename(root / "mlflow.db")
    record.finish("KILLED")
    assert history(record, "loss") == [(1, 1.0), (2, 2.0)]
    assert (read(record).data.tags["said"], read(record).info.status) == ("meanwhile", "KILLED")
    gone, back = capsys.readouterr().err.splitlines()
    assert gone.startswith("The record store sqlite:///mlflow.db is away (")
    assert gone.endswith(f"The run goes on; what it says waits in {record.folder}.")
    assert back == "The record store sqlite:///mlflow.db is back; nothing is lost."


def test_a_resumed_run_repeats_no_step(store: Store) -> None:
    record = start(store)
    record.log_metrics({"loss": 1.0}, 1)
    record.log_metrics({"loss": 2.0}, 2)
    record.deliver()
    resumed = Record(store, record.run_id)
    for step in (2, 3):
        resumed.log_metrics({"loss": float(step)}, step)
    resumed.finish("FINISHED")
    assert history(record, "loss") == [(1, 1.0), (2, 2.0), (3, 3.0)]


@pytest.mark.parametrize("status", ["FINISHED", "KILLED"])
def test_the_end_delivers_what_is_left_and_says_how_it_ended(store: Store, status: Any) -> None:
    record = start(store)
    record.log_metrics({"loss": 1.0}, 1)
    record.finish(status)
    run = read(record)
    assert (run.info.status, run.data.metrics) == (status, {"loss": 1.0})
    assert run.info.end_time >= run.info.start_time


def test_a_failure_keeps_its_trace(store: Store) -> None:
    record = start(store)
    record.log_metrics({"loss": 1.0}, 1)
    with pytest.raises(ZeroDivisionError) as caught:
        failing("too bad\nand more of it")
    record.fail(caught.value)
    run = read(record)
    assert run.info.status == "FAILED"
    assert run.data.tags["seedbed.error"] == "ZeroDivisionError: too bad"
    assert run.data.metrics == {"loss": 1.0}
    trace = artifact(record, "error.txt").decode()
    assert "in failing" in trace
    assert trace.endswith("ZeroDivisionError: too bad\nand more of it\n")


def test_texts_and_files_arrive_byte_for_byte(store: Store, tmp_path: Path) -> None:
    record = start(store)
    latin = b"gr\xf6\xdfe\r\n\n"
    record.log_text(latin.decode(errors="surrogateescape"), "deep/er/text.txt")
    record.log_json({"a": [1, None, 0.5]}, "config.json")
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "data.bin").write_bytes(b"\0\1")
    record.log_file(tmp_path / "folder" / "sub" / "data.bin")
    record.log_file(tmp_path / "folder" / "sub" / "data.bin", "one/two")
    record.log_folder(tmp_path / "folder", "copy")
    assert artifact(record, "deep/er/text.txt") == latin
    assert json.loads(artifact(record, "config.json")) == {"a": [1, None, 0.5]}
    for path in ("data.bin", "one/two/data.bin", "copy/sub/data.bin"):
        assert artifact(record, path) == b"\0\1"
    assert {path.name for path in record.folder.iterdir()} == {
        "journal.jsonl",
        "delivered",
        "lock",
        "reserve",
    }


def test_an_artifact_that_cannot_be_written_is_told(store: Store) -> None:
    record = start(store)
    record.log_text("a file", "place")
    with pytest.raises(StoreError, match=rf"run {record.run_id}, artifact text.txt: .*See to the store"):
        record.log_text("below it", "place/text.txt")


def test_stray_variables_divert_nothing(store: Store, root: Path) -> None:
    other = start(store, experiment="other", name="someone else's")
    stray = {
        "MLFLOW_RUN_ID": other.run_id,
        "MLFLOW_EXPERIMENT_ID": read(other).info.experiment_id,
        "MLFLOW_EXPERIMENT_NAME": "other",
        "MLFLOW_ACTIVE_MODEL_ID": "m-0123456789abcdef",
        "MLFLOW_ENABLE_ASYNC_LOGGING": "true",
    }
    # A process of its own: MLflow reads some of them once.
    command = [sys.executable, "-c", STRAY_RUN, str(root)]
    done = subprocess.run(command, env={**os.environ, **stray}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record, theirs = Record(store, done.stdout.strip()), read(other)
    mine = read(record)
    assert mine.info.experiment_id != theirs.info.experiment_id
    assert (mine.data.params, mine.data.metrics) == ({"p": "1"}, {"loss": 1.0})
    assert artifact(record, "text.txt") == b"text"
    assert (theirs.info.status, theirs.data.params, theirs.data.metrics) == ("RUNNING", {}, {})
    assert not store.client.list_artifacts(other.run_id)


def test_system_metrics_of_a_short_run_arrive_before_it_is_closed(store: Store) -> None:
    record = start(store)
    with record.system_metrics(enabled=True):
        record.finish("FINISHED")
    metrics = read(record).data.metrics
    assert metrics["system/system_memory_usage_megabytes"] > 0
    assert all(name.startswith("system/") for name in metrics)


def test_system_metrics_of_a_resumed_run_count_on(store: Store) -> None:
    record = start(store)
    for _ in range(2):
        with Record(store, record.run_id).system_metrics(enabled=True):
            pass
    record.deliver()
    assert [step for step, _ in history(record, "system/cpu_utilization_percentage")] == [0, 1]


def test_system_metrics_can_be_off(store: Store) -> None:
    record = start(store)
    with record.system_metrics(enabled=False):
        record.finish("FINISHED")
    assert read(record).data.metrics == {}


def test_splits_of_one_content_stay_apart_and_keep_their_own_profile(store: Store) -> None:
    first, second = start(store), start(store)
    for record, size in ((first, 40), (second, 30)):
        for split, count in (("train", size), ("val", 50 - size)):
            record.log_dataset(
                name="digits",
                source="sklearn.datasets.load_digits",
                split=split,
                digest="0" * 64,
                profile={"num_examples": count, "class_counts": [count // 2, count - count // 2]},
                schema=None,
            )
    for record, size in ((first, 40), (second, 30)):
        profiles = {split: json.loads(dataset.profile or "") for split, dataset in datasets(record)}
        seen = {split: profile["num_examples"] for split, profile in profiles.items()}
        assert seen == {"train": size, "val": 50 - size}
        assert {profile["digest"] for profile in profiles.values()} == {"0" * 64}


def test_the_same_data_has_the_same_digest_wherever_it_lies(store: Store) -> None:
    seen = set()
    for source in ("/here/mnist", "/there/mnist"):
        record = start(store)
        record.log_dataset(
            name="mnist", source=source, split="train", digest="ab", profile={}, schema={"shape": [1]}
        )
        ((_, dataset),) = datasets(record)
        seen.add((dataset.digest, dataset.schema))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("source", "read_back"),
    [
        ("https://host/data.zip", {"url": "https://host/data.zip"}),
        ("/data/mnist", {"uri": "/data/mnist"}),
        ("sklearn.datasets.load_digits", {"tags": {"mlflow.source.name": "sklearn.datasets.load_digits"}}),
    ],
)
def test_mlflow_understands_where_the_data_came_from(
    store: Store, source: str, read_back: dict[str, Any]
) -> None:
    import mlflow.data

    record = start(store)
    record.log_dataset(name="d", source=source, split="train", digest="ab", profile={}, schema=None)
    ((_, dataset),) = datasets(record)
    assert mlflow.data.get_source(dataset).to_dict() == read_back


def test_a_parameter_of_two_values_is_told_not_swallowed(store: Store) -> None:
    record = start(store, params={"p": 1})
    with pytest.raises(StoreError, match=r"params: .*Changing param values is not allowed") as caught:
        record._log_texts("params", {"p": "2"})
    assert isinstance(caught.value.__cause__, MlflowException)


@pytest.fixture
def failing_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[int]]:
    """Makes the store's first naming of a data set fail with these words; its calls."""

    def fail(words: str) -> list[int]:
        calls: list[int] = []
        log_inputs = store.client.log_inputs

        def met(*given: Any, **named: Any) -> None:
            calls.append(len(calls))
            if len(calls) == 1:
                raise MlflowException(f"(sqlite3.IntegrityError) {words}")
            log_inputs(*given, **named)

        monkeypatch.setattr(store.client, "log_inputs", met)
        return calls

    return fail


def test_deliveries_are_apart_and_the_last_brings_all(store: Store) -> None:
    store.deliver_seconds = 1000.0
    record = start(store)
    record.set_tags({"early": "1"})
    record.set_tags({"late": "1"})
    record.log_metrics({"a": 1.0}, 1)
    assert not record.deliver()
    assert "late" not in read(record).data.tags
    record.finish("FINISHED")
    assert not record.waits
    found = read(record)
    assert (found.info.status, found.data.tags["late"], found.data.metrics) == ("FINISHED", "1", {"a": 1.0})


def test_a_trace_that_the_store_does_not_take_keeps_no_word_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise MlflowException("no room for it")

    store.deliver_seconds = 1000.0
    record = start(store)
    monkeypatch.setattr(store.client, "log_artifact", refused)
    record.fail(ZeroDivisionError("too bad"))
    found = read(record)
    assert (found.info.status, found.data.tags["seedbed.error"]) == ("FAILED", "ZeroDivisionError: too bad")


def test_a_data_set_that_another_run_names_at_the_same_moment_is_named_again(
    store: Store, failing_once: Callable[[str], list[int]]
) -> None:
    record, calls = start(store), failing_once("UNIQUE constraint failed: datasets.name")
    record.log_dataset(name="d", source="s", split="train", digest="ab", profile={})
    record.finish("FINISHED")
    assert [split for split, _ in datasets(record)] == ["train"]
    assert calls == [0, 1]


def test_a_data_set_that_the_store_does_not_take_is_told(
    store: Store, failing_once: Callable[[str], list[int]]
) -> None:
    record = start(store)
    record.deliver()  # the lines before it, or it would be tried once with them and once alone
    calls = failing_once("no room")
    with pytest.raises(StoreError, match=r"data set d: expected a store that takes it, got .* no room"):
        record.log_dataset(name="d", source="s", split="train", digest="ab", profile={})
    assert calls == [0]
