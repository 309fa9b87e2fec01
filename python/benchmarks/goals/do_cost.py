"""What do() adds to a forward and a backward pass, in instructions: these do not depend on what else the machine does."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from causal_engine._bindings import library_path

from peers.machine import REPOSITORY, compiled
from peers.problem import Problem

from .judge import Goal

# Rows; per cent; passes that are counted, so many that what a start takes, some thousand instructions more or less, does not.
NETWORKS = [("3-[16,16]-1", 32, 10, 300), ("16-[64,64]-1", 256, 3, 20), ("64-[256,256,256]-8", 256, 3, 3)]
FIRST = 2       # passes that are not counted


def do_cost(quick: bool) -> list[Goal]:
    networks = NETWORKS[:2] if quick else NETWORKS
    goals = [Goal(f"do() on a third of the inputs, {network}, {batch} rows: % more instructions", "<=", wanted, None)
             for network, batch, wanted, _ in networks]
    if shutil.which("valgrind") is None:
        return [Goal(goal.what, goal.side, goal.wanted, None, "valgrind is not installed") for goal in goals]
    library = Path(library_path())
    with tempfile.TemporaryDirectory() as folder:
        try:
            program = compiled("do_cost.c", Path(folder), f"-I{REPOSITORY / 'include'}", str(library), f"-Wl,-rpath,{library.parent}")
        except RuntimeError as error:
            return [Goal(goal.what, goal.side, goal.wanted, None, str(error)) for goal in goals]
        for goal, (network, batch, _, passes) in zip(goals, networks):
            widths = Problem.named(network, batch).widths
            without, under = (a_pass(program, intervenes, batch, widths, passes) for intervenes in (0, 1))
            goal.reached, goal.remark = 100 * (under / without - 1), f"{without:,.0f} and {under:,.0f} a pass"
    return goals


def a_pass(program: Path, intervenes: int, batch: int, widths: tuple[int, ...], passes: int) -> float:
    """Instructions of one forward and one backward pass, without what comes before."""
    few, more = (instructions([str(program), str(count), str(intervenes), str(batch), *map(str, widths)]) for count in (FIRST, FIRST + passes))
    return (more - few) / passes


def instructions(command: list[str]) -> int:
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(f"{' '.join(command)} under valgrind: {done.stderr}")
    return int(found[1])
