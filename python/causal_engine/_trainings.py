"""Many fits as one call of the engine, each a piece of work for its threads; between slices of it Python shows progress and hears Ctrl-C."""

from __future__ import annotations

import math
from collections.abc import Sequence
from ctypes import c_int, c_void_p
from itertools import takewhile
from typing import Any

import numpy as np

from . import _bindings
from ._bindings import library
from ._interrupt import interrupts
from ._progress import SLICE, bar
from ._training import Training, when_free
from .errors import CausalError

MOST_NAMED = 8


class Trainings:
    """Fits under way, of models that share no weights."""

    def __init__(self, trainings: Sequence[Training]) -> None:
        self._trainings = trainings
        self._go_on_with(list(range(len(trainings))))
        self._failed: list[int] = []
        self._first_failure: tuple[int, CausalError] | None = None

    def _go_on_with(self, running: list[int]) -> None:
        self._running, self._states = running, (c_int * len(running))()

    def run(self, progress: bool) -> None:
        """Trains all to their ends, or until Ctrl-C; the history of each says which, and is complete. One that fails leaves the others alone,
        and is told of when all are over."""
        try:
            with bar(progress, "fit_all", len(self._trainings), "models") as shown, interrupts() as check:
                while self._running:
                    self._advance()
                    check()
                    self._end_those_over()
                    if shown is not None:
                        self._show(shown)
        finally:
            for k, state in zip(self._running, self._states):
                self._trainings[k].end(_bindings.CANCELLED if state == _bindings.RUNNING else state)
        if self._first_failure is not None:
            k, error = self._first_failure
            which = "" if len(self._failed) == 1 else f", models[{k}] first"
            raise type(error)(f"{_named(sorted(self._failed))} failed{which}: {error}; the history of each model says how it ended")

    def _advance(self) -> None:
        """About a slice of time further."""
        addresses = (c_void_p * len(self._running))(*(self._trainings[k].trainer.address for k in self._running))
        try:
            when_free(library.causal_trainer_run_all, addresses, len(addresses), SLICE, self._states)
        except CausalError as error:
            failed = [k for k, state in zip(self._running, self._states) if state in (_bindings.DIVERGED, _bindings.CANCELLED)]
            if not failed:
                raise       # nothing has happened
            self._failed += failed
            if self._first_failure is None:
                why = str(error).partition(": ")[2]     # it begins with the number among those that were running
                self._first_failure = failed[0], type(error)(why)

    def _end_those_over(self) -> None:
        for k, state in zip(self._running, self._states):
            if state != _bindings.RUNNING:
                self._trainings[k].end(state)
        self._go_on_with([k for k, state in zip(self._running, self._states) if state == _bindings.RUNNING])

    def _show(self, shown: Any) -> None:
        # They begin in order: beyond one that has not begun, none has.
        begun = takewhile(bool, (self._trainings[k].epochs_done() / self._trainings[k].epochs for k in self._running))
        shown.n = round(len(self._trainings) - len(self._running) + sum(begun), 2)
        last = [training.history[-1] for training in self._trainings if training.history]
        losses = {"median loss": f"{np.median([epoch.loss for epoch in last]):.4g}"} if last else {}
        if last and not math.isnan(last[0].validation_loss):
            losses["validation"] = f"{np.median([epoch.validation_loss for epoch in last]):.4g}"
        shown.set_postfix(losses, refresh=False)
        shown.refresh()


def _named(numbers: Sequence[int]) -> str:
    names = [f"models[{k}]" for k in numbers[:MOST_NAMED]]
    if len(numbers) > MOST_NAMED:
        names.append(f"{len(numbers) - MOST_NAMED} more")
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
