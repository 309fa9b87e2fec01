"""What the tests of `fit` share: 60 rows of a product that has to be learned, and a network for it."""

import numpy as np
import pytest

from causal_engine import CausalMLP


@pytest.fixture
def data(rng):
    x = rng.normal(size=(60, 3))
    return x, x[:, :1] - 2 * x[:, 1:2] * x[:, 2:] + 0.1 * rng.normal(size=(60, 1))


@pytest.fixture
def model():
    return CausalMLP(3, [16, 16], 1, dtype="float64", seed=0)


@pytest.fixture
def weights():
    """All parameters of a model as one array."""
    return lambda model: np.concatenate([parameter.ravel() for parameter in model.parameters()])
