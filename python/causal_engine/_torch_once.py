"""Gradients that cannot be differentiated again, and say so."""

from __future__ import annotations

from typing import Any

import torch

from .errors import StateError

Gradients = tuple[torch.Tensor | None, ...]


def once(gradients: Gradients) -> Gradients:
    """The gradients that a backward pass returns. Under create_graph=True, whoever differentiates them gets an error, and not the
    silence of a constant."""
    if not torch.is_grad_enabled():
        return gradients
    anchor = torch.zeros((), requires_grad=True)
    return tuple(None if gradient is None else _Once.apply(anchor, gradient) for gradient in gradients)  # type: ignore[no-untyped-call]


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, anchor: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, _: torch.Tensor) -> Gradients:
        raise StateError("double backward is not supported: the engine gives first derivatives only")
