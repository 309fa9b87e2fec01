"""What a graph says about data that nobody has seen yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._arrays import size
from ._bindings import library
from ._graph import NumberedGraph


class GraphQuestions:
    """The base of `Graph` that answers questions about sets of variables, each a variable or a list of them.

    All of them raise `UnknownNameError` for a variable that does not exist and `InvalidValueError` for one that is in two sets.
    """

    __slots__ = ()

    _graph: NumberedGraph

    def is_separated(self, x: Any, y: Any, given: Any = ()) -> bool:
        """Whether the graph makes x independent of y given other variables, in every distribution it can have.

        That is d-separation (Pearl 1988), and where there are hidden causes m-separation (Richardson 2003).

        Examples
        --------
        >>> from causal_engine import Graph
        >>> graph = Graph([("rain", "wet"), ("sprinkler", "wet"), ("wet", "slippery")])
        >>> graph.is_separated("rain", "sprinkler"), graph.is_separated("rain", "sprinkler", given="slippery")
        (True, False)
        """
        return self._graph.answer(
            library.causal_graph_is_separated, self._numbers(x), self._numbers(y), self._numbers(given))

    def is_back_door_set(self, variables: Any, treatment: Any, outcome: Any) -> bool:
        """Whether variables meet the back-door criterion (Pearl 1995), so that adjusting for them gives the effect.

        They must include no descendant of a treatment, and block all paths to the outcomes that begin with an arrow into a treatment;
        several treatments block each other's (Maathuis and Colombo 2015), and what is asked for is their joint effect.

        Examples
        --------
        >>> from causal_engine import Graph
        >>> graph = Graph([("age", "dose"), ("age", "outcome"), ("dose", "outcome")])
        >>> graph.is_back_door_set("age", "dose", "outcome"), graph.is_back_door_set([], "dose", "outcome")
        (True, False)
        """
        return self._graph.answer(
            library.causal_graph_is_back_door_set, self._numbers(variables), self._numbers(treatment), self._numbers(outcome))

    def back_door_set(self, treatment: Any, outcome: Any, observed: Any = None) -> list[str] | None:
        """Variables that meet the back-door criterion and of which none can be left out.

        Of several such sets it is the one nearest to the outcome.

        Parameters
        ----------
        treatment, outcome
            A variable or several.
        observed
            The variables that may be used. None: all.

        Returns
        -------
        list of names
            [] where nothing need be adjusted for, None where no set will do.

        Examples
        --------
        >>> from causal_engine import Graph
        >>> graph = Graph([("age", "dose"), ("age", "weight"), ("weight", "outcome"), ("dose", "outcome")])
        >>> graph.back_door_set("dose", "outcome"), graph.back_door_set("dose", "outcome", observed=["age"])
        (['weight'], ['age'])
        """
        return next(iter(self.back_door_sets(treatment, outcome, observed, 1)), None)

    def back_door_sets(self, treatment: Any, outcome: Any, observed: Any = None, limit: int = 100) -> list[list[str]]:
        """All such sets for `treatment` and `outcome` among the `observed` variables, `back_door_set` first, but no more than `limit`: there may
        be exponentially many."""
        allowed = None if observed is None else self._numbers(observed)
        sets = self._graph.back_door_sets(self._numbers(treatment), self._numbers(outcome), allowed, size(limit, "limit"))
        return [self._named(found) for found in sets]

    def is_identified(self, treatment: Any, outcome: Any) -> bool:
        """Whether P(outcome | do(treatment)) follows from observations, for every model with this graph.

        Without hidden causes it always does. Decided by Tian and Pearl's algorithm (2002), which is complete (Huang and Valtorta
        2006).

        Examples
        --------
        >>> from causal_engine import Graph
        >>> Graph([("dose", "outcome")], confounded=[("dose", "outcome")]).is_identified("dose", "outcome")
        False
        """
        return self._graph.answer(library.causal_graph_is_identified, self._numbers(treatment), self._numbers(outcome))

    def confounded_mechanisms(self, treatment: Any, outcome: Any, counterfactual: bool = False) -> list[str]:
        """What stands in the way of simulating do(treatment) one mechanism after the other, each learned from its own parents.

        Of the descendants of the treatments that are an outcome or still cause one: those that share a hidden cause with one of their
        ancestors, whose dependence on their parents is therefore not causal alone; and those that share one with another such
        variable or with another cause of the outcome, as their noises are not independent. The second are no obstacle to a
        `counterfactual`, which keeps the noises of a given row.

        Where the list is not empty, the effect may still be identified in another way: see `is_identified`, `back_door_set`.

        Examples
        --------
        >>> from causal_engine import Graph
        >>> Graph([("dose", "effect"), ("effect", "outcome")], confounded=[("dose", "outcome")]).confounded_mechanisms("dose", "outcome")
        ['outcome']
        """
        return self._named(
            self._graph.confounded_mechanisms(self._numbers(treatment), self._numbers(outcome), not counterfactual))

    def districts(self) -> list[list[str]]:
        """The groups of variables that hidden causes connect (c-components, Tian and Pearl 2002), most of them alone.

        Examples
        --------
        >>> from causal_engine import Graph
        >>> Graph([("a", "b")], ["a", "b", "c"], confounded=[("a", "c")]).districts()
        [['a', 'c'], ['b']]
        """
        groups: dict[int, list[int]] = {}
        for number, first in enumerate(self._graph.districts()):
            groups.setdefault(first, []).append(number)
        return [self._named(group) for group in groups.values()]

    def _numbers(self, variables: Any) -> list[int]:
        raise NotImplementedError

    def _named(self, numbers: Iterable[int]) -> list[str]:
        raise NotImplementedError
