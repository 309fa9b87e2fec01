"""Any kind of table in, the same kind out; columns go by their names."""

import sys

import numpy as np
import pandas as pd
import pytest

from causal_engine import ArgumentError, ShapeError, UnknownNameError


def test_a_frame_a_dict_and_a_matrix_teach_the_same(linear):
    columns = {name: linear.data[name] for name in reversed(linear.model.variables)}
    asked = linear.model.sample(50)
    for data in (pd.DataFrame(columns), columns, {k: list(v) for k, v in columns.items()},
                 np.column_stack([columns[name] for name in linear.model.variables])):
        told = linear.fit(data).sample(50)
        for name in linear.model.variables:
            np.testing.assert_array_equal(told[name], asked[name])


def test_polars(mixed):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({**mixed.data, "grade": polars.Series(mixed.data["grade"]).cast(polars.Enum(["bad", "fair", "good"]))})
    model = mixed.fit(frame)
    assert model.levels == mixed.model.levels
    answer = model.counterfactual(frame[:5], {"treated": True})
    assert isinstance(answer, polars.DataFrame) and answer["treated"].to_list() == [True] * 5
    assert answer["sex"].to_list() == frame["sex"][:5].to_list()
    assert isinstance(model.predict(frame[:5].select("age", "sex")), polars.DataFrame)


@pytest.mark.parametrize("ask", ["counterfactual", "predict"])
def test_the_answer_is_of_the_kind_of_the_question(linear, ask):
    rows = linear.first()
    question = rows if ask == "counterfactual" else {"z": rows["z"]}

    def answer(rows):
        return linear.model.counterfactual(rows, {"x": 1}) if ask == "counterfactual" else linear.model.predict(rows, {"x": 1}, draws=50)

    from_dict = answer(question)
    assert isinstance(from_dict, dict) and tuple(from_dict) == linear.model.variables
    frame = pd.DataFrame(question, index=list("abcdef")).assign(other="ignored")
    from_frame = answer(frame)
    assert isinstance(from_frame, pd.DataFrame) and list(from_frame.index) == list("abcdef")
    matrix = np.column_stack([question.get(name, np.full(6, np.nan)) for name in linear.model.variables])
    from_matrix = answer(matrix)
    assert isinstance(from_matrix, np.ndarray) and from_matrix.dtype == np.float64
    row = answer(frame.drop(columns="other").iloc[2])
    assert isinstance(row, pd.Series)
    for k, name in enumerate(linear.model.variables):
        np.testing.assert_array_equal(from_frame[name], from_dict[name])
        np.testing.assert_array_equal(from_matrix[:, k], from_dict[name])
    assert row["m"] == pytest.approx(from_dict["m"][2], abs=1 if ask == "predict" else 1e-12)


def test_a_tensor_gives_a_tensor(linear):
    torch = pytest.importorskip("torch")
    rows = torch.from_numpy(np.column_stack([linear.first()[name] for name in linear.model.variables]))
    answer = linear.model.counterfactual(rows, {"x": 0})
    assert isinstance(answer, torch.Tensor)
    np.testing.assert_array_equal(answer.numpy(), linear.model.counterfactual(rows.numpy(), {"x": 0}))


def test_samples_are_a_frame_where_one_is_in_use(linear, monkeypatch):
    assert isinstance(linear.model.sample(3), pd.DataFrame)
    monkeypatch.delitem(sys.modules, "pandas")
    monkeypatch.delitem(sys.modules, "polars", raising=False)
    assert isinstance(linear.model.sample(3), dict)


def test_no_rows_are_an_empty_answer(linear):
    frame = pd.DataFrame(linear.data).head(0)
    assert linear.model.counterfactual(frame, {"x": 1}).shape == (0, 4)
    assert linear.model.predict(frame[["z"]]).shape == (0, 4)


def test_any_strides_and_dtypes(linear):
    matrix = np.column_stack([linear.first()[name] for name in linear.model.variables])
    wanted = linear.model.counterfactual(matrix, {"x": 1})
    np.testing.assert_array_equal(linear.model.counterfactual(np.asfortranarray(matrix), {"x": 1}), wanted)
    np.testing.assert_array_equal(linear.model.counterfactual(matrix[::-1], {"x": 1})[::-1], wanted)
    np.testing.assert_allclose(linear.model.counterfactual(matrix.astype(np.float32), {"x": 1}), wanted, atol=1e-5)
    matrix.flags.writeable = False
    np.testing.assert_array_equal(linear.model.counterfactual(matrix, {"x": 1}), wanted)


def test_what_is_asked_stays_as_it_was(linear):
    rows = {name: column.copy() for name, column in linear.first().items()}
    linear.model.counterfactual(rows, {"x": 1})
    for name, column in linear.first().items():
        np.testing.assert_array_equal(rows[name], column)


@pytest.mark.parametrize("error, text, data", [
    (UnknownNameError, r"no column of data is named 'x'; near it: .*'X'", lambda d: pd.DataFrame(d).rename(columns={"x": "X"})),
    (ShapeError, r"data of shape \(2000, 3\), expected \(rows, 4\): one column each for z, x, m, y",
     lambda d: np.column_stack(list(d.values()))[:, :3]),
    (ShapeError, "data: x has 7 rows, expected 2000, as many as z has", lambda d: {**d, "x": d["x"][:7]}),
    (ShapeError, r"data: x of shape \(2000, 2\), expected one column", lambda d: pd.concat([pd.DataFrame(d), pd.DataFrame({"x": d["x"]})], axis=1)),
    (ArgumentError, "data: x holds datetime64", lambda d: pd.DataFrame(d).assign(x=pd.Timestamp("2020-01-01"))),
    (ArgumentError, "data is NoneType", lambda d: None),
])
def test_data_that_do_not_fit_the_graph(linear, error, text, data):
    with pytest.raises(error, match=text):
        linear.fit(data(linear.data))


def test_a_misspelt_condition_is_not_ignored(linear):
    with pytest.raises(UnknownNameError, match="no variable of the graph is named 'zz'; near it: 'z'"):
        linear.model.effect("y", {"x": 1}, {"x": 0}, given={"z": 1.0, "zz": 2.0})
