"""Nanoseconds and instructions of each kernel, of passes through plans and of training steps, on one thread: Tests/Benchmarks, which
`make bench-kernels` builds.

    python bench_kernels.py [--quick] [--seconds 0.2] [--only TEXT] [--no-instructions] [--than FILE] [--program build/benchmarks/release/Benchmarks]

Times are medians of short turns with their quartiles. Instructions are counted by perf where the processor's counters can be read, otherwise
by valgrind, and do not depend on what else the machine does; valgrind shows programs no AVX-512, so that BLAS takes other ways there. It
writes kernels.json; --than compares with one written before.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import subprocess
from pathlib import Path

from goals.do_cost import instructions as by_valgrind
from peers.machine import REPOSITORY
from peers.pool import environment

WORK = 20_000_000       # operations that a count is taken over, about
SLOW = 0.005            # seconds of one repetition, from which on valgrind would take too long


def by_perf(command: list[str]) -> int:
    done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", "--", *command], capture_output=True, text=True)
    line = next((line for line in done.stderr.splitlines() if "instructions" in line), "")
    if done.returncode or not line.split(",")[0].isdigit():
        raise RuntimeError(done.stderr)
    return int(line.split(",")[0])


@functools.cache
def counter() -> str | None:
    """perf, valgrind or nothing: what counts instructions here."""
    if shutil.which("perf"):
        try:
            by_perf(["true"])
            return "perf"
        except RuntimeError:
            pass        # often not allowed, or hidden from a virtual machine
    return "valgrind" if shutil.which("valgrind") else None


def instructions(program: Path, name: str, nanoseconds: float) -> float | None:
    """Of one repetition: the difference between few and more of them."""
    how = counter()
    if how is None or how == "valgrind" and nanoseconds > SLOW * 1e9:
        return None
    count = {"perf": by_perf, "valgrind": by_valgrind}[how]
    few = 2         # the first ones set things up
    more = few + max(4, min(100, int(WORK / nanoseconds / 20)))
    return (count([str(program), "run", str(more), name]) - count([str(program), "run", str(few), name])) / (more - few)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short turns and no instructions")
    parser.add_argument("--seconds", type=float, help="for each case (0.2; quick: 0.02)")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name contains it")
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--than", type=Path, metavar="FILE", help="kernels.json of another build, to compare with")
    parser.add_argument("--program", type=Path, default=REPOSITORY / "build" / "benchmarks" / "release" / "Benchmarks")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "bench", help="a folder (build/bench)")
    options = parser.parse_args()
    if not options.program.is_file():
        parser.error(f"there is no {options.program}: make bench-kernels builds it")
    counts = not (options.quick or options.no_instructions)
    former = {row["name"]: row for row in json.loads(options.than.read_text())} if options.than else {}
    if counts:
        print(f"instructions counted by {counter() or 'nobody: neither perf nor valgrind can do it here'}")
    print(f"\n{'':52}{'ns':>14}{'from':>14}{'to':>14}{'GFLOP/s':>9}{'instructions':>14}" + (f"{'ns, before':>14}{'instr.':>9}" if former else ""))

    rows = []
    running = subprocess.Popen([options.program, "time", str(options.seconds or (0.02 if options.quick else 0.2)), options.only],
                               stdout=subprocess.PIPE, text=True, env=environment(1))
    assert running.stdout
    for line in running.stdout.read().splitlines():
        name, *told = line.split("\t")
        median, low, high, operations = map(float, told)
        count = instructions(options.program, name, median) if counts else None
        speed = f"{operations / median:9.1f}" if operations else f"{'':9}"
        shown = f"{name:52}{median:14,.0f}{low:14,.0f}{high:14,.0f}{speed}" + (f"{count:14,.0f}" if count is not None else f"{'-':>14}")
        if name in former:
            shown += f"{former[name]['ns']:14,.0f}"
            if count is not None and former[name]["instructions"]:
                shown += f"{count / former[name]['instructions'] - 1:+9.1%}"
        print(shown, flush=True)
        rows.append({"name": name, "ns": median, "quartiles_ns": [low, high], "operations": operations, "instructions": count})
    if running.wait():
        parser.exit(1, f"{options.program} ended with status {running.returncode}\n")
    if not rows:
        parser.exit(1, f"no case contains {options.only!r}\n")
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "kernels.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"wrote {options.output / 'kernels.json'}")


if __name__ == "__main__":
    main()
