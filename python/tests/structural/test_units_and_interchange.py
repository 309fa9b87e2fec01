"""do() on hidden units of mechanisms, and values from another run."""

import numpy as np
import pandas as pd
import pytest

from causal_engine import (ArgumentError, InvalidValueError, Mechanism, ShapeError, StructuralModel, UnknownNameError, interchange, new_mechanism,
                           shift)

EDGES = [("x", "m"), ("x", "y"), ("m", "y")]
LAYER = [("m", 1, k) for k in range(4)]      # all units of the second hidden layer of m


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=800)
    m = 2 * np.tanh(x) + 0.3 * rng.normal(size=800)
    return pd.DataFrame({"x": x, "m": m, "y": 3 * m - x ** 2 + 0.5 * rng.normal(size=800)})


@pytest.fixture(scope="module")
def model(data):
    kinds = {"m": Mechanism("additive", hidden=(8, 4)), "y": Mechanism("location_scale", hidden=(8,))}
    return StructuralModel(EDGES, kinds, dtype="float64", seed=0).fit(data, epochs=30, progress=False)


def test_a_unit_is_set_in_its_rows_alone(model, data):
    natural = model.sample(600)
    chosen = np.arange(600) % 3 == 0
    sample = model.do(units={("m", 0, 2): 5.0}, where=chosen).sample(600)
    pd.testing.assert_frame_equal(sample[~chosen], natural[~chosen])
    assert (sample["m"][chosen] != natural["m"][chosen]).all() and (sample["x"] == natural["x"]).all()
    values = np.linspace(-1, 1, 600)
    many = model.do(units={("m", 0, 2): values}).sample(600)
    one = model.do(units={("m", 0, 2): values[7]}).sample(600)
    pd.testing.assert_frame_equal(many.iloc[[7]], one.iloc[[7]])
    # With a whole layer set the causes say nothing more, and noise and changes act as ever.
    whole = model.do(units=dict.fromkeys(LAYER, 0.2))
    one, two, three = whole.do(x=-1).sample(600), whole.do(x=3).sample(600), whole.do(x=3, m=shift(1)).sample(600)
    assert (one["m"] == two["m"]).all() and one["m"].nunique() > 300 and (one["y"] != two["y"]).all()
    np.testing.assert_allclose(three["m"], two["m"] + 1, rtol=1e-12)


def test_interchange_with_its_own_run_changes_nothing(model, data):
    natural = model.sample(600)
    for view in (model.do(m=interchange(model)), model.do(x=interchange(model), y=interchange(model)),
                 model.do(units={unit: interchange(model) for unit in [("m", 0, 1), *LAYER, ("y", 0, 3)]})):
        pd.testing.assert_frame_equal(view.sample(600), natural)
        pd.testing.assert_frame_equal(view.counterfactual(data), data)


def test_interchange_with_a_run_of_the_same_interventions(model, data):
    view = model.do(x=1.5)
    same = view.do(units={unit: interchange(view) for unit in LAYER}, m=shift(0))
    pd.testing.assert_frame_equal(same.sample(300), view.sample(300))


def test_a_mediator_from_another_run(model, data):
    """y under x = 1, with the m that it would have under x = 0: natural direct and indirect effects, which add up on this path."""
    direct = model.do(x=1, m=interchange(model.do(x=0))).mean("y", minus=model.do(x=0)).value
    indirect = model.do(x=1).mean("y", minus=model.do(x=1, m=interchange(model.do(x=0)))).value
    total = model.effect("y", {"x": 1}, {"x": 0}).value
    assert direct + indirect == pytest.approx(total, abs=1e-9)
    assert direct < 0 < 3 < indirect
    rows = data[:5]
    by_hand = model.counterfactual(rows, {"x": 1, "m": model.counterfactual(rows, {"x": 0})["m"]})
    pd.testing.assert_frame_equal(model.do(x=1, m=interchange(model.do(x=0))).counterfactual(rows), by_hand)


def test_all_units_of_a_layer_from_another_run_are_its_mechanism_there(model):
    there = model.do(x=2)
    sample = model.do(units={unit: interchange(there) for unit in LAYER}).sample(400)
    pd.testing.assert_series_equal(sample["m"], there.sample(400)["m"], rtol=1e-9)
    pd.testing.assert_series_equal(sample["x"], model.sample(400)["x"])
    # A unit that is set in the other run is taken as it was set there.
    chained = model.do(units={("m", 1, 0): interchange(model.do(units={("m", 1, 0): 0.7}))}).sample(400)
    pd.testing.assert_frame_equal(chained, model.do(units={("m", 1, 0): 0.7}).sample(400))
    # What is set after a unit does not reach it, not even a whole layer, which leaves nobody who reads it.
    hidden = model.do(units=dict.fromkeys(LAYER, 0.2))
    pd.testing.assert_frame_equal(model.do(units={("m", 0, k): interchange(hidden) for k in range(8)}).sample(400), model.sample(400))


def test_interchanges_within_interchanges(model):
    inner = model.do(m=interchange(model.do(x=0)))
    outer = model.do(x=2, m=interchange(inner)).sample(200)
    pd.testing.assert_series_equal(outer["m"], model.do(x=0).sample(200)["m"])
    view = model.do(x=1)
    for _ in range(20):
        view = model.do(m=interchange(view))
    with pytest.raises(InvalidValueError, match="interchanges within interchanges, more than 16 deep"):
        view.sample(2)


