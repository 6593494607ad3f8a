"""The rows of the table: every command of either side."""

from experiments.speed.contest import Contest, Figure, Row, Side

RECORD = "track.root={scratch}/mlruns"
# What is timed is the run: figures are drawn after it.
PLAIN = "track.pictures=false"
MNIST = ("data=mnist", "data.root={mnist}")


def _ours(subject: str, *overrides: str) -> Side:
    return Side("ours", ("-m", "experiments.speed.ours", subject, *overrides, RECORD))


def _seedbed(*arguments: str, expected_code: int = 0) -> Side:
    return Side("ours", ("-m", "seedbed", *arguments), expected_code)


def _peer(module: str, *arguments: str) -> Side:
    return Side(module, ("-m", f"experiments.speed.{module}", *arguments))


def _steps(
    model: str, batch_size: int, goal: float | None, *, epochs: int = 4, layout: str = "contiguous_format"
) -> Contest:
    """Epochs of both in a warm process; half the images for the CNN, whose steps are dear."""
    half = model == "cnn"
    data = ("data.num_folds=2", "data.fold=0") if half else ()
    plain = ("optimizer=sgd", "optimizer.lr=0.1", "optimizer.momentum=0", "schedule=constant")
    ours = _ours(
        "epochs",
        *(*MNIST, f"model={model}", f"data.batch_size={batch_size}", "data.val_fraction=0", *data, *plain),
        *("evaluate_test=true", f"trainer.max_epochs={epochs}"),
    )
    examples = 30_000 if half else 60_000
    numbers = (str(number) for number in (batch_size, epochs, examples))
    title = f"{model} b{batch_size}" + (", the peer channels_last, too" if layout == "channels_last" else "")
    return Contest(
        title,
        (ours, _peer("plain_loop", "{mnist}", model, *numbers, layout)),
        (Figure(title, "epoch", goal),),
        reached="accuracy",
        margin=0.05 if half else 0.02,  # after so few steps of plain SGD seeds scatter
        needs=("mnist",),
    )


STEPS = Row(
    1,
    "a training step, its epoch's metrics, record and checkpoint included, against the plain loop",
    5,
    (
        _steps("softmax", 128, 1.5, epochs=7),
        _steps("mlp", 128, 1.25),
        _steps("mlp", 1024, 1.1),
        _steps("cnn", 128, 1.05, epochs=3),
        _steps("cnn", 128, None, epochs=3, layout="channels_last"),
    ),
)

EPOCH = Row(
    2,
    "one MNIST epoch of the MLP, validation included, against Lightning as its docs show",
    3,
    (
        Contest(
            "mlp epoch",
            (
                _ours("epochs", *MNIST, "model=mlp", "data.standardize=true", "trainer.max_epochs=3"),
                _peer("lightning_docs", "{mnist}", "3", "{scratch}"),
            ),
            (Figure("54,000 images of training, 6,000 of validation, batch 128", "epoch", 0.12),),
            reached="accuracy",
            margin=0.03,
            needs=("mnist",),
        ),
    ),
)

START = Row(
    3,
    "process start to first step with everything on record, against the same stack imported naively",
    5,
    (
        Contest(
            "start",
            (
                Side("ours", ("-m", "experiments.speed.first_step", "trainer.max_epochs=1", PLAIN, RECORD)),
                _peer("naive_start", "folder={scratch}"),
            ),
            (
                Figure("to the first step", "first step", 0.5),
                Figure("the whole command, an epoch of digits", "process", None),
            ),
        ),
    ),
)


def _moment(title: str, *arguments: str, expected_code: int = 0) -> Contest:
    figure = Figure(title, "process", 0.6, "seconds")
    return Contest(title, (_seedbed(*arguments, expected_code=expected_code),), (figure,), imports=True)


MOMENTS = Row(
    4,
    "help, a refusal, a plan: CPU seconds, and no torch",
    5,
    (
        _moment("seedbed --help", "--help"),
        _moment("seedbed train --help", "train", "--help"),
        _moment("a misspelt key", "train", "modle=cnn", expected_code=2),
        _moment("a value of the wrong type", "train", "seed=many", expected_code=2),
        _moment("seedbed train -m --plan, 5 seeds", "train", "-m", "seed=range(0,5)", "--plan", RECORD),
    ),
)

