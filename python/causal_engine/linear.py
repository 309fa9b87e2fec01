"""The parts of a layer: what a user reads weights from and writes them to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ._arrays import numbers
from .errors import ShapeError

if TYPE_CHECKING:
    from .model import CausalModel

__all__ = ["Activation", "Linear"]


class Linear:
    """The linear part of a layer: `weight` of shape (out, in) and `bias` of shape (out,), views of the model's parameters."""

    __slots__ = ("_bias", "_model", "_weight")

    def __init__(self, model: CausalModel, weight: NDArray[Any], bias: NDArray[Any]) -> None:
        self._model = model
        self._weight = weight
        self._bias = bias

    @property
    def weight(self) -> NDArray[Any]:
        return self._weight

    @weight.setter
    def weight(self, value: Any) -> None:
        self._write(self._weight, value)

    @property
    def bias(self) -> NDArray[Any]:
        return self._bias

    @bias.setter
    def bias(self, value: Any) -> None:
        self._write(self._bias, value)

    def _write(self, view: NDArray[Any], value: Any) -> None:
        array = numbers(value, view.dtype, "value")
        try:
            view[...] = array
        except ValueError:
            raise ShapeError(f"value of shape {array.shape}, expected {view.shape} or one that broadcasts to it") from None
        self._model._changes.count += 1

    @property
    def in_features(self) -> int:
        return int(self._weight.shape[1])

    @property
    def out_features(self) -> int:
        return int(self._weight.shape[0])

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features})"


class Activation:
    """The activation part of a layer."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"
