"""Other programs that `bench_discovery.py` asks too, where they are installed. Answers are marks, the engine's score of the graph, and seconds.

- `flopsearch`: at equal penalty, with 20 restarts.
- `gies`: in three ways, since no one of them serves it best on all problems. As it comes, each variable has an intercept in each group of rows
  with the same targets, which ten rows a group hardly pay for, and the penalty is Schwarz's, half of the engine's default. "One intercept" takes the
  covariances over all rows in which a variable was not set, as the engine does; "same score" has the engine's penalty too, so that what is left is
  the search.
- `dagma`: linear, as it comes, but for the penalty of 0.02 that its authors use.
- `sdcd`: as it comes, in ten minutes of a core; what is not done then is passed over. It imports `wandb` for a log that is not asked for: an empty module will do.
"""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import time
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from causal_engine import Discovery, Graph

from discovery_problems import Array, Problem, standardised

# What is imported, and what to install for it beside torch and scipy.
PEERS = {"flopsearch": "flopsearch==0.3.0", "gies": "gies==0.0.3", "dagma": "dagma==1.1.1 igraph texttable tqdm",
         "sdcd": "sdcd==0.1.4 networkx numba llvmlite tqdm pandas"}
SDCD_SECONDS = 600
Answer = tuple[Array, float, float]     # marks, score, seconds


def marks_of(graph: Graph) -> Array:
    """1 for an edge from row to column, 2 at both places for one without direction."""
    marks = graph.adjacency.astype(int)
    place = {name: k for k, name in enumerate(graph.variables)}
    for first, second in graph.undirected:
        marks[place[first], place[second]] = marks[place[second], place[first]] = 2
    return marks


def member(marks: Array) -> Array | None:
    """A directed graph of a class (Dor and Tarsi 1992); None where there is none."""
    directed, undirected, left = marks == 1, marks == 2, list(range(len(marks)))
    found = directed.copy()
    while left:
        for v in left:
            beside = [w for w in left if undirected[v, w]]
            around = [w for w in left if undirected[v, w] or directed[w, v]]
            if not any(directed[v, w] for w in left) and all(a == b or marks[a, b] or marks[b, a] for a in beside for b in around):
                found[beside, v] = True
                left.remove(v)
                break
        else:
            return None
    return found.astype(int)


def flop(problem: Problem, found: Discovery) -> Answer | None:
    if find_spec("flopsearch") is None:
        return None
    import flopsearch

    begin = time.process_time()
    marks = np.asarray(flopsearch.flop(standardised(problem.rows), 2.0, restarts=20)).astype(int)
    seconds, directed = time.process_time() - begin, member(marks)
    return marks, float("nan") if directed is None else found.score_of(directed), seconds


def gies(problem: Problem, found: Discovery) -> dict[str, Answer]:
    """Its answers, by the way in which it was called."""
    if find_spec("gies") is None or problem.marks is None:
        return {}
    import gies as package
    from gies.scores.gauss_int_l0_pen import GaussIntL0Pen

    class OneIntercept(GaussIntL0Pen):  # type: ignore[misc]
        def __init__(self, data: list[Array], targets: list[list[int]], lmbda: float | None = None) -> None:
            super().__init__(data, targets, lmbda)
            for v in range(self.p):
                self.part_sample_cov[v] = np.cov(np.concatenate([rows for rows, set_here in zip(data, targets) if v not in set_here]).T, ddof=0)

    patterns, groups = np.unique(problem.marks, axis=0, return_inverse=True)
    data, targets = [problem.rows[groups == k] for k in range(len(patterns))], [np.flatnonzero(pattern).tolist() for pattern in patterns]
    answers = {}
    for name, kind, penalty in (("GIES", GaussIntL0Pen, None), ("GIES, one intercept", OneIntercept, None),
                                ("GIES, same score", OneIntercept, np.log(len(problem.rows)))):
        begin = time.process_time()
        marks, _ = package.fit(kind(data, targets, penalty))
        seconds, marks = time.process_time() - begin, (np.asarray(marks) != 0).astype(int)
        marks[(marks == 1) & (marks.T == 1)] = 2
        directed = None if problem.conditions is not None else member(marks)        # where the scores are of other variables too
        answers[name] = marks, float("nan") if directed is None else found.score_of(directed), seconds
    return answers


def dagma(rows: Array, found: Discovery) -> Answer | None:
    """The class of the graph that it finds; the rows may be standardised or not, which is what makes the difference to it."""
    if find_spec("dagma") is None:
        return None
    from dagma.linear import DagmaLinear

    begin = time.process_time()
    with contextlib.redirect_stderr(io.StringIO()):
        weights = DagmaLinear(loss_type="l2").fit(rows, lambda1=0.02)
    seconds, graph = time.process_time() - begin, Graph.of((weights != 0).astype(int))
    return marks_of(graph.equivalence_class()), found.score_of(graph), seconds


def sdcd(problem: Problem) -> Answer | None:
    if find_spec("sdcd") is None or problem.marks is None:
        return None
    if "wandb" not in sys.modules and find_spec("wandb") is None:
        sys.modules["wandb"] = ModuleType("wandb")
    import torch
    from sdcd import SDCD

    def give_up(*_: Any) -> None:
        raise TimeoutError

    torch.set_num_threads(1)
    targets = torch.tensor(problem.marks).long()
    rows = torch.utils.data.TensorDataset(torch.tensor(problem.rows, dtype=torch.float32), 1 - targets, targets.sum(dim=1))
    begin, model = time.process_time(), SDCD()
    signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, SDCD_SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            model.train(rows)
    except TimeoutError:
        print(f"    SDCD was not done after {SDCD_SECONDS} s and is passed over", flush=True)
        return None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return (model.get_adjacency_matrix() != 0).astype(int), float("nan"), time.process_time() - begin
