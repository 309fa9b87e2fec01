"""How time and memory of training grow with width, depth, batch, streamed rows, intervened units and threads.

    python bench_growth.py [--quick] [--seconds 1] [--threads 1,2] [--output build/bench]

A step is forward, mean squared error, backward and Adam in float32, in `fit`. Each point is measured in a process of its own: the time is that of
the fastest epoch, the memory the most that was resident beyond data and program. Training may take parameters x 4 (weights, gradient, two
moments), every unit of every row of a batch once, and 10 MiB: where it takes more, the table says so. For more threads than there are here it
prints what follows from the times on one and two threads (Amdahl's law) and from how many parts the engine cuts a pass into. Writes
growth.json and growth.png.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from growth.sweeps import Sweep, sweeps
from peers.machine import MOST_THREADS, REPOSITORY, description
from peers.pool import HERE, environment

MORE = (4, 8, 16)       # threads to predict


def point(order: dict[str, Any], threads: int, seconds: float) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", "growth.point", json.dumps({**order, "seconds": seconds})], cwd=HERE,
                          env=environment(threads), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{order}: {done.stderr}")
    return json.loads(done.stdout)


def constants(file: str, *names: str) -> list[int] | None:
    """Whole numbers of the engine's source; None where it no longer tells."""
    source = (REPOSITORY / "Sources" / "CausalEngine" / file).read_text()
    found = [re.search(rf"static (?:let|var) {name}(?:: Int {{| =) ([\d_]+)(?: << (\d+))?", source) for name in names]
    return [int(each[1]) << int(each[2] or 0) for each in found if each] if all(found) else None


def parts(order: dict[str, Any]) -> int | None:
    """Among how many threads the engine could divide a pass: parts of the rows in a narrow network, tiles of the largest product in a wide one."""
    batch, layers = order["batch"], list(zip(order["widths"], order["widths"][1:]))
    threads = constants("Runtime/Threads.swift", "leastWork")
    product = constants("Plan/Product.swift", "tileRows", "tileColumns", "blockWidth")
    columns = constants("Plan/ColumnPass.swift", "widest", "fewestRows", "fewestRowsOfPart", "leastWorkOfPart", "mostParts")
    if threads is None or product is None or columns is None:
        return None
    least, = threads
    rows, across, block = product
    widest, fewest, rows_of_part, work_of_part, most = columns
    if max(order["widths"]) <= widest and batch >= fewest:
        parameters = sum((i + 1) * o for i, o in layers)
        return 1 << max(min(batch * parameters // work_of_part, batch // rows_of_part, most), 1).bit_length() - 1
    inputs, outputs = max(layers, key=lambda layer: layer[0] * layer[1])
    if batch * inputs * outputs < least:
        return 1
    return math.ceil(batch / rows) * math.ceil(outputs / math.ceil(outputs / block) / across)


def predicted(one: float, two: float, threads: int, parts: int | None) -> float:
    """Microseconds on so many threads: the share that two threads halve is divided among as many as have a part."""
    parallel = min(1.0, max(0.0, 2 * (1 - two / one)))
    sharing = threads if parts is None else parts / math.ceil(parts / threads)
    return one * (1 - parallel + parallel / sharing)


def run(sweep: Sweep, threads: list[int], seconds: float) -> list[dict[str, Any]]:
    """Measures and prints one sweep."""
    print(f"\n{sweep.axis}: {sweep.network}")
    predicts = threads[:2] == [1, 2] and sweep.axis in ("width", "batch")
    print(f"{sweep.axis:>18}" + "".join(f"{f'us, {count} thr.':>14}" for count in threads)
          + f"{'MiB':>10}{'allowed':>10}"
          + "".join(f"{f'{count} thr.?':>12}" for count in MORE if predicts))
    rows = []
    for value, order in sweep.points.items():
        results = {count: point(order, count, seconds) for count in threads}
        most = max(result["bytes"] for result in results.values())
        allowed = results[threads[0]]["allowed"]
        line = f"{value:18,}" + "".join(f"{results[count]['us']:14,.1f}" for count in threads) + f"{most / 2**20:10.1f}{allowed / 2**20:10.1f}"
        more = {}
        if predicts:
            one, two = (results[count]["us"] for count in (1, 2))
            more = {count: predicted(one, two, count, parts(order)) for count in MORE}
            line += "".join(f"{us:12,.1f}" for us in more.values())
        print(line + ("  MORE THAN ALLOWED" if most > allowed else ""), flush=True)
        rows.append({"axis": sweep.axis, "value": value, "network": sweep.network, "bytes": most,
                     "allowed": allowed, "us": {count: result["us"] for count, result in results.items()},
                     "predicted": more})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small part of each range, to see that it works")
    parser.add_argument("--seconds", type=float, help="for each point (1; quick: 0.1)")
    parser.add_argument("--threads", default="1,2", help="numbers of threads (1,2)")
    parser.add_argument("--axes", help="(width,depth,batch,rows,intervened units)")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "bench", help="a folder (build/bench)")
    options = parser.parse_args()
    if not os.path.exists("/proc/self/clear_refs"):
        parser.error("memory is measured through /proc, which is there on Linux only")
    every = sweeps(options.quick)
    axes = options.axes.split(",") if options.axes else [sweep.axis for sweep in every]
    if unknown := set(axes) - {sweep.axis for sweep in every}:
        parser.error(f"no such axes: {', '.join(sorted(unknown))}; there are {', '.join(sweep.axis for sweep in every)}")
    try:
        threads = list(dict.fromkeys(int(each) for each in options.threads.split(",")))
    except ValueError as error:
        parser.error(f"--threads: {error}")
    seconds = (0.1 if options.quick else 1.0) if options.seconds is None else options.seconds
    if not all(1 <= count <= MOST_THREADS for count in threads) or not seconds > 0:
        parser.error(f"--threads are 1 to {MOST_THREADS}, --seconds more than 0")
    machine = description()
    print(f"a training step, float32; {machine['processor']}, {machine['cores']} cores, {machine['date']}")
    rows = [row for sweep in every if sweep.axis in axes for row in run(sweep, threads, seconds)]
    over = [row for row in rows if row["bytes"] > row["allowed"]]
    print(f"\nmemory: {len(over)} of {len(rows)} points take more than parameters x 4 + activations + 10 MiB")
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "growth.json").write_text(json.dumps({"machine": machine, "quick": options.quick, "rows": rows}, indent=1) + "\n")
    try:
        from growth.pictures import draw
    except ImportError as error:
        print(f"no pictures: {error}")
        return
    for picture in draw(rows, options.output):
        print(f"wrote {picture}")


if __name__ == "__main__":
    main()
