"""The loops in PyTorch that the engine is measured against do the same work: the benchmark fails where they do not."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "bench_speed.py"
PEERS = ["engine", "engine-in-torch", "torch", "torch-fused"]


def test_all_loops_agree(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--network", "3-[16,16]-1", "--batch", "32", "--peers", ",".join(PEERS), "--threads", "1", "--turns", "1",
         "--seconds", "0.01", "--output", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {row["peer"] for row in json.loads((tmp_path / "speed.json").read_text())} == set(PEERS)
