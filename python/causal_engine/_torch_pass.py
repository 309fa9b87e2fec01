"""One forward pass of a network as a node of torch's autograd graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray

from ._bindings import Handle
from ._intervention import Edit, intervention_handle
from ._network import Network
from ._torch_once import once
from .errors import StateError
from .model import Changes
from .trace import as_given


@dataclass(slots=True)
class Pass:
    """What a pass needs beside the tensors that autograd follows."""

    network: Network
    buffer: NDArray[Any]            # holds the parameters, now and until the backward pass
    parameters: int                 # its address
    edits: Sequence[Edit]
    learned: Sequence[int]          # which edits have values that are tensors
    changes: Changes                # counts what autograd cannot see: training by the engine

    def run(self, x: torch.Tensor, parameters: Sequence[torch.Tensor], values: Sequence[torch.Tensor]) -> torch.Tensor:
        """y (rows, outputs) for x (rows, inputs). `values` belong to the `learned` edits."""
        if torch.is_grad_enabled() and any([tensor.requires_grad for tensor in (x, *parameters, *values)]):
            answer: torch.Tensor = _Differentiable.apply(self, x, *parameters, *values)  # type: ignore[no-untyped-call]
            return answer
        x = x.detach().contiguous()
        y = torch.empty((x.shape[0], self.network.outputs), dtype=x.dtype)
        self.network.predict(self.parameters, x.data_ptr(), x.shape[0], self._intervention(), y.data_ptr())
        return y

    def _intervention(self) -> Handle | None:
        return intervention_handle(self.edits, self.network.dtype)


class _Differentiable(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, run: Pass, x: torch.Tensor, *tensors: torch.Tensor) -> torch.Tensor:
        network = run.network
        x = x.contiguous()
        y = torch.empty((x.shape[0], network.outputs), dtype=x.dtype)
        ctx.memory = network.forward(run.parameters, x.data_ptr(), x.shape[0], run._intervention(), y.data_ptr())
        ctx.run, ctx.changes = run, run.changes.count
        # Saved so that autograd notices when somebody writes to them before the backward pass.
        ctx.save_for_backward(*tensors[:len(network.tensors)])
        return y

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return once(_gradients(ctx, dy.detach()))


def _gradients(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    run: Pass = ctx.run
    network, count = run.network, len(run.network.tensors)
    _ = ctx.saved_tensors
    if ctx.changes != run.changes.count:
        raise StateError("backward: the model was trained by fit after this forward pass; run it again")
    _, wants_x, *wants = ctx.needs_input_grad
    flat = torch.empty(network.parameter_count, dtype=dy.dtype) if True in wants[:count] else None
    dx = torch.empty((dy.shape[0], network.inputs), dtype=dy.dtype) if wants_x else None
    learned = [run.edits[k] for k in run.learned]
    dvalues = {edit.site: torch.empty(edit.values.shape, dtype=dy.dtype) for edit, wanted in zip(learned, wants[count:]) if wanted}
    dy = dy.contiguous()
    network.backward(
        run.parameters, ctx.memory, dy.data_ptr(), dy.shape[0], into_parameters=None if flat is None else flat.data_ptr(),
        into_inputs=None if dx is None else dx.data_ptr(), into_values={site: tensor.data_ptr() for site, tensor in dvalues.items()})
    gradients: list[torch.Tensor | None] = [None, dx]
    if flat is None:
        gradients += [None] * count
    else:
        gradients += [
            (part.view(tensor.shape) if len(tensor.shape) == 2 else part) if wanted else None
            for part, tensor, wanted in zip(flat.split_with_sizes(network.tensor_sizes), network.tensors, wants)]
    for edit in learned:
        gradient = dvalues.get(edit.site)
        gradients.append(None if gradient is None else as_given(gradient, edit.given_shape))
    return tuple(gradients)
