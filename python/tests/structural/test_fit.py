"""What mechanisms learn from, and what they do not."""

import signal
import threading

import numpy as np
import pandas as pd
import pytest

from causal_engine import ArgumentError, CycleError, InvalidValueError, Mechanism, ShapeError, StateError, StructuralModel, UnknownNameError


def slope(model, cause, effect):
    """Of a linear mechanism."""
    return model.effect(effect, {cause: 1}, {cause: 0}, draws=2).value


def regression(data, outcome, *causes):
    design = np.column_stack([*(data[cause] for cause in causes), np.ones(len(data[outcome]))])
    return np.linalg.lstsq(design, data[outcome], rcond=None)[0]


def test_linear_mechanisms_are_least_squares(linear):
    data, model = linear.data, linear.model
    assert slope(model, "x", "m") == pytest.approx(regression(data, "m", "x")[0], abs=0.01)
    assert slope(model, "m", "y") == pytest.approx(regression(data, "y", "m", "z")[0], abs=0.01)


def test_a_mechanism_learns_nothing_from_rows_in_which_its_variable_was_set(linear):
    """Whatever the values are: they trade places, which leaves nothing but the last bit of their mean, by which all are scaled."""
    rng = np.random.default_rng(0)
    was_set = np.arange(2_000) < 1_000
    data = {**linear.data, "x": np.where(was_set, rng.uniform(-3, 3, 2_000), linear.data["x"])}
    shuffled = np.where(was_set, np.concatenate([rng.permutation(1_000), np.arange(1_000, 2_000)]), np.arange(2_000))
    traded = {**data, "x": data["x"][shuffled]}
    one, two = (linear.fit(rows, {"x": was_set}) for rows in (data, traded))
    z = {"z": np.linspace(-2, 2, 5)}
    np.testing.assert_allclose(one.predict(z, draws=50)["x"], two.predict(z, draws=50)["x"], atol=1e-12)
    assert abs(slope(one, "x", "m") - slope(two, "x", "m")) > 0.001     # but its effects do learn from them
    blind = linear.fit(data)
    assert slope(one, "z", "x") == pytest.approx(0.8, abs=0.1) and slope(blind, "z", "x") == pytest.approx(0.4, abs=0.1)


def test_experiments_repair_what_observation_confounds():
    """The confounder is not in the graph at all; rows in which do() set x still tell its effect, and the mechanism of x its own."""
    rng = np.random.default_rng(1)
    hidden, was_set = rng.normal(size=4_000), rng.random(4_000) < 0.5
    x = np.where(was_set, rng.normal(size=4_000), hidden + 0.1 * rng.normal(size=4_000))
    y = x + 3 * hidden + rng.normal(size=4_000)
    only = {"x": x[was_set], "y": y[was_set]}
    model = StructuralModel([("x", "y")], mechanisms="linear", seed=0)
    assert slope(model.fit(only, progress=False, lr=0.05, epochs=100), "x", "y") == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("marks", [
    lambda m: {"x": m}, lambda m: {"x": m.tolist(), "y": False}, lambda m: pd.DataFrame({"x": m}), lambda m: {"x": m.astype(int)},
    lambda m: np.column_stack([m & False, m, m & False, m & False]),
])
def test_interventions_in_any_kind_of_table(linear, marks):
    was_set = np.arange(2_000) % 2 == 0
    wanted = linear.fit(linear.data, {"x": was_set}, epochs=2).sample(20)
    pd.testing.assert_frame_equal(linear.fit(linear.data, marks(was_set), epochs=2).sample(20), wanted)


def test_missing_values(linear):
    """At random: each mechanism learns from the rows that tell of it. A missing grandparent costs nothing."""
    rng = np.random.default_rng(2)
    holes = {name: np.where(rng.random(2_000) < 0.3, np.nan, column) for name, column in linear.data.items()}
    model = linear.fit(holes)
    assert slope(model, "x", "y") == pytest.approx(1.5, abs=0.15)
    listed = {name: [None if np.isnan(value) else value for value in column] for name, column in holes.items()}
    nullable = pd.DataFrame({name: pd.array(value, dtype="Float64") for name, value in listed.items()})
    for same in (listed, nullable, pd.DataFrame(holes)):
        assert slope(linear.fit(same), "x", "y") == slope(model, "x", "y")
    only_x = {**linear.data, "x": np.where(np.arange(2_000) < 1_900, np.nan, linear.data["x"])}
    known = {name: column[1_900:] for name, column in linear.data.items()}
    assert slope(linear.fit(only_x), "x", "m") == pytest.approx(slope(linear.fit(known), "x", "m"), abs=0.02)


def test_missing_categories(mixed):
    rng = np.random.default_rng(3)
    data = {**mixed.data, "sex": np.where(rng.random(2_000) < 0.2, None, mixed.data["sex"]),
            "treated": pd.array(np.where(rng.random(2_000) < 0.2, None, mixed.data["treated"]), dtype="boolean")}
    model = mixed.fit(data)
    assert model.levels == mixed.model.levels
    assert model.effect("score", {"treated": True}, {"treated": False}).value == pytest.approx(2, abs=0.25)


def test_the_same_seed_gives_the_same_bits(curved):
    one, two, other = curved.fit(curved.data), curved.fit(curved.data), curved.fit(curved.data, how={"seed": 1})
    pd.testing.assert_frame_equal(one.sample(30), two.sample(30))
    assert not one.sample(30).equals(other.sample(30))
    assert StructuralModel([("a", "b")]).seed != StructuralModel([("a", "b")]).seed


def test_frames_in_any_order_give_the_same_bits(curved):
    frame = pd.DataFrame(curved.data)
    one, two = (curved.fit(frame[list(order)]).sample(10) for order in ("abcd", "dbca"))
    pd.testing.assert_frame_equal(one, two)


