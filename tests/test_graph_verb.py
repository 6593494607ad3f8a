"""`seedbed graph` as users meet it: files, bytes, words, refusals."""

import filecmp
from pathlib import Path

import pytest
from click.testing import CliRunner

from seedbed.cli.graphing import graph
from seedbed.errors import ConfigError

FILES = ["autograd.csv", "autograd.svg", "graph.csv", "graph.svg", "layers.csv"]


def told(*arguments: str) -> str:
    return CliRunner().invoke(graph, list(arguments), catch_exceptions=False).stdout


def test_the_same_command_writes_the_same_bytes(tmp_path: Path) -> None:
    command = ("model=logistic", "objective.l2=0.1", "seed=3")
    first, second = tmp_path / "a" / "b", tmp_path / "c"
    said = told(*command, "--out", str(first))
    assert said.replace(str(first), str(second)) == told(*command, "--out", str(second))
    assert sorted(path.name for path in first.iterdir()) == FILES
    assert filecmp.cmpfiles(first, second, FILES, shallow=False) == (FILES, [], [])
    assert said.startswith("logistic on chd, n = 33\n")
    assert f"Open {first}/graph.svg; beside it are autograd.svg, and all numbers as .csv\n" in said
    assert "objective 0." in said
    assert (first / "layers.csv").read_text() == (
        "layer,what,output,parameters,multiply-adds\nlinear,z = W x + b,1,2,1\nall,,,2,1\n"
    )


def test_another_seed_gives_other_numbers(tmp_path: Path) -> None:
    assert told("model=logistic", "--out", str(tmp_path)) != told(
        "model=logistic", "seed=1", "--out", str(tmp_path)
    )


@pytest.mark.parametrize(
    ("arguments", "said", "total"),
    [
        (("model=softmax",), "softmax on digits, n = 64", "650"),
        (("model=mlp", "data=breast_cancer"), "mlp on breast_cancer, n = 64", "41,090"),
        (
            ("model=resnet9", "model.width=4"),
            "resnet9 on random images of 3 × 32 × 32, 10 classes, n = 2",
            "26,350",
        ),
        (
            ("model=cnn", "--shape", "3,32,32", "--classes", "7", "data.batch_size=5"),
            "cnn on random images of 3 × 32 × 32, 7 classes, n = 5",
            "353,831",
        ),
    ],
)
def test_the_table_alone_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str, total: str
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = told(*arguments, "--table").splitlines()
    assert lines[0] == said
    assert lines[-2].split()[1] == "all"
    assert total in lines[-2].split()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (("model=mpl",), "model: expected one of .*mlp.*, got 'mpl'. Did you mean mlp?"),
        (
            ("model=mlp", "model.hiden_features=[3]"),
            "model.hiden_features: expected a key of the chosen options",
        ),
        (
            ("model=softmax,mlp",),
            "model: expected one value, got several in 'model=softmax,mlp'. Give one of them.",
        ),
        (("model=logistic", "data=digits"), "model: expected two classes for a model with one logit"),
        (("model=mlp", "model.dropout=2"), r"model.dropout: expected a probability in \[0, 1\), got 2.0."),
        (
            ("data=image_folder",),
            "data.root: expected folder of class folders.*, got nothing. Add data.root=VALUE.",
        ),
        (
            ("--classes", "7"),
            "--classes: expected --shape beside it, got 7. Add --shape 3,224,224, or leave it out",
        ),
        (
            ("--shape", "3xx"),
            "--shape: expected CHANNELS,HEIGHT,WIDTH, got '3xx'. Such as --shape 3,224,224.",
        ),
        (
            ("--shape", "3,9,9", "data=digits"),
            "--shape: expected no data or experiment beside it, got data=digits.",
        ),
        (
            ("model=alexnet", "--shape", "3,9,9"),
            "model=alexnet: expected images of at least 63x63 pixels, got 9x9.",
        ),
        (("seed=-1",), "seed: expected 0 or more, got -1."),
        (("just words",), "argument 'just words': expected GROUP=OPTION or KEY=VALUE"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_drawn_is_refused_in_one_paragraph(arguments: tuple[str, ...], refused: str) -> None:
    with pytest.raises(ConfigError, match=f"^{refused}"):
        told(*arguments)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(
        ConfigError, match=r"^--out .*taken: expected a folder that can be written, got File exists"
    ):
        told("model=logistic", "--out", str(tmp_path / "taken"))
