"""Neural networks that understand Pearl's do-operator.

`do(X = v)` replaces a value in the forward pass, cuts the edges into X, and sends no gradient back through them.

>>> import numpy as np
>>> from causal_engine import CausalMLP
>>> model = CausalMLP(input_dim=3, hidden_dims=[16, 16], output_dim=1, seed=0)
>>> x = np.zeros((10, 3))
>>> y = model(x, interventions={0: ([0, 1, 0], [0, 0.5, 0])})      # do(x[:, 1] = 0.5)
>>> y.shape
(10, 1)
"""

import importlib
from typing import TYPE_CHECKING, Any

from .causal_unit import CausalMLP, CausalUnit
from .errors import (
    ArgumentError, BusyError, CausalError, CausalWarning, CheckpointError, CycleError, DivergenceError, DTypeError, HandleError,
    InvalidValueError, OutOfMemoryError, ShapeError, StateError, UnknownNameError,
)
from .history import Epoch, History
from .threads import get_threads, set_threads
from .trace import Gradients, Trace

if TYPE_CHECKING:
    from ._changes import change as change
    from ._changes import clip as clip
    from ._changes import interchange as interchange
    from ._changes import new_mechanism as new_mechanism
    from ._changes import scale as scale
    from ._changes import shift as shift
    from ._fit_all import fit_all as fit_all
    from ._functions import reading as reading
    from ._structural_fit import Mechanism as Mechanism
    from .dag_rewiring import DAGRewiring as DAGRewiring
    from .discovery import Discovery as Discovery
    from .discovery import discover as discover
    from .estimate import Estimate as Estimate
    from .estimators import CausalMLPClassifier as CausalMLPClassifier
    from .estimators import CausalMLPRegressor as CausalMLPRegressor
    from .graph import Graph as Graph
    from .knowledge import Knowledge as Knowledge
    from .loss_functions import CausalLosses as CausalLosses
    from .loss_functions import CausalMetrics as CausalMetrics
    from .network_policy import NetworkPolicy as NetworkPolicy
    from .policy import LinearPolicy as LinearPolicy
    from .rewiring import CausalLayerRewiring as CausalLayerRewiring
    from .sortability import Sortability as Sortability
    from .structural import StructuralModel as StructuralModel

__version__ = "0.1.0"

# What is loaded when it is asked for, and from where.
_LATER = {
    "CausalLayerRewiring": "rewiring", "CausalLosses": "loss_functions", "CausalMLPClassifier": "estimators", "CausalMLPRegressor": "estimators",
    "CausalMetrics": "loss_functions", "DAGRewiring": "dag_rewiring", "Discovery": "discovery", "Estimate": "estimate", "Graph": "graph",
    "Knowledge": "knowledge", "LinearPolicy": "policy", "Mechanism": "_structural_fit", "NetworkPolicy": "network_policy",
    "Sortability": "sortability", "StructuralModel": "structural", "change": "_changes", "clip": "_changes", "discover": "discovery",
    "fit_all": "_fit_all", "interchange": "_changes", "new_mechanism": "_changes", "reading": "_functions", "scale": "_changes",
    "shift": "_changes",
}

# Without the estimators: `from causal_engine import *` works where scikit-learn is not installed.
__all__ = [
    "ArgumentError", "BusyError", "CausalError", "CausalLayerRewiring", "CausalLosses", "CausalMLP", "CausalMetrics",
    "CausalUnit", "CausalWarning", "CheckpointError", "CycleError", "DAGRewiring", "DTypeError", "Discovery", "DivergenceError", "Epoch",
    "Estimate", "Gradients", "Graph", "HandleError", "History", "InvalidValueError", "Knowledge", "LinearPolicy", "Mechanism",
    "NetworkPolicy", "OutOfMemoryError", "ShapeError", "Sortability", "StateError", "StructuralModel", "Trace", "UnknownNameError", "change", "clip",
    "discover", "fit_all", "get_threads", "interchange", "new_mechanism", "reading", "scale", "set_threads", "shift",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        found = globals()[name] = getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
        return found
    if name in _LATER.values():     # a module of this package, as an attribute of it
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
