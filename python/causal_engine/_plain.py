"""A model of the plain kind wherever torch has been imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .causal_unit import CausalMLP, CausalUnit

if TYPE_CHECKING:
    from typing_extensions import Self


class _Plain:
    def __new__(cls, *_: Any, **__: Any) -> Self:
        return object.__new__(cls)


class _PlainUnit(_Plain, CausalUnit):
    """A layer of a `PlainMLP`."""


class PlainMLP(_Plain, CausalMLP):
    """A `CausalMLP` that is never a torch Module: not when it is made, copied or unpickled beside torch.

    A scikit-learn estimator holds it. What `fit` finds must depend on the estimator's `random_state` and its data alone, and not on
    whether somebody imported torch before.
    """

    _unit: ClassVar[type[CausalUnit]] = _PlainUnit

    def _doubts(self) -> None:
        """The estimator has looked at all rows, in the user's units; here are some of them, standardised."""
