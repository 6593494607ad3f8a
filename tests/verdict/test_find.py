"""From what somebody typed to the run that is meant, in a store with several."""

import re
from pathlib import Path

import pytest

from seedbed.errors import StoreError
from seedbed.track.store import Store
from seedbed.verdict.find import filtered, find, is_study, opened, runs_of


def create(
    store: Store,
    name: str,
    experiment: str = "first",
    parent: str | None = None,
    kind: str = "",
    **params: str,
) -> str:
    tags = {"mlflow.parentRunId": parent} if parent else {}
    run = store.client.create_run(
        store.experiment(experiment), run_name=name, tags={**tags, **({"seedbed.kind": kind} if kind else {})}
    )
    for key, value in params.items():
        store.client.log_param(run.info.run_id, key, value)
    store.client.log_metric(run.info.run_id, "val_acc", 0.5)
    store.client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("find")
    return Store.open(root, f"sqlite:///{root / 'mlflow.db'}")


@pytest.fixture(scope="module")
def ids(store: Store) -> dict[str, str]:
    """A study of two runs, a study whose runs all died before they began, and a run of another program."""
    ids = {"study": create(store, "a study", kind="study", model="mlp,cnn")}
    ids |= {name: create(store, name, parent=ids["study"], kind="run", model=name) for name in ("mlp", "cnn")}
    ids["empty"] = create(store, "it's empty", kind="study")
    ids["twin"] = create(store, "cnn", experiment="second", lr="0.1")
    return ids


def test_a_run_is_found_by_its_id_its_beginning_and_its_name(store: Store, ids: dict[str, str]) -> None:
    for text in (ids["mlp"], ids["mlp"][:12], "mlp"):
        assert find(store, text).run_id == ids["mlp"]
    assert find(store, "it's empty").run_id == ids["empty"]


def test_last_is_the_latest_that_is_in_no_study(store: Store, ids: dict[str, str]) -> None:
    assert find(store, "last").run_id == ids["twin"]


def refused(store: Store, text: str) -> str:
    """The message, with what changes from day to day left out."""
    with pytest.raises(StoreError) as caught:
        find(store, text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "DATE", str(caught.value))


def test_a_name_of_two_runs_is_refused_with_both(store: Store, ids: dict[str, str]) -> None:
    assert refused(store, "cnn") == (
        "run 'cnn': expected the id, a prefix of the id, or the name of one run, got one that 2 have: "
        f"cnn ({ids['cnn'][:8]}, DATE), cnn ({ids['twin'][:8]}, DATE). "
        "Give the id, or four characters or more of its beginning."
    )


@pytest.mark.parametrize("text", ["nope", "a st", "%", "' OR '", "both ' and \""])
def test_an_unknown_name_is_refused_with_the_latest(store: Store, ids: dict[str, str], text: str) -> None:
    assert refused(store, text) == (
        f"run {text!r}: expected the id, at least four characters of its beginning, the name of a run, or "
        "last, got none of this name or id; the latest are "
        f"cnn ({ids['twin'][:8]}, DATE), it's empty ({ids['empty'][:8]}, DATE), "
        f"a study ({ids['study'][:8]}, DATE). "
        "Name one of these, or another store with --root FOLDER."
    )


def test_fewer_than_four_characters_of_an_id_find_nothing(store: Store, ids: dict[str, str]) -> None:
    with pytest.raises(StoreError, match="none of this name or id"):
        find(store, ids["mlp"][:3])


def test_a_study_has_its_children_and_a_run_itself(store: Store, ids: dict[str, str]) -> None:
    assert [run.run_id for run in runs_of(store, find(store, "a study"))] == [ids["mlp"], ids["cnn"]]
    assert [run.run_id for run in runs_of(store, find(store, "mlp"))] == [ids["mlp"]]
    assert runs_of(store, find(store, "it's empty")) == []
    assert is_study(find(store, "it's empty"))
    assert not is_study(find(store, "mlp"))


def test_a_filter_finds_runs_of_all_experiments_and_no_parents(store: Store, ids: dict[str, str]) -> None:
    assert [run.run_id for run in filtered(store, "")] == [ids["mlp"], ids["cnn"], ids["twin"]]
    assert [run.run_id for run in filtered(store, "params.lr = '0.1'")] == [ids["twin"]]


def test_a_filter_that_mlflow_does_not_understand_is_refused_with_an_example(store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        filtered(store, "model is cnn")
    assert str(caught.value).startswith(
        "--runs 'model is cnn': expected MLflow's search syntax, such as \"params.model = 'cnn' and "
        'metrics.`test/accuracy` > 0.9", got Invalid clause(s) in filter string: '
    )


def test_an_empty_store_is_told_so(tmp_path: Path) -> None:
    empty = Store.open(tmp_path, f"sqlite:///{tmp_path / 'mlflow.db'}")
    with pytest.raises(StoreError, match=r"got an empty store\. Train something first\."):
        find(empty, "last")


def test_a_folder_without_a_record_is_refused_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        opened(tmp_path / "mlruns")
    assert str(caught.value) == (
        f"record store {tmp_path / 'mlruns'}: expected a folder with runs in mlflow.db, got none. Name it "
        f"with "
        "--root FOLDER, or train something first."
    )
    assert list(tmp_path.iterdir()) == []
