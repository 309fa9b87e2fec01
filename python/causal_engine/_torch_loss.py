"""The engine's losses as nodes of torch's autograd graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from ._arrays import any_array
from ._loss_evaluation import Evaluation
from ._torch_once import Gradients, once
from ._torch_transforms import refuse_transforms
from .errors import ArgumentError

_FOLLOWED = ("prediction", "target", "counterfactual_prediction", "counterfactual_target", "values")


def loss_of_tensors(evaluation: Evaluation) -> torch.Tensor:
    """The loss as a tensor of no dimensions, which gradients go back from to every tensor among its arguments. The evaluation is used up."""
    if evaluation.values is not None:
        evaluation = _as_wide_as_its_values(evaluation)
    _expect_no_gradient_of_classes(evaluation)
    tensors: list[torch.Tensor | None] = []
    for name in _FOLLOWED:
        value = getattr(evaluation, name)
        if isinstance(value, torch.Tensor):
            setattr(evaluation, name, value.detach())
            tensors.append(value)
        else:
            tensors.append(None)
    if isinstance(evaluation.mask, torch.Tensor):
        evaluation.mask = evaluation.mask.detach()
    try:
        loss: torch.Tensor = _Loss.apply(evaluation, *tensors)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        refuse_transforms(error)
        raise
    return loss


def _expect_no_gradient_of_classes(evaluation: Evaluation) -> None:
    target = evaluation.target
    if evaluation.classes and isinstance(target, torch.Tensor) and target.requires_grad:
        raise ArgumentError("target requires grad, expected class indices, which have no gradient: detach() it")


def _as_wide_as_its_values(evaluation: Evaluation) -> Evaluation:
    """A prediction that do-values are broadcast against, broadcast already: then their gradients are each other's opposites."""
    if evaluation.mask is None:
        return evaluation       # the engine says what is missing
    prediction, *others = (array if isinstance(array, torch.Tensor) else any_array(array, name) for name, array in (
        ("pred", evaluation.prediction), ("do_values", evaluation.values), ("do_mask", evaluation.mask)))
    try:
        shape = torch.broadcast_shapes(prediction.shape, *(other.shape for other in others))  # type: ignore[no-untyped-call]
    except RuntimeError:
        return evaluation       # the engine says which shapes do not go together
    if isinstance(prediction, torch.Tensor):
        wide = prediction.expand(shape)
        return replace(evaluation, prediction=wide, target=wide.detach())
    fixed = np.broadcast_to(prediction, shape)
    return replace(evaluation, prediction=fixed, target=fixed)


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, evaluation: Evaluation, *tensors: torch.Tensor | None) -> torch.Tensor:
        ctx.shapes = [None if tensor is None else tensor.shape for tensor in tensors]
        value, gradients = evaluation.value_and_gradients() if any(ctx.needs_input_grad) else (evaluation.number(), [])
        ctx.gradients = [torch.from_numpy(gradient) for gradient in gradients]
        ctx.is_pair = evaluation.is_pair
        if ctx.needs_input_grad[2] and not evaluation.is_pair:
            # How far two things are from independent is the same from either side.
            _, other = Evaluation(evaluation.loss, evaluation.target, evaluation.prediction, is_pair=False).value_and_gradients()
            ctx.gradients += map(torch.from_numpy, other)
        return torch.scalar_tensor(value, dtype=_result_dtype(tensors))

    @staticmethod
    def backward(ctx: Any, dloss: torch.Tensor) -> Gradients:
        dloss = dloss.detach()

        def gradient(place: int, of: int, sign: int) -> torch.Tensor | None:
            shape = ctx.shapes[place]
            if shape is None or not ctx.needs_input_grad[1 + place]:
                return None
            slope: torch.Tensor = ctx.gradients[of]
            return (slope * (sign * dloss).to(slope.dtype)).sum_to_size(shape)

        # Squared and absolute errors change with the target as they change with the prediction, the other way.
        of_target = gradient(1, 0, -1) if ctx.is_pair else gradient(1, 1, 1)
        return once((None, gradient(0, 0, 1), of_target, gradient(2, 1, 1), gradient(3, 1, -1), gradient(4, 0, -1)))


def _result_dtype(tensors: Any) -> torch.dtype:
    floating = [tensor.dtype for tensor in tensors if tensor is not None and tensor.is_floating_point()]
    return torch.float32 if floating and all(dtype.itemsize <= 4 for dtype in floating) else torch.float64


def regularization(module: nn.Module, strength: float) -> torch.Tensor:
    """`strength` times the L1 norm of all weights, not biases, of any Module."""
    weights = [parameter for name, parameter in module.named_parameters() if not name.rsplit(".", 1)[-1].startswith("bias")]
    if not weights:
        raise ArgumentError(f"model is a {type(module).__name__} without weights")
    return strength * torch.stack([weight.abs().sum() for weight in weights]).sum()
