"""What the machine is and can do: the measure of everything else."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from datetime import date
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAMS = REPOSITORY / "Tests" / "Benchmarks" / "C"
MOST_THREADS = 1024     # of peak.c, and of the engine


def description() -> dict[str, object]:
    """Of the machine and the day."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or "an unknown processor"
    return {"processor": name, "architecture": platform.machine(), "cores": len(os.sched_getaffinity(0)), "system": platform.system(),
            "date": date.today().isoformat()}


def compiled(source: str, into: Path, *options: str) -> Path:
    """The program of a source in Tests/Benchmarks/C. RuntimeError where there is no compiler, or it refuses."""
    if shutil.which("cc") is None:
        raise RuntimeError("no C compiler: install gcc")
    program = into / Path(source).stem
    done = subprocess.run(["cc", "-O3", "-pthread", str(PROGRAMS / source), *options, "-lm", "-o", str(program)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{source} does not compile: {done.stderr}")
    return program


class Peak:
    """The best of several short measurements for each number of threads: multiply-adds a second, and bytes through memory."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.gflops: dict[int, float] = {}
        self.gigabytes: dict[int, float] = {}
        try:
            native = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"
            self.program: Path | None = compiled("peak.c", Path(self.folder.name), native, "-ffp-contract=fast")
        except RuntimeError as error:
            self.program = None
            print(f"no peak is measured: {error}")

    def measure(self, threads: int, seconds: float) -> None:
        if self.program is None:
            return
        done = subprocess.run([self.program, str(threads), str(seconds)], capture_output=True, text=True, check=True)
        gflops, gigabytes = map(float, done.stdout.split())
        self.gflops[threads] = max(gflops, self.gflops.get(threads, 0))
        self.gigabytes[threads] = max(gigabytes, self.gigabytes.get(threads, 0))
