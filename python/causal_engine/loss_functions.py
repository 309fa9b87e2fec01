"""Losses that know which numbers were set by do(), and metrics of causal effects."""

from __future__ import annotations

import sys
from typing import Any

from ._arrays import flag, mask_bytes, number
from ._bindings import Handle
from ._kinds import is_module, is_tensor
from ._loss import loss_handle, sum_handle, typed_loss_handle
from ._loss_evaluation import Evaluation
from .errors import ArgumentError, UnknownNameError, shown
from .model import CausalModel

_LOSSES = ("standard_loss", "causal_intervention_loss", "counterfactual_loss", "causal_consistency_loss",
           "causal_regularization_loss", "total_causal_loss", "independence_loss")


class CausalLosses:
    """Losses of predictions under interventions. Each method returns a float, and `value_and_grad` the gradient beside it; with
    torch tensors each returns a tensor that `backward()` works on.

    Arrays are of any kind and of any number of dimensions; one of shape (k,) stands for (1, k) where shapes are broadcast, as
    in numpy. The computation runs in float32 where all of them are float32, else in float64.

    Parameters
    ----------
    intervention_weight, counterfactual_weight
        Of the two terms of `total_causal_loss`.

    Raises
    ------
    ShapeError
        Of each method: predictions and targets of different shapes, such as (n, 1) against (n,), or a mask that does not broadcast;
        the text shows both.
    InvalidValueError
        Of each method: a `loss_type` that there is not.

    Examples
    --------
    >>> losses = CausalLosses(intervention_weight=1.0)
    >>> losses.standard_loss([[1.0], [2.0]], [[1.0], [4.0]])
    2.0
    >>> losses.causal_intervention_loss([[1.0], [2.0]], [[1.0], [4.0]], do_mask=[[0], [1]])
    0.0
    >>> losses.value_and_grad("standard_loss", [[1.0], [2.0]], [[1.0], [4.0]])
    (2.0, array([[ 0.],
           [-2.]]))
    """

    def __init__(self, intervention_weight: float = 1.0, counterfactual_weight: float = 0.5) -> None:
        self.intervention_weight = number(intervention_weight, "intervention_weight")
        self.counterfactual_weight = number(counterfactual_weight, "counterfactual_weight")

    def __repr__(self) -> str:
        return f"CausalLosses(intervention_weight={self.intervention_weight}, counterfactual_weight={self.counterfactual_weight})"

    def standard_loss(self, pred: Any, target: Any, loss_type: str = "mse") -> Any:
        """The mean over all entries.

        Parameters
        ----------
        pred
            Any shape; for "cross_entropy" logits (n, c).
        target
            The shape of pred; for "cross_entropy" class indices (n,).
        loss_type
            "mse", "mae" or "cross_entropy".

        Raises
        ------
        ShapeError
            Shapes that differ, such as (n, 1) and (n,); the text names both.
        InvalidValueError
            Another loss_type, or a class index that is none.
        """
        return self._standard_loss(pred, target, loss_type).value()

    def causal_intervention_loss(
        self, pred: Any, target: Any, do_mask: Any = None, ignore_intervened: bool = True, loss_type: str = "mse",
    ) -> Any:
        """The mean over the entries that do() left alone: what was set teaches nothing.

        With ``m = (do_mask == 0)``, broadcast as numpy does, it is ``sum(loss * m) / max(sum(m), 1)``, both sums over the
        broadcast shape: a mask (n, 3) against a prediction (n, 1) gives (n, 3). Cross-entropy is one loss a row, (n, 1).

        Parameters
        ----------
        pred, target, loss_type
            As in `standard_loss`.
        do_mask
            Non-zero where do() set the entry; (k,) stands for (n, k). Without it, this is the standard loss.
        ignore_intervened
            False: the standard loss.
        """
        return self._causal_intervention_loss(pred, target, do_mask, ignore_intervened, loss_type).value()

    def counterfactual_loss(self, pred_factual: Any, pred_counterfactual: Any, target_factual: Any, target_counterfactual: Any) -> Any:
        """Mean squared error of the factual pair plus that of the counterfactual pair.

        Parameters
        ----------
        pred_factual, target_factual
            (n, outputs), or of any other shape that is that of both.
        pred_counterfactual, target_counterfactual
            Likewise.
        """
        return self._counterfactual_loss(pred_factual, pred_counterfactual, target_factual, target_counterfactual).value()

    def causal_consistency_loss(self, pred_no_intervention: Any, pred_with_intervention: Any, do_mask: Any, do_values: Any) -> Any:
        """Mean squared error between `pred_with_intervention` and `do_values` over the intervened entries; 0 where there are none.

        Parameters
        ----------
        pred_no_intervention
            Accepted and not used.
        pred_with_intervention
            (n, outputs).
        do_mask, do_values
            Non-zero where do() set the entry, and to what; of a shape that broadcasts.
        """
        return self._causal_consistency_loss(pred_no_intervention, pred_with_intervention, do_mask, do_values).value()

    def causal_regularization_loss(self, model: Any, lambda_reg: float = 0.01) -> Any:
        """`lambda_reg` times the sum of the absolute values of all weights, not biases, of a `model` of this package, or of any
        torch.nn.Module. Of a Module it is a tensor, with gradients to the weights."""
        if is_module(model):
            from ._torch_loss import regularization

            return regularization(model, number(lambda_reg, "lambda_reg"))
        return self._causal_regularization_loss(model, lambda_reg).value()

    def total_causal_loss(
        self, pred: Any, target: Any, do_mask: Any = None, do_values: Any = None, pred_counterfactual: Any = None,
        target_counterfactual: Any = None, loss_type: str = "mse",
    ) -> Any:
        """`intervention_weight` times `causal_intervention_loss`, and, where both counterfactual arguments are given,
        `counterfactual_weight` times `counterfactual_loss` with (pred, target) as its factual pair.

        Parameters
        ----------
        pred, target, do_mask, loss_type
            As in `causal_intervention_loss`.
        do_values
            Accepted and not used.
        pred_counterfactual, target_counterfactual
            Of one shape; without one of them the second term is left out.
        """
        return self._total_causal_loss(pred, target, do_mask, do_values, pred_counterfactual, target_counterfactual, loss_type).value()

    def independence_loss(self, residuals: Any, causes: Any) -> Any:
        """How far residuals are from independent of the causes, as those of a right model are: the Hilbert-Schmidt criterion of Gretton, Bousquet, Smola
        and Schölkopf (2005), ``tr(K H L H) / (n - 1)**2`` with Gaussian kernels of standardised columns. It is 0 up to chance, about 1 / n, where they
        are, and larger whatever the dependence is. Of more than 512 rows it is the mean over blocks.

        Parameters
        ----------
        residuals
            (n, p); `value_and_grad` gives the gradient with respect to these, and a tensor passes on both.
        causes
            (n, q).

        Raises
        ------
        ShapeError
            Fewer than two rows, or another number of them; a column is (n, 1).
        """
        return self._independence_loss(residuals, causes).value()

    def value_and_grad(self, loss: str, *args: Any, **kwargs: Any) -> tuple[float, Any]:
        """A loss and its gradient.

        Parameters
        ----------
        loss
            The name of one of the methods above.
        *args, **kwargs
            Its arguments.

        Returns
        -------
        value : float
        gradient
            With respect to `pred`, of its shape; a pair, for the counterfactual prediction too, where one is among the
            arguments; for `causal_regularization_loss` a dict of gradients by the names of the model's parameters. Of the kind of
            array that they are gradients of.
        """
        if not isinstance(loss, str) or loss not in _LOSSES:
            raise UnknownNameError(f"there is no loss {shown(loss)}, expected one of {', '.join(_LOSSES)}")
        evaluation = getattr(self, "_" + loss)(*args, **kwargs)
        in_tensors = is_tensor(evaluation.prediction) or is_module(evaluation.model)
        value, arrays = evaluation.value_and_gradients()
        gradients = [sys.modules["torch"].from_numpy(array) if in_tensors else array for array in arrays]
        if evaluation.model is not None:
            return value, {tensor.name: tensor.view(gradients[0]) for tensor in evaluation.model.network.tensors}
        return value, gradients[0] if len(gradients) == 1 else tuple(gradients)

    # ------------------------------------------------------------ what each looks at

    def _standard_loss(self, pred: Any, target: Any, loss_type: str = "mse") -> Evaluation:
        return Evaluation(typed_loss_handle("standard", loss_type), pred, target, classes=loss_type == "cross_entropy")

    def _causal_intervention_loss(
        self, pred: Any, target: Any, do_mask: Any = None, ignore_intervened: bool = True, loss_type: str = "mse",
    ) -> Evaluation:
        handle = typed_loss_handle("intervention", loss_type, int(flag(ignore_intervened, "ignore_intervened")))
        return Evaluation(handle, pred, target, do_mask, classes=loss_type == "cross_entropy")

    def _counterfactual_loss(
        self, pred_factual: Any, pred_counterfactual: Any, target_factual: Any, target_counterfactual: Any,
    ) -> Evaluation:
        return Evaluation(loss_handle("counterfactual"), pred_factual, target_factual,
                          counterfactual_prediction=pred_counterfactual, counterfactual_target=target_counterfactual)

    def _causal_consistency_loss(
        self, pred_no_intervention: Any, pred_with_intervention: Any, do_mask: Any, do_values: Any,
    ) -> Evaluation:
        return Evaluation(loss_handle("consistency"), pred_with_intervention, pred_with_intervention, do_mask, do_values)

    def _causal_regularization_loss(self, model: CausalModel, lambda_reg: float = 0.01) -> Evaluation:
        if not isinstance(model, CausalModel):
            raise ArgumentError(f"model is {type(model).__name__}, expected a model of this package")
        return Evaluation(loss_handle("regularization", number(lambda_reg, "lambda_reg")), model=model)

    def _total_causal_loss(
        self, pred: Any, target: Any, do_mask: Any = None, do_values: Any = None, pred_counterfactual: Any = None,
        target_counterfactual: Any = None, loss_type: str = "mse",
    ) -> Evaluation:
        if pred_counterfactual is None or target_counterfactual is None:
            pred_counterfactual = target_counterfactual = None
        return Evaluation(self._total(loss_type), pred, target, do_mask, counterfactual_prediction=pred_counterfactual,
                          counterfactual_target=target_counterfactual, classes=loss_type == "cross_entropy")

    def _independence_loss(self, residuals: Any, causes: Any) -> Evaluation:
        return Evaluation(loss_handle("independence"), residuals, causes, is_pair=False)

    def _total(self, loss_type: str = "mse") -> Handle:
        """`total_causal_loss` in the engine's hands, for evaluation and for training."""
        return sum_handle((self.intervention_weight, typed_loss_handle("intervention", loss_type, 1)),
                          (self.counterfactual_weight, loss_handle("counterfactual")))


