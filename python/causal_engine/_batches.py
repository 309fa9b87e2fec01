"""Training data that comes batch by batch, and targets by the names of their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from .errors import ArgumentError, InvalidValueError, UnknownNameError, shown
from .features import names_in


def target_names(y: Any) -> list[str] | None:
    """The columns that y names; None where y is numbers, or nothing."""
    if isinstance(y, str):
        return [y]
    if isinstance(y, (list, tuple)) and y and all(isinstance(name, str) for name in y):
        return list(y)
    return None


def is_frame(data: Any) -> bool:
    """Whether this is one table with named columns: a data frame, or Arrow's."""
    return names_in(data) is not None or hasattr(data, "column_names")


def split(frame: Any, targets: Sequence[str], features: Sequence[str] | None) -> tuple[Any, Any]:
    """x and y of a frame that holds both: a data frame, or a table or record batch of Arrow."""
    columns = names_in(frame) or getattr(getattr(frame, "schema", None), "names", None)
    if columns is None:
        raise ArgumentError(f"x is {type(frame).__name__}, expected a frame with columns, since y names {shown(list(targets))}")
    wanted = list(features) if features is not None else [name for name in columns if name not in targets]
    for name in (*targets, *wanted):
        if name not in columns:
            raise UnknownNameError(f"no column of x is named {shown(name)}, expected one of {shown(list(columns))}")
    if hasattr(frame, "column_names"):      # Arrow
        return Columns(frame, wanted), Columns(frame, targets)
    return frame[wanted], frame[list(targets)]


class Columns:
    """Some columns of an Arrow table or record batch, as an array with names."""

    def __init__(self, table: Any, names: Sequence[str]) -> None:
        self.table = table
        self.columns = list(names)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.column_stack([np.asarray(self.table.column(name), dtype) for name in self.columns])

    def __getitem__(self, names: Sequence[str]) -> Columns:
        return Columns(self.table, names)


class Batches:
    """Batches that can be gone through once an epoch: each (x, y), (x, y, interventions), or a frame where `targets` names y."""

    def __init__(self, source: Iterable[Any] | Callable[[], Iterable[Any]], targets: Sequence[str] | None, epochs: int) -> None:
        if not callable(source) and not isinstance(source, Iterable):
            raise ArgumentError(f"x is {shown(source)} without y, expected batches (x, y): a list, a DataLoader, a function that begins them")
        if isinstance(source, Iterator) and epochs > 1:
            raise InvalidValueError(
                f"x is {type(source).__name__}, which ends after one epoch, and epochs is {epochs}: expected a list, a DataLoader, or a "
                "function that begins the batches again")
        self._source = source
        self._targets = targets

    def __len__(self) -> int:
        """0 where it is not known."""
        return len(self._source) if isinstance(self._source, Sized) else 0

    def epoch(self, features: Callable[[], Sequence[str] | None]) -> Iterator[tuple[Any, Any, Any]]:
        """The batches from the first on. `features` are those known when a batch comes."""
        for k, batch in enumerate(self._source() if callable(self._source) else self._source):
            if self._targets is not None:
                yield *split(batch, self._targets, features()), None
            elif isinstance(batch, (tuple, list)) and len(batch) in (2, 3):
                yield batch[0], batch[1], batch[2] if len(batch) == 3 else None
            else:
                raise ArgumentError(f"batch {k} is {type(batch).__name__}, expected (x, y) or (x, y, interventions)")
