"""Small structural models with known truth, learned once, and what it takes to learn others like them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pytest

from causal_engine import StructuralModel


@dataclass
class Subject:
    graph: object
    draw: object                            # data from (rows, seed)
    rows: int = 2_000
    how: dict = field(default_factory=lambda: {"mechanisms": "linear", "dtype": "float64", "seed": 3})
    options: dict = field(default_factory=lambda: {"lr": 0.05, "epochs": 100, "validation_fraction": 0.0})

    @cached_property
    def data(self):
        return self.draw(self.rows, 0)

    @cached_property
    def model(self):
        return self.fit(self.data)

    def fit(self, data, interventions=None, graph=None, how=(), **options):
        model = StructuralModel(graph or self.graph, **{**self.how, **dict(how)})
        return model.fit(data, interventions, progress=False, **{**self.options, **options})

    def first(self, rows=6):
        return {name: column[:rows] for name, column in self.data.items()}


def draw_line(n, seed):
    rng = np.random.default_rng([7, seed])
    z = rng.normal(size=n)
    x = 0.8 * z + rng.normal(size=n)
    m = 1.5 * x + rng.normal(size=n)
    return {"z": z, "x": x, "m": m, "y": m - 2 * z + rng.normal(size=n)}


def draw_clinic(n, seed):
    rng = np.random.default_rng([8, seed])
    sex = np.where(rng.random(n) < 0.4, "f", "m")
    age = rng.normal(50, 10, n)
    treated = rng.random(n) < 1 / (1 + np.exp(-(age - 50) / 10 - (sex == "f")))
    score = 2.0 * treated - 0.1 * (age - 50) + 1.0 * (sex == "f") + rng.normal(size=n)
    grade = np.array(["bad", "fair", "good"])[np.digitize(score + rng.logistic(size=n), (-1, 1.5))]
    return {"age": age, "sex": sex, "treated": treated, "score": score, "grade": grade}


def draw_curves(n, seed):
    rng = np.random.default_rng([9, seed])
    a = rng.normal(size=n)
    b = np.tanh(2 * a) + 0.3 * rng.normal(size=n)
    c = b + (0.2 + a ** 2 / 4) * rng.normal(size=n)
    return {"a": a, "b": b, "c": c, "d": b * c + rng.exponential(size=n)}


@pytest.fixture(scope="session")
def linear():
    """z -> x -> m -> y and z -> y, linear, with Gaussian noise: do(x) moves y by 1.5, and one z by -0.8."""
    return Subject([("z", "x"), ("x", "m"), ("m", "y"), ("z", "y")], draw_line)


@pytest.fixture(scope="session")
def mixed():
    """Numbers, a text, a boolean, and three levels with causes: age and sex -> treated -> score -> grade."""
    return Subject({"treated": ["age", "sex"], "score": ["treated", "age", "sex"], "grade": ["score"]}, draw_clinic)


@pytest.fixture(scope="session")
def curved():
    """A mechanism of every invertible kind."""
    return Subject({"b": "a", "c": ["a", "b"], "d": ["b", "c"]}, draw_curves, 600, {
        "mechanisms": {"b": "additive", "c": "location_scale", "d": "flow"}, "seed": 6}, {"epochs": 60})


@pytest.fixture(scope="session")
def ensemble():
    """The linear model five times, from few rows drawn with replacement."""
    return Subject([("z", "x"), ("x", "m"), ("m", "y"), ("z", "y")], draw_line, 300, options={
        "lr": 0.05, "epochs": 100, "validation_fraction": 0.0, "members": 5, "bootstrap": True})
