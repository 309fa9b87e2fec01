"""Much work inside a loop of torch is done on torch's own threads, which would keep the engine's from the processors."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("torch")

SETUP = """
import os, numpy as np, torch
from causal_engine import CausalMLP, set_threads
set_threads(2)
torch.set_num_threads(2)
x = torch.randn(512, 256)
def threads(): return len(os.listdir("/proc/self/task"))
"""

BORROWED = SETUP + """
(x @ torch.randn(256, 256)).tanh_()
torch.randn(1 << 20).tanh_()
before = threads()
model = CausalMLP(256, [512, 512], 4, seed=0)
model(x).sum().backward()
assert threads() == before, (threads(), before)
set_threads(1)
assert torch.equal(model(x).detach(), model(x).detach())
"""

FORKED = SETUP + """
torch.randn(1 << 20).tanh_()
model = CausalMLP(256, [512, 512], 4, seed=0)
expected = model(x).detach().numpy()
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(model(x.numpy()), expected) else 1)
assert os.waitpid(child, 0)[1] == 0
"""

FORKED_BEFORE = SETUP + """
torch.randn(1 << 20).tanh_()
child = os.fork()
if child == 0:
    os._exit(0 if CausalMLP(256, [512, 512], 4, seed=0)(x.numpy()).shape == (512, 4) else 1)
assert os.waitpid(child, 0)[1] == 0
"""

IN_A_WORKER = """
import multiprocessing, numpy as np, torch
def work(_):
    from causal_engine import CausalMLP, set_threads
    set_threads(2)
    return CausalMLP(256, [512, 512], 4, seed=0)(np.ones((512, 256), np.float32)).shape
if __name__ == "__main__":
    torch.set_num_threads(2)
    torch.randn(1 << 20).tanh_()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(work, range(4), chunksize=1) == [(512, 4)] * 4
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts the threads of a process as Linux does")
@pytest.mark.parametrize("program", [BORROWED, FORKED, FORKED_BEFORE, IN_A_WORKER], ids=["borrowed", "forked", "forked_before", "in_a_worker"])
def test_threads(program, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(program)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
