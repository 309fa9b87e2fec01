"""One row through a network: from Python beside the peers, and from C."""

from __future__ import annotations

import ctypes
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from causal_engine._bindings import FUNCTIONS, library_path

from peers.machine import REPOSITORY, compiled
from peers.pool import Failed, Pool, environment
from peers.problem import Problem

from .judge import Goal

# Network; from Python: microseconds, times faster than PyTorch and than JAX; from C: microseconds.
ROWS = [("3-[16,16]-1", 4, 36 / 4, 18 / 4, 0.3), ("64-[256,256,256]-8", 15, 73 / 15, 45 / 15, None)]
PEERS = ["engine", "torch", "torch-compile", "jax", "numpy"]


def one_row(quick: bool) -> list[Goal]:
    turns, seconds = (3, 0.02) if quick else (15, 0.1)
    goals = []
    with tempfile.TemporaryDirectory() as folder, Pool(PEERS, [1]) as pool:
        program, without_c = from_c(Path(folder))
        nothing = call_of_nothing(Path(folder)) if program else None
        for network, from_python, torch, jax, wanted_c in ROWS:
            problem = Problem.named(network, 1)
            times: dict[str, list[float]] = {peer: [] for peer in pool.peers}
            in_c: list[float] = []
            in_python: list[float] = []

            def microseconds(peer: str, calls: int) -> float:
                return 1e6 * pool.ask(peer, 1, do="one_row", network=network, batch=1, calls=calls)["seconds"]

            calls = {}
            for peer in pool.peers:
                try:
                    calls[peer] = max(10, int(1e6 * seconds / microseconds(peer, 20)))
                except Failed as error:
                    print(f"{peer} is left out, one row: {error}")
            for _ in range(turns):
                for peer in calls:
                    times[peer].append(microseconds(peer, calls[peer]))
                if nothing:
                    in_python.append(nothing(calls["engine"], problem))
                if program and wanted_c:
                    told = subprocess.run([program, str(seconds), *map(str, problem.widths)], env=environment(1), capture_output=True,
                                          text=True, check=True).stdout
                    in_c.append(float(told))
            engine = statistics.median(times["engine"])
            goals.append(Goal(f"one row, {network}, from Python: us", "<=", from_python, engine,
                              f"ctypes and numpy alone {statistics.median(in_python):.1f} us" if in_python else ""))
            for who, peers, wanted in (("PyTorch's best", ("torch", "torch-compile"), torch), ("JAX", ("jax",), jax)):
                there = [peer for peer in peers if peer in calls]
                fastest = min(there, key=lambda peer: statistics.median(times[peer]), default=None)
                ratio = statistics.median(a / b for a, b in zip(times[fastest], times["engine"])) if fastest else None
                remark = f"{fastest}, {statistics.median(times[fastest]):.1f} us" if fastest else "not installed"
                goals.append(Goal(f"one row, {network}, from Python: times faster than {who}", ">=", round(wanted, 2), ratio, remark))
            if wanted_c:
                goals.append(Goal(f"one row, {network}, from C: us", "<=", wanted_c, statistics.median(in_c) if in_c else None, without_c))
    return goals


def call_of_nothing(folder: Path) -> Callable[[int, Problem], float]:
    """Microseconds of what every face in Python that goes by way of ctypes does: it finds the addresses of x and of a new answer, and calls a function
    with the arguments of causal_model_predict, which here does nothing."""
    library = ctypes.CDLL(str(compiled("nothing.c", folder, f"-I{REPOSITORY / 'include'}", "-shared", "-fPIC")))
    predict = library.causal_model_predict
    predict.argtypes = FUNCTIONS["causal_model_predict"]
    start_of, address_of = (ctypes.c_char * 0).from_buffer, ctypes.addressof

    def microseconds(calls: int, problem: Problem) -> float:
        x, inputs, outputs = problem.data[0][:1], problem.widths[0], problem.widths[-1]
        start = time.perf_counter()
        for _ in range(calls):
            y = np.empty((1, outputs), np.float32)
            predict(None, None, address_of(start_of(x)), 0, 1, inputs, None, address_of(start_of(y)), 0, 1, outputs)
        return 1e6 * (time.perf_counter() - start) / calls

    return microseconds


def from_c(folder: Path) -> tuple[Path | None, str]:
    """The program in C, or why it is not there."""
    library = Path(library_path())
    try:
        return compiled("one_row.c", folder, f"-I{REPOSITORY / 'include'}", str(library), f"-Wl,-rpath,{library.parent}"), ""
    except RuntimeError as error:
        return None, str(error)
