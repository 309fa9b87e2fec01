"""Graphs in all the forms that people have them in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ._graph_networkx import read_networkx
from ._graph_reader import Reader
from ._graph_tokens import DAGITTY, DOT
from .dag_rewiring import DAGRewiring
from .errors import ArgumentError, shown
from .features import names_in

Pairs = list[tuple[Any, Any]]


class Source(NamedTuple):
    """What `Graph` takes; variables may be None where the edges name them all."""

    edges: Pairs
    variables: Any
    confounded: Pairs
    latent: Sequence[int] = ()       # variables that are not observed
    undirected: Pairs = []


def source_of(given: Any) -> Source:
    """Reads a graph, whatever it is: `Graph.of` tells what it may be."""
    if isinstance(given, DAGRewiring):
        return _directed(given)
    if isinstance(given, str):
        return _text(given)
    if hasattr(given, "is_directed") and hasattr(given, "nodes"):
        return _networkx(given)
    if isinstance(given, Mapping):
        edges = [(parent, child) for child, parents in given.items() for parent in members(parents)]
        return Source(edges, list(dict.fromkeys([*given, *(parent for parent, _ in edges)])), [])
    if hasattr(given, "shape"):
        names = names_in(given)
        dag = DAGRewiring(given.shape[0] if len(given.shape) else 1, names if names and len(names) == given.shape[0] else None)
        dag.set_adjacency_matrix(given)
        return _directed(dag)
    if isinstance(given, Iterable):
        return Source(pairs(given, "edges"), None, [])
    raise ArgumentError(
        f"a graph is {shown(given)}, expected a Graph, a DAGRewiring, a networkx.DiGraph, an adjacency matrix, a text in DOT or DAGitty, "
        "parents by child, or a list of edges")


def pairs(given: Any, what: str) -> Pairs:
    """The pairs of a list, each as a tuple."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise ArgumentError(f"{what} is {shown(given)}, expected a list of pairs of variables")
    found = []
    for pair in given:
        ends = tuple(pair) if isinstance(pair, Iterable) and not isinstance(pair, (str, bytes)) else ()
        if len(ends) != 2:
            raise ArgumentError(f"{what}: {shown(pair)}, expected a pair of variables")
        found.append((ends[0], ends[1]))
    return found


def members(variables: Any) -> list[Any]:
    """One variable or several as a list."""
    return list(variables) if isinstance(variables, Iterable) and not isinstance(variables, (str, bytes)) else [variables]


def _directed(dag: DAGRewiring) -> Source:
    return Source(list(dag._current.edges()), dag.num_variables if dag.names is None else dag.names, [])


def _text(text: str) -> Source:
    first = re.match(r"(?:\ufeff|\s|//[^\n]*|/\*.*?\*/|^#[^\n]*|strict\b)*(\w*)", text, re.S | re.M | re.I)
    read = Reader(text, DOT if first and first[1].lower() == "digraph" else DAGITTY, has_confounded=True)
    return Source(list(read.edges), list(read.names), list(read.confounded), list(read.latent), list(read.undirected))


def _networkx(graph: Any) -> Source:
    names, count, edges = read_networkx(graph)

    def listed(attribute: str) -> Pairs:
        found = pairs(graph.graph.get(attribute, ()), f'the attribute "{attribute}" of the graph')
        return [(a, b) if names is None else (str(a), str(b)) for a, b in found]

    return Source(list(edges), count if names is None else names, listed("confounded"), (), listed("undirected"))
