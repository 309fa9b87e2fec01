"""How many threads one call may use."""

from __future__ import annotations

from ._arrays import size
from ._bindings import library, read_size


def set_threads(threads: int) -> None:
    """Lets one call use up to this many threads, 1 to 1024. Results are the same to the bit for every number.

    Examples
    --------
    >>> before = get_threads()
    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(before)
    """
    library.causal_set_threads(size(threads, "threads"))


def get_threads() -> int:
    """How many threads one call may use: what `set_threads` said, or CAUSAL_THREADS, or else the number of processors."""
    return read_size(library.causal_get_threads)
