"""What a layer remembers of the interventions it saw."""

from __future__ import annotations

from collections import deque
from ctypes import string_at
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import FLOAT32, FLOAT64
from ._intervention import Edit


class _Entry(NamedTuple):
    """A copy of an edit's bytes, which become arrays for whoever asks: a call takes no longer than a copy does."""

    mask: bytes
    values: bytes
    value_rows: int
    width: int
    is_shared: bool

    def arrays(self) -> dict[str, NDArray[Any]]:
        shape = self.width if self.is_shared else (-1, self.width)
        return {"mask": np.frombuffer(self.mask, np.uint8).reshape(shape) != 0,
                "values": np.frombuffer(self.values, self._dtype).reshape(shape).copy()}

    @property
    def _dtype(self) -> np.dtype[Any]:
        return FLOAT32 if len(self.values) == 4 * self.value_rows * self.width else FLOAT64


class InterventionLog:
    """The last interventions that a layer saw. Threads add to it without waiting for each other.

    It keeps copies: what a caller does with a mask afterwards changes nothing here. An entry of more than a mebibyte pushes out
    all older ones.
    """

    LENGTH = 16
    LARGE = 1 << 20

    __slots__ = ("_entries", "_last")

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=self.LENGTH)
        self._last: _Entry | None = None

    def add(self, edit: Edit | None) -> None:
        if edit is None:
            self._last = None
            return
        _, width, _, mask_address, mask_rows, _, value_address, value_rows, value_bytes, _ = edit
        mask, values = string_at(mask_address, mask_rows * width), string_at(value_address, value_bytes)
        self._last = entry = _Entry(mask, values, value_rows, width, mask_rows == 1 == value_rows)
        if len(mask) + len(values) > self.LARGE:
            self._entries.clear()
        self._entries.append(entry)

    def info(self) -> dict[str, NDArray[Any] | None]:
        """The intervention of the last call; None where there was none."""
        last = self._last
        return {"mask": None, "values": None} if last is None else {**last.arrays()}

    def history(self) -> list[dict[str, NDArray[Any]]]:
        """The last interventions, oldest first."""
        return [entry.arrays() for entry in self._entries.copy()]
