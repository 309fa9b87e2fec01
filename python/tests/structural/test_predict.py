"""What to expect of variables that rows do not tell."""

import numpy as np
import pandas as pd
import pytest

from causal_engine import InvalidValueError, ShapeError, UnknownNameError, shift


def test_what_is_told_stays_to_the_bit(linear):
    rows = {"z": linear.data["z"][:20], "x": linear.data["x"][:20]}
    answer = linear.model.predict(rows, draws=7)
    for name in rows:
        np.testing.assert_array_equal(answer[name], rows[name])
    np.testing.assert_allclose(answer["m"], 1.5 * rows["x"], atol=2)


def test_means_of_what_is_not_told(linear):
    answer = linear.model.predict({"z": [1.0, -1.0]}, draws=20_000)
    np.testing.assert_allclose(answer["x"], [0.8, -0.8], atol=0.06)
    np.testing.assert_allclose(answer["y"], [-0.8, 0.8], atol=0.15)
    under = linear.model.predict({"z": [1.0, -1.0]}, {"x": 2}, draws=20_000)
    np.testing.assert_allclose(under["y"], [1, 5], atol=0.15)
    partial = linear.model.predict({"z": [1.0, np.nan], "x": [0.5, np.nan]}, draws=20_000)
    np.testing.assert_allclose(partial["x"], [0.5, 0], atol=0.06)


def test_the_treatment_of_a_row_gives_way_to_do(linear):
    rows = {"z": [1.0, 1.0], "x": [0.0, 50.0]}
    np.testing.assert_allclose(np.ptp(linear.model.predict(rows, {"x": 2})["y"]), 0, atol=1e-9)
    chosen = linear.model.do(x=2, where=[True, False]).predict(rows)
    np.testing.assert_array_equal(chosen["x"], [2, 50])
    assert list(linear.model.do(x=[3, 4]).predict(rows)["x"]) == [3, 4]


def test_categories(mixed):
    rows = pd.DataFrame(mixed.first(5))[["sex", "age"]].astype({"sex": "category"})
    answer = mixed.model.predict(rows)
    pd.testing.assert_series_equal(answer["sex"], rows["sex"])
    assert answer["treated"].between(0, 1).all() and answer["grade"].between(0, 2).all()
    partly = mixed.model.predict({"sex": ["f", None], "age": [50.0, 50.0]})
    assert partly["sex"][0] == 0 and partly["sex"][1] == pytest.approx(0.6, abs=0.06)     # codes: the mean of a label is none


@pytest.mark.parametrize("text, ask", [
    ("m is told, but not its cause x", lambda m: m.predict({"m": [1.0]})),
    ("m is told, but not its cause x", lambda m: m.predict({"m": [1.0, 2.0], "x": [1.0, np.nan], "z": [1.0, 1.0]})),
    ("m is told, but it is an effect of x, which do\\(\\) changes", lambda m: m.predict({"x": [1.0], "m": [1.0], "z": [1.0]}, {"x": 2})),
    ("y is told, but it is an effect of m", lambda m: m.do(m=shift(1)).mean("m", given={"z": 1.0, "x": 2.0, "y": 3.0})),
    ("x is told, and do\\(\\) changes it without setting it", lambda m: m.predict({"x": [1.0], "z": [1.0]}, {"x": shift(1)})),
    ("x is told, and do\\(\\) changes it", lambda m: m.do(x=1, where=lambda z: z > 0).predict({"x": [1.0], "z": [1.0]})),
])
def test_what_would_need_inference_is_refused(linear, text, ask):
    with pytest.raises(InvalidValueError, match=text):
        ask(linear.model)


def test_rows_that_cannot_be(linear):
    with pytest.raises(UnknownNameError, match="named 'Z'"):
        linear.model.predict(pd.DataFrame({"Z": [1.0]}))
    with pytest.raises(ShapeError, match="values of 3 entries for 2 rows"):
        linear.model.do(x=[1, 2, 3]).predict({"z": [1.0, 2.0]})
    with pytest.raises(ShapeError, match="values of 3 entries for 2 rows"):
        linear.model.do(x=1, where=[True, True, False]).predict({"x": [1.0, 2.0], "z": [1.0, 2.0]})


def test_a_hidden_cause_is_heard_in_what_is_told(linear):
    model = linear.fit(linear.data, graph="dag { z -> x -> m -> y; z -> y; z <-> m }", epochs=2)
    with pytest.raises(InvalidValueError, match="z is told, which says something of its hidden common cause"):
        model.predict({"z": [1.0]})
