"""The graph that data come from, looked for among all."""

from __future__ import annotations

import time
from ctypes import addressof, byref, c_char_p, c_double, c_int, c_size_t
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, count, number, text
from ._arrays import seed as checked_seed
from ._bindings import DiscoveryOptions, Handle, library
from ._graph import NumberedGraph
from ._graph_drawing import draw
from ._graph_picture import picture
from ._interrupt import interrupts
from ._levels import Levels, levels_in
from ._marks import marks_in
from ._progress import SLICE, bar
from ._table import columns_in, table
from .errors import ArgumentError, InvalidValueError, ShapeError, shown, warn
from .features import names_in
from .graph import Graph
from .knowledge import UNKNOWN, Knowledge
from .sortability import Sortability, sortability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Discovery", "discover"]

_SORTED = 0.9   # the sortability from which on it is worth a warning


class Discovery:
    """What `discover` found, which makes it. A `StructuralModel` takes it as a graph.

    Attributes
    ----------
    graph
        A `Graph`, with edges of unknown direction where neither data nor knowledge tell (CPDAG; with interventions the interventional essential
        graph; with knowledge what follows from that too).
    directed
        One of the acyclic graphs that are equally good: the one that the search ended with.
    score
        Of the graph, more is better: how much better it is than none, as half of a Bayesian information criterion.
    frequencies
        By edge ``(cause, effect)``, and in how many of the bootstrap samples it was there in that direction or without one; {} where there were
        no samples.
    samples
        Bootstrap samples that were done.
    gates
        Of ``score="network"``: (variables, variables), the probability that the gate of an edge from row to column is open, the mean of all networks,
        before edges were pruned. None for other scores.
    targets
        By regime, the variables whose mechanisms differ there from those of the regime with the most rows. None without regimes.
    hidden_causes
        Pairs of variables of which the data say that a hidden common cause stands behind the edge between them, the clearest first, and by how much the
        score would be better with it. {} does not mean that there is none: see `discover`. None where it is not tested.
    is_finished
        False where Ctrl-C ended the search early.
    sortability
        A `Sortability`; None where variables are categorical.
    assumptions
        What the answer rests on, in words.
    seconds
        That it took.
    """

    def __init__(
        self, handle: Handle, variables: tuple[str, ...], values: NDArray[np.float64], levels: Levels, assumptions: tuple[str, ...],
        is_finished: bool, seconds: float, score: str, regimes: tuple[Any, ...] = (),
    ) -> None:
        self._handle = handle
        self.is_finished = is_finished
        self.assumptions = assumptions
        self.seconds = seconds
        self.graph = Graph._made(NumberedGraph.held(lambda out: library.causal_discovery_graph(handle.address, out)), variables)
        self.directed = Graph._made(NumberedGraph.held(lambda out: library.causal_discovery_directed_graph(handle.address, out)), variables)
        self._own_score: float | None = None
        self.sortability: Sortability | None = None if levels else sortability(values, self.directed.adjacency)
        directed, undirected, samples = np.zeros((len(variables),) * 2), np.zeros((len(variables),) * 2), c_size_t()
        library.causal_discovery_frequencies(handle.address, address(directed), address(undirected), len(variables), byref(samples))
        self.samples = samples.value
        self._directed_share, self._undirected_share = directed, undirected
        places = np.argwhere(directed + undirected > 0).tolist()
        self.frequencies = {(variables[i], variables[j]): float(directed[i, j] + undirected[i, j]) for i, j in places}
        self.gates: NDArray[np.float64] | None = None
        if score == "network":
            self.gates = np.zeros((len(variables),) * 2)
            library.causal_discovery_gates(handle.address, address(self.gates), len(variables))
        self.targets: dict[Any, tuple[str, ...]] | None = None
        if regimes:
            marks = np.zeros((len(regimes), len(variables)), np.uint8)
            library.causal_discovery_targets(handle.address, address(marks), *marks.shape)
            self.targets = {regime: tuple(variables[v] for v in np.flatnonzero(own)) for regime, own in zip(regimes, marks)}

        self.hidden_causes: dict[tuple[str, str], float] | None = None
        if score == "bic" and not levels:
            evidence = np.zeros((len(variables),) * 2)
            library.causal_discovery_hidden_causes(handle.address, address(evidence), len(variables))
            pairs = sorted(np.argwhere(np.triu(evidence) > 0).tolist(), key=lambda pair: -evidence[tuple(pair)])
            self.hidden_causes = {(variables[i], variables[j]): float(evidence[i, j]) for i, j in pairs}

    @property
    def score(self) -> float:
        """Of the graph: see above."""
        if self._own_score is None:     # that takes time where mechanisms are not linear, and Ctrl-C should not
            self._own_score = self._score(None)
        return self._own_score

    def score_of(self, graph: Any) -> float:
        """The score that another graph of the same variables has on these data; of several graphs that imply the same any will do.

        Parameters
        ----------
        graph
            Whatever `Graph.of` takes, with all edges directed.

        Raises
        ------
        UnknownNameError, InvalidValueError
            Other variables, or an edge whose direction is not known.
        """
        given = Graph.of(graph)
        variables = self.graph.variables
        return self._score(Graph(given.edges, variables, given.confounded, given.undirected)._graph)

    def _score(self, graph: NumberedGraph | None) -> float:
        found = c_double()
        library.causal_discovery_score(self._handle.address, None if graph is None else graph.handle.address, byref(found))
        return found.value

    def confidence(self, cause: int | str, effect: int | str) -> float:
        """The share of the bootstrap samples that have an edge between two variables, in whatever direction.

        Parameters
        ----------
        cause, effect
            The two variables, in either order.
        """
        i, j = self.graph._number(cause), self.graph._number(effect)
        return float(self._directed_share[i, j] + self._directed_share[j, i] + self._undirected_share[i, j])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the graph; edges without an arrow are those of unknown direction. Where there were bootstrap samples each edge says in which
        share of them it was there.

        Parameters
        ----------
        ax
            To draw on; by default a new figure of matplotlib's, which must be installed.
        """
        edges, undirected = self.graph._graph.edges(), self.graph._graph.linked()
        notes = {edge: f"{self.confidence(*edge):.2f}" for edge in (*edges, *undirected)} if self.samples else {}
        return draw(picture(self.graph.variables, edges, undirected=undirected, notes=notes), ax)

    def _repr_svg_(self) -> str | None:
        return self.graph._repr_svg_()

    def __repr__(self) -> str:
        unfinished = "" if self.is_finished else ", stopped early"
        return f"{type(self).__name__}({repr(self.graph).partition('(')[2][:-1]}; score {self.score:.1f}{unfinished})"


def discover(
    data: Any, interventions: Any = None, *, knowledge: Knowledge | None = None, score: str = "bic", penalty: float = 2.0, bootstrap: int = 0,
    restarts: int | None = None, categorical: Any = (), prior_rows: float = 1.0, regimes: Any = None, seed: int = 0, progress: bool = True,
) -> Discovery:
    """Looks for the graph of causes that rows come from: an order-based search for the graph of the best score, or a network that learns it.

    Units do not matter, and neither does the order of the columns. Ctrl-C ends the search, and the best graph so far is returned.

    Parameters
    ----------
    data
        A data frame or a dict with a column for each variable, or a matrix of (rows, variables). Texts, booleans and categories become categorical
        variables. No value may be missing.
    interventions
        Which variables do() had set: a dict of (rows,) booleans by name, or a frame or matrix of (rows, variables) of them, as for
        `StructuralModel.fit`. A row in which X was set tells nothing of how X comes about, and much of what follows from it. Where conditions
        differ in more than what was set, such as batches, give the condition as a categorical variable too, of the first tier of `knowledge`.
    knowledge
        A `Knowledge`: edges that are there or not, tiers, an order.
    score
        "bic": the Bayesian information criterion, of linear Gaussian mechanisms for real variables, of tables for categorical ones, and of
        regressions where kinds are mixed. "bdeu": of tables with a Dirichlet prior, for categorical variables. "nonlinear": the Bayesian information
        criterion of smooth mechanisms with additive noise, for real variables, which tells directions apart. "network": no search, but networks
        that learn the graph by gates on all edges while they learn the mechanisms, for real variables; of the graphs of several networks the one
        with the best score by "nonlinear". It takes longer, and is for mechanisms in which causes act together.
    penalty
        Of each parameter, times half of log(rows). 1 is Schwarz's criterion; more keeps edges away that are there by chance.
    bootstrap
        Samples of the rows, drawn with replacement, in each of which a graph is looked for too, on all cores: `Discovery.frequencies`.
    restarts
        How often the search begins again near the best graph so far, in vain, before it ends. None for 1,000. Of "network": how many networks
        are learned beside the first, None for 5 of up to 20 variables, and fewer of more.
    categorical
        Names of categorical variables, beside those that the data show to be; or levels by name.
    prior_rows
        What the prior of "bdeu" is worth, in rows.
    regimes
        (rows,) of labels: rows with the same label came about under the same conditions, where it is not known what these changed.
        Which mechanisms they changed is looked for between two times of learning the graph: `Discovery.targets`. For the scores "nonlinear"
        and "network".
    seed
        Of what the search and the samples draw; the same seed gives the same graph on any number of threads.
    progress
        Show a bar.

    Returns
    -------
    Discovery

    Raises
    ------
    ShapeError, InvalidValueError
        A value that is missing, a column that is constant, or a linear function of others, named; knowledge that contradicts itself, shown.
    CycleError
        Required edges that are one.

    Warns
    -----
    CausalWarning
        A hidden common cause explains two variables better than the edge between them, as far as can be told: for real variables under "bic", where both
        have causes of their own or one was set in some rows (`Discovery.hidden_causes`). Variances, or how well variables are predicted, give
        the order of the graph away, as in data that were simulated in a simple way.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> rain, sprinkler = rng.normal(size=(2, 1000))
    >>> wet = rain + sprinkler + rng.normal(size=1000)
    >>> found = discover({"rain": rain, "sprinkler": sprinkler, "wet": wet}, bootstrap=20, progress=False)
    >>> found.graph
    Graph(3 variables: rain -> wet, sprinkler -> wet)
    >>> found.confidence("rain", "wet")
    1.0
    """
    if knowledge is not None and not isinstance(knowledge, Knowledge):
        raise ArgumentError(f"knowledge is {shown(knowledge)}, expected a Knowledge")
    began = time.monotonic()
    if hasattr(data, "columns") and names_in(data) is None:
        data = {str(name): data[name] for name in data.columns}
    variables = _variables(data)
    levels = levels_in(columns_in(data, variables, "data"), variables, categorical)
    values = np.ascontiguousarray(table(data, variables, levels, "data"))
    marks = marks_in(interventions, variables, len(values))
    labels, numbers = _regimes_in(regimes, len(values))
    known = (knowledge or Knowledge())._arrays(variables)
    known["regimes"] = numbers
    known["levels"] = np.array([len(levels.get(name, ())) for name in variables], np.uint64)
    options = DiscoveryOptions(
        score=text(score, "score"), penalty=number(penalty, "penalty"), prior_rows=number(prior_rows, "prior_rows"),
        restarts=UNKNOWN if restarts is None else count(restarts, "restarts"), bootstrap=count(bootstrap, "bootstrap"), seed=checked_seed(seed),
        **{name: option if isinstance(option, int) or option is None else address(option) for name, option in known.items()})
    names = (c_char_p * len(variables))(*(text(name, "a name") for name in variables))
    handle = Handle(
        library.causal_discovery_create, library.causal_discovery_free, addressof(names), address(values),
        None if marks is None else address(marks), *values.shape, byref(options))
    is_finished = _run(handle, progress)
    found = Discovery(
        handle, variables, values, levels, _assumptions(score, bool(levels), marks is not None), is_finished, time.monotonic() - began,
        score, labels)
    _doubt(found)
    return found


def _variables(data: Any) -> tuple[str, ...]:
    named = list(data) if isinstance(data, dict) else names_in(data)
    if named:
        return tuple(map(str, named))
    shape = np.shape(data)
    return tuple(f"x{k}" for k in range(shape[1] if len(shape) == 2 else 0)) or _no_table(data)


def _no_table(data: Any) -> tuple[str, ...]:
    raise ArgumentError(f"data is {shown(data)}, expected a data frame, a dict of columns, or a matrix of (rows, variables)")


def _regimes_in(regimes: Any, rows: int) -> tuple[tuple[Any, ...], Any]:
    """The labels, and by row the number of its own; None where there are none."""
    if regimes is None:
        return (), None
    given = np.asarray(regimes)
    if given.shape != (rows,):
        raise ShapeError(f"regimes of shape {given.shape}, expected ({rows},), a label a row")
    numbers: dict[Any, int] = {}
    for row, label in enumerate(given.tolist()):
        if label is None or label != label:
            raise InvalidValueError(f"regimes: the label of row {row} is missing")
        numbers.setdefault(label, len(numbers))
    return tuple(numbers), np.array([numbers[label] for label in given.tolist()], np.uint64)


def _run(handle: Handle, progress: bool) -> bool:
    """Searches to the end, or until Ctrl-C; tells which."""
    finished, done = c_int(), c_double()
    try:
        with bar(progress, "discover") as drawn, interrupts() as check:
            while not finished.value:
                library.causal_discovery_run(handle.address, SLICE, byref(finished))
                check()
                if drawn is not None:
                    library.causal_discovery_progress(handle.address, byref(done))
                    drawn.n = round(done.value, 3)
                    drawn.refresh()
    except KeyboardInterrupt:
        return False
    return True


def _assumptions(score: str, is_categorical: bool, is_experiment: bool) -> tuple[str, ...]:
    is_smooth = score in ("nonlinear", "network")
    mechanisms = "smooth mechanisms with additive noise" if is_smooth else "mechanisms of tables or regressions with a main effect for each cause" \
        if is_categorical else "linear mechanisms with Gaussian noise"
    stated = ["no hidden common cause of two variables, and no selection of rows", "no cycle", f"{mechanisms}", "rows that are independent of each other",
              "no effects that cancel (faithfulness)"]
    if is_experiment:
        stated.append("interventions that set a variable, known for every row, and that change no other mechanism")
    return tuple(stated)


def _doubt(found: Discovery) -> None:
    """Warns of data that the assumptions do not fit, and of data that look simulated."""
    if found.hidden_causes:
        shown_pairs = ", ".join(f"{a} and {b} ({evidence:.0f})" for (a, b), evidence in list(found.hidden_causes.items())[:5])
        more = f", and {len(found.hidden_causes) - 5} more" if len(found.hidden_causes) > 5 else ""
        warn(f"a hidden common cause would explain better than an edge what there is between {shown_pairs}{more}: by so much the score would be better with it. "
             "Their edges, and those nearby, may be wrong. Effects that cancel look the same, and so does an experiment that changes more than what it sets")
    sorts = found.sortability
    if sorts is None or len(found.directed.edges) < 10:
        return
    if sorts.variance > _SORTED:
        warn(f"the order of the graph that was found shows in the variances (varsortability {sorts.variance:.2f}), as in simulated data; "
             "discover is invariant to units, but methods that are not may seem better here than they are")
    elif sorts.r2 > _SORTED:
        warn(f"the order of the graph that was found shows in how well variables are predicted (R2-sortability {sorts.r2:.2f}), as in simulated data")
