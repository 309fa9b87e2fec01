"""One network trained in this process: what a step takes, and how far memory rises above what the process had before, data included.

    python -m growth.point '{"widths": [16, 64, 64, 1], "batch": 256, "seconds": 0.5}'

`streamed`: so many rows come batch by batch from an iterator. `site`, `units`: do() on so many units there, in every second row; without
them on a third of the inputs, in all rows. Prints JSON.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from causal_engine import CausalMLP, CausalWarning

LEAST_EPOCHS = 3        # of which the fastest counts: whatever else the machine does only adds to a time
TABLE = 4096            # rows, at least, where they are not streamed and
MOST_WORK = 1e10        # multiply-adds of an epoch are not exceeded by it: a step of the widest network takes most of a second


def memory(field: str) -> int:
    """Bytes, from the system: VmRSS is what is resident now, VmHWM the most there was."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def allowed(widths: list[int], batch: int) -> int:
    """Bytes that training may take: weights, gradient and both moments, each unit of each row once, and 10 MiB."""
    parameters = sum((i + 1) * o for i, o in zip(widths, widths[1:]))
    return 4 * (4 * parameters + batch * sum(widths)) + 10 * 2**20


def steps(widths: list[int], batch: int) -> int:
    """Of an epoch: more than one, so that rows are shuffled, where a batch is not a whole table."""
    work = 3 * batch * sum(i * o for i, o in zip(widths, widths[1:]))
    return min(-(-TABLE // batch), max(2, int(MOST_WORK / work)))


def network(widths: list[int]) -> CausalMLP:
    return CausalMLP(widths[0], widths[1:-1], widths[-1], seed=0)


def rows(widths: list[int], count: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.standard_normal((count, widths[0]), np.float32)
    return x, x[:, :1] + 0.1 * random.standard_normal((count, widths[-1]), np.float32)


def interventions(widths: list[int], count: int, site: int | None, units: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    if site is None:
        return {0: (np.arange(widths[0]) < max(1, widths[0] // 3), np.ones(widths[0], np.float32))}
    if units == 0:
        return {}
    mask = np.zeros((count, widths[site]), bool)
    mask[::2, :units] = True
    return {site: (mask, np.ones((count, widths[site]), np.float32))}


def main() -> None:
    order: dict[str, Any] = json.loads(sys.argv[1])
    widths, batch, seconds = order["widths"], order["batch"], order["seconds"]
    warnings.simplefilter("ignore", CausalWarning)      # of do() in all rows
    how = {"lr": 1e-3, "progress": False}
    for warm in (rows([2, 1], 4), ([rows([2, 1], 4)],)):
        network([2, 2, 1]).fit(*warm, epochs=1, **how)      # what is loaded with the first fit is no part of what grows

    count = batch * (1 if order.get("streamed") else steps(widths, batch))
    x, y = rows(widths, count)
    edits = interventions(widths, count, order.get("site"), order.get("units", 0))
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")       # the most there was is from now on
    before = memory("VmRSS")
    model = network(widths)
    if order.get("streamed"):
        def batches() -> Iterator[Any]:
            for _ in range(order["streamed"] // batch):
                yield x.copy(), y.copy(), edits     # new ones each time: who keeps them needs more memory

        model.fit([(x, y, edits)], epochs=1, **how)
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            start = time.perf_counter()     # Python's share counts here
            model.fit(batches, epochs=1, **how)
            times.append((time.perf_counter() - start) / (order["streamed"] // batch))
    else:
        first = model.fit(x, y, edits, epochs=1, batch_size=batch, **how).seconds.sum()
        history = model.fit(x, y, edits, epochs=max(LEAST_EPOCHS, int(seconds / first)), batch_size=batch, **how)
        times = list(history.seconds / (count // batch))
    print(json.dumps({"us": 1e6 * min(times), "bytes": memory("VmHWM") - before, "allowed": allowed(widths, batch)}))


if __name__ == "__main__":
    main()
