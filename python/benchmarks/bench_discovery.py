"""How near `discover` comes to known graphs, and how fast, beside other programs where they are installed.

    python bench_discovery.py [--problems er2-20,small] [--seeds N] [--scaling] [--out FOLDER]

One core and its time alone, standardised data, strict SHD: a pair counts where its edge differs in presence or in direction, of the class (CPDAG)
where data tell no more, of the graph itself with interventions on all variables or nonlinear mechanisms. Scores are those of the engine for both.
Peers, of `discovery_peers.py`: `flopsearch`, `gies`, `dagma` and `sdcd` from PyPI; for nonlinear problems, by search and by networks, also the same with
the true order given. One that is not installed is named and passed over. Of "hidden-20" it is only
counted how often hidden causes are told of. `discovery.json` gets a line for each problem, seed and peer, as soon as the
problem is done; the longest come last.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402

import causal_engine  # noqa: E402
from causal_engine import CausalWarning, Discovery, Graph, Knowledge, discover  # noqa: E402

from discovery_peers import PEERS, Answer, dagma, flop, gies, marks_of, sdcd  # noqa: E402
from discovery_problems import (  # noqa: E402
    SMALL, Array, Problem, hiding, linear, linear_experiment, networks, perturbed_networks, sachs, small, standardised,
)

LINEAR = {f"er{k}-{d}": (d, k) for d in (20, 50, 100) for k in (2, 4)}
EXPERIMENTS = {"interventional-10": 2, "interventional-sparse-10": 1}        # edges a variable
SACHS = ["sachs-obs", "sachs-int", "sachs-log-int", "sachs-conditions", "sachs-log-conditions"]
NAMES = [*LINEAR, "er2-500", "raw-er4-20", *EXPERIMENTS, *SACHS, "small", "hidden-20", "mlp-er4-20", "sdcd-40", "sdcd-40-unknown"]
SEEDS = {"er2-100": 3, "er4-100": 3, "er2-500": 1, "mlp-er4-20": 5, "sdcd-40": 2, "sdcd-40-unknown": 1, "small": 5}
SEEDS |= dict.fromkeys([*EXPERIMENTS, "hidden-20"], 30) | dict.fromkeys(SACHS, 1)


def shd(one: Array, other: Array) -> int:
    i, j = np.triu_indices(len(one), 1)
    return int(((one[i, j] != other[i, j]) | (one[j, i] != other[j, i])).sum())


def class_of(truth: Array) -> Array:
    return marks_of(Graph.of(truth).equivalence_class())


def search(problem: Problem, **options: Any) -> tuple[Discovery, float]:
    begin = time.process_time()
    found = discover(problem.rows, problem.marks, progress=False, **options)
    return found, time.process_time() - begin


def search_with_conditions(problem: Problem) -> tuple[Array, Discovery, float]:
    """The condition of each row as a variable that may cause all others and that nothing causes (Mooij, Magliacane and Claassen 2020)."""
    assert problem.conditions is not None and problem.marks is not None
    names = [str(v) for v in range(problem.rows.shape[1])]
    columns = dict(zip(names, problem.rows.T)) | {"condition": problem.conditions}
    begin = time.process_time()
    found = discover(columns, dict(zip(names, problem.marks.T != 0)), knowledge=Knowledge(tiers=[["condition"], names]), progress=False)
    return marks_of(found.graph)[:-1, :-1], found, time.process_time() - begin


class Table:
    """Lines as they come, and the file of all of them."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def add(self, problem: str, seed: int, truth: Array, marks: Array, score: float, seconds: float, peer: str, answer: Answer | None) -> None:
        none: tuple[Any, Any, Any] = (None, None, None)
        theirs = none if answer is None else (shd(answer[0], truth), None if np.isnan(answer[1]) else answer[1], answer[2])
        self.lines.append({
            "problem": problem, "seed": seed, "shd": shd(marks, truth), "score": score, "seconds": seconds, "peer": peer if answer else None,
            "peer_shd": theirs[0], "peer_score": theirs[1], "peer_seconds": theirs[2]})

    def add_all(self, problem: str, seed: int, truth: Array, marks: Array, score: float, seconds: float, answers: dict[str, Answer]) -> None:
        for peer, answer in (answers or {"": None}).items():
            self.add(problem, seed, truth, marks, score, seconds, peer, answer)

    def show(self, name: str) -> None:
        lines = [line for line in self.lines if line["problem"] == name]
        if not lines:
            return
        own = lines if name == "small" else [line for line in lines if line["peer"] == lines[0]["peer"]]        # once for each seed
        text = f"{name:24s} {np.mean([line['shd'] for line in own]):7.2f} {np.mean([line['seconds'] for line in own]):8.3f} s" \
               f"   exact {np.mean([line['shd'] == 0 for line in own]):4.0%} of {len(own)}"
        for peer in dict.fromkeys(line["peer"] for line in lines if line["peer"]):
            beside = [line for line in lines if line["peer"] == peer]
            below = sum(line["peer_score"] is not None and line["score"] < line["peer_score"] - 1e-6 for line in beside)
            text += f"   {peer}: {np.mean([line['peer_shd'] for line in beside]):.2f}, {np.mean([line['peer_seconds'] for line in beside]):.3f} s; " \
                    f"its score is better {below} times"
        if all("truth_score" in line for line in own):
            text += f"   the true graph's {sum(line['score'] < line['truth_score'] - 1e-6 for line in own)} times"
        print(text, flush=True)


