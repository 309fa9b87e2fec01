"""Policies that are networks, whose weights are learned."""

import pickle

import numpy as np
import pytest

from causal_engine import (ArgumentError, CycleError, InvalidValueError, LinearPolicy, Mechanism, NetworkPolicy, ShapeError, StructuralModel, UnknownNameError,
                           shift)
from causal_engine.optimum import Objective
from causal_engine.scenario import ScenarioView

EDGES = [("z", "x"), ("x", "y"), ("z", "y")]


@pytest.fixture(scope="module")
def model():
    """y = -(x - 50 sin(z / 100))^2 and noise: the best policy is a wave that no line is near to."""
    rng = np.random.default_rng(0)
    z, x = 150 * rng.normal(size=3000), rng.uniform(-80, 80, 3000)
    y = -(x - 50 * np.sin(z / 100)) ** 2 / 1000 + 0.1 * rng.normal(size=3000)
    made = StructuralModel(EDGES, {"x": "linear", "y": Mechanism("additive", hidden=(32,))}, dtype="float64", seed=0)
    return made.fit({"z": z, "x": x, "y": y}, epochs=60, progress=False)


@pytest.fixture(scope="module")
def best(model):
    return model.optimize("y", {"x": NetworkPolicy(["z"], (-80, 80), hidden=(8,))}, draws=1000)


def weights(count, seed=1):
    return np.random.default_rng(seed).normal(size=count)


def test_it_does_what_it_says(model):
    p = weights(4)
    policy = NetworkPolicy(["z"], (-2, 5), hidden=(1,), activation="tanh", weights=p, scales={"z": (10, 200)})
    sample = model.do(x=policy).sample(200)
    wanted = -2 + 7 / (1 + np.exp(-(p[2] * np.tanh(p[0] * (np.asarray(sample["z"]) - 10) / 200 + p[1]) + p[3])))
    np.testing.assert_allclose(sample["x"], wanted, rtol=1e-12)
    plain = model.do(x=NetworkPolicy(["z"], (0, 1), hidden=(), weights=[0.01, 0.5])).sample(200)
    np.testing.assert_allclose(plain["x"], 1 / (1 + np.exp(-0.01 * np.asarray(plain["z"]) - 0.5)), rtol=1e-12)
    some = model.do(x=policy, where=lambda z: z > 0).sample(200)
    there = np.asarray(some["z"]) > 0
    np.testing.assert_array_equal(np.asarray(some["x"])[there], np.asarray(sample["x"])[there])
    np.testing.assert_array_equal(np.asarray(some["x"])[~there], np.asarray(model.sample(200)["x"])[~there])
    known = model.do(x=policy).predict({"z": [3.0]}, draws=2)
    assert model.counterfactual({"z": [3.0], "x": [1.0], "y": [0.0]}, {"x": policy})["x"][0] == pytest.approx(known["x"][0])


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_gradients_agree_with_differences(model, activation):
    """Of all weights, and of a number in what the policy reads, beside a linear policy's."""
    policy = NetworkPolicy(["z"], (-80, 80), hidden=(4, 3), activation=activation)
    objective = Objective(ScenarioView(model, ()), {"z": LinearPolicy({}, intercept=(-100, 100)), "x": policy}, 300, 5)
    place = np.concatenate([[0.6], weights(27)])
    assert objective.ends.shape == (28, 2)
    for outcome in ("y", "x"):
        found = objective.gradient(place, outcome)
        wanted = [(objective.mean(place + 1e-6 * one, outcome) - objective.mean(place - 1e-6 * one, outcome)) / 2e-6 for one in np.eye(28)]
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_it_beats_the_best_line(model, best):
    line = model.optimize("y", {"x": LinearPolicy({"z": (-1, 1)}, intercept=(-80, 80), within=(-80, 80))}, draws=1000)
    assert line.estimate.value < -0.4
    assert best.estimate.value > -0.1
    sample = model.do(x=best.values["x"]).sample(2000)
    assert np.sqrt(np.mean((sample["x"] - 50 * np.sin(np.asarray(sample["z"]) / 100)) ** 2)) < 12


