"""A compiled network: it knows sizes and layout and holds no numbers. Every pass names the parameter buffer that it uses, so
that the numbers may belong to numpy here and to somebody else's tensors elsewhere."""

from __future__ import annotations

import ctypes
import json
import math
import os
from collections.abc import Mapping, Sequence
from ctypes import byref, c_int, c_size_t, c_void_p
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT32, FLOAT64, address, dtype_code, numbers, path_bytes, size, text
from ._bindings import Gradients, Handle, MLPOptions, library, read_size, read_text
from ._graph import NumberedGraph
from ._intervention import Edit, intervention_handle
from .errors import ArgumentError, OutOfMemoryError, ShapeError, shown


class Tensor(NamedTuple):
    """Where a weight or bias lies in the parameter buffer."""

    name: str
    shape: tuple[int, ...]
    place: slice

    def view(self, buffer: NDArray[Any]) -> NDArray[Any]:
        """The tensor's numbers in a buffer."""
        return buffer[self.place].reshape(self.shape)


class PassMemory:
    """What a forward pass leaves in the engine. Given back for the next pass when nobody needs it any more."""

    __slots__ = ("_idle", "trace")

    MOST_IDLE = 4
    LARGE = 1 << 20     # numbers; so much memory is given back to the system instead

    def __init__(self, idle: list[Handle], model: Handle, numbers: int) -> None:
        self._idle = idle if numbers < self.LARGE else None
        try:
            self.trace = idle.pop()
        except IndexError:
            self.trace = Handle(library.causal_trace_create, library.causal_trace_free, model.address)

    def __del__(self) -> None:
        if self._idle is not None and len(self._idle) < self.MOST_IDLE and hasattr(self, "trace"):
            self._idle.append(self.trace)


