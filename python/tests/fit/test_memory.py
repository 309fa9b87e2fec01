"""What training may take: the parameters four times, every unit of every row of a batch once, and 10 MiB. Measured as `make bench-growth` does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def measured(**order):
    done = subprocess.run([sys.executable, "-m", "growth.point", json.dumps({"seconds": 0, **order})], cwd=BENCHMARKS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured through /proc")
@pytest.mark.parametrize("order", [
    {"widths": [16, 1600, 1600, 1], "batch": 1024},                 # a fifth copy of the parameters would be too much
    {"widths": [16, 64, 64, 1], "batch": 50_000},                   # gradients of two layers would be
    {"widths": [16, *[512] * 6, 1], "batch": 1024},                 # gradients of six would be
], ids=lambda order: f"{order['widths']} {order['batch']}")
def test_stays_within_its_bound(order):
    found = measured(**order)
    assert found["bytes"] <= found["allowed"]
