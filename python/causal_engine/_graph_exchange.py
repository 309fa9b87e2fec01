"""How a graph shows itself to people and to other programs. What draws, reads and writes is imported when it is asked for: few
programs do, and it would be half of the time to import the package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ._graph import NumberedGraph

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from typing_extensions import Self

    from ._graph_picture import Picture


class GraphExchange:
    """The base of `DAGRewiring` that draws it, writes it and reads it.

    What is written is the graph as it stands, after an intervention the rewired one; the pictures show both. A graph without
    names is written with its indices.
    """

    num_variables: int
    _names: tuple[str, ...] | None
    _original: NumberedGraph
    _current: NumberedGraph
    _intervened: list[int]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the graph, causes left of effects. After an intervention the variables it sets are marked, as do(x), and the edges
        it cuts are pale and dashed.

        Parameters
        ----------
        ax
            To draw on; by default a new figure of matplotlib's, which must be installed.
        """
        from ._graph_drawing import draw

        return draw(self._picture(), ax)

    def _repr_svg_(self) -> str | None:
        """The same picture for notebooks; none of more than 60 variables, which then show the text."""
        from ._graph_drawing import MOST_SHOWN, svg

        return svg(self._picture()) if self.num_variables <= MOST_SHOWN else None

    def _picture(self) -> Picture:
        from ._graph_picture import picture

        edges = self._original.edges()
        return picture(self._labels(), edges, set(edges).difference(self._current.edges()), self._intervened)

    @classmethod
    def from_dot(cls, text: str) -> Self:
        """The graph of a DOT text, the language of Graphviz: one `digraph`.

        The variables have the order in which the text names them. Attributes are not kept, but those that turn an edge around,
        as `dir=back` does, or hide it, as `style=invis` does, are heeded.

        Raises
        ------
        InvalidValueError
            Not DOT, or an edge without a direction or with two; the text names the line and what was expected.
        CycleError
            The edges have a cycle; the text names it.

        Examples
        --------
        >>> from causal_engine import DAGRewiring
        >>> dag = DAGRewiring.from_dot("digraph { smoking -> tar -> cancer; age -> {smoking cancer} }")
        >>> dag.names, dag.get_parents("cancer")
        (('smoking', 'tar', 'cancer', 'age'), [1, 3])
        """
        from .graph_formats import read_dot

        names, edges = read_dot(text)
        return cls._restored(len(names), edges, names=names)

    def to_dot(self) -> str:
        """The graph as a DOT text.

        Examples
        --------
        >>> from causal_engine import DAGRewiring
        >>> print(DAGRewiring.from_dagitty("dag { tar <- smoking }").to_dot())
        digraph {
            tar;
            smoking;
            smoking -> tar;
        }
        """
        from .graph_formats import write_dot

        return write_dot(self._labels(), self._current.edges(), self._intervened)

    @classmethod
    def from_dagitty(cls, text: str) -> Self:
        """The graph of a DAGitty text, `dag { ... }`.

        The variables have the order in which the text names them. Positions and roles (exposure, outcome, latent, ...) are not
        kept.

        Raises
        ------
        InvalidValueError
            Not DAGitty, or an edge that no DAG has, such as `a <-> b`; the text names the line and what was expected.
        CycleError
            The edges have a cycle; the text names it.

        Examples
        --------
        >>> from causal_engine import DAGRewiring
        >>> DAGRewiring.from_dagitty('dag { x [exposure,pos="0,1"] y [outcome] x -> y <- z }')
        DAGRewiring(3 variables: x -> y, z -> y)
        """
        from .graph_formats import read_dagitty

        names, edges = read_dagitty(text)
        return cls._restored(len(names), edges, names=names)

    def to_dagitty(self) -> str:
        """The graph as a DAGitty text.

        Raises
        ------
        InvalidValueError
            A name that DAGitty has no way to write: "graph", "node", or one with a control character or a backslash at its end.
        """
        from .graph_formats import write_dagitty

        return write_dagitty(self._labels(), self._current.edges())

    @classmethod
    def from_networkx(cls, graph: Any) -> Self:
        """The graph of a `networkx.DiGraph`.

        The labels of its nodes become names, as `str` writes them, in the order of the nodes. Where they are the numbers 0 .. n - 1
        they are the indices, and there are no names.

        Raises
        ------
        InvalidValueError
            A graph without directions or with edges that may be there twice; none at all; two labels that `str` writes alike.
        CycleError
            The edges have a cycle; the text names it.
        """
        from ._graph_networkx import read_networkx

        names, count, edges = read_networkx(graph)
        return cls._restored(count, edges, names=names)

    def to_networkx(self) -> Any:
        """A `networkx.DiGraph` (networkx must be installed) whose nodes are the names, or the indices where there are none. The
        attribute `intervened` of a node tells whether do() sets it."""
        from ._graph_networkx import write_networkx

        labels = range(self.num_variables) if self._names is None else self._names
        return write_networkx(labels, self._current.edges(), self._intervened)

    def _labels(self) -> Sequence[str]:
        return [str(v) for v in range(self.num_variables)] if self._names is None else self._names

    @classmethod
    def _restored(cls, count: int, edges: Iterable[Sequence[int]], intervened: Sequence[int] = (), names: Any = None) -> Self:
        raise NotImplementedError