def test_auto_chooses_by_held_out_rows():
    rng = np.random.default_rng(4)
    x = rng.normal(size=1_000)
    model = StructuralModel([("x", "bent")], seed=0)
    assert model.mechanisms == {"x": "auto", "bent": "auto"}
    model.fit({"x": x, "bent": np.sin(3 * x) + 0.1 * rng.normal(size=1_000)}, epochs=40, lr=0.03, progress=False)
    assert model.mechanisms["bent"] in ("smooth", "additive", "location_scale", "flow")


def test_mechanisms_of_one_s_own(curved):
    model = curved.fit(curved.data, how={"mechanisms": {"b": Mechanism("additive", hidden=(8,), activation="tanh"), "d": Mechanism("flow", pieces=4)}},
                       epochs=1)
    assert model.mechanisms["b"] == "additive" and model.mechanisms["d"] == "flow"


@pytest.mark.parametrize("error, text, mechanisms", [
    (InvalidValueError, "mechanism is 'spline', expected one of auto, linear", "spline"), (ArgumentError, "mechanism of y is 3", {"y": 3}),
    (UnknownNameError, "named 'yy'; near it: 'y'", {"yy": "linear"}), (ArgumentError, "mechanism of x is None", None),
])
def test_mechanisms_that_do_not_exist(error, text, mechanisms):
    with pytest.raises(error, match=text):
        StructuralModel([("x", "y")], mechanisms=mechanisms)


@pytest.mark.parametrize("error, text, options", [
    (InvalidValueError, "members is 0", {"members": 0}), (InvalidValueError, "1001 members", {"members": 1_001}),
    (ArgumentError, "epochs is 1.5", {"epochs": 1.5}), (InvalidValueError, "validation_fraction is 0.7", {"validation_fraction": 0.7}),
    (InvalidValueError, "batch_size is -1", {"batch_size": -1}), (InvalidValueError, "patience", {"patience": 0}),
    (ArgumentError, "lr is 'fast'", {"lr": "fast"}),
])
def test_options_that_cannot_be(linear, error, text, options):
    with pytest.raises(error, match=text):
        linear.fit(linear.first(50), **options)


@pytest.mark.parametrize("error, text, marks", [
    (UnknownNameError, "no variable of interventions is named 'xx'; near it: 'x'", {"xx": True}),
    (ShapeError, r"interventions: x of shape \(3,\)", {"x": [1, 0, 1]}),
    (ShapeError, r"interventions of shape \(2, 2\)", np.ones((2, 2))), (ArgumentError, "interventions is 1", 1),
    (InvalidValueError, "interventions: x holds NaN", {"x": np.full(50, np.nan)}),
    (InvalidValueError, "no row in which x is known.* and it was not set", {"x": True}),
])
def test_interventions_that_cannot_be(linear, error, text, marks):
    with pytest.raises(error, match=text):
        linear.fit(linear.first(50), marks)


def test_data_that_cannot_be(linear):
    rows = linear.first(50)
    for error, text, data in [
        (InvalidValueError, "x is inf in row 3", {**rows, "x": np.where(np.arange(50) == 3, np.inf, rows["x"])}),
        (InvalidValueError, "no row in which x is known", {**rows, "x": np.full(50, np.nan)}),
        (ShapeError, "no rows", linear.first(0)),
    ]:
        with pytest.raises(error, match=text):
            linear.fit(data)
    with pytest.raises(InvalidValueError, match="x was set in row 0, but to what is missing"):
        linear.fit({**rows, "x": np.full(50, np.nan)}, {"x": np.arange(50) == 0})


def test_graphs_that_cannot_be():
    with pytest.raises(CycleError, match="a -> b -> a"):
        StructuralModel([("a", "b"), ("b", "a")])
    with pytest.raises(StateError, match="learned nothing yet, expected fit before"):
        StructuralModel([("a", "b")]).do(a=1).sample(3)


def test_one_row_and_one_value(linear):
    model = linear.fit({name: column[:1] for name, column in linear.data.items()}, epochs=2)
    assert np.isfinite(model.sample(3).to_numpy()).all()
    constant = linear.fit({**linear.first(100), "x": np.full(100, 5.0)}, epochs=2)
    assert np.isfinite(constant.do(x=6).sample(3).to_numpy()).all()


def test_a_failed_fit_leaves_the_former_model(linear):
    model = linear.fit(linear.data, epochs=2)
    before = model.sample(10)
    with pytest.raises(InvalidValueError):
        model.fit({**linear.data, "x": np.full(2_000, np.inf)}, progress=False)
    pd.testing.assert_frame_equal(model.sample(10), before)


def test_ctrl_c_leaves_the_former_model(curved):
    model = curved.fit(curved.data, epochs=2)
    before = model.sample(10)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(curved.data, epochs=1_000_000, patience=1.0, progress=False)
    timer.join()
    pd.testing.assert_frame_equal(model.sample(10), before)


def test_the_bar(linear, capsys):
    StructuralModel([("x", "m")], mechanisms="linear", seed=0).fit({k: linear.data[k] for k in "xm"}, epochs=3)
    assert "StructuralModel" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["z", "x", "y"])
@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_a_spread_that_no_number_tells_is_named(linear, name, unit):
    with pytest.raises(InvalidValueError, match=f"structural data: {name} has a spread too large or too small"):
        linear.fit({**linear.data, name: linear.data[name] * unit})


def test_constants_and_wide_units_are_fine(linear):
    for unit in (1e100, 1e-100, 0.0):
        model = linear.fit({**linear.data, "m": linear.data["m"] * unit}, epochs=2)
        assert np.isfinite(model.sample(3)["y"]).all()
