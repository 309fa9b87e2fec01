"""Graphs as texts that other programs read and write: DOT (Graphviz) and DAGitty.

A graph is the names of its variables and its edges, pairs of indices (cause, effect). What is read here is directed; `Graph.of` reads
hidden common causes too.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Sequence

from ._graph_reader import Reader
from ._graph_tokens import DAGITTY, DOT, Dialect
from .errors import InvalidValueError, shown

__all__ = ["read_dagitty", "read_dot", "write_dagitty", "write_dot"]

Edges = list[tuple[int, int]]


def read_dot(text: str) -> tuple[list[str], Edges]:
    """The graph of a DOT text: one `digraph`, with any of the language's edges, subgraphs, quotes, ports, attributes and comments.

    Attributes are not kept, but those that say how an edge is drawn are heeded: with `dir=back` it is an edge from right to
    left, with `style=invis` none.

    Returns
    -------
    names, edges
        Variables in the order in which the text names them.

    Raises
    ------
    InvalidValueError
        Not DOT, or an edge without a direction or with two; the text names the line and what was expected.

    Examples
    --------
    >>> read_dot('digraph { smoking -> tar -> cancer; "air pollution" -> {tar cancer} [color=red] }')
    (['smoking', 'tar', 'cancer', 'air pollution'], [(0, 1), (1, 2), (3, 1), (3, 2)])
    >>> read_dot('digraph { a -> b [dir=both] }')
    Traceback (most recent call last):
    causal_engine.errors.InvalidValueError: DOT, line 1: the edge 'a <-> b', expected a directed one: a DAG has no others
    """
    return _read(text, DOT)


def _read(text: str, dialect: Dialect) -> tuple[list[str], Edges]:
    graph = Reader(text, dialect)
    return list(graph.names), list(graph.edges)


def write_dot(
    names: Sequence[str], edges: Iterable[tuple[int, int]], intervened: Collection[int] = (), confounded: Iterable[tuple[int, int]] = (),
    undirected: Iterable[tuple[int, int]] = (),
) -> str:
    """A DOT text: the variables in order, those of `intervened` to be drawn as "do(name)", the edges, dashed ones with two arrows
    between the pairs that share a hidden cause, and some without an arrow between those of `undirected`.

    Examples
    --------
    >>> print(write_dot(["x", "blood pressure"], [(0, 1)], intervened=[0]))
    digraph {
        x [label="do(\\N)", style=filled, fillcolor="#fbe3d0"];
        "blood pressure";
        x -> "blood pressure";
    }
    """
    written = [_dot_name(name) for name in names]
    drawn = r' [label="do(\N)", style=filled, fillcolor="#fbe3d0"]'
    lines = [f"    {name}{drawn if index in intervened else ''};" for index, name in enumerate(written)]
    lines += [f"    {written[cause]} -> {written[effect]};" for cause, effect in edges]
    lines += [f"    {written[first]} -> {written[second]} [dir=both, style=dashed];" for first, second in confounded]
    lines += [f"    {written[first]} -> {written[second]} [dir=none];" for first, second in undirected]
    return "\n".join(["digraph {", *lines, "}"])


def _dot_name(name: str) -> str:
    is_keyword = name.lower() in ("strict", "subgraph", *DOT.heads, *DOT.attributed)
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+", name) and not is_keyword:
        return name
    if re.search(r'(?<!\\)(?:\\\\)*\\(?:"|\r?\n|$)', name) is None:
        return '"' + name.replace('"', '\\"') + '"'
    # Between quotes a backslash cannot stand before a quote, the end of a line or of the name; between angle brackets it can.
    return f"<{html.escape(name).replace('-', '&#45;')}>"


def read_dagitty(text: str) -> tuple[list[str], Edges]:
    """The graph of a DAGitty text, `dag { ... }`, as `read_dot` gives it. Positions, roles (exposure, outcome, ...) and all other attributes are not kept.

    Raises
    ------
    InvalidValueError
        Not DAGitty, or an edge that no DAG has, such as `a <-> b`; the text names the line and what was expected.

    Examples
    --------
    >>> read_dagitty('dag { x [exposure,pos="0,1"] y [outcome] x -> y <- z }')
    (['x', 'y', 'z'], [(0, 1), (2, 1)])
    """
    return _read(text, DAGITTY)


def write_dagitty(names: Sequence[str], edges: Iterable[tuple[int, int]], confounded: Iterable[tuple[int, int]] = ()) -> str:
    """A DAGitty text: the variables in order, the edges, and `a <-> b` for pairs that share a hidden cause.

    Raises
    ------
    InvalidValueError
        A name that DAGitty has no way to write: "graph", "node", or one with a line break or another control character, or with
        a backslash at its end.

    Examples
    --------
    >>> print(write_dagitty(["x", "blood pressure"], [(0, 1)]))
    dag {
    x
    "blood pressure"
    x -> "blood pressure"
    }
    """
    written = [_dagitty_name(name) for name in names]
    lines = [f"{written[cause]} -> {written[effect]}" for cause, effect in edges]
    lines += [f"{written[first]} <-> {written[second]}" for first, second in confounded]
    return "\n".join(["dag {", *written, *lines, "}"])


def _dagitty_name(name: str) -> str:
    if name in DAGITTY.attributed or name.endswith("\\") or re.search(r"[\0-\x1f\x7f]", name):
        raise InvalidValueError(f"DAGitty has no way to write the name {shown(name)}")
    if re.fullmatch(r"[A-Za-z0-9_.]+", name) and name.lower() != "subgraph":
        return name
    return '"' + name.replace('"', '\\"') + '"'