class Network:
    """A network's handle and what is fixed about it."""

    MOST_IDLE = 8       # interventions

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        h = handle.address
        code = c_int()
        library.causal_model_dtype(h, byref(code))
        self.dtype: np.dtype[Any] = FLOAT64 if code.value else FLOAT32
        self._code = code.value
        self.inputs = read_size(library.causal_model_input_width, h)
        self.outputs = read_size(library.causal_model_output_width, h)
        self.site_widths = tuple(
            read_size(library.causal_model_site_width, h, site)
            for site in range(read_size(library.causal_model_site_count, h)))
        self.parameter_count = read_size(library.causal_model_parameter_count, h)
        self.tensors = tuple(self._tensor(i) for i in range(read_size(library.causal_model_tensor_count, h)))
        # What passes say each time, as ctypes wants it, which to make anew takes a tenth of the time of a row.
        self._constants = (c_void_p(h), c_int(self._code), c_size_t(self.inputs), c_size_t(self.outputs), c_void_p())
        self._addresses = c_void_p * len(self.tensors)
        self._row_size = sum(self.site_widths)
        self._idle: list[Handle] = []
        self._interventions: dict[tuple[int, ...], Handle] = {}     # that no call is using, by the sites that they set

    def _tensor(self, index: int) -> Tensor:
        offset, dimensions, shape = c_size_t(), c_size_t(), (c_size_t * 2)()
        library.causal_model_tensor_shape(self.handle.address, index, byref(offset), byref(dimensions), shape)
        name = read_text(library.causal_model_tensor_name, self.handle.address, index)
        sizes = tuple(shape[:dimensions.value])
        return Tensor(name, sizes, slice(offset.value, offset.value + math.prod(sizes)))

    # ------------------------------------------------------------ where networks come from

    @classmethod
    def mlp(cls, inputs: Any, hidden: Any, outputs: Any, activation: str, dtype: np.dtype[Any]) -> Network:
        return cls._create(library.causal_model_create_mlp, inputs, hidden, outputs, activation, dtype)

    @classmethod
    def graph_mlp(
        cls, inputs: Any, hidden: Any, outputs: Any, activation: str, dtype: np.dtype[Any], graph: NumberedGraph, features: Sequence[int],
    ) -> Network:
        """An MLP that obeys a graph; its inputs are the variables `features`."""
        if len(features) < min(size(inputs, "input_dim"), graph.count):
            raise ShapeError(f"{len(features)} features, expected {inputs}, one for each input")
        numbers = (c_size_t * len(features))(*features)
        return cls._create(
            library.causal_model_create_graph_mlp, inputs, hidden, outputs, activation, dtype, graph.handle.address, numbers)

    @classmethod
    def unit(cls, inputs: Any, hidden: Any, outputs: Any, activation: str, dtype: np.dtype[Any]) -> Network:
        widths = [] if hidden is None else [size(hidden, "hidden_dim")]
        return cls._create(library.causal_model_create_unit, inputs, widths, outputs, activation, dtype)

    @classmethod
    def rewiring(cls, inputs: Any, outputs: Any, graph: NumberedGraph | None, dtype: np.dtype[Any]) -> Network:
        where = None if graph is None else graph.handle.address
        return cls._create(library.causal_model_create_rewiring, inputs, [], outputs, "identity", dtype, where)

    @classmethod
    def _create(cls, create: Any, inputs: Any, hidden: Any, outputs: Any, activation: str, dtype: np.dtype[Any], *more: Any) -> Network:
        try:
            widths = [size(width, f"hidden_dims[{k}]") for k, width in enumerate(hidden)]
        except TypeError as error:
            if isinstance(error, ArgumentError):
                raise
            raise ArgumentError(f"hidden_dims is {shown(hidden)}, expected a list of widths") from None
        array = (c_size_t * len(widths))(*widths)
        options = MLPOptions(
            inputs=size(inputs, "input_dim"), hidden=ctypes.addressof(array), hidden_count=len(widths),
            outputs=size(outputs, "output_dim"), activation=text(activation, "activation"), dtype=dtype_code(dtype),
            borrows_parameters=1)
        return cls(Handle(create, library.causal_model_free, byref(options), *more))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        return cls(Handle(library.causal_model_load, library.causal_model_free, path_bytes(path)))

    @classmethod
    def decode(cls, checkpoint: bytes) -> Network:
        return cls(Handle(library.causal_model_decode, library.causal_model_free, checkpoint, len(checkpoint)))

    @classmethod
    def of(cls, description: str, dtype: np.dtype[Any]) -> Network:
        """The network that `description` wrote."""
        options = MLPOptions(dtype=dtype_code(dtype), borrows_parameters=1)
        return cls(Handle(library.causal_model_create_network, library.causal_model_free, byref(options), description.encode()))

    @property
    def description(self) -> str:
        """The network as text (JSON): nodes, sizes, activations and edges, and no numbers."""
        return read_text(library.causal_model_network, self.handle.address)

    @property
    def activation(self) -> str | None:
        """What stands between its layers; None where nothing does."""
        return next((node["function"] for node in json.loads(self.description)["nodes"] if node["operation"] == "activation"), None)

    @property
    def adjacency(self) -> NDArray[np.uint8] | None:
        """(inputs, outputs), 1 for an edge of the first layer; None where all are there."""
        edges: str | None = next((node["edges"] for node in json.loads(self.description)["nodes"] if node.get("edges")), None)
        if edges is None:
            return None
        there: NDArray[np.uint8] = np.frombuffer(edges.encode(), np.uint8) - np.uint8(ord("0"))
        return there.reshape(self.outputs, self.inputs).T

    @property
    def edges(self) -> list[NDArray[np.bool_] | None]:
        """Of each linear node in order which weights (out, in) exist; None where all do."""
        linear = [node for node in json.loads(self.description)["nodes"] if node["operation"] == "linear"]
        return [np.frombuffer(node["edges"].encode(), np.uint8).reshape(node["width"], -1) == ord("1") if "edges" in node else None
                for node in linear]

    @property
    def sets_outputs_again(self) -> bool:
        """Whether do() on an input sets an output too: the same variable, computed."""
        return any(node["operation"] == "again" for node in json.loads(self.description)["nodes"])

    def obeying(self, edges: NDArray[np.bool_]) -> Network:
        """This network of one linear node with these weights (out, in) and no others."""
        description = json.loads(self.description)
        for node in description["nodes"]:
            if node["operation"] == "linear":
                node["edges"] = (edges + np.uint8(ord("0"))).astype(np.uint8).tobytes().decode()
        return Network.of(json.dumps(description), self.dtype)

    def is_the_same_as(self, other: Network) -> bool:
        """Whether both have the same nodes and sizes, whatever edges are there."""
        def shape(network: Network) -> Any:
            description = json.loads(network.description)
            for node in description["nodes"]:
                node.pop("edges", None)
            return description

        return bool(shape(self) == shape(other))

    def __reduce__(self) -> tuple[Any, ...]:
        return Network.of, (self.description, self.dtype)

    @property
    def note(self) -> str:
        """The text that came with the checkpoint."""
        return read_text(library.causal_model_note, self.handle.address)

    def loaded_parameters(self) -> NDArray[Any]:
        """The numbers that came with the checkpoint."""
        buffer = self.empty_parameters()
        library.causal_model_get_parameters(self.handle.address, address(buffer), self._code, self.parameter_count)
        return buffer

    # ------------------------------------------------------------ parameters

    def empty_parameters(self) -> NDArray[Any]:
        try:
            return np.empty(self.parameter_count, self.dtype)
        except (ValueError, MemoryError) as error:
            raise OutOfMemoryError(f"{self.parameter_count} parameters of {self.dtype} are too large to hold: {error}") from None

    def initialize(self, parameters: int, seed: int) -> None:
        """Draws the initial weights that belong to a seed, distributed as those of torch.nn.Linear."""
        library.causal_model_initialize(self.handle.address, parameters, self.parameter_count, seed)

    # ------------------------------------------------------------ passes

    def rows_of(self, x: Any) -> tuple[NDArray[Any], bool]:
        """x as (rows, inputs), and whether it was one row of shape (inputs,)."""
        rows = numbers(x, self.dtype, "x")
        shape = rows.shape
        if len(shape) == 2 and shape[1] == self.inputs:
            return rows, False
        if shape == (self.inputs,):
            return rows.reshape(1, -1), True
        raise ShapeError(f"x of shape {shape}, expected (rows, {self.inputs}) or ({self.inputs},)")

    def predict(self, parameters: int, x: int, rows: int, edits: Sequence[Edit], y: int) -> None:
        """Writes y (rows, outputs) for x (rows, inputs). Parameters, x and y are addresses of dense arrays of the network's dtype."""
        intervention, sites = self._take_intervention(edits) if edits else (None, ())
        model, dtype, inputs, outputs, nothing = self._constants
        library.causal_model_predict(
            model, parameters, x, dtype, rows, inputs, nothing if intervention is None else intervention.address, y, dtype, rows, outputs)
        if intervention is not None and sites and len(self._interventions) < self.MOST_IDLE:
            self._interventions[sites] = intervention

    def forward(self, parameters: int, x: int, rows: int, edits: Sequence[Edit], y: int) -> PassMemory:
        """`predict`, and what `backward` needs of the pass. The parameters must stay as they are until then."""
        memory = PassMemory(self._idle, self.handle, rows * self._row_size)
        intervention, sites = self._take_intervention(edits) if edits else (None, ())
        model, dtype, inputs, outputs, nothing = self._constants
        library.causal_model_forward(
            model, parameters, x, dtype, rows, inputs, nothing if intervention is None else intervention.address, memory.trace.address,
            y, dtype, rows, outputs)
        if intervention is not None and sites and len(self._interventions) < self.MOST_IDLE:
            self._interventions[sites] = intervention
        return memory

    def _take_intervention(self, edits: Sequence[Edit]) -> tuple[Handle | None, tuple[int, ...]]:
        """An intervention for one call: the last one of these sites, if it is idle, which costs a fifth of a new one. And the sites for which it
        is kept afterwards, none where it is large."""
        sites: tuple[int, ...] = ()
        size = 0
        for edit in edits:
            sites += (edit.site,)
            size += edit.value_bytes
        handle = intervention_handle(edits, self._code, self._interventions.pop(sites, None))
        return handle, sites if size < PassMemory.LARGE else ()

    def backward(
        self, parameters: int, memory: PassMemory, dy: int, rows: int, *, into_parameters: int | None = None,
        into_tensors: Sequence[int | None] = (), into_inputs: int | None, into_values: Mapping[int, int],
    ) -> None:
        """Overwrites the arrays at the addresses that are given with gradients, given that of y: of all parameters as one array, or of
        each tensor. `into_values` is by site."""
        wanted = Gradients()
        if into_parameters is not None:
            wanted.parameters, wanted.parameter_count = into_parameters, self.parameter_count
        elif into_tensors:
            tensors = self._addresses(*into_tensors)
            wanted.tensors, wanted.tensor_count = ctypes.addressof(tensors), len(tensors)
        if into_inputs is not None:
            wanted.inputs, wanted.input_rows, wanted.input_columns = into_inputs, rows, self.inputs
        if into_values:
            values = (c_void_p * len(self.site_widths))()
            for site, buffer in into_values.items():
                values[site] = buffer
            wanted.values, wanted.site_count = ctypes.addressof(values), len(self.site_widths)
        library.causal_model_backward(
            self.handle.address, parameters, memory.trace.address, dy, self._code, rows, self.outputs, byref(wanted))

    # ------------------------------------------------------------ checkpoints

    def save(self, parameters: int, path: str | os.PathLike[str], note: str) -> None:
        library.causal_model_save(self.handle.address, parameters, path_bytes(path), text(note, "note"))

    def encode(self, parameters: int, note: str) -> bytes:
        """The bytes that `save` would write."""
        written = text(note, "note")
        needed = read_size(library.causal_model_encode, self.handle.address, parameters, written, None, 0)
        buffer = (ctypes.c_char * needed)()
        read_size(library.causal_model_encode, self.handle.address, parameters, written, buffer, needed)
        return bytes(buffer)
