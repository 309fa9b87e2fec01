"""The models as torch.nn.Modules. Their parameters are torch Parameters and the engine's weights at once: views of one flat buffer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ._arrays import address, in_kind_of
from ._intervention import Edit, Interventions
from ._intervention_log import InterventionLog
from ._network import Network
from ._torch_home import Places, Structure, TorchHome
from ._torch_intervention import edits_of_tensors
from ._torch_layers import MaskedLinear, activation_module, run_layers
from ._torch_pass import Pass
from ._torch_threads import borrow
from ._torch_transforms import refuse_transforms, uncompiled
from .causal_unit import CausalMLP, CausalUnit
from .errors import ArgumentError, InvalidValueError, ShapeError, StateError
from .features import in_order, names_in
from .model import CausalModel, Changes
from .rewiring import CausalLayerRewiring

borrow()


class TorchModel(TorchHome):
    """What `CausalModel` is where torch is in use."""

    _plain: ClassVar[type[Any]]
    """The class that the user knows, of which this object is an instance too."""

    _not_kept = frozenset({"network", "_compiled", "_flat", "_address", "_changes", "_places", "_structure"})

    _parts: list[nn.Module]

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
        self._places = Places([part for part in self._linear_parts() for _ in ("weight", "bias")])
        self._structure = Structure(*self._containers())

    def _containers(self) -> list[tuple[nn.Module, str]]:
        """What `Structure` takes: where the inner modules are."""
        raise NotImplementedError

    def _linear_parts(self) -> list[nn.Linear]:
        """In the order of the network's tensors: weight and bias of each."""
        raise NotImplementedError

    # ------------------------------------------------------------ passes

    __call__ = nn.Module.__call__

    def _run(self, x: Any, interventions: Interventions | None) -> Any:
        """A call with any kind of array; with a tensor one that autograd follows."""
        if torch.compiler.is_compiling():
            return uncompiled(self._run, x, interventions)
        if isinstance(x, torch.Tensor):
            try:
                return self._run_tensor(x, interventions, self.feature_names)
            except RuntimeError as error:
                refuse_transforms(error)
                raise
        rows, is_one = self._current()[0].rows_of(in_order(x, self.feature_names))
        with torch.no_grad():
            tensor = torch.from_numpy(rows if rows.flags.writeable else rows.copy())
            y = self._run_tensor(tensor, interventions, self.feature_names or names_in(x)).numpy()
        return in_kind_of(x, y[0] if is_one else y, self.output_names)

    def _run_tensor(self, x: torch.Tensor, interventions: Interventions | None, names: Sequence[str] | None) -> torch.Tensor:
        network, buffer, parameters = self._current()
        dtype = parameters[0].dtype
        x = _input(x, network.inputs, dtype)
        rows = x if x.ndim == 2 else x.reshape(1, -1)
        edits: list[Edit] = []
        learned: dict[int, torch.Tensor] = {}
        if interventions is not None:
            edits, learned = edits_of_tensors(interventions, network, dtype, rows.shape[0], names)
        self._remember(edits)
        if self._needs_layers():
            y = self._run_layers(rows, edits, learned)
        else:
            where = self._address if buffer is self._flat else address(buffer)
            y = Pass(network, buffer, where, edits, learned, self._changes).run(rows, parameters)
        return y if x.ndim == 2 else y[0]

    def _predict(self, x: Any, interventions: Interventions | None) -> Any:
        return self._run(x, interventions)

    def _needs_layers(self) -> bool:
        """Whether somebody hooked or replaced an inner module, so that the engine's one pass will not do."""
        return self._structure.is_hooked() or not self._structure.is_kept()

    def _run_layers(self, x: torch.Tensor, edits: Sequence[Edit], learned: Mapping[int, torch.Tensor]) -> torch.Tensor:
        raise NotImplementedError

    def _parts_now(self) -> list[nn.Module]:
        """The inner modules, of which `_parts` are those that this model made."""
        raise NotImplementedError

    # ------------------------------------------------------------ learning

    def _expect_nothing_frozen(self) -> None:
        """The engine's own loop changes all parameters; to pass over one that PyTorch would leave alone is not for silence."""
        frozen = [name for name, parameter in self.named_parameters() if not parameter.requires_grad]
        if frozen:
            raise StateError(f"fit: {frozen[0]} is frozen (requires_grad is False), and fit changes all parameters: expected a loop with an "
                             "optimiser of torch.optim, which leaves it as it is")

    def _shareable(self) -> list[object]:
        return [self._changes, *self.parameters()]

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
        self._places.forget()       # the first call brings them there


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

    def _containers(self) -> list[tuple[nn.Module, str]]:
        return [(self, "layers")]

    def _run_layers(self, x: torch.Tensor, edits: Sequence[Edit], learned: Mapping[int, torch.Tensor]) -> torch.Tensor:
        return run_layers(x, [nn.Sequential(*self._parts_now())], edits, learned)


class TorchMLP(TorchModel, CausalMLP):
    """What `CausalMLP` is where torch is in use."""

    def _build(self) -> None:
        super()._build()
        self.layers = nn.ModuleList(self.layers)  # type: ignore[assignment, arg-type]
        self._parts = self._parts_now()

    def _parts_now(self) -> list[nn.Module]:
        return [*self._modules["layers"]._modules.values()]  # type: ignore[union-attr, list-item]

    def _linear_parts(self) -> list[nn.Linear]:
        return [unit._parts[0] for unit in self._parts]  # type: ignore[misc, index]

    def _containers(self) -> list[tuple[nn.Module, str]]:
        return [(module, "layers") for module in (self, *self._parts)]

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

    def _containers(self) -> list[tuple[nn.Module, str]]:
        return [(self, "linear")]

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


def _adopt_loaded(module: nn.Module, _: Any) -> None:
    if isinstance(module, TorchModel) and not module._was_replaced():
        module._take_over()


def _input(x: torch.Tensor, width: int, dtype: torch.dtype) -> torch.Tensor:
    if not x.is_cpu or x.layout is not torch.strided:
        raise InvalidValueError(f"x is on {x.device}, {x.layout}, expected a dense tensor on cpu: the engine computes there")
    shape = x.shape
    if not 0 < len(shape) < 3 or shape[-1] != width:
        raise ShapeError(f"x of shape {tuple(shape)}, expected (rows, {width}) or ({width},)")
    if x.dtype is dtype:
        return x
    if x.is_complex():
        raise ArgumentError(f"x holds {x.dtype}, expected real numbers")
    return x.to(dtype)
