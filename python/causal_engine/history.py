"""What happened during a fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Epoch(NamedTuple):
    """One pass over the training rows.

    Attributes
    ----------
    loss
        Mean over the training batches, each before its step.
    validation_loss
        At the end of the epoch, of the validation data; without any, but with `patience`, of the training data; otherwise NaN.
    learning_rate
        Of its steps.
    seconds
        It took.
    """

    loss: float
    validation_loss: float
    learning_rate: float
    seconds: float


class History(Sequence[Epoch]):
    """The epochs of one `fit` in order, and how it ended. `fit` makes it.

    A sequence of `Epoch`; the columns `loss`, `validation_loss`, `learning_rate` and `seconds` are arrays of one number an epoch.

    Attributes
    ----------
    state
        "running", "finished", "stopped early" (the best weights are back), "interrupted" or "diverged".

    Examples
    --------
    >>> history = History([Epoch(2.0, 2.5, 0.01, 0.1), Epoch(1.0, 1.5, 0.01, 0.1)], "finished")
    >>> history
    History(2 epochs, finished, loss 1, validation loss 1.5)
    >>> history[-1].loss, history.loss
    (1.0, array([2., 1.]))
    >>> history.best_epoch
    1
    """

    def __init__(self, epochs: Sequence[Epoch] = (), state: str = "running") -> None:
        self._epochs = list(epochs)
        self.state = state

    def __len__(self) -> int:
        return len(self._epochs)

    @overload
    def __getitem__(self, index: int) -> Epoch: ...
    @overload
    def __getitem__(self, index: slice) -> History: ...
    def __getitem__(self, index: int | slice) -> Epoch | History:
        if isinstance(index, slice):
            return History(self._epochs[index], self.state)
        return self._epochs[index]

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self._epochs)

    def _extend(self, epochs: Sequence[Epoch]) -> None:
        self._epochs.extend(epochs)

    @property
    def loss(self) -> NDArray[np.float64]:
        """(epochs,), the mean over the training batches of each epoch, each before its step."""
        return self._column("loss")

    @property
    def validation_loss(self) -> NDArray[np.float64]:
        """(epochs,), at the end of each; NaN where nothing was validated."""
        return self._column("validation_loss")

    @property
    def learning_rate(self) -> NDArray[np.float64]:
        """(epochs,), that of the steps of each."""
        return self._column("learning_rate")

    @property
    def seconds(self) -> NDArray[np.float64]:
        """(epochs,), how long each took."""
        return self._column("seconds")

    def _column(self, name: str) -> NDArray[np.float64]:
        return np.array([getattr(epoch, name) for epoch in self._epochs], np.float64)

    @property
    def best_epoch(self) -> int | None:
        """Index of the epoch of the lowest validation loss, or training loss without validation data; None before the first."""
        column = self.validation_loss
        if not len(column) or np.isnan(column).any():
            column = self.loss
        return int(column.argmin()) if len(column) else None

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws training and validation loss over the epochs, on a logarithmic axis where they allow one.

        Parameters
        ----------
        ax
            To draw on; by default a new figure of matplotlib's, which must be installed.

        Returns
        -------
        matplotlib.axes.Axes
            What was drawn on.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
        epochs = np.arange(1, len(self) + 1)
        ax.plot(epochs, self.loss, color="#2a6f97", label="training")
        columns = [self.loss]
        if len(self) and not np.isnan(self.validation_loss).all():
            ax.plot(epochs, self.validation_loss, color="#e07a2f", label="validation")
            columns.append(self.validation_loss)
            ax.legend(frameon=False)
        if all((column > 0).all() for column in columns):
            ax.set_yscale("log")
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    def __eq__(self, other: object) -> bool:
        # Two runs are the same run if they took different times.
        if not isinstance(other, History):
            return NotImplemented
        return len(self) == len(other) and all(
            np.array_equal(a[:3], b[:3], equal_nan=True) for a, b in zip(self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        parts = [f"{len(self)} epoch{'' if len(self) == 1 else 's'}", self.state]
        if self._epochs:
            last: Any = self._epochs[-1]
            parts.append(f"loss {last.loss:.4g}")
            if not math.isnan(last.validation_loss):
                parts.append(f"validation loss {last.validation_loss:.4g}")
        return f"History({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """A table of at most ten rows, for notebooks."""
        step = max(1, math.ceil(len(self) / 9))
        shown = sorted({*range(0, len(self), step), *range(max(0, len(self) - 1), len(self))})
        rows = "".join(
            f"<tr><td>{i + 1}</td>" + "".join(f"<td>{number:.4g}</td>" for number in self._epochs[i]) + "</tr>" for i in shown)
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in ("epoch", *Epoch._fields))
        return f"<table><caption>{len(self)} epochs, {self.state}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
