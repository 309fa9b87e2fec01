"""Structural causal models: every variable computed from its causes and from noise, by a mechanism that is learned."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _structural_checkpoint
from ._arrays import address, model_dtype, number, size
from ._arrays import seed as checked_seed
from ._bindings import library
from ._levels import categories_named, levels_in
from ._marks import marks_in, twins_in
from ._structural_checkpoint import Options
from ._structural_fit import Fitted, Mechanism, fitted, mechanism_table
from ._table import columns_in, in_table_of, table
from .discovery import discover
from .errors import InvalidValueError, StateError, UnknownNameError, warn
from .features import unknown
from .graph import Graph
from .knowledge import Knowledge
from .scenario import ScenarioView

if TYPE_CHECKING:
    from typing_extensions import Self

    from .estimate import Estimate
    from .optimum import Optimum

__all__ = ["StructuralModel"]

LEARN = "learn"     # the graph


class StructuralModel:
    """A graph whose variables are computed from their parents and from noise by mechanisms that are learned from data. do() sets, changes
    or rewires them while the model runs, row by row.

    Parameters
    ----------
    graph
        What `discover` found, or whatever `Graph.of` takes: a `Graph`, a list of edges, parents by child, DOT or DAGitty text, a networkx.DiGraph. Hidden common
        causes may be declared in it (`Graph(..., confounded=...)`): a query whose answer would rest on a mechanism that is confounded
        with its own parents then says so. "learn": the first `fit` learns it from the same rows, as ``discover(score="network")`` does, and
        later ones keep it.
    mechanisms
        One for all variables or, in a dict, for some by name; "auto" for the others: the one under which held-out rows are likeliest.
        "linear"; "smooth", f(parents) + noise with a small network, as smooth as the evidence of the rows asks for (MacKay 1992): the most exact
        where causes act smoothly; "additive", the same with a larger network and AdamW; "location_scale", f(parents) + s(parents) noise; "flow",
        a monotone rational-quadratic spline of Gaussian noise, whose shape the parents decide; all with noise of any shape. For categorical
        variables "linear" (logistic regression) or "softmax". `Mechanism` gives one with widths of its own. A mechanism that is known
        is a function whose arguments are called after the parents, or a `CausalMLP` that was trained before: to what it gives comes
        noise of any shape. A variable without parents is drawn from the values seen.
    categorical
        Names of categorical variables, beside those that a data frame shows to be (booleans, texts, categories); or levels by name.
    knowledge
        A `Knowledge` that a graph which is learned respects.
    dtype
        Of the mechanisms' networks, "float32" or "float64". Values and noise are doubles.
    seed
        Of everything that is drawn; None for one drawn by chance.

    Raises
    ------
    CycleError, UnknownNameError, InvalidValueError
        A graph that is no acyclic one; a mechanism for a variable that is not in it, or that is none.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> age = rng.normal(60, 10, 500)
    >>> dose = 0.1 * age + rng.normal(size=500)
    >>> outcome = 2 * dose - 0.3 * age + rng.normal(size=500)
    >>> model = StructuralModel([("age", "dose"), ("age", "outcome"), ("dose", "outcome")], mechanisms="linear", seed=0)
    >>> _ = model.fit({"age": age, "dose": dose, "outcome": outcome}, progress=False)
    >>> effect = model.effect("outcome", {"dose": 7}, {"dose": 6})
    >>> bool(abs(effect.value - 2) < 0.2)
    True
    """

    def __init__(
        self, graph: Any, mechanisms: Any = "auto", *, categorical: Any = (), knowledge: Knowledge | None = None, dtype: Any = "float32",
        seed: int | None = None,
    ) -> None:
        self._graph = None if isinstance(graph, str) and graph == LEARN else Graph.of(_directed(graph))
        if self._graph is not None and knowledge is not None:
            raise InvalidValueError(f'knowledge is for a graph that is learned, StructuralModel("{LEARN}"), and this one is given')
        self._knowledge = knowledge
        self.seed = int.from_bytes(os.urandom(8), "little") if seed is None else checked_seed(seed)
        self._dtype = model_dtype(dtype)
        self._categorical = categorical
        self._mechanisms = mechanisms if self._graph is None else None      # until there is a graph
        self._wanted = [] if self._graph is None else mechanism_table(mechanisms, self._graph)
        self._fitted: Fitted | None = None

    @property
    def graph(self) -> Graph:
        """Of the variables; one that is learned is known after `fit`."""
        if self._graph is None:
            raise StateError("the graph is not learned yet, expected fit before")
        return self._graph

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables, in the order of the columns of a matrix."""
        return self.graph.variables

    @property
    def mechanisms(self) -> dict[str, str]:
        """The kind of each variable's mechanism; after `fit` as it was chosen."""
        return dict(zip(self.variables, (choice.kind for choice in self._wanted) if self._fitted is None else self._fitted.mechanisms))

    @property
    def levels(self) -> dict[str, tuple[Any, ...]]:
        """The levels of each categorical variable, in the order of their codes; known after `fit`."""
        return dict(self._now().levels)

    @property
    def members(self) -> int:
        """Of the ensemble."""
        return self._now().members

    def fit(
        self, data: Any, interventions: Any = None, *, members: int = 1, bootstrap: bool = False, epochs: int | None = None,
        batch_size: int | None = None, lr: float = 0.01, weight_decay: float = 0.0, validation_fraction: float | None = None, patience: float = 1.0,
        frozen: Sequence[str] = (), sparsity: float = 0.0, independence: float = 0.0,
        twins: Any = None, counterfactual: float = 1.0, progress: bool = True,
    ) -> Self:
        """Learns all mechanisms, each from the rows that tell of it: those in which its variable and its parents are known and do() did
        not set the variable. A graph that is to be learned is learned first, from the same rows, of which no value may then be missing.

        Ctrl-C ends it, and the model is what it was before.

        Parameters
        ----------
        data
            A data frame or a dict with a column for each variable, or a matrix of (rows, variables). NaN is a missing value. A variable
            that was set has the value it was set to.
        interventions
            Which variables do() had set: a dict of (rows,) booleans by name, or a frame or matrix of (rows, variables) of them. None: none.
        members
            Networks for each mechanism, which answer separately; an answer is the mean of theirs.
        bootstrap
            Let each member learn from rows drawn with replacement: the spread of the answers is then the uncertainty that comes of having
            few rows, and estimates have intervals. 20 to 100 members are usual.
        epochs
            Passes over the rows; None for as many as make about 3,000 steps, 20 to 1,000.
        batch_size, lr, weight_decay
            Of AdamW, with a sixteenth of the rows a step, 32 to 1,024, where none are told, and a learning rate that falls to 0 along a cosine.
        validation_fraction, patience
            The share of the rows, 0 to 0.5, held out to decide which epoch's weights are kept; training stops after `patience` of all
            epochs without a better likelihood of them. None for a tenth of fewer than 5,000 rows, and none of more. Where "auto" chooses,
            a tenth at least decides that.
        sparsity
            What a parent costs that is listened to, as a weight of the length of the weights that leave it in the first layer (group lasso, Yuan and Lin
            2006), beside the squared error or likelihood of standardised values; 0.01 to 0.1 are usual. Those that say little fade.
        independence
            A weight of the dependence between the noise of each real variable and its parents (`CausalLosses.independence_loss`, which is a few
            thousandths: 10 to 100 are usual, with batches of 100 rows or more). It takes time.
        twins
            By row, (rows,) whole numbers: the number of the row of which it is a counterfactual, that is the same unit, with the same noise, under other
            interventions, as a simulator or a crossover trial gives it; -1 where it is none. Rows of one unit are held out and drawn together.
        counterfactual
            A weight of the squared error, of standardised values, with which the mechanism of each real variable predicts such a row with the noise of the
            other (abduction, action, prediction; with the parents as they are in either row). Where a variable was set in one of the two, or it or a parent
            is missing, that pair has no such term. 1 where noise is much the same in both, up to 100 where it is the same exactly. Categorical
            variables have none: a category does not tell its noise.
        frozen
            Variables whose mechanisms stay what a former `fit` made of them.
        progress
            Show a bar.

        Raises
        ------
        UnknownNameError, ShapeError, InvalidValueError
            A column that is missing; a value that a variable cannot have, with its row; a variable with no row to learn from; twins of which no real
            variable's mechanism can learn.
        DivergenceError
            A loss that is not finite; the text names the variable.
        """
        graph, wanted = (self.graph, self._wanted) if self._graph is not None else self._learned(data, interventions, frozen, progress)
        levels = levels_in(columns_in(data, graph.variables, "data"), graph.variables, self._categorical)
        values = table(data, graph.variables, levels, "data")
        self._fitted = fitted(
            graph, wanted, levels, values, marks_in(interventions, graph.variables, len(values)), twins_in(twins, len(values)), self._dtype, progress,
            self._kept(frozen),
            members=size(members, "members"), resamples=bool(bootstrap), epochs=0 if epochs is None else size(epochs, "epochs"),
            batch_size=0 if batch_size is None else size(batch_size, "batch_size"), learning_rate=number(lr, "lr"), weight_decay=number(weight_decay, "weight_decay"),
            held_out=-1.0 if validation_fraction is None else _share(validation_fraction), patience=number(patience, "patience"), sparsity=number(sparsity, "sparsity"),
            independence=number(independence, "independence"), counterfactual=number(counterfactual, "counterfactual"), seed=self.seed)
        self._graph, self._wanted, self._mechanisms = graph, wanted, None
        return self

    def _learned(self, data: Any, interventions: Any, frozen: Sequence[str], progress: bool) -> tuple[Graph, list[Mechanism]]:
        """The graph that these rows come from, and what is wanted of its mechanisms."""
        if frozen:
            self._now()     # says that there is nothing to keep
        found = discover(
            data, interventions, score="network", categorical=self._categorical, knowledge=self._knowledge, seed=self.seed, progress=progress)
        if not found.is_finished:
            raise KeyboardInterrupt
        return found.directed, mechanism_table(self._mechanisms, found.directed)

    def _kept(self, frozen: Sequence[str]) -> tuple[Fitted, Any] | None:
        """The former model, and for each variable whether its mechanism stays."""
        if not frozen:
            return None
        kept = {self._index(name) for name in ([frozen] if isinstance(frozen, str) else frozen)}
        return self._now(), np.array([k in kept for k in range(len(self.variables))], np.uint8)

    def _now(self) -> Fitted:
        if self._fitted is None:
            raise StateError("the model has learned nothing yet, expected fit before")
        return self._fitted

    # ------------------------------------------------------------ keeping it

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a checkpoint to `path`: a safetensors file with the tensors of each mechanism and the noise it was learned with. A crash meanwhile
        leaves the file that was there. Pickle and copy carry the model too.

        Raises
        ------
        StateError
            Nothing was learned yet.
        InvalidValueError
            A level that is neither a text nor a finite number nor a boolean; pickle takes any.
        CheckpointError
            The system refuses.
        """
        options = Options(self._wanted, categories_named(self._categorical), self.seed)
        _structural_checkpoint.save(self._now(), options, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The model in the checkpoint at `path`, which may come from anyone. It answers as the one that was saved, to the bit.

        Raises
        ------
        CheckpointError
            Not there, not a checkpoint of a structural model, altered, cut off.
        """
        found = _structural_checkpoint.load(path)
        model = cls.__new__(cls)
        model._graph, model._dtype, model._fitted = found.graph, found.dtype, found.fitted
        model._knowledge, model._mechanisms = None, None
        model._wanted, model._categorical, model.seed = found.options
        return model

    # ------------------------------------------------------------ questions

    def residuals(self, rows: Any, *, member: int = 0, interventions: Any = None) -> Any:
        """The noise behind these rows (abduction), in standard units of each real variable: what its parents do not explain. Under a right model it is
        independent of them, which `CausalLosses.independence_loss` measures.

        Parameters
        ----------
        rows
            A data frame or dict of all variables, or a matrix of (rows, variables).
        member
            Of the ensemble.
        interventions
            What do() had set in these rows, as in `fit`.

        Returns
        -------
        In the kind of `rows`; NaN for categorical variables with parents, whose noise is not known, where a variable was set, and where one or a parent is
        missing.
        """
        now = self._now()
        values = np.ascontiguousarray(table(rows, self.variables, now.levels, "rows"))
        marks = marks_in(interventions, self.variables, len(values))
        noise = np.empty((len(values), now.noise_width))
        library.causal_structural_model_abduct(
            now.handle.address, address(values), None if marks is None else address(marks), checked_seed(member, "member"), 0, *values.shape, address(noise),
            noise.shape[1])
        found, place = np.full(values.shape, np.nan), 0
        for column, name in enumerate(self.variables):
            is_open = name in now.levels and bool(self.graph.parents(name))
            if not is_open:
                found[:, column] = noise[:, place]
            place += len(now.levels[name]) if is_open else 1
        return in_table_of(rows, found, self.variables, {})

    def do(self, values: Mapping[str, Any] | None = None, /, *, where: Any = None, units: Any = None, **more: Any) -> ScenarioView:
        """The model under interventions: an immutable view, which can be asked and extended by another `do`.

        Parameters
        ----------
        values, **more
            By variable, what is done to it: a value, or one a row; `shift`, `scale`, `clip` or `change`, or a list of these, which act
            in this order on what the mechanism says; a policy, that is a function of other variables, named by its arguments
            (``do(dose=lambda age: 0.1 * age)``), which become causes of this one; or a distribution to draw from (anything with an
            ``rvs`` like those of scipy.stats); a `LinearPolicy` or `NetworkPolicy`; a `new_mechanism`; or an `interchange`. Functions are given labels
            of categorical variables, and give them; an argument with a default keeps that.
        where
            Which rows are concerned: (rows,) of booleans, or a function of variables as above (``where=lambda age: age > 60``).
        units
            By (variable, hidden layer, unit), both counted from 0, the value of a hidden unit of the network of the variable's mechanism, after its
            activation: a number, one a row, or an `interchange`. What the mechanism then says, other edits may change.

        Raises
        ------
        UnknownNameError
            No such variable.

        Examples
        --------
        >>> model = StructuralModel([("x", "y")])
        >>> from causal_engine import shift
        >>> model.do(x=1).do(y=shift(2))
        StructuralModel(2 variables: x -> y).do(x=1).do(y=shift(2))
        """
        return ScenarioView(self, ()).do(values, where=where, units=units, **more)

    def sample(self, n: int, seed: int | None = None) -> Any:
        """New rows, as a pandas data frame where pandas is in use, else a dict of columns. `do(...).sample(n)` gives those under do(); the
        same seed gives both the same noise."""
        return ScenarioView(self, ()).sample(n, seed)

    def counterfactual(self, rows: Any, do: Mapping[str, Any], *, where: Any = None, **options: Any) -> Any:
        """What these rows would have been under do(): `self.do(do, where=where).counterfactual(rows, **options)`, which see."""
        return self.do(do, where=where).counterfactual(rows, **options)

    def predict(self, rows: Any, do: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """The mean of every variable that the rows do not tell, given those that they do: `self.do(do).predict(rows, **options)`, which see."""
        return self._under(do).predict(rows, **options)

    def effect(
        self, outcome: str, treatment: Mapping[str, Any] | None, control: Mapping[str, Any] | None, *, given: Any = None, draws: int = 20_000,
        level: float = 0.95, seed: int | None = None,
    ) -> Estimate:
        """The average effect of one intervention instead of another, E[outcome | do(treatment)] - E[outcome | do(control)], both with the same
        noise.

        Parameters
        ----------
        outcome
            A variable; for a categorical one its code is averaged, which for a binary one is the probability of its second level.
        treatment, control
            What `do` takes; None for no intervention.
        given
            A row, or rows, of variables on which to condition, as `ScenarioView.predict` takes them: one conditional effect for each.
        draws
            Rows that are simulated for each of the two.
        level
            Of the interval.
        seed
            Of the noise; None for the model's own.

        Returns
        -------
        Estimate
            With an interval where the model has members, or the error of the simulation alone where it has not.

        Raises
        ------
        InvalidValueError
            A hidden common cause leaves the effect unidentified.
        """
        return self._under(treatment).mean(outcome, given=given, draws=draws, level=level, seed=seed, minus=self._under(control))

    def _under(self, values: Mapping[str, Any] | None) -> ScenarioView:
        return self.do(values) if values else ScenarioView(self, ())

    def optimize(self, outcome: str, over: Mapping[str, Any], **options: Any) -> Optimum:
        """The values v within bounds for which E[outcome | do(x = v)] is largest.

        Parameters
        ----------
        outcome, over, **options
            See `ScenarioView.optimize`.

        Examples
        --------
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> x = rng.uniform(-2, 2, 2000)
        >>> model = StructuralModel([("x", "y")], mechanisms="additive", seed=0)
        >>> _ = model.fit({"x": x, "y": 1 - (x - 0.5) ** 2 + 0.1 * rng.normal(size=2000)}, epochs=60, progress=False)
        >>> bool(abs(model.optimize("y", {"x": (-2, 2)}).values["x"] - 0.5) < 0.15)
        True
        """
        return ScenarioView(self, ()).optimize(outcome, over, **options)

    def _index(self, name: Any) -> int:
        if name not in self.variables:
            raise UnknownNameError(unknown("variable", name, self.variables, "the graph"))
        return self.variables.index(name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({repr(self.graph).partition('(')[2] if self._graph is not None else 'a graph to learn)'}"


def _directed(graph: Any) -> Any:
    """What was discovered as a graph with a direction for each edge."""
    found = getattr(graph, "directed", None)
    if not isinstance(found, Graph):
        return graph
    open_ = [f"{first} - {second}" for first, second in graph.graph.undirected]
    if open_:
        warn(f"the data do not tell the direction of {', '.join(open_[:8])}{', ...' if len(open_) > 8 else ''}: a direction is taken that fits, and "
             "answers that rest on it may be wrong")
    return found


def _share(value: Any) -> float:
    share = number(value, "validation_fraction")
    if not 0 <= share <= 0.5:
        raise InvalidValueError(f"validation_fraction is {share:g}, expected 0 to 0.5")
    return share
