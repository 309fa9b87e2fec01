"""What the scikit-learn estimators have in common: parameters, units, interventions. Only `estimators` imports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator  # type: ignore[import-untyped]
from sklearn.utils import assert_all_finite, check_random_state  # type: ignore[import-untyped]
from sklearn.utils.validation import check_is_fitted, validate_data  # type: ignore[import-untyped]

from ._doubts import Doubts
from ._intervened_estimator import IntervenedEstimator
from ._plain import PlainMLP
from ._scale import Columns, Scale
from ._sites import Interventions, Site, sites_of, taken
from .errors import InvalidValueError, ShapeError

if TYPE_CHECKING:
    from .history import History
    from .loss_functions import CausalLosses


class Estimator(BaseEstimator):  # type: ignore[misc]
    """The common base of `CausalMLPRegressor` and `CausalMLPClassifier`."""

    model_: PlainMLP
    feature_scale_: Scale
    target_scale_: Scale
    history_: History
    n_features_in_: int

    def __init__(
        self, hidden_dims: Sequence[int] = (16, 16), *, activation: str = "relu", dtype: Any = "float32", optimizer: str = "adam",
        lr: float = 0.01, epochs: int = 100, batch_size: int | None = 32, patience: int | None = None,
        validation_fraction: float = 0.1, clip_grad: float | None = None, schedule: str = "constant", weight_decay: float = 0.0,
        momentum: float = 0.0, step_size: int = 30, step_factor: float = 0.1, random_state: Any = None, dag: Any = None,
    ) -> None:
        self.hidden_dims = hidden_dims
        self.activation = activation
        self.dtype = dtype
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.clip_grad = clip_grad
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.step_size = step_size
        self.step_factor = step_factor
        self.random_state = random_state
        self.dag = dag

    # ------------------------------------------------------------ learning

    def _train(
        self, X: Columns, y: NDArray[Any], interventions: Interventions | None, do_mask: Any, do_values: Any,
        loss: str | CausalLosses, outputs: Scale, classes: NDArray[Any] | None = None,
    ) -> None:
        """Trains a new model on X (rows, features) and y as the loss takes it, whose scale `outputs` the answers will have.
        Nothing is set before the training is done."""
        random = check_random_state(self.random_state)
        obeyed = {} if self.dag is None else self._obeyed(X.shape[1], classes)
        model = PlainMLP(
            X.shape[1], self.hidden_dims, len(outputs.mean), self.activation, self.dtype, seed=int(random.randint(2**31 - 1)), **obeyed)
        doubts = Doubts(len(model.layers))
        deeper = self._sites(model, X, interventions, do_mask, do_values, doubts)
        X = self._edited(X, deeper.pop(0, None))
        doubts.warn(type(self).__name__)
        features = Scale.of(X)      # of the rows held out too: they only tell when to stop
        X = features.standardized(X)
        deeper = _standardized(deeper, model, outputs)
        order = random.permutation(len(X)) if self.patience is not None else np.arange(len(X))
        held, rows = np.split(order, [self._held_out(len(X))])
        model.fit(
            X[rows], y[rows], taken(deeper, rows), loss=loss, optimizer=self.optimizer, lr=self.lr, epochs=self.epochs,
            batch_size=self.batch_size, validation_data=(X[held], y[held], taken(deeper, held)) if len(held) else None,
            patience=self.patience, clip_grad=self.clip_grad, schedule=self.schedule, weight_decay=self.weight_decay,
            progress=False, momentum=self.momentum, step_size=self.step_size, step_factor=self.step_factor)
        assert model.history is not None
        self.model_, self.history_ = model, model.history
        self.feature_scale_, self.target_scale_ = features, outputs

    def _obeyed(self, features: int, classes: NDArray[Any] | None) -> dict[str, Any]:
        """The graph, and which of its variables the features are. A classifier has an output for each class, with the parents of the one variable that
        is left."""
        names = self._names()
        if classes is None:
            return {"dag": self.dag, "feature_names": names}
        from ._mlp_graph import MLPGraph
        from .graph import Graph

        given = MLPGraph.of(self.dag, features, 1, names)
        variables = given.graph.variables
        left = [name for number, name in enumerate(variables) if number not in given.features]
        if len(left) != 1 or len(given.features) != features:
            raise ShapeError(f"dag: a graph of {len(variables)} variables for {features} features and a class, expected {features + 1}")
        chosen = [variables[number] for number in given.features]
        logits = [f"{left[0]} = {label}" for label in classes]
        edges = [(parent, logit) for parent in given.graph.parents(left[0]) for logit in logits]
        return {"dag": Graph(edges, [*chosen, *logits]), "feature_names": chosen}

    def _held_out(self, rows: int) -> int:
        """How many rows serve as validation data."""
        if self.patience is None:
            return 0
        if not 0 <= self.validation_fraction < 1:
            raise InvalidValueError(f"validation_fraction is {self.validation_fraction}, expected 0 or more and less than 1")
        return min(round(rows * self.validation_fraction), rows - 1)

    # ------------------------------------------------------------ answering

    def _answer(self, X: Any, interventions: Interventions | None, do_mask: Any, do_values: Any) -> Columns:
        """The outputs (rows, outputs) in the units of y."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite=False)
        deeper = self._sites(self.model_, X, interventions, do_mask, do_values)
        X = self._edited(X, deeper.pop(0, None))
        last = deeper.pop(len(self.model_.layers), None)
        inputs = self.feature_scale_.standardized(X)
        # The engine sums a row alone in another order. scikit-learn's users expect an answer that does not depend on a row's company, to the bit.
        outputs = self.model_(np.repeat(inputs, 2, axis=0) if len(inputs) == 1 else inputs, deeper)[:len(inputs)]
        y = self.target_scale_.in_units(outputs.astype(np.float64))
        return y if last is None else np.where(last[0], last[1], y)

    def do(self, values: Mapping[Any, Any] | None = None, /, where: Any = None, **more: Any) -> IntervenedEstimator:
        """The fitted estimator under do(), by names or numbers of features; call it with X.

        Parameters
        ----------
        values
            Values by feature name or column number, in the feature's units; each one number, or (rows,).
        where
            (rows,), not zero where the features are set; None for all rows.
        **more
            Values for names that are identifiers. A feature called "where" goes into `values`.

        Returns
        -------
        IntervenedEstimator
            With `predict`, which a call does too, and for a classifier `predict_proba`.

        Raises
        ------
        UnknownNameError
            No such feature; it is a KeyError. The text shows near matches.
        """
        check_is_fitted(self)
        return IntervenedEstimator(self, values, more, where, self._names())

    # ------------------------------------------------------------ interventions

    def _names(self) -> tuple[str, ...] | None:
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else tuple(names)

    def _sites(
        self, model: PlainMLP, X: Columns, interventions: Interventions | None, do_mask: Any, do_values: Any,
        doubts: Doubts | None = None,
    ) -> dict[int, Site]:
        sites = sites_of(interventions, do_mask, do_values, model.network.site_widths, len(X), self._names(), doubts, X)
        for mask, values in sites.values():
            assert_all_finite(np.where(mask, values, 0.0), input_name="do_values")
        if model._sets_outputs_again and 0 in sites:
            # The outputs are the same variables: what is set is what comes out.
            mask, values = sites[0]
            own_mask, own_values = sites.get(last := len(model.layers), (np.zeros_like(mask), values))
            mask, own_mask, values, own_values = np.broadcast_arrays(mask, own_mask, values, own_values)
            sites[last] = mask | own_mask, np.where(own_mask, own_values, values)
        return sites

    def _edited(self, X: Columns, site: Site | None) -> Columns:
        """X with what is set in place of what was measured, which may have been NaN. At the features that is all that do() means,
        so that what is left for the engine are the deeper layers; and it is what the features' scale is of."""
        if site is not None:
            X = np.where(*site, X)
        assert_all_finite(X, input_name="X", estimator_name=type(self).__name__)
        return X


def _standardized(sites: Mapping[int, Site], model: PlainMLP, outputs: Scale) -> dict[int, Site]:
    """A value set at the output is in the units of y; hidden units have no units."""
    last = len(model.layers)
    return {site: (mask, outputs.standardized(values) if site == last else values) for site, (mask, values) in sites.items()}