SHORT = ("data=digits", "model=softmax", "trainer.max_epochs=3", PLAIN, RECORD)
MULTIRUN = Row(
    5,
    "a multirun of 64 short jobs against one",
    3,
    (
        Contest(
            "64 jobs",
            (
                _seedbed("train", "-m", *SHORT, "seed=range(0,64)"),
                Side("one job", _seedbed("train", *SHORT).arguments),
            ),
            (Figure("64 seeds of softmax on digits, 3 epochs", "process", 1.5),),
        ),
    ),
)

TEN = (*MNIST, "model=mlp", "trainer.max_epochs=10")
TRACKING = Row(
    6,
    "tracking (every epoch's metrics, system metrics, model) against no tracking, MNIST MLP of 10 epochs",
    3,
    (
        Contest(
            "command",
            (
                _seedbed("train", *TEN, PLAIN, RECORD),
                Side("untracked", _ours("alone", *TEN).arguments),
            ),
            (Figure("the whole command", "process", 1.05),),
            needs=("mnist",),
        ),
        Contest(
            "warm",
            (_ours("tracked", *TEN), Side("untracked", _ours("untracked", *TEN).arguments)),
            (Figure("the run, in a process that is warm", "run", None),),
            needs=("mnist",),
        ),
    ),
)

OPTIMUM = Row(
    7,
    "softmax regression on MNIST (60,000) to scikit-learn's own end objective, one thread each",
    3,
    (
        Contest(
            "optimum",
            (
                _ours(
                    "optimum",
                    *(
                        *MNIST,
                        "data.val_fraction=0",
                        "data.batch_size=null",
                        "objective.l2=0.0016666666666666668",
                        "data.centred=true",
                    ),
                    *(
                        "optimizer=lbfgs",
                        "schedule=constant",
                        "trainer.max_epochs=1",
                        "optimizer.tolerance_grad=1e-4",  # scikit-learn's own
                    ),
                ),
                _peer("scikit", "{mnist}"),
            ),
            (Figure("C = 0.01", "fit", 0.35),),
            reached="objective",
            margin=1e-6,
            no_worse=True,
            needs=("mnist",),
        ),
    ),
)


def _photographs(name: str, goals: tuple[float | None, float | None], *overrides: str) -> Contest:
    folder = ("data=image_folder", "data.root={photographs}/train", "data.cache_dir={scratch}/cache")
    held = ("data.test_fraction=0", "data.val_fraction=0", "optimizer=sgd", "optimizer.lr=0.01")
    # Two threads would wait for each other: files as small as these hold Python's lock most of the time.
    fit = ("data.num_workers=1", "optimizer.momentum=0", "schedule=constant", "trainer.max_epochs=3")
    ours = (*folder, *held, *fit, *overrides)
    return Contest(
        name,
        (_ours("epochs", *ours), _peer("photographs", "{photographs}/train", "3")),
        (
            Figure(f"{name}: first epoch", "first epoch", goals[0]),
            Figure(f"{name}: a later epoch", "epoch", goals[1]),
        ),
        reached="accuracy",
        margin=0.05,
        needs=("photographs",),
    )


PHOTOGRAPHS = Row(
    8,
    "50,000 photographs of `image_folder` against torchvision's ImageFolder and DataLoader",
    3,
    (
        _photographs("streamed", (0.6, 0.1), "data.memory_limit_gib=0"),
        _photographs("decoded once", (0.6, 0.1)),
    ),
)


def _memory(name: str, command: tuple[str, ...], goal: float | None) -> Contest:
    """The peak of a command on MNIST, less that on the first few hundred of its images."""
    tiny = tuple(word.replace("{mnist}", "{tiny}").replace("60000", "500") for word in command)
    return Contest(
        name,
        (Side("ours", command), Side("on 500 images", tiny)),
        (
            Figure(
                f"{name}: peak beyond that on 500 images, in sizes of the data", "process", goal, "data sizes"
            ),
        ),
        needs=("mnist",),
    )


MEMORY = Row(
    9,
    "peak memory against the data set's bytes",
    3,
    (
        _memory("seedbed train", ("-m", "seedbed", "train", *MNIST, "trainer.max_epochs=1", RECORD), 1.5),
        _memory(
            "the plain loop",
            (
                "-m",
                "experiments.speed.plain_loop",
                "{mnist}",
                *["softmax", "128", "3", "60000", "contiguous_format"],
            ),
            None,
        ),
    ),
)

ROWS = (STEPS, EPOCH, START, MOMENTS, MULTIRUN, TRACKING, OPTIMUM, PHOTOGRAPHS, MEMORY)
