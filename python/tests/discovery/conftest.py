"""Linear models with known graphs."""

import numpy as np
import pytest


class Linear:
    """Rows of a linear Gaussian model with a random graph; `adjacency` is the truth."""

    def __init__(self, variables, neighbours, seed):
        rng = self.rng = np.random.default_rng(seed)
        chance = min(1.0, neighbours / max(variables - 1, 1))
        upper = np.triu(rng.random((variables, variables)) < chance, 1)
        order = rng.permutation(variables)
        weights = upper * rng.uniform(0.5, 2, upper.shape) * rng.choice([-1, 1], upper.shape)
        self.weights = np.zeros_like(weights)
        self.weights[np.ix_(order, order)] = weights
        self.adjacency = (self.weights != 0).astype(np.uint8)
        self.order = order

    def rows(self, count, do=None):
        """Rows; `do` has a variable a row that is set to a number of its own, or -1."""
        x = np.zeros((count, len(self.order)))
        for v in self.order:
            x[:, v] = x @ self.weights[:, v] + self.rng.normal(size=count)
            if do is not None:
                x[do == v, v] = self.rng.normal(2, 1, size=(do == v).sum())
        return x


@pytest.fixture(scope="session")
def linear():
    return Linear
