"""Estimators that obey a graph, and networks from elsewhere that obey one already."""

import pickle

import numpy as np
import pytest

from causal_engine import CausalMLP, Graph, InvalidValueError, ShapeError, UnknownNameError

sklearn = pytest.importorskip("sklearn")
pd = pytest.importorskip("pandas")

from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402

from causal_engine import CausalMLPClassifier, CausalMLPRegressor  # noqa: E402

DAG = Graph([("age", "dose"), ("age", "risk"), ("dose", "risk")], ["age", "dose", "risk", "noise"])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    age = rng.normal(50, 10, 400)
    dose, noise = 0.1 * age + rng.normal(size=400), rng.normal(size=400)
    X = pd.DataFrame({"noise": noise, "age": age, "dose": dose})
    return X, pd.Series(2 * dose - 0.1 * age + 0.5 * noise)


def test_an_output_depends_on_its_parents_alone(data):
    X, y = data
    estimator = CausalMLPRegressor([8], dag=DAG, random_state=0, epochs=30).fit(X, y)
    assert (estimator.predict(X.assign(noise=9.0)) == estimator.predict(X)).all()
    assert (estimator.predict(X.assign(dose=9.0)) != estimator.predict(X)).all()
    assert estimator.score(X, y) > 0.8 and estimator.model_.dag == DAG
    free = CausalMLPRegressor([8], random_state=0, epochs=30).fit(X, y)
    assert (free.predict(X.assign(noise=9.0)) != free.predict(X)).all()
    np.testing.assert_allclose(estimator.do(dose=3.0)(X), estimator.predict(X.assign(dose=3.0)), rtol=1e-6)


def test_the_order_of_columns_is_that_of_names(data):
    X, y = data
    one = CausalMLPRegressor([8], dag=DAG, random_state=0, epochs=30).fit(X[["age", "dose", "noise"]], y)
    assert (one.predict(X[["age", "dose", "noise"]].assign(noise=5)) == one.predict(X[["age", "dose", "noise"]])).all()


@pytest.mark.parametrize("labels", [("ill", "well"), ("bad", "fair", "good")])
def test_a_class_depends_on_the_parents_alone(data, labels):
    X, y = data
    classes = np.array(labels)[np.digitize(y, np.quantile(y, np.linspace(0, 1, len(labels) + 1)[1:-1]))]
    estimator = CausalMLPClassifier([12], dag=DAG, random_state=0, epochs=30).fit(X, classes)
    assert (estimator.predict_proba(X.assign(noise=9.0)) == estimator.predict_proba(X)).all()
    assert estimator.score(X, classes) > 0.7 and estimator.predict_proba(X).shape == (400, len(labels))


def test_outputs_that_are_the_features_are_set_too(data):
    """In the units of either, whatever scale they have."""
    X, _ = data
    dag = Graph([("age", "dose"), ("age", "noise")], list(X.columns))
    estimator = CausalMLPRegressor([8], dag=dag, random_state=0, epochs=20).fit(X, X.to_numpy())
    natural, done = estimator.predict(X), estimator.do(age=70.0)(X)
    assert (done[:, 1] == 70).all() and (done[:, 2] > natural[:, 2]).mean() > 0.9
    half = np.arange(400) < 200
    some = estimator.do({"dose": 3.0}, where=half)(X)
    np.testing.assert_array_equal(some[half, 2], 3.0)
    np.testing.assert_array_equal(some[~half], natural[~half])
    np.testing.assert_array_equal(some[:, 0], natural[:, 0])
    both = estimator.predict(X, interventions={0: ([0, 0, 1], [0, 0, 3.0]), 2: ([1, 0, 0], [7.0, 0, 0])})
    assert (both[:, 2] == 3).all() and (both[:, 0] == 7).all()


def test_arrays_and_matrices(data):
    X, y = data
    adjacency = np.zeros((4, 4))
    adjacency[1, 3] = adjacency[2, 3] = 1
    estimator = CausalMLPRegressor([8], dag=adjacency, random_state=0, epochs=5).fit(X.to_numpy(), y)
    changed = X.assign(noise=9.0).to_numpy()
    assert (estimator.predict(changed) == estimator.predict(X.to_numpy())).all()


def test_it_is_an_estimator_like_any_other(data):
    X, y = data
    estimator = CausalMLPRegressor([4], dag=DAG, random_state=0, epochs=3)
    assert clone(estimator).get_params()["dag"] == DAG
    assert len(cross_val_score(estimator, X, y, cv=2)) == 2
    fitted = estimator.fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))


def test_graphs_that_do_not_fit(data):
    X, y = data
    for dag, error in ((Graph([("a", "b")]), UnknownNameError), (Graph([("age", "risk")], ["age", "risk", "dose", "noise", "more"]), ShapeError)):
        for estimator in (CausalMLPRegressor([4], dag=dag), CausalMLPClassifier([4], dag=dag)):
            with pytest.raises(error):
                estimator.fit(X, (y > 0).astype(int))


# ---------------------------------------------------------------- weights from elsewhere

def test_weights_that_obey_a_graph_come_back_with_it():
    model = CausalMLP(2, [6], 1, seed=0, dag=[("age", "risk"), ("dose", "risk")], feature_names=["age", "dose"])
    state = {name: np.array(tensor.view(model._flat)) for name, tensor in
             ((tensor.name, tensor) for tensor in model.network.tensors)}
    again = CausalMLP.from_state_dict(state, dag=model.dag, feature_names=["age", "dose"])
    x = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_array_equal(again(x), model(x))
    assert again.dag == model.dag and again.output_names == ("risk",)


def test_a_torch_network_that_obeys_a_graph():
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight[0, 2] = 0
    dag = Graph([("a", "y"), ("b", "y")], ["a", "b", "c", "y"])
    model = CausalMLP.from_torch(torch.nn.Sequential(layer), dag=dag, feature_names=["a", "b", "c"])
    x = torch.randn(4, 3)
    torch.testing.assert_close(torch.as_tensor(model(x)), layer(x))
    with torch.no_grad():
        layer.weight[0, 2] = 0.5
    with pytest.raises(InvalidValueError, match=r"weight \[0, 2\] of layer 0 is 0.5, but the graph has no edge there"):
        CausalMLP.from_torch(torch.nn.Sequential(layer), dag=dag, feature_names=["a", "b", "c"])
