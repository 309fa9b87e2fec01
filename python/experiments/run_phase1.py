"""What a network learns from an experiment if it knows what do() means.

y = x1 + 2 x2 - 3 x3 + noise. Half of the training rows come from an experiment that set x2 to 0.5: their y was generated with
x2 = 0.5, but the recorded x2 is the value from before. Four networks of one shape and with the same first weights learn from it:

    blind            all rows as recorded; it does not know of the experiment
    observational    only the rows that were not in the experiment
    causal           all rows, with the intervention mask: CausalMLP under do(x2 = 0.5) where that is what happened
    overwrite        all rows, with the recorded x2 overwritten by 0.5; at an input this is the same as do(), to the bit

    python run_phase1.py [--seeds 10] [--epochs 100] [--batch-size 32, or 0 for full batch] [--output build/phase1]

It prints a table and writes phase1.json and phase1.png.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from causal_engine import CausalLosses, CausalMetrics, CausalMLP, History

EFFECTS = np.array([1.0, 2.0, -3.0])
NOISE = 0.1
TRAIN, TEST = 800, 200
SET = 1, 0.5                            # the experiment: do(x2 = 0.5)
DOSES = np.arange(-2, 2.25, 0.5)
MODELS = {
    "blind": "all rows, not told of the experiment",
    "observational": "observational rows only",
    "causal": "all rows, do() where it happened",
    "overwrite": "all rows, column overwritten",
}
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Data:
    """One draw of the problem."""

    x: np.ndarray           # (TRAIN, 3), as recorded
    y: np.ndarray           # (TRAIN, 1)
    mask: np.ndarray        # (TRAIN, 3), where the experiment set x
    values: np.ndarray      # (TRAIN, 3), to what
    x_test: np.ndarray      # (TEST, 3), no experiment
    y_test: np.ndarray      # (TEST, 1)

    @classmethod
    def draw(cls, seed: int) -> Data:
        random = np.random.default_rng(seed)
        x = random.normal(size=(TRAIN + TEST, 3))
        noise = NOISE * random.normal(size=(TRAIN + TEST, 1))
        feature, value = SET
        mask = np.zeros(x.shape, bool)
        mask[: TRAIN // 2, feature] = True
        values = np.where(mask, value, 0.0)
        y = (np.where(mask, values, x) @ EFFECTS)[:, None] + noise
        return cls(x[:TRAIN], y[:TRAIN], mask[:TRAIN], values[:TRAIN], x[TRAIN:], y[TRAIN:])

    def training_rows(self, model: str) -> tuple[np.ndarray, np.ndarray, dict | None]:
        """x, y and interventions as each of the models gets them."""
        seen = ~self.mask.any(axis=1)
        return {
            "blind": (self.x, self.y, None),
            "observational": (self.x[seen], self.y[seen], None),
            "causal": (self.x, self.y, {0: (self.mask, self.values)}),
            "overwrite": (np.where(self.mask, self.values, self.x), self.y, None),
        }[model]


def under_do(model: CausalMLP, x: np.ndarray, feature: int, value: float) -> np.ndarray:
    """Predictions for the rows of x under do(feature = value)."""
    mask = np.arange(x.shape[1]) == feature
    return model(x, {0: (mask, value)})


@dataclass
class Result:
    """What is asked of one trained network."""

    history: History
    test_mse: float
    coefficients: np.ndarray            # average effects of do(xj: 0 -> 1)
    do_rmse: float                      # of predictions under do(x2 = v), averaged over the doses
    intervention_accuracy: float        # mean squared error under the experiment, do(x2 = 0.5)
    dose_response: np.ndarray           # mean prediction at each dose
    max_gradient_on_intervened: float

    @classmethod
    def of(cls, model: CausalMLP, history: History, data: Data) -> Result:
        losses, x = CausalLosses(), data.x_test
        effects = [np.mean(under_do(model, x, j, 1.0) - under_do(model, x, j, 0.0), dtype=float) for j in range(3)]
        doses = [under_do(model, x, 1, v)[:, 0] for v in DOSES]
        truths = [x[:, 0] + 2 * v - 3 * x[:, 2] for v in DOSES]
        feature, value = SET
        outcome = data.y_test + 2 * (value - x[:, [feature]])       # the same rows, the same noise, x2 = 0.5
        return cls(
            history,
            losses.standard_loss(model(x), data.y_test),
            np.array(effects),
            float(np.mean([np.sqrt(np.mean((dose - truth) ** 2)) for dose, truth in zip(doses, truths)])),
            CausalMetrics.intervention_accuracy(under_do(model, x, feature, value), outcome, np.arange(3) == feature),
            np.array([dose.mean() for dose in doses]),
            max_gradient(model, data))


def max_gradient(model: CausalMLP, data: Data) -> float:
    """The largest gradient of the training loss that reaches an input through its own intervention."""
    trace = model.trace(data.x, {0: (data.mask, data.values)})
    _, gradient = CausalLosses().value_and_grad("standard_loss", trace.output, data.y)
    return float(np.abs(trace.backward(gradient).inputs[data.mask]).max())


def train(name: str, data: Data, seed: int, epochs: int, batch_size: int | None) -> tuple[CausalMLP, Result]:
    x, y, interventions = data.training_rows(name)
    model = CausalMLP(3, [16, 16], 1, seed=seed)
    history = model.fit(x, y, interventions, loss="mse", optimizer="adam", lr=0.01, epochs=epochs, batch_size=batch_size,
                        validation_data=(data.x_test, data.y_test), seed=seed, progress=False)
    return model, Result.of(model, history, data)


def run(seeds: list[int], epochs: int, batch_size: int | None) -> dict[str, list[Result]]:
    """Trains every model on every seed."""
    results: dict[str, list[Result]] = {name: [] for name in MODELS}
    for seed in tqdm(seeds, desc="phase 1", unit="seed"):
        data, parameters = Data.draw(seed), {}
        for name in MODELS:
            model, result = train(name, data, seed, epochs, batch_size)
            results[name].append(result)
            parameters[name] = model.parameters()
        if not all(np.array_equal(a, b) for a, b in zip(parameters["causal"], parameters["overwrite"])):
            raise SystemExit(f"seed {seed}: do() at an input and an overwritten column gave different weights; they must not")
    return results


def summary(results: dict[str, list[Result]], seeds: list[int]) -> dict:
    """Means over the seeds."""

    def mean(name: str, what: str) -> float:
        return float(np.mean([getattr(result, what) for result in results[name]]))

    return {
        "models": {
            name: {
                "test_mse": mean(name, "test_mse"),
                "coefficients": np.mean([r.coefficients for r in results[name]], axis=0).tolist(),
                "coefficient_error": np.mean([np.abs(r.coefficients - EFFECTS) for r in results[name]], axis=0).tolist(),
                "do_rmse": mean(name, "do_rmse"),
                "intervention_accuracy": mean(name, "intervention_accuracy"),
            }
            for name in MODELS
        },
        "max_gradient_on_intervened": max(r.max_gradient_on_intervened for r in results["causal"]),
        "train_seconds": float(np.mean([r.history.seconds.sum() for r in results["causal"]])),
        "seeds": seeds,
    }


def table(report: dict) -> str:
    lines = [f"{'':15}{'test MSE':>10}{'do-RMSE':>10}{'MSE at do':>11}   effect of do(xj: 0 -> 1), and its mean error"]
    for name, model in report["models"].items():
        effects = "  ".join(f"{c:6.3f} ±{e:.3f}" for c, e in zip(model["coefficients"], model["coefficient_error"]))
        lines.append(f"{name:15}{model['test_mse']:10.4f}{model['do_rmse']:10.4f}{model['intervention_accuracy']:11.4f}   {effects}")
    lines.append(f"{'truth':15}{NOISE**2:10.4f}{0:10.4f}{NOISE**2:11.4f}   " + "  ".join(f"{effect:6.3f}       " for effect in EFFECTS).rstrip())
    lines.append(f"largest gradient on an intervened input: {report['max_gradient_on_intervened']}")
    lines.append(f"seconds to train one network: {report['train_seconds']:.3f}")
    return "\n".join(lines)


def draw(results: dict[str, list[Result]], report: dict, path: Path) -> None:
    """Training curves, errors and dose-response curves of the models side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = {"blind": "#c1444b", "observational": "#8a8f98", "causal": "#1f6f8b", "overwrite": "#e0a030"}
    figure, (curves, errors, doses) = plt.subplots(1, 3, figsize=(12.5, 3.9), layout="constrained", width_ratios=[1.1, 1, 1])
    for name in MODELS:
        style = "--" if name == "overwrite" else "-"      # it lies on top of the causal curve
        width = 1.4 if name == "overwrite" else 2.2
        losses = np.array([result.history.validation_loss for result in results[name]])
        epochs = np.arange(1, losses.shape[1] + 1)
        curves.plot(epochs, np.median(losses, axis=0), style, color=colours[name], linewidth=width, label=name)
        if name != "overwrite":
            curves.fill_between(epochs, losses.min(axis=0), losses.max(axis=0), color=colours[name], alpha=0.13, linewidth=0)
        responses = np.mean([result.dose_response for result in results[name]], axis=0)
        doses.plot(DOSES, responses, style, color=colours[name], linewidth=width, label=name)
    curves.axhline(NOISE**2, color="black", linewidth=0.8, linestyle=":")
    curves.annotate("noise", (1, NOISE**2), xytext=(2, -10), textcoords="offset points", fontsize=8)
    curves.set(yscale="log", xlabel="epoch", ylabel="mean squared error, test rows", title="Training")
    curves.legend(frameon=False, fontsize=9)

    places = np.arange(len(MODELS))
    for place, name in zip(places, MODELS):
        each = np.array([result.do_rmse for result in results[name]])
        low_high = [[each.mean() - each.min()], [each.max() - each.mean()]]
        errors.bar(place, each.mean(), 0.65, yerr=low_high, capsize=3, color=colours[name])
        errors.annotate(f"{each.mean():.3f}", (place, each.max()), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=9)
    errors.set(xticks=places, ylabel="do-RMSE", title=f"Error under do(x2 = v), range of {len(report['seeds'])} seeds")
    errors.set_xticklabels(MODELS, fontsize=9)
    errors.margins(y=0.12)

    truth = np.mean([Data.draw(seed).x_test @ (EFFECTS * [1, 0, 1]) for seed in report["seeds"]])
    doses.plot(DOSES, truth + 2 * DOSES, "o", color="black", markersize=4, label="truth")
    doses.set(xlabel="v", ylabel="mean of y under do(x2 = v)", title="Dose and response")
    doses.legend(frameon=False, fontsize=9)
    for axes in (curves, errors, doses):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="how many, from 0 on")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=32, help="0 for full batch")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "phase1")
    options = parser.parse_args()

    seeds = list(range(options.seeds))
    results = run(seeds, options.epochs, options.batch_size or None)
    report = summary(results, seeds)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "phase1.json").write_text(json.dumps(report, indent=2) + "\n")
    draw(results, report, options.output / "phase1.png")

    print(f"\ny = x1 + 2 x2 - 3 x3 + noise; {TRAIN} rows, half of them under do(x2 = 0.5); {options.epochs} epochs; {len(seeds)} seeds\n")
    for name, meaning in MODELS.items():
        print(f"  {name:15}{meaning}")
    print(f"\n{table(report)}\n\n{options.output / 'phase1.png'}\n{options.output / 'phase1.json'}")


if __name__ == "__main__":
    main()
