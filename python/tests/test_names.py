"""do() by the names of features, and data frames whose columns may stand in any order."""

import numpy as np
import pytest

from causal_engine import ArgumentError, CausalMLP, CausalUnit, InvalidValueError, ShapeError, UnknownNameError

NAMES = ["dose", "x2", "blood pressure"]


@pytest.fixture(params=[CausalMLP, CausalUnit])
def model(request):
    shape = (3, [4], 2) if request.param is CausalMLP else (3, 2)
    return request.param(*shape, seed=0, feature_names=NAMES)


@pytest.fixture
def x(rng):
    return rng.normal(size=(5, 3))


def test_do_by_name_is_do_by_mask(model, x):
    assert np.array_equal(model.do(x2=0.5)(x), model(np.where([0, 1, 0], 0.5, x)))
    assert np.array_equal(model.do({"blood pressure": 1.2}, dose=2)(x), model(np.where([1, 0, 1], [2, 0, 1.2], x)))
    assert np.array_equal(model.do(x2=0.5).predict(x), model.do(x2=0.5)(x))
    np.testing.assert_allclose(model.do(x2=0.5)(x[0]), model.do(x2=0.5)(x)[0], rtol=1e-6, atol=1e-7)


def test_values_may_differ_from_row_to_row(model, x):
    wanted = x.copy()
    wanted[:, 1], wanted[:, 0] = np.arange(5), 7
    assert np.array_equal(model.do(x2=np.arange(5), dose=7)(x), model(wanted))


def test_the_model_itself_stays_as_it_is(model, x):
    before = model(x)
    changed = model.do(x2=9.0)
    changed(x)
    assert np.array_equal(model(x), before) and changed.model is model
    assert repr(changed) == f"{model!r}.do(x2=9.0)"


def test_names_that_are_pythons_own_words_can_be_set(x):
    model = CausalMLP(3, [], 1, seed=0, feature_names=["self", "values", "x"])
    assert np.array_equal(model.do(self=1, values=2, x=3)(x), model(np.tile([1.0, 2, 3], (5, 1))))


def test_an_unknown_name_is_an_error_with_near_ones(model):
    with pytest.raises(UnknownNameError, match="blood_pressure.*near it: 'blood pressure'"):
        model.do(blood_pressure=1)
    with pytest.raises(KeyError):
        model.do({5: 1.0})


def test_setting_nothing_or_nonsense_is_an_error(model, x):
    for nothing in (None, {}, [], [1, 2]):
        with pytest.raises(ArgumentError, match="^do: "):
            model.do(nothing)
    with pytest.raises(ArgumentError, match="x2 is str"):
        model.do(x2="high")
    with pytest.raises(ShapeError, match=r"x2 of shape \(1, 5\)"):
        model.do(x2=np.zeros((1, 5)))
    with pytest.raises(ShapeError, match="2 and 3 rows"):
        model.do(x2=[1, 2], dose=[1, 2, 3])
    with pytest.raises(ShapeError, match=r"\(2, 3\), expected \(3,\) or \(5, 3\)"):
        model.do(x2=[1, 2])(x)


@pytest.mark.parametrize("names, kind, message", [
    (["a", "b"], ShapeError, "2 names, expected 3"),
    (["a", "b", "a"], InvalidValueError, "'a' is there twice"),
    ("abc", ArgumentError, "'abc'"),
    (5, ArgumentError, "feature_names is 5"),
])
def test_feature_names_are_checked(names, kind, message):
    with pytest.raises(kind, match=message):
        CausalMLP(3, [], 1, feature_names=names)


def test_without_names_anywhere_do_by_name_is_an_error(x):
    with pytest.raises(UnknownNameError, match="no feature is named 'x2'"):
        CausalMLP(3, [], 1).do(x2=0.5)(x)


# ---------------------------------------------------------------- data frames

@pytest.fixture
def frame(x):
    return pytest.importorskip("pandas").DataFrame(x, columns=NAMES)


def test_columns_may_stand_in_any_order_and_there_may_be_more(model, x, frame):
    assert np.array_equal(model(frame[NAMES[::-1]]), model(x))
    assert np.array_equal(model(frame.assign(other=1.0)[["other", *NAMES[::-1]]]), model(x))


def test_a_missing_column_is_named(model, frame):
    with pytest.raises(KeyError, match="'x2'"):
        model(frame.drop(columns="x2").assign(x3=0.0))


def test_columns_without_names_are_taken_as_they_stand(model, x, frame):
    assert np.array_equal(model(frame.set_axis([2, 1, 0], axis=1)), model(x))


