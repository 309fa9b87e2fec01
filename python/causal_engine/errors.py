"""What can go wrong. Every error of the engine is a `CausalError`, and also the built-in exception that Python would raise. What
can be done, and was most likely not meant, is a `CausalWarning`."""

from __future__ import annotations

import sys
import warnings

__all__ = [
    "ArgumentError", "BusyError", "CausalError", "CausalWarning", "CheckpointError", "CycleError", "DTypeError", "DivergenceError",
    "HandleError", "InvalidValueError", "OutOfMemoryError", "ShapeError", "StateError", "UnknownNameError",
]


class CausalError(Exception):
    """Any error of the engine. Its text is one line: what was wrong, what was expected, and where."""

    # KeyError and OSError would show their argument in ways of their own.
    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ArgumentError(CausalError, TypeError):
    """An argument is missing, or is not an array, a name or whatever else was expected."""


class DTypeError(CausalError, TypeError):
    """An array of another kind of number than the model's."""


class ShapeError(CausalError, ValueError):
    """An array of another shape than expected."""


class InvalidValueError(CausalError, ValueError):
    """A number, option or text outside what is allowed."""


class UnknownNameError(CausalError, KeyError, ValueError):
    """A feature, layer or variable that does not exist."""


class CycleError(CausalError, ValueError):
    """A graph with a cycle where none is allowed; the text names the cycle."""


class CheckpointError(CausalError, ValueError, OSError):
    """A file that cannot be read or written, or is not a checkpoint."""


class OutOfMemoryError(CausalError, MemoryError, ValueError):
    """More memory than there is, or than a size can count."""


class StateError(CausalError, RuntimeError):
    """A call out of order, such as backward after the parameters changed."""


class BusyError(CausalError, RuntimeError):
    """Another thread is changing the same object."""


class HandleError(CausalError, RuntimeError):
    """An object that was closed."""


class DivergenceError(CausalError, ArithmeticError):
    """Training met a loss that is not finite, or a step after which a weight would not be. The model has the weights from before the step
    that led there, all finite; with `patience`, those of the end of the best epoch."""


class CausalWarning(UserWarning):
    """Something that the engine does as told, and that was most likely not meant. Its text is one line.

    - `fit`: a do_mask that sets nothing beside do_values that are then not used; do_values for each row that nobody seems to have
      filled in; outputs that are all set, so that there is nothing to learn.
    - `discover`: variances, or how well variables are predicted, give the order of the graph away.
    - `StructuralModel`: a graph that was discovered, and edges whose direction the data do not tell.
    - `do`: a value that is NaN in a row in which it is set.

    `warnings.filterwarnings("ignore", category=CausalWarning)` silences them, and "error" makes errors of them, before anything
    is learned.
    """


def warn(text: str) -> None:
    """A `CausalWarning` at the line that called this package."""
    package = __name__.partition(".")[0]
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(text, CausalWarning, level)


def shown(value: object) -> str:
    """Any value as a text shows it: on one line, and not too long."""
    try:
        line = " ".join(repr(value).split()) if not isinstance(value, str) else repr(value)
    except Exception:       # somebody's own repr, or a number of thousands of digits
        line = f"some {type(value).__name__}"
    return line if len(line) <= 120 else f"{line[:117]}..."


# causal_status in causal.h, from 1 on.
_BY_STATUS: tuple[type[CausalError], ...] = (
    ArgumentError, HandleError, BusyError, DTypeError, ShapeError, InvalidValueError, UnknownNameError, CycleError,
    CheckpointError, OutOfMemoryError, StateError, DivergenceError,
)


def error_for(status: int, message: str) -> CausalError:
    """The exception for a status of the library other than CAUSAL_OK."""
    kind = _BY_STATUS[status - 1] if 1 <= status <= len(_BY_STATUS) else CausalError
    return kind(message)
