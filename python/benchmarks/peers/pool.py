"""The processes of all peers, each with its number of threads. They wait for their turn; only one works at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from . import PEERS

HERE = Path(__file__).resolve().parents[1]


SETTINGS = ("OPENBLAS_", "GOTO_", "BLIS_", "MKL_", "NVPL_", "OMP_", "GOMP_", "KMP_", "ATEN_", "TORCH", "XLA_", "JAX_", "CAUSAL_KERNELS")
"""How names of variables begin that choose a library's kernels or how its threads wait."""


class Failed(Exception):
    """A peer could not do what it was told; says why."""


def environment(threads: int) -> dict[str, str]:
    """In which every library works on so many threads, and with the kernels that it would choose itself."""
    chosen = dict.fromkeys(("CAUSAL_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), str(threads))
    several = "true" if threads > 1 else "false"
    outside = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**outside, **chosen, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={several}"}


def with_bytecode(environment: Mapping[str, str], folder: str) -> dict[str, str]:
    """Where what is imported a second time is not compiled again, as where a package was installed: the bytecode goes to the folder."""
    return {**{name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}, "PYTHONPYCACHEPREFIX": folder}


class Process:
    """A worker with one family of peers."""

    def __init__(self, family: str, threads: int) -> None:
        self.running = subprocess.Popen(
            [sys.executable, "-m", "peers.worker", family], cwd=HERE, env=environment(threads), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.said = self._read()

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self.running.stdin
        self.running.stdin.write(json.dumps(order) + "\n")
        self.running.stdin.flush()
        answer = self._read()
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer

    def _read(self) -> dict[str, Any]:
        assert self.running.stdout
        line = self.running.stdout.readline()
        if not line:
            raise RuntimeError(f"a process of peers ended with status {self.running.wait()}; what it said stands above")
        return json.loads(line)

    def close(self) -> None:
        assert self.running.stdin and self.running.stdout
        self.running.stdin.close()
        self.running.wait()
        self.running.stdout.close()


class Pool:
    """Who of `peers` is there, on each number of threads; `missing` says of the others why not."""

    def __init__(self, peers: list[str], threads: list[int]) -> None:
        self.processes: dict[tuple[str, int], Process] = {}
        self.missing: dict[str, str] = {}
        for family in dict.fromkeys(PEERS[peer] for peer in peers):
            for count in threads:
                process = self.processes[family, count] = Process(family, count)
                if "missing" in process.said:
                    self.missing.update({peer: process.said["missing"] for peer in peers if PEERS[peer] == family})
                    break
        self.peers = [peer for peer in peers if peer not in self.missing]
        self.versions = sorted({process.said["version"] for process in self.processes.values() if "version" in process.said})

    def ask(self, peer: str, threads: int, **order: Any) -> dict[str, Any]:
        """Raises Failed where the peer cannot do it."""
        return self.processes[PEERS[peer], threads].ask(peer=peer, **order)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self.processes.values():
            process.close()
