"""The layers of networks that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import any_array, floating_dtype
from .errors import ArgumentError, InvalidValueError, ShapeError, shown


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Weights (out, in) and biases (out,) of linear layers in order, and the activation between them."""

    weights: list[NDArray[Any]]
    biases: list[NDArray[Any]]
    activation: str

    def __post_init__(self) -> None:
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            before = weight.shape[1] if k == 0 else self.weights[k - 1].shape[0]
            if weight.shape[1] != before or bias.shape != weight.shape[:1]:
                raise ShapeError(
                    f"layer {k}: weight of shape {weight.shape}, bias of shape {bias.shape}, expected (n, {before}) and (n,)")

    @property
    def widths(self) -> list[int]:
        return [self.weights[0].shape[1], *(len(weight) for weight in self.weights)]

    @property
    def dtype(self) -> np.dtype[Any]:
        return floating_dtype(*self.weights, *self.biases)

    @property
    def tensors(self) -> list[NDArray[Any]]:
        """In the order of a CausalMLP's parameters."""
        return [tensor for pair in zip(self.weights, self.biases) for tensor in pair]


def from_state_dict(state: Any, activation: str) -> Pretrained:
    """The layers in a state_dict whose weights and biases come in the order of the layers, whatever their names."""
    if not isinstance(state, Mapping):
        raise ArgumentError(f"state_dict: {type(state).__name__}, expected a dict of arrays by name")
    weights: list[NDArray[Any]] = []
    biases: list[NDArray[Any]] = []
    for name, value in state.items():
        array = _array(value, str(name))
        if array.ndim == 2 and len(weights) == len(biases):
            weights.append(array)
        elif array.ndim == 1 and len(weights) == len(biases) + 1:
            biases.append(array)
        else:
            expected = "a weight (out, in)" if len(weights) == len(biases) else "the bias (out,) of the weight before it"
            raise ShapeError(f"state_dict: {shown(name)} of shape {array.shape}, expected {expected}")
    if not weights or len(weights) != len(biases):
        raise ShapeError(f"state_dict: {len(weights)} weights and {len(biases)} biases, expected equally many and one at least")
    return Pretrained(weights, biases, activation)


def from_torch(module: Any) -> Pretrained:
    """The layers of an nn.Sequential of nn.Linear with one kind of activation between them."""
    from torch import nn

    from ._torch_layers import activation_name

    if not isinstance(module, nn.Module):
        raise ArgumentError(f"module is {type(module).__name__}, expected a torch.nn.Sequential")
    linear: list[nn.Linear] = []
    between: list[str] = []         # after layer k, for as many as have one
    for name, part in _leaves(module):
        if isinstance(part, nn.Linear):
            if any(part is other for other in linear):
                raise InvalidValueError(f"{name} is a layer that comes before too, expected layers with weights of their own: use a copy.deepcopy")
            if len(between) < len(linear):
                between.append("identity")
            linear.append(part)
        elif (activation := activation_name(part)) is not None and linear and len(between) < len(linear):
            between.append(activation)
        elif not isinstance(part, nn.Identity):
            raise InvalidValueError(f"{name or 'module'} is {part}, expected nn.Linear, or an activation of this engine after one")
    if not linear:
        raise InvalidValueError(f"{type(module).__name__} has no nn.Linear")
    if len(between) == len(linear) and between[-1] != "identity":
        raise InvalidValueError(f"the network ends in {between[-1]}, expected a linear layer: apply it to the model's output")
    kinds = set(between[:len(linear) - 1])
    if len(kinds) > 1:
        raise InvalidValueError(f"the activations are {', '.join(sorted(kinds))}, expected the same after every layer but the last")
    weights = [_array(part.weight, "weight") for part in linear]
    biases = [np.zeros(part.out_features, weight.dtype) if part.bias is None else _array(part.bias, "bias")
              for part, weight in zip(linear, weights)]
    return Pretrained(weights, biases, kinds.pop() if kinds else "relu")


def _leaves(module: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The modules of nested Sequentials in the order in which they run."""
    from torch import nn

    if not isinstance(module, nn.Sequential):
        yield name, module
        return
    for key, part in module._modules.items():       # named_children leaves out a module that comes a second time
        yield from _leaves(part, f"{name}.{key}" if name else key)


def _array(value: Any, name: str) -> NDArray[Any]:
    return any_array(value.detach() if hasattr(value, "detach") else value, name)
