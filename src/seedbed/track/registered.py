"""A predictor's folder as an MLflow model of a run, that runs without this repository.

The folder that MLflow's `pyfunc` reads is written here file by file: MLflow's own function for it
starts a process to guess the requirements and copies whole packages. What a predictor's folder must
hold is two plain files beside its own: `predictor.json` with the keys `loader`, `network` and
`class_names`, and `example.npy`, a batch of raw inputs.
"""

import json
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seedbed.track.sources import distributions, needed

NAME = "model"


def log(client: Any, run_id: str, folder: Path) -> str:
    """Adds a model to the run, READY where all of it arrived, else FAILED.

    A run has one model: what a process that was killed left of it is completed, not made twice.

    Args:
        client: an `mlflow.MlflowClient`.
        run_id: the run that made it.
        folder: what `write` wrote.

    Returns:
        MLflow's id: `models:/ID` loads it, and `runs:/RUN/model` too.
    """
    from mlflow.entities import LoggedModelOutput

    run = client.get_run(run_id)
    linked = {output.model_id for output in run.outputs.model_outputs} if run.outputs else set()
    entity = _begun(client, run)
    if entity.model_id in linked and str(entity.status) == "READY":
        return str(entity.model_id)
    status = "FAILED"
    try:
        client.log_model_artifacts(entity.model_id, str(folder))
        if entity.model_id not in linked:
            client.log_outputs(run_id, [LoggedModelOutput(entity.model_id, step=0)])
        status = "READY"
    finally:
        client.finalize_logged_model(entity.model_id, status)
    return str(entity.model_id)


def _begun(client: Any, run: Any) -> Any:
    """The run's model, made where it is missing."""
    experiment_id, run_id = run.info.experiment_id, run.info.run_id
    found = client.search_logged_models([experiment_id], filter_string=f"source_run_id = '{run_id}'")
    ours = [entity for entity in found if entity.name == NAME]
    if ours:
        return ours[0]
    return client.create_logged_model(experiment_id, NAME, source_run_id=run_id, model_type="classifier")


def write(target: Path, folder: Path, *, run_id: str | None = None, takes_files: bool = False) -> None:
    """Writes the MLflow model of a predictor's folder into an empty folder.

    The store gives the model its id, later than this: it stands in the store and not in `MLmodel`.

    Args:
        target: empty.
        folder: the predictor's.
        run_id: the run that made it; None: none.
        takes_files: whether its loader also takes encoded files as texts. MLflow then lets any input
            through, and the loader alone refuses what does not fit.
    """
    import numpy as np
    from mlflow.models import Model

    told = json.loads((folder / "predictor.json").read_text())
    example = np.load(folder / "example.npy")
    shutil.copytree(folder, target / "data")
    modules = needed({told["loader"], told["network"]["_target_"].rpartition(".")[0]})
    _copy_sources(target / "code", modules)
    requirements = distributions(modules, also=told.get("requires", []))
    (target / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements))
    environment = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    (target / "python_env.yaml").write_text(json.dumps(environment, indent=2) + "\n")
    model = Model(run_id=run_id, artifact_path=NAME)
    model.signature = _signature(example, told["class_names"], takes_files=takes_files)
    model.saved_input_example_info = _write_example(target, example)
    model.add_flavor(
        "python_function",
        loader_module=told["loader"],
        python_version=platform.python_version(),
        data="data",
        code="code",
        env={"virtualenv": "python_env.yaml"},
    )
    model.model_size_bytes = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    model.save(target / "MLmodel")


def _signature(example: Any, class_names: list[str], *, takes_files: bool) -> Any:
    """Raw inputs in, any number of them; one probability a class out, under the class's name.

    A tensor for tables too: MLflow then takes a pandas row of whole numbers and of fractions alike,
    which it refuses for columns of the type double. Columns count by place.
    """
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec

    # The one specification that fits arrays and texts alike.
    anything = TensorSpec(np.dtype("O"), (-1,))
    inputs = Schema([anything if takes_files else TensorSpec(example.dtype, (-1, *example.shape[1:]))])
    return ModelSignature(inputs, Schema([ColSpec(DataType.double, name) for name in class_names]))


def _write_example(target: Path, example: Any) -> dict[str, Any]:
    """The example as MLflow reads it, and as a server takes it."""
    plain = example.tolist()
    (target / "input_example.json").write_text(json.dumps(plain))
    (target / "serving_input_example.json").write_text(json.dumps({"inputs": plain}))
    return {
        "artifact_path": "input_example.json",
        "serving_input_path": "serving_input_example.json",
        "type": "ndarray",
    }


def _copy_sources(target: Path, modules: Mapping[str, Path]) -> None:
    for name, source in modules.items():
        path = target.joinpath(*name.split("."))
        path = path / "__init__.py" if source.name == "__init__.py" else path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
