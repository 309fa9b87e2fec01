"""The estimators are of the plain kind, whether torch was imported or not."""

import copy
import pickle

import numpy as np
import pytest
import torch

pytest.importorskip("sklearn")

from causal_engine import CausalMLP, CausalMLPClassifier, CausalMLPRegressor


@pytest.mark.parametrize("kind", [CausalMLPRegressor, CausalMLPClassifier])
def test_an_estimator_holds_no_module(kind, rng):
    X = rng.normal(size=(40, 3))
    y = (X[:, 0] > 0).astype(float)
    state = torch.random.get_rng_state()
    estimator = kind(hidden_dims=(4,), epochs=3, random_state=0).fit(X, y, {0: ([0, 1, 0], 0.5)})
    assert torch.equal(torch.random.get_rng_state(), state)
    for twin in (estimator, copy.deepcopy(estimator), pickle.loads(pickle.dumps(estimator))):
        model = twin.model_
        assert isinstance(model, CausalMLP) and not isinstance(model, torch.nn.Module)
        assert not any(isinstance(layer, torch.nn.Module) for layer in model.layers)
        assert all(type(parameter) is np.ndarray for parameter in model.parameters())
        assert np.array_equal(twin.do({1: 0.5})(X), estimator.predict(X, {0: ([0, 1, 0], 0.5)}))
    assert isinstance(CausalMLP(3, [4], 1), torch.nn.Module)


def test_tensors_are_taken_as_arrays(rng):
    X = rng.normal(size=(40, 3))
    given = torch.from_numpy(X)
    estimator = CausalMLPRegressor(hidden_dims=(4,), epochs=3, random_state=0).fit(given, given[:, 0])
    mask, value = torch.tensor([0, 1, 0]), torch.tensor(0.5)
    assert np.array_equal(estimator.predict(given, {0: (mask, value)}), estimator.predict(X, {0: ([0, 1, 0], 0.5)}))
