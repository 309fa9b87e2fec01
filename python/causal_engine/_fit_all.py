"""Many models trained as one call."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrays import any_array, numbers
from ._training import Rows, SomeRows, Training, TrainingOptions
from ._trainings import Trainings
from .errors import ArgumentError, CausalError, InvalidValueError, ShapeError, shown, warn
from .model import CausalModel, Lesson

if TYPE_CHECKING:
    from ._doubts import Doubts
    from ._intervention import Interventions
    from .history import History
    from .loss_functions import CausalLosses

_WHOLE = np.dtype(np.intp)


def fit_all(
    models: Sequence[CausalModel], x: Any, y: Any, interventions: Interventions | None = None, loss: str | CausalLosses = "mse",
    optimizer: str = "adam", lr: float = 0.01, epochs: int = 100, batch_size: int | None = 32, validation_data: Any = None,
    patience: int | None = None, clip_grad: float | None = None, schedule: str = "constant", weight_decay: float = 0.0,
    seed: int | Sequence[int | None] | None = None, progress: bool = True, momentum: float = 0.0, step_size: int = 30,
    step_factor: float = 0.1, shuffle: bool = True, *, rows: Sequence[Any] | None = None, validation_rows: Sequence[Any] | None = None,
) -> list[History]:
    """Trains many models as one call, on as many threads as are in use: an ensemble, the bootstrap, cross-validation.

    Each learns what `CausalModel.fit` with the same arguments would have taught it, to the bit; several of them learn at the same time.

    Parameters
    ----------
    models
        To train, each with weights of its own; their sizes and dtypes may differ as far as they can read the same data.
    x, y, interventions
        As for `fit`, but no batches. All models read the same.
    loss, optimizer, lr, epochs, batch_size, validation_data, patience, clip_grad, schedule, weight_decay, momentum, step_size, step_factor, shuffle
        As for `fit`, for all models.
    seed
        Of the order of the rows, as for `fit`: None for one that follows from each model's own seed; a number for all models, which then see
        the same rows in the same order; or a number or None for each.
    progress
        Show a bar: models that are done, and the median of their losses.
    rows
        For each model the numbers of the rows that it learns from, or a mask of (rows,); None for all rows. A number may be there more than
        once. That is how data differ from model to model, since resampling, cross-validation and one model for each group of rows all choose
        among the same rows; ``random.integers(len(x), size=(len(models), len(x)))`` is the bootstrap. No row is copied.
    validation_rows
        Likewise the rows of x, y and `interventions` that serve model by model in place of `validation_data`.

    Returns
    -------
    list of History
        In the order of the models; each model has its own as `history` too.

    Raises
    ------
    ShapeError, InvalidValueError, UnknownNameError, StateError, BusyError
        As for `fit`, beginning with the number of the model concerned. The same model twice, or two that share weights. Nothing was
        learned.
    DivergenceError
        Models met a loss or a weight that is not finite; the text names them. All others have learned to their ends, and these have the weights that
        `fit` would have left. The histories are those of the models: `state` is "diverged" in some.

    Warns
    -----
    CausalWarning
        Where interventions are most likely not what was meant; once for all models.

    Notes
    -----
    Ctrl-C ends all: models that were done have what they learned, others the weights that they had reached, and some have not begun.
    `history` tells of each.

    Examples
    --------
    The bootstrap: how certain is the effect of setting x1 to 1 instead of 0?

    >>> import numpy as np
    >>> from causal_engine import CausalMLP, fit_all
    >>> random = np.random.default_rng(0)
    >>> x = random.normal(size=(200, 2))
    >>> y = x[:, 0] - x[:, 1] + 0.5 * random.normal(size=200)
    >>> models = [CausalMLP(2, [], 1, seed=k, feature_names=["x1", "x2"]) for k in range(50)]
    >>> histories = fit_all(models, x, y, epochs=50, rows=random.integers(200, size=(50, 200)), progress=False)
    >>> {history.state for history in histories}
    {'finished'}
    >>> effects = [np.mean(model.do(x1=1)(x) - model.do(x1=0)(x)) for model in models]
    >>> print(f"{np.mean(effects):.2f} +- {np.std(effects):.2f}")
    0.97 +- 0.04
    """
    models = _checked(models)
    options = TrainingOptions(
        loss=loss, optimizer=optimizer, lr=lr, momentum=momentum, weight_decay=weight_decay, clip_grad=clip_grad, epochs=epochs,
        batch_size=batch_size, patience=patience, schedule=schedule, step_size=step_size, step_factor=step_factor, shuffle=shuffle)
    if y is None:
        raise ArgumentError("y is None, expected all rows at once: batches are for the fit of one model")
    if validation_data is not None and validation_rows is not None:
        raise ArgumentError("validation_data beside validation_rows, expected one of them")
    seeds: list[Any] = _one_for_each(seed, models, "seed") if _is_for_each(seed) else [seed] * len(models)
    own = None if rows is None else _one_for_each(rows, models, "rows")
    others = None if validation_rows is None else _one_for_each(validation_rows, models, "validation_rows")
    reading = _Reading(x, y, interventions, validation_data)
    lessons, trainings = [], []
    k, fit = 0, object()
    letting_go = map(dict.pop, [model._changes.fits for model in models], repeat(fit), repeat(None))
    try:
        try:
            for k, model in enumerate(models):
                model._hold(fit)
            for k, model in enumerate(models):
                lesson = reading.by(model)
                learned = lesson.rows if own is None else _taken(lesson.rows, own[k], f"rows[{k}]")
                validation = lesson.validation if others is None else _taken(lesson.rows, others[k], f"validation_rows[{k}]")
                lessons.append(lesson)
                trainings.append(Training(model, learned, validation, options, model._order(seeds[k])))
        except CausalError as error:
            raise type(error)(f"models[{k}]: {error}") from error
        reading.warn()
        for model, lesson, training in zip(models, lessons, trainings):
            model._begin(lesson.feature_names, lesson.target_names, training.history)
        try:
            Trainings(trainings).run(progress)
        finally:
            for model in models:
                model._publish()
    finally:
        list(letting_go)        # one call that no signal interrupts
    return [training.history for training in trainings]


class _Reading:
    """The data, read once for all models that read alike."""

    def __init__(self, x: Any, y: Any, interventions: Interventions | None, validation_data: Any) -> None:
        self._data = x, y, interventions, validation_data
        self._read: dict[tuple[Any, ...], tuple[Lesson, Doubts | None]] = {}

    def by(self, model: CausalModel) -> Lesson:
        found = self._read.get(model._reader)
        if found is None:
            doubts = model._doubts()
            found = self._read[model._reader] = model._lesson(*self._data, doubts), doubts
        return found[0]

    def warn(self) -> None:
        """Says once what is odd about them."""
        texts = (text for _, doubts in self._read.values() if doubts is not None for text in doubts.about("training data"))
        for text in dict.fromkeys(texts):
            warn(text)


def _checked(models: Any) -> list[CausalModel]:
    """Models no two of which have a weight in common."""
    try:
        given = list(models)
    except TypeError:
        raise ArgumentError(f"models is {shown(models)}, expected a list of models") from None
    owners: dict[int, int] = {}
    for k, model in enumerate(given):
        if not isinstance(model, CausalModel):
            raise ArgumentError(f"models[{k}] is {shown(model)}, expected a CausalMLP, a CausalUnit or a CausalLayerRewiring")
        for part in model._shareable():
            first = owners.setdefault(id(part), k)
            if first != k:
                what = "is the same model as" if model is given[first] else "shares weights with"
                raise InvalidValueError(f"models[{k}] {what} models[{first}], expected each to have its own weights")
    return given


def _is_for_each(seed: Any) -> bool:
    try:
        operator.index(seed)
    except TypeError:
        return seed is not None
    return False


def _one_for_each(given: Any, models: Sequence[CausalModel], name: str) -> list[Any]:
    try:
        each = list(given)
    except TypeError:
        raise ArgumentError(f"{name} is {shown(given)}, expected one for each of the {len(models)} models") from None
    if len(each) != len(models):
        raise ShapeError(f"{name}: {len(each)} given, expected {len(models)}, one for each model")
    return each


def _taken(rows: Rows, given: Any, name: str) -> Rows:
    """The rows that a caller chose by numbers or by a mask."""
    chosen, count = any_array(given, name), len(rows.x)
    if chosen.dtype == np.bool_:
        if chosen.shape != (count,):
            raise ShapeError(f"{name}: a mask of shape {chosen.shape}, expected ({count},)")
        chosen = np.flatnonzero(chosen)
    if chosen.ndim != 1 or not len(chosen):
        raise ShapeError(f"{name} of shape {chosen.shape}, expected the numbers of one row or more")
    if chosen.dtype.kind not in "iu":
        raise ArgumentError(f"{name} holds {chosen.dtype}, expected whole numbers")
    least, most = chosen.min(), chosen.max()
    if least < 0 or most >= count:
        beyond = least if least < 0 else most
        raise InvalidValueError(f"{name} holds {beyond}, expected numbers of rows from 0 to {count - 1}")
    return SomeRows(rows, numbers(chosen, _WHOLE, name))
