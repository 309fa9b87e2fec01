"""Mechanisms that are given or kept, and the best value to set."""

import numpy as np
import pytest

from causal_engine import ArgumentError, CausalMLP, InvalidValueError, Mechanism, StructuralModel, UnknownNameError

EDGES = [("x", "m"), ("x", "y"), ("m", "y")]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=1500)
    m = 2 * np.tanh(x) + 0.3 * rng.normal(size=1500)
    return {"x": x, "m": m, "y": 3 * m - x ** 2 + 0.5 * rng.normal(size=1500)}


@pytest.fixture(scope="module")
def learned(data):
    return StructuralModel(EDGES, Mechanism("additive", hidden=(32,)), seed=0).fit(data, epochs=80, progress=False)


def test_a_formula_is_exact_whatever_the_order_of_its_arguments(data):
    for formula in (lambda x, m: 3 * m - x ** 2, lambda m, x: 3 * m - x ** 2):
        model = StructuralModel(EDGES, {"y": formula, "m": "linear"}, seed=0).fit(data, epochs=5, progress=False)
        assert model.mechanisms["y"] == "given"
        answer = model.counterfactual(data, {"m": np.zeros(1500)})
        np.testing.assert_allclose(answer["y"], data["y"] - 3 * data["m"], atol=1e-9)


def test_a_pretrained_network_is_a_mechanism(data):
    network = CausalMLP(1, [8], 1, seed=0, feature_names=["x"])
    network.fit(data["x"][:, None], data["m"], epochs=20, progress=False)
    model = StructuralModel([("x", "m")], {"m": network}, seed=0).fit(data, progress=False)
    answer = model.counterfactual({"x": data["x"], "m": data["m"]}, {"x": np.ones(1500)})["m"]
    change = network(np.ones((1500, 1)))[:, 0] - network(data["x"][:, None])[:, 0]
    np.testing.assert_allclose(answer, data["m"] + change, atol=1e-5)


def test_what_is_wrong_with_a_formula_is_said(data):
    with pytest.raises(UnknownNameError, match="'z'"):
        StructuralModel(EDGES, {"m": lambda z: z})
    with pytest.raises(InvalidValueError, match="expected the parents"):
        StructuralModel(EDGES, {"y": lambda x: x})
    with pytest.raises(InvalidValueError, match="no parents"):
        StructuralModel(EDGES, {"x": lambda: 0})
    with pytest.raises(ArgumentError, match="mechanism of m is 7"):
        StructuralModel(EDGES, {"m": 7})

    def fails(x):
        raise RuntimeError("not today")

    with pytest.raises(RuntimeError, match="not today"):
        StructuralModel(EDGES, {"m": fails, "y": "linear"}).fit(data, epochs=1, progress=False)
    with pytest.raises(InvalidValueError, match="the formula gives"):
        StructuralModel(EDGES, {"m": lambda x: np.nan * x, "y": "linear"}).fit(data, epochs=1, progress=False)


def test_frozen_mechanisms_keep_their_bits(data):
    model = StructuralModel(EDGES, "linear", seed=0).fit(data, epochs=20, progress=False)
    before = model.effect("m", {"x": 1}, {"x": 0}).value, model.effect("y", {"x": 1}, {"x": 0}).value
    model.fit({**data, "m": 5 * data["m"], "y": -data["y"]}, epochs=20, frozen=["m"], progress=False)
    # The noise that is added and taken off again is that of other rows: the last bit of the difference is not the mechanism's.
    assert model.effect("m", {"x": 1}, {"x": 0}).value == pytest.approx(before[0], rel=1e-12)
    assert model.effect("y", {"x": 1}, {"x": 0}).value != before[1]
    with pytest.raises(UnknownNameError, match="'w'"):
        model.fit(data, frozen=["w"], progress=False)


def test_a_formula_cannot_be_saved(data, tmp_path):
    model = StructuralModel(EDGES, {"y": lambda x, m: m - x, "m": "linear"}).fit(data, epochs=1, progress=False)
    with pytest.raises(InvalidValueError, match="mechanism of y is a formula"):
        model.save(tmp_path / "model.safetensors")


def test_the_best_value_to_set(learned):
    grid = np.linspace(-2, 2, 401)
    best = learned.optimize("y", {"x": (-2, 2)})
    assert abs(best.values["x"] - grid[np.argmax(6 * np.tanh(grid) - grid ** 2)]) < 0.2
    assert best.estimate.value >= max(learned.do(x=grid[::40]).mean("y", draws=4000).value) - 0.02
    assert learned.optimize("y", {"x": (-2, 2)}, maximize=False).values["x"] == pytest.approx(-2, abs=1e-6)


def test_constraints_hold_on_average(learned):
    best = learned.optimize("y", {"x": (-2, 2)}, constraints={"m": (-np.inf, 1.0)})
    assert best.constrained["m"] == pytest.approx(1, abs=0.01) and abs(best.values["x"] - np.arctanh(0.5)) < 0.1
    with pytest.raises(InvalidValueError, match="no values were found"):
        learned.optimize("y", {"x": (-2, 2)}, constraints={"m": (50, 60)})


def test_what_cannot_be_optimised_is_said(learned):
    for wrong, reason in (({"x": (1, 1)}, "bounds of x"), ({"x": (0, np.inf)}, "bounds of x")):
        with pytest.raises(InvalidValueError, match=reason):
            learned.optimize("y", wrong)
    with pytest.raises(ArgumentError, match="over is"):
        learned.optimize("y", {})
    with pytest.raises(InvalidValueError, match="edited by the scenario"):
        learned.do(x=1).optimize("y", {"x": (0, 1)})
    with pytest.raises(InvalidValueError, match="whose derivative is not known"):
        learned.do(m=lambda x: x).optimize("y", {"x": (0, 1)})
