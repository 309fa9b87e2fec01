"""Policies whose numbers are learned."""

import numpy as np
import pytest

from causal_engine import (ArgumentError, CycleError, InvalidValueError, LinearPolicy, Mechanism, ShapeError, StructuralModel, UnknownNameError,
                           shift)
from causal_engine.optimum import Objective

EDGES = [("z", "x"), ("x", "y"), ("z", "y")]


@pytest.fixture(scope="module")
def model():
    """y = -(x - 1 - 2 z)^2 + noise: the best policy is 1 + 2 z."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=3000)
    x = rng.uniform(-6, 8, 3000)
    y = -(x - 1 - 2 * z) ** 2 / 4 + 0.1 * rng.normal(size=3000)
    made = StructuralModel(EDGES, {"x": "linear", "y": Mechanism("additive", hidden=(32, 32))}, dtype="float64", seed=0)
    return made.fit({"z": z, "x": x, "y": y}, epochs=60, progress=False)


def test_it_does_what_it_says(model):
    sample = model.do(x=LinearPolicy({"z": 0.5}, intercept=2)).sample(200)
    np.testing.assert_allclose(sample["x"], 2 + 0.5 * np.asarray(sample["z"]), rtol=1e-12)
    sample = model.do(x=LinearPolicy({"z": 3}, within=(-1, 2))).sample(200)
    np.testing.assert_allclose(sample["x"], np.clip(3 * np.asarray(sample["z"]), -1, 2), rtol=1e-12)
    assert set(model.do(x=LinearPolicy({}, 4)).sample(3)["x"]) == {4.0}
    some = model.do(x=LinearPolicy({"z": 1}), where=lambda z: z > 0).sample(200)
    there = np.asarray(some["z"]) > 0
    np.testing.assert_array_equal(np.asarray(some["x"])[there], np.asarray(some["z"])[there])
    assert not (np.asarray(some["x"]) == np.asarray(some["z"]))[~there].any()


def test_many_policies_are_one_batch(model):
    slopes = np.array([0.0, 1.0, 2.0])
    batch = model.do(x=LinearPolicy({"z": slopes}, intercept=1)).mean("y", draws=500).value
    each = [model.do(x=LinearPolicy({"z": slope}, intercept=1)).mean("y", draws=500).value for slope in slopes]
    np.testing.assert_allclose(batch, each, rtol=1e-12)
    np.testing.assert_allclose(model.counterfactual({"z": slopes, "x": slopes, "y": slopes}, {"x": LinearPolicy({"z": slopes})})["x"], slopes ** 2)


def test_gradients_agree_with_differences(model):
    """Of numbers in two policies and of a value, behind a change whose numbers have gradients too."""
    objective = Objective(model.do(z=shift(0.2)), {"x": LinearPolicy({"z": (-3, 3)}, intercept=(-2, 4), within=(-4, 5))}, 300, 5)
    for outcome in ("y", "x"):
        place, step = np.array([0.4, 0.7]), 1e-6
        found = objective.gradient(place, outcome)
        wanted = [(objective.mean(place + step * one, outcome) - objective.mean(place - step * one, outcome)) / (2 * step) for one in np.eye(2)]
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)
    fixed = Objective(model.do(z=shift(0)), {"x": LinearPolicy({"z": (-3, 3)}, intercept=1.5)}, 300, 5)
    np.testing.assert_allclose(fixed.gradient(np.array([0.5]), "y"), [
        (fixed.mean(np.array([0.5 + 1e-6]), "y") - fixed.mean(np.array([0.5 - 1e-6]), "y")) / 2e-6], rtol=1e-5)


def test_the_best_policy_is_found(model):
    best = model.optimize("y", {"x": LinearPolicy({"z": (-4, 4)}, intercept=(-4, 4))})
    found = best.values["x"]
    assert found.intercept == pytest.approx(1, abs=0.15) and found.coefficients["z"] == pytest.approx(2, abs=0.15)
    value = model.optimize("y", {"x": (-6, 8)})
    assert best.estimate.value > value.estimate.value + 0.5           # it listens to z
    assert best.estimate.value == pytest.approx(0, abs=0.1)


def test_constraints_on_the_value(model):
    bounded = model.optimize("y", {"x": LinearPolicy({"z": (-4, 4)}, intercept=(-4, 4), within=(-0.5, 1.5))})
    sample = model.do(x=bounded.values["x"]).sample(500)
    assert min(sample["x"]) == -0.5 and max(sample["x"]) == 1.5
    mean = model.optimize("y", {"x": LinearPolicy({"z": (-4, 4)}, intercept=(-4, 4))}, constraints={"x": (-np.inf, 0.2)})
    assert mean.constrained["x"] == pytest.approx(0.2, abs=0.01) and mean.values["x"].coefficients["z"] == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("error, text, ask", [
    (ArgumentError, "coefficients are 3", lambda m: LinearPolicy(3)), (ArgumentError, "within is 3", lambda m: LinearPolicy({}, within=3)),
    (InvalidValueError, "lowest value first", lambda m: LinearPolicy({}, within=(1, 0))),
    (InvalidValueError, "lowest value first", lambda m: LinearPolicy({}, within=(np.nan, 0))),
    (UnknownNameError, "'w'.*a LinearPolicy reads it", lambda m: m.do(x=LinearPolicy({"w": 1}))),
    (InvalidValueError, "bounds for optimize", lambda m: m.do(x=LinearPolicy({"z": (0, 1)})).sample(2)),
    (ArgumentError, "z of the policy of x is str", lambda m: m.do(x=LinearPolicy({"z": "1"})).sample(2)),
    (InvalidValueError, "expected finite numbers", lambda m: m.do(x=LinearPolicy({"z": np.nan})).sample(2)),
    (ShapeError, "equally many", lambda m: m.do(x=LinearPolicy({"z": np.ones(2)}, np.ones(3))).counterfactual({"z": [1], "x": [1], "y": [1]})),
    (CycleError, "reads an effect", lambda m: m.do(x=LinearPolicy({"y": 1})).sample(2)),
    (InvalidValueError, "no number with bounds", lambda m: m.optimize("y", {"x": LinearPolicy({"z": 1})})),
    (InvalidValueError, "bounds of z of a LinearPolicy", lambda m: m.optimize("y", {"x": LinearPolicy({"z": (1, 1)})})),
    (InvalidValueError, "row 0 of x is replaced", lambda m: m.do(x=LinearPolicy({"z": 1})).do(x=shift(1)).sample(2)),
])
def test_what_cannot_be(model, error, text, ask):
    with pytest.raises(error, match=text):
        ask(model)


def test_categories(mixed):
    """A binary one counts as 0 and 1; of three levels nothing can be said."""
    sample = mixed.model.do(score=LinearPolicy({"treated": 2.0}, 1)).sample(50)
    np.testing.assert_array_equal(sample["score"], np.where(sample["treated"], 3.0, 1.0))
    with pytest.raises(InvalidValueError, match="grade, which has several levels"):
        mixed.model.do(age=LinearPolicy({"grade": 2.0})).sample(2)
    with pytest.raises(InvalidValueError, match="grade is categorical"):
        mixed.model.do(grade=LinearPolicy({"age": 2.0})).sample(2)


def test_a_policy_keeps_what_it_was_told(model):
    slopes = np.ones(3)
    policy = LinearPolicy({"z": slopes})
    slopes[:] = 9
    sample = model.do(x=policy).sample(3)
    np.testing.assert_array_equal(sample["x"], sample["z"])
    assert repr(LinearPolicy({"z": 1}, 2)) == "LinearPolicy({'z': 1}, intercept=2)"
