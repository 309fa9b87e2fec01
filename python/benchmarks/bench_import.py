"""Milliseconds that `import causal_engine` takes beyond numpy, and the library alone: the best of several fresh processes, because whatever
else the machine does only adds to it.

    python bench_import.py [--processes 12]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from causal_engine._bindings import library_path

from peers.pool import with_bytecode

PROGRAM = """
import time
start = time.perf_counter()
import numpy
middle = time.perf_counter()
import causal_engine
print(middle - start, time.perf_counter() - middle)
"""

LOAD = "import ctypes, sys, time; start = time.perf_counter(); ctypes.CDLL(sys.argv[1]); print(time.perf_counter() - start)"


def least_milliseconds(processes: int) -> tuple[float, float, float]:
    """Of importing numpy, of importing the engine beyond that, and of loading the library."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
                               env=with_bytecode(os.environ, folder)).stdout.split()
                for _ in range(processes + 1)][1:]
    loads = [float(subprocess.run([sys.executable, "-c", LOAD, library_path()], capture_output=True, check=True).stdout)
             for _ in range(processes)]
    numpy, engine = (min(float(run[k]) for run in runs) for k in (0, 1))
    return 1e3 * numpy, 1e3 * engine, 1e3 * min(loads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=12)
    options = parser.parse_args()
    numpy, engine, load = least_milliseconds(options.processes)
    print(f"import causal_engine: {engine:.1f} ms beyond numpy ({numpy:.1f} ms); best of {options.processes} processes")
    library = Path(library_path())
    print(f"{library.name}: {library.stat().st_size / 2**20:.1f} MiB, loaded in {load:.1f} ms")


if __name__ == "__main__":
    main()