def warned(seeds: int) -> None:
    """How often `discover` tells of hidden causes where there are none, and where there are."""
    for edges, experiment in ((2, False), (4, False), (2, True)):
        for hidden in (0, 3):
            made = [hiding(20, edges, 2_000 if experiment else 1_000, hidden, seed, experiment=experiment) for seed in range(seeds)]
            told = sum(bool(search(problem)[0].hidden_causes) for problem in made)
            print(f"    ER{edges}, {len(made[0].rows)} rows{', half of them experiments' if experiment else ''}, {hidden or 'no'} hidden variables: "
                  f"told of hidden causes in {told} of {seeds}", flush=True)


def run(name: str, seeds: int, table: Table) -> None:
    if name == "hidden-20":
        print(name)
        return warned(seeds)
    for seed in range(seeds):
        if name in LINEAR or name in ("er2-500", "raw-er4-20"):
            d, k = LINEAR.get(name, (500, 2) if name == "er2-500" else (20, 4))
            made = linear(d, k, 2_000 if d == 500 else 1_000, seed)
            problem = made if name.startswith("raw") else made._replace(rows=standardised(made.rows))
            found, seconds = search(problem)
            if name.startswith("raw"):
                again, more = search(made._replace(rows=standardised(made.rows)))
                answers = {"the same, standardised": (marks_of(again.graph), again.score, more)}
                for form, rows in (("raw", made.rows), ("standardised", standardised(made.rows))):
                    if (theirs := dagma(rows, found)) is not None:
                        answers[f"DAGMA, {form}"] = theirs
                same = again.graph == found.graph
                print(f"    seed {seed}: raw and standardised give {'the same graph' if same else 'DIFFERENT graphs'}")
                table.add_all(name, seed, class_of(made.truth), marks_of(found.graph), found.score, seconds, answers)
            else:
                answer = flop(problem, found) if d < 500 else None
                table.add(name, seed, class_of(made.truth), marks_of(found.graph), found.score, seconds, "FLOP", answer)
                table.lines[-1]["truth_score"] = found.score_of(made.truth)
        elif name in ("mlp-er4-20", "sdcd-40"):
            problem = networks(20, 4, 1_000, seed) if name.startswith("mlp") else perturbed_networks(40, 4, 10_000, seed)
            theirs = sdcd(problem)
            for score, line_name in (("nonlinear", name), ("network", f"{name} network")):
                found, seconds = search(problem, score=score)
                told, more = search(problem, score=score, knowledge=Knowledge(order=problem.order.tolist()))
                answers = {"true order, same pruning": (marks_of(told.graph), told.score, more)} | ({} if theirs is None else {"SDCD": theirs})
                table.add_all(line_name, seed, problem.truth, marks_of(found.graph), found.score, seconds, answers)
                line = table.lines[-len(answers)]
                print(f"    seed {seed}, {score}: SHD {line['shd']} in {seconds:.1f} s, with the true order {line['peer_shd']}, empty graph "
                      f"{problem.truth.sum()}", flush=True)
        elif name == "sdcd-40-unknown":
            problem = perturbed_networks(40, 4, 10_000, seed)
            regimes = np.where(problem.marks.any(axis=1), problem.marks.argmax(axis=1) + 1, 0)
            begin = time.process_time()
            found = discover(problem.rows, regimes=regimes, score="network", progress=False)
            seconds = time.process_time() - begin
            named = [(regime, variable) for regime, variables in found.targets.items() for variable in variables]
            right = sum(variable == f"x{regime - 1}" for regime, variable in named)
            again, more = search(problem._replace(marks=None), score="network")
            table.add(name, seed, problem.truth, marks_of(found.graph), found.score, seconds, "told of no interventions",
                      (marks_of(again.graph), float("nan"), more))
            print(f"    seed {seed}: {right} of 40 targets found, {len(named) - right} others named", flush=True)
        elif name in EXPERIMENTS:
            problem, observed = linear_experiment(EXPERIMENTS[name], 200, seed)
            found, seconds = search(problem)
            table.add_all(name, seed, problem.truth, marks_of(found.graph), found.score, seconds, gies(problem, found))
            table.lines[-1]["_observed"] = shd(marks_of(search(observed)[0].graph), observed.truth)
        elif name in SACHS:
            given = sachs(name != "sachs-obs", takes_logarithms="log" in name, tells_conditions=name.endswith("conditions"))
            if given is None:
                print(f"{name}: passed over, cdt is not installed (its data file is what is wanted: pip install --no-deps cdt==0.6.0)")
                return
            if given.conditions is not None:
                marks, found, seconds = search_with_conditions(given)
            else:
                found, seconds = search(given)
                marks = marks_of(found.graph)
            if given.marks is None:
                table.add(name, seed, class_of(given.truth), marks, found.score, seconds, "FLOP", flop(given, found))
            else:
                table.add_all(name, seed, given.truth, marks, found.score, seconds, gies(given, found))
            there, wanted = (marks + marks.T) > 0, (given.truth + given.truth.T) > 0
            edges, both = int(there.sum() / 2), int((there & wanted).sum() / 2)
            reached = "" if given.conditions is None else f"; the condition causes {len(found.graph.children('condition'))} of 11 variables"
            right = int(((marks == 1) & (given.truth == 1)).sum())
            print(f"    {name}: {edges} edges, {both} of them between neighbours, {right} the right way round; "
                  f"F1 of adjacencies {2 * both / (edges + wanted.sum() / 2):.2f}{reached}")
        else:
            for shape in SMALL:
                problem = small(shape, seed)
                found, seconds = search(problem)
                table.add(name, seed, class_of(problem.truth), marks_of(found.graph), found.score, seconds, "FLOP", flop(problem, found))
    table.show(name)
    table.show(f"{name} network")
    if name in EXPERIMENTS:
        print(f"    3,200 observational rows instead: {np.mean([line.pop('_observed') for line in table.lines if '_observed' in line]):.2f}")


