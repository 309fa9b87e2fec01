"""What the tests of the estimators share: 60 rows of three features in units far apart, and estimators that are quick to train.
Nothing here runs where scikit-learn is not installed."""

from importlib.util import find_spec

import numpy as np
import pytest

if find_spec("sklearn") is None:
    collect_ignore_glob = ["*"]
else:
    from causal_engine import CausalMLPClassifier, CausalMLPRegressor

NAMES = ["dose", "age", "blood pressure"]
FAST = {"hidden_dims": (4,), "epochs": 5, "random_state": 0}


@pytest.fixture
def names():
    return list(NAMES)


@pytest.fixture
def X(rng):
    return rng.normal(size=(60, 3)) * [1, 10, 1000] + [5, 40, 0]


@pytest.fixture
def y(X):
    return 3 * X[:, 0] + X[:, 1] + X[:, 2] / 500


@pytest.fixture
def frame(X):
    return pytest.importorskip("pandas").DataFrame(X, columns=NAMES)


@pytest.fixture
def regressor():
    """Makes a quick one; what is named differs from it."""
    return lambda **more: CausalMLPRegressor(**{**FAST, **more})


@pytest.fixture
def classifier():
    return lambda **more: CausalMLPClassifier(**{**FAST, **more})


@pytest.fixture(params=["regressor", "classifier"])
def kind(request, y):
    """An estimator and a y for it."""
    made = request.getfixturevalue(request.param)()
    return made, y if request.param == "regressor" else np.digitize(y, [50, 60])


@pytest.fixture
def answers():
    """All that an estimator says of rows: numbers, or probabilities."""
    return lambda estimator, *arguments, **more: getattr(
        estimator, "predict_proba" if isinstance(estimator, CausalMLPClassifier) else "predict")(*arguments, **more)
