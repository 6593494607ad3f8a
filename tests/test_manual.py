"""Composition errors as users see them, and a help that teaches, without torch."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from seedbed import config
from seedbed.manual import explain, train_help

CASES = [
    (
        "model=mpl",
        "model: expected one of alexnet, cnn, .*, mlp, .*, got 'mpl'. Did you mean mlp?",
    ),
    ("modle=mlp", "modle: expected a key of the chosen options, .*Did you mean model"),
    ("optimizer.lrr=1", "optimizer.lrr: expected a key of the chosen options, .*Did you mean optimizer.lr"),
    ("optimizer.lr=abc", "optimizer.lr: expected a value of type float, got 'abc'. Give optimizer.lr such"),
    ("seed=null", "seed: expected a value other than null, got 'null'."),
    ("seed=1.5", "seed: expected a value of type integer, got '1.5'."),
    ("experiment=nix", "experiment: expected one of .*demo.*, got 'nix'."),
    ("just words", "argument 'just words': expected GROUP=OPTION or KEY=VALUE, .*seedbed train --help"),
]


@pytest.mark.parametrize(("override", "told"), CASES)
def test_what_does_not_compose_is_told_in_one_paragraph(override: str, told: str) -> None:
    config.register()
    with (
        initialize_config_dir(str(config.folder()), version_base="1.3"),
        pytest.raises(Exception) as caught,  # noqa: PT011 - each case has its own type; the text is the claim
    ):
        compose("train", [override])
    message = str(explain(caught.value, [override]))
    assert "\n" not in message
    assert re.match(told, message), message


def test_the_help_names_every_option_and_every_key() -> None:
    told = train_help()
    for options in config.SCHEMAS.values():
        assert all(option in told for option in options)
    for _, key, meaning in config.documented_keys():
        assert key.endswith(("_target_", "_partial_")) or meaning in told


@pytest.mark.parametrize(
    "arguments", [["train", "--help"], ["--help"], ["train", "model=mpl"], ["train", "-m", "model=mpl,mlp"]]
)
def test_help_and_config_errors_import_neither_torch_nor_mlflow(arguments: list[str], tmp_path: Path) -> None:
    probe = (
        "import sys\nfrom seedbed.cli.command import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'mlflow', 'scipy', 'pytorch_lightning'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        timeout=60,
    )
    assert done.stdout.endswith("HEAVY []\n"), done.stdout + done.stderr
    assert ("Usage" in done.stdout) == ("--help" in arguments)
