"""scikit-learn's own checks of what an estimator is, none of them excused."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from causal_engine import CausalMLPClassifier, CausalMLPRegressor


@parametrize_with_checks([CausalMLPRegressor(), CausalMLPClassifier()])
def test_scikit_learn_accepts_the_estimators(estimator, check):
    check(estimator)
