"""Functions of variables, which are the policies, changes and conditions of a scenario: which variables they read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from .errors import ArgumentError, UnknownNameError, shown
from .features import unknown


def reads_of(function: Any, variables: Sequence[str], own: str | None = None) -> list[str]:
    """The variables that a function reads: those that its arguments are called after. An argument with a default keeps that.

    Parameters
    ----------
    own
        The variable whose value is the first argument, whatever that is called.
    """
    first = [] if own is None else [own]
    told = getattr(function, "reads", None)
    if told is not None:
        names = [*first, *told]
    else:
        names = first + _arguments(function, own)[len(first):]
    for name in names:
        if name not in variables:
            called = getattr(function, "__name__", shown(function))
            raise UnknownNameError(unknown("variable", name, variables, "the graph") + f"; it is an argument of {called}")
    return names


def _arguments(function: Any, own: str | None) -> list[str]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):         # of some functions written in C
        if own is not None:
            return [own]
        raise _unclear(function) from None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        raise _unclear(function)
    positional = [parameter for parameter in parameters if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    return [parameter.name for k, parameter in enumerate(positional) if parameter.default is parameter.empty or (own is not None and k == 0)]


def _unclear(function: Any) -> ArgumentError:
    return ArgumentError(f"{getattr(function, '__name__', shown(function))} does not say which variables it reads, expected a function whose "
                         "arguments are called after them, or reading(...) of their names")


def reading(*variables: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Says which variables a function reads, where their names are no identifiers.

    Examples
    --------
    >>> policy = reading("blood pressure")(lambda pressure: pressure > 140)
    """
    for variable in variables:
        if not isinstance(variable, str):
            raise ArgumentError(f"reading: {shown(variable)}, expected names of variables")

    def note(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: NDArray[Any]) -> Any:
            return function(*arguments)

        call.reads = variables  # type: ignore[attr-defined]
        call.__name__ = getattr(function, "__name__", "function")
        return call

    return note
