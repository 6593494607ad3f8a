"""What the processes of `kills` find imported; MLflow and its database warn of their own types."""

import importlib
import warnings

with warnings.catch_warnings(action="ignore"):
    for name in (
        "seedbed.train",
        "mlflow.store.tracking.sqlalchemy_store",
        "mlflow.models",
        "torch._dynamo",
        "tests.kills",
    ):
        importlib.import_module(name)
