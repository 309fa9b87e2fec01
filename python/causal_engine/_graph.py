"""A graph as the engine holds it: immutable, and its variables are numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ctypes import byref, c_char_p, c_int, c_size_t
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, dtype_code, text
from ._bindings import Handle, library, read_size, read_text
from .errors import OutOfMemoryError


class NumberedGraph:
    """A graph's handle, and what can be asked of it."""

    def __init__(self, handle: Handle, count: int) -> None:
        self.handle = handle
        self.count = count

    @classmethod
    def of(cls, adjacency: NDArray[np.uint8], names: Sequence[str] | None = None) -> NumberedGraph:
        count = len(adjacency)
        dense = np.ascontiguousarray(adjacency)
        texts = None if names is None else (c_char_p * count)(*(text(name, "a name") for name in names))
        return cls(Handle(library.causal_graph_create, library.causal_graph_free, address(dense), count, texts), count)

    @classmethod
    def held(cls, create: Callable[..., Any]) -> NumberedGraph:
        """The graph that a function of the engine hands out."""
        handle = Handle(create, library.causal_graph_free)
        return cls(handle, read_size(library.causal_graph_variable_count, handle.address))

    def names(self) -> tuple[str, ...]:
        return tuple(read_text(library.causal_graph_variable_name, self.handle.address, variable) for variable in range(self.count))

    def adjacency(self) -> NDArray[np.uint8]:
        matrix = np.empty((self.count, self.count), np.uint8)
        library.causal_graph_adjacency(self.handle.address, address(matrix), self.count)
        return matrix

    def parents(self, variable: int) -> list[int]:
        return self._indices(library.causal_graph_parents, variable)

    def children(self, variable: int) -> list[int]:
        return self._indices(library.causal_graph_children, variable)

    def ancestors(self, variable: int) -> list[int]:
        return self._indices(library.causal_graph_ancestors, variable)

    def descendants(self, variable: int) -> list[int]:
        return self._indices(library.causal_graph_descendants, variable)

    def cycle(self) -> list[int]:
        return self._indices(library.causal_graph_find_cycle)

    def edges(self) -> list[tuple[int, int]]:
        return [(cause, effect) for cause, effect in np.argwhere(self.adjacency()).tolist()]

    def confounded(self) -> list[tuple[int, int]]:
        """The pairs that share a hidden cause, the smaller variable first."""
        matrix = np.empty((self.count, self.count), np.uint8)
        library.causal_graph_confounded(self.handle.address, address(matrix), self.count)
        return [(first, second) for first, second in np.argwhere(np.triu(matrix)).tolist()]

    def confounding(self, pairs: Iterable[tuple[int, int]]) -> NumberedGraph:
        """The graph with hidden causes of these pairs too."""
        matrix = np.zeros((self.count, self.count), np.uint8)
        for first, second in pairs:
            matrix[first, second] = 1

        def confound(out: Any) -> None:
            library.causal_graph_confound(self.handle.address, address(matrix), self.count, out)

        return NumberedGraph(Handle(confound, library.causal_graph_free), self.count)

    def linked(self) -> list[tuple[int, int]]:
        """The pairs with an edge of unknown direction, the smaller variable first."""
        matrix = np.empty((self.count, self.count), np.uint8)
        library.causal_graph_linked(self.handle.address, address(matrix), self.count)
        return [(first, second) for first, second in np.argwhere(np.triu(matrix)).tolist()]

    def linking(self, pairs: Iterable[tuple[int, int]]) -> NumberedGraph:
        """The graph with edges of unknown direction between these pairs too."""
        matrix = np.zeros((self.count, self.count), np.uint8)
        for first, second in pairs:
            matrix[first, second] = 1

        def link(out: Any) -> None:
            library.causal_graph_link(self.handle.address, address(matrix), self.count, out)

        return NumberedGraph(Handle(link, library.causal_graph_free), self.count)

    def equivalence_class(self, targets: NDArray[np.uint8]) -> NumberedGraph:
        """What data can tell of the graph; `targets` has a row for each set of variables that do() set in some of them."""
        def known(out: Any) -> None:
            library.causal_graph_equivalence_class(self.handle.address, address(targets), len(targets), self.count, out)

        return NumberedGraph(Handle(known, library.causal_graph_free), self.count)

    def hiding(self, mask: NDArray[np.uint8]) -> NumberedGraph:
        """The graph of the variables that are left; what is set is not observed."""
        def hide(out: Any) -> None:
            library.causal_graph_hide(self.handle.address, address(mask), self.count, out)

        return NumberedGraph(Handle(hide, library.causal_graph_free), self.count - int(mask.sum()))

    def districts(self) -> list[int]:
        """For each variable the smallest of those that hidden causes connect it with."""
        first = (c_size_t * self.count)()
        library.causal_graph_districts(self.handle.address, first)
        return list(first)

    def mask(self, variables: Iterable[int]) -> NDArray[np.uint8]:
        mask = np.zeros(self.count, np.uint8)
        mask[list(variables)] = 1
        return mask

    def answer(self, function: Any, *sets: Iterable[int]) -> bool:
        """Yes or no to a question about sets of variables."""
        masks, yes = [self.mask(variables) for variables in sets], c_int()
        function(self.handle.address, *map(address, masks), self.count, byref(yes))
        return bool(yes)

    def back_door_sets(
        self, treatments: Iterable[int], outcomes: Iterable[int], allowed: Iterable[int] | None, limit: int,
    ) -> list[list[int]]:
        try:
            sets = np.empty((limit, self.count), np.uint8)
        except (MemoryError, ValueError) as error:
            raise OutOfMemoryError(f"limit is {limit}: no memory for that many sets of {self.count} variables") from error
        masks, found = [self.mask(treatments), self.mask(outcomes)], c_size_t()
        chosen = None if allowed is None else self.mask(allowed)
        library.causal_graph_back_door_sets(
            self.handle.address, *map(address, masks), None if chosen is None else address(chosen), self.count,
            address(sets), limit, byref(found))
        return [np.flatnonzero(row).tolist() for row in sets[:found.value]]

    def confounded_mechanisms(self, intervened: Iterable[int], outcomes: Iterable[int], draws_noise: bool) -> list[int]:
        masks, indices, count = [self.mask(intervened), self.mask(outcomes)], (c_size_t * self.count)(), c_size_t()
        library.causal_graph_confounded_mechanisms(
            self.handle.address, *map(address, masks), self.count, draws_noise, indices, byref(count))
        return indices[:count.value]

    def _indices(self, function: Any, *arguments: int) -> list[int]:
        indices, count = (c_size_t * self.count)(), c_size_t()
        function(self.handle.address, *arguments, indices, byref(count))
        return indices[:count.value]

    def topological_order(self) -> list[int]:
        order = (c_size_t * self.count)()
        library.causal_graph_topological_order(self.handle.address, order)
        return list(order)

    def intervened(self, mask: NDArray[np.uint8]) -> NumberedGraph:
        def intervene(out: Any) -> None:
            library.causal_graph_intervene(self.handle.address, address(mask), self.count, out)

        return NumberedGraph(Handle(intervene, library.causal_graph_free), self.count)

    def mask_edges(self, mask: NDArray[np.uint8], weight: NDArray[Any]) -> NDArray[Any]:
        masked = np.empty_like(weight)
        library.causal_graph_mask_edges(
            self.handle.address, address(mask), address(weight), dtype_code(weight.dtype), *weight.shape, address(masked))
        return masked
