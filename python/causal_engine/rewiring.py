"""The layer whose edges obey a graph and are cut by do(); the graph comes from `dag_rewiring` and is offered here too."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._arrays import model_dtype
from ._graph import NumberedGraph
from ._network import Network
from .dag_rewiring import DAGRewiring
from .errors import ArgumentError, ShapeError
from .linear import Linear
from .model import CausalModel
from .trace import Trace

__all__ = ["CausalLayerRewiring", "DAGRewiring"]


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

    Raises
    ------
    ShapeError
        Widths that are not the graph's number of variables.
    InvalidValueError
        A width below 1, an unknown dtype.
    ArgumentError
        A `dag_rewiring` of another kind.

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

    _compiled: tuple[Network, NumberedGraph | None]

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

    def _graph(self) -> NumberedGraph | None:
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
        """What a call of the layer does with `x` and `do_mask`."""
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

        Raises
        ------
        ShapeError
            x or a mask of a shape that does not fit; the text shows both.
        """
        return self.forward(x, do_mask)

    def predict(self, x: Any, do_mask: Any = None) -> Any:
        """The same as calling the layer with `x` and `do_mask`."""
        return self(x, do_mask)

    def trace(self, x: Any, do_mask: Any = None) -> Trace:
        """A call with `x` and `do_mask` that can be differentiated: see `Trace`."""
        return self._trace(x, self._cuts(do_mask))

    @staticmethod
    def _cuts(do_mask: Any) -> dict[int, tuple[Any, Any]] | None:
        return None if do_mask is None else {0: (do_mask, 0.0)}     # the value is not looked at

    def reset_weights(self) -> None:
        """Puts the weights of construction time back."""
        self._initialize()
        self._changes.count += 1

    def _initialize(self) -> None:
        super()._initialize()
        if self.dag_rewiring is not None:       # all weights, so that a graph that gains an edge finds one there
            Network.rewiring(self.network.inputs, self.network.outputs, None, self.network.dtype).initialize(self._address, self.seed)

    # ------------------------------------------------------------ keeping it

    def _arguments(self) -> dict[str, Any]:
        dag = self.dag_rewiring
        if dag is None:
            return super()._arguments()
        return {**super()._arguments(), "edges": dag._edges(), "intervened": dag._intervened, "names": dag.names}

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
        self.dag_rewiring = DAGRewiring._restored(network.inputs, edges, note.get("intervened", []), note.get("names"))
        if not np.array_equal(self.dag_rewiring.adj_matrix, adjacency):
            raise ShapeError("the edges in its note are not those of the network")

    def __repr__(self) -> str:
        graph = "" if self.dag_rewiring is None else f", {self.dag_rewiring!r}"
        dtype = "" if self.network.dtype == np.float32 else f", dtype={str(self.network.dtype)!r}"
        return f"{type(self).__name__}({self.network.inputs}, {self.network.outputs}{graph}{dtype})"
