"""CausalMLPRegressor and CausalMLPClassifier: interventions in the user's units, in every way of giving them."""

import numpy as np
import pytest
from sklearn.base import clone

from causal_engine import (
    ArgumentError, CausalLosses, CausalMLPClassifier, CausalMLPRegressor, CausalWarning, InvalidValueError, ShapeError,
    UnknownNameError,
)

# ---------------------------------------------------------------- what is set, and in which units

def test_to_set_a_feature_is_to_edit_its_column(kind, X, rng, answers):
    estimator, y = kind
    mask, values = rng.random(X.shape) < 0.3, rng.normal(size=X.shape) * 5
    edited = np.where(mask, values, X)
    by_hand = clone(estimator).fit(edited, y)
    for how in ({"interventions": {0: (mask, values)}}, {"do_mask": mask, "do_values": values}, {"do_mask": mask.astype(int), "do_values": edited}):
        under = clone(estimator).fit(X, y, **how)
        assert np.array_equal(answers(under, X), answers(by_hand, X))
        assert np.array_equal(answers(under, X, **how), answers(by_hand, edited))
        assert under.score(X, y, **how) == by_hand.score(edited, y)


def test_features_by_name(kind, X, frame, answers):
    estimator, y = kind
    rows, values = np.arange(60) % 3 == 0, np.linspace(1, 9, 60)
    wanted = X.copy()
    wanted[rows, 0], wanted[:, 2] = values[rows], 7
    by_name = {"dose": (rows, values), "blood pressure": (True, 7.0)}
    under = clone(estimator).fit(frame, y, interventions=by_name)
    by_hand = clone(estimator).fit(wanted, y)
    assert np.array_equal(answers(under, frame), answers(by_hand, X))
    assert np.array_equal(answers(under, frame, by_name), answers(by_hand, wanted))


def test_masks_of_a_data_frame_are_put_into_the_order_of_the_features(frame, X, y, regressor, names):
    mask = frame > frame.mean()
    reordered = {"do_mask": mask[names[::-1]], "do_values": (frame * 2)[names[::-1]]}
    by_hand = regressor().fit(np.where(mask, X * 2, X), y)
    assert np.array_equal(regressor().fit(frame, y, **reordered).predict(frame), by_hand.predict(X))


def test_do(kind, frame, X):
    estimator, y = kind
    estimator.fit(frame, y)
    for under, columns in ((estimator.do(dose=2.5), {0: 2.5}), (estimator.do({"blood pressure": 1, 1: 30.0}), {2: 1, 1: 30}),
                           (estimator.do({0: np.arange(60)}, age=3), {0: np.arange(60), 1: 3})):
        wanted = frame.copy()
        for column, value in columns.items():
            wanted.iloc[:, column] = np.asarray(value, float)
        assert np.array_equal(under(frame), estimator.predict(wanted)) and np.array_equal(under.predict(frame), under(frame))
    if isinstance(estimator, CausalMLPClassifier):
        assert np.array_equal(estimator.do(age=30.0).predict_proba(frame), estimator.predict_proba(frame.assign(age=30.0)))
    some = np.arange(60) < 20
    wanted = frame.copy()
    wanted.loc[some, "dose"] = 0.0
    assert np.array_equal(estimator.do(dose=0, where=some)(frame), estimator.predict(wanted))
    assert repr(estimator.do({0: 1}, age=2, where=some)) == f"{estimator!r}.do(0=1, age=2, where=...)"


def test_nothing_depends_on_the_units(X, y, regressor):
    many, other = [1e-3, 60, 2.5], [0, -400, 1e4]
    twins = [regressor(dtype="float64").fit(*data) for data in ((X, y), (X * many + other, 7 * y - 100))]
    first = twins[0].do({1: 55.0})(X)
    assert np.allclose(twins[1].do({1: 55 * 60 - 400.0})(X * many + other), 7 * first - 100, rtol=1e-9)
    assert np.allclose(twins[0].feature_scale_.mean, X.mean(axis=0)) and np.allclose(twins[0].target_scale_.spread, y.std())