class CausalMetrics:
    """How good predictions under interventions are.

    Examples
    --------
    >>> CausalMetrics.intervention_accuracy([[1.0], [2.0]], [[1.0], [4.0]], do_mask=[[0], [1]])
    4.0
    >>> CausalMetrics.causal_effect_estimation_error(true_effect=[2.0, -3.0], estimated_effect=[2.5, -3.0])
    0.25
    """

    @staticmethod
    def intervention_accuracy(pred: Any, target: Any, do_mask: Any) -> Any:
        """Mean squared error over the intervened entries; 0 where there are none.

        Parameters
        ----------
        pred, target
            (n, outputs), of one shape.
        do_mask
            Non-zero where do() set the entry, broadcast as in `CausalLosses.causal_intervention_loss`.

        Raises
        ------
        ShapeError
            Shapes that do not go together; the text shows them.
        """
        untouched = mask_bytes(do_mask, "do_mask") == 0
        return Evaluation(typed_loss_handle("intervention", "mse", 1), pred, target, untouched).value()

    @staticmethod
    def causal_effect_estimation_error(true_effect: Any, estimated_effect: Any) -> Any:
        """Mean absolute error between effects.

        Parameters
        ----------
        true_effect, estimated_effect
            Of one shape, in units of the outcome.

        Raises
        ------
        ShapeError
            Of two shapes; the text shows them.
        """
        return Evaluation(typed_loss_handle("standard", "mae"), estimated_effect, true_effect).value()
