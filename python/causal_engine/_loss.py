"""Losses in the engine's hands: made once for all who ask for the same."""

from __future__ import annotations

import ctypes
from ctypes import c_double
from functools import lru_cache
from typing import Any

from ._arrays import text
from ._bindings import Handle, library


@lru_cache(maxsize=256)
def loss_handle(kind: str, *arguments: Any) -> Handle:
    """The loss of a kind, as causal_loss_create_<kind> makes it."""
    return Handle(getattr(library, f"causal_loss_create_{kind}"), library.causal_loss_free, *arguments)


def typed_loss_handle(kind: str, loss_type: Any, *arguments: Any, name: str = "loss_type") -> Handle:
    """The loss of a kind that measures errors as `loss_type` says."""
    return loss_handle(kind, text(loss_type, name), *arguments)


@lru_cache(maxsize=64)
def sum_handle(*terms: tuple[float, Handle]) -> Handle:
    """The weighted sum of losses."""
    handles = (ctypes.c_void_p * len(terms))(*(handle.address for _, handle in terms))
    weights = (c_double * len(terms))(*(weight for weight, _ in terms))
    return Handle(library.causal_loss_create_sum, library.causal_loss_free, handles, weights, len(terms))
