"""Networks that understand do()."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ._arrays import model_dtype, size
from ._intervention import Edit, Interventions
from ._intervention_log import InterventionLog
from ._mlp_graph import MLPGraph
from ._network import Network
from .causal_unit import CausalUnit, dtype_suffix
from .errors import InvalidValueError, ShapeError
from .features import IntervenedModel
from .model import CausalModel
from .trace import Trace

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._pretrained import Pretrained
    from .graph import Graph

__all__ = ["CausalMLP"]


class CausalMLP(CausalModel):
    """A multi-layer perceptron in which do() can set the input of every layer, and the output.

    Parameters
    ----------
    input_dim
        Number of features.
    hidden_dims
        Widths of the hidden layers; may be empty.
    output_dim
        Number of outputs.
    activation
        After every layer but the last: identity, relu, leaky_relu, elu, gelu, tanh, sigmoid, softplus or silu, as in
        torch.nn.functional.
    dtype
        "float32" or "float64", of the parameters and the answers.
    seed
        Of the initial weights, which are distributed as those of torch.nn.Linear; None for chance.
    feature_names
        Of the inputs, for `do` by name. A `fit` on a data frame sets them where they are not given; without them `do` goes by
        the columns of the data frame it is called with.
    dag
        A graph that the network obeys: a `Graph`, or whatever `Graph.of` takes. An output then depends on its parents and on nothing
        else, and do() on an input cuts the edges into it; see Notes. None: every output depends on every input.

    Raises
    ------
    InvalidValueError
        A width below 1, an unknown activation or dtype. With a graph: inputs that it does not settle, an output whose parent is no input,
        or a hidden layer that is too narrow.
    OutOfMemoryError
        Widths too large to hold.
    CycleError
        The graph has a cycle; the text names it.
    ShapeError
        The sizes and the graph's number of variables do not fit.
    UnknownNameError
        A name in `feature_names` that is no variable of the graph; the text shows near matches.

    Notes
    -----
    With a graph of d variables there are two kinds of network.

    `input_dim = output_dim = d`: every variable is read and computed. Output j is what the parents of variable j say of it, as in a
    structural model of one step; of its own column it knows nothing. do(x_j = v) at layer 0 sets what the children of j read and output j
    to v, for the rows concerned: the edges into j are cut there, and its parents may be missing in these rows. What was not set is
    read as it is in x: descendants do not follow by themselves (`StructuralModel` does that).

    `input_dim + output_dim = d`: the inputs are the variables named by `feature_names`, and the outputs are those that are left, in the
    order of the graph. Without `feature_names` the last variables are the outputs; where they have names this is refused
    when one of those causes another variable or has no parents. The parents of outputs must be inputs.

    The variables' names become `feature_names` and `output_names`. A graph that has only numbers, such as a matrix, takes the names that
    `feature_names` gives to its first variables. Common causes that are hidden (``<->``) are no edges: what a
    fit finds there is what was observed, unless do() broke it in the rows.

    Every output with parents has hidden units of its own: of g such outputs the k-th has the units ``k * w // g`` up to
    ``(k + 1) * w // g`` of a layer of w, so that what is learned about one variable leaves the mechanisms of others alone. Each layer
    therefore needs g units or more. Weights that are no edges are zero in the tensors, are not looked at, and learn nothing.

    Examples
    --------
    >>> import numpy as np
    >>> model = CausalMLP(input_dim=3, hidden_dims=[16, 16], output_dim=1, seed=0)
    >>> model
    CausalMLP(3, [16, 16], 1, activation='relu')
    >>> x = np.random.default_rng(0).normal(size=(10, 3))
    >>> do_mask, do_values = np.array([0, 1, 0]), np.array([0, 0.5, 0])
    >>> y = model(x, interventions={0: (do_mask, do_values)})
    >>> y.shape, y.dtype
    ((10, 1), dtype('float32'))
    >>> x[:, 1] = np.nan                                    # not looked at: do() sets it
    >>> bool((model(x, interventions={0: (do_mask, do_values)}) == y).all())
    True

    With a graph, do() on the dose sets it and leaves age alone, whatever the data said:

    >>> dag = [("age", "dose"), ("age", "outcome"), ("dose", "outcome")]
    >>> model = CausalMLP(3, [8], 3, seed=0, dag=dag)
    >>> model.feature_names
    ('age', 'dose', 'outcome')
    >>> y = model.do(dose=1.5)([[0.2, np.nan, 3.0]])
    >>> float(y[0, 1]), bool(np.isfinite(y).all())
    (1.5, True)
    >>> CausalMLP(2, [8], 1, dag=dag).output_names
    ('outcome',)
    """

    _kind = "CausalMLP"
    _unit: ClassVar[type[CausalUnit]] = CausalUnit
    _own = CausalModel._own | {"_dag", "_noted", "_sets_outputs_again"}
    _dag: MLPGraph | None = None
    _sets_outputs_again = False

    layers: list[CausalUnit]
    """The `len(hidden_dims) + 1` units, which work on this model's parameters."""

    def __init__(
        self, input_dim: int, hidden_dims: Sequence[int], output_dim: int, activation: str = "relu", dtype: Any = "float32",
        seed: int | None = None, *, feature_names: Sequence[str] | None = None, dag: Any = None,
    ) -> None:
        self._dag = None if dag is None else MLPGraph.of(dag, size(input_dim, "input_dim"), size(output_dim, "output_dim"), feature_names)
        network = self._compile(input_dim, hidden_dims, output_dim, activation, model_dtype(dtype), self._dag)
        if self._dag is not None and feature_names is None:
            feature_names = self._dag.input_names
        self.activation = activation
        self._assemble(network, seed, feature_names)
        self.output_names = self._computed

    @staticmethod
    def _compile(inputs: Any, hidden: Any, outputs: Any, activation: str, dtype: Any, dag: MLPGraph | None) -> Network:
        if dag is None:
            return Network.mlp(inputs, hidden, outputs, activation, dtype)
        return Network.graph_mlp(inputs, hidden, outputs, activation, dtype, dag.graph._graph, dag.features)

    @property
    def dag(self) -> Graph | None:
        """The graph that the network obeys; None where every output depends on every input."""
        return None if self._dag is None else self._dag.graph

    @property
    def _computed(self) -> tuple[str, ...] | None:
        return None if self._dag is None else self._dag.output_names

    @classmethod
    def from_torch(cls, module: Any, *, feature_names: Sequence[str] | None = None, dag: Any = None) -> Self:
        """The network of a `torch.nn.Sequential`, with its weights: the beginning of fine-tuning on interventions.

        Parameters
        ----------
        module
            `nn.Linear` layers with one kind of activation between them, in Sequentials that may be nested. It stays as it is. A layer without
            a bias gets one of 0, which training may change.
        feature_names
            Of the inputs, for `do` by name.
        dag
            A graph that the network obeys already, as `CausalMLP` takes it: every weight that is no edge of it is 0, as in one that was trained with
            the graph, or under a mask.

        Raises
        ------
        InvalidValueError
            A weight that is not 0 where `dag` has no edge; another module, or a linear layer a second time, which the text names; activations that
            differ, or one at the end.
        """
        from ._pretrained import from_torch

        return cls._from_pretrained(from_torch(module), feature_names, dag)

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any], activation: str = "relu", *, feature_names: Sequence[str] | None = None, dag: Any = None) -> Self:
        """A network with the weights of a state_dict.

        Parameters
        ----------
        state
            Weights (out, in) and biases (out,) in the order of the layers, under any names, of any kind of array.
        activation
            Between the layers; a state_dict does not tell.
        feature_names, dag
            As in `from_torch`.

        Raises
        ------
        InvalidValueError
            A weight that is not 0 where `dag` has no edge.
        ShapeError
            Tensors that are not the weights and biases of layers one after the other.

        Examples
        --------
        >>> model = CausalMLP.from_state_dict({"w": [[1.0, 2.0]], "b": [3.0]})
        >>> model([1, 1])
        array([6.])
        """
        from ._pretrained import from_state_dict

        return cls._from_pretrained(from_state_dict(state, activation), feature_names, dag)

    @classmethod
    def _from_pretrained(cls, layers: Pretrained, feature_names: Sequence[str] | None, dag: Any) -> Self:
        inputs, *hidden, outputs = layers.widths
        model = cls(inputs, hidden, outputs, layers.activation, str(layers.dtype), seed=0, feature_names=feature_names, dag=dag)
        if dag is not None:
            model._expect_obedience(layers)
        for tensor, source in zip(model.network.tensors, layers.tensors):
            tensor.view(model._flat)[...] = source
        return model

    def _expect_obedience(self, layers: Pretrained) -> None:
        for k, (edges, weight) in enumerate(zip(self.network.edges, layers.weights)):
            beside = np.argwhere(weight != 0) if edges is None else np.argwhere((weight != 0) & ~edges)
            if edges is not None and len(beside):
                out, source = (int(place) for place in beside[0])
                raise InvalidValueError(
                    f"dag: weight [{out}, {source}] of layer {k} is {weight[out, source]:g}, but the graph has no edge there, expected 0; "
                    "each output with parents has hidden units of its own, see CausalMLP")

    def _build(self) -> None:
        widths, tensors = self.network.site_widths, self.network.tensors
        self.layers = []
        self._noted: list[InterventionLog] = []     # of the layers that the last call intervened on
        self._sets_outputs_again = self._dag is not None and self.network.sets_outputs_again
        obeyed = [None] * len(widths) if self._dag is None else self.network.edges
        for k, (inputs, outputs, edges) in enumerate(zip(widths, widths[1:], obeyed)):
            part = Network.unit(inputs, None, outputs, "identity", self.network.dtype)
            if edges is not None:
                part = part.obeying(edges)
            parameters = self._flat[tensors[2 * k].place.start:tensors[2 * k + 1].place.stop]
            self.layers.append(self._unit._view(part, parameters, self._changes, self.seed))

    # ------------------------------------------------------------ passes

    def forward(self, x: Any, interventions: Interventions | None = None) -> Any:
        """What a call of the model does with `x` and `interventions`."""
        return self._predict(x, interventions)

    def __call__(self, x: Any, interventions: Interventions | None = None) -> Any:
        """The model's answer under interventions.

        Parameters
        ----------
        x
            (rows, input_dim) or (input_dim,), any kind of array. An entry that is read only where do() sets it may be NaN.
        interventions
            `{k: (do_mask, do_values)}`: the input of layer k is set to do_values where do_mask is not zero. Layer 0's input is
            the features; k = number of layers stands for the output. Masks and values are (width,) or (rows, width), of any
            array kind; a value may be one number. `(None, None)` means no intervention there. With a graph of which every variable
            is an input and an output, a feature that is set is an output that is set, unless the output's own mask sets it to
            something else.

        Returns
        -------
        array
            (rows, output_dim), or (output_dim,) for one row.

        Raises
        ------
        ShapeError
            x, a mask or values of a shape that does not fit; the text shows both.
        UnknownNameError
            A layer that does not exist. It is a ValueError.
        """
        return self.forward(x, interventions)

    def predict(self, x: Any, interventions: Interventions | None = None) -> Any:
        """The same as calling the model with `x` and `interventions`."""
        return self(x, interventions)

    def trace(self, x: Any, interventions: Interventions | None = None) -> Trace:
        """A call with `x` and `interventions` that can be differentiated: `trace.output` is the answer, `trace.backward(dy)` gives
        gradients of parameters, inputs and do-values. See `Trace`."""
        return self._trace(x, interventions)

    def do(self, values: Mapping[str, Any] | None = None, /, *, where: Any = None, **more: Any) -> IntervenedModel:
        """The model under do(), by names of features; call it with x.

        Parameters
        ----------
        values
            Values by name; each one number, or (rows,).
        where
            (rows,), non-zero for the rows concerned, such as `df.treated`; None for all.
        **more
            Values for names that are identifiers (a feature called "where" goes into `values`).

        Raises
        ------
        UnknownNameError
            No such feature; it is a KeyError. The text shows near matches.

        Examples
        --------
        >>> model = CausalMLP(2, [], 1, seed=0, feature_names=["dose", "blood pressure"])
        >>> model.do(dose=0.5)
        CausalMLP(2, [], 1, activation='relu').do(dose=0.5)
        >>> bool((model.do({"blood pressure": 1.2})([[1, 7]]) == model([[1, 1.2]])).all())
        True
        """
        return IntervenedModel(self, values, more, where)

    def _call(self, x: Any, interventions: Interventions) -> Any:
        return self(x, interventions)

    def _remember(self, edits: list[Edit]) -> None:
        noted = self._noted
        if noted:
            for log in noted:
                log.add(None)
            noted.clear()
        if edits:
            layers = self._parts_now()
            for edit in edits:
                layer = layers[edit.site] if edit.site < len(layers) else None
                if isinstance(layer, CausalUnit):
                    layer._log.add(edit)
                    noted.append(layer._log)

    def _parts_now(self) -> Sequence[Any]:
        return self.layers

    # ------------------------------------------------------------ keeping it

    def _arguments(self) -> dict[str, Any]:
        dag = {} if self._dag is None else {"dag": self._dag.note()}
        return {**super()._arguments(), "activation": self.activation, **dag}

    @classmethod
    def _is_of_my_kind(cls, network: Network) -> bool:
        return cls._obeys(network, MLPGraph.obeyed_by(network))

    @classmethod
    def _obeys(cls, network: Network, dag: MLPGraph | None) -> bool:
        """Whether this is the network that such a graph makes."""
        inputs, *hidden, outputs = network.site_widths
        made = cls._compile(inputs, hidden, outputs, network.activation or "identity", network.dtype, dag)
        return made.description == network.description

    def _restore(self, note: dict[str, Any], network: Network) -> None:
        self.activation = network.activation or note.get("activation") or "identity"
        told = note.get("dag")
        self._dag = MLPGraph.obeyed_by(network) if told is None else MLPGraph.noted(told)
        if told is not None and not self._obeys(network, self._dag):
            raise ShapeError("the graph in its note is not that of the network")

    def close(self) -> None:
        """Frees the engine's part of the model and of its layers now; any later use is a `HandleError`."""
        for layer in self.layers:
            layer.close()
        super().close()

    def __repr__(self) -> str:
        inputs, *hidden, outputs = self.network.site_widths
        dag = "" if self.dag is None else f", dag={self.dag!r}"
        return f"{type(self).__name__}({inputs}, {hidden}, {outputs}, activation={self.activation!r}{dtype_suffix(self.network)}{dag})"
