"""Which class an object gets: the plain one, or where torch is in use its counterpart that is a torch.nn.Module."""

from __future__ import annotations

import os
import sys
from typing import Any

PROCESS = os.getpid()
"""That imported this package; another one was forked from it."""


def class_in_use(cls: type[Any]) -> type[Any]:
    """What a new object of `cls` is, decided anew for each: torch is in use if it has been imported."""
    if "torch" not in sys.modules:
        return cls
    from ._torch_model import module_class

    return module_class(cls)


def is_tensor(array: Any) -> bool:
    """Whether this is a torch.Tensor, without importing torch."""
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)      # not there yet where another thread is importing torch
    return tensor is not None and isinstance(array, tensor)


def is_module(model: Any) -> bool:
    """Whether this is a torch.nn.Module, without importing torch."""
    module = getattr(getattr(sys.modules.get("torch"), "nn", None), "Module", None)
    return module is not None and isinstance(model, module)
