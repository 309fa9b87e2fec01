"""`import causal_engine` takes little beyond numpy: what it would take time for is imported when it is asked for.

`make bench` measures the time. Here nothing depends on a clock: few modules are a short time.
"""

import subprocess
import sys
import types

import numpy as np
import pytest

PROGRAM = """
import sys, numpy
before = set(sys.modules)
{}
print(*sorted(set(sys.modules) - before))
"""
HEAVY = {
    "asyncio", "concurrent", "ctypes.util", "decimal", "difflib", "email", "hashlib", "html", "http", "IPython", "logging", "matplotlib",
    "multiprocessing", "networkx", "pandas", "pathlib", "pickle", "polars", "pyarrow", "random", "safetensors", "secrets", "sklearn",
    "scipy", "socket", "ssl", "subprocess", "tempfile", "torch", "tqdm", "typing_extensions", "unittest", "urllib",
}


def modules_of(statements):
    """The modules that come with what the statements do, and not with numpy."""
    program = PROGRAM.format(statements)
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()


@pytest.fixture(scope="module")
def imported():
    return modules_of("import causal_engine")


def test_nothing_heavy_comes_with_it(imported):
    assert not {name for name in imported if name in HEAVY or name.partition(".")[0] in HEAVY}


def test_few_modules_come_with_it(imported):
    theirs = [name for name in imported if name.partition(".")[0] not in ("causal_engine", "numpy")]
    assert len(theirs) <= 16, theirs
    assert len([name for name in imported if name.startswith("causal_engine")]) <= 26, imported


def test_a_call_and_a_fit_import_nothing_heavy_either():
    found = modules_of("""
import causal_engine
model = causal_engine.CausalMLP(2, [3], 1)
model([[1, 2], [3, 4]])
model.fit([[1, 2], [3, 4]], [[5], [6]], {0: ([1, 0], [7, 8])}, epochs=2, progress=False)
""")
    assert "causal_engine._training" in found
    assert not {"numpy.ma", "numpy.random", "causal_engine.loss_functions"} & set(found), found


@pytest.mark.parametrize("module", ["rewiring", "dag_rewiring", "loss_functions", "structural"])
def test_modules_are_attributes_without_an_import_of_their_own(module):
    assert f"causal_engine.{module}" in modules_of(f"import causal_engine\nassert causal_engine.{module}.__name__ == 'causal_engine.{module}'")


@pytest.mark.parametrize("module", ["numpy.ma", "torch"])
def test_what_another_thread_is_importing_is_not_there_yet(module, monkeypatch):
    import causal_engine

    model = causal_engine.CausalMLP(2, [3], 1)
    monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
    assert model([[1, 2], [3, 4]]).shape == (2, 1)


def test_what_is_imported_when_asked_for_is_there_then():
    import causal_engine

    dag = causal_engine.DAGRewiring.from_dot("digraph { a -> b }")
    assert dag._repr_svg_().startswith("<svg") and "a -> b" in repr(dag) and "a -> b" in dag.to_dagitty()
    with pytest.raises(KeyError, match="near it: 'dose'"):
        causal_engine.CausalMLP(1, [], 1, feature_names=["dose"]).do(doze=np.float32(1))
