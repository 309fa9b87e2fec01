"""What do() may be told: one algebra over named variables."""

import functools
from operator import itemgetter

import numpy as np
import pandas as pd
import pytest

from causal_engine import (ArgumentError, CycleError, InvalidValueError, ShapeError, StructuralModel, UnknownNameError, change, clip, reading,
                           scale, shift)


@pytest.fixture
def model(linear):
    return linear.model


@pytest.fixture
def natural(model):
    return model.sample(200)


def test_a_value_and_one_a_row(model):
    assert set(model.do(x=2).sample(5)["x"]) == {2.0}
    for values in ([1, 2, 3], (1, 2, 3), np.arange(1, 4), np.arange(1, 7)[::2] // 2 + 1, pd.Series([1, 2, 3], index=[9, 8, 7])):
        assert list(model.do(x=values).sample(3)["x"]) == list(np.asarray(values))
    assert list(model.do({"x": 1}, m=2).sample(2)[["x", "m"]].iloc[0]) == [1, 2]


def test_soft_edits_change_what_the_mechanism_says(model, natural):
    x = natural["x"]
    for edit, wanted in [(shift(2), x + 2), (scale(-3), x * -3), (clip(-0.5, 0.5), x.clip(-0.5, 0.5)), (clip(0, np.inf), x.clip(0)),
                         (change(np.abs), x.abs()), (change(lambda it: it ** 2), x ** 2), (shift(np.arange(200)), x + np.arange(200)),
                         ([scale(2), shift(1), clip(-1, 1)], (2 * x + 1).clip(-1, 1)), ([shift(1), scale(2)], 2 * (x + 1)),
                         (change(lambda dose, z: dose - z), x - natural["z"])]:
        np.testing.assert_allclose(model.do(x=edit).sample(200)["x"], wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("edit", [shift(0), scale(1), clip(-np.inf, np.inf), change(lambda it: it), [shift(0), scale(1)]], ids=str)
def test_no_strength_changes_nothing(model, natural, edit):
    pd.testing.assert_frame_equal(model.do(x=edit).sample(200), natural)


def test_chained_edits_act_in_order(model, natural):
    pd.testing.assert_frame_equal(model.do(x=shift(1)).do(x=scale(2)).sample(200), model.do(x=[shift(1), scale(2)]).sample(200))
    base = model.do(x=1)
    assert set(base.do(m=3).sample(3)["m"]) == {3.0} and set(base.sample(50)["m"]) != {3.0}         # a view never changes


def test_policies_are_functions_of_what_their_arguments_name(model, natural):
    sample = model.do(x=lambda z: 3 * z).sample(200)
    np.testing.assert_allclose(sample["x"], 3 * natural["z"])
    np.testing.assert_allclose(model.do(m=lambda z, x: z - x).sample(200)["m"], natural["z"] - natural["x"])
    assert set(model.do(x=lambda: 4).sample(3)["x"]) == {4.0}

    def policy(z, factor=10):
        return factor * z

    np.testing.assert_allclose(model.do(x=policy).sample(200)["x"], 10 * natural["z"])              # a default stays
    np.testing.assert_allclose(model.do(x=functools.partial(policy, factor=2)).sample(200)["x"], 2 * natural["z"])
    np.testing.assert_allclose(model.do(x=lambda x: x + 1).sample(200)["x"], natural["x"] + 1)      # of itself: a change


def test_a_policy_makes_new_causes(linear):
    graph = StructuralModel([("a", "b")], mechanisms="linear", seed=0)
    rng = np.random.default_rng(0)
    graph.fit({"a": rng.normal(size=50), "b": rng.normal(size=50)}, epochs=1, progress=False)
    sample = graph.do(a=1).do(b=lambda a: a + 1).sample(4)
    assert set(sample["b"]) == {2.0}
    with pytest.raises(CycleError, match="an edit reads an effect of its own variable"):
        graph.do(a=lambda b: b).sample(2)
    turned = graph.do(b=5).do(a=lambda b: 2 * b).sample(2)          # b no longer listens to a: no cycle
    assert set(turned["a"]) == {10.0}


def test_names_that_are_no_identifiers():
    rng = np.random.default_rng(0)
    data = {"blood pressure": rng.normal(size=60), "dose": rng.normal(size=60)}
    model = StructuralModel([("blood pressure", "dose")], mechanisms="linear", seed=0).fit(data, epochs=1, progress=False)
    sample = model.do(dose=reading("blood pressure")(lambda pressure: pressure * 2)).sample(20)
    np.testing.assert_allclose(sample["dose"], 2 * sample["blood pressure"])
    sample = model.do({"dose": change(reading("blood pressure")(lambda dose, pressure: 7 * pressure))}).sample(20)
    np.testing.assert_allclose(sample["dose"], 7 * sample["blood pressure"])
    assert repr(model.do({"blood pressure": 1})).endswith(".do({'blood pressure': 1})")


def test_where_chooses_rows(model, natural):
    mask = np.arange(200) % 3 == 0
    for where in (mask, mask.tolist(), pd.Series(mask), mask.astype(float)):
        sample = model.do(x=5, where=where).sample(200)
        assert (sample["x"][mask] == 5).all()
        pd.testing.assert_frame_equal(sample[~mask], natural[~mask])
    sample = model.do(x=shift(1), where=lambda z: z > 0).sample(200)
    np.testing.assert_allclose(sample["x"], natural["x"] + (natural["z"] > 0))
    pd.testing.assert_frame_equal(model.do(x=5, where=np.zeros(200, bool)).sample(200), natural)
    two = model.do(x=1, where=lambda z: z > 0).do(x=-1, where=lambda z: z <= 0).sample(200)         # no row is set twice
    np.testing.assert_array_equal(two["x"], np.where(two["z"] > 0, 1, -1))


def test_distributions(model):
    stats = pytest.importorskip("scipy.stats")
    x = model.do(x=stats.norm(5, 0.1)).sample(4_000)["x"]
    assert x.mean() == pytest.approx(5, abs=0.01) and x.std() == pytest.approx(0.1, rel=0.1)
    pd.testing.assert_frame_equal(model.do(x=stats.norm).sample(9), model.do(x=stats.norm(0, 1)).sample(9))
    pd.testing.assert_frame_equal(model.do(x=stats.norm).sample(9, seed=4), model.do(x=stats.norm).sample(9, seed=4))
    assert not model.do(x=stats.norm).sample(9, seed=4).equals(model.do(x=stats.norm).sample(9, seed=5))
    assert np.corrcoef(model.do(x=stats.norm).do(m=stats.norm).sample(4_000)[["x", "m"]].T)[0, 1] == pytest.approx(0, abs=0.06)
    assert repr(model.do(x=stats.norm(5, 1))).endswith(".do(x=norm)")


def test_with(model):
    with model.do(x=1) as view:
        assert set(view.sample(2)["x"]) == {1.0}
    with pytest.raises(ZeroDivisionError), model.do(x=1):
        raise ZeroDivisionError


@pytest.mark.parametrize("view", [
    lambda m: m.do(x=1).do(x=2), lambda m: m.do(x=1).do(x=shift(1)), lambda m: m.do(x=shift(1)).do(x=lambda z: z),
    lambda m: m.do(x=1, where=lambda z: z > 0).do(x=2),
])
def test_two_that_replace_one_row_are_an_error(model, view):
    with pytest.raises(InvalidValueError, match="row 0 of x is replaced by edit . of this variable and concerned by edit"):
        view(model).do(z=1).sample(3)


def test_a_view_keeps_what_it_was_told(model):
    values, mask = np.ones(3), np.array([True, False, True])
    view = model.do(x=values, where=mask).do(m=shift(values))
    before = view.sample(3)
    values[:], mask[:] = 9, True
    pd.testing.assert_frame_equal(view.sample(3), before)


def test_names_that_do_not_exist_are_found_where_they_are_written():
    model = StructuralModel([("age", "dose"), ("dose", "outcome")])
    for told in ({"dosis": 1}, {"dose": lambda aeg: 1}, {"dose": change(lambda dose, aeg: 1)}, {"dose": reading("aeg")(abs)}):
        with pytest.raises(UnknownNameError, match="no variable of the graph is named '(dosis|aeg)'; near it: '(dose|age)'"):
            model.do(told)
    with pytest.raises(UnknownNameError, match="'aeg'; near it: 'age'; it is an argument of <lambda>"):
        model.do(dose=1, where=lambda aeg: aeg > 1)
    with pytest.raises(ArgumentError, match="nothing is set"):
        model.do()
    with pytest.raises(ArgumentError, match="expected values by feature"):
        model.do(["dose"])


@pytest.mark.parametrize("value", [lambda *names: 1, itemgetter(0), print], ids=["varargs", "itemgetter", "print"])
def test_functions_that_do_not_say_what_they_read(model, value):
    with pytest.raises(ArgumentError, match="does not say which variables it reads"):
        model.do(x=value)


@pytest.mark.parametrize("error, text, value", [
    (InvalidValueError, "x is set to nan", np.nan), (InvalidValueError, "x is set to nan in row 1", [1, np.nan, 3]),
    (InvalidValueError, "x is set to inf", np.inf), (ArgumentError, "do: x is NoneType", None), (ArgumentError, "do: x is str", "1"),
    (ArgumentError, "do: x holds complex", 1j), (ShapeError, r"do: x of shape \(3, 2\)", np.ones((3, 2))),
    (ShapeError, r"do: x of shape \(0,\)", []), (ShapeError, "x is set to 2 values, expected 3", [1, 2]),
    (InvalidValueError, "shifted by nan", shift(np.nan)), (ArgumentError, "do: x is str", scale("2")),
    (InvalidValueError, "x is computed to be nan in row 0", lambda z: z * np.nan),
    (ShapeError, r"a function of z gave an answer of shape \(1,\), expected \(3,\)", lambda z: z[:1]),
    (ShapeError, r"answer of shape \(3, 1\)", lambda z: z[:, None]), (ArgumentError, "the answer of a function is NoneType", lambda z: None),
])
def test_values_that_cannot_be(model, error, text, value):
    with pytest.raises(error, match=text):
        model.do(x=value).sample(3)


def test_where_that_cannot_be(model):
    for where in (np.ones(2, bool), np.ones((3, 1), bool), True):
        with pytest.raises(ShapeError, match="where of shape"):
            model.do(x=1, where=where).sample(3)
    with pytest.raises(InvalidValueError, match="where holds NaN"):
        model.do(x=1, where=[1, np.nan, 0]).sample(3)


def test_bounds_and_changes_that_cannot_be(mixed):
    for low, high in ((1, 0), (np.nan, 1)):
        with pytest.raises(InvalidValueError, match="expected lower at most upper"):
            clip(low, high)
    with pytest.raises(ArgumentError, match="expected a function"):
        change(3)
    with pytest.raises(InvalidValueError, match="grade is categorical, expected it to be set"):
        mixed.model.do(grade=shift(1)).sample(2)


class Surprise(BaseException):
    """Not even an Exception."""


@pytest.mark.parametrize("kind", [ValueError, Surprise, KeyboardInterrupt])
def test_what_a_function_raises_comes_out_as_it_is(model, kind):
    def policy(z):
        raise kind("from within")

    for ask in (lambda: model.do(x=policy).sample(5), lambda: model.do(x=1, where=policy).mean("y", draws=10),
                lambda: model.do(m=change(lambda m, z: policy(z))).sample(2)):
        with pytest.raises(kind, match="from within"):
            ask()
    assert len(model.do(x=1).sample(2)) == 2


def test_a_function_may_write_into_what_it_is_given(model, natural):
    def policy(z):
        z[:] = 7
        return z

    sample = model.do(x=policy).sample(200)
    assert set(sample["x"]) == {7.0}
    np.testing.assert_array_equal(sample["z"], natural["z"])


def test_how_it_is_shown():
    model = StructuralModel([("x", "y")])
    assert repr(model.do(x=[1, 2]).do(y=shift(1), where=lambda x: x > 0)) == \
        "StructuralModel(2 variables: x -> y).do(x=<2 values>).do(y=shift(1), where=<lambda>)"
    assert repr(model.do(y=[scale(2), clip(0, 1), change(np.tanh)])).endswith(".do(y=scale(2)).do(y=clip(0, 1)).do(y=change(tanh))")


def test_numbers_that_a_float_does_not_hold_are_named(linear):
    """In float32, in which the mechanisms compute here, 1e39 is infinite."""
    single = linear.fit(linear.data, how={"dtype": "float32"}, epochs=2)
    for ask in (lambda: single.do(x=1e39).sample(3), lambda: single.do(x=1e39).mean("y", draws=10),
                lambda: single.do(x=1e39).counterfactual(linear.first(3))):
        with pytest.raises(InvalidValueError, match=r"m comes to -?(inf|nan) in row 0, from x = 1e\+39, .*too far from what was learned for float32"):
            ask()
    assert np.isfinite(linear.model.do(x=1e39).sample(3)["m"]).all()
    assert np.isfinite(single.do(x=1e30).sample(3)["m"]).all()
