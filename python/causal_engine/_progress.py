"""Long work: the engine does a slice of it at a time, and between slices a bar shows how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SLICE = 0.05    # seconds


@contextmanager
def bar(progress: bool, name: str, total: float = 1.0, unit: str = "") -> Iterator[Any]:
    """A bar of `total` units, or without one of the share that is done; None where none is wanted."""
    if not progress:
        yield None
        return
    from tqdm import tqdm

    done = f" {{n:.4g}}/{{total}} {unit}" if unit else ""
    left = "{elapsed}<{remaining}{postfix}" if unit else "{elapsed}<{remaining}"
    with tqdm(total=total, desc=name, bar_format=f"{{desc}}{{percentage:3.0f}}%|{{bar}}|{done} [{left}]") as shown:
        yield shown
