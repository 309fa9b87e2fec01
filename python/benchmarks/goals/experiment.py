"""A small experiment as a whole process, from its start to its end, imports included."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from peers.pool import HERE, environment, with_bytecode

from .judge import Goal

SECONDS = 0.20
PEERS = {"torch-fused": 4.7 / SECONDS, "jax-scan": 2.7 / SECONDS, "numpy": 0.22 / SECONDS}      # times faster


def run(peer: str, bytecode: str) -> float | None:
    """Seconds, or None where the peer is not there. `bytecode` is a folder for what Python has compiled."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "peers.phase1", peer], cwd=HERE, env=with_bytecode(environment(1), bytecode),
                          capture_output=True, text=True)
    if done.returncode:
        if "ModuleNotFoundError" in done.stderr:
            return None
        raise RuntimeError(f"peers.phase1 {peer}: {done.stderr}")
    if not float(done.stdout) < 0.1:
        raise RuntimeError(f"peers.phase1 {peer}: it learned nothing, the loss is {done.stdout.strip()}")
    return time.perf_counter() - start


def experiment(quick: bool) -> list[Goal]:
    times: dict[str, list[float]] = {"engine": [], **{peer: [] for peer in PEERS}}
    with tempfile.TemporaryDirectory() as bytecode:
        missing = {peer for peer in times if run(peer, bytecode) is None}     # a first time, also to fill the caches
        for _ in range(2 if quick else 7):
            for peer in times:
                if peer not in missing and (seconds := run(peer, bytecode)):
                    times[peer].append(seconds)
    engine = statistics.median(times["engine"])
    goals = [Goal("a process with the experiment of make demo, one model: s", "<=", SECONDS, engine)]
    for peer, wanted in PEERS.items():
        ratio = None if peer in missing else statistics.median(theirs / own for theirs, own in zip(times[peer], times["engine"]))
        goals.append(Goal(f"a process with that experiment: times faster than {peer}", ">=", round(wanted, 2), ratio,
                          f"{statistics.median(times[peer]):.2f} s" if ratio else "not installed"))
    return goals
