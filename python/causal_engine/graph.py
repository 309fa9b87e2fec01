"""Graphs of causes over named variables, some of which may share a hidden cause, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import size
from ._graph import NumberedGraph
from ._graph_drawing import MOST_SHOWN, draw, svg
from ._graph_names import number_of, summary
from ._graph_networkx import write_networkx
from ._graph_picture import Picture, picture
from ._graph_questions import GraphQuestions
from ._graph_source import members, pairs, source_of
from .errors import ArgumentError, InvalidValueError, shown
from .features import checked_names
from .graph_formats import write_dagitty, write_dot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from typing_extensions import Self

__all__ = ["Graph"]


class Graph(GraphQuestions):
    """Who causes whom: an immutable acyclic graph over named variables, some of which may share hidden causes.

    A variable goes by its name or its number; what is returned are names. `Graph.of` makes a graph of whatever holds one.

    Parameters
    ----------
    edges
        Pairs (cause, effect).
    variables
        Names, all different, in the order in which variables are numbered; or how many there are, which are then called x0, x1
        and so on. None: the variables that edges and pairs name, in that order.
    confounded
        Pairs of variables that share a cause that is not in the graph and not observed.
    undirected
        Pairs of which one is a direct cause of the other, and it is not known which (as in a CPDAG). What needs to know that is then an error.

    Raises
    ------
    CycleError
        The edges have a cycle; the text names it.
    UnknownNameError
        An edge to a variable that is not in `variables`.
    InvalidValueError
        No variables, a name that is empty or there twice, a variable confounded with itself.

    Examples
    --------
    >>> graph = Graph([("age", "dose"), ("age", "outcome"), ("dose", "outcome")])
    >>> graph
    Graph(3 variables: age -> dose, age -> outcome, dose -> outcome)
    >>> graph.parents("outcome"), graph.back_door_set("dose", "outcome")
    (['age', 'dose'], ['age'])
    >>> hidden = Graph([("smoking", "tar"), ("tar", "cancer")], confounded=[("smoking", "cancer")])
    >>> hidden.is_separated("smoking", "cancer", given="tar")
    False
    >>> hidden.back_door_set("smoking", "cancer") is None, hidden.is_identified("smoking", "cancer")
    (True, True)
    """

    __slots__ = ("_graph", "_names")

    def __init__(self, edges: Any = (), variables: Any = None, confounded: Any = (), undirected: Any = ()) -> None:
        directed, hidden, open_ = pairs(edges, "edges"), pairs(confounded, "confounded"), pairs(undirected, "undirected")
        names = _names(variables, [end for pair in (*directed, *hidden, *open_) for end in pair])
        adjacency = np.zeros((len(names), len(names)), np.uint8)
        for cause, effect in directed:
            adjacency[number_of(cause, names, len(names)), number_of(effect, names, len(names))] = 1
        graph = NumberedGraph.of(adjacency, names)
        graph.topological_order()
        if hidden:
            graph = graph.confounding((number_of(a, names, len(names)), number_of(b, names, len(names))) for a, b in hidden)
        if open_:
            graph = graph.linking((number_of(a, names, len(names)), number_of(b, names, len(names))) for a, b in open_)
        self._graph, self._names = graph, names

    @classmethod
    def of(cls, graph: Any) -> Self:
        """The graph that something holds.

        Parameters
        ----------
        graph
            A `Graph`; what `discover` found; a `DAGRewiring`, as it stands; a `networkx.DiGraph`; an adjacency matrix, ``A[i, j]`` not 0 for an edge i -> j, with
            names where it is a data frame; a text in DOT or DAGitty, where ``a <-> b`` (in DOT ``a -> b [dir=both]``) is a hidden
            common cause, ``a -> b [dir=none]`` an edge of unknown direction, and a variable that DAGitty calls ``latent`` is hidden, as by `hide`; parents by child, as in
            ``{"dose": ["age"], "outcome": ["age", "dose"]}``; or a list of edges.

        Examples
        --------
        >>> Graph.of("dag { dose -> outcome; dose <-> outcome }")
        Graph(2 variables: dose -> outcome, dose <-> outcome)
        >>> Graph.of({"dose": "age", "outcome": ["age", "dose"]}).variables
        ('dose', 'outcome', 'age')
        """
        if isinstance(graph, Graph):
            return graph if isinstance(graph, cls) else cls._made(graph._graph, graph._names)
        found = getattr(graph, "graph", None)
        if isinstance(found, Graph):
            return cls.of(found)
        source = source_of(graph)
        made = cls(source.edges, source.variables, source.confounded, source.undirected)
        return made.hide(source.latent) if source.latent else made

    @classmethod
    def _made(cls, graph: NumberedGraph, names: tuple[str, ...]) -> Self:
        made = cls.__new__(cls)
        made._graph, made._names = graph, names
        return made

    @classmethod
    def _numbered(cls, graph: NumberedGraph) -> Self:
        """A graph that the engine has, under the names that it has there."""
        made = cls.__new__(cls)
        made._graph, made._names = graph, graph.names()
        return made

    # ------------------------------------------------------------ what it is

    @property
    def variables(self) -> tuple[str, ...]:
        """Names, in the order of their numbers."""
        return self._names

    @property
    def edges(self) -> list[tuple[str, str]]:
        """(cause, effect), in the order of the variables."""
        return self._named_pairs(self._graph.edges())

    @property
    def confounded(self) -> list[tuple[str, str]]:
        """The pairs that share a hidden cause, in the order of the variables."""
        return self._named_pairs(self._graph.confounded())

    @property
    def undirected(self) -> list[tuple[str, str]]:
        """The pairs with an edge whose direction is not known, in the order of the variables."""
        return self._named_pairs(self._graph.linked())

    @property
    def adjacency(self) -> NDArray[np.uint8]:
        """(variables, variables), 1 for an edge from row to column. It says nothing of hidden causes, nor of edges whose direction
        is not known."""
        return self._graph.adjacency()

    def parents(self, variable: int | str) -> list[str]:
        """The direct causes of `variable`, in the order of the variables."""
        return self._named(self._graph.parents(self._number(variable)))

    def children(self, variable: int | str) -> list[str]:
        """The direct effects of `variable`, in the order of the variables."""
        return self._named(self._graph.children(self._number(variable)))

    def ancestors(self, variable: int | str) -> list[str]:
        """All causes, without the variable itself."""
        return self._named(self._graph.ancestors(self._number(variable)))

    def descendants(self, variable: int | str) -> list[str]:
        """All effects, without the variable itself."""
        return self._named(self._graph.descendants(self._number(variable)))

    def topological_order(self) -> list[str]:
        """All variables, causes before effects, in their own order among equals."""
        return self._named(self._graph.topological_order())

    def do(self, variables: Any) -> Self:
        """The graph under do() of one variable or several: neither edges nor hidden causes reach them any more.

        Examples
        --------
        >>> Graph([("age", "dose"), ("dose", "outcome")], confounded=[("dose", "outcome")]).do("dose")
        Graph(3 variables: dose -> outcome)
        """
        return self._made(self._graph.intervened(self._graph.mask(self._numbers(variables))), self._names)

    def equivalence_class(self, interventions: Any = ()) -> Self:
        """What data can tell of an acyclic graph: the edges that have the same direction in all graphs that imply the same independences, and
        the others without one (CPDAG, Chickering 1995).

        Parameters
        ----------
        interventions
            What do() set in some of the rows: a list of which each is a variable or a list of them. They tell more (interventional
            essential graph, Hauser and Bühlmann 2012).

        Raises
        ------
        InvalidValueError
            The graph has hidden causes, or edges whose direction is not known.

        Examples
        --------
        >>> chain = Graph([("a", "b"), ("b", "c")])
        >>> chain.equivalence_class()
        Graph(3 variables: a - b, b - c)
        >>> chain.equivalence_class(["a"])
        Graph(3 variables: a -> b, b -> c)
        """
        sets = [self._numbers(variables) for variables in members(interventions)]
        targets = np.zeros((len(sets), len(self._names)), np.uint8)
        for row, variables in enumerate(sets):
            targets[row, variables] = 1
        return self._made(self._graph.equivalence_class(targets), self._names)

    def hide(self, variables: Any) -> Self:
        """The graph of the other variables when one or several are not observed (latent projection, Verma and Pearl 1990).

        What they passed on goes from their causes straight to their effects, and their effects share a hidden cause.

        Raises
        ------
        InvalidValueError
            No variable is left.

        Examples
        --------
        >>> Graph([("genes", "smoking"), ("genes", "cancer"), ("smoking", "tar"), ("tar", "cancer")]).hide(["genes", "tar"])
        Graph(2 variables: smoking -> cancer, smoking <-> cancer)
        """
        mask = self._graph.mask(self._numbers(variables))
        return self._made(self._graph.hiding(mask), tuple(name for name, is_hidden in zip(self._names, mask) if not is_hidden))

    # ------------------------------------------------------------ how it is shown and written

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the graph, causes left of effects; hidden common causes are dashed, with an arrow at both ends.

        Parameters
        ----------
        ax
            To draw on; by default a new figure of matplotlib's, which must be installed.
        """
        return draw(self._picture(), ax)

    def _repr_svg_(self) -> str | None:
        """The same picture for notebooks; none of more than 60 variables, which then show the text."""
        return svg(self._picture()) if len(self._names) <= MOST_SHOWN else None

    def _picture(self) -> Picture:
        return picture(self._names, self._graph.edges(), confounded=self._graph.confounded(), undirected=self._graph.linked())

    def to_dot(self) -> str:
        """The graph as a DOT text; `Graph.of` reads it."""
        return write_dot(self._names, self._graph.edges(), confounded=self._graph.confounded(), undirected=self._graph.linked())

    def to_dagitty(self) -> str:
        """The graph as a DAGitty text; `Graph.of` reads it.

        Raises
        ------
        InvalidValueError
            A name that DAGitty has no way to write: "graph", "node", or one with a control character or a backslash at its end; an edge whose
            direction is not known.
        """
        if self.undirected:
            first, second = self.undirected[0]
            raise InvalidValueError(f"the direction of {first} - {second} is not known, expected a graph of directed edges to write for DAGitty")
        return write_dagitty(self._names, self._graph.edges(), self._graph.confounded())

    def to_networkx(self) -> Any:
        """A `networkx.DiGraph` (networkx must be installed) of the names and edges; its attribute `confounded`, as in
        ``graph.graph["confounded"]``, lists the pairs that share a hidden cause, if any, and `undirected` those with an edge whose direction
        is not known."""
        return write_networkx(self._names, self._graph.edges(), confounded=self._graph.confounded(), undirected=self._graph.linked())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        return self._names, tuple(self._graph.edges()), tuple(self._graph.confounded()), tuple(self._graph.linked())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._graph.edges(), self._names, self._graph.confounded(), self._graph.linked())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({summary(self._names, self._graph.edges(), self._graph.confounded(), self._graph.linked())})"

    # ------------------------------------------------------------ names and numbers

    def _number(self, variable: Any) -> int:
        return number_of(variable, self._names, len(self._names))

    def _numbers(self, variables: Any) -> list[int]:
        return [self._number(variable) for variable in members(variables)]

    def _named(self, numbers: Iterable[int]) -> list[str]:
        return [self._names[number] for number in numbers]

    def _named_pairs(self, numbers: Iterable[tuple[int, int]]) -> list[tuple[str, str]]:
        return [(self._names[first], self._names[second]) for first, second in numbers]


def _names(variables: Any, ends: list[Any]) -> tuple[str, ...]:
    """The names of all variables, of which some are at the ends of edges."""
    if variables is None:
        for end in ends:
            if not isinstance(end, str):
                raise ArgumentError(f"an edge ends at {shown(end)}, expected a name, or `variables` that it is the number of")
        return tuple(dict.fromkeys(ends))
    if isinstance(variables, str):
        raise ArgumentError(f"variables is {shown(variables)}, expected names or how many there are")
    if not isinstance(variables, Iterable):
        count = size(variables, "variables")
        if count > 65535:
            raise InvalidValueError(f"variables is {count}, expected at most 65535")
        return tuple(f"x{number}" for number in range(count))
    listed = list(variables)
    return checked_names(listed, len(listed), "variables") or ()
