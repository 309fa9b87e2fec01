"""Graphs of causes, what do() cuts in them, and the layer whose edges obey a graph."""

from __future__ import annotations

import operator
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import any_array, floating_dtype, mask_bytes, model_dtype, numbers, size
from ._graph import Graph
from ._kinds import is_tensor
from ._network import Network
from .errors import ArgumentError, InvalidValueError, ShapeError, UnknownNameError, shown
from .linear import Linear
from .model import CausalModel
from .trace import Trace

__all__ = ["CausalLayerRewiring", "DAGRewiring"]


class DAGRewiring:
    """A directed acyclic graph over variables 0 .. num_variables - 1, and what do() makes of it.

    Adjacency is ``A[i, j] = 1`` for an edge i -> j. A new graph has no edges.

    Parameters
    ----------
    num_variables
        At least 1.

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
    """

    def __init__(self, num_variables: int) -> None:
        self.num_variables = size(num_variables, "num_variables")
        if self.num_variables > 65535:
            raise InvalidValueError(f"num_variables is {self.num_variables}, expected at most 65535")
        self._original = self._current = Graph.of(np.zeros((self.num_variables, self.num_variables), np.uint8))
        self._in_tensors = False

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
        edges = mask_bytes(adjacency, "adjacency")
        shape = (self.num_variables, self.num_variables)
        if edges.shape != shape:
            raise ShapeError(f"adjacency of shape {edges.shape}, expected {shape}")
        graph = Graph.of(edges)
        graph.topological_order()
        self._original = self._current = graph
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

    def get_parents(self, variable: int) -> list[int]:
        """The direct causes of a variable, ascending."""
        return self._current.parents(self._index(variable))

    def get_children(self, variable: int) -> list[int]:
        """What a variable causes directly, ascending."""
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
        self._current = self._original.intervened(self._mask(do_mask))
        return self._matrix(self._in_tensors or is_tensor(do_mask))

    def reset(self) -> None:
        """Back to the original graph."""
        self._current = self._original

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
        mask = mask_bytes(do_mask, "do_mask")
        if mask.shape != (self.num_variables,):
            raise ShapeError(f"do_mask of shape {mask.shape}, expected ({self.num_variables},)")
        return mask

    def _index(self, variable: Any) -> int:
        try:
            index = operator.index(variable)
        except TypeError:
            raise ArgumentError(f"variable is {shown(variable)}, expected a whole number") from None
        if not 0 <= index < self.num_variables:
            raise UnknownNameError(f"there is no variable {shown(index)}, expected 0 to {self.num_variables - 1}")
        return index

    # ------------------------------------------------------------ keeping it

    def _edges(self) -> list[list[int]]:
        return np.argwhere(self._original.adjacency()).tolist()

    def _intervened(self) -> list[int]:
        """The variables that have lost causes."""
        return np.flatnonzero((self._original.adjacency() != self._current.adjacency()).any(axis=0)).tolist()

    @classmethod
    def _restored(cls, count: int, edges: list[list[int]], intervened: list[int]) -> DAGRewiring:
        dag = cls(count)
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
        self._original = Graph.of(state["original"])
        self._current = Graph.of(state["current"])

    def __repr__(self) -> str:
        adjacency = self._current.adjacency()
        edges = ", ".join(f"{i} -> {j}" for i, j in np.argwhere(adjacency)[:12])
        more = ", ..." if adjacency.sum() > 12 else ""
        return f"DAGRewiring({self.num_variables} variables: {edges}{more})" if edges else f"DAGRewiring({self.num_variables} variables)"


