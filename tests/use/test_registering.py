"""`seedbed register`: a version in MLflow's registry, which answers files and arrays, over HTTP too."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from urllib3 import PoolManager, Retry

from seedbed.errors import StoreError
from tests.served import RETRIES, free_port
from tests.track.conftest import load_model
from tests.track.test_registered import LoadModel
from tests.use.conftest import Garden

__all__ = ["load_model"]  # a fixture

ROUNDING = 1e-6
SECONDS = 60  # bounds a hang, on a machine that does other things
DIGIT = load_digits().images[4].astype(np.uint8)


def encoded(values: Any) -> str:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def expected(garden: Garden, temperature: float = 1.0) -> Any:
    predictor = garden.predictor("digits")
    predictor.temperature = temperature
    return predictor(torch.from_numpy(DIGIT)[None, None]).numpy()[0]


@pytest.fixture(scope="module")
def told(garden: Garden) -> str:
    """What the verb says of the digits' first version."""
    done = garden.verb("register", garden.ids["digits"], "--name", "digits", "--alias", "champion")
    assert done.exit_code == 0, done.exception
    return done.stdout


def source(garden: Garden, name: str, version: str = "1") -> str:
    return str(garden.store.client.get_model_version_download_uri(name, version))


def test_a_version_knows_its_run_and_the_alias_leads_to_it(garden: Garden, told: str) -> None:
    version = garden.store.client.get_model_version_by_alias("digits", "champion")
    assert (version.version, version.run_id) in [("1", garden.ids["digits"]), (1, garden.ids["digits"])]
    assert version.description.startswith(f"cnn digits 1 (run {garden.ids['digits']}): test/accuracy 0.")
    assert told.startswith("cnn digits 1 is version 1 of digits: models:/digits@champion\n")
    assert f"MLFLOW_TRACKING_URI={garden.store.uri} mlflow models serve -m models:/digits@champion" in told


def test_files_and_arrays_are_answered_alike(garden: Garden, told: str, load_model: LoadModel) -> None:
    model = load_model(source(garden, "digits"))
    text = encoded(DIGIT)
    for given in (np.array([text, text]), DIGIT[None, None], DIGIT[None, None].astype(np.int64)):
        answer = model.predict(given)
        assert list(answer.columns) == [str(digit) for digit in range(10)]
        assert len(answer) == len(given)
        np.testing.assert_allclose(answer.to_numpy()[0], expected(garden), rtol=ROUNDING)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["abc"], "input 0: expected an image file in base64, got"),
        ([encoded(DIGIT), encoded(DIGIT[:7])], "input 1: expected 8x8 pixels, as in training, got 7x8"),
        ([base64.b64encode(b"none").decode()], "input 0: expected an image file that Pillow can read"),
        (np.full((1, 1, 8, 8), 17), "input: expected whole numbers from 0 to 16, got numbers from 17 to 17"),
        (np.full((1, 1, 8, 8), 0.5), "input: expected whole numbers from 0 to 16"),
        (np.full((1, 1, 8, 8), np.nan), "input: expected whole numbers from 0 to 16"),
        (np.zeros((1, 1, 8, 9)), r"input: expected \(any number, 1, 8, 8\), got \(1, 1, 8, 9\)"),
    ],
)
def test_what_does_not_fit_is_told_to_who_asked(
    garden: Garden, told: str, load_model: LoadModel, given: Any, words: str
) -> None:
    from mlflow.exceptions import MlflowException

    model = load_model(source(garden, "digits"))
    with pytest.raises(MlflowException, match=words):
        model.predict(np.asarray(given))


def test_a_second_version_takes_the_alias_and_the_temperature(
    garden: Garden, told: str, load_model: LoadModel
) -> None:
    garden.verb("calibrate", garden.ids["digits"])
    words = ("--name", "digits", "--alias", "candidate", "--calibrated")
    garden.verb("register", garden.ids["digits"], *words)
    done = garden.verb("register", garden.ids["table"], "--name", "digits", "--alias", "candidate")
    assert "is version 3 of digits: models:/digits@candidate\n" in done.stdout
    client = garden.store.client
    assert str(client.get_model_version_by_alias("digits", "candidate").version) == "3"
    assert "; logits divided by " in client.get_model_version("digits", "2").description
    with garden.open("digits", calibrated=True) as model:
        temperature = model.predictor.temperature
    answer = load_model(source(garden, "digits", "2")).predict(DIGIT[None, None])
    np.testing.assert_allclose(answer.to_numpy()[0], expected(garden, temperature), rtol=ROUNDING)


