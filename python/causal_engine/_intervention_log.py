"""What a layer remembers of the interventions it saw."""

from __future__ import annotations

from collections import deque
from typing import Any

from numpy.typing import NDArray

from ._intervention import Edit


class InterventionLog:
    """The last interventions that a layer saw. Threads add to it without waiting for each other.

    It keeps copies: what a caller does with a mask afterwards changes nothing here. An entry of more than a mebibyte pushes out
    all older ones.
    """

    LENGTH = 16
    LARGE = 1 << 20

    __slots__ = ("entries", "last")

    def __init__(self) -> None:
        self.entries: deque[dict[str, NDArray[Any]]] = deque(maxlen=self.LENGTH)
        self.last: dict[str, NDArray[Any]] | None = None

    def add(self, edit: Edit | None) -> None:
        if edit is None:
            self.last = None
            return
        shared = len(edit.mask) == 1 and len(edit.values) == 1
        mask, values = (edit.mask[0], edit.values[0]) if shared else (edit.mask, edit.values)
        entry = {"mask": mask != 0, "values": values.copy()}
        self.last = entry
        if mask.nbytes + values.nbytes > self.LARGE:
            self.entries.clear()
        self.entries.append(entry)

    def info(self) -> dict[str, NDArray[Any] | None]:
        last = self.last
        return {"mask": None, "values": None} if last is None else dict(last)