def test_it_learns_the_effect_of_a_dose_that_was_set_and_not_recorded(X, y, rng):
    treated = np.arange(60) < 30
    y = y + 3 * np.where(treated, 2 - X[:, 0], 0)
    estimator = CausalMLPRegressor(hidden_dims=[], epochs=300, random_state=0)
    estimator.fit(X, y, do_mask=np.outer(treated, [1, 0, 0]), do_values=np.full(X.shape, 2.0))
    assert np.allclose(estimator.do({0: 6})(X) - estimator.do({0: 1})(X), 15, atol=0.3)
    assert estimator.history_.state == "finished" and len(estimator.history_) == 300


def test_hidden_units_have_the_units_of_the_network_and_the_output_those_of_y(X, y, regressor):
    estimator = regressor().fit(X, y)
    mask, last = np.array([1, 0, 1, 0]), np.arange(60) < 5
    under = estimator.predict(X, {1: (mask, 0.25)})
    inside = estimator.model_(estimator.feature_scale_.standardized(X), {1: (mask, 0.25)})[:, 0]
    assert np.allclose(under, inside * y.std() + y.mean(), rtol=1e-6) and not np.allclose(under, estimator.predict(X))
    assert np.array_equal(estimator.predict(X, {2: (last[:, None], 0.1)}), np.where(last, 0.1, estimator.predict(X)))

    trained = clone(estimator).fit(X, y, {1: (mask, 0.25)})
    assert not np.array_equal(trained.predict(X), estimator.predict(X))
    # Where the output is set there is nothing to learn from y, if the loss looks at the mask.
    other, under = np.append(y[4::-1], y[5:]), {2: (last[:, None], y.mean())}
    for loss, alike in ((CausalLosses(), True), ("mse", False)):
        found = [regressor(dtype="float64", loss=loss).fit(X, seen, under).predict(X) for seen in (y, other)]
        assert np.allclose(*found, rtol=1e-9) or not alike


# ---------------------------------------------------------------- what was never observed

def test_what_is_set_may_be_missing(kind, X, answers):
    estimator, y = kind
    mask = np.zeros(X.shape, bool)
    mask[::4, 1] = True
    under = {"do_mask": mask, "do_values": np.where(mask, 33.0, np.nan)}
    wanted = clone(estimator).fit(X, y, **under)
    holes = np.where(mask, [np.nan, np.inf, -np.inf], X)
    estimator.fit(holes, y, **under)
    assert np.array_equal(answers(estimator, X), answers(wanted, X))
    assert np.array_equal(answers(estimator, holes, **under), answers(wanted, X, **under))
    assert np.array_equal(estimator.do({1: 33.0}, where=mask[:, 1])(holes), wanted.predict(X, **under))


def test_what_is_not_set_may_not(kind, X):
    estimator, y = kind
    holes = X.copy()
    holes[3, 1] = np.nan
    other = {"interventions": {0: ([1, 0, 1], 0.0), 1: (np.ones(4), 0.0)}}
    for how in ({}, other):
        with pytest.raises(ValueError, match="X contains NaN"):
            clone(estimator).fit(holes, y, **how)
        with pytest.raises(ValueError, match="X contains NaN"):
            clone(estimator).fit(X, y).predict(holes, **how)
    with pytest.raises(ValueError, match="do_values contains NaN"):
        estimator.fit(X, y, {0: ([0, 1, 0], np.nan)})
    with pytest.raises(ValueError, match="do_values contains NaN"):
        estimator.fit(X, y).do({1: np.nan})(X)
    with pytest.raises(ValueError, match="do_values contains"):
        estimator.predict(X, {1: ([0, 1, 0, 1], [np.nan, 0, 0, np.inf])})


# ---------------------------------------------------------------- misuse

