"""The models as torch.nn.Modules. Their parameters are torch Parameters and the engine's weights at once: views of one flat buffer.

torch can move a Parameter away from there (`.double()`, `vector_to_parameters`, a deep copy). Each call looks whether that
happened, and then brings the Parameter home. A Parameter that somebody else put in its place, a tied or a computed weight are
left where they are: their numbers are copied for each call.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ._arrays import address, in_kind_of
from ._intervention import Edit, Interventions, edits_of
from ._intervention_log import InterventionLog
from ._network import Network
from ._torch_layers import MaskedLinear, activation_module, run_layers
from ._torch_pass import Pass
from .causal_unit import CausalMLP, CausalUnit
from .errors import ArgumentError, InvalidValueError, ShapeError, StateError
from .features import in_order, names_in
from .model import CausalModel, Changes
from .rewiring import CausalLayerRewiring

_moving = threading.Lock()


class _Place(NamedTuple):
    """Where a parameter belongs."""

    part: nn.Module
    name: str
    parameter: Any      # a Parameter; None where the weight is computed from others
    address: int


class TorchModel(CausalModel, nn.Module):
    """What `CausalModel` is where torch is in use."""

    _plain: ClassVar[type[Any]]
    """The class that the user knows, of which this object is an instance too."""

    _not_kept = frozenset({"network", "_compiled", "_flat", "_address", "_changes", "_places", "_hooks"})

    _places: list[_Place]
    _parts: list[nn.Module]
    _hooks: list[dict[int, Any]]

    # ------------------------------------------------------------ making one

    def _assemble(
        self, network: Network, seed: int | None = None, feature_names: Any = None, parameters: NDArray[Any] | None = None,
        changes: Changes | None = None,
    ) -> None:
        nn.Module.__init__(self)
        draws = seed is None and parameters is None
        if draws:
            parameters = network.empty_parameters()
        super()._assemble(network, 0 if draws else seed, feature_names, parameters, changes)
        self._look_around()
        self.register_load_state_dict_post_hook(_adopt_loaded)  # type: ignore[no-untyped-call]
        if draws:
            self._draw()

    def _draw(self) -> None:
        """Initial weights from torch's generator, in the order and of the distribution of the same network in PyTorch."""
        for part in self._linear_parts():
            drawn = nn.Linear(part.in_features, part.out_features, dtype=part.weight.dtype)
            with torch.no_grad():
                edges = getattr(part, "edges", None)
                part.weight.copy_(drawn.weight if edges is None else torch.where(edges, drawn.weight, torch.zeros(())))
                part.bias.copy_(drawn.bias)
        # What the engine draws later, such as the order of rows, follows from the weights and so from torch's seed.
        self.seed = int.from_bytes(hashlib.blake2b(self._flat[:1024].tobytes(), digest_size=8).digest(), "little")

    def _look_around(self) -> None:
        """Notes what each call compares: where the parameters are, and who has hooks on the inner modules."""
        self._places = self._home()
        self._hooks = [hooks for part in self._parts for hooks in _hooks_of(part)]

    def _linear_parts(self) -> list[nn.Linear]:
        """In the order of the network's tensors: weight and bias of each."""
        raise NotImplementedError

    def _home(self) -> list[_Place]:
        """The places as they are now."""
        places = []
        for part in self._linear_parts():
            for name in ("weight", "bias"):
                parameter = part._parameters.get(name)
                places.append(_Place(part, name, parameter, 0 if parameter is None else parameter.data_ptr()))
        return places

    # ------------------------------------------------------------ where the parameters are

    def _current(self) -> tuple[Network, NDArray[Any], list[torch.Tensor]]:
        """A network, a buffer with its parameters, and the tensors that they are to autograd."""
        tensors: list[torch.Tensor] = []
        for part, name, mine, where in self._places:
            tensor: Any = part._parameters.get(name)
            if tensor is None or tensor is not mine or tensor.data_ptr() != where or not tensor.is_contiguous():
                return self._gather()
            tensors.append(tensor)
        return self.network, self._flat, tensors

    def _gather(self) -> tuple[Network, NDArray[Any], list[torch.Tensor]]:
        with _moving:
            tensors = [getattr(place.part, place.name) for place in self._places]
            dtype = self._checked(tensors)
            if all(tensor is place.parameter and not tensor.is_shared() for tensor, place in zip(tensors, self._places)):
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
            if tensor.dtype not in _NUMPY or tensor.dtype != tensors[0].dtype:
                raise InvalidValueError(
                    f"{expected.name} is of {tensor.dtype}, {self.network.tensors[0].name} of {tensors[0].dtype}, "
                    "expected torch.float32 or torch.float64 for all")
        dtype: torch.dtype = tensors[0].dtype
        return _NUMPY[dtype]

    def _bring_home(self, dtype: np.dtype[Any]) -> None:
        """Makes each Parameter a view of the flat buffer again, with the numbers that it has now."""
        network = self.network if dtype == self.network.dtype else Network.of(self.network.description, dtype)
        flat = self._flat if dtype == self._flat.dtype else network.empty_parameters()
        parameters = [place.parameter for place in self._places]
        _write(parameters, network, flat)
        self._move_in(network, flat)

    def _move_in(self, network: Network, flat: NDArray[Any]) -> None:
        """Lives in a buffer from now on, which holds the parameters already."""
        self.network, self._flat, self._address = network, flat, address(flat)
        for place, tensor in zip(self._places, network.tensors):
            view = torch.from_numpy(tensor.view(flat))
            place.parameter.data = view
        self._changes.count += 1
        self._places = self._home()

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
        now = [getattr(place.part, place.name, None) for place in self._places]
        if all(tensor is place.parameter for tensor, place in zip(now, self._places)):
            return
        for tensor, place in zip(now, self._places):
            if not isinstance(tensor, nn.Parameter) or tensor is not place.part._parameters.get(place.name):
                raise StateError(f"{place.name} of {place.part} is computed from other tensors, expected a Parameter of its own")
        if len({id(tensor) for tensor in now}) < len(now):
            raise StateError(f"two weights of {self!r} are one Parameter, expected each to be its own")
        with _moving:
            dtype = self._checked(now)
            self._places = [place._replace(parameter=tensor) for place, tensor in zip(self._places, now)]
            self._bring_home(dtype)

    # ------------------------------------------------------------ passes

    __call__ = nn.Module.__call__

    def _run(self, x: Any, interventions: Interventions | None) -> Any:
        """A call with any kind of array; with a tensor one that autograd follows."""
        if isinstance(x, torch.Tensor):
            return self._run_tensor(x, interventions, self.feature_names)
        rows, is_one = self._current()[0].rows_of(in_order(x, self.feature_names))
        with torch.no_grad():
            tensor = torch.from_numpy(rows if rows.flags.writeable else rows.copy())
            y = self._run_tensor(tensor, interventions, self.feature_names or names_in(x)).numpy()
        return in_kind_of(x, y[0] if is_one else y, self.output_names)

    def _run_tensor(self, x: torch.Tensor, interventions: Interventions | None, names: Sequence[str] | None) -> torch.Tensor:
        network, buffer, parameters = self._current()
        x = _input(x, network)
        rows = x if x.ndim == 2 else x.reshape(1, -1)
        edits: list[Edit] = []
        learned: dict[int, torch.Tensor] = {}
        if interventions is not None:
            plain, learned = _without_gradients(interventions, network)
            edits = edits_of(plain, network.site_widths, rows.shape[0], network.dtype, names)
        self._remember(edits)
        if self._needs_layers():
            y = self._run_layers(rows, edits, learned)
        else:
            at = [k for k, edit in enumerate(edits) if edit.site in learned] if learned else ()
            where = self._address if buffer is self._flat else address(buffer)
            y = Pass(network, buffer, where, edits, at, self._changes).run(rows, parameters, [learned[edits[k].site] for k in at])
        return y if x.ndim == 2 else y[0]

    def _predict(self, x: Any, interventions: Interventions | None) -> Any:
        return self._run(x, interventions)

    def _needs_layers(self) -> bool:
        """Whether somebody hooked or replaced an inner module, so that the engine's one pass will not do."""
        return any(self._hooks) or self._was_replaced()

    def _was_replaced(self) -> bool:
        """Whether somebody put another module in the place of one that this model made."""
        return self._parts_now() != self._parts

    def _run_layers(self, x: torch.Tensor, edits: Sequence[Edit], learned: Mapping[int, torch.Tensor]) -> torch.Tensor:
        raise NotImplementedError

    def _parts_now(self) -> list[nn.Module]:
        """The inner modules, of which `_parts` are those that this model made."""
        raise NotImplementedError

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

    # ------------------------------------------------------------ keeping it

    def __copy__(self) -> Any:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _bare, (type(self)._plain,), self.__getstate__()

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.__dict__.items() if name not in self._not_kept}
        return {"network": self.network, "module": kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "checkpoint" in state:       # the plain kind was pickled
            super().__setstate__(state)
            return
        nn.Module.__setstate__(self, state["module"])  # type: ignore[no-untyped-call]
        self._changes = Changes()
        self.network = state["network"]
        self._flat = self.network.empty_parameters()
        self._address = address(self._flat)
        self._look_around()
        self._places = [place._replace(address=0) for place in self._places]       # the first call brings them there


class TorchUnit(TorchModel, CausalUnit):
    """What `CausalUnit` is where torch is in use."""

    def _build(self) -> None:
        linear = [_linear(tensor.shape, torch.from_numpy(tensor.view(self._flat)), torch.from_numpy(bias.view(self._flat)), edges)
                  for tensor, bias, edges in zip(self.network.tensors[::2], self.network.tensors[1::2], self.network.edges)]
        parts = linear if len(linear) == 1 else [linear[0], activation_module(self.activation), linear[1]]
        self.layers = nn.ModuleList(parts)  # type: ignore[assignment]
        self._parts = self._parts_now()
        self._log = InterventionLog()

    def _parts_now(self) -> list[nn.Module]:
        return [*self._modules["layers"]._modules.values()]  # type: ignore[union-attr, list-item]

    def _linear_parts(self) -> list[nn.Linear]:
        return list(self._parts[::2])  # type: ignore[arg-type]

    def forward(self, x: Any, do_mask: Any = None, do_values: Any = None) -> Any:
        return self._run(x, {0: (do_mask, do_values)})

    def _run_layers(self, x: torch.Tensor, edits: Sequence[Edit], learned: Mapping[int, torch.Tensor]) -> torch.Tensor:
        return run_layers(x, [nn.Sequential(*self._parts_now())], edits, learned)


class TorchMLP(TorchModel, CausalMLP):
    """What `CausalMLP` is where torch is in use."""

    def _build(self) -> None:
        super()._build()
        self.layers = nn.ModuleList(self.layers)  # type: ignore[assignment, arg-type]
        self._remembers = False
        self._parts = self._parts_now()

    def _parts_now(self) -> list[nn.Module]:
        return [*self._modules["layers"]._modules.values()]  # type: ignore[union-attr, list-item]

    def _linear_parts(self) -> list[nn.Linear]:
        return [unit._parts[0] for unit in self._parts]  # type: ignore[misc, index]

    def _look_around(self) -> None:
        super()._look_around()
        self._hooks += [hooks for unit in self._parts for hooks in unit._hooks]  # type: ignore[union-attr]

    def _was_replaced(self) -> bool:
        return super()._was_replaced() or any([unit._was_replaced() for unit in self._parts])  # type: ignore[operator]

    def _move_in(self, network: Network, flat: NDArray[Any]) -> None:
        super()._move_in(network, flat)
        for k, unit in enumerate(self._parts):
            part: Network = unit.network  # type: ignore[assignment]
            if part.dtype != network.dtype:
                part = Network.of(part.description, network.dtype)
            unit._changes = self._changes  # type: ignore[assignment]
            unit._move_in(part, flat[network.tensors[2 * k].place.start:network.tensors[2 * k + 1].place.stop])  # type: ignore[operator]

    def forward(self, x: Any, interventions: Interventions | None = None) -> Any:
        return self._run(x, interventions)

    def _run_layers(self, x: torch.Tensor, edits: Sequence[Edit], learned: Mapping[int, torch.Tensor]) -> torch.Tensor:
        layers = list(self._parts_now())
        between = activation_module(self.activation)
        edges = None if self.dag is None else [unit._parts[0].edges for unit in self._parts]  # type: ignore[union-attr, index, misc]
        return run_layers(
            x, [*(nn.Sequential(layer, between) for layer in layers[:-1]), layers[-1]], edits, learned, edges, self._sets_outputs_again)

    def _remember(self, edits: list[Edit]) -> None:
        if not edits and not self._remembers:
            return
        self._remembers = bool(edits)
        by_site = {edit.site: edit for edit in edits}
        for k, layer in enumerate(self._parts_now()):
            if isinstance(layer, CausalUnit):
                layer._log.add(by_site.get(k))


class TorchRewiring(TorchModel, CausalLayerRewiring):
    """What `CausalLayerRewiring` is where torch is in use."""

    def _build(self) -> None:
        weight, bias = (torch.from_numpy(tensor.view(self._flat)) for tensor in self.network.tensors)
        self.linear = _linear(weight.shape, weight, bias)  # type: ignore[assignment]
        self._parts = self._parts_now()

    def _draw(self) -> None:
        super()._draw()
        self._first = self._flat.copy()

    def _parts_now(self) -> list[nn.Module]:
        return [self._modules["linear"]]  # type: ignore[list-item]

    def _linear_parts(self) -> list[nn.Linear]:
        return list(self._parts)  # type: ignore[arg-type]

    def forward(self, x: Any, do_mask: Any = None) -> Any:
        return self._run(x, self._cuts(do_mask))

    def _needs_layers(self) -> bool:
        if self._was_replaced():
            raise StateError("the linear part was replaced by another module, expected the layer's own: its edges obey a graph")
        return False

    def reset_weights(self) -> None:
        self._settle()
        first = self.__dict__.get("_first")
        if first is None:
            super().reset_weights()
        else:
            self._flat[...] = first
            self._changes.count += 1


def _hooks_of(module: nn.Module) -> tuple[dict[int, Any], ...]:
    return module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks


_NUMPY: dict[Any, np.dtype[Any]] = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
_TORCH = {dtype: torch_dtype for torch_dtype, dtype in _NUMPY.items()}
_OWN: dict[type[CausalModel], type[TorchModel]] = {CausalMLP: TorchMLP, CausalUnit: TorchUnit, CausalLayerRewiring: TorchRewiring}


def module_class(cls: type[Any]) -> type[Any]:
    """The class of the objects of `cls`, one of this package's or of somebody's who derived it, that are Modules."""
    if issubclass(cls, TorchModel):
        return cls
    found: type[Any] | None = cls.__dict__.get("_module_class")
    if found is None:
        own = next(_OWN[base] for base in cls.__mro__ if base in _OWN)
        bases = (own,) if cls in _OWN else (cls, own)
        found = type(cls.__name__, bases, {
            "__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__, "_plain": cls})
        cls._module_class = found  # type: ignore[attr-defined]
    return found


def _bare(cls: type[Any]) -> Any:
    """A Module of somebody's class that `__setstate__` will fill."""
    return object.__new__(module_class(cls))


def _linear(shape: Sequence[int], weight: torch.Tensor, bias: torch.Tensor, edges: NDArray[np.bool_] | None = None) -> nn.Linear:
    part = nn.Linear(shape[1], shape[0], device="meta", dtype=weight.dtype) if edges is None \
        else MaskedLinear(torch.from_numpy(edges), weight.dtype)
    part.weight, part.bias = nn.Parameter(weight), nn.Parameter(bias)
    return part


def _write(tensors: Sequence[torch.Tensor], network: Network, flat: NDArray[Any]) -> None:
    with torch.no_grad():
        for tensor, target in zip(tensors, network.tensors):
            view = torch.from_numpy(target.view(flat))
            if tensor.data_ptr() != view.data_ptr() or not tensor.is_contiguous():
                view.copy_(tensor.clone())      # it may be another view of the same numbers


def _adopt_loaded(module: nn.Module, _: Any) -> None:
    if isinstance(module, TorchModel) and not module._was_replaced():
        module._take_over()


def _input(x: torch.Tensor, network: Network) -> torch.Tensor:
    if not x.is_cpu or x.layout is not torch.strided:
        raise InvalidValueError(f"x is on {x.device}, {x.layout}, expected a dense tensor on cpu: the engine computes there")
    if x.shape[-1:] != (network.inputs,) or x.ndim > 2:
        raise ShapeError(f"x of shape {tuple(x.shape)}, expected (rows, {network.inputs}) or ({network.inputs},)")
    dtype = _TORCH[network.dtype]
    if x.dtype is dtype:
        return x
    if x.is_complex():
        raise ArgumentError(f"x holds {x.dtype}, expected real numbers")
    return x.to(dtype)


def _without_gradients(
    interventions: Interventions, network: Network,
) -> tuple[Interventions, dict[int, torch.Tensor]]:
    """The interventions as constants, and by layer the do-values that autograd follows."""
    if not isinstance(interventions, Mapping):
        return interventions, {}
    plain: dict[Any, Any] = {}
    learned: dict[int, torch.Tensor] = {}
    for site, pair in interventions.items():
        plain[site] = pair
        if isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[1], torch.Tensor) and pair[1].requires_grad:
            plain[site] = pair[0], pair[1].detach()
            learned[site] = pair[1].to(_TORCH[network.dtype])
    return plain, learned
