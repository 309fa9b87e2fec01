"""How many rows does it take to know E[y | do(x)]?

Four questions about two structural models with known equations (reference_problems.py), and four learners:

    recorded         a network of the outcome from the treatment alone, read at x = v: what was recorded where x was v
    overwritten      a network of the outcome from all other variables; the column of x is overwritten by v, and the answers averaged
    structural       a StructuralModel that is given the graph, on the same rows
    interventional   the same on as many rows, in half of which the treatment was set, evenly over the doses that are asked about

Which of the first two is right depends on the question, and it takes the graph to know: a network of everything holds mediators fast, one
of the treatment alone takes a common cause for an effect. All networks are 64 x 64 with gelu and train alike: so many steps of AdamW,
a tenth of the rows held out, the best weights kept. The noise of the problems is additive, which the structural model is told.

The error is the root mean square, over doses at the deciles of x, of the error of E[y | do(x = v)], where the truth comes from 200,000 draws.

    python data_efficiency.py [--seeds 10] [--steps 3000] [--processes 2] [--quick] [--output build/data_efficiency]

It prints tables and writes data_efficiency.json and data_efficiency.png.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from reference_problems import PROBLEMS, Problem
from tqdm import tqdm

from causal_engine import CausalMLP, StructuralModel, set_threads

ROWS = (250, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
TRUTH_DRAWS, DRAWS = 200_000, 20_000
BATCH, LEARNING_RATE, HELD_OUT, PATIENCE = 256, 0.005, 0.1, 0.25
LEARNERS = {
    "recorded": "network of y from x, as recorded",
    "overwritten": "network of y from all, x overwritten",
    "structural": "structural model, same rows",
    "interventional": "structural model, half of the rows under do(x)",
}
PLAIN, STRUCTURAL = ("recorded", "overwritten"), ("structural", "interventional")
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Query:
    """E[outcome | do(treatment)]; variables are numbered from 0."""

    problem: str
    treatment: int
    outcome: int
    what: str
    right: tuple[str, ...]      # the plain learners that estimate this and nothing else, if they have rows enough

    @property
    def name(self) -> str:
        return f"{self.problem}: do(x{self.treatment + 1}) -> x{self.outcome + 1}"

    def truth(self) -> tuple[np.ndarray, np.ndarray]:
        """Doses, and the mean of the outcome at each."""
        problem = PROBLEMS[self.problem]
        noise = problem.noise(np.random.default_rng(2 ** 32), TRUTH_DRAWS)
        doses = np.percentile(problem.run(noise)[:, self.treatment], range(10, 100, 10))
        return doses, np.array([problem.run(noise, {self.treatment: dose})[:, self.outcome].mean() for dose in doses])


QUERIES = (
    Query("triangle", 1, 2, "a treatment that x1 confounds", ("overwritten",)),
    Query("triangle", 0, 2, "a cause that acts through the mediator x2 too", ("recorded",)),
    Query("fork", 2, 3, "the mediator itself, of which x1 and x2 are causes", ("recorded", "overwritten")),
    Query("fork", 1, 3, "a cause that acts through the mediator x3 alone", ("recorded",)),
)


# ---------------------------------------------------------------- learners

def epochs(rows: int, steps: int) -> int:
    """Passes over so many rows that make so many steps."""
    return max(1, round(steps * min(BATCH, rows) / rows))


def network(x: np.ndarray, y: np.ndarray, steps: int, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """What a network learns of y from x, (rows, columns), as a function."""
    centre, spread, mean, width = x.mean(0), x.std(0), y.mean(), y.std()
    z, t = (x - centre) / spread, (y - mean) / width
    order = np.random.default_rng(seed).permutation(len(x))
    held, kept = np.split(order, [int(HELD_OUT * len(x))])
    model = CausalMLP(x.shape[1], [64, 64], 1, activation="gelu", seed=seed)
    passes = epochs(len(kept), steps)
    model.fit(z[kept], t[kept], optimizer="adamw", lr=LEARNING_RATE, schedule="cosine", clip_grad=10.0, epochs=passes, batch_size=BATCH,
              validation_data=(z[held], t[held]), patience=max(1, int(np.ceil(PATIENCE * passes))), seed=seed, progress=False)
    return lambda x: np.asarray(model((x - centre) / spread), float)[:, 0] * width + mean


def structural(problem: Problem, rows: np.ndarray, was_set: np.ndarray | None, steps: int, seed: int) -> StructuralModel:
    """A structural model that knows the graph, and what was set in which rows."""
    columns = dict(zip(problem.variables, rows.T))
    marks = None if was_set is None else dict(zip(problem.variables, was_set.T))
    kept = len(rows) - int(HELD_OUT * len(rows))
    return StructuralModel(problem.edges, mechanisms="additive", seed=seed).fit(
        columns, marks, batch_size=BATCH, lr=LEARNING_RATE, validation_fraction=HELD_OUT, patience=PATIENCE, epochs=epochs(kept, steps),
        progress=False)


def half_set(problem: Problem, query: Query, doses: np.ndarray, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """New rows, in half of which the treatment was set, and which entries were."""
    noise, was_set = problem.noise(rng, rows), np.zeros((rows, len(problem.variables)), bool)
    was_set[: rows // 2, query.treatment] = True
    seen, experiment = problem.run(noise), problem.run(noise, {query.treatment: rng.uniform(doses[0], doses[-1], rows)})
    return np.where(was_set.any(1)[:, None], experiment, seen), was_set


def errors(job: tuple[int, int], truths: list[tuple[np.ndarray, np.ndarray]], steps: int) -> tuple[int, int, dict[str, dict[str, float]]]:
    """By query and learner, for one number of rows and one seed."""
    rows, seed = job
    found: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(query.problem for query in QUERIES):
        problem, rng = PROBLEMS[name], np.random.default_rng([seed, rows])
        x = problem.run(problem.noise(rng, rows))
        model = structural(problem, x, None, steps, seed)
        outcome = x.shape[1] - 1                    # of both queries of each problem
        of_all = network(x[:, :outcome], x[:, outcome], steps, seed)
        for query, (doses, truth) in zip(QUERIES, truths):
            if query.problem != name:
                continue
            treatment = problem.variables[query.treatment]

            def mean(model: StructuralModel) -> np.ndarray:
                return model.do({treatment: doses}).mean(problem.variables[outcome], draws=DRAWS).value

            def overwritten(dose: float) -> float:
                changed = x[:, :outcome].copy()
                changed[:, query.treatment] = dose
                return of_all(changed).mean()

            of_treatment = network(x[:, [query.treatment]], x[:, outcome], steps, seed)
            experiment, was_set = half_set(problem, query, doses, rows, rng)
            answers = {
                "recorded": of_treatment(doses[:, None]),
                "overwritten": np.array([overwritten(dose) for dose in doses]),
                "structural": mean(model),
                "interventional": mean(structural(problem, experiment, was_set, steps, seed)),
            }
            found[query.name] = {learner: float(np.sqrt(np.mean((answer - truth) ** 2))) for learner, answer in answers.items()}
    return rows, seed, found


def run(sizes: tuple[int, ...], seeds: list[int], steps: int, processes: int) -> dict[str, dict[str, np.ndarray]]:
    """Errors by query and learner, (sizes, seeds)."""
    results = {query.name: {learner: np.full((len(sizes), len(seeds)), np.nan) for learner in LEARNERS} for query in QUERIES}
    truths = [query.truth() for query in QUERIES]
    jobs = [(rows, seed) for seed in seeds for rows in reversed(sizes)]
    with Pool(processes, initializer=_work_alone) as pool:      # leaving it, also by Ctrl-C, ends the workers
        for rows, seed, found in tqdm(pool.imap_unordered(partial(errors, truths=truths, steps=steps), jobs), total=len(jobs),
                                      desc="data efficiency", unit="fit"):
            for query, by_learner in found.items():
                for learner, error in by_learner.items():
                    results[query][learner][sizes.index(rows), seeds.index(seed)] = error
    return results


def _work_alone() -> None:
    set_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# ---------------------------------------------------------------- what comes of it

def resamples(seeds: int, count: int = 2_000) -> np.ndarray:
    """(count, seeds): seeds drawn with replacement, the same for all curves, so that these stay paired."""
    return np.random.default_rng(0).integers(0, seeds, (count, seeds))


def rows_to_reach(sizes: np.ndarray, curve: np.ndarray, error: float) -> float:
    """How many rows bring the error down to this one, between sizes on a line in log-log; infinite if none do."""
    lowest = np.minimum.accumulate(curve)
    place = int(np.argmax(lowest <= error))
    if lowest[place] > error:
        return float("inf")
    if place == 0:
        return float(sizes[0])
    (a, b), (m, n) = np.log(lowest[place - 1:place + 1]), np.log(sizes[place - 1:place + 1])
    return float(np.exp(m + (n - m) * (a - np.log(error)) / (a - b)))


def saving(sizes: np.ndarray, plain: np.ndarray, other: np.ndarray) -> float:
    """How many times as many rows the plain learner takes, at the error that the worse of the two ends with."""
    if other[-1] <= plain[-1]:
        return float(sizes[-1] / rows_to_reach(sizes, other, plain[-1]))
    return rows_to_reach(sizes, plain, other[-1]) / float(sizes[-1])


def summary(results: dict[str, dict[str, np.ndarray]], sizes: tuple[int, ...], seeds: list[int]) -> list[dict]:
    """Means over the seeds, and rows saved, with 95 % bootstrap intervals."""
    drawn, rows = resamples(len(seeds)), np.array(sizes, float)

    def interval(values: np.ndarray) -> list:
        return np.percentile(values, (2.5, 97.5), axis=0).tolist()

    report = []
    for query in QUERIES:
        each = results[query.name]
        again = {learner: error[:, drawn].mean(2).T for learner, error in each.items()}      # (resamples, sizes)
        report.append({
            "query": query.name, "what": query.what, "right": list(query.right),
            "errors": {learner: error.tolist() for learner, error in each.items()},
            "mean": {learner: error.mean(1).tolist() for learner, error in each.items()},
            "interval": {learner: interval(curves) for learner, curves in again.items()},
            "saved": {f"{other} for {plain}": {
                "factor": saving(rows, each[plain].mean(1), each[other].mean(1)),
                "interval": interval(np.array([saving(rows, a, b) for a, b in zip(again[plain], again[other])])),
            } for plain in PLAIN for other in STRUCTURAL},
        })
    return report


def said(saved: dict, most: float) -> str:
    """A saving in words."""
    factor, (low, high) = saved["factor"], saved["interval"]
    verdict = "" if low > 1 else "none: " if factor <= 1 else "none that is certain: "
    bound = "at least " if factor >= most else "at most " if factor <= 1 / most else ""
    return f"{verdict}{bound}{factor:.3g}x ({low:.3g} to {high:.3g})"


def tables(report: list[dict], sizes: tuple[int, ...]) -> str:
    lines = []
    for entry in report:
        lines.append(f"\n{entry['query']}, {entry['what']}\n{'rows':>24}" + "".join(f"{rows:>9}" for rows in sizes))
        for learner in LEARNERS:
            biased = learner in PLAIN and learner not in entry["right"]
            lines.append(f"  {learner + (' (biased)' if biased else ''):22}" + "".join(f"{error:9.3f}" for error in entry["mean"][learner]))
            low, high = entry["interval"][learner]
            lines.append(f"{'':24}" + "".join(f"{f'±{(b - a) / 2:.3f}':>9}" for a, b in zip(low, high)))
    most = sizes[-1] / sizes[0]
    lines.append(f"\nrows saved: how many times as many the plain learner takes, at the error that the worse ends with ({sizes[-1]} rows)")
    for entry in report:
        lines.append(f"\n  {entry['query']}")
        for plain in PLAIN:
            note = "" if plain in entry["right"] else "; biased, however many rows"
            for other in STRUCTURAL:
                lines.append(f"    {other:15} instead of {plain:12} {said(entry['saved'][f'{other} for {plain}'], most)}{note}")
    return "\n".join(lines)


def draw(report: list[dict], sizes: tuple[int, ...], path: Path) -> None:
    """Error against rows, a panel for each query."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = {"recorded": "#8a8f98", "overwritten": "#e0a030", "structural": "#1f6f8b", "interventional": "#c1444b"}
    figure, panels = plt.subplots(1, len(report), figsize=(13, 4.6), layout="constrained", sharey=True)
    for axes, entry in zip(panels, report):
        for learner in LEARNERS:
            biased = learner in PLAIN and learner not in entry["right"]
            axes.plot(sizes, entry["mean"][learner], "--" if biased else "-", marker="o", markersize=3.5, color=colours[learner], linewidth=1.9)
            axes.fill_between(sizes, *entry["interval"][learner], color=colours[learner], alpha=0.16, linewidth=0)
        problem, _, asked = entry["query"].partition(": ")
        axes.set_title(f"{problem}: {asked.replace('->', '→')}", fontsize=11, pad=20)
        axes.annotate(entry["what"], (0.5, 1.02), xycoords="axes fraction", ha="center", fontsize=8, color="#555555")
        axes.set(xscale="log", yscale="log", xlabel="rows")
        axes.minorticks_off()
        axes.set_xticks([250, 1_000, 5_000, 20_000], ["250", "1,000", "5,000", "20,000"])
        axes.set_yticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
        axes.grid(color="#e6e6e6", linewidth=0.7)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("error of E[y | do(x)]")
    lines = [plt.Line2D([], [], color=colours[learner], linewidth=2.2, marker="o", markersize=4) for learner in LEARNERS]
    lines.append(plt.Line2D([], [], color="black", linewidth=1.2, linestyle="--"))
    figure.legend(lines, [*LEARNERS.values(), "dashed: biased, however many rows"], loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="how many, from 0 on")
    parser.add_argument("--steps", type=int, default=3_000, help="of each network's training, at most")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="two seeds, two sizes, short training: it shows that all this runs, no more")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "data_efficiency")
    options = parser.parse_args()
    sizes, seeds, steps = ((250, 1_000), [0, 1], 200) if options.quick else (ROWS, list(range(options.seeds)), options.steps)

    start = time.perf_counter()
    try:
        results = run(sizes, seeds, steps, options.processes)
    except KeyboardInterrupt:
        raise SystemExit("\ninterrupted: nothing was written") from None
    report = summary(results, sizes, seeds)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "data_efficiency.json").write_text(json.dumps({
        "rows": sizes, "seeds": seeds, "steps": steps, "seconds": time.perf_counter() - start, "queries": report}, indent=2) + "\n")
    draw(report, sizes, options.output / "data_efficiency.png")

    print(f"\nerror of E[y | do(x)], mean of {len(seeds)} seeds, ± half the 95 % bootstrap interval; at most {steps} steps a network\n")
    for name, meaning in LEARNERS.items():
        print(f"  {name:16}{meaning}")
    print(f"{tables(report, sizes)}\n\n{options.output / 'data_efficiency.png'}\n{options.output / 'data_efficiency.json'}")


if __name__ == "__main__":
    main()
