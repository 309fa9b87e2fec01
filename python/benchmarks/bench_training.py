"""Microseconds of one training step (forward, mean squared error, backward, Adam) beside PyTorch, where it is installed, and
the size and load time of the library.

    python bench_training.py [--seconds 1.0]

Both run in the same process on the same numbers, in turns, with the threads that each takes by default; the figure is the best
of the turns, because whatever else the machine does only adds to it. PyTorch runs eagerly, the way its notebooks do.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from causal_engine import CausalMLP, get_threads
from causal_engine._bindings import library_path

NETWORKS = [        # widths, rows a step
    ([3, 16, 16, 1], 32),
    ([64, 256, 256, 256, 8], 256),
    ([512, 1024, 1024, 64], 256),
]
TURNS = 5


def ours(widths: list[int], rows: int, x: np.ndarray, y: np.ndarray) -> Callable[[int], float]:
    """Runs a number of steps through `fit` and returns the seconds that they took."""
    model = CausalMLP(widths[0], widths[1:-1], widths[-1], seed=0)

    def run(steps: int) -> float:
        history = model.fit(x, y, epochs=math.ceil(steps * rows / len(x)), batch_size=rows, lr=1e-3, progress=False)
        return history.seconds.sum() / (len(history) * len(x) // rows) * steps

    return run


def pytorch(widths: list[int], rows: int, x: np.ndarray, y: np.ndarray) -> Callable[[int], float] | None:
    try:
        import torch
    except ImportError:
        return None
    layers: list[torch.nn.Module] = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = [(torch.from_numpy(x[i:i + rows]), torch.from_numpy(y[i:i + rows])) for i in range(0, len(x), rows)]

    def run(steps: int) -> float:
        start = time.perf_counter()
        for step in range(steps):
            inputs, targets = batches[step % len(batches)]
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(inputs), targets).backward()
            optimizer.step()
        return time.perf_counter() - start

    return run


def best(runs: list[Callable[[int], float] | None], seconds: float) -> list[float | None]:
    """The least time of a step for each, taken in turns."""
    steps = [0 if run is None else max(8, int(seconds / TURNS / (run(8) / 8))) for run in runs]
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(TURNS):
        for run, count, each in zip(runs, steps, times):
            if run is not None:
                each.append(run(count) / count)
    return [min(each) if each else None for each in times]


def load_seconds() -> float:
    """The least time to load the library into a process of its own."""
    program = ("import ctypes, time; start = time.perf_counter(); "
               f"ctypes.CDLL({library_path()!r}); print(time.perf_counter() - start)")
    return min(float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout) for _ in range(5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each network and engine")
    options = parser.parse_args()

    try:
        import torch
        peer = f"PyTorch {torch.__version__} on {torch.get_num_threads()} threads"
    except ImportError:
        peer = "PyTorch is not installed: pip install torch==2.13.0"
    print(f"one training step, float32, Adam; the engine on {get_threads()} threads, {peer}\n")
    print(f"{'network':26}{'rows':>6}{'engine us':>12}{'PyTorch us':>12}{'ratio':>8}")
    for widths, rows in NETWORKS:
        random = np.random.default_rng(0)
        x = random.normal(size=(16 * rows, widths[0])).astype(np.float32)
        y = random.normal(size=(16 * rows, widths[-1])).astype(np.float32)
        engine, torch_time = best([ours(widths, rows, x, y), pytorch(widths, rows, x, y)], options.seconds)
        name = "-".join(map(str, [widths[0], widths[1:-1], widths[-1]])).replace(" ", "")
        theirs = f"{torch_time * 1e6:12.1f}{torch_time / engine:8.2f}" if torch_time else f"{'-':>12}{'-':>8}"
        print(f"{name:26}{rows:6}{engine * 1e6:12.1f}{theirs}", flush=True)

    library = Path(library_path())
    print(f"\n{library.name}: {library.stat().st_size / 2**20:.1f} MiB, loaded in {load_seconds() * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