def scaling() -> None:
    print("variables   rows    seconds  peak memory of the process")
    for d, n in [(20, 1_000), (50, 1_000), (100, 1_000), (200, 1_000), (500, 2_000), (50, 200), (50, 10_000), (50, 100_000)]:
        _, seconds = search(linear(d, 2, n, 0))
        print(f"{d:9d} {n:6d} {seconds:10.2f}  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", default=",".join(NAMES))
    parser.add_argument("--seeds", type=int, default=None)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[2] / "build" / "bench")
    given = parser.parse_args()
    names = given.problems.split(",")
    for name in names:
        if name not in NAMES:
            parser.error(f"no problem is called {name}, expected some of {', '.join(NAMES)}")
    for peer, line in PEERS.items():
        if find_spec(peer) is None:
            print(f"{peer} is not installed and passed over: pip install --no-deps {line}")
    causal_engine.set_threads(1)
    warnings.simplefilter("ignore", CausalWarning)
    table = Table()
    print("problem                SHD     time")
    given.out.mkdir(parents=True, exist_ok=True)
    for name in names:
        run(name, given.seeds or SEEDS.get(name, 10), table)
        (given.out / "discovery.json").write_text(json.dumps(table.lines, indent=1))
    if given.scaling:
        scaling()


if __name__ == "__main__":
    main()
