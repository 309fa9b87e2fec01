"""What `do` of an estimator gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from ._sites import Site, column_of, set_columns
from .errors import InvalidValueError, shown
from .features import told


class IntervenedEstimator:
    """A fitted estimator under do(): call it with X. `CausalMLPRegressor.do` and `CausalMLPClassifier.do` make it.

    Attributes
    ----------
    estimator
        The estimator, which stays as it is.
    """

    def __init__(
        self, estimator: Any, values: Mapping[Any, Any] | None, more: Mapping[str, Any], where: Any, names: Sequence[str] | None,
    ) -> None:
        self.estimator = estimator
        self._told = told(values, more)
        self._where = where
        self._columns: dict[int, tuple[Any, Any]] = {}
        for key, value in self._told.items():
            column = column_of(key, names, estimator.n_features_in_)
            if column in self._columns:
                raise InvalidValueError(f"do: column {column} is set twice")
            self._columns[column] = True if where is None else where, value

    def predict(self, X: Any) -> NDArray[Any]:
        """What the estimator predicts for X (rows, features) under do()."""
        answer: NDArray[Any] = self.estimator.predict(X, self._by_layer(X))
        return answer

    __call__ = predict

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """A classifier's probabilities (rows, classes) for X (rows, features) under do()."""
        answer: NDArray[Any] = self.estimator.predict_proba(X, self._by_layer(X))
        return answer

    def _by_layer(self, X: Any) -> dict[int, Site]:
        return {0: set_columns(self._columns, self.estimator.n_features_in_, len(X))}

    def __repr__(self) -> str:
        values = ", ".join(f"{shown(key) if not isinstance(key, str) else key}={shown(value)}" for key, value in self._told.items())
        return f"{self.estimator!r}.do({values}{'' if self._where is None else ', where=...'})"