def test_a_table_is_asked_with_rows(garden: Garden, load_model: LoadModel) -> None:
    done = garden.verb("register", garden.ids["mapped"], "--name", "chd")
    assert "is version 1 of chd: models:/chd/1\n" in done.stdout
    assert "Ask it, with rows of 1 columns in the order of the run's data:" in done.stdout
    answer = load_model(source(garden, "chd")).predict(np.array([[50.0]]))
    expected = garden.predictor("mapped")(torch.tensor([[50.0]], dtype=torch.float64)).numpy()
    np.testing.assert_allclose(answer.to_numpy(), expected, rtol=ROUNDING)


@pytest.mark.parametrize(
    ("name", "alias", "words"),
    [
        ("a/b", None, "--name a/b: expected letters, digits, _, - and ., got 'a/b'"),
        ("", None, "--name : expected letters, digits"),
        ("a", "v2", "--alias v2: expected a letter, then letters, .*neither latest nor v1"),
        ("a", "latest", "--alias latest: expected"),
        ("a", "1st", "--alias 1st: expected a letter"),
    ],
)
def test_names_that_no_registry_takes_are_refused(
    garden: Garden, name: str, alias: str | None, words: str
) -> None:
    more = ("--alias", alias) if alias else ()
    done = garden.verb("register", garden.ids["table"], "--name", name, *more)
    assert isinstance(done.exception, StoreError)
    with pytest.raises(StoreError, match=words):
        raise done.exception


@pytest.mark.parametrize("active", [True, False])
def test_a_shell_that_finds_no_mlflow_is_told_where_it_is(
    garden: Garden, monkeypatch: pytest.MonkeyPatch, active: bool
) -> None:
    there = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{there}{os.pathsep}/usr/bin" if active else "/nowhere")
    done = garden.verb("register", garden.ids["table"], "--name", f"table{active:d}")
    (line,) = [line for line in done.stdout.splitlines() if "models serve" in line]
    assert line.startswith(
        "  MLFLOW_TRACKING_URI=" if active else f"  PATH={there}:$PATH MLFLOW_TRACKING_URI="
    )


@contextmanager
def serving(garden: Garden, uri: str, folder: Path) -> Iterator[str]:
    """`mlflow models serve`, as the verb says to type it; its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": garden.store.uri, "PATH": path}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        with PoolManager(retries=Retry(total=RETRIES, backoff_factor=0.1, backoff_max=1)) as pool:
            assert pool.request("GET", f"http://127.0.0.1:{port}/ping").status == 200
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def asked(address: str, body: Any) -> Any:
    """The answer to a request, as any program would make it."""
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body).encode(), head)  # noqa: S310 - ours
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        return json.load(answer)["predictions"]


@pytest.mark.slow
def test_a_server_answers_files_and_arrays_over_http(garden: Garden, told: str, tmp_path: Path) -> None:
    text = encoded(DIGIT)
    with serving(garden, "models:/digits@champion", tmp_path) as address:
        for body in ({"inputs": [text]}, {"instances": [text]}, {"inputs": DIGIT[None, None].tolist()}):
            (answer,) = asked(address, body)
            assert list(answer) == [str(digit) for digit in range(10)]
            np.testing.assert_allclose(list(answer.values()), expected(garden), rtol=ROUNDING)
        with pytest.raises(urllib.error.HTTPError) as refused:
            asked(address, {"inputs": [encoded(DIGIT[:7])]})
        with refused.value as error:
            said = error.read().decode()
    assert refused.value.code == 400
    assert "input 0: expected 8x8 pixels, as in training, got 7x8." in said
    assert str(tmp_path.parent) not in said  # nor where anything lies on the server's machine
