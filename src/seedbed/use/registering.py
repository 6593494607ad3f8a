"""A run's model as a version in MLflow's registry, ready for `mlflow models serve`."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from seedbed.errors import StoreError
from seedbed.predictor import DESCRIPTION
from seedbed.track import registered
from seedbed.track.telling import told
from seedbed.use import served
from seedbed.use.inputs import is_of_images, rule_of
from seedbed.use.trained import FOLDER, Trained

# Beside the run's own model, which stays as it was sealed.
NAME = "served"
# What MLflow takes, as far as it can be typed without quotes.
NAMES, ALIASES = re.compile(r"\w[\w.-]{0,200}", re.ASCII), re.compile(r"[A-Za-z][\w-]{0,200}", re.ASCII)
RESERVED = re.compile(r"v\d+|latest", re.IGNORECASE)
PORT = 5001
SEND = f"curl http://127.0.0.1:{PORT}/invocations -H 'Content-Type: application/json' -d"
HEADLINES = ("test/accuracy", "best_val/accuracy")


class Registered(NamedTuple):
    """A version in the registry.

    Args:
        name: of the registered model.
        version: from 1.
        alias: that points to it now; None: none was asked for.
        uri: what other programs load.
        takes_files: whether it takes image files as base64, beside arrays.
        shape: axes of one raw input.
        example: a request as its server takes it, JSON.
    """

    name: str
    version: str
    alias: str | None
    uri: str
    takes_files: bool
    shape: tuple[int, ...]
    example: str


def register(model: Trained, name: str, alias: str | None) -> Registered:
    """Makes a new version of a registered model, itself made where it is missing.

    The version is a copy of the run's model with the code of now: for images it also takes files.

    Args:
        model: of a run.
        name: of the registered model.
        alias: moved to this version; None: none.

    Raises:
        StoreError: for a name or alias that MLflow does not take, or a store without a registry.
    """
    _check(name, alias)
    store, takes_files = model.subject.store, is_of_images(model)
    do = "See to the store, or choose another name: --name NAME."
    with TemporaryDirectory() as scratch, told(f"registered model {name!r}", do=do):
        folder = _copied(model, Path(scratch) / "predictor")
        target = Path(scratch) / NAME
        target.mkdir()
        registered.write(target, folder, run_id=model.run_id, takes_files=takes_files)
        logged = _logged(model, target)
        _make(store.client, name)
        # By its place: `models:/ID` would be looked up in the store that MLflow's global state names.
        version = store.client.create_model_version(
            name,
            logged.artifact_location,
            run_id=model.run_id,
            model_id=logged.model_id,
            description=_described(model),
        )
        if alias is not None:
            store.client.set_registered_model_alias(name, alias, version.version)
        example = (target / "serving_input_example.json").read_text()
    uri = f"models:/{name}@{alias}" if alias else f"models:/{name}/{version.version}"
    return Registered(name, str(version.version), alias, uri, takes_files, model.predictor.raw_shape, example)


def _check(name: str, alias: str | None) -> None:
    if not NAMES.fullmatch(name):
        raise StoreError(
            f"--name {name}",
            expected="letters, digits, _, - and .",
            got=repr(name),
            do="Choose another, such as digits-cnn.",
        )
    if alias is not None and (not ALIASES.fullmatch(alias) or RESERVED.fullmatch(alias)):
        raise StoreError(
            f"--alias {alias}",
            expected="a letter, then letters, digits, _ and -; neither latest nor v1, v2, ...",
            got=repr(alias),
            do="Choose another, such as champion.",
        )


def _copied(model: Trained, folder: Path) -> Path:
    """The predictor's files, with what only the job or a calibration knows in its description."""
    files = model.subject.files
    own = files[f"{FOLDER}/{DESCRIPTION}"].parent
    shutil.copytree(own, folder)
    described = json.loads((own / DESCRIPTION).read_text()) | {"temperature": model.predictor.temperature}
    if is_of_images(model):
        described |= {"loader": served.__name__, served.RULE: rule_of(model)._asdict()}
    (folder / DESCRIPTION).write_text(json.dumps(described, indent=2) + "\n")
    return folder


def _logged(model: Trained, target: Path) -> Any:
    """The copy as a logged model of the run, MLflow's own."""
    client, run = model.subject.store.client, model.subject.run
    entity = client.create_logged_model(
        run.info.experiment_id, NAME, source_run_id=model.run_id, model_type="classifier"
    )
    status = "FAILED"
    try:
        client.log_model_artifacts(entity.model_id, str(target))
        status = "READY"
    finally:
        client.finalize_logged_model(entity.model_id, status)
    return entity


def _make(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _described(model: Trained) -> str:
    member = model.subject.member
    known = [name for name in HEADLINES if name in member.metrics]
    said = ", ".join(f"{name} {member.metrics[name]:.4f}" for name in known)
    temperature = model.predictor.temperature
    divided = f"; logits divided by {temperature:.4f}" if temperature != 1 else ""
    return f"{member.name} (run {member.run_id}): {said or 'no accuracy on record'}{divided}"


def _path() -> str:
    """Where a shell finds no `mlflow`, or MLflow no `uvicorn`, because this environment is not active."""
    if shutil.which("mlflow") and shutil.which("uvicorn"):
        return ""
    return f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH "


def how_to_serve(done: Registered, address: str) -> str:
    """What to type to serve a version, and to ask its server.

    Args:
        done: the version.
        address: of the store, as a shell takes it.
    """
    what = f"-m {done.uri} --env-manager local --port {PORT}"
    serve = f"{_path()}MLFLOW_TRACKING_URI={address} mlflow models serve {what}"
    if not done.takes_files:
        rows = f"Ask it, with rows of {done.shape[0]} columns in the order of the run's data:"
        return f"Serve it:\n  {serve}\n{rows}\n  {SEND} '{done.example}'"
    file, pixels = (
        """'{"inputs": ["'$(base64 -w0 FILE.png)'"]}'""",
        """'{"inputs": [[[[0, 1, ...], ...]], ...]}'""",
    )
    ask = "Ask it, with image files or with pixels, any number at once:"
    return f"Serve it:\n  {serve}\n{ask}\n  {SEND} {file}\n  {SEND} {pixels}   each of shape {done.shape}"
