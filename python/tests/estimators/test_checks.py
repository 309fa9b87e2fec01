"""scikit-learn's own checks of what an estimator is, none of them excused."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from causal_engine import CausalMLPClassifier, CausalMLPRegressor


@parametrize_with_checks([CausalMLPRegressor(), CausalMLPClassifier()])
def test_scikit_learn_accepts_the_estimators(estimator, check):
    check(estimator)


def test_a_row_does_not_depend_on_its_company(rng):
    x = rng.normal(size=(60, 5))
    model = CausalMLPRegressor(epochs=3, random_state=0).fit(x, x.sum(axis=1) ** 2)
    together = model.predict(x)
    assert [model.predict(row[None])[0] for row in x] == list(together) and (model.predict(x[30:]) == together[30:]).all()
