"""What every model here can do: predict under interventions, differentiate, learn, be saved."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import address, in_kind_of, numbers
from ._arrays import seed as checked_seed
from ._batches import Batches, is_frame, split, target_names
from ._doubts import Doubts
from ._intervention import Interventions, edits_of
from ._kinds import class_in_use
from ._network import Network
from ._training import Rows, Training, TrainingOptions
from .errors import ArgumentError, BusyError, CausalError, CheckpointError, ShapeError, UnknownNameError
from .features import checked_names, in_order, names_in
from .history import History
from .trace import Trace

if TYPE_CHECKING:
    from typing_extensions import Self

    from .loss_functions import CausalLosses

__all__ = ["CausalModel"]


class Changes:
    """How often parameters were changed, as far as that is known, and who is changing them. Models that share parameters share
    this."""

    __slots__ = ("count", "fits")

    def __init__(self) -> None:
        self.count = 0
        self.fits: dict[object, None] = {}      # under way, of which the first has the weights; a lock could be lost to a Ctrl-C


class Lesson(NamedTuple):
    """What a fit learns from, as it was read."""

    feature_names: tuple[str, ...] | None
    target_names: Sequence[str] | None
    rows: Rows
    validation: Rows | None


class CausalModel:
    """The common base of `CausalUnit`, `CausalMLP` and `CausalLayerRewiring`.

    The parameters are one flat numpy array; the weights and biases are views of it, so that writing into them acts at once.
    Many threads may predict with one model at the same time. Only `fit` needs it alone: a prediction that another thread asks
    for meanwhile may raise `BusyError`.

    Attributes
    ----------
    network
        The compiled network: sizes, sites, and the layout of the parameters.
    seed
        Of the initial weights; drawn by chance where none was given.
    feature_names
        The names of the inputs, or None.
    output_names
        Those of the columns of the y that `fit` saw, or of the variables of a graph that the outputs are; None where they had none.
    history
        Of the last `fit`, also of one that was interrupted or diverged; None before the first.
    """

    network: Network
    seed: int
    feature_names: tuple[str, ...] | None
    output_names: tuple[str, ...] | None
    history: History | None

    # What a checkpoint calls this class, and what is not an attribute of somebody's subclass.
    _kind: ClassVar[str]
    _own: ClassVar[frozenset[str]] = frozenset(
        {"network", "seed", "feature_names", "output_names", "activation", "_flat", "_address", "_changes", "_fits", "layers"})

    # ------------------------------------------------------------ making one

    def __new__(cls, *_: Any, **__: Any) -> Self:
        made: Self = object.__new__(class_in_use(cls))
        return made

    def _assemble(
        self, network: Network, seed: int | None = None, feature_names: Any = None, parameters: NDArray[Any] | None = None,
        changes: Changes | None = None,
    ) -> None:
        """Takes a network, and parameters that exist already or new ones drawn from the seed. `changes` comes with parameters that
        belong to another model too."""
        self.network = network
        self.seed = int.from_bytes(os.urandom(8), "little") if seed is None else checked_seed(seed)
        self.feature_names = checked_names(feature_names, network.inputs, "feature_names")
        self.output_names = None
        self.history = None
        self._flat = network.empty_parameters() if parameters is None else parameters
        self._address = address(self._flat)
        self._changes = Changes() if changes is None else changes
        self._fits = 0
        if parameters is None:
            self._initialize()
        self._build()

    def _initialize(self) -> None:
        """Draws the initial weights, which belong to the seed."""
        self.network.initialize(self._address, self.seed)

    def _build(self) -> None:
        """Makes the parts that show views of the parameters."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Sees to it that the flat array holds the weights; here it always does."""

    @property
    def _computed(self) -> tuple[str, ...] | None:
        """What the outputs are called, where it was settled when the model was made."""
        return None

    def _publish(self) -> None:
        """Tells everybody who shows the weights that the flat array has new ones; here all are views of it."""

    # ------------------------------------------------------------ passes

    def _predict(self, x: Any, interventions: Interventions | None) -> Any:
        network = self.network
        rows, is_one = network.rows_of(in_order(x, self.feature_names))
        edits = [] if interventions is None else edits_of(
            interventions, network.site_widths, len(rows), network.dtype, self.feature_names or names_in(x))
        y = np.empty((len(rows), network.outputs), network.dtype)
        network.predict(self._address, address(rows), len(rows), edits, address(y))
        self._remember(edits)
        return in_kind_of(x, y[0] if is_one else y, self.output_names)

    def _call(self, x: Any, interventions: Interventions) -> Any:
        """Calls the model with interventions by layer, however its own call takes them."""
        raise NotImplementedError

    def _remember(self, edits: list[Any]) -> None:
        """Logs what was set."""

    def _trace(self, x: Any, interventions: Interventions | None) -> Trace:
        self._settle()
        network = self.network
        rows, is_one = network.rows_of(in_order(x, self.feature_names))
        names = self.feature_names or names_in(x)
        edits = edits_of(interventions, network.site_widths, len(rows), network.dtype, names)
        y = np.empty((len(rows), network.outputs), network.dtype)
        memory = network.forward(self._address, address(rows), len(rows), edits, address(y))
        self._remember(edits)
        return Trace(self, network, memory, y[0] if is_one else y, rows.shape[1:] if is_one else rows.shape, edits)

    # ------------------------------------------------------------ parameters

    def parameters(self) -> list[NDArray[Any]]:
        """Weight and bias of each layer in order, as views: writing into them changes the model."""
        return [tensor.view(self._flat) for tensor in self.network.tensors]

    def named_parameters(self) -> list[tuple[str, NDArray[Any]]]:
        """`parameters` with their names."""
        return [(tensor.name, tensor.view(self._flat)) for tensor in self.network.tensors]

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """The parameters by name, as views; the names are those of the same network in PyTorch."""
        return dict(self.named_parameters())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copies parameters in, by name.

        Parameters
        ----------
        state
            Arrays of any kind by the names of `state_dict`, of its shapes.

        Raises
        ------
        UnknownNameError
            A name is missing, or there is one too many. Nothing was changed.
        ShapeError
            A tensor has another shape than the model's. Nothing was changed.
        """
        mine = self.state_dict()
        if not isinstance(state, Mapping):
            raise ArgumentError(f"state_dict: {type(state).__name__}, expected a dict of arrays by name")
        if mine.keys() != state.keys():
            missing, extra = sorted(mine.keys() - state.keys()), sorted(state.keys() - mine.keys(), key=str)
            raise UnknownNameError(f"state_dict: missing {missing}, not in the model {extra}, expected {list(mine)}")
        given = {name: numbers(array, self.network.dtype, name) for name, array in state.items()}
        for name, array in given.items():
            if array.shape != mine[name].shape:
                raise ShapeError(f"state_dict: {name} of shape {array.shape}, expected {mine[name].shape}")
        for name, array in given.items():
            mine[name][...] = array
        self._changes.count += 1

    # ------------------------------------------------------------ learning

    def fit(
        self, x: Any, y: Any = None, interventions: Interventions | None = None, loss: str | CausalLosses = "mse", optimizer: str = "adam",
        lr: float = 0.01, epochs: int = 100, batch_size: int | None = 32, validation_data: Any = None,
        patience: int | None = None, clip_grad: float | None = None, schedule: str = "constant", weight_decay: float = 0.0,
        seed: int | None = None, progress: bool = True, momentum: float = 0.0, step_size: int = 30, step_factor: float = 0.1,
        shuffle: bool = True,
    ) -> History:
        """Trains the model; the whole loop runs in the engine. A second call continues from the weights of the first.

        Ctrl-C ends it within a twentieth of a second, or after the step under way, with a `KeyboardInterrupt`; the model then
        has the weights it had reached, and `history` the epochs so far.

        Parameters
        ----------
        x
            (rows, features). Or, for data larger than memory, batches: a list, a torch DataLoader or another iterable of (x, y) or
            (x, y, interventions), or a function that begins such an iterator anew for each epoch. Then each batch is a step, in
            the order in which they come, and the result is that of one array with this `batch_size` and `shuffle=False`.
        y
            (rows, outputs), or (rows,) for one output or for class indices. Or the names of columns of x, where x, or each batch, is a
            data frame or an Arrow table or record batch; the other columns are the features, unless the model has
            `feature_names`.
        interventions
            `{layer: (do_mask, do_values)}`, under which each row of y was seen. Masks and values of (rows, width) follow their
            rows into the mini-batches; those of (width,) hold for all.
        loss
            "mse", "mae", "cross_entropy", or a `CausalLosses`, which minimises its `total_causal_loss` with the mask given for
            the output (layer number = number of layers), if any.
        optimizer
            "adam", "adamw" or "sgd", as in torch.optim, with `lr`, `weight_decay` and, for sgd, `momentum`.
        epochs, batch_size
            Passes over the rows, and rows a step; None for all rows at once.
        validation_data
            `(x, y)` or `(x, y, interventions)`, or a frame where y names its columns: its loss is computed after each epoch.
        patience
            Stop when this many epochs brought no better validation loss. Where it is given the model ends with its best weights.
            Without validation data the training rows serve as such.
        clip_grad
            The largest norm of the whole gradient; None for no limit.
        schedule
            Of the learning rate: "constant", "cosine" to 0 over the epochs, or "step", times `step_factor` every `step_size`
            epochs.
        seed
            Of the order of the rows; None for one that follows from the model's own, another for each call. The same seeds give
            the same weights to the bit, on any number of threads.
        progress
            Show a bar.
        shuffle
            False: the rows keep their order in every epoch.

        Returns
        -------
        History
            One entry an epoch.

        Raises
        ------
        ShapeError, InvalidValueError, UnknownNameError
            Arguments that do not fit; a number in x or y that is not finite and that no intervention covers, naming row and
            column.
        StateError
            A parameter with `requires_grad=False`: it would be changed all the same. Frozen layers are for a loop in PyTorch.
        DivergenceError
            A loss that is not finite, or a step after which a weight would not be. The model has the weights from before the step
            that led there, all finite; with `patience`, those of the end of the best epoch.

        Warns
        -----
        CausalWarning
            Where interventions are most likely not what was meant: see there.

        Examples
        --------
        >>> import numpy as np
        >>> from causal_engine import CausalMLP
        >>> x = np.random.default_rng(0).normal(size=(200, 2))
        >>> model = CausalMLP(2, [], 1, seed=0)
        >>> history = model.fit(x, x[:, 0] - x[:, 1], epochs=50, progress=False)
        >>> history.state, bool(history.loss[-1] < 1e-3)
        ('finished', True)
        """
        fit, fits = object(), self._changes.fits
        try:
            self._hold(fit)
            targets: Sequence[str] | None = target_names(y)
            options = TrainingOptions(
                loss=loss, optimizer=optimizer, lr=lr, momentum=momentum, weight_decay=weight_decay, clip_grad=clip_grad, epochs=epochs,
                batch_size=batch_size, patience=patience, schedule=schedule, step_size=step_size, step_factor=step_factor, shuffle=shuffle)
            names, doubts = self.feature_names, self._doubts()
            batches: Batches | None = None
            rows: Rows | None = None
            if y is None or targets and not is_frame(x):
                if interventions is not None:
                    raise ArgumentError("interventions beside batches, expected them in each batch: (x, y, interventions)")
                batches = Batches(x, targets, options.epochs)
                validation = self._validation(validation_data, names, targets)
            else:
                names, targets, rows, validation = self._lesson(x, y, interventions, validation_data, doubts)
            run = Training(self, rows, validation, options, self._order(seed))
            if doubts is not None:
                doubts.warn("training data")
            self._begin(names, targets, run.history)
            try:
                return run.run(progress, None if batches is None else self._epochs(batches, doubts))
            finally:
                self._publish()
        finally:
            fits.pop(fit, None)     # one call that no signal interrupts

    def _hold(self, fit: object) -> None:
        """For a fit, until it is taken out of `_changes.fits`: nobody else trains the model, and the flat array has weights all of which may be
        changed."""
        self._changes.fits[fit] = None
        if list(self._changes.fits)[0] is not fit:
            raise BusyError("fit: another thread is training this model, or one that shares its weights")
        self._settle()
        self._expect_nothing_frozen()

    def _shareable(self) -> list[object]:
        """What a model that shares weights with this one has too."""
        return [self._changes]

    @property
    def _reader(self) -> tuple[Any, ...]:
        """Models that agree in this read the same data as the same rows."""
        return self.feature_names, self._computed, self.network.dtype, self.network.site_widths

    def _lesson(self, x: Any, y: Any, interventions: Interventions | None, validation_data: Any, doubts: Doubts | None) -> Lesson:
        """Reads what `fit` is given, where that is no batches."""
        names, targets = self.feature_names, target_names(y)
        if targets is not None:
            x, y = split(x, targets, names)
        names = checked_names(names_in(x), self.network.inputs, "x") if names is None else names
        rows = Rows(self.network, names, x, self._in_order(y), interventions, "training data", doubts)
        return Lesson(names, targets or names_in(y), rows, self._validation(validation_data, names, targets))

    def _order(self, seed: int | None) -> int:
        """The seed of the order of the rows, of a fit that is given this one."""
        return (self.seed + self._fits) % (1 << 64) if seed is None else checked_seed(seed)

    def _begin(self, feature_names: tuple[str, ...] | None, target_names: Sequence[str] | None, history: History) -> None:
        """Becomes a model that learns from data with these names, with this history."""
        self.feature_names = feature_names
        self.output_names = self._computed or _output_names(target_names, self.network.outputs)
        self.history = history
        self._fits += 1
        self._changes.count += 1

    def _expect_nothing_frozen(self) -> None:
        """The engine's own loop changes all parameters, of which here none can be frozen."""

    def _doubts(self) -> Doubts | None:
        """What looks at the rows of a fit for what was hardly meant."""
        return Doubts(len(self.network.site_widths) - 1)

    def _epochs(self, batches: Batches, doubts: Doubts | None) -> Iterator[Rows | None]:
        """Batches as the engine takes them, and None at the end of each epoch; after the first all rows were seen."""
        while True:
            for k, (x, y, interventions) in enumerate(batches.epoch(lambda: self.feature_names)):
                if self.feature_names is None:
                    self.feature_names = checked_names(names_in(x), self.network.inputs, "x")
                yield Rows(self.network, self.feature_names, x, self._in_order(y), interventions, f"batch {k}", doubts)
            if doubts is not None:
                doubts.warn("training data")
                doubts = None
            yield None

    def _in_order(self, y: Any) -> Any:
        """A data frame's columns in the order of the outputs, where these have names; anything else as it is."""
        return in_order(y, self._computed, "y") if hasattr(y, "columns") else y

    def _validation(self, data: Any, names: Sequence[str] | None, targets: Sequence[str] | None) -> Rows | None:
        if data is None:
            return None
        if targets is not None and is_frame(data):
            x, y = split(data, targets, names)
            return Rows(self.network, names, x, self._in_order(y), None, "validation data")
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ArgumentError("validation_data: expected (x, y) or (x, y, interventions)")
        return Rows(self.network, names, data[0], self._in_order(data[1]), data[2] if len(data) == 3 else None, "validation data")

    # ------------------------------------------------------------ keeping it

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a checkpoint: a safetensors file with the parameters under their names.

        Parameters
        ----------
        path
            Of the file. A crash meanwhile leaves the one that was there.

        Raises
        ------
        CheckpointError
            It cannot be written.
        """
        self._settle()
        self.network.save(self._address, path, self._note())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The model in a checkpoint.

        Parameters
        ----------
        path
            Of a file that `save` wrote, in this language or another. It may come from anyone: no code is run.

        Raises
        ------
        CheckpointError
            Not there, not a checkpoint, altered, cut off, or of another class.
        """
        model = cls.__new__(cls)
        model._adopt(Network.load(path), os.fspath(path))
        return model

    def _note(self) -> str:
        return json.dumps({"class": self._kind, **self._arguments()})

    def _arguments(self) -> dict[str, Any]:
        """What a checkpoint tells beside the network."""
        return {"seed": self.seed, "fits": self._fits, "feature_names": self.feature_names, "output_names": self.output_names}

    def _adopt(self, network: Network, source: Any) -> None:
        """Becomes the model of a loaded network."""
        kind = _kind_of(network)
        if kind != self._kind:
            raise CheckpointError(f"{source}: holds a {kind}, expected a {self._kind}")
        note = _read_note(network.note)
        try:
            is_mine = self._is_of_my_kind(network)
        except CausalError:
            is_mine = False
        if not is_mine:
            raise CheckpointError(f"{source}: holds another network than a {self._kind} is")
        try:
            self._restore(note, network)
            self._assemble(network, note.get("seed", 0), note.get("feature_names"), network.loaded_parameters())
            self._fits = checked_seed(note.get("fits", 0), "fits")
            self.output_names = checked_names(note.get("output_names"), network.outputs, "output_names")
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{source}: its note is not one of this package ({error})") from error

    @staticmethod
    def _is_of_my_kind(network: Network) -> bool:
        """Whether this class would have made the network, given its sizes."""
        raise NotImplementedError

    def _restore(self, note: dict[str, Any], network: Network) -> None:
        """Takes over what a class adds to the note."""

    def __getstate__(self) -> dict[str, Any]:
        theirs = {name: value for name, value in self.__dict__.items() if name not in self._own}
        return {"checkpoint": self.network.encode(self._address, self._note()), "attributes": theirs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._adopt(Network.decode(state["checkpoint"]), "pickle")
        self.__dict__.update(state["attributes"])

    # ------------------------------------------------------------ and letting it go

    def close(self) -> None:
        """Frees the engine's part now instead of with the object; any later use is a `HandleError`."""
        self.network.handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _output_names(names: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    """Those of the columns of y, unless y is one column of class indices for many outputs."""
    return tuple(names) if names is not None and len(names) == count == len(set(names)) else None


def _kind_of(network: Network) -> str:
    if any(tensor.name.startswith("linear.") for tensor in network.tensors):
        return "CausalLayerRewiring"
    return "CausalUnit" if len(network.site_widths) < 2 else "CausalMLP"


def _read_note(text: str) -> dict[str, Any]:
    """What `_note` wrote; nothing where another language saved the model."""
    try:
        note = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        note = {}
    return note if isinstance(note, dict) and note.get("class") else {}
