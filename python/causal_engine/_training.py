"""The loop of `fit`: the engine trains in slices of 50 ms, and between them Python shows progress and hears Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_int, c_size_t
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _bindings
from ._arrays import address, dtype_code, flag, number, numbers, seed, size, text
from ._bindings import Dataset, Handle, OptimizerOptions, TrainerOptions, library
from ._doubts import Doubts
from ._interrupt import interrupts
from ._intervention import Interventions, edits_of, intervention_handle
from ._loss import typed_loss_handle
from .errors import ArgumentError, BusyError, DivergenceError, InvalidValueError, ShapeError, shown
from .features import in_order, names_in
from .history import Epoch, History

if TYPE_CHECKING:
    from ._network import Network
    from .loss_functions import CausalLosses
    from .model import CausalModel

SLICE = 0.05    # seconds

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
        self.intervention = intervention_handle(edits, dtype_code(network.dtype))
        self.dataset = Dataset(
            dtype=dtype_code(network.dtype), x=address(self.x), y=address(self.y), rows=len(self.x),
            x_columns=self.x.shape[1], y_columns=self.y.shape[1],
            intervention=None if self.intervention is None else self.intervention.address)
        if len(self.y) != len(self.x):
            raise ShapeError(f"{name}: x of shape {self.x.shape} and y of shape {self.y.shape} differ in rows")
        if doubts is not None and self.x.shape[1] == network.inputs:
            doubts.see(self.x, edits)


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


class Training:
    """One fit under way. Without `training`, the rows come batch by batch to `run`."""

    def __init__(
        self, model: CausalModel, training: Rows | None, validation: Rows | None, *, loss: str | CausalLosses,
        optimizer: OptimizerOptions, epochs: Any, batch_size: Any, patience: Any, schedule: Any, step_size: Any, step_factor: float,
        order: int, shuffle: Any,
    ) -> None:
        self.model = model
        self.epochs = size(epochs, "epochs")
        self.history = History()
        self._kept = training, validation, model._flat      # the engine borrows them
        self._loss = _loss(loss)
        options = TrainerOptions(
            loss=self._loss.address, optimizer=optimizer, epochs=self.epochs,
            batch_size=0 if batch_size is None else size(batch_size, "batch_size"),
            patience=0 if patience is None else size(patience, "patience"),
            schedule=text(schedule, "schedule"), step_epochs=size(step_size, "step_size"),
            step_factor=number(step_factor, "step_factor"), seed=seed(order), keeps_order=not flag(shuffle, "shuffle"))
        self._trainer = Handle(
            library.causal_trainer_create, library.causal_trainer_free, model.network.handle.address, model._address,
            None if training is None else byref(training.dataset), None if validation is None else byref(validation.dataset), byref(options))

    def run(self, progress: bool, batches: Iterator[Rows | None] | None = None) -> History:
        """Trains to the end, or until Ctrl-C, or until it diverges; the history says which, and is complete in each case.

        `batches` end each epoch with None.
        """
        state = c_int(_bindings.RUNNING)
        try:
            with self._bar(progress) as bar, interrupts() as check:
                while state.value == _bindings.RUNNING:
                    self._advance(state, batches)
                    check()
                    self._read_history()
                    if bar is not None:
                        self._show(bar)
        except KeyboardInterrupt:
            state.value = _bindings.CANCELLED
            raise
        except DivergenceError:
            state.value = _bindings.DIVERGED
            raise
        finally:
            self._read_history()
            self.history.state = _STATES[state.value]
            self._trainer.close()
        return self.history

    def _advance(self, state: c_int, batches: Iterator[Rows | None] | None) -> None:
        """About a slice of time further."""
        if batches is None:
            self._when_free(library.causal_trainer_run, SLICE, byref(state))
            return
        until = time.monotonic() + SLICE
        while state.value == _bindings.RUNNING and time.monotonic() < until:
            batch = next(batches)
            if batch is None:
                self._when_free(library.causal_trainer_end_epoch, byref(state))
            else:
                self._when_free(library.causal_trainer_learn, byref(batch.dataset), byref(state))

    def _when_free(self, function: Any, *arguments: Any) -> None:
        while True:
            try:
                function(self._trainer.address, *arguments)
                return
            except BusyError:
                time.sleep(0.001)       # another thread is predicting with this model; nothing has happened

    def _read_history(self) -> None:
        done = len(self.history)
        count = c_size_t()
        library.causal_trainer_history(self._trainer.address, 0, None, 0, byref(count))
        epochs = (_bindings.Epoch * (count.value - done))()
        library.causal_trainer_history(self._trainer.address, done, epochs, len(epochs), byref(count))
        self.history._extend([Epoch(e.loss, e.validation_loss, e.learning_rate, e.seconds) for e in epochs])

    @contextmanager
    def _bar(self, progress: bool) -> Iterator[Any]:
        if not progress:
            yield None
            return
        from tqdm import tqdm

        form = "{desc}{percentage:3.0f}%|{bar}| {n:.4g}/{total} epochs [{elapsed}<{remaining}{postfix}]"
        with tqdm(total=self.epochs, desc=type(self.model).__name__, bar_format=form) as bar:
            yield bar

    def _show(self, bar: Any) -> None:
        epoch, done, rows = c_size_t(), c_size_t(), c_size_t()
        library.causal_trainer_progress(self._trainer.address, byref(epoch), byref(done), byref(rows))
        bar.n = round(epoch.value + done.value / max(rows.value, 1), 2)
        if self.history:
            last = self.history[-1]
            losses = {"loss": f"{last.loss:.4g}"}
            if not np.isnan(last.validation_loss):
                losses["validation"] = f"{last.validation_loss:.4g}"
            bar.set_postfix(losses, refresh=False)
        bar.refresh()
