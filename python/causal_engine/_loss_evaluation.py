"""A loss evaluated on arrays of any kind."""

from __future__ import annotations

import math
from ctypes import byref, c_double
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, any_array, dtype_code, floating_dtype, mask_bytes, numbers
from ._bindings import Handle, LossArguments, LossGradients, library
from ._kinds import is_tensor
from .errors import ShapeError

if TYPE_CHECKING:
    from .model import CausalModel


@dataclass(slots=True)
class Evaluation:
    """A loss and the arrays that it looks at, dense and of one dtype. `value` and `value_and_gradients` compute it."""

    loss: Handle
    prediction: Any = None
    target: Any = None
    mask: Any = None
    values: Any = None
    counterfactual_prediction: Any = None
    counterfactual_target: Any = None
    model: CausalModel | None = None
    classes: bool = False
    is_pair: bool = True        # prediction and target are one entry beside the other

    def value(self) -> Any:
        """A float; a tensor that autograd follows where one of the arrays is a tensor."""
        if any(map(is_tensor, (self.prediction, self.target, self.values, self.counterfactual_prediction, self.counterfactual_target))):
            from ._torch_loss import loss_of_tensors

            return loss_of_tensors(self)
        return self.number()

    def number(self) -> float:
        return self._evaluate(None)

    def value_and_gradients(self) -> tuple[float, list[NDArray[Any]]]:
        """The value, and gradients of it in this order: the prediction, the counterfactual prediction, the model's parameters."""
        gradients: list[NDArray[Any]] = []
        value = self._evaluate(gradients)
        return value, gradients

    def _evaluate(self, gradients: list[NDArray[Any]] | None) -> float:
        dtype = self._read()
        arguments = LossArguments(dtype=dtype_code(dtype))
        kept: list[NDArray[Any]] = []
        wanted = LossGradients()

        def place(name: str, array: NDArray[Any] | None, rows: str, columns: str) -> None:
            if array is None:
                return
            flat = _as_matrix(array)
            kept.append(flat)
            setattr(arguments, name, address(flat))
            setattr(arguments, rows, flat.shape[0])
            setattr(arguments, columns, flat.shape[1])

        def want(name: str, like: NDArray[Any] | None) -> None:
            if like is not None and gradients is not None:
                gradients.append(np.empty_like(like))
                setattr(wanted, name, address(gradients[-1]))

        place("prediction", self.prediction, "rows", "columns")
        place("target", self.target, "target_rows", "target_columns")
        place("mask", self.mask, "mask_rows", "mask_columns")
        place("values", self.values, "value_rows", "value_columns")
        place("counterfactual_prediction", self.counterfactual_prediction, "counterfactual_rows", "counterfactual_columns")
        place("counterfactual_target", self.counterfactual_target, "counterfactual_rows", "counterfactual_columns")
        want("prediction", self.prediction)
        want("counterfactual_prediction", self.counterfactual_prediction)
        if self.model is not None:
            self.model._settle()
            arguments.model = self.model.network.handle.address
            arguments.parameters = self.model._address
            want("parameters", self.model._flat)
        value = c_double()
        library.causal_loss_evaluate(self.loss.address, byref(arguments), byref(value), None if gradients is None else byref(wanted))
        return value.value

    def _read(self) -> np.dtype[Any]:
        """Makes every argument a dense array of the dtype to compute in, and sees to shapes that the engine would not see as given."""
        if self.model is not None:
            return self.model.network.dtype
        prediction, target = any_array(self.prediction, "pred"), any_array(self.target, "target")
        others = {}
        for name in ("values", "counterfactual_prediction", "counterfactual_target"):
            if getattr(self, name) is not None:
                others[name] = any_array(getattr(self, name), name)
        dtype = floating_dtype(prediction, target, *others.values())
        self.prediction, self.target = numbers(prediction, dtype, "pred"), numbers(target, dtype, "target")
        if self.classes:
            _expect_classes(self.prediction, self.target)
            self.target = self.target.reshape(-1, 1)
        elif self.is_pair:
            _expect_same_shape(self.prediction, self.target, "")
        for name, array in others.items():
            setattr(self, name, numbers(array, dtype, name))
        if self.counterfactual_prediction is not None and self.counterfactual_target is not None:
            _expect_same_shape(self.counterfactual_prediction, self.counterfactual_target, "counterfactual ")
        if self.mask is not None:
            self.mask = mask_bytes(self.mask, "do_mask")
        deep = self.prediction.ndim > 2
        for name in ("mask", "values"):
            array = getattr(self, name)
            if array is not None and (deep or array.ndim > 2):
                setattr(self, name, _stretched(array, self.prediction.shape, "do_" + name))
        return dtype


def _as_matrix(array: NDArray[Any]) -> NDArray[Any]:
    """(k,) stands for (1, k), as numpy broadcasts it; leading dimensions beyond the last become rows."""
    if array.ndim == 2:
        return array
    return array.reshape(math.prod(array.shape[:-1]), array.shape[-1] if array.ndim else 1)


def _expect_same_shape(prediction: NDArray[Any], target: NDArray[Any], which: str) -> None:
    if prediction.shape != target.shape:
        raise ShapeError(
            f"loss: {which}prediction of shape {prediction.shape} against {which}target of shape {target.shape}, expected equal shapes")


def _expect_classes(logits: NDArray[Any], classes: NDArray[Any]) -> None:
    rows = logits.shape[:-1]
    if logits.ndim not in (1, 2) or classes.shape not in (rows, (*rows, 1)):
        raise ShapeError(
            f"loss: prediction of shape {logits.shape} against target of shape {classes.shape}, expected (n, c) and class indices (n,)")


def _stretched(array: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[Any]:
    try:
        return np.ascontiguousarray(np.broadcast_to(array, shape))
    except ValueError:
        raise ShapeError(f"loss: {name} of shape {array.shape} against prediction of shape {shape}, expected one that broadcasts") from None
