"""What a run does not import, and that whatever asks for it gets the real thing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_SECONDS = 240
# The compiler and what it brings, statistics and networks: a third of the CPU time of a short run's imports.
UNUSED = (
    *("torch._dynamo.symbolic_convert", "torch._inductor.utils", "sympy", "scipy.signal.windows"),
    *("scipy.stats._stats_py", "torchvision.models.resnet"),
)
UNUSED_BY_IMAGES = ("statsmodels", "torch.distributed.fsdp", "torch.distributed.tensor")


def told(program: str, *arguments: str) -> str:
    """The last line that a new Python prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    return done.stdout.splitlines()[-1]


def test_a_recorded_run_imports_no_compiler(tmp_path: Path) -> None:
    program = """if True:
        import json, sys
        from seedbed.cli.command import main
        root, unused = sys.argv[1], json.loads(sys.argv[2])
        sys.argv = ["seedbed", "train", "model=mlp", "trainer.max_epochs=1", "evaluate_test=true"]
        sys.argv += ["track.root=" + root, "track.pictures=false"]
        try:
            main()
        except SystemExit:
            looked_up_once = "_dynamo" in vars(sys.modules["torch"])
            print([name for name in unused if name in sys.modules], looked_up_once)
    """
    unused = json.dumps([*UNUSED, *UNUSED_BY_IMAGES])
    assert told(program, str(tmp_path), unused) == "[] True"


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        # The real compiler graph-breaks and disables as before, and has been told what was set meanwhile.
        ("torch.compile(lambda x: x + 1, backend='eager')(torch.zeros(1)).item()", "1.0"),
        ("torch._inductor.config.deterministic", "True"),
        ("torch._dynamo.config.__name__", "torch._dynamo.config"),
        ("len(scipy.signal.fftconvolve([1, 2], [3, 4]))", "3"),
        (
            "importlib.import_module('torch._dynamo.symbolic_convert').__name__",
            "torch._dynamo.symbolic_convert",
        ),
        ("sys.modules['torch._dynamo'].symbolic_convert.__name__", "torch._dynamo.symbolic_convert"),
        ("scipy.stats.norm.cdf(0).item()", "0.5"),
        ("importlib.import_module('scipy.stats.qmc').Sobol.__name__", "Sobol"),
        ("importlib.import_module('sklearn.metrics._ranking').rankdata([3, 1]).tolist()", "[2.0, 1.0]"),
        ("torchvision.models.resnet18.__name__", "resnet18"),
        ("importlib.import_module('torchmetrics.functional.image.arniqa').resnet50.__name__", "resnet50"),
        ("torch._dynamo.utils.counters.__class__.__name__", "defaultdict"),
    ],
)
def test_whatever_is_asked_of_a_module_that_was_put_off_is_the_real_ones_answer(
    ask: str, answer: str
) -> None:
    program = """if True:
        import importlib, sys, warnings
        from seedbed import lean
        lean.put_off()
        import scipy.signal, torch, torchvision, pytorch_lightning
        weight = torch.nn.Parameter(torch.ones(2))
        optimizer = torch.optim.SGD([weight], lr=0.5)
        optimizer.zero_grad()
        weight.sum().backward()
        optimizer.step()
        torch.use_deterministic_algorithms(True)
        assert weight.tolist() == [0.5, 0.5]
        assert "sympy" not in sys.modules
        warnings.simplefilter("ignore")
        print(eval(sys.argv[1]))
    """
    assert told(program, ask) == answer


def test_what_is_loaded_already_stays(tmp_path: Path) -> None:
    program = """if True:
        import scipy.signal, sys
        from seedbed import lean
        real = sys.modules["scipy.signal"]
        lean.put_off()
        lean.put_off()
        print(sys.modules["scipy.signal"] is real, sum(type(one) is lean.Within for one in sys.meta_path))
    """
    assert told(program, str(tmp_path)) == "True 1"
