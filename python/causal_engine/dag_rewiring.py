"""Graphs of causes, and what do() cuts in them."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import any_array, floating_dtype, mask_bytes, numbers, size
from ._graph import Graph
from ._graph_exchange import GraphExchange
from ._kinds import is_tensor
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .features import checked_names, in_order, index_of, names_in

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DAGRewiring"]


class DAGRewiring(GraphExchange):
    """A directed acyclic graph over variables 0 .. num_variables - 1, and what do() makes of it.

    Adjacency is ``A[i, j] = 1`` for an edge i -> j. A new graph has no edges. `from_dot`, `from_dagitty` and `from_networkx` make
    one of a graph written elsewhere; a notebook shows it as a picture, as does `plot`.

    Parameters
    ----------
    num_variables
        At least 1.
    names
        Of the variables, all different; None for variables that have only their index. Where there are names, data frames and
        series with labels are read by them, in whatever order they come.

    Raises
    ------
    InvalidValueError
        A name that is empty or there twice.
    ShapeError
        Another number of names than of variables.

    Examples
    --------
    >>> dag = DAGRewiring(3)
    >>> dag.set_adjacency_matrix([[0, 1, 1], [0, 0, 1], [0, 0, 0]])     # 0 -> 1, 0 -> 2, 1 -> 2
    >>> dag.get_parents(2), dag.get_children(0), dag.topological_sort()
    ([0, 1], [1, 2], [0, 1, 2])
    >>> dag.apply_intervention_to_dag([0, 1, 0])                        # do(1): nothing causes it any more
    array([[0., 0., 1.],
           [0., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    >>> dag.get_parents(1)
    []

    >>> smoking = DAGRewiring.from_dot("digraph { smoking -> tar -> cancer; smoking -> cancer }")
    >>> smoking
    DAGRewiring(3 variables: smoking -> tar, smoking -> cancer, tar -> cancer)
    >>> smoking.get_parents("cancer")
    [0, 1]
    """

    def __init__(self, num_variables: int, names: Any = None) -> None:
        self.num_variables = size(num_variables, "num_variables")
        if self.num_variables > 65535:
            raise InvalidValueError(f"num_variables is {self.num_variables}, expected at most 65535")
        self._names = checked_names(names, self.num_variables, "names")
        self._original = self._current = Graph.of(np.zeros((self.num_variables, self.num_variables), np.uint8), self._names)
        self._intervened: list[int] = []
        self._in_tensors = False

    @property
    def names(self) -> tuple[str, ...] | None:
        """Of the variables, in the order of their indices; None where they have none."""
        return self._names

    def set_adjacency_matrix(self, adjacency: Any) -> None:
        """Takes new edges, and forgets any intervention.

        Parameters
        ----------
        adjacency
            (num_variables, num_variables), non-zero for an edge from row to column.

        Raises
        ------
        CycleError
            The edges have a cycle; the text names it. The graph stays as it was.
        ShapeError
            Another shape.
        """
        shape = (self.num_variables, self.num_variables)
        edges = mask_bytes(self._by_name(adjacency, shape, "adjacency"), "adjacency")
        if edges.shape != shape:
            raise ShapeError(f"adjacency of shape {edges.shape}, expected {shape}")
        graph = Graph.of(edges, self._names)
        graph.topological_order()
        self._original = self._current = graph
        self._intervened = []
        self._in_tensors = is_tensor(adjacency)

    @property
    def adj_matrix(self) -> Any:
        """(num_variables, num_variables), 1 for an edge from row to column; after an intervention the rewired graph's. Of the kind
        of array that was set, and a copy: `set_adjacency_matrix` changes edges."""
        return self._matrix(self._in_tensors)

    def _matrix(self, as_tensor: bool) -> Any:
        matrix = self._current.adjacency().astype(np.float32)
        if as_tensor:
            return sys.modules["torch"].from_numpy(matrix)
        matrix.flags.writeable = False      # so that nobody believes that writing here adds an edge
        return matrix

    def get_parents(self, variable: int | str) -> list[int]:
        """The direct causes of a variable, named by index or name: their indices, ascending."""
        return self._current.parents(self._index(variable))

    def get_children(self, variable: int | str) -> list[int]:
        """What a variable, named by index or name, causes directly: indices, ascending."""
        return self._current.children(self._index(variable))

    def topological_sort(self) -> list[int]:
        """All variables, causes before effects, the smallest index first among equals."""
        return self._current.topological_order()

    def is_acyclic(self) -> bool:
        """Whether no variable causes itself; always, as `set_adjacency_matrix` lets no cycle in."""
        return not self._current.cycle()

    def apply_intervention_to_dag(self, do_mask: Any) -> Any:
        """Removes the edges into the intervened variables, from the original graph each time. The other methods then show the
        rewired graph, until `reset`.

        Parameters
        ----------
        do_mask
            (num_variables,), non-zero where do() sets the variable.

        Returns
        -------
        array
            The rewired `adj_matrix`.
        """
        mask = self._mask(do_mask)
        self._current = self._original.intervened(mask)
        self._intervened = np.flatnonzero(mask).tolist()
        return self._matrix(self._in_tensors or is_tensor(do_mask))

    def reset(self) -> None:
        """Back to the original graph."""
        self._current = self._original
        self._intervened = []

    def mask_edges(self, weight: Any, do_mask: Any) -> Any:
        """A copy of a weight matrix in which the edges into intervened variables are zero.

        The matrix is read as [parent, child], so that a *column* holds the edges into a variable, and the columns of the
        intervened variables are zeroed. The weight of a layer is (outputs, inputs), which is the transpose: mask
        ``layer.weight.T``.

        Parameters
        ----------
        weight
            (rows, num_variables).
        do_mask
            (num_variables,), non-zero where do() sets the variable.
        """
        if is_tensor(weight):
            return self._mask_tensor(weight, self._mask(do_mask))
        given = any_array(weight, "weight")
        dense = numbers(given, floating_dtype(given), "weight")
        if dense.ndim != 2 or dense.shape[1] != self.num_variables:
            raise ShapeError(f"weight of shape {dense.shape}, expected (rows, {self.num_variables}), read as [parent, child]")
        return self._current.mask_edges(self._mask(do_mask), dense)

    def _mask_tensor(self, weight: Any, mask: NDArray[np.uint8]) -> Any:
        torch = sys.modules["torch"]
        if weight.ndim != 2 or weight.shape[1] != self.num_variables:
            raise ShapeError(f"weight of shape {tuple(weight.shape)}, expected (rows, {self.num_variables}), read as [parent, child]")
        return torch.where(torch.from_numpy(mask != 0), torch.zeros((), dtype=weight.dtype), weight)

    def _mask(self, do_mask: Any) -> NDArray[np.uint8]:
        mask = mask_bytes(self._by_name(do_mask, (self.num_variables,), "do_mask"), "do_mask")
        if mask.shape != (self.num_variables,):
            raise ShapeError(f"do_mask of shape {mask.shape}, expected ({self.num_variables},)")
        return mask

    def _by_name(self, array: Any, shape: tuple[int, ...], what: str) -> Any:
        """A labelled array in the order of the names. One of another shape is left to be complained about."""
        if self._names is None or getattr(array, "shape", None) != shape:
            return array
        if hasattr(array, "columns"):
            labels = [names_in(array), names_in(array.T) if hasattr(array, "index") else None]
            if None in labels and any(found not in (None, self._names) for found in labels):
                raise ArgumentError(f"{what} has its columns or its rows in another order than the names, expected labels on both")
            if labels[1] is not None:
                array = in_order(array.T, self._names, what).T
        return in_order(array, self._names, what)

    def _index(self, variable: Any) -> int:
        if isinstance(variable, str) and self._names is not None:
            return index_of(variable, self._names, "variable", "the graph")
        try:
            index = operator.index(variable)
        except TypeError:
            or_name = " or a name" if self._names else ""
            raise ArgumentError(f"variable is {shown(variable)}, expected a whole number{or_name}") from None
        if not 0 <= index < self.num_variables:
            raise UnknownNameError(f"there is no variable {shown(index)}, expected 0 to {self.num_variables - 1}")
        return index

    # ------------------------------------------------------------ keeping it

    def _edges(self) -> list[list[int]]:
        return np.argwhere(self._original.adjacency()).tolist()

    @classmethod
    def _restored(cls, count: int, edges: Iterable[Sequence[int]], intervened: Sequence[int] = (), names: Any = None) -> Self:
        dag = cls(count, names)
        adjacency, mask = np.zeros((count, count), np.uint8), np.zeros(count, np.uint8)
        for edge in edges:
            parent, child = (dag._index(end) for end in edge)
            adjacency[parent, child] = 1
        dag.set_adjacency_matrix(adjacency)
        for variable in intervened:
            mask[dag._index(variable)] = 1
        if mask.any():
            dag.apply_intervention_to_dag(mask)
        return dag

    def __getstate__(self) -> dict[str, Any]:
        theirs = {name: value for name, value in self.__dict__.items() if name not in ("_original", "_current")}
        return {"original": self._original.adjacency(), "current": self._current.adjacency(), "attributes": theirs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state["attributes"])
        self._original = Graph.of(state["original"], self._names)
        self._current = Graph.of(state["current"], self._names)

    def __repr__(self) -> str:
        from ._graph_picture import label

        adjacency = self._current.adjacency()
        labels = [label(name) for name in self._labels()]
        edges = ", ".join(f"{labels[i]} -> {labels[j]}" for i, j in np.argwhere(adjacency)[:12])
        more = ", ..." if adjacency.sum() > 12 else ""
        return f"{type(self).__name__}({self.num_variables} variables{': ' if edges else ''}{edges}{more})"
