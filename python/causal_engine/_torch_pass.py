"""One forward pass of a network as a node of torch's autograd graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import torch
from numpy.typing import NDArray

from ._intervention import Edit
from ._network import Network
from ._torch_once import once
from .errors import StateError
from .model import Changes
from .trace import as_given

_version, _requires_grad = attrgetter("_version"), attrgetter("requires_grad")


@dataclass(slots=True)
class Pass:
    """What a pass needs beside the tensors that autograd follows."""

    network: Network
    buffer: NDArray[Any]            # holds the parameters, now and until the backward pass
    parameters: int                 # its address
    edits: Sequence[Edit]
    learned: Mapping[int, torch.Tensor]     # the values, by site, that autograd follows
    changes: Changes                # counts what autograd cannot see: training by the engine

    def run(self, x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> torch.Tensor:
        """y (rows, outputs) for x (rows, inputs)."""
        if torch.is_grad_enabled() and (x.requires_grad or self.learned or any(map(_requires_grad, parameters))):
            answer: torch.Tensor = _Differentiable.apply(self, x, *parameters, *self.learned.values())  # type: ignore[no-untyped-call]
            return answer
        x = dense(x.detach())
        y = x.new_empty((x.shape[0], self.network.outputs))
        self.network.predict(self.parameters, x.data_ptr(), x.shape[0], self.edits, y.data_ptr())
        return y


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """With its numbers in memory as they are, row by row: torch may have put off a change of sign."""
    return tensor.resolve_neg().contiguous()


class _Differentiable(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, run: Pass, x: torch.Tensor, *tensors: torch.Tensor) -> torch.Tensor:
        network = run.network
        parameters = tensors[:len(network.tensors)]
        x = dense(x)
        rows = x.shape[0]
        y = x.new_empty((rows, network.outputs))
        memory = network.forward(run.parameters, x.data_ptr(), rows, run.edits, y.data_ptr())
        ctx.kept = run, memory, run.changes.count, parameters, list(map(_version, parameters))
        # One tensor saved is enough for torch to tell when the graph is used a second time; `_check` looks at all of them.
        ctx.save_for_backward(parameters[0])
        return y

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return once(_gradients(ctx, dy.detach()))


def _gradients(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    _ = ctx.saved_tensors
    run, memory, changes, parameters, versions = ctx.kept
    network: Network = run.network
    if list(map(_version, parameters)) != versions:
        raise RuntimeError(_changed(network, parameters, versions))
    if changes != run.changes.count:
        raise StateError("backward: the model was trained by fit after this forward pass; run it again")
    _, wants_x, *wants = ctx.needs_input_grad
    dy = dense(dy)
    rows = dy.shape[0]
    dparameters = [_empty_like(parameter) if wanted else None for parameter, wanted in zip(parameters, wants)]
    dx = dy.new_empty((rows, network.inputs)) if wants_x else None
    learned = [edit for edit in run.edits if edit.site in run.learned] if run.learned else []
    dvalues = {edit.site: dy.new_empty(edit.values.shape) for edit in learned}
    network.backward(
        run.parameters, memory, dy.data_ptr(), rows,
        into_tensors=[None if gradient is None else gradient.data_ptr() for gradient in dparameters],
        into_inputs=None if dx is None else dx.data_ptr(), into_values={site: tensor.data_ptr() for site, tensor in dvalues.items()})
    return None, dx, *dparameters, *(as_given(dvalues[edit.site], edit.given_shape) for edit in learned)


def _empty_like(parameter: torch.Tensor) -> torch.Tensor:
    """Dense room for a gradient. (Views of one tensor would cost autograd five times as much.)"""
    return torch.empty_like(parameter) if parameter.is_contiguous() else parameter.new_empty(parameter.shape)


def _changed(network: Network, parameters: Sequence[torch.Tensor], versions: Sequence[int]) -> str:
    """What torch says when a tensor that it saved was written to."""
    name, tensor, version = next(
        (tensor.name, parameter, version) for tensor, parameter, version in zip(network.tensors, parameters, versions)
        if parameter._version != version)
    return (f"one of the variables needed for gradient computation has been modified by an inplace operation: {name}, "
            f"of shape {tuple(tensor.shape)}, is at version {tensor._version}; expected version {version} instead")