def test_what_was_learned_is_told_whole(model, best):
    """In another model it says the same, whatever the units there; it may be learned on."""
    policy = best.values["x"]
    assert policy.weights.shape == (25,) and policy.scales["z"][1] == pytest.approx(150, rel=0.1)
    again = pickle.loads(pickle.dumps(policy))
    np.testing.assert_array_equal(model.do(x=policy).sample(50)["x"], model.do(x=again).sample(50)["x"])
    rng = np.random.default_rng(1)
    other = StructuralModel(EDGES, "linear", seed=0).fit({name: 1000 + 7 * rng.normal(size=50) for name in "xyz"}, epochs=1, progress=False)
    z = np.array([-100.0, 30.0])
    np.testing.assert_allclose(other.do(x=policy).predict({"z": z}, draws=2)["x"], model.do(x=policy).predict({"z": z}, draws=2)["x"], rtol=1e-9)
    on = Objective(ScenarioView(model, ()), {"x": policy}, 1000, model.seed)
    np.testing.assert_allclose(on._start("x", np.random.default_rng(0), True), policy.weights)
    assert on.values(policy.weights)["x"].scales == policy.scales
    bare = NetworkPolicy(["z"], (0, 1), hidden=(), weights=[0.1, 0])
    assert Objective(ScenarioView(model, ()), {"x": bare}, 10, 0).values(bare.weights)["x"].scales is None       # as it was read before


def test_constraints_hold(model):
    found = model.optimize("y", {"x": NetworkPolicy(["z"], (-80, 80), hidden=(6,))}, constraints={"x": (10, np.inf)}, draws=500)
    assert found.constrained["x"] > 9.9
    assert found.estimate.value > -0.5
    values = np.asarray(model.do(x=found.values["x"]).sample(500)["x"])
    assert values.min() > -80 and values.max() < 80


def test_beside_a_value(model):
    found = model.optimize("y", {"z": (-200, 200), "x": NetworkPolicy(["z"], (-80, 80), hidden=(2,))}, draws=200)
    assert found.estimate.value > -0.15 and isinstance(found.values["z"], float)
    assert found.values["x"].scales["z"][1] > 100        # as z is without do()


def test_categories(mixed):
    """Of three levels each has an indicator; two are one number."""
    rng = np.random.default_rng(3)
    rows = {"grade": rng.choice(["a", "b", "c"], 90), "sex": rng.random(90) < 0.5, "dose": rng.normal(size=90), "y": rng.normal(size=90)}
    model = StructuralModel({"dose": ["grade", "sex"], "y": ["dose", "grade"]}, "linear", seed=0).fit(rows, epochs=1, progress=False)
    p = np.r_[1.0, -2.0, 3.0, 0.5, 0.0]
    sample = model.do(dose=NetworkPolicy(["grade", "sex"], (0, 1), hidden=(), weights=p)).sample(60)
    told = p[["abc".index(one) for one in sample["grade"]]] + 0.5 * np.asarray(sample["sex"])
    np.testing.assert_allclose(sample["dose"], 1 / (1 + np.exp(-told)), rtol=1e-12)
    found = model.optimize("dose", {"dose": NetworkPolicy(["grade", "sex"], (0, 1), hidden=())}, draws=100)
    assert found.estimate.value > 0.999 and list(found.values["dose"].scales) == ["sex"]
    with pytest.raises(InvalidValueError, match="grade sets a categorical variable"):
        mixed.model.do(grade=NetworkPolicy(["age"], (0, 1), hidden=(), weights=[1, 1])).sample(2)


def test_it_keeps_what_it_was_told(model):
    p = weights(4)
    policy = NetworkPolicy(["z"], (0, 1), hidden=(1,), weights=p)
    before = model.do(x=policy).sample(3)["x"]
    p[:] = 0
    np.testing.assert_array_equal(before, model.do(x=policy).sample(3)["x"])
    assert repr(policy) == "NetworkPolicy(['z'], within=(0.0, 1.0), hidden=(1,), activation='gelu', weights=<4 numbers>)"


