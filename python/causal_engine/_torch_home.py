"""Where the Parameters of a Module live: in one flat buffer, which is the engine's.

torch can move a Parameter away from there (`.double()`, `vector_to_parameters`, a deep copy). Each call looks whether that
happened, and then brings the Parameter home. A Parameter that somebody else put in its place, a tied or a computed weight are
left where they are: their numbers are copied for each call.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from operator import is_
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ._arrays import address
from ._network import Network
from ._torch_intervention import NUMPY_DTYPES
from .errors import ArgumentError, InvalidValueError, ShapeError, StateError
from .model import CausalModel

_moving = threading.Lock()
_get: Any = dict.get
_COMPUTED = object()     # is never the same as what is there


class Places:
    """Which Parameters a model has, and where they were when they came home. What each call asks is answered without a loop in
    Python."""

    __slots__ = ("_addresses", "_expected", "_holders", "names", "parameters", "parts")

    def __init__(self, parts: Sequence[nn.Module], parameters: Sequence[Any] | None = None) -> None:
        """`parts` holds each linear part twice, for its weight and for its bias."""
        self.parts = parts
        self.names = ["weight", "bias"] * (len(parts) // 2)
        self._holders = [part._parameters for part in parts]
        self.parameters: list[Any] = self.own() if parameters is None else [*parameters]
        self._expected = [_COMPUTED if parameter is None else parameter for parameter in self.parameters]
        self._addresses = [0 if parameter is None else parameter.data_ptr() for parameter in self.parameters]

    def own(self) -> list[Any]:
        """The Parameters that the parts hold now; None where a weight is computed from others."""
        return list(map(_get, self._holders, self.names))

    def current(self) -> list[Any]:
        """The tensors that are weights and biases now, whatever they are."""
        return [getattr(part, name, None) for part, name in zip(self.parts, self.names)]

    def are_kept(self) -> bool:
        """Whether every Parameter is still there, and where it was."""
        parameters = self.parameters
        return (all(map(is_, map(_get, self._holders, self.names), self._expected))
                and list(map(torch.Tensor.data_ptr, parameters)) == self._addresses
                and all(map(torch.Tensor.is_contiguous, parameters)))

    def forget(self) -> None:
        """Nothing is where it was: the next call brings all Parameters home."""
        self._addresses = [0] * len(self.parameters)


class Structure:
    """Which modules a model has, and who hooked them, as it was made."""

    __slots__ = ("_branches", "_children", "_held", "_holders", "_hooks", "_names")

    def __init__(self, *containers: tuple[nn.Module, str]) -> None:
        """Each container is a module and the name of the ModuleList, or of the one module, in it."""
        self._holders: list[Any] = [module._modules for module, _ in containers]
        self._names = [name for _, name in containers]
        self._held = list(map(_get, self._holders, self._names))
        self._branches = [held._modules for held in self._held if isinstance(held, nn.ModuleList)]
        self._children = self._now()
        inner = [*self._held, *(child for children in self._children for child in children)]
        self._hooks = [hooks for module in inner for hooks in (
            module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)]

    def _now(self) -> list[list[Any]]:
        return list(map(list, map(dict.values, self._branches)))

    def is_kept(self) -> bool:
        """Whether no inner module was replaced by another, added or taken away."""
        return all(map(is_, map(_get, self._holders, self._names), self._held)) and self._now() == self._children

    def is_hooked(self) -> bool:
        """Whether somebody wants to be called when an inner module is."""
        return any(self._hooks)


class TorchHome(CausalModel, nn.Module):
    """What a Module does for its Parameters to be the engine's weights."""

    _places: Places
    _structure: Structure

    def _look_around(self) -> None:
        """Notes what each call compares: which Parameters and modules there are, and where."""
        raise NotImplementedError

    def _was_replaced(self) -> bool:
        """Whether somebody put another module in the place of one that this model made."""
        return not self._structure.is_kept()

    def _current(self) -> tuple[Network, NDArray[Any], list[Any]]:
        """A network, a buffer with its parameters, and the tensors that they are to autograd."""
        places = self._places
        if places.are_kept():
            return self.network, self._flat, places.parameters
        return self._gather()

    def _gather(self) -> tuple[Network, NDArray[Any], list[torch.Tensor]]:
        with _moving:
            tensors = self._places.current()
            dtype = self._checked(tensors)
            if all(map(is_, tensors, self._places.parameters)) and not any(tensor.is_shared() for tensor in tensors):
                self._bring_home(dtype)
                return self.network, self._flat, tensors
            network = self.network if dtype == self.network.dtype else Network.of(self.network.description, dtype)
            copy = network.empty_parameters()
            _write(tensors, network, copy)
            return network, copy, tensors

    def _checked(self, tensors: Sequence[Any]) -> np.dtype[Any]:
        """The dtype of all parameters, which the engine must be able to read."""
        for tensor, expected in zip(tensors, self.network.tensors):
            if not isinstance(tensor, torch.Tensor):
                raise ArgumentError(f"{expected.name} is {type(tensor).__name__}, expected a tensor")
            if tensor.device.type != "cpu":
                raise InvalidValueError(f"{expected.name} is on {tensor.device}, expected cpu: the engine computes there")
            if tuple(tensor.shape) != expected.shape:
                raise ShapeError(f"{expected.name} of shape {tuple(tensor.shape)}, expected {expected.shape}")
            if tensor.dtype not in NUMPY_DTYPES or tensor.dtype != tensors[0].dtype:
                raise InvalidValueError(
                    f"{expected.name} is of {tensor.dtype}, {self.network.tensors[0].name} of {tensors[0].dtype}, "
                    "expected torch.float32 or torch.float64 for all")
        dtype: torch.dtype = tensors[0].dtype
        return NUMPY_DTYPES[dtype]

    def _bring_home(self, dtype: np.dtype[Any]) -> None:
        """Makes each Parameter a view of the flat buffer again, with the numbers that it has now."""
        network = self.network if dtype == self.network.dtype else Network.of(self.network.description, dtype)
        flat = self._flat if dtype == self._flat.dtype else network.empty_parameters()
        _write(self._places.parameters, network, flat)
        self._move_in(network, flat)

    def _move_in(self, network: Network, flat: NDArray[Any]) -> None:
        """Lives in a buffer from now on, which holds the parameters already."""
        self.network, self._flat, self._address = network, flat, address(flat)
        places = self._places
        for parameter, tensor in zip(places.parameters, network.tensors):
            parameter.data = torch.from_numpy(tensor.view(flat))
        self._changes.count += 1
        self._places = Places(places.parts, places.parameters)

    def _settle(self) -> None:
        """Sees to it that the flat buffer holds the weights, for what reads or writes it as a whole."""
        if self._was_replaced():
            raise StateError(f"a layer of {self!r} was replaced by another module: it can be called, but not trained or kept by the engine")
        _, buffer, tensors = self._current()
        if buffer is not self._flat:
            self._take_over()
            _write(tensors, self.network, self._flat)       # where they stay elsewhere, as in shared memory

    def _publish(self) -> None:
        _, buffer, tensors = self._current()
        if buffer is not self._flat:
            with torch.no_grad():
                for tensor, source in zip(tensors, self.network.tensors):
                    tensor.copy_(torch.from_numpy(source.view(self._flat)))

    def _take_over(self) -> None:
        """Takes over Parameters that somebody has put in the place of the first ones."""
        places, now = self._places, self._places.current()
        if all(map(is_, now, places.parameters)):
            return
        for tensor, part, name, own in zip(now, places.parts, places.names, places.own()):
            if not isinstance(tensor, nn.Parameter) or tensor is not own:
                raise StateError(f"{name} of {part} is computed from other tensors, expected a Parameter of its own")
        if len({id(tensor) for tensor in now}) < len(now):
            raise StateError(f"two weights of {self!r} are one Parameter, expected each to be its own")
        with _moving:
            dtype = self._checked(now)
            self._places = Places(places.parts, now)
            self._bring_home(dtype)

    # ------------------------------------------------------------ as modules have them

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:  # type: ignore[override]
        """Weight and bias of each layer in order, as torch Parameters."""
        return nn.Module.parameters(self, recurse)

    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Parameter]]:  # type: ignore[override]
        """`parameters` with their names."""
        return nn.Module.named_parameters(self, *args, **kwargs)

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """The parameters by name, as tensors; the names are those of the same network in PyTorch."""
        state: dict[str, Any] = nn.Module.state_dict(self, *args, **kwargs)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:  # type: ignore[override]
        """As torch.nn.Module's; arrays are taken as well as tensors."""
        tensors = {name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in state_dict.items()} \
            if isinstance(state_dict, Mapping) else state_dict
        return nn.Module.load_state_dict(self, tensors, strict, assign)



def _write(tensors: Sequence[torch.Tensor], network: Network, flat: NDArray[Any]) -> None:
    with torch.no_grad():
        for tensor, target in zip(tensors, network.tensors):
            view = torch.from_numpy(target.view(flat))
            if tensor.data_ptr() != view.data_ptr() or not tensor.is_contiguous():
                view.copy_(tensor.clone())      # it may be another view of the same numbers
