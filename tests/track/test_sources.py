"""What leaves with a model is what it needs, and no more."""

import importlib.metadata

import pytest

from seedbed.track.sources import distributions, needed


def test_imports_are_followed_through_functions_and_up_to_the_package() -> None:
    names = set(needed({"seedbed.track.record"}))
    assert {"seedbed", "seedbed.track", "seedbed.track.record", "seedbed.track.values"} <= names
    assert "seedbed.errors" in names  # only by way of others
    assert not names & {"seedbed.track.record.Record", "seedbed.predictor", "seedbed.config"}


def test_each_module_comes_with_its_own_file() -> None:
    files = needed({"seedbed.track.signature"})
    assert {name: path.name for name, path in files.items()} == {
        "seedbed": "__init__.py",
        "seedbed.track": "__init__.py",
        "seedbed.track.signature": "signature.py",
    }


def test_packages_are_those_imported_at_once_under_the_names_to_install() -> None:
    found = distributions(needed({"seedbed.shapes", "seedbed.track.record"}), also=["scikit-learn"])
    assert found[0] == f"mlflow=={importlib.metadata.version('mlflow')}"
    names = [line.partition("==")[0] for line in found]
    assert {"torch", "jaxtyping", "scikit-learn"} <= set(names)
    assert not {"numpy", "sqlalchemy", "seedbed", "json"} & set(names)  # numpy only inside a function


def test_a_local_build_is_named_by_its_published_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.15.0+cpu")
    assert "torch==2.15.0" in distributions(needed({"seedbed.shapes"}))