def test_a_data_frame_alone_names_the_features(x, frame):
    model = CausalMLP(3, [4], 2, seed=0)
    assert np.array_equal(model.do(x2=0.5)(frame), model(np.where([0, 1, 0], 0.5, x)))
    reordered = frame[NAMES[::-1]]
    assert np.array_equal(model.do(dose=0.5)(reordered), model(np.where([0, 0, 1], 0.5, x[:, ::-1])))
    with pytest.raises(UnknownNameError, match="'x3'.*'x2'"):
        model.do(x3=0.5)(frame)
    with pytest.raises(ShapeError, match="4 columns, expected 3"):
        model.do(x2=0.5)(frame.assign(other=1.0))


def test_fit_on_a_data_frame_remembers_its_names(x, frame):
    model = CausalMLP(3, [], 1, seed=0)
    model.fit(frame, x[:, 0], epochs=1, progress=False)
    assert model.feature_names == tuple(NAMES)
    assert np.array_equal(model(frame[NAMES[::-1]]), model(x))
    named = CausalMLP(3, [], 1, seed=0, feature_names=frame)
    assert named.feature_names == tuple(NAMES)


def test_do_for_some_rows_only(x):
    model, where = CausalMLP(3, [4], 1, seed=0, feature_names=NAMES), np.array([1, 0, 0, 1, 0, 1])[:len(x)]
    y = model.do({NAMES[1]: 0.5}, where=where)(x)
    assert np.array_equal(y[where == 0], model(x)[where == 0])
    assert np.array_equal(y[where != 0], model.do({NAMES[1]: 0.5})(x)[where != 0])
    for wrong in (np.ones(2), np.ones((len(x), 1)), 1):
        with pytest.raises(ShapeError):
            model.do({NAMES[1]: 0.5}, where=wrong)(x)


def test_where_of_a_frame_goes_by_its_index(frame):
    model, treated = CausalMLP(3, [4], 1, seed=0, feature_names=NAMES), frame[NAMES[0]] > 0
    answer = model.do({NAMES[1]: 0.5}, where=treated)(frame)
    assert answer.index.equals(frame.index) and list(answer.columns) == ["y"]
    with pytest.raises(ShapeError, match="another index"):
        model.do({NAMES[1]: 0.5}, where=treated[::-1])(frame)


def test_answers_are_frames_with_the_names_of_what_was_learned(frame):
    model = CausalMLP(3, [4], 2, seed=0)
    assert list(model(frame).columns) == ["y0", "y1"]
    y = frame[NAMES[:2]].rename(columns=dict(zip(NAMES, ["bmi", "risk"])))
    model.fit(frame, y, epochs=1, progress=False)
    assert list(model.predict(frame).columns) == ["bmi", "risk"] and model.output_names == ("bmi", "risk")
    single = CausalMLP(3, [4], 1, seed=0)
    single.fit(frame, y["bmi"], epochs=1, progress=False)
    assert list(single(frame[::-1]).columns) == ["bmi"] and single(frame[::-1]).index[0] == frame.index[-1]


def test_masks_of_a_frame_go_by_their_labels(frame):
    import pandas
    model = CausalMLP(3, [4], 1, seed=0, feature_names=NAMES)
    expected = model(frame, {0: ([0, 1, 0], [0, 0.5, 0])}).to_numpy()
    mask, values = pandas.Series([1, 0, 0], [NAMES[1], NAMES[0], NAMES[2]]), pandas.Series([0, 0, 0.5], [NAMES[0], NAMES[2], NAMES[1]])
    assert np.array_equal(model(frame, {0: (mask, values)}), expected)
    wide = pandas.DataFrame([mask] * len(frame))
    assert np.array_equal(model(frame, {0: (wide, 0.5)}), expected)
    with pytest.raises(KeyError, match="do_mask"):
        model(frame, {0: (mask.rename({NAMES[1]: "other"}), values)})


def test_a_fit_that_is_refused_names_nothing(frame):
    import pandas
    model = CausalMLP(2, [4], 1, seed=0)
    with pytest.raises(ShapeError, match="3 names, expected 2"):
        model.fit(frame, np.ones(len(frame)), progress=False)
    twice = pandas.DataFrame(frame.to_numpy()[:, :2], columns=["a", "a"])
    with pytest.raises(InvalidValueError, match="'a' is there twice"):
        model.fit(twice, np.ones(len(frame)), progress=False)
    assert model.feature_names is None


def test_polars_frames(frame):
    polars = pytest.importorskip("polars")
    model = CausalMLP(3, [4], 1, seed=0, feature_names=NAMES)
    given = polars.DataFrame({name: frame[name].to_numpy() for name in reversed(NAMES)})
    answer = model.do({NAMES[1]: 0.5})(given)
    assert isinstance(answer, polars.DataFrame) and answer.columns == ["y"]
    assert np.array_equal(answer.to_numpy(), model.do({NAMES[1]: 0.5})(frame).to_numpy())
    with pytest.raises(KeyError, match=NAMES[0]):
        model(given.drop(NAMES[0]))
