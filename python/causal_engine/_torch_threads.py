"""The threads that torch has, for the engine to use too."""

from __future__ import annotations

import ctypes
import multiprocessing
import os

from ._bindings import library
from ._kinds import PROCESS


def borrow() -> None:
    """Has the engine do much work on torch's OpenMP threads, where these can be had: after each operation of torch they keep their processors for
    milliseconds, and threads of the engine would wait for them."""
    # A process that was forked has those of its parent in its books, and would wait for them for ever.
    if os.getpid() == PROCESS and multiprocessing.parent_process() is None:
        parallel = getattr(ctypes.CDLL(None), "GOMP_parallel", None)
        if parallel is not None:
            library.causal_lend_threads(ctypes.cast(parallel, ctypes.c_void_p))
