"""The command line's words become one config, or a refusal that names key and value."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import DictConfig, OmegaConf

from seedbed import config

CONF = config.folder()
OPTIONS = [(group, option) for group, options in config.SCHEMAS.items() for option in options]
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
LIMIT_SECONDS = 60

Compose = Callable[..., DictConfig]


@pytest.fixture
def composed() -> Iterator[Compose]:
    """Composes `conf/train.yaml` with overrides, as the command line does."""
    config.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda *overrides: compose("train", list(overrides))


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_with_the_defaults(composed: Compose, group: str, option: str) -> None:
    chosen = composed(f"{group}={option}")[group]
    assert OmegaConf.get_type(chosen) is config.SCHEMAS[group][option]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_composes_and_resolves(composed: Compose, experiment: str) -> None:
    resolved = OmegaConf.to_container(
        composed(f"experiment={experiment}"), resolve=True, throw_on_missing=True
    )
    assert isinstance(resolved, dict)
    assert set(resolved) == {item.name for item in fields(config.Root)}


def test_an_experiment_wins_over_the_root_file(composed: Compose, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "probe.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /model: mlp\n\nseed: 5\nmodel:\n  dropout: 0.25\n"
    )
    probe = composed("experiment=probe", f"hydra.searchpath=[file://{tmp_path}]")
    assert probe.seed == 5
    assert probe.model.dropout == 0.25
    assert composed("experiment=probe", f"hydra.searchpath=[file://{tmp_path}]", "seed=6").seed == 6


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("modle=cnn", ["'modle'"]),
        ("model=cnnn", ["model/cnnn", "softmax", "one_vs_rest", "resnet9"]),
        ("experiment=demmo", ["experiment/demmo", "demo"]),
        ("optimizer.lrr=0.1", ["'optimizer.lrr'", "AdamwOptimizer"]),
        ("model.dropout=0.5", ["'model.dropout'"]),
        ("sead=1", ["'sead'"]),
        ("optimizer.lr=fast", ["optimizer.lr=fast", "'fast'", "Float"]),
        ("seed=1.5", ["seed=1.5", "'1.5'", "Integer"]),
        ("data.batch_size=many", ["data.batch_size=many", "'many'", "Integer"]),
        ("data.standardize=maybe", ["data.standardize=maybe", "maybe", "bool"]),
        ("optimizer.betas=[0.9,x]", ["optimizer.betas=[0.9,x]", "'x'", "Float"]),
    ],
)
def test_a_mistake_is_refused_while_composing_by_key_and_value(
    composed: Compose, override: str, parts: list[str]
) -> None:
    with pytest.raises((ConfigCompositionException, MissingConfigException)) as caught:
        composed(override)
    told = f"{caught.value} {caught.value.__cause__}"
    assert [part for part in parts if part not in told] == [], told


def test_composing_and_resolving_do_not_import_torch() -> None:
    program = """if True:
        import sys
        from hydra import compose, initialize_config_dir
        from seedbed import composing, config

        config.register()
        with initialize_config_dir(str(config.folder()), version_base="1.3"):
            composed = compose("train", ["model=mlp"])
            composing.resolve(composed, {"model": "mlp"}, composed, [], "")
        print(sorted({"torch", "numpy", "sklearn", "mlflow", "pytorch_lightning"} & set(sys.modules)))
    """
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS
    )
    assert told.stdout.strip() == "[]"
