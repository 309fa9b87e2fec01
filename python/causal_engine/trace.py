"""What one forward pass leaves behind, and the gradients that come back through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, numbers
from ._intervention import Edit
from .errors import ShapeError, StateError

if TYPE_CHECKING:
    from ._network import Network, PassMemory
    from .model import CausalModel


@dataclass(frozen=True, slots=True)
class Gradients:
    """Gradients of a number with respect to everything that went into a pass.

    Attributes
    ----------
    parameters
        By name, each of the shape of its weight or bias; views of `flat`.
    flat
        The same as one array, in the order of the model's buffer; None where they were not wanted.
    inputs
        The shape of x, exactly 0.0 where do() set an input; None where it was not wanted.
    values
        By layer, the shape of the do-values given there; summed over rows where all rows shared them.
    """

    parameters: dict[str, NDArray[Any]]
    flat: NDArray[Any] | None
    inputs: NDArray[Any] | None
    values: dict[int, NDArray[Any]]


class Trace:
    """One forward pass: its output, and the way back. `CausalModel.trace` makes it.

    Any number of traces of a model may be alive at once, such as a factual and a counterfactual one.

    Attributes
    ----------
    output
        What the model answered, (rows, outputs), or (outputs,) for one row.
    """

    def __init__(
        self, model: CausalModel, network: Network, memory: PassMemory, output: NDArray[Any], inputs: tuple[int, ...], edits: list[Edit],
    ) -> None:
        self.output = output
        self._model = model
        self._network = network
        self._memory = memory
        self._inputs = inputs
        self._edits = edits
        self._changes = model._changes.count

    def backward(self, gradient: Any, *, parameters: bool = True, inputs: bool = True, values: bool = True) -> Gradients:
        """The chain rule through this pass; may be called again with another gradient.

        Parameters
        ----------
        gradient
            Of whatever is differentiated with respect to `output`; of its shape.
        parameters, inputs, values
            Which gradients are wanted.

        Raises
        ------
        ShapeError
            The gradient has another shape than the output.
        StateError
            The model was trained or given other weights since. (Numbers written straight into `weight` arrays cannot be seen.)

        Examples
        --------
        >>> import numpy as np
        >>> from causal_engine import CausalMLP
        >>> model = CausalMLP(3, [4], 1, seed=0)
        >>> trace = model.trace(np.ones((2, 3)), {0: ([0, 1, 0], [0, 0.5, 0])})
        >>> gradients = trace.backward(np.ones((2, 1)))
        >>> gradients.inputs[:, 1]                          # what do() set gets no gradient
        array([0., 0.], dtype=float32)
        >>> gradients.parameters["layers.0.layers.0.weight"].shape, gradients.values[0].shape
        ((4, 3), (3,))
        """
        model = self._model
        network = self._network
        dy = numbers(gradient, network.dtype, "gradient")
        if dy.shape != self.output.shape:
            raise ShapeError(f"gradient of shape {dy.shape}, expected {self.output.shape} as the output")
        if model._changes.count != self._changes:
            raise StateError("backward: the parameters were changed after the forward pass of this trace; run it again")
        flat = np.empty(network.parameter_count, network.dtype) if parameters else None
        into_inputs = np.empty(self._inputs, network.dtype) if inputs else None
        into_values = {edit.site: np.empty_like(edit.values) for edit in self._edits} if values else {}
        network.backward(
            model._address, self._memory, address(dy), dy.size // network.outputs,
            into_parameters=None if flat is None else address(flat),
            into_inputs=None if into_inputs is None else address(into_inputs),
            into_values={site: address(array) for site, array in into_values.items()})
        return Gradients(
            {} if flat is None else {tensor.name: tensor.view(flat) for tensor in network.tensors},
            flat, into_inputs,
            {edit.site: as_given(into_values[edit.site], edit.given_shape) for edit in self._edits if values})

    def __repr__(self) -> str:
        return f"Trace(output of shape {self.output.shape}, interventions at {[edit.site for edit in self._edits]})"


def as_given(gradient: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of do-values in the shape in which they were given."""
    # One number that was given for all units gets what reaches any of them.
    return gradient.reshape(shape) if shape else gradient.sum().reshape(())
