"""`CausalMLP` as scikit-learn estimators. Only this module and its base import sklearn, and nobody imports them unasked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

try:
    from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin  # type: ignore[import-untyped]
    from sklearn.metrics import accuracy_score, r2_score  # type: ignore[import-untyped]
    from sklearn.utils.multiclass import check_classification_targets  # type: ignore[import-untyped]
    from sklearn.utils.validation import validate_data  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(
        "CausalMLPRegressor and CausalMLPClassifier need scikit-learn 1.6 or newer: pip install causal-engine[sklearn]") from error

from ._estimator import Estimator
from ._scale import Scale
from .errors import InvalidValueError

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._sites import Interventions
    from .loss_functions import CausalLosses

__all__ = ["CausalMLPClassifier", "CausalMLPRegressor"]


class CausalMLPRegressor(RegressorMixin, MultiOutputMixin, Estimator):  # type: ignore[misc]
    """A `CausalMLP` as a scikit-learn regressor, for one output or several.

    It standardises features and targets inside; X, y, the values that interventions set and the predictions are all in the
    user's units. Hidden units have no units: what is set there is the number that the standardised network sees.

    Parameters
    ----------
    hidden_dims, activation, dtype
        As of `CausalMLP`.
    loss
        "mse", "mae" or a `CausalLosses`, of the standardised targets: where there are several, each counts alike.
    optimizer, lr, epochs, batch_size, patience, clip_grad, schedule, weight_decay, momentum, step_size, step_factor
        As of `CausalMLP.fit`.
    validation_fraction
        Where patience is given, the fraction of the rows that is held out to stop by; 0 to stop by the training rows.
    dag
        A graph that the network obeys, over the features and what is predicted: an output depends on its parents and on nothing else. As of `CausalMLP`:
        the columns of a data frame are found by their names and the outputs are the variables that are left, or those of all features are outputs too,
        and do() then sets both. A classifier's one variable left is the class.
    random_state
        Of the initial weights, the order of the rows and those held out: a whole number, a `numpy.random.RandomState`, or None.

    Attributes
    ----------
    model_
        The `CausalMLP`, which takes standardised features; `feature_scale_` and `target_scale_` are the way there and back.
    history_
        The `History` of the fit.

    Notes
    -----
    scikit-learn cuts arrays of (rows, ...) into folds together with X, and leaves alone what is inside a dict. So in
    `cross_val_score` and `GridSearchCV` masks per row are given as `do_mask` and `do_values`:
    `cross_val_score(estimator, X, y, params={"do_mask": mask, "do_values": values})`. Under
    `sklearn.set_config(enable_metadata_routing=True)` the estimator is to ask for them, with
    `estimator.set_fit_request(do_mask=True, do_values=True)` and, where the held-out rows were under interventions too, with
    `set_score_request` alike. Behind a transformer in a `Pipeline`, values are in the units that come out of it.

    Examples
    --------
    y = 3 dose + age; half of the rows are of an experiment that set the dose to 2, whatever dose is on record.

    >>> import numpy as np
    >>> from causal_engine import CausalMLPRegressor
    >>> X = np.random.default_rng(0).normal([5, 40], [2, 10], (400, 2))
    >>> treated = np.arange(400) < 200
    >>> y = 3 * np.where(treated, 2, X[:, 0]) + X[:, 1]
    >>> estimator = CausalMLPRegressor(hidden_dims=[], random_state=0)
    >>> estimator = estimator.fit(X, y, do_mask=np.outer(treated, [1, 0]), do_values=[2, 0])
    >>> estimator.predict([[4.0, 30.0]]).round(1), estimator.do({0: 1.0})([[4.0, 30.0]]).round(1)
    (array([42.]), array([33.]))

    With a data frame: `estimator.fit(frame, y, interventions={"dose": (treated, 2.0)})` and `estimator.do(dose=1.0)(frame)`.
    """

    def __init__(
        self, hidden_dims: Sequence[int] = (16, 16), *, loss: str | CausalLosses = "mse", activation: str = "relu",
        dtype: Any = "float32", optimizer: str = "adam", lr: float = 0.01, epochs: int = 100, batch_size: int | None = 32,
        patience: int | None = None, validation_fraction: float = 0.1, clip_grad: float | None = None, schedule: str = "constant",
        weight_decay: float = 0.0, momentum: float = 0.0, step_size: int = 30, step_factor: float = 0.1, random_state: Any = None, dag: Any = None,
    ) -> None:
        super().__init__(
            hidden_dims, activation=activation, dtype=dtype, optimizer=optimizer, lr=lr, epochs=epochs, batch_size=batch_size,
            patience=patience, validation_fraction=validation_fraction, clip_grad=clip_grad, schedule=schedule,
            weight_decay=weight_decay, momentum=momentum, step_size=step_size, step_factor=step_factor, random_state=random_state, dag=dag)
        self.loss = loss

    def fit(
        self, X: Any, y: Any, interventions: Interventions | None = None, do_mask: Any = None, do_values: Any = None,
    ) -> Self:
        """Trains a new model.

        Parameters
        ----------
        X
            (rows, features). An entry that an intervention sets may be NaN.
        y
            (rows,) or (rows, outputs), seen under the interventions.
        interventions
            `{layer: (do_mask, do_values)}` as `CausalMLP` takes them, with masks and values of (width,) or (rows, width); or
            `{name: (rows, value)}`, where value, one number or (rows,), is set in the rows, (rows,), that are not zero.
        do_mask, do_values
            (rows, features): the same as `interventions={0: (do_mask, do_values)}`, for scikit-learn to cut into folds.

        Raises
        ------
        ValueError
            Of scikit-learn's kind: X, y or what is set is not finite, or not of a shape that fits.
        ShapeError, InvalidValueError, UnknownNameError
            Interventions or parameters that do not fit. The estimator stays as it was.

        Warns
        -----
        CausalWarning
            Where interventions are most likely not what was meant: see there.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=False, multi_output=True, y_numeric=True)
        if isinstance(self.loss, str) and self.loss == "cross_entropy":
            raise InvalidValueError("loss is 'cross_entropy', expected 'mse', 'mae' or a CausalLosses; use CausalMLPClassifier")
        targets = y.reshape(len(y), -1).astype(np.float64)
        scale = Scale.of(targets)
        self._train(X, scale.standardized(targets), interventions, do_mask, do_values, self.loss, scale)
        self._is_flat = y.ndim == 1
        return self

    def predict(
        self, X: Any, interventions: Interventions | None = None, do_mask: Any = None, do_values: Any = None,
    ) -> NDArray[np.float64]:
        """y (rows,) or (rows, outputs), as `fit` saw it, for X (rows, features) under interventions. `interventions`, `do_mask` and
        `do_values` are given as to `fit`."""
        y = self._answer(X, interventions, do_mask, do_values)
        return y[:, 0] if self._is_flat else y

    def score(
        self, X: Any, y: Any, sample_weight: Any = None, interventions: Interventions | None = None, do_mask: Any = None,
        do_values: Any = None,
    ) -> float:
        """The coefficient of determination of `predict` for X (rows, features) and y, where `sample_weight` (rows,) is given a weighted
        one. `interventions`, `do_mask` and `do_values` are given as to `fit`."""
        return float(r2_score(y, self.predict(X, interventions, do_mask, do_values), sample_weight=sample_weight))


class CausalMLPClassifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    """A `CausalMLP` as a scikit-learn classifier, for two classes or more, by cross-entropy.

    Labels may be of any type. There is one output (a logit) a class, in the order of `classes_`. For features, interventions and
    parameters see `CausalMLPRegressor`, which has the same except for `loss`.

    Attributes
    ----------
    classes_
        The labels, sorted.
    model_, feature_scale_, history_
        As of `CausalMLPRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> from causal_engine import CausalMLPClassifier
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> y = np.where(X[:, 0] > 0, "ill", "well")
    >>> estimator = CausalMLPClassifier(random_state=0).fit(X, y)
    >>> estimator.predict([[2.0, 0.0]]), estimator.do({0: -2.0}).predict([[2.0, 0.0]])
    (array(['ill'], dtype='<U4'), array(['well'], dtype='<U4'))
    """

    classes_: NDArray[Any]

    def fit(
        self, X: Any, y: Any, interventions: Interventions | None = None, do_mask: Any = None, do_values: Any = None,
    ) -> Self:
        """Trains a new model on X (rows, features) and labels y (rows,), which were seen under the interventions. `interventions`, `do_mask`
        and `do_values`, and errors, are those of `CausalMLPRegressor.fit`."""
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=False)
        check_classification_targets(y)
        classes, indices = np.unique(y, return_inverse=True)
        self._train(X, indices.astype(np.float64), interventions, do_mask, do_values, "cross_entropy", Scale.none(len(classes)), classes)
        self.classes_ = classes
        return self

    def predict(
        self, X: Any, interventions: Interventions | None = None, do_mask: Any = None, do_values: Any = None,
    ) -> NDArray[Any]:
        """The most probable labels (rows,) for X (rows, features) under interventions. `interventions`, `do_mask` and `do_values` are
        given as to `fit`."""
        logits = self._answer(X, interventions, do_mask, do_values)
        labels: NDArray[Any] = self.classes_[logits.argmax(axis=1)]
        return labels

    def predict_proba(
        self, X: Any, interventions: Interventions | None = None, do_mask: Any = None, do_values: Any = None,
    ) -> NDArray[np.float64]:
        """The probabilities (rows, classes) of `classes_` for X (rows, features) under interventions. `interventions`, `do_mask` and
        `do_values` are given as to `fit`."""
        logits = self._answer(X, interventions, do_mask, do_values)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def score(
        self, X: Any, y: Any, sample_weight: Any = None, interventions: Interventions | None = None, do_mask: Any = None,
        do_values: Any = None,
    ) -> float:
        """The fraction of right labels of `predict` for X (rows, features) and y (rows,), where `sample_weight` (rows,) is given a
        weighted one. `interventions`, `do_mask` and `do_values` are given as to `fit`."""
        return float(accuracy_score(y, self.predict(X, interventions, do_mask, do_values), sample_weight=sample_weight))
