"""How near structural models come to known equations: the table of RMSE_ATE and RMSE_CF on the reference problems.

    python bench_structural.py [--seeds 5] [--problems triangle,fork] [--flow] [--out FOLDER]

Each problem gives 20,000 rows. Beside the engine stand a tuned smooth regression on the true parents (a cubic smoothing spline where there is
one parent, a tensor product of splines where there are two; the smoothness chosen by cross-validation), which is near what so many noisy
rows allow, and with --flow a causal autoregressive flow (`causalflows` from PyPI, with torch), trained for 500 epochs. All in one
run, on the same rows; seconds are those of training. `structural.json` gets the engine's errors.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from causal_engine import Graph, StructuralModel

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python" / "experiments"))

from reference_problems import PROBLEMS, Problem, errors  # noqa: E402

ROWS, DRAWS, MEMBERS = 20_000, 200_000, 5
GOALS = {"triangle": (0.05, 0.10), "fork": (0.02, 0.035), "simpson": (0.03, 0.06), "large backdoor": (0.01, 0.016)}
Array = NDArray[np.float64]
Answers = tuple[Callable[[dict[int, float]], Array], Callable[[Array, dict[int, float]], Array]]


def engine(problem: Problem, rows: Array, seed: int) -> Answers:
    """An ensemble of smooth mechanisms."""
    names = problem.variables
    model = StructuralModel(Graph(problem.edges, variables=names), mechanisms="smooth", seed=seed)
    model.fit(rows, members=MEMBERS, progress=False)

    def named(do: dict[int, float]) -> dict[str, float]:
        return {names[variable]: value for variable, value in do.items()}

    def mean(do: dict[int, float]) -> Array:
        sample = model.do(named(do)).sample(DRAWS, seed=1)
        return np.array([np.mean(sample[name]) for name in names])

    return mean, lambda factual, do: model.counterfactual(factual, named(do))


class Regressions:
    """Additive noise around smooth regressions on the true parents, taken through the graph as the engine takes its networks."""

    def __init__(self, problem: Problem, rows: Array, seed: int) -> None:
        self._problem, self._rng = problem, np.random.default_rng(seed)
        self._fits = {child: smooth(rows[:, list(parents)], rows[:, child]) for child, parents in enumerate(problem.parents) if parents}
        self._noise = np.column_stack([rows[:, k] - self._fits[k](rows[:, list(problem.parents[k])]) if k in self._fits else rows[:, k]
                                       for k in range(rows.shape[1])])

    def run(self, noise: Array, do: dict[int, float]) -> Array:
        values = np.empty_like(noise)
        for k, parents in enumerate(self._problem.parents):
            values[:, k] = do[k] if k in do else noise[:, k] + (self._fits[k](values[:, list(parents)]) if parents else 0)
        return values

    def mean(self, do: dict[int, float]) -> Array:
        rng = np.random.default_rng(1)
        return self.run(np.column_stack([rng.choice(column, DRAWS // 4) for column in self._noise.T]), do).mean(0)

    def counterfactual(self, factual: Array, do: dict[int, float]) -> Array:
        noise = np.column_stack([factual[:, k] - self._fits[k](factual[:, list(parents)]) if parents else factual[:, k]
                                 for k, parents in enumerate(self._problem.parents)])
        return self.run(noise, do)


def smooth(x: Array, y: Array) -> Callable[[Array], Array]:
    """The regression among those of several knots and penalties that predicts held-out fifths of the rows best."""
    def error(knots: int, penalty: float) -> float:
        parts = np.arange(len(y)) % 5
        return float(np.mean([np.mean((y[parts == k] - spline(x[parts != k], y[parts != k], knots, penalty)(x[parts == k])) ** 2) for k in range(5)]))

    counts = (10, 20, 40) if x.shape[1] == 1 else (8, 12, 16)
    best = min(((knots, penalty) for knots in counts for penalty in (1e-6, 1e-4, 1e-2, 1.0)), key=lambda choice: error(*choice))
    return spline(x, y, *best)


def spline(x: Array, y: Array, knots: int, penalty: float) -> Callable[[Array], Array]:
    """Penalised cubic B-splines with knots at quantiles (Eilers and Marx 1996), and the tensor product of two; linear beyond the data."""
    from scipy.interpolate import BSpline

    def basis(column: Array) -> Callable[[Array], Array]:
        inner = np.unique(np.quantile(column, np.linspace(0, 1, knots)))
        full = np.concatenate([[inner[0]] * 3, inner, [inner[-1]] * 3])
        functions = BSpline(full, np.eye(len(full) - 4), 3)
        slopes = functions.derivative()

        def at(values: Array) -> Array:
            inside = np.clip(values, inner[0], inner[-1])
            return np.asarray(functions(inside) + (values - inside)[:, None] * slopes(inside))

        return at

    each = [basis(column) for column in x.T]

    def design(values: Array) -> Array:
        columns = [at(column) for at, column in zip(each, values.T)]
        return columns[0] if len(columns) == 1 else np.einsum("ni,nj->nij", *columns).reshape(len(values), -1)

    matrix = design(x)
    sizes = [at(x[:1, 0]).shape[1] for at in each]
    bends = [np.diff(np.eye(count), 2, axis=0) for count in sizes]
    bends = [bend.T @ bend for bend in bends]
    roughness = bends[0] if len(bends) == 1 else np.kron(bends[0], np.eye(sizes[1])) + np.kron(np.eye(sizes[0]), bends[1])
    gram = matrix.T @ matrix
    scale = np.trace(gram) / len(gram)
    coefficients = np.linalg.solve(gram + scale * (penalty * roughness + 1e-9 * np.eye(len(gram))), matrix.T @ y)
    return lambda values: design(values) @ coefficients


def regression(problem: Problem, rows: Array, seed: int) -> Answers:
    """See `Regressions`."""
    fitted = Regressions(problem, rows, seed)
    return fitted.mean, fitted.counterfactual


def flow(problem: Problem, rows: Array, seed: int) -> Answers:
    """A causal masked autoregressive flow."""
    import torch
    from causalflows.flows import CausalMAF

    torch.manual_seed(seed)
    adjacency = torch.eye(rows.shape[1], dtype=torch.bool)
    for child, parents in enumerate(problem.parents):
        adjacency[child, list(parents)] = True
    center, width = torch.tensor(rows.mean(0)), torch.tensor(rows.std(0))
    data = ((torch.tensor(rows) - center) / width).float()
    model = CausalMAF(rows.shape[1], 0, adjacency=adjacency, hidden_features=(64, 64), activation=torch.nn.SiLU)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.95, patience=60)
    kept, held = data[: len(data) * 9 // 10], data[len(data) * 9 // 10:]
    for _ in range(500):
        order = torch.randperm(len(kept))
        for batch in order.split(1024):
            loss = -model().log_prob(kept[batch]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            schedule.step(-model().log_prob(held).mean())

    def intervened(do: dict[int, float]) -> dict[str, Any]:
        (variable, value), = do.items()
        return {"index": variable, "value": ((torch.tensor(value, dtype=torch.float64) - center[variable]) / width[variable]).float()}

    def original(values: Any) -> Array:
        return np.asarray(values.double() * width + center)

    def mean(do: dict[int, float]) -> Array:
        with torch.no_grad():
            return original(model().sample_interventional(sample_shape=(DRAWS,), **intervened(do))).mean(0)

    def counterfactual(factual: Array, do: dict[int, float]) -> Array:
        with torch.no_grad():
            return original(model().compute_counterfactual(factual=((torch.tensor(factual) - center) / width).float(), **intervened(do)))

    return mean, counterfactual


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--flow", action="store_true", help="train the flow too, where causalflows is installed")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    options = parser.parse_args()
    learners: dict[str, Callable[[Problem, Array, int], Answers]] = {"engine": engine, "smooth regression": regression}
    if options.flow:
        learners["causal flow"] = flow
    print(f"RMSE_ATE / RMSE_CF, {ROWS} rows, mean of {options.seeds} seeds; seconds to train\n")
    print(f"{'':16}" + "".join(f"{name:>28}" for name in learners) + f"{'goal':>18}")
    written = []
    for name in options.problems.split(","):
        problem, found = PROBLEMS[name], {learner: [] for learner in learners}  # type: dict[str, list[tuple[float, float, float]]]
        for seed in range(options.seeds):
            rows = problem.run(problem.noise(np.random.default_rng(seed), ROWS))
            for learner, learn in learners.items():
                start = time.perf_counter()
                answers = learn(problem, rows, seed)
                seconds = time.perf_counter() - start
                found[learner].append((*errors(problem, rows, *answers, np.random.default_rng(1_000 + seed)), seconds))
            ate, cf, seconds = found["engine"][-1]
            written.append({"scm": name, "seed": seed, "rmse_ate": ate, "rmse_cf": cf, "seconds": seconds})
            print(f"  {name}, seed {seed}: {ate:.4f} / {cf:.4f}", file=sys.stderr, flush=True)
        means = {learner: np.mean(results, axis=0) for learner, results in found.items()}
        goal = GOALS.get(name) or tuple(1.25 * means["smooth regression"][:2])
        print(f"{name:16}" + "".join(f"{ate:>10.4f} /{cf:>7.4f}{seconds:>7.1f} s" for ate, cf, seconds in means.values())
              + f"{goal[0]:>9.4f} /{goal[1]:>7.4f}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "structural.json").write_text(json.dumps(written, indent=1) + "\n")
    print(f"\n{options.out / 'structural.json'}")


if __name__ == "__main__":
    main()
