"""A structural model under interventions, as the engine is given them: the base of `ScenarioView`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address
from ._arrays import seed as checked_seed
from ._bindings import library
from ._changes import Change, is_distribution, setting
from ._given import edits_given
from ._levels import Levels, code_of
from ._scenario import Scenario
from .errors import ShapeError
from .policy import Policy

if TYPE_CHECKING:
    from typing_extensions import Self

    from .structural import StructuralModel

_ALL_MEMBERS = (1 << 64) - 1    # SIZE_MAX
_AT_ONCE = 1 << 23              # numbers, of many simulated rows


class ScenarioBase:
    """A model and edits of its variables: (name, what is done, where), in the order in which they act."""

    def __init__(self, model: StructuralModel, edits: Sequence[tuple[str, Any, Any]]) -> None:
        self._model = model
        self._edits = tuple(edits)

    def _is_drawn(self) -> bool:
        """Whether it draws from distributions."""
        return any(is_distribution(amount_of(value)) for _, value, _ in self._edits) or any(source._is_drawn() for source in self._sources())

    def _effects(self) -> set[str]:
        """What may differ from what it is without the scenario, beside what it is set to."""
        effects = {effect for name, value, _ in self._edits for effect in (
            *self._model.graph.descendants(name), *([name] if isinstance(value, Change) else []))}
        return effects.union(*(source._effects() for source in self._sources()))

    def _sources(self) -> list[Self]:
        """Of its interchanges."""
        return [value.source for _, value, _ in self._edits if isinstance(value, Change) and value.source is not None]

    def _with_sources(self, change: Callable[[Self], Any]) -> list[tuple[str, Any, Any]]:
        """Its edits, with something else for the source of each interchange."""
        made: dict[int, Any] = {}      # what several edits share stays shared
        edits = []
        for name, value, where in self._edits:
            if isinstance(value, Change) and value.source is not None:
                if id(value.source) not in made:
                    made[id(value.source)] = change(value.source)
                value = replace(value, source=made[id(value.source)])
            edits.append((name, value, where))
        return edits

    def _value_count(self) -> int:
        """The numbers that its edits hold."""
        return sum(_count_of(value, self._model._now().levels) for _, value, _ in self._edits)

    def _scenario(self, rows: int, seed: int, draws: int = 0) -> Scenario:
        def drawn(value: Any, place: int) -> Any:
            if isinstance(value, Change) and is_distribution(value.amount):
                return replace(value, amount=drawn(value.amount, place))
            if not is_distribution(value):
                return value
            values = value.rvs(size=draws or rows, random_state=np.random.default_rng([seed, place, 1]))    # not those of default_rng(0)
            return np.resize(values, rows) if np.ndim(values) == 1 else values      # every scenario of a batch meets the same chances

        given = self._with_sources(lambda source: source._scenario(rows, seed, draws))
        edits = [(name, drawn(value, place), where) for place, (name, value, where) in enumerate(given)]
        return Scenario(edits, self._model.variables, self._model._now().levels, rows)

    def _simulated(self, rows: int, member: int | None, seed: int | None, draws: int = 0, wanted: int | None = None) -> NDArray[np.float64]:
        """New rows, (rows, variables). Members meet chances of their own, so that these average out."""
        now, start = self._model._now(), self._model.seed if seed is None else checked_seed(seed)
        scenario, values = self._scenario(rows, start, draws), np.empty((rows, len(self._model.variables)))
        mask = None if wanted is None else (np.arange(values.shape[1]) == wanted).astype(np.uint8)
        scenario.run(
            library.causal_structural_model_sample, now.handle.address, scenario.handle.address, _ALL_MEMBERS if member is None else member,
            (start + (member or 0)) % (1 << 64), draws, None if mask is None else address(mask), address(values), *values.shape)
        return values

    def _count(self) -> int | None:
        """The number of scenarios that this one stands for; None for one."""
        return one_of([*(len(part) for _, value, where in self._edits for part in (*_amounts(value), where) if _is_one_a_row(part)),
                        *(source._count() for source in self._sources())])

    def _parts(self, count: int, draws: int) -> list[slice]:
        """So many scenarios of so many rows in batches that fit into memory."""
        step = max(1, _AT_ONCE // (draws * len(self._model.variables)))
        return [slice(first, min(first + step, count)) for first in range(0, count, step)]

    def _part(self, part: slice, draws: int) -> Self:
        """Some of its scenarios, each for so many rows."""
        def repeat(value: Any) -> Any:
            return np.repeat(np.asarray(value)[part], draws) if _is_one_a_row(value) else value

        levels = self._model._now().levels
        def part_of(value: Any, name: str) -> Any:
            if isinstance(value, Change):
                return replace(value, amount=repeat(value.amount))
            if isinstance(value, Policy):
                return value._with(repeat)
            return setting(repeat(code_of(value, name, levels))) if _is_one_a_row(value) else value

        edits = self._with_sources(lambda source: source._part(part, draws))
        return type(self)(self._model, [(name, part_of(value, name), repeat(where)) for name, value, where in edits])

    def _given(self, known: NDArray[np.float64]) -> Self:
        """The same where the variables that rows tell have those values."""
        edits = self._with_sources(lambda source: source._given(known))
        return type(self)(self._model, [*edits, *edits_given(known, self._edits, self._model.graph)])

    def _one_counterfactual(self, factual: NDArray[np.float64], member: int, seed: int) -> NDArray[np.float64]:
        """For one member and one possibility of the noise."""
        scenario, answer = self._scenario(len(factual), self._model.seed), np.empty(factual.shape)
        scenario.run(
            library.causal_structural_model_counterfactual, self._model._now().handle.address, address(factual), None, scenario.handle.address, member,
            seed, None, address(answer), *factual.shape)
        return answer


def amount_of(value: Any) -> Any:
    return value.amount if isinstance(value, Change) else value


def _amounts(value: Any) -> list[Any]:
    return value._amounts() if isinstance(value, Policy) else [amount_of(value)]


def _count_of(value: Any, levels: Levels) -> int:
    """The numbers of an edit that a gradient reaches."""
    if isinstance(value, Policy):
        return value._count(levels)
    if isinstance(value, Change) and not value.has_gradient or callable(value):
        return 0
    amount = amount_of(value)
    return len(amount) if _is_one_a_row(amount) else 1


def _is_one_a_row(value: Any) -> bool:
    return value is not None and not callable(value) and not is_distribution(value) and np.ndim(value) > 0


def one_of(counts: Sequence[int | None]) -> int | None:
    """The one number that these are, where they are numbers."""
    told = sorted({count for count in counts if count is not None})
    if len(told) > 1:
        raise ShapeError(f"do: values of {told} entries, expected equally many, one a scenario or one a row")
    return told[0] if told else None
