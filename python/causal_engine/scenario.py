"""A structural model under interventions, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, number, size
from ._arrays import seed as checked_seed
from ._bindings import library
from ._scenario import Change, Scenario, brief, edits_in
from ._table import code_of, in_table_of, table
from .errors import InvalidValueError, ShapeError
from .estimate import Estimate

if TYPE_CHECKING:
    from .structural import StructuralModel

__all__ = ["ScenarioView"]

_ALL_MEMBERS = (1 << 64) - 1    # SIZE_MAX


class ScenarioView:
    """A structural model under do(): immutable; `StructuralModel.do` makes one, and `do` extends it.

    In a ``with`` statement it is itself.
    """

    def __init__(self, model: StructuralModel, edits: Sequence[tuple[str, Any, Any]]) -> None:
        self._model = model
        self._edits = tuple(edits)

    def do(self, values: Mapping[str, Any] | None = None, /, *, where: Any = None, **more: Any) -> ScenarioView:
        """This and more interventions, which at one variable act after those before them. See `StructuralModel.do`."""
        new = edits_in(values, more, where)
        for name, _, _ in new:
            self._model._index(name)
        return ScenarioView(self._model, (*self._edits, *new))

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
        values = self._simulated(rows, None, seed)
        answer = in_table_of(None, values, self._model.variables, self._model._now().levels)
        return answer if answer is not values else in_table_of({}, values, self._model.variables, self._model._now().levels)

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
            Rows of variables on which to condition, as `predict` takes them: an entry for each.
        draws
            Rows simulated for each entry.
        minus
            The scenario whose mean is taken off.
        """
        column, draws = self._model._index(outcome), size(draws, "draws")
        if not 0 < number(level, "level") < 1:
            raise InvalidValueError(f"level is {level}, expected between 0 and 1")
        views = [self] if minus is None else [self, minus]
        if given is not None:
            views = [view._given(given) for view in views]
        counts = {count for view in views for count in [view._count()] if count is not None}
        if len(counts) > 1:
            raise ShapeError(f"do: values of {sorted(counts)} entries, expected equally many, one a scenario")
        count = counts.pop() if counts else None
        means, errors = [], []
        for member in range(self._model.members):
            rows = [view._repeated(draws)._simulated((count or 1) * draws, member, seed, draws, [column])[:, column].reshape(-1, draws)
                    for view in views]
            drawn = rows[0] if minus is None else rows[0] - rows[1]
            means.append(drawn.mean(1))
            errors.append(drawn.std(1) / np.sqrt(draws))
        stacked = np.array(means), np.array(errors)
        if count is None:
            stacked = stacked[0][:, 0], stacked[1][:, 0]
        return Estimate.of(*stacked, level)

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
        levels = model._now().levels
        known = table(rows, model.variables, levels, "rows", optional=True)
        view, draws = self._given(known), size(draws, "draws")
        total = np.zeros((len(known), len(model.variables)))
        for member in range(model.members):
            values = view._repeated(draws)._simulated(len(known) * draws, member, seed, draws)
            total += values.reshape(len(known), draws, -1).mean(1)
        return in_table_of(rows, total / model.members, model.variables, {})

    def counterfactual(
        self, rows: Any, *, interventions: Any = None, level: float | None = None, draws: int = 100, seed: int | None = None,
    ) -> Any:
        """What these rows would have been, had this scenario held: for each row the noise that made it, the same noise under the scenario, and
        what comes of it (Pearl 2009, theorem 7.1.7). What the scenario does not affect keeps its value to the bit.

        For real variables the answer rests on noise entering their mechanisms monotonically. For categorical ones it is not identified by
        any data: it rests on Gumbel noise (Oberst and Sontag 2019), and what a category leaves open of that noise is integrated
        over. `bounds` says what holds whatever the noise is.

        Parameters
        ----------
        rows
            A data frame or dict of all variables, or a matrix of (rows, variables).
        interventions
            What do() had set in these rows, as in `StructuralModel.fit`; it stays set unless the scenario says otherwise.
        level
            Give intervals too: (value, low, high), where low and high leave out equal shares of what members and noise make possible.
        draws
            Possibilities of noise, where a category leaves it open.

        Returns
        -------
        In the kind of `rows`. Real variables are means, categorical ones their likeliest level.
        """
        from .structural import _marks

        model = self._model
        now = model._now()
        factual = np.ascontiguousarray(table(rows, model.variables, now.levels, "rows"))
        marks = _marks(interventions, model.variables, len(factual))
        start = model.seed if seed is None else checked_seed(seed)
        is_random = any(name in now.levels and model.graph.parents(name) for name in model.variables)
        scenario = self._scenario(len(factual), start)
        answers = np.empty((now.members * (size(draws, "draws") if is_random else 1), *factual.shape))
        for k, answer in enumerate(answers):
            scenario.run(
                library.causal_structural_model_counterfactual, now.handle.address, address(factual), None if marks is None else address(marks),
                scenario.handle.address, k % now.members, (start + k // now.members) % (1 << 64), None, address(answer), *factual.shape)
        value = answers.mean(0) if len(answers) > 1 else answers[0]
        for name, levels in now.levels.items():
            column = model.variables.index(name)
            value[:, column] = np.argmax([(answers[:, :, column] == k).sum(0) for k in range(len(levels))], 0)
        shaped = [value] if level is None else [
            value, np.quantile(answers, 0.5 - level / 2, axis=0), np.quantile(answers, 0.5 + level / 2, axis=0)]
        tables = tuple(in_table_of(rows, one, model.variables, now.levels if one is value else {}) for one in shaped)
        return tables[0] if level is None else tables

    # ------------------------------------------------------------ what the engine is given

    def _scenario(self, rows: int, seed: int) -> Scenario:
        levels = self._model._now().levels

        def draw(value: Any, place: int) -> Any:
            if hasattr(value, "rvs"):
                return value.rvs(size=rows, random_state=np.random.default_rng([seed, place]))
            return value

        edits = [(name, value if isinstance(value, Change) or callable(value) or hasattr(value, "rvs") else code_of(value, name, levels), where)
                 for name, value, where in self._edits]
        return Scenario(edits, self._model.variables, rows, draw)

    def _simulated(
        self, rows: int, member: int | None, seed: int | None, draws: int = 0, wanted: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        now, start = self._model._now(), self._model.seed if seed is None else checked_seed(seed)
        scenario, values = self._scenario(rows, start), np.empty((rows, len(self._model.variables)))
        mask = None if wanted is None else np.array([k in wanted for k in range(values.shape[1])], np.uint8)
        scenario.run(
            library.causal_structural_model_sample, now.handle.address, scenario.handle.address, _ALL_MEMBERS if member is None else member, start,
            draws, None if mask is None else address(mask), address(values), *values.shape)
        return values

    def _count(self) -> int | None:
        """The number of scenarios that this one stands for; None for one."""
        counts = {len(part) for _, value, where in self._edits for part in (_amount(value), where)
                  if part is not None and not callable(part) and not hasattr(part, "rvs") and np.ndim(part) > 0}
        if len(counts) > 1:
            raise ShapeError(f"do: values of {sorted(counts)} entries, expected equally many, one a scenario")
        return counts.pop() if counts else None

    def _repeated(self, draws: int) -> ScenarioView:
        """The same with each of its scenarios for so many rows."""
        def repeat(part: Any) -> Any:
            return np.repeat(np.asarray(part), draws) if part is not None and not callable(part) and not hasattr(part, "rvs") and np.ndim(part) else part

        return ScenarioView(self._model, [
            (name, Change(value.kind, repeat(value.amount), value.lower, value.upper, value.function) if isinstance(value, Change) else repeat(value),
             repeat(where)) for name, value, where in self._edits])

    def _given(self, rows: Any) -> ScenarioView:
        """The same where the variables that the rows tell have those values."""
        model = self._model
        known = rows if isinstance(rows, np.ndarray) else table(rows, model.variables, model._now().levels, "given", optional=True)
        if known.ndim == 1:
            known = known.reshape(1, -1)
        edited = {name for name, _, _ in self._edits}
        told = {name: ~np.isnan(known[:, k]) for k, name in enumerate(model.variables)}
        edits = []
        for k, name in enumerate(model.variables):
            if name in edited or not told[name].any():
                continue
            for parent in model.graph.parents(name):
                if parent not in edited and (told[name] & ~told[parent]).any():
                    raise InvalidValueError(f"given: {name} is told, but not its cause {parent}, expected a variable's causes with it")
            for changed in edited:
                if name in model.graph.descendants(changed):
                    raise InvalidValueError(f"given: {name} is told, but it is an effect of {changed}, which do() changes")
            if any(name in pair for pair in model.graph.confounded):
                raise InvalidValueError(f"given: {name} is told, which says something of its hidden common cause with another variable")
            edits.append((name, known[:, k], None if told[name].all() else told[name]))
        return ScenarioView(model, [*self._edits, *edits])

    def __enter__(self) -> ScenarioView:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __repr__(self) -> str:
        calls = []
        for name, value, where in self._edits:
            shown = f"{name}={brief(value)}" if name.isidentifier() else f"{{{name!r}: {brief(value)}}}"
            calls.append(f".do({shown}{'' if where is None else f', where={brief(where)}'})")
        return f"{self._model!r}{''.join(calls)}"


def _amount(value: Any) -> Any:
    return value.amount if isinstance(value, Change) else value