def told(**options):
    return NetworkPolicy(["z"], (0, 1), **{"hidden": (2,), "weights": np.ones(7), **options})


@pytest.mark.parametrize("error, text, ask", [
    (ArgumentError, "reads is 'z'", lambda m: NetworkPolicy("z", (0, 1))), (ArgumentError, "reads is", lambda m: NetworkPolicy([], (0, 1))),
    (InvalidValueError, "each variable once", lambda m: NetworkPolicy(["z", "z"], (0, 1))),
    (ArgumentError, "bounds of a NetworkPolicy are 3", lambda m: NetworkPolicy(["z"], 3)),
    (InvalidValueError, "expected finite numbers, the first below", lambda m: NetworkPolicy(["z"], (0, np.inf))),
    (InvalidValueError, "the first below the second", lambda m: NetworkPolicy(["z"], (1, 1))),
    (ArgumentError, "hidden is 3", lambda m: told(hidden=3)), (InvalidValueError, "hidden is 0", lambda m: told(hidden=(0,))),
    (ShapeError, "one number after the other", lambda m: told(weights=np.ones((7, 1)))), (ArgumentError, "weights of a", lambda m: told(weights="x")),
    (ArgumentError, "scales are 3", lambda m: told(scales=3)), (ArgumentError, "scales of 'z'", lambda m: told(scales={"z": 1})),
    (InvalidValueError, "scale above 0", lambda m: told(scales={"z": (0, 0)})), (UnknownNameError, "'w'", lambda m: told(scales={"w": (0, 1)})),
    (UnknownNameError, "'w'.*a NetworkPolicy reads it", lambda m: m.do(x=NetworkPolicy(["w"], (0, 1)))),
    (InvalidValueError, "learned nothing yet", lambda m: m.do(x=told(weights=None)).sample(2)),
    (ShapeError, "has 6 numbers, expected 7 for the widths 1, 2, 1", lambda m: m.do(x=told(weights=np.ones(6))).sample(2)),
    (InvalidValueError, "expected finite numbers", lambda m: m.do(x=told(weights=np.full(7, np.nan))).sample(2)),
    (InvalidValueError, "'wavy', expected one of|\"wavy\", expected one of", lambda m: m.do(x=told(activation="wavy")).sample(2)),
    (CycleError, "reads an effect", lambda m: m.do(x=NetworkPolicy(["y"], (0, 1), hidden=(), weights=[1, 1])).sample(2)),
    (InvalidValueError, "row 0 of x is replaced", lambda m: m.do(x=told()).do(x=shift(1)).sample(2)),
    (InvalidValueError, "12951 numbers are to be found, expected at most 1000", lambda m: m.optimize("y", {"x": NetworkPolicy(["z"], (0, 1), hidden=(100, 125))})),
    (InvalidValueError, "numbers are to be found, expected at most 1000", lambda m: m.optimize("y", {"x": NetworkPolicy(["z"], (0, 1), hidden=(2**62,))})),
    (ArgumentError, "over is None", lambda m: m.optimize("y", None)),
    (ArgumentError, "constraints are 3", lambda m: m.optimize("y", {"x": (0, 1)}, constraints=3)),
    (ArgumentError, "constraints of z are 3", lambda m: m.optimize("y", {"x": (0, 1)}, constraints={"z": 3})),
    (ArgumentError, r"constraints of z are \(None", lambda m: m.optimize("y", {"x": (0, 1)}, constraints={"z": (None, 1)})),
    (InvalidValueError, "constraints of z are 1 and 0", lambda m: m.optimize("y", {"x": (0, 1)}, constraints={"z": (1, 0)})),
    (InvalidValueError, "constraints of z are nan", lambda m: m.optimize("y", {"x": (0, 1)}, constraints={"z": (np.nan, 0)})),
    (ShapeError, "has 6 weights, expected 7", lambda m: m.optimize("y", {"x": told(weights=np.ones(6))})),
])
def test_what_cannot_be(model, error, text, ask):
    with pytest.raises(error, match=text):
        ask(model)
