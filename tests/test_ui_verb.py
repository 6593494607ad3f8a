"""`seedbed ui`: the addresses that it prints, without a server."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from seedbed.cli.reading import MODE, NUM_COMPARED, _addresses
from seedbed.track.record import Record
from seedbed.track.store import Store

BASE = "http://127.0.0.1:5000"


def made(store: Store, name: str, parent: str | None = None, stage: str = "") -> Any:
    tags = {"seedbed.stage": stage} if stage else {}
    record = Record.start(store, experiment="e", name=name, params={}, tags=tags, parent_run_id=parent)
    record.finish("FINISHED")
    return store.client.get_run(record.run_id)


def compared(text: str) -> list[str]:
    """The runs of the page that compares them."""
    fragment = urlsplit(text.rpartition(" ")[2]).fragment
    runs: list[str] = json.loads(parse_qs(urlsplit(fragment).query)["runs"][0])
    return runs


def test_an_empty_store_opens_at_its_experiments(tmp_path: Path) -> None:
    assert _addresses(BASE, Store.open(tmp_path)) == f"{BASE}/#/experiments?{MODE}"


def test_a_single_run_opens_at_its_page(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    run = made(store, "alone")
    page = f"{BASE}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}?{MODE}"
    assert _addresses(BASE, store) == page


def test_a_study_opens_at_its_own_page_and_a_search_compares_its_trials(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    study = made(store, "study")
    trials = [made(store, f"t{n}", study.info.run_id, "search") for n in range(NUM_COMPARED + 1)]
    made(store, "after", study.info.run_id, "refit")
    told = _addresses(BASE, store)
    assert told.startswith(f"{BASE}/#/experiments/{study.info.experiment_id}/runs/{study.info.run_id}?")
    assert compared(told) == [run.info.run_id for run in trials[:NUM_COMPARED]]
