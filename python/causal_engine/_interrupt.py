"""Ctrl-C that no finalizer can swallow."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """Yields a check that raises the KeyboardInterrupt which Python dropped because it came up in a finalizer."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: None
        return
    heard = False

    def hear(number: int, frame: Any) -> Any:
        nonlocal heard
        heard = True
        return before(number, frame)

    def check() -> None:
        if heard and before is signal.default_int_handler:
            raise KeyboardInterrupt

    try:
        signal.signal(signal.SIGINT, hear)
        yield check
    finally:
        try:
            signal.signal(signal.SIGINT, before)
        finally:        # a Ctrl-C may have come before it
            signal.signal(signal.SIGINT, before)
