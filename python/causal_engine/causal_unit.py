"""Layers that understand do(); the networks of them are in causal_mlp, under whose name they go here too."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from ._arrays import FLOAT32, model_dtype
from ._intervention import Edit, Interventions
from ._intervention_log import InterventionLog
from ._kinds import is_module
from ._network import Network
from .errors import ShapeError
from .features import IntervenedModel
from .linear import Activation, Linear
from .model import CausalModel, Changes
from .trace import Trace

__all__ = ["CausalMLP", "CausalUnit"]


class CausalUnit(CausalModel):
    """One linear layer, or linear-activation-linear, whose input do() can set.

    Parameters
    ----------
    input_dim, output_dim
        Widths.
    hidden_dim
        Width between the two linear parts; None for one linear part and no activation.
    activation
        identity, relu, leaky_relu, elu, gelu, tanh, sigmoid, softplus or silu, as in torch.nn.functional.
    dtype
        "float32" or "float64", of the parameters and the answers.
    seed
        Of the initial weights, which are distributed as those of torch.nn.Linear; None for chance.
    feature_names
        Of the inputs, for `do` by name.

    Raises
    ------
    InvalidValueError
        A width below 1, an unknown activation or dtype.

    Examples
    --------
    >>> unit = CausalUnit(3, 1, seed=0)
    >>> unit.layers[0].weight[...] = [[1, 2, -3]]
    >>> unit.layers[0].bias[...] = 0
    >>> unit([1.0, 1.0, 1.0])
    array([0.], dtype=float32)
    >>> unit([1.0, 1.0, 1.0], do_mask=[0, 1, 0], do_values=[0, 0.5, 0])
    array([-1.], dtype=float32)
    >>> unit.get_intervention_info()
    {'mask': array([False,  True, False]), 'values': array([0. , 0.5, 0. ], dtype=float32)}
    """

    _kind = "CausalUnit"
    _own = CausalModel._own | {"_log"}

    layers: list[Linear | Activation]
    """The linear (and activation) parts in order."""

    def __init__(
        self, input_dim: int, output_dim: int, hidden_dim: int | None = None, activation: str = "relu", *,
        dtype: Any = "float32", seed: int | None = None, feature_names: Sequence[str] | None = None,
    ) -> None:
        network = Network.unit(input_dim, hidden_dim, output_dim, activation, model_dtype(dtype))
        self.activation = activation
        self._assemble(network, seed, feature_names)

    @classmethod
    def _view(cls, network: Network, parameters: NDArray[Any], changes: Changes, seed: int) -> CausalUnit:
        """A layer of a larger model: it works on the model's parameters."""
        unit = cls.__new__(cls)
        unit.activation = "identity"
        unit._assemble(network, seed, None, parameters, changes)
        return unit

    def _build(self) -> None:
        views = self.parameters()
        linear = [Linear(self, weight, bias) for weight, bias in zip(views[::2], views[1::2])]
        self.layers = [*linear] if len(linear) == 1 else [linear[0], Activation(self.activation), linear[1]]
        self._log = InterventionLog()

    # ------------------------------------------------------------ passes

    def forward(self, x: Any, do_mask: Any = None, do_values: Any = None) -> Any:
        """What a call of the unit does with `x`, `do_mask` and `do_values`."""
        return self._predict(x, {0: (do_mask, do_values)})

    def __call__(self, x: Any, do_mask: Any = None, do_values: Any = None) -> Any:
        """The unit's answer, where do_mask is not zero with do_values in place of x.

        Parameters
        ----------
        x
            (rows, input_dim) or (input_dim,), any kind of array. An entry that do() sets may be NaN.
        do_mask
            (input_dim,) or (rows, input_dim), numbers or booleans.
        do_values
            Likewise, or one number.

        Returns
        -------
        array
            (rows, output_dim), or (output_dim,) for one row.

        Raises
        ------
        ShapeError
            x, a mask or values of a shape that does not fit; the text shows both.
        InvalidValueError
            A mask without values, or values without a mask.
        """
        return self.forward(x, do_mask, do_values)

    def predict(self, x: Any, do_mask: Any = None, do_values: Any = None) -> Any:
        """The same as calling the unit with `x`, `do_mask` and `do_values`."""
        return self(x, do_mask, do_values)

    def trace(self, x: Any, do_mask: Any = None, do_values: Any = None) -> Trace:
        """A call with `x`, `do_mask` and `do_values` that can be differentiated: see `Trace`."""
        return self._trace(x, {0: (do_mask, do_values)})

    def do(self, values: Mapping[str, Any] | None = None, /, *, where: Any = None, **more: Any) -> IntervenedModel:
        """The unit under do(), by names of features: `unit.do(x2=0.5)(x)`. `values`, `where`, `more` and errors are those of
        `CausalMLP.do`."""
        return IntervenedModel(self, values, more, where)

    def _call(self, x: Any, interventions: Interventions) -> Any:
        return self(x, *interventions[0])

    # ------------------------------------------------------------ what it saw

    def get_intervention_info(self) -> dict[str, Any]:
        """The intervention of the last call: `{"mask": ..., "values": ...}`, booleans and numbers of the shape (input_dim,) where
        all rows shared them, else (rows, input_dim); `None` and `None` where there was none.

        They are tensors where the unit is a torch Module, as its parameters are, else numpy arrays.
        """
        return self._in_my_kind(self._log.info())

    @property
    def intervention_history(self) -> list[dict[str, Any]]:
        """The last interventions, oldest first, as `get_intervention_info` gives them; at most 16."""
        return [self._in_my_kind(entry) for entry in self._log.history()]

    def _in_my_kind(self, entry: Mapping[str, NDArray[Any] | None]) -> dict[str, Any]:
        if not is_module(self):
            return dict(entry)
        from_numpy = sys.modules["torch"].from_numpy
        return {name: None if array is None else from_numpy(array) for name, array in entry.items()}

    def _remember(self, edits: list[Edit]) -> None:
        self._log.add(edits[0] if edits else None)

    # ------------------------------------------------------------ keeping it

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "activation": self.activation}

    @staticmethod
    def _is_of_my_kind(network: Network) -> bool:
        hidden = network.tensors[0].shape[0] if len(network.tensors) == 4 else None
        return network.is_the_same_as(
            Network.unit(network.inputs, hidden, network.outputs, network.activation or "identity", network.dtype))

    def _restore(self, note: dict[str, Any], network: Network) -> None:
        self.activation = network.activation or note.get("activation") or "identity"

    def __repr__(self) -> str:
        widths = [self.network.inputs, self.network.outputs]
        hidden = f", {self.network.tensors[0].shape[0]}, {self.activation!r}" if len(self.network.tensors) == 4 else ""
        return f"{type(self).__name__}({widths[0]}, {widths[1]}{hidden}{dtype_suffix(self.network)})"


def dtype_suffix(network: Network) -> str:
    """How a repr tells a dtype that is not the usual one."""
    return "" if network.dtype == FLOAT32 else f", dtype={str(network.dtype)!r}"


from .causal_mlp import CausalMLP  # noqa: E402: it is made of the units above