@pytest.mark.parametrize("how, error, message", [
    ({"interventions": {0: ([0, 1, 0], 1.0)}, "do_mask": [0, 1, 0], "do_values": 1.0}, InvalidValueError, "layer 0 and by do_mask"),
    ({"interventions": {0: ([0, 1, 0], 1.0), "dose": (True, 1.0)}}, InvalidValueError, "layer 0 and by names"),
    ({"do_mask": [0, 1, 0]}, InvalidValueError, "do_values is None"),
    ({"do_mask": np.ones((59, 3)), "do_values": 1.0}, ShapeError, r"\(59, 3\), expected \(3,\) or \(60, 3\)"),
    ({"interventions": {3: ([1], 1.0)}}, UnknownNameError, "no layer 3"),
    ({"interventions": {"doze": (True, 1.0)}}, UnknownNameError, "'doze'; near it: 'dose'"),
    ({"interventions": {"dose": 1.0}}, InvalidValueError, "'dose': expected a pair"),
    ({"interventions": {"dose": (None, 1.0)}}, ArgumentError, "'dose': expected a pair"),
    ({"interventions": {"dose": ([True], 1.0)}}, ShapeError, r"\(1,\), expected one for all, or \(60,\)"),
    ({"interventions": {"dose": (True, "high")}}, ArgumentError, "column 0 is str"),
    ({"interventions": [0, 1, 0]}, ArgumentError, "interventions: list"),
    ({"interventions": [0, 1, 0], "do_mask": [0, 1, 0], "do_values": 1.0}, ArgumentError, "interventions: list"),
])
def test_interventions_that_do_not_fit(frame, y, how, error, message, regressor):
    with pytest.raises(error, match=message):
        regressor().fit(frame, y, **how)
    with pytest.raises(error, match=message):
        regressor().fit(frame, y).predict(frame, **how)


def test_do_that_does_not_fit(X, y, regressor):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        CausalMLPRegressor().do({0: 1})
    estimator = regressor().fit(X, y)
    for given, error, message in (({3: 1.0}, UnknownNameError, "no column 3, expected a name or 0 to 2"), ({-1: 1.0}, UnknownNameError, "-1"),
                                  ({"dose": 1.0}, UnknownNameError, "no feature is named 'dose'"), ({}, ArgumentError, "nothing is set"),
                                  ({1.5: 1.0}, UnknownNameError, "1.5"), ([1], ArgumentError, "list")):
        with pytest.raises(error, match=message):
            estimator.do(given)
    with pytest.raises(ShapeError, match=r"\(2,\), expected one for all, or \(60,\)"):
        estimator.do({0: [1, 2]})(X)
    with pytest.raises(AttributeError, match="predict_proba"):
        estimator.do({0: 1}).predict_proba(X)


def test_a_feature_is_not_set_twice(frame, y, regressor):
    with pytest.raises(InvalidValueError, match="column 0 is set twice"):
        regressor().fit(frame, y).do({0: 1}, dose=2)


def test_warnings_are_about_all_rows_in_the_users_units(kind, X):
    estimator, y = kind
    mask = np.outer(np.arange(60) < 20, [1, 0, 0])
    with pytest.warns(CausalWarning, match=f"^{type(estimator).__name__}: do_values at layer 0 are 0 .*ever filled in"):
        estimator.fit(X, y, do_mask=mask, do_values=np.zeros(X.shape))
    with pytest.warns(CausalWarning, match="do_mask at layer 0 is 0 in all of the 60 rows"):
        estimator.fit(X, y, do_mask=0 * mask, do_values=X)
    estimator.set_params(patience=2, validation_fraction=0.9)
    estimator.fit(X, y, do_mask=mask, do_values=X)      # in silence, although few of the rows that are learned from are set


def test_a_dose_of_zero_by_name_is_no_doubt(regressor, frame, y):
    regressor().fit(frame, y, {"dose": (np.arange(60) < 20, 0.0)})
