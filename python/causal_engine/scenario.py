"""A structural model under interventions, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, number, size
from ._arrays import seed as checked_seed
from ._bindings import library
from ._changes import Change, brief, edits_in, unit_edits
from ._marks import marks_in
from ._scenario_base import ScenarioBase, one_of
from ._table import in_table_of, table
from .bounds import CategoryBounds, bounds
from .errors import ArgumentError, InvalidValueError, ShapeError, shown
from .estimate import Estimate
from .optimum import Optimum, optimum

__all__ = ["ScenarioView"]


class ScenarioView(ScenarioBase):
    """A structural model under do(): immutable; `StructuralModel.do` makes one, and `do` extends it.

    In a ``with`` statement it is itself.
    """

    def do(self, values: Mapping[str, Any] | None = None, /, *, where: Any = None, units: Any = None, **more: Any) -> ScenarioView:
        """This and more interventions, which at one variable act after those before them. See `StructuralModel.do`."""
        variables = self._model.variables
        edits = [] if units is None else [(name, value, where) for name, value, _ in unit_edits(units, variables)]
        if units is None or values or more:
            edits += edits_in(values, more, where, variables)
        for _, value, _ in edits:
            if isinstance(value, Change) and value.source is not None and value.source._model is not self._model:
                raise InvalidValueError(f"interchange: {value.source!r} is another model, expected this one under other interventions")
        return ScenarioView(self._model, (*self._edits, *edits))

    # ------------------------------------------------------------ questions

    def sample(self, n: int, seed: int | None = None) -> Any:
        """New rows: a pandas data frame where pandas is in use, else a dict of columns.

        Parameters
        ----------
        n
            How many; values and `where` with one entry a row have as many.
        seed
            Of the noise; None for the model's own. The same seed gives the same noise under every scenario.
        """
        rows = size(n, "n")
        return in_table_of(None, self._simulated(rows, None, seed), self._model.variables, self._model._now().levels)

    def mean(
        self, outcome: str, *, given: Any = None, draws: int = 20_000, level: float = 0.95, seed: int | None = None,
        minus: ScenarioView | None = None,
    ) -> Estimate:
        """E[outcome] under this scenario, or its difference to another, both with the same noise.

        Values with several entries stand for as many scenarios, which run as one batch: the estimate has an entry for each.

        Parameters
        ----------
        outcome
            A variable; of a categorical one the code is averaged, for a binary one the probability of its second level.
        given
            Rows of variables on which to condition, as `predict` takes them: an entry for each. One row goes with any number of
            scenarios.
        draws
            Rows simulated for each entry.
        minus
            The scenario whose mean is taken off.
        """
        column, draws, level = self._model._index(outcome), size(draws, "draws"), _checked(level)
        views = [self] if minus is None else [self, minus]
        count = one_of([view._count() for view in views])
        if given is not None:
            known = table(given, self._model.variables, self._model._now().levels, "given", optional=True)
            if len(known) == 1 and count is not None:
                known = np.repeat(known, count, axis=0)
            count = one_of([count, len(known)])
            views = [view._given(known) for view in views]
        means, errors = [], []
        for member in range(self._model.members):
            drawn = []
            for part in self._parts(count or 1, draws):
                one, *other = (view._part(part, draws)._simulated((part.stop - part.start) * draws, member, seed, draws, column)[:, column]
                               .reshape(-1, draws) for view in views)
                difference = one - other[0] if other else one
                drawn.append((difference.mean(1), difference.std(1) / np.sqrt(draws)))
            means.append(np.concatenate([mean for mean, _ in drawn]))
            errors.append(np.concatenate([error for _, error in drawn]))
        return Estimate.of(np.array(means), np.array(errors), level) if count is not None else \
            Estimate.of(np.array(means)[:, 0], np.array(errors)[:, 0], level)

    def predict(self, rows: Any, *, draws: int = 1_000, seed: int | None = None) -> Any:
        """The mean of every variable under this scenario, for each row, given the variables that the row tells; those have the values
        they have. Of a categorical variable that is not told the code is averaged.

        Parameters
        ----------
        rows
            A data frame or dict with some of the variables, or a matrix with NaN for the others. With a variable, its causes must be told
            too (unless do() sets it): then it tells nothing of the noise of others.
        draws
            Rows simulated for each row.

        Raises
        ------
        InvalidValueError
            A variable is told, but not one of its causes; the text names both.
        """
        model = self._model
        now, draws = model._now(), size(draws, "draws")
        known = table(rows, model.variables, now.levels, "rows", optional=True)
        if self._count() not in (None, len(known)):
            raise ShapeError(f"do: values of {self._count()} entries for {len(known)} rows, expected one a row")
        view = self._given(known)
        total = np.zeros(known.shape)
        for member in range(now.members):
            for part in self._parts(len(known), draws):
                count = part.stop - part.start
                values = view._part(part, draws)._simulated(count * draws, member, seed, draws)
                total[part] += values.reshape(count, draws, -1).mean(1)
        is_told = ~np.isnan(known)
        is_told[:, [model._index(name) for name, _, _ in self._edits]] = False
        means = np.where(is_told, known, total / now.members)
        labels = {name: levels for name, levels in now.levels.items() if is_told[:, model._index(name)].all()}
        return in_table_of(rows, means, model.variables, labels)

    def counterfactual(
        self, rows: Any, *, interventions: Any = None, level: float | None = None, draws: int = 100, seed: int | None = None,
    ) -> Any:
        """What these rows would have been, had this scenario held: for each row the noise that made it, the same noise under the scenario, and
        what comes of it (Pearl 2009, theorem 7.1.7). A variable that the scenario does not affect in any row keeps its bits.

        For real variables the answer rests on noise entering their mechanisms monotonically. For categorical ones it is not identified by
        any data: it rests on Gumbel noise (Oberst and Sontag 2019), and what a category leaves open of that noise is integrated
        over.

        Parameters
        ----------
        rows
            A data frame or dict of all variables, or a matrix of (rows, variables).
        interventions
            What do() had set in these rows, as in `StructuralModel.fit`; it stays set unless the scenario says otherwise.
        level
            Give intervals too: (value, low, high), where low and high leave out equal shares of what members and noise make possible.
        draws
            Possibilities of noise, where an effect of what is done is categorical, or what is done is drawn.

        Returns
        -------
        In the kind of `rows`. Real variables are means, categorical ones their likeliest level.
        """
        model = self._model
        now = model._now()
        level = None if level is None else _checked(level)
        factual = np.ascontiguousarray(table(rows, model.variables, now.levels, "rows"))
        marks = marks_in(interventions, model.variables, len(factual))
        start = model.seed if seed is None else checked_seed(seed)
        is_drawn, effects = self._is_drawn(), self._effects()
        is_open = is_drawn or not effects.isdisjoint(now.levels)
        answers = np.empty((now.members * (size(draws, "draws") if is_open else 1), *factual.shape))
        scenario = self._scenario(len(factual), start)
        for k, answer in enumerate(answers):
            one = (start + k // now.members) % (1 << 64)
            if is_drawn and k % now.members == 0:
                scenario = self._scenario(len(factual), one)
            scenario.run(
                library.causal_structural_model_counterfactual, now.handle.address, address(factual), None if marks is None else address(marks),
                scenario.handle.address, k % now.members, one, None, address(answer), *factual.shape)
        value = _summary(answers, {model._index(name): len(levels) for name, levels in now.levels.items()})
        shaped = [value] if level is None else [
            value, np.quantile(answers, 0.5 - level / 2, axis=0), np.quantile(answers, 0.5 + level / 2, axis=0)]
        tables = tuple(in_table_of(rows, one, model.variables, now.levels if one is value else {}) for one in shaped)
        return tables[0] if level is None else tables

    def bounds(self, rows: Any, outcome: str, *, draws: int = 200, seed: int | None = None) -> CategoryBounds:
        """What is known of the counterfactual of a categorical variable whatever the coupling of its noise: sharp bounds of P(outcome would have
        been y' | this row), beside the one number that the Gumbel-max coupling of `counterfactual` gives.

        With p the probabilities of the outcome given its parents as they were and p' those given its parents as they would have been, of an
        outcome that was y::

            max(0, (p[y] + p'[y'] - 1) / p[y])  <=  P(y' | y)  <=  min(1, p'[y'] / p[y])

        (Frechet 1935; Tian and Pearl 2000, "Probabilities of causation: bounds and identification"). What comes before the outcome must be
        known: real variables are, by their monotone noise. One other categorical variable on the way is bounded in the same way, and the outcome
        over all that it may have been; more are refused. The bounds are over couplings only, the mechanisms are taken for true.

        Parameters
        ----------
        rows
            All variables, as in `counterfactual`, and none missing.
        outcome
            A categorical variable that the scenario does not edit.
        draws
            Possibilities of Gumbel noise.

        Raises
        ------
        InvalidValueError
            A real outcome; several categorical variables on the way; one that is edited or confounded; distributions, interchanges.

        Examples
        --------
        >>> import numpy as np
        >>> from causal_engine import StructuralModel
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=800)
        >>> model = StructuralModel([("x", "y")], "linear", categorical={"y": (0, 1)}, seed=0)
        >>> _ = model.fit({"x": x, "y": (x + rng.logistic(size=800) > 0) * 1}, epochs=40, progress=False)
        >>> found = model.do(x=2).bounds({"x": [0.0], "y": [0]}, "y")
        >>> bool(found.low[0, 1] < found.high[0, 1] - 0.1), bool(abs(found.gumbel[0, 1] - found.low[0, 1]) < 0.1)     # of two levels Gumbel takes the least
        (True, True)
        """
        return bounds(self, rows, outcome, size(draws, "draws"), self._model.seed if seed is None else checked_seed(seed))

    def optimize(
        self, outcome: str, over: Mapping[str, Any], *, maximize: bool = True, constraints: Mapping[str, Any] | None = None, draws: int = 4_000,
        seed: int | None = None,
    ) -> Optimum:
        """The values v for which E[outcome | do(x = v)] is largest, under this scenario, or the numbers of policies x = g(other variables).
        Gradients reach them through the mechanisms.

        Needs SciPy, whose SLSQP does the search, from the best of 64 places all over the bounds.

        Parameters
        ----------
        outcome
            A variable.
        over
            By real variable that is to be set, its bounds (lowest, highest), or a `LinearPolicy` that has bounds for the numbers to be found, or a
            `NetworkPolicy`, all of whose weights are.
        maximize
            False: the values for which it is smallest.
        constraints
            By variable, bounds within which its mean is to stay; either may be infinite.
        draws, seed
            Rows of noise, the same for all values; None for the model's own seed.

        Raises
        ------
        InvalidValueError
            Bounds that are none; more than 1,000 numbers to be found; constraints that no values were found to meet; a function among the
            interventions or mechanisms between, whose derivative is not known.
        """
        model = self._model
        if not isinstance(over, Mapping) or not over:
            raise ArgumentError(f"over is {shown(over)}, expected bounds by variable, as in {{'dose': (0, 10)}}")
        if not isinstance(constraints, (Mapping, type(None))):
            raise ArgumentError(f"constraints are {shown(constraints)}, expected bounds by variable")
        for name in (outcome, *over, *(constraints or {})):
            model._index(name)
        for name in over:
            if name in model._now().levels:
                raise InvalidValueError(f"over: {name} is categorical, expected a real variable")
            if any(name == edited for edited, _, _ in self._edits):
                raise InvalidValueError(f"over: {name} is edited by the scenario already")
        return optimum(self, outcome, over, maximize=maximize, constraints=constraints or {}, draws=size(draws, "draws"),
                       seed=model.seed if seed is None else checked_seed(seed))

    def __enter__(self) -> ScenarioView:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __repr__(self) -> str:
        calls = []
        for name, value, where in self._edits:
            if isinstance(value, Change) and value.place is not None:
                shown = f"units={{{(name, *value.place)!r}: {brief(value)}}}"
            else:
                shown = f"{name}={brief(value)}" if name.isidentifier() else f"{{{name!r}: {brief(value)}}}"
            calls.append(f".do({shown}{'' if where is None else f', where={brief(where)}'})")
        return f"{self._model!r}{''.join(calls)}"


def _checked(level: Any) -> float:
    if not 0 < number(level, "level") < 1:
        raise InvalidValueError(f"level is {level}, expected between 0 and 1")
    return float(level)


def _summary(answers: NDArray[np.float64], levels: Mapping[int, int]) -> NDArray[np.float64]:
    """(rows, variables) from (possibilities, rows, variables): means, and of the columns with levels the likeliest one. What all agree on is
    not averaged, which would cost its last bit."""
    value: NDArray[np.float64] = np.where((answers == answers[0]).all(0), answers[0], answers.mean(0))
    for column, count in levels.items():
        codes = answers[:, :, column]
        likeliest = np.argmax([(codes == code).sum(0) for code in range(count)], 0)
        value[:, column] = np.where(np.isnan(codes[0]), np.nan, likeliest)
    return value