class CausalLayerRewiring(CausalModel):
    """A linear layer whose edges obey a graph and are cut by do().

    With a graph the weight (out, in) is multiplied by the transposed adjacency, so that an output depends on its parents only.
    For rows whose mask sets a variable, all weights into that variable are zero, and its output is the bias.

    Parameters
    ----------
    input_dim, output_dim
        Widths; with a graph both are its number of variables.
    dag_rewiring
        The graph; None for one in which every output depends on every input. When it changes, or is rewired by
        `apply_intervention_to_dag`, the layer follows; its weights stay.
    dtype, seed
        As in `CausalMLP`.

    Examples
    --------
    >>> dag = DAGRewiring(2)
    >>> dag.set_adjacency_matrix([[0, 1], [0, 0]])          # 0 -> 1
    >>> layer = CausalLayerRewiring(2, 2, dag, seed=0)
    >>> layer.linear.weight[...] = [[5, 5], [2, 5]]
    >>> layer.linear.bias[...] = [10, 20]
    >>> layer([[1, 1]])                                     # 1 reads 0, and nothing else is read
    array([[10., 22.]], dtype=float32)
    >>> layer([[1, 1]], do_mask=[0, 1])
    array([[10., 20.]], dtype=float32)
    """

    _kind = "CausalLayerRewiring"
    _own = CausalModel._own | {"linear", "dag_rewiring", "_compiled"}

    dag_rewiring: DAGRewiring | None
    """The graph that the layer obeys."""

    _compiled: tuple[Network, Graph | None]

    linear: Linear
    """The linear part: `weight` of shape (out, in) and `bias` of shape (out,), views of the layer's parameters."""

    def __init__(
        self, input_dim: int, output_dim: int, dag_rewiring: DAGRewiring | None = None, *, dtype: Any = "float32",
        seed: int | None = None,
    ) -> None:
        if dag_rewiring is not None and not isinstance(dag_rewiring, DAGRewiring):
            raise ArgumentError(f"dag_rewiring is {type(dag_rewiring).__name__}, expected a DAGRewiring or None")
        self.dag_rewiring = dag_rewiring
        self._assemble(Network.rewiring(input_dim, output_dim, self._graph(), model_dtype(dtype)), seed)

    def _build(self) -> None:
        self.linear = Linear(self, *self.parameters())

    def _graph(self) -> Graph | None:
        return None if self.dag_rewiring is None else self.dag_rewiring._current

    @property
    def network(self) -> Network:
        """The compiled layer, compiled anew where its graph has changed since."""
        network, obeyed = self._compiled
        graph = self._graph()
        if graph is not obeyed and network.handle.is_open:
            network = Network.rewiring(network.inputs, network.outputs, graph, network.dtype)
            self._compiled = network, graph
        return network

    @network.setter
    def network(self, network: Network) -> None:
        self._compiled = network, self._graph()

    def forward(self, x: Any, do_mask: Any = None) -> Any:
        """What a call of the layer does."""
        return self._predict(x, self._cuts(do_mask))

    def __call__(self, x: Any, do_mask: Any = None) -> Any:
        """The layer's answer.

        Parameters
        ----------
        x
            (rows, input_dim) or (input_dim,).
        do_mask
            (output_dim,) or (rows, output_dim), non-zero where do() sets the variable.

        Returns
        -------
        array
            (rows, output_dim), or (output_dim,) for one row; the bias where a variable is set.
        """
        return self.forward(x, do_mask)

    def predict(self, x: Any, do_mask: Any = None) -> Any:
        """The same as calling the layer."""
        return self(x, do_mask)

    def trace(self, x: Any, do_mask: Any = None) -> Trace:
        """A pass that can be differentiated: see `Trace`."""
        return self._trace(x, self._cuts(do_mask))

    @staticmethod
    def _cuts(do_mask: Any) -> dict[int, tuple[Any, Any]] | None:
        return None if do_mask is None else {0: (do_mask, 0.0)}     # the value is not looked at

    def reset_weights(self) -> None:
        """Puts the weights of construction time back."""
        self.network.initialize(self._address, self.seed)
        self._changes.count += 1

    # ------------------------------------------------------------ keeping it

    def _arguments(self) -> dict[str, Any]:
        dag = self.dag_rewiring
        return {**super()._arguments(), **({} if dag is None else {"edges": dag._edges(), "intervened": dag._intervened()})}

    @staticmethod
    def _is_of_my_kind(network: Network) -> bool:
        return network.is_the_same_as(Network.rewiring(network.inputs, network.outputs, None, network.dtype))

    def _restore(self, note: dict[str, Any], network: Network) -> None:
        self.dag_rewiring = None
        adjacency = network.adjacency
        if adjacency is None:
            return
        # The note tells the graph before an intervention; the network has the one that the layer obeys.
        edges = note.get("edges", np.argwhere(adjacency).tolist())
        self.dag_rewiring = DAGRewiring._restored(network.inputs, edges, note.get("intervened", []))
        if not np.array_equal(self.dag_rewiring.adj_matrix, adjacency):
            raise ShapeError("the edges in its note are not those of the network")

    def __repr__(self) -> str:
        graph = "" if self.dag_rewiring is None else f", {self.dag_rewiring!r}"
        dtype = "" if self.network.dtype == np.float32 else f", dtype={str(self.network.dtype)!r}"
        return f"{type(self).__name__}({self.network.inputs}, {self.network.outputs}{graph}{dtype})"
