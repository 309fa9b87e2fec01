"""The estimators inside scikit-learn's own machinery: pipelines, cross-validation, searches, several processes."""

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from causal_engine import CausalMLP, CausalMLPClassifier, CausalMLPRegressor, ShapeError

FOLDS = KFold(3, shuffle=True, random_state=0)


@pytest.fixture
def data(rng):
    """X, y, and the mask and values of an experiment that set the second feature in every other row; there it was not seen."""
    X = rng.normal(size=(90, 3))
    mask, values = np.zeros(X.shape, bool), rng.normal(size=X.shape)
    mask[::2, 1] = True
    y = np.where(mask, values, X) @ [1, 2, -3]
    return np.where(mask, np.nan, X), y, mask, values


@pytest.fixture
def estimator():
    return CausalMLPRegressor(hidden_dims=(4,), epochs=5, random_state=0)


def test_masks_follow_their_rows_into_folds(estimator, data):
    X, y, mask, values = data
    edited = np.where(mask, values, X)
    wanted = cross_val_score(estimator, edited, y, cv=FOLDS)
    with config_context(enable_metadata_routing=True):
        asking = clone(estimator).set_fit_request(do_mask=True, do_values=True).set_score_request(do_mask=True, do_values=True)
        assert np.array_equal(cross_val_score(asking, X, y, cv=FOLDS, params={"do_mask": mask, "do_values": values}), wanted)
        asking.set_predict_request(do_mask=True, do_values=True)
        search = GridSearchCV(asking, {"lr": [0.01, 0.1], "hidden_dims": [(4,), [8, 8]]}, cv=FOLDS, n_jobs=1)
        search.fit(X, y, do_mask=mask, do_values=values)
    by_hand = GridSearchCV(estimator, search.param_grid, cv=FOLDS).fit(edited, y)
    assert np.array_equal(search.cv_results_["mean_test_score"], by_hand.cv_results_["mean_test_score"])
    assert np.array_equal(search.best_estimator_.do({1: 0.5})(X), by_hand.best_estimator_.do({1: 0.5})(edited))


def test_and_so_they_do_without_metadata_routing(estimator, data):
    X, y, mask, values = data
    observed = ~mask.any(axis=1)
    X = np.where(mask, 0.0, X)      # without routing nothing is passed on when the held-out rows are scored
    found = cross_validate(estimator, X, y, cv=FOLDS, params={"do_mask": mask, "do_values": values}, return_estimator=True)
    for (train, _), fitted in zip(FOLDS.split(X), found["estimator"]):
        by_hand = clone(estimator).fit(np.where(mask, values, X)[train], y[train])
        assert np.array_equal(fitted.predict(X[observed]), by_hand.predict(X[observed]))


def test_masks_per_row_inside_a_dict_are_not_cut_and_that_is_an_error(estimator, data):
    X, y, mask, values = data
    with pytest.raises(ShapeError, match=r"\(90, 3\), expected \(3,\) or \(60, 3\)"):
        cross_val_score(estimator, np.nan_to_num(X), y, cv=FOLDS, params={"interventions": {0: (mask, values)}}, error_score="raise")


def test_one_intervention_on_all_rows_may_be_in_a_dict(estimator, data):
    X, y, *_ = data
    under = {0: ([0, 1, 0], 0.5)}
    with config_context(enable_metadata_routing=True):
        asking = clone(estimator).set_fit_request(interventions=True).set_score_request(interventions=True)
        found = cross_val_score(asking, X, y, cv=FOLDS, params={"interventions": under})
    assert np.array_equal(found, cross_val_score(estimator, np.where([0, 1, 0], 0.5, X), y, cv=FOLDS))


def test_in_a_pipeline_values_are_in_the_units_behind_the_transformers(estimator, data):
    X, y, mask, values = data
    pipeline = make_pipeline(StandardScaler(), estimator)
    pipeline.fit(X, y, causalmlpregressor__do_mask=mask, causalmlpregressor__do_values=values)
    inner = pipeline[0].transform(X)
    by_hand = clone(estimator).fit(np.where(mask, values, inner), y)
    under = {0: ([0, 1, 0], 0.5)}
    assert np.array_equal(pipeline.predict(X, interventions=under), by_hand.predict(np.where([0, 1, 0], 0.5, inner)))
    with config_context(enable_metadata_routing=True):
        asking = clone(estimator).set_fit_request(do_mask=True, do_values=True).set_predict_request(interventions=True)
        pipeline = make_pipeline(StandardScaler(), asking).fit(X, y, do_mask=mask, do_values=values)
        assert np.array_equal(pipeline.predict(X, interventions=under), by_hand.predict(np.where([0, 1, 0], 0.5, inner)))


def test_a_search_over_a_pipeline_with_classes(data):
    _, y, _, values = data
    labels = np.where(y > 0, "up", "down")
    search = GridSearchCV(
        make_pipeline(PolynomialFeatures(2, include_bias=False), CausalMLPClassifier(hidden_dims=(4,), epochs=10, random_state=0)),
        {"causalmlpclassifier__activation": ["relu", "tanh"]}, cv=3, scoring="neg_log_loss").fit(values, labels)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    found = cross_val_predict(search.best_estimator_, values, labels, cv=3, method="predict_proba")
    assert found.shape == (90, 2) and np.allclose(found.sum(axis=1), 1)


def test_several_processes_train_and_predict_at_once(data):
    X, y, mask, values = data
    labels = y > 0
    makers = [CausalMLPRegressor, CausalMLPClassifier]
    estimators = [make(hidden_dims=(4,), epochs=5, random_state=seed) for seed in range(2) for make in makers]
    models = [CausalMLP(3, [4], 1, seed=seed) for seed in range(2)]
    under = {0: (mask, values)}

    def trained(model):
        model.fit(X, y, under, epochs=5, progress=False)
        return model

    with joblib.Parallel(n_jobs=2, backend="loky") as parallel:
        found = parallel(
            [joblib.delayed(estimator.fit)(X, labels if isinstance(estimator, CausalMLPClassifier) else y, under) for estimator in estimators]
            + [joblib.delayed(trained)(model) for model in models])
        answers = parallel(joblib.delayed(fitted.predict)(X, under) for fitted in found)
    for estimator in estimators:
        estimator.fit(X, labels if isinstance(estimator, CausalMLPClassifier) else y, under)
    here = [*estimators, *map(trained, models)]
    assert all(type(there) is type(mine) for there, mine in zip(found, here))
    assert all(np.array_equal(there, mine.predict(X, under)) for there, mine in zip(answers, here))
