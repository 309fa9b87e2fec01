"""Past one process: DistributedDataParallel over gloo trains the module on two."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from causal_engine import CausalMLP

PROGRAM = """
import os, sys
import torch, torch.distributed as distributed
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel
from causal_engine import CausalMLP

place, rank = sys.argv[1], int(sys.argv[2])
distributed.init_process_group("gloo", init_method=f"file://{place}/meet", rank=rank, world_size=2)
torch.manual_seed(rank)                     # different weights: the first process's are sent to the other
model = CausalMLP(3, [8], 1)
parallel = DistributedDataParallel(model)
steps = torch.optim.SGD(parallel.parameters(), 0.1)
data = torch.load(f"{place}/data.pt")
rows = slice(rank, None, 2)
for _ in range(20):
    steps.zero_grad()
    y = parallel(data["x"][rows], {0: (data["mask"][rows], 0.5)})
    F.mse_loss(y, data["y"][rows]).backward()
    steps.step()
torch.save(model.state_dict(), f"{place}/end{rank}.pt")
distributed.barrier()
os._exit(0)         # gloo's threads may abort an orderly end: a Linear of PyTorch's does so too
"""


@pytest.mark.skipif(not torch.distributed.is_available() or not torch.distributed.is_gloo_available(), reason="no gloo")
def test_two_processes_train_as_one_on_all_rows(tmp_path):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=generator)
    data = {"x": x, "y": x.sum(dim=1, keepdim=True), "mask": torch.rand(40, 3, generator=generator) < 0.3}
    torch.save(data, tmp_path / "data.pt")
    processes = [subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path), str(rank)], stderr=subprocess.PIPE) for rank in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()

    torch.manual_seed(0)
    model = CausalMLP(3, [8], 1)
    steps = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(20):
        steps.zero_grad()
        F.mse_loss(model(x, {0: (data["mask"], 0.5)}), data["y"]).backward()
        steps.step()
    ends = [torch.load(tmp_path / f"end{rank}.pt") for rank in range(2)]
    for name, tensor in model.state_dict().items():
        assert torch.equal(ends[0][name], ends[1][name])
        torch.testing.assert_close(ends[0][name], tensor, rtol=1e-4, atol=1e-5)
