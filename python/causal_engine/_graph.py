"""A graph as the engine holds it: immutable."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_char_p, c_size_t
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, dtype_code, text
from ._bindings import Handle, library


class Graph:
    """A graph's handle, and what can be asked of it."""

    def __init__(self, handle: Handle, count: int) -> None:
        self.handle = handle
        self.count = count

    @classmethod
    def of(cls, adjacency: NDArray[np.uint8], names: Sequence[str] | None = None) -> Graph:
        count = len(adjacency)
        dense = np.ascontiguousarray(adjacency)
        texts = None if names is None else (c_char_p * count)(*(text(name, "a name") for name in names))
        return cls(Handle(library.causal_graph_create, library.causal_graph_free, address(dense), count, texts), count)

    def adjacency(self) -> NDArray[np.uint8]:
        matrix = np.empty((self.count, self.count), np.uint8)
        library.causal_graph_adjacency(self.handle.address, address(matrix), self.count)
        return matrix

    def parents(self, variable: int) -> list[int]:
        return self._indices(library.causal_graph_parents, variable)

    def children(self, variable: int) -> list[int]:
        return self._indices(library.causal_graph_children, variable)

    def cycle(self) -> list[int]:
        return self._indices(library.causal_graph_find_cycle)

    def _indices(self, function: Any, *arguments: int) -> list[int]:
        indices, count = (c_size_t * self.count)(), c_size_t()
        function(self.handle.address, *arguments, indices, byref(count))
        return indices[:count.value]

    def topological_order(self) -> list[int]:
        order = (c_size_t * self.count)()
        library.causal_graph_topological_order(self.handle.address, order)
        return list(order)

    def intervened(self, mask: NDArray[np.uint8]) -> Graph:
        def intervene(out: Any) -> None:
            library.causal_graph_intervene(self.handle.address, address(mask), self.count, out)

        return Graph(Handle(intervene, library.causal_graph_free), self.count)

    def mask_edges(self, mask: NDArray[np.uint8], weight: NDArray[Any]) -> NDArray[Any]:
        masked = np.empty_like(weight)
        library.causal_graph_mask_edges(
            self.handle.address, address(mask), address(weight), dtype_code(weight.dtype), *weight.shape, address(masked))
        return masked
