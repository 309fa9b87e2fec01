"""Graphs of networkx, which is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from .errors import ArgumentError, InvalidValueError


def read_networkx(graph: Any) -> tuple[list[str] | None, int, list[tuple[int, int]]]:
    """Names, number of variables and edges of a DiGraph. Nodes that are 0 .. n - 1 are indices, and name nothing."""
    if not all(hasattr(graph, method) for method in ("is_directed", "is_multigraph", "nodes", "edges")):
        raise ArgumentError(f"graph is {type(graph).__name__}, expected a networkx.DiGraph")
    if not graph.is_directed():
        raise InvalidValueError(f"graph is a {type(graph).__name__}, whose edges have no direction, expected a networkx.DiGraph")
    if graph.is_multigraph():
        raise InvalidValueError(
            f"graph is a {type(graph).__name__}, whose edges may be there twice, expected a networkx.DiGraph, as DiGraph(graph) makes")
    nodes = list(graph.nodes)
    if not nodes:
        raise InvalidValueError("graph is empty, expected at least one node")
    are_indices = all(type(node) is int for node in nodes) and set(nodes) == set(range(len(nodes)))
    index = {node: node if are_indices else place for place, node in enumerate(nodes)}
    return None if are_indices else [str(node) for node in nodes], len(nodes), [(index[a], index[b]) for a, b in graph.edges]


def write_networkx(
    labels: Sequence[Any], edges: Iterable[tuple[int, int]], intervened: Collection[int] = (),
    confounded: Sequence[tuple[int, int]] = (), undirected: Sequence[tuple[int, int]] = (),
) -> Any:
    """A DiGraph whose nodes are the labels. Its attribute `confounded` lists the pairs that share a hidden cause, if any, and `undirected` those
    with an edge of unknown direction."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from((label, {"intervened": index in intervened}) for index, label in enumerate(labels))
    graph.add_edges_from((labels[cause], labels[effect]) for cause, effect in edges)
    for attribute, pairs in (("confounded", confounded), ("undirected", undirected)):
        if pairs:
            graph.graph[attribute] = [(labels[first], labels[second]) for first, second in pairs]
    return graph
