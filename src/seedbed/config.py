"""Types of every key, one line of meaning each; the values live in `conf/`.

No field has a default: "what is the default?" has one answer, the YAML. A key marked as
circumstance (where files lie, how many processes, what is recorded) cannot move a result and stays
out of the config's signature.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

# What a configuration file may name: code that builds ingredients, nothing that runs commands.
ALLOWED_TARGETS = (
    "seedbed.",
    "torch.optim.",
    "torch.optim.lr_scheduler.",
    "pytorch_lightning.",
    "torchmetrics.",
    "torchvision.",
    "sklearn.preprocessing.",
    "sklearn.kernel_approximation.",
)


def key(meaning: str, *, circumstance: bool = False) -> Any:
    return field(default=MISSING, metadata={"meaning": meaning, "circumstance": circumstance})


@dataclass
class Target:
    _target_: str = key("dotted path of the class or function that these keys are given to")


@dataclass
class Partial(Target):
    _partial_: bool = key("true: called later, with what only exists at run time")


@dataclass
class Data(Target):
    batch_size: int | None = key("examples an optimiser step over all processes; null: all of them")
    val_fraction: float = key("share of the training examples held out for validation, in [0, 1)")
    num_folds: int | None = key("stratified folds of the examples open to training, 2 or more; null: none")
    fold: int | None = key("the fold, from 0, that is this run's test split, in place of the data's own")
    num_inner_folds: int | None = key("folds that the other examples are dealt into again; null: none")
    inner_fold: int | None = key("the inner fold, from 0, that validates, not val_fraction's cut; null: none")
    standardize: bool = key("subtract the mean, divide by the standard deviation of the training split")


@dataclass
class TableData(Data):
    test_fraction: float = key("share of the examples kept as the fixed test split, in [0, 1)")


@dataclass
class ImageData(Data):
    crop_padding: int = key("pixels of zero padding before a random crop to the old size; 0: no crop")
    flip: bool = key("mirror each training image left to right with probability one half")
    centred: bool = key(
        "subtract each pixel's training mean; optimizer=lbfgs then needs half the evaluations"
    )


@dataclass
class DigitsData(ImageData):
    test_fraction: float = key("share at the end of the file kept as the test split, in [0, 1)")


@dataclass
class PublishedData(ImageData):
    dataset: str = key("name of the torchvision class that reads the files")
    root: str = key("folder that holds the files, in torchvision's layout", circumstance=True)
    download: bool = key("fetch missing files from the publisher", circumstance=True)


@dataclass
class ImageFolderData(ImageData):
    root: str = key("folder of class folders, or of `train` and `test` with class folders", circumstance=True)
    image_size: int = key("height and width in pixels that every image is resized and cropped to")
    test_fraction: float = key("share of each class kept for test where there is no `test` folder")
    memory_limit_gib: float = key("decoded data above this size is streamed", circumstance=True)
    num_workers: int = key("threads that decode images; 0: the run's own", circumstance=True)
    cache_dir: str = key("folder that keeps decoded images between runs", circumstance=True)


@dataclass
class MlpModel(Target):
    hidden_features: list[int] = key("width of each hidden layer, first to last")
    activation: str = key("relu, tanh, gelu or sigmoid")
    dropout: float = key("probability that a hidden unit is silenced in training, in [0, 1)")


@dataclass
class CnnModel(Target):
    channels: list[int] = key("channels of each convolutional stage, first to last")
    hidden_features: int = key("width of the hidden fully connected layer")
    dropout: float = key("probability that a hidden unit is silenced in training, in [0, 1)")


@dataclass
class Resnet9Model(Target):
    width: int = key("channels of the first convolution; the deepest has eight times as many")
    whitening: bool = key("a fixed first layer that makes the 3x3 patches of the images uncorrelated")


@dataclass
class AlexnetModel(Target):
    variant: str = key("two_groups (Krizhevsky et al. 2012) or torchvision (its single-tower form)")
    dropout: float = key("probability that a hidden unit is silenced in training, in [0, 1)")


@dataclass
class PolynomialFeatures(Target):
    degree: int = key("highest total degree of the products of columns, 1 or more")
    interaction_only: bool = key("only products of distinct columns")
    include_bias: bool = key("a column of ones; the models have a bias of their own")


@dataclass
class RadialFeatures(Target):
    kernel: str = key("rbf: exp(-gamma * squared distance)")
    gamma: float = key("inverse squared width of a basis function, above 0")
    n_components: int = key("number of centres, drawn from the training examples")
    random_state: int = key("seed of the choice of centres")


@dataclass
class SplineFeatures(Target):
    n_knots: int = key("knots a column, 2 or more")
    degree: int = key("degree of the pieces, 0 or more")
    knots: str = key("quantile or uniform")
    include_bias: bool = key("keep the last basis function of each column; the models have a bias")


@dataclass
class SgdOptimizer(Partial):
    lr: float = key("learning rate, above 0")
    momentum: float = key("share of the last update kept, in [0, 1)")
    nesterov: bool = key("look ahead along the momentum")
    weight_decay: float = key("pull of the weights (not the biases) towards 0 a step, times lr")


@dataclass
class AdamwOptimizer(Partial):
    lr: float = key("learning rate, above 0")
    betas: list[float] = key("decay of the running mean of the gradient and of its square")
    eps: float = key("added to the denominator")
    weight_decay: float = key("decoupled pull of the weights (not the biases) towards 0; no ridge penalty")


@dataclass
class LbfgsOptimizer(Partial):
    lr: float = key("first step length tried, above 0")
    max_iter: int = key("iterations an epoch at most")
    history_size: int = key("past updates that shape the step")
    tolerance_grad: float = key("stop when the largest gradient entry is below this")
    tolerance_change: float = key("stop when the objective or the weights change by less than this")
    line_search_fn: str | None = key("strong_wolfe, or null for steps of length lr")


@dataclass
class ConstantSchedule(Partial):
    warmup_steps: int = key("steps over which the learning rate rises linearly from 0")


@dataclass
class CosineSchedule(Partial):
    warmup_steps: int = key("steps over which the learning rate rises linearly from 0")
    final_fraction: float = key("share of the learning rate where the cosine ends, in [0, 1]")


@dataclass
class OneCycleSchedule(Partial):
    warmup_fraction: float = key("share of all steps over which the learning rate rises, in (0, 1)")
    start_fraction: float = key("share of the learning rate at the first step, in (0, 1]")
    final_fraction: float = key("share of the learning rate at the last step, in [0, 1]")


@dataclass
class Trainer:
    max_epochs: int = key("passes over the training split, 1 or more")
    precision: str = key("32-true, 64-true, bf16-mixed or 16-mixed")
    deterministic: bool = key("the same bits twice on the same machine")
    gradient_clip_norm: float | None = key("largest norm of the whole gradient; null: not clipped")
    num_micro_batches: int = key("parts that each process computes of a batch, one by one; 1: all at once")
    compile: bool = key("torch.compile the network; needs a C++ compiler")
    channels_last: bool = key("hold the weights of convolutions with the channels innermost")
    monitor: str = key("validation metric that picks the best checkpoint, such as val/loss")
    checkpoint_every_steps: int | None = key(
        "optimiser steps between checkpoints inside an epoch; null: at its end only", circumstance=True
    )
    accelerator: str = key("cpu, gpu or auto (a GPU where there is one)", circumstance=True)
    strategy: str = key("single, ddp (each process has the model) or fsdp (a shard)", circumstance=True)
    devices: int = key("processes on each machine, one a device", circumstance=True)
    num_nodes: int = key("machines that train together", circumstance=True)
    backend: str | None = key("nccl or gloo carries gradients; null: nccl between GPUs", circumstance=True)
    rendezvous: str | None = key("HOST:PORT where several machines meet; null: one", circumstance=True)
    timeout_minutes: float = key("how long a process waits for the others at most", circumstance=True)
    num_threads: int | None = key("CPU threads inside one operation; null: torch's choice", circumstance=True)
    progress_bar: bool = key("a live line on the terminal", circumstance=True)


@dataclass
class Track:
    root: str = key("folder of the record store", circumstance=True)
    experiment: str = key("MLflow experiment that the run belongs to", circumstance=True)
    run_name: str | None = key("name of the run; null: model, data and seed", circumstance=True)
    parent_run_id: str | None = key("MLflow run of the study; set by a multirun", circumstance=True)
    run_id: str | None = key("MLflow run to continue; set by a study that is resumed", circumstance=True)
    system_metrics: bool = key("CPU, memory and GPU load on the run", circumstance=True)
    log_model: bool = key("the fitted model as an MLflow model on the run", circumstance=True)
    offline: bool = key("record in `root` alone, for a later `seedbed sync`", circumstance=True)
    patience_seconds: float = key(
        "how long the end of a run waits for a record store that is away", circumstance=True
    )
    deliver_seconds: float = key(
        "least time from one delivery to the record store to the next; the last comes at once",
        circumstance=True,
    )


def how(meaning: str) -> Any:
    """A key of a study: it says which runs there are, and moves the result of none."""
    return key(meaning, circumstance=True)


@dataclass
class Place:
    """What a study tells each of its runs; nobody types it."""

    stage: str | None = how("what the run is for: search, finalists, refit, ...; set by a study")
    trial: int | None = how("number of the setting in its search; set by a search")
    replicate: int | None = how("which of its setting's seeds this is; set by a study")


@dataclass
class Study(Place):
    space: dict[str, str] = how(
        "key to its values: a,b or range(0,3) or interval(0.1,1); added to those typed"
    )
    num_seeds: int | None = how("seeds a setting, generated from the root seed; null: the seeds as typed")
    objectives: list[str] = how(
        "metrics that settings are judged by; several with study=multi_objective only"
    )
    max_failures: int | None = how("failed runs beyond which no more are started; null: no limit")
    resume: bool = how("true: runs of the same command and code that are on record count")


@dataclass
class ProtocolStudy(Study):
    num_finalists: int | None = how("best settings run again with fresh seeds; null: none, and no refit")
    num_fresh_seeds: int = how(
        "seeds of each finalist, and new ones for the refit, which reads the test split"
    )


@dataclass
class SearchStudy(ProtocolStudy):
    sampler: str = how("quasi_random, random, tpe, cma_es or nsga2: who proposes the next setting")
    num_trials: int = how("settings tried in all, counting those on record")
    pruner: str | None = how("median, hyperband or asha end hopeless settings early; null: none")
    startup_trials: int = how("settings that the median pruner lets pass before it judges")
    warmup_epochs: int = how("epochs of a run before the median pruner judges it")
    reduction_factor: int = how("hyperband and asha keep one in so many at each rung, 2 or more")


@dataclass
class VarianceStudy(Study):
    streams: list[str] = how("random streams that vary one at a time")


@dataclass
class LocalLaunch:
    num_parallel: int = how("runs at a time, 1 or more; several are processes of their own, one a GPU")


@dataclass
class StackedLaunch:
    num_members: int = how("most runs that train as one, 2 or more")
    num_proposed: int = how("settings that a search proposes at a time, 1 or more")


@dataclass
class SlurmLaunch:
    partition: str | None = how("partition that jobs are sent to; null: the cluster's default")
    account: str | None = how("account that is charged; null: the user's default")
    qos: str | None = how("quality of service; null: the cluster's default")
    constraint: str | None = how("features that a node must have, as sbatch takes them; null: none")
    timeout_minutes: int = how("time limit of a job; one that needs longer saves, queues again and goes on")
    memory_gib: float | None = how("memory a node; null: the cluster's default")
    cpus_per_task: int = how("CPU cores of each process of a run")
    array_parallelism: int = how("jobs that run at a time, 1 or more; a search proposes as many at once")
    setup: list[str] = how("shell lines before the job, such as `module load cuda`")
    warning_seconds: int = how("seconds before the time limit at which a job saves and queues again")
    max_requeues: int = how("times that a job may queue again, 0 or more; then it fails")


@dataclass
class Objective:
    l1: float = key("lambda_1 of the penalty lambda_1 ||W||_1 on the mean loss; biases free")
    l2: float = key("lambda_2 of the penalty (lambda_2 / 2) ||W||_2^2 on the mean loss; biases free")
    label_smoothing: float = key("share of each label spread evenly over the classes, in [0, 1)")


@dataclass
class Pinned:
    split: int | None = key("root seed whose split stream cuts validation and deals the folds; null: seed")
    init: int | None = key("root seed whose init stream draws the first weights; null: seed")
    order: int | None = key("root seed whose order stream shuffles the examples; null: seed")
    augmentation: int | None = key("root seed whose augmentation stream crops and flips; null: seed")
    dropout: int | None = key("root seed whose dropout stream silences units; null: seed")


@dataclass
class Root:
    seed: int = key("root of all random streams, 0 or more")
    evaluate_test: bool = key("read the test split once, with the best checkpoint")
    objective: Objective = field(default_factory=Objective)
    streams: Pinned = field(default_factory=Pinned)
    data: Any = key("the soil: where examples come from and how they are batched")
    features: Any = key("optional map of the inputs of a linear model; null: none")
    model: Any = key("the seed: a network from inputs to logits")
    optimizer: Any = key("how a gradient becomes a step")
    schedule: Any = key("how the learning rate changes from step to step")
    trainer: Any = key("how long, how exactly, on which device")
    track: Any = key("where the record goes and how much of it")
    study: Any = key("how several runs become one study; without -m it has no effect")
    launch: Any = key("where runs are made, and how many at a time")


# One schema an option: `conf/model/mlp.yaml` starts from SCHEMAS["model"]["mlp"].
SCHEMAS: Mapping[str, Mapping[str, type]] = {
    "data": {
        "digits": DigitsData,
        "breast_cancer": TableData,
        "chd": TableData,
        "mnist": PublishedData,
        "fashion_mnist": PublishedData,
        "cifar10": PublishedData,
        "cifar100": PublishedData,
        "image_folder": ImageFolderData,
    },
    "model": {
        "logistic": Target,
        "softmax": Target,
        "one_vs_rest": Target,
        "mlp": MlpModel,
        "cnn": CnnModel,
        "resnet9": Resnet9Model,
        "alexnet": AlexnetModel,
    },
    "features": {
        "polynomial": PolynomialFeatures,
        "radial": RadialFeatures,
        "spline": SplineFeatures,
    },
    "optimizer": {"sgd": SgdOptimizer, "adamw": AdamwOptimizer, "lbfgs": LbfgsOptimizer},
    "schedule": {"constant": ConstantSchedule, "cosine": CosineSchedule, "one_cycle": OneCycleSchedule},
    "trainer": {"single": Trainer, "ddp": Trainer, "fsdp": Trainer},
    "track": {"mlflow": Track},
    "study": {
        "grid": ProtocolStudy,
        "quasi_random": SearchStudy,
        "random": SearchStudy,
        "tpe": SearchStudy,
        "cma_es": SearchStudy,
        "multi_objective": SearchStudy,
        "cross_validation": Study,
        "variance": VarianceStudy,
    },
    "launch": {"local": LocalLaunch, "slurm": SlurmLaunch, "stacked": StackedLaunch},
}
ROOT_CHOICES = {"objective": Objective, "streams": Pinned}


def register() -> None:
    """Gives Hydra the schemas, as `/schema/<group>/<option>` and `/schema/train`."""
    store = ConfigStore.instance()
    store.store(group="schema", name="train", node=Root, provider="seedbed.config")
    for group, options in SCHEMAS.items():
        for name, schema in options.items():
            store.store(group=f"schema/{group}", name=name, node=schema, provider="seedbed.config")


def folder() -> Path:
    """The `conf/` folder: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).parent / "conf"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "conf"


def circumstances() -> frozenset[str]:
    """Dotted keys that cannot move a result."""
    return frozenset(
        f"{group}.{item.name}"
        for group, options in SCHEMAS.items()
        for schema in options.values()
        for item in fields(schema)
        if item.metadata.get("circumstance")
    )


def documented_keys() -> Iterator[tuple[str, str, str]]:
    """Every key as (option or group, dotted key, meaning), for the help and the frozen list."""
    for item in fields(Root):
        if item.name in ROOT_CHOICES:
            for sub in fields(ROOT_CHOICES[item.name]):
                yield "", f"{item.name}.{sub.name}", sub.metadata["meaning"]
        elif item.name not in SCHEMAS:
            yield "", item.name, item.metadata["meaning"]
    for group, options in SCHEMAS.items():
        for name, schema in options.items():
            assert is_dataclass(schema)
            for item in fields(schema):
                yield f"{group}={name}", f"{group}.{item.name}", item.metadata["meaning"]
