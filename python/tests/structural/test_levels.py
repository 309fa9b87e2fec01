"""Categorical variables go by their labels, in whatever way a column holds them."""

import numpy as np
import pandas as pd
import pytest

from causal_engine import InvalidValueError, StructuralModel, UnknownNameError


def test_levels_are_found(mixed):
    assert mixed.model.levels == {"treated": (False, True), "sex": ("f", "m"), "grade": ("bad", "fair", "good")}
    assert mixed.model.mechanisms["grade"] == "linear"


@pytest.mark.parametrize("kind", [
    lambda c: c, lambda c: list(c), lambda c: c.astype(object), lambda c: pd.Series(c), lambda c: pd.Series(c, dtype="string"),
    lambda c: pd.Series(c, dtype="category"), lambda c: pd.Categorical(c),
])
def test_texts_in_any_kind_of_column(mixed, kind):
    model = mixed.fit({**mixed.data, "grade": kind(mixed.data["grade"])}, epochs=1)
    assert model.levels == mixed.model.levels


def test_a_category_keeps_its_order_its_empty_levels_and_its_dtype(mixed):
    dtype = pd.CategoricalDtype(["good", "fair", "bad", "unheard of"], ordered=True)
    frame = pd.DataFrame(mixed.data).astype({"grade": dtype})
    model = mixed.fit(frame)
    assert model.levels["grade"] == ("good", "fair", "bad", "unheard of")
    rows = frame.head(20)
    pd.testing.assert_frame_equal(model.counterfactual(rows, {"treated": rows["treated"]})[frame.columns], rows, atol=1e-6)


def test_whole_numbers_are_numbers_unless_they_are_named(linear):
    data = {**linear.data, "m": np.round(linear.data["m"]).clip(-2, 2).astype(int)}
    assert linear.fit(data, epochs=1).levels == {}
    assert linear.fit({**data, "m": list(map(int, data["m"]))}, epochs=1).levels == {}
    assert linear.fit({**data, "m": [None, *map(float, data["m"][1:])]}, epochs=1).levels == {}        # objects, but numbers
    for categorical in ("m", ["m"], {"m": (-2, -1, 0, 1, 2)}, {"m": None}):
        model = linear.fit(data, epochs=1, how={"categorical": categorical})
        assert model.levels == {"m": (-2, -1, 0, 1, 2)}
        assert set(model.do(m=-2).sample(5)["m"]) == {-2}


def test_a_matrix_keeps_the_numbers_of_its_levels(linear):
    matrix = np.column_stack([linear.data[name] for name in linear.model.variables])
    place = linear.model.variables.index("m")
    matrix[:, place] = np.where(matrix[:, place] > 0, 7.0, 3.0)
    model = linear.fit(matrix, how={"categorical": "m"})
    answer = model.counterfactual(matrix[:20], {"m": matrix[:20, place]})
    np.testing.assert_allclose(answer, matrix[:20], atol=1e-6)
    assert set(model.do(m=7.0).sample(4)["m"]) == {7.0}


def test_labels_in_do_and_out_of_samples(mixed):
    sample = mixed.model.do(sex="f", treated=np.True_).sample(40)
    assert set(sample["sex"]) == {"f"} and set(sample["treated"]) == {True} and sample["treated"].dtype == bool
    assert set(sample["grade"]) <= {"bad", "fair", "good"}
    each = mixed.model.do(sex=["f", "m", "f"]).sample(3)
    assert list(each["sex"]) == ["f", "m", "f"]
    assert set(mixed.model.do(grade="good").sample(3)["grade"]) == {"good"}


def test_functions_are_given_labels_and_give_them(mixed):
    sample = mixed.model.do(treated=lambda sex, age: (sex == "f") & (age > 50)).sample(200)
    assert (sample["treated"] == ((sample["sex"] == "f") & (sample["age"] > 50))).all() and sample["treated"].any()
    graded = mixed.model.do(grade=lambda treated: np.where(treated, "good", "bad")).sample(200)
    assert (graded["grade"] == np.where(graded["treated"], "good", "bad")).all()
    chosen = mixed.model.do(score=99, where=lambda sex: sex == "f").sample(200)
    assert ((chosen["score"] == 99) == (chosen["sex"] == "f")).all() and (chosen["score"] == 99).any()
    assert set(mixed.model.do(grade=lambda: "fair").sample(5)["grade"]) == {"fair"}
    with pytest.raises(InvalidValueError, match="grade is 'best', expected one of"):
        mixed.model.do(grade=lambda treated: "best").sample(5)


def test_the_mean_of_a_binary_variable_is_a_probability(mixed):
    low, high = mixed.model.do(age=[30.0, 70.0]).mean("treated").value
    assert 0 < low < 0.3 and 0.8 < high < 1


@pytest.mark.parametrize("value", ["goood", 1, None, np.nan, ["good"], "Good"])
def test_a_value_that_is_no_level(mixed, value):
    with pytest.raises(InvalidValueError, match="grade"):
        mixed.model.do({"grade": value if value != ["good"] else [["good"]]}).sample(1)


def test_levels_that_make_no_sense(mixed):
    data = mixed.data
    for text, changed in {
        "sex is categorical with the levels .*expected at least two": {**data, "sex": ["f"] * len(data["age"])},
        "grade is categorical with levels of several kinds": {**data, "grade": ["a", 1] * (len(data["age"]) // 2)},
    }.items():
        with pytest.raises(InvalidValueError, match=text):
            mixed.fit(changed)
    with pytest.raises(InvalidValueError, match="all different"):
        mixed.fit(data, how={"categorical": {"sex": ["f", "m", "f"]}})
    with pytest.raises(InvalidValueError, match="data: sex is 'm', expected one of"):
        mixed.fit(data, how={"categorical": {"sex": ["f", "w"]}})
    with pytest.raises(UnknownNameError, match="no variable of the graph is named 'sexx'; near it: 'sex'"):
        mixed.fit(data, how={"categorical": ["sexx"]})
    with pytest.raises(InvalidValueError, match="rows: grade is 'ugly', expected one of"):
        mixed.model.counterfactual({**mixed.first(2), "grade": ["bad", "ugly"]}, {"treated": True})


def test_linear_is_logistic_regression():
    rng = np.random.default_rng(1)
    x = rng.normal(size=4_000)
    y = np.where(rng.random(4_000) < 1 / (1 + np.exp(-(0.5 + 2 * x))), "yes", "no")
    model = StructuralModel([("x", "y")], mechanisms="linear", seed=0).fit({"x": x, "y": y}, lr=0.05, epochs=60, progress=False)
    found = model.do(x=[-1.0, 0.0, 1.0]).mean("y", draws=40_000)
    np.testing.assert_allclose(found.value, 1 / (1 + np.exp(-(0.5 + 2 * np.array([-1.0, 0.0, 1.0])))), atol=0.03)
