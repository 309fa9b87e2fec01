"""The engine's losses as nodes of torch's autograd graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ._loss_evaluation import Evaluation
from ._torch_once import Gradients, once
from ._torch_transforms import refuse_transforms
from .errors import ArgumentError

_FOLLOWED = ("prediction", "target", "counterfactual_prediction", "counterfactual_target", "values")


def loss_of_tensors(evaluation: Evaluation) -> torch.Tensor:
    """The loss as a tensor of no dimensions, which gradients go back from to every tensor among its arguments."""
    if evaluation.values is not None:
        evaluation = _as_wide_as_its_values(evaluation)
    tensors = [_tensor_or_none(getattr(evaluation, name)) for name in _FOLLOWED]
    detached: dict[str, Any] = {name: tensor.detach() for name, tensor in zip(_FOLLOWED, tensors) if tensor is not None}
    constants = replace(evaluation, **detached)
    if isinstance(constants.mask, torch.Tensor):
        constants.mask = constants.mask.detach()
    try:
        loss: torch.Tensor = _Loss.apply(constants, *tensors)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        refuse_transforms(error)
        raise
    return loss


def _tensor_or_none(value: Any) -> torch.Tensor | None:
    return value if isinstance(value, torch.Tensor) else None


def _as_wide_as_its_values(evaluation: Evaluation) -> Evaluation:
    """A prediction that do-values are broadcast against, broadcast already: then their gradients are each other's opposites."""
    shapes = [torch.as_tensor(value).shape for value in (evaluation.prediction, evaluation.values, evaluation.mask)]
    try:
        shape = torch.broadcast_shapes(*shapes)  # type: ignore[no-untyped-call]
    except RuntimeError:
        return evaluation       # the engine says which shapes do not go together
    wide = torch.as_tensor(evaluation.prediction).expand(shape)
    return replace(evaluation, prediction=wide, target=wide.detach())


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, evaluation: Evaluation, *tensors: torch.Tensor | None) -> torch.Tensor:
        ctx.shapes = [None if tensor is None else tensor.shape for tensor in tensors]
        value, gradients = evaluation.value_and_gradients() if any(ctx.needs_input_grad) else (evaluation.number(), [])
        ctx.gradients = [torch.from_numpy(gradient) for gradient in gradients]
        return torch.tensor(value, dtype=_result_dtype(tensors))

    @staticmethod
    def backward(ctx: Any, dloss: torch.Tensor) -> Gradients:
        dloss = dloss.detach()
        factual, *counterfactual = [gradient * dloss.to(gradient.dtype) for gradient in ctx.gradients]
        opposite = counterfactual[0] if counterfactual else None
        # Squared and absolute errors change with the target as they change with the prediction, the other way.
        gradients = (factual, -factual, opposite, None if opposite is None else -opposite, -factual)
        return once((None, *(
            gradient.sum_to_size(shape) if gradient is not None and shape is not None and wanted else None
            for gradient, shape, wanted in zip(gradients, ctx.shapes, ctx.needs_input_grad[1:]))))


def _result_dtype(tensors: Any) -> torch.dtype:
    floating = [tensor.dtype for tensor in tensors if tensor is not None and tensor.is_floating_point()]
    return torch.float32 if floating and all(dtype.itemsize <= 4 for dtype in floating) else torch.float64


def regularization(module: nn.Module, strength: float) -> torch.Tensor:
    """`strength` times the L1 norm of all weights, not biases, of any Module."""
    weights = [parameter for name, parameter in module.named_parameters() if not name.rsplit(".", 1)[-1].startswith("bias")]
    if not weights:
        raise ArgumentError(f"model is a {type(module).__name__} without weights")
    return strength * torch.stack([weight.abs().sum() for weight in weights]).sum()
