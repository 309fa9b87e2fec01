"""The graph that an MLP obeys: which of its variables are inputs, and which outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidValueError, ShapeError, shown
from .features import checked_names, index_of

if TYPE_CHECKING:
    from .graph import Graph
    from ._network import Network


class MLPGraph(NamedTuple):
    """A graph, and the variables that the columns of x are. The outputs are the same ones where these are all, and otherwise those
    that are left."""

    graph: Graph
    features: tuple[int, ...]
    has_names: bool                 # whether its variables are called what data calls them, or only numbered

    @classmethod
    def of(cls, dag: Any, inputs: Any, outputs: Any, feature_names: Any) -> MLPGraph:
        """What `CausalMLP(dag=...)` is given. Sizes that do not fit are left for the engine to complain about."""
        if isinstance(dag, Iterator):
            dag = list(dag)     # it is read twice
        from ._graph_source import source_of
        from .graph import Graph

        source = None if isinstance(dag, Graph) else source_of(dag)
        has_names = source is None or not isinstance(source.variables, int)
        graph = Graph.of(dag)
        names, count = graph.variables, len(graph.variables)
        if feature_names is not None and has_names:
            chosen = checked_names(feature_names, inputs, "feature_names") or ()
            return cls(graph, tuple(index_of(name, names, "variable", "the graph") for name in chosen), has_names)
        if has_names and inputs + outputs == count:
            for name in names[inputs:]:
                if graph.children(name) or not graph.parents(name):
                    why = f"causes {shown(graph.children(name)[0])}" if graph.children(name) else "has no parents"
                    raise InvalidValueError(
                        f"dag: of {shown(list(names))} the last would be outputs, but {shown(name)} {why}; expected feature_names, which tell "
                        "the inputs")
        return cls(graph, tuple(range(min(inputs, count))), has_names)

    @property
    def _are_all_both(self) -> bool:
        return len(self.features) == len(self.graph.variables)

    @property
    def input_names(self) -> tuple[str, ...] | None:
        """None where the graph has only numbers."""
        return tuple(self.graph.variables[number] for number in self.features) if self.has_names else None

    @property
    def output_names(self) -> tuple[str, ...] | None:
        """None where the graph has only numbers."""
        if self._are_all_both or not self.has_names:
            return self.input_names
        return tuple(name for number, name in enumerate(self.graph.variables) if number not in self.features)

    # ------------------------------------------------------------ in checkpoints

    def note(self) -> dict[str, Any]:
        """What a checkpoint tells beside the edges that the network has."""
        graph = self.graph._graph
        return {"variables": self.graph.variables, "edges": graph.edges(), "confounded": graph.confounded(), "features": self.features,
                "has_names": self.has_names}

    @classmethod
    def noted(cls, note: Any) -> MLPGraph:
        if not isinstance(note, Mapping):
            raise InvalidValueError(f"its graph is {shown(note)}")
        from .graph import Graph

        graph = Graph(note.get("edges", ()), note.get("variables"), note.get("confounded", ()))
        return cls(graph, tuple(note.get("features", ())), bool(note.get("has_names")))

    @classmethod
    def obeyed_by(cls, network: Network) -> MLPGraph | None:
        """As much of the graph as a network shows: the edges into its outputs. None where it has all weights."""
        edges = network.edges
        if edges[0] is None:
            return None
        paths = _paths([layer for layer in edges if layer is not None])
        inputs, outputs = network.inputs, network.outputs
        count = inputs if network.sets_outputs_again else inputs + outputs
        adjacency = np.zeros((count, count), np.uint8)
        adjacency[:inputs, count - outputs:] = paths.T
        from .graph import Graph

        return cls(Graph.of(adjacency), tuple(range(inputs)), False)


def _paths(edges: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """(outputs, inputs), whether layers of such weights (out, in) lead from one to the other."""
    reached = edges[0]
    for layer in edges[1:]:
        if layer.shape[1] != len(reached):
            raise ShapeError(f"edges of shape {layer.shape}, expected {len(reached)} columns")
        reached = layer.astype(np.float32) @ reached > 0
    return reached
