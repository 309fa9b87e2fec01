"""What all tests share: hypothesis draws the same examples every time and never looks at the clock."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import settings

from causal_engine import get_threads, set_threads

# Modules for what is not installed cannot be imported, so not searched for examples either.
_NEEDED = {"torch": ["causal_engine/_torch_*.py"], "sklearn": ["causal_engine/estimators.py", "causal_engine/_estimator.py"]}
collect_ignore_glob = [path for module, paths in _NEEDED.items() if find_spec(module) is None for path in paths]

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("repeatable")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def plain_models(request, monkeypatch):
    """Most tests look at models without torch, wherever it happens to be imported; tests/with_torch has the others."""
    if "with_torch" not in request.node.path.parts:
        monkeypatch.setattr("causal_engine.model.class_in_use", lambda cls: cls)


@pytest.fixture(autouse=True)
def threads_stay_as_they_were():
    before = get_threads()
    yield
    set_threads(before)
