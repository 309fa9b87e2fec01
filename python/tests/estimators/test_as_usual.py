"""CausalMLPRegressor and CausalMLPClassifier as estimators: labels, targets, parameters, copies, and when sklearn is imported."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

from causal_engine import CausalMLP, CausalMLPClassifier, CausalMLPRegressor, InvalidValueError, UnknownNameError

# ---------------------------------------------------------------- labels and targets

@pytest.mark.parametrize("labels, dtype", [
    (["ill", "well"], None), (["a", "b", "c"], object), ([True, False], None), ([-1, 1], None), ([10, 30, 20], np.uint8), ([2.0, 7.0], None),
])
def test_labels_of_any_type(X, labels, dtype):
    y = np.array(labels, dtype)[np.digitize(X[:, 0], [5, 6][:len(labels) - 1])]
    estimator = CausalMLPClassifier(hidden_dims=(8,), random_state=0).fit(X, y)
    assert estimator.classes_.tolist() == sorted(labels) and estimator.classes_.dtype == y.dtype
    assert estimator.score(X, y) > 0.9 and estimator.predict(X).dtype == y.dtype
    probabilities = estimator.predict_proba(X)
    assert probabilities.shape == (60, len(labels)) and np.allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert np.array_equal(estimator.classes_[probabilities.argmax(axis=1)], estimator.predict(X))


def test_labels_of_data_frames(frame):
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series(np.where(frame.dose > 5, "ill", "well"))
    for kind in ("str", "category"):
        estimator = CausalMLPClassifier(hidden_dims=(8,), random_state=0).fit(frame, labels.astype(kind))
        assert estimator.score(frame, labels) > 0.9 and estimator.do(dose=9.0)(frame).tolist() == ["ill"] * 60


def test_one_class_is_certain(X, classifier):
    estimator = classifier().fit(X, ["well"] * 60)
    assert set(estimator.predict(X)) == {"well"} and (estimator.predict_proba(X) == 1).all()


def test_several_outputs(X, y, regressor):
    both = np.stack([y, -2 * X[:, 2]], axis=1)
    estimator = CausalMLPRegressor(hidden_dims=[], lr=0.05, random_state=0).fit(X, both)
    assert estimator.predict(X).shape == (60, 2) and estimator.score(X, both) > 0.99
    assert regressor().fit(X, both[:, :1]).predict(X).shape == (60, 1)
    assert regressor().fit(X, y).predict(X).shape == (60,)


def test_a_constant_column_and_a_constant_target(X, regressor):
    X[:, 1] = 0.1
    estimator = regressor().fit(X, np.full(60, 1e6))
    assert np.allclose(estimator.predict(X), 1e6, atol=2) and estimator.feature_scale_.spread[1] == 1
    with pytest.raises(InvalidValueError, match="column 0 has a spread too large"):
        estimator.fit(X * 1e250, X[:, 0])


# ---------------------------------------------------------------- parameters

def test_parameters_are_those_of_the_model(X, y):
    given = {"hidden_dims": [5, 6], "activation": "tanh", "dtype": "float64", "loss": "mae", "optimizer": "sgd", "lr": 0.02, "epochs": 7,
             "batch_size": None, "clip_grad": 1.0, "schedule": "step", "weight_decay": 0.01, "momentum": 0.5, "step_size": 3,
             "step_factor": 0.5, "random_state": 4}
    estimator = CausalMLPRegressor(**given).fit(X, y)
    assert {**estimator.get_params(), **given} == estimator.get_params()
    assert repr(estimator.model_) == "PlainMLP(3, [5, 6], 1, activation='tanh', dtype='float64')"
    rest = {name: given[name] for name in given.keys() - {"hidden_dims", "activation", "dtype", "random_state"}}
    model = CausalMLP(3, [5, 6], 1, activation="tanh", dtype="float64", seed=estimator.model_.seed)
    history = model.fit(estimator.feature_scale_.standardized(X), (y - y.mean()) / y.std(), **rest, progress=False)
    assert history == estimator.history_ and np.allclose(estimator.predict(X), model(estimator.feature_scale_.standardized(X))[:, 0] * y.std() + y.mean())


@pytest.mark.parametrize("fraction", [0.25, 0, 0.999])
def test_patience_holds_rows_out_with_their_masks(kind, X, fraction, rng):
    estimator, y = kind
    mask = rng.random(X.shape) < 0.3
    estimator.set_params(epochs=3000, lr=0.1, patience=4, validation_fraction=fraction)
    estimator.fit(np.where(mask, np.nan, X), y, {0: (mask, 0.0), 1: (rng.random((60, 4)) < 0.1, 0.5)})
    assert estimator.history_.state == "stopped early" and not np.isnan(estimator.history_.validation_loss).any()


def test_bad_parameters_are_errors_of_fit(X, y, regressor):
    for wrong, message in (({"loss": "cross_entropy"}, "CausalMLPClassifier"), ({"loss": "hinge"}, "hinge"), ({"lr": -1.0}, "lr|learning"),
                           ({"activation": "swish"}, "swish"), ({"patience": 3, "validation_fraction": 1.0}, "validation_fraction is 1.0")):
        with pytest.raises(InvalidValueError, match=message):
            regressor(**wrong).fit(X, y)


def test_a_fit_that_fails_leaves_the_one_before(X, y, regressor):
    estimator = regressor().fit(X, y)
    before = estimator.predict(X)
    with pytest.raises(UnknownNameError):
        estimator.fit(X, -y, {7: ([1, 0, 0], 1.0)})
    assert np.array_equal(estimator.predict(X), before)


def test_the_same_random_state_gives_the_same_bits(kind, X, answers):
    estimator, y = kind
    first = answers(estimator.fit(X, y), X)
    assert np.array_equal(answers(estimator.fit(X, y), X), first)       # a second fit begins anew
    assert np.array_equal(answers(clone(estimator).set_params(random_state=np.random.RandomState(0)).fit(X, y), X), first)
    assert not np.array_equal(answers(estimator.set_params(random_state=1).fit(X, y), X), first)
    assert not np.array_equal(answers(estimator.set_params(random_state=None).fit(X, y), X), answers(clone(estimator).fit(X, y), X))


# ---------------------------------------------------------------- kept, and asked for

def test_copies_answer_alike(kind, X, answers):
    estimator, y = kind
    estimator.fit(X, y)
    for twin in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        assert np.array_equal(answers(twin, X), answers(estimator, X)) and twin.history_ == estimator.history_
    assert not hasattr(clone(estimator), "model_")


def run(code):
    """Python code in a process of its own."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scikit_learn_is_imported_when_asked_for():
    assert run("""
import sys, causal_engine
from causal_engine import *
assert "CausalMLPRegressor" in dir(causal_engine) and "CausalMLP" in dir(causal_engine) and not hasattr(causal_engine, "nonsense")
print("sklearn" in sys.modules)
from causal_engine import CausalMLPRegressor
from causal_engine.estimators import CausalMLPClassifier
assert causal_engine.CausalMLPClassifier is CausalMLPClassifier
print("sklearn" in sys.modules)
""") == "False\nTrue\n"


@pytest.mark.parametrize("ask", ["from causal_engine import CausalMLPRegressor", "import causal_engine.estimators"])
def test_without_scikit_learn_the_error_says_what_to_install(ask):
    assert run(f"""
import sys
sys.modules["sklearn"] = None       # as if it were not installed
try:
    {ask}
except ImportError as error:
    print(error)
""").endswith("pip install causal-engine[sklearn]\n")
