"""The loop of `fit`: the engine trains in slices of 50 ms, and between them Python shows progress and hears Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from ctypes import byref, c_int, c_size_t
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _bindings
from ._arrays import address, dtype_code, flag, number, numbers, size, text
from ._bindings import Dataset, Handle, OptimizerOptions, TrainerOptions, library
from ._doubts import Doubts
from ._interrupt import interrupts
from ._intervention import Interventions, edits_of, intervention_handle
from ._loss import typed_loss_handle
from ._progress import SLICE, bar
from .errors import ArgumentError, BusyError, DivergenceError, InvalidValueError, ShapeError, shown
from .features import in_order, names_in
from .history import Epoch, History

if TYPE_CHECKING:
    from ._network import Network
    from .loss_functions import CausalLosses
    from .model import CausalModel

MOST_READ = 64  # epochs at once

_STATES = {
    _bindings.RUNNING: "running",
    _bindings.FINISHED: "finished",
    _bindings.STOPPED_EARLY: "stopped early",
    _bindings.CANCELLED: "interrupted",
    _bindings.DIVERGED: "diverged",
}


class Rows:
    """Rows to learn from, as the engine takes them. It keeps everything alive that the engine looks at. `doubts` are shown them."""

    def __init__(
        self, network: Network, names: Sequence[str] | None, x: Any, y: Any, interventions: Interventions | None, name: str,
        doubts: Doubts | None = None,
    ) -> None:
        self.x = numbers(in_order(x, names), network.dtype, f"{name}: x")
        self.y = numbers(y, network.dtype, f"{name}: y")
        if self.x.ndim != 2:
            raise ShapeError(f"{name}: x of shape {self.x.shape}, expected (rows, {network.inputs})")
        if self.y.ndim == 1:
            self.y = self.y.reshape(-1, 1)      # one output, or class indices
        if self.y.ndim != 2:
            raise ShapeError(f"{name}: y of shape {self.y.shape}, expected ({len(self.x)}, {network.outputs})")
        edits = edits_of(interventions, network.site_widths, len(self.x), network.dtype, names or names_in(x))
        if len(self.y) != len(self.x):
            raise ShapeError(f"{name}: x of shape {self.x.shape} and y of shape {self.y.shape} differ in rows")
        self.intervention = intervention_handle(edits, dtype_code(network.dtype))
        self.dataset = Dataset(
            dtype=dtype_code(network.dtype), x=address(self.x), y=address(self.y), rows=len(self.x),
            x_columns=self.x.shape[1], y_columns=self.y.shape[1],
            intervention=None if self.intervention is None else self.intervention.address)
        if doubts is not None and self.x.shape[1] == network.inputs:
            doubts.see(self.x, edits)


class SomeRows(Rows):
    """Some of them, by their numbers, under what they were under; none is copied."""

    def __init__(self, rows: Rows, numbers: NDArray[np.intp]) -> None:
        self._kept = rows, numbers
        self.dataset = Dataset.from_buffer_copy(rows.dataset)
        self.dataset.selection, self.dataset.selected = address(numbers), len(numbers)


def optimizer_options(method: Any, lr: float, momentum: float, weight_decay: float, clip_grad: float | None) -> OptimizerOptions:
    """Options of an optimiser; what is not named is as in torch.optim."""
    clip_norm = 0.0 if clip_grad is None else number(clip_grad, "clip_grad")
    if clip_grad is not None and not clip_norm > 0:
        raise InvalidValueError(f"clip_grad is {clip_grad}, expected more than 0, or None")
    written = text(method, "optimizer")
    if method != "sgd" and number(momentum, "momentum") != 0:
        raise InvalidValueError(f"momentum is {momentum} with {shown(method)}, expected it with 'sgd' only")
    return OptimizerOptions(
        method=written, learning_rate=number(lr, "lr"), momentum=number(momentum, "momentum"),
        beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=number(weight_decay, "weight_decay"),
        clip_norm=clip_norm)


def _loss(loss: str | CausalLosses) -> Handle:
    if isinstance(loss, str):
        return typed_loss_handle("standard", loss, name="loss")
    total = None if isinstance(loss, type) else getattr(loss, "_total", None)
    if total is None:
        raise ArgumentError(f"loss is {shown(loss)}, expected 'mse', 'mae', 'cross_entropy' or a CausalLosses")
    handle: Handle = total()
    return handle


class TrainingOptions:
    """How to learn: the options of `fit`, checked as far as the engine does not, for any number of trainers."""

    def __init__(
        self, *, loss: str | CausalLosses, optimizer: str, lr: float, momentum: float, weight_decay: float, clip_grad: float | None,
        epochs: Any, batch_size: Any, patience: Any, schedule: Any, step_size: Any, step_factor: float, shuffle: Any,
    ) -> None:
        self.epochs = size(epochs, "epochs")
        self._loss = _loss(loss)
        self._options = TrainerOptions(
            loss=self._loss.address, optimizer=optimizer_options(optimizer, lr, momentum, weight_decay, clip_grad), epochs=self.epochs,
            batch_size=0 if batch_size is None else size(batch_size, "batch_size"),
            patience=0 if patience is None else size(patience, "patience"),
            schedule=text(schedule, "schedule"), step_epochs=size(step_size, "step_size"),
            step_factor=number(step_factor, "step_factor"), keeps_order=not flag(shuffle, "shuffle"))

    def with_order(self, order: int) -> TrainerOptions:
        """With the seed of the order of the rows, until the next call."""
        self._options.seed = order
        return self._options


class Training:
    """One fit under way. Without `training`, the rows come batch by batch to `run`. `order` is the seed of the order of the rows."""

    def __init__(self, model: CausalModel, training: Rows | None, validation: Rows | None, options: TrainingOptions, order: int) -> None:
        self.model = model
        self.epochs = options.epochs
        self.history = History()
        self._kept = training, validation, model._flat      # the engine borrows them
        self.trainer = Handle(
            library.causal_trainer_create, library.causal_trainer_free, model.network.handle.address, model._address,
            None if training is None else byref(training.dataset), None if validation is None else byref(validation.dataset),
            byref(options.with_order(order)))

    def run(self, progress: bool, batches: Iterator[Rows | None] | None = None) -> History:
        """Trains to the end, or until it diverges, or until Ctrl-C or another exception; the history says which, and is complete in each case.

        `batches` end each epoch with None.
        """
        state = c_int(_bindings.RUNNING)
        try:
            with bar(progress, type(self.model).__name__, self.epochs, "epochs") as shown, interrupts() as check:
                while state.value == _bindings.RUNNING:
                    self._advance(state, batches)
                    check()
                    self._read_history()
                    if shown is not None:
                        self._show(shown)
        except DivergenceError:
            state.value = _bindings.DIVERGED
            raise
        except BaseException:       # Ctrl-C, or rows that could not be had
            state.value = _bindings.CANCELLED
            raise
        finally:
            self.end(state.value)
        return self.history

    def end(self, state: int) -> None:
        """Completes the history, and gives back what the engine holds, unless that was done before."""
        if self.trainer.is_open:
            self._read_history()
            self.history.state = _STATES[state]
            self.trainer.close()

    def _advance(self, state: c_int, batches: Iterator[Rows | None] | None) -> None:
        """About a slice of time further."""
        if batches is None:
            when_free(library.causal_trainer_run, self.trainer.address, SLICE, byref(state))
            return
        until = time.monotonic() + SLICE
        while state.value == _bindings.RUNNING and time.monotonic() < until:
            batch = next(batches)
            if batch is None:
                when_free(library.causal_trainer_end_epoch, self.trainer.address, byref(state))
            else:
                when_free(library.causal_trainer_learn, self.trainer.address, byref(batch.dataset), byref(state))

    def _read_history(self) -> None:
        count = c_size_t(len(self.history) + 1)
        while len(self.history) < min(count.value, self.epochs):
            done = len(self.history)
            epochs = (_bindings.Epoch * min(self.epochs - done, MOST_READ))()
            library.causal_trainer_history(self.trainer.address, done, epochs, len(epochs), byref(count))
            self.history._extend([Epoch(e.loss, e.validation_loss, e.learning_rate, e.seconds) for e in epochs[:count.value - done]])

    def epochs_done(self) -> float:
        """With the share of the one under way that is done, where it is known."""
        epoch, done, rows = c_size_t(), c_size_t(), c_size_t()
        library.causal_trainer_progress(self.trainer.address, byref(epoch), byref(done), byref(rows))
        return epoch.value + done.value / max(rows.value, 1)

    def _show(self, shown: Any) -> None:
        shown.n = round(self.epochs_done(), 2)
        if self.history:
            last = self.history[-1]
            losses = {"loss": f"{last.loss:.4g}"}
            if not np.isnan(last.validation_loss):
                losses["validation"] = f"{last.validation_loss:.4g}"
            shown.set_postfix(losses, refresh=False)
        shown.refresh()


def when_free(function: Any, *arguments: Any) -> None:
    """Calls a function of the library that needs a model alone, as soon as nobody is predicting with it."""
    while True:
        try:
            function(*arguments)
            return
        except BusyError:
            time.sleep(0.001)       # nothing has happened