def test_batches_members_and_conditions(model, data):
    xs = np.array([0.0, 1.0, 2.0])
    batch = model.do(x=1, m=interchange(model.do(x=xs))).mean("y", draws=300).value
    each = [model.do(x=1, m=interchange(model.do(x=x))).mean("y", draws=300).value for x in xs]
    np.testing.assert_allclose(batch, each, rtol=1e-12)
    given = model.do(m=interchange(model.do(m=shift(1)))).mean("m", given={"x": [0.5]}, draws=300).value
    assert given[0] == pytest.approx(model.do(x=0.5).mean("m", draws=300).value + 1, abs=1e-9)
    several = StructuralModel(EDGES, {"m": Mechanism("additive", hidden=(6,)), "y": "linear"}, seed=0).fit(
        data, epochs=3, members=3, progress=False)
    units = {("m", 0, k): interchange(several) for k in range(6)}
    pd.testing.assert_frame_equal(several.do(units=units).sample(301), several.sample(301))
    assert len(several.do(units=units).mean("y", draws=50).members) == 3


def test_distributions_meet_the_same_chances_in_both_runs(model):
    stats = pytest.importorskip("scipy.stats")
    view = model.do(x=stats.norm(0, 1))
    pd.testing.assert_frame_equal(view.do(m=interchange(view)).sample(300), view.sample(300))


def test_categories(mixed):
    model = mixed.model
    sample = model.do(treated=True).do(grade=interchange(model.do(treated=False))).sample(500)
    assert (sample["grade"] == model.do(treated=False).sample(500)["grade"]).all() and np.all(sample["treated"])
    rows = mixed.first(30)
    open_noise = model.do(grade=interchange(model.do(treated=True)))
    assert set(open_noise.counterfactual(rows)["grade"]) <= {"bad", "fair", "good"}


def fails(x):
    raise RuntimeError("from the other run")


@pytest.mark.parametrize("error, text, ask", [
    (ArgumentError, "expected a model, or a model under do", lambda m: interchange(3)),
    (ArgumentError, r"expected \(variable, hidden layer, unit\)", lambda m: m.do(units={"m": 1})),
    (ArgumentError, "expected values by", lambda m: m.do(units=[1])), (ArgumentError, "expected values by", lambda m: m.do(units={})),
    (ArgumentError, r"expected numbers or interchange", lambda m: m.do(units={("m", 0, 0): shift(1)})),
    (UnknownNameError, "'w'", lambda m: m.do(units={("w", 0, 0): 1})),
    (ArgumentError, "hidden layer is 'a'", lambda m: m.do(units={("m", "a", 0): 1})),
    (InvalidValueError, "unit is -1", lambda m: m.do(units={("m", 0, -1): 1})),
    (UnknownNameError, r"hidden layer 2 of m does not exist, its mechanism \(additive\) has 2", lambda m: m.do(units={("m", 2, 0): 1}).sample(2)),
    (UnknownNameError, "unit 4 of hidden layer 1 of m does not exist, expected 0 to 3", lambda m: m.do(units={("m", 1, 4): 1}).sample(2)),
    (UnknownNameError, "without causes", lambda m: m.do(units={("x", 0, 0): 1}).sample(2)),
    (UnknownNameError, "without causes", lambda m: m.do(units={("x", 0, 0): interchange(m)}).sample(2)),
    (InvalidValueError, "unit 1 of hidden layer 0, nan", lambda m: m.do(units={("m", 0, 1): np.nan}).sample(2)),
    (ShapeError, "3 values, expected 2", lambda m: m.do(units={("m", 0, 1): np.ones(3)}).sample(2)),
    (InvalidValueError, "set twice in row 0", lambda m: m.do(units={("m", 0, 1): 1}).do(units={("m", 0, 1): 2}).sample(2)),
    (InvalidValueError, "row 0 of m is replaced", lambda m: m.do(units={("m", 0, 1): 1}).do(m=1).sample(2)),
    (InvalidValueError, "row 0 of m is replaced", lambda m: m.do(m=interchange(m)).do(m=shift(1)).sample(2)),
    (InvalidValueError, "replaces its mechanism", lambda m: m.do(units={("m", 0, 1): interchange(m.do(m=1))}).sample(2)),
    (InvalidValueError, "replaces its mechanism", lambda m: m.do(units={("m", 0, 1): interchange(m.do(m=new_mechanism(m)))}).sample(2)),
    (InvalidValueError, "is another model", lambda m: m.do(m=interchange(StructuralModel(EDGES)))),
    (RuntimeError, "from the other run", lambda m: m.do(m=interchange(m.do(m=interchange(m.do(m=fails))))).sample(2)),
])
def test_what_cannot_be(model, error, text, ask):
    with pytest.raises(error, match=text):
        ask(model)


def test_how_it_is_shown(model):
    assert repr(model.do(units={("m", 0, 1): 0.5})).endswith(".do(units={('m', 0, 1): 0.5})")
    assert ".do(m=interchange(StructuralModel(" in repr(model.do(m=interchange(model.do(x=1))))
