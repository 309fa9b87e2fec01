"""libCausal.so as Python sees it: where it is, its structures and its functions, in the order of causal.h.

Every function of `library` raises what its status says. A call releases the GIL.
"""

from __future__ import annotations

import ctypes
import os
import sys
import weakref
from collections.abc import Callable
from ctypes import byref, c_char_p, c_double, c_int, c_size_t, c_uint64, c_void_p, sizeof
from typing import Any

from .errors import HandleError, error_for

RUNNING, FINISHED, STOPPED_EARLY, CANCELLED, DIVERGED = range(5)    # causal_trainer_state


class Sized(ctypes.Structure):
    """A structure that begins with its own size."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(sizeof(self), **fields)


class MLPOptions(Sized):
    _fields_ = [
        ("size", c_size_t), ("inputs", c_size_t), ("hidden", c_void_p), ("hidden_count", c_size_t), ("outputs", c_size_t),
        ("activation", c_char_p), ("dtype", c_int), ("seed", c_uint64), ("borrows_parameters", c_int),
    ]


class Gradients(Sized):
    _fields_ = [
        ("size", c_size_t), ("accumulate", c_int), ("parameters", c_void_p), ("parameter_count", c_size_t),
        ("tensors", c_void_p), ("tensor_count", c_size_t),
        ("inputs", c_void_p), ("input_rows", c_size_t), ("input_columns", c_size_t),
        ("values", c_void_p), ("site_count", c_size_t),
    ]


class LossArguments(Sized):
    _fields_ = [
        ("size", c_size_t), ("dtype", c_int), ("prediction", c_void_p), ("rows", c_size_t), ("columns", c_size_t),
        ("target", c_void_p), ("target_rows", c_size_t), ("target_columns", c_size_t),
        ("mask", c_void_p), ("mask_rows", c_size_t), ("mask_columns", c_size_t),
        ("values", c_void_p), ("value_rows", c_size_t), ("value_columns", c_size_t),
        ("counterfactual_prediction", c_void_p), ("counterfactual_target", c_void_p),
        ("counterfactual_rows", c_size_t), ("counterfactual_columns", c_size_t),
        ("model", c_void_p), ("parameters", c_void_p),
    ]


class LossGradients(Sized):
    _fields_ = [
        ("size", c_size_t), ("prediction", c_void_p), ("counterfactual_prediction", c_void_p), ("parameters", c_void_p),
    ]


class OptimizerOptions(Sized):
    _fields_ = [
        ("size", c_size_t), ("method", c_char_p), ("learning_rate", c_double), ("momentum", c_double), ("beta1", c_double),
        ("beta2", c_double), ("epsilon", c_double), ("weight_decay", c_double), ("clip_norm", c_double),
    ]


class Dataset(Sized):
    _fields_ = [
        ("size", c_size_t), ("dtype", c_int), ("x", c_void_p), ("y", c_void_p), ("rows", c_size_t),
        ("x_columns", c_size_t), ("y_columns", c_size_t), ("intervention", c_void_p), ("selection", c_void_p), ("selected", c_size_t),
    ]


class Epoch(ctypes.Structure):
    _fields_ = [("loss", c_double), ("validation_loss", c_double), ("learning_rate", c_double), ("seconds", c_double)]


class TrainerOptions(Sized):
    _fields_ = [
        ("size", c_size_t), ("loss", c_void_p), ("optimizer", OptimizerOptions), ("epochs", c_size_t),
        ("batch_size", c_size_t), ("patience", c_size_t), ("schedule", c_char_p), ("step_epochs", c_size_t),
        ("step_factor", c_double), ("seed", c_uint64), ("callback", c_void_p), ("context", c_void_p),
        ("keeps_order", c_int),
    ]


class Edit(Sized):
    _fields_ = [
        ("size", c_size_t), ("variable", c_char_p), ("kind", c_int), ("values", c_void_p), ("value_count", c_size_t),
        ("lower", c_double), ("upper", c_double), ("reads", c_void_p), ("read_count", c_size_t), ("function", c_void_p),
        ("context", c_void_p), ("rows", c_void_p), ("row_count", c_size_t), ("condition_reads", c_void_p),
        ("condition_read_count", c_size_t), ("condition", c_void_p), ("condition_context", c_void_p), ("model", c_void_p),
        ("layer", c_size_t), ("unit", c_size_t), ("source", c_void_p), ("hidden", c_void_p), ("hidden_count", c_size_t),
        ("activation", c_char_p), ("scales", c_void_p),
    ]


class Mechanism(Sized):
    _fields_ = [
        ("size", c_size_t), ("levels", c_size_t), ("kind", c_char_p), ("hidden", c_void_p), ("hidden_count", c_size_t),
        ("activation", c_char_p), ("pieces", c_size_t), ("formula", c_void_p), ("context", c_void_p),
    ]


class StructuralOptions(Sized):
    _fields_ = [
        ("size", c_size_t), ("dtype", c_int), ("members", c_size_t), ("resamples", c_int), ("epochs", c_size_t),
        ("batch_size", c_size_t), ("learning_rate", c_double), ("weight_decay", c_double), ("held_out", c_double),
        ("patience", c_double), ("seed", c_uint64), ("former", c_void_p), ("frozen", c_void_p),
        ("sparsity", c_double), ("independence", c_double), ("twins", c_void_p), ("counterfactual", c_double),
    ]


class DiscoveryOptions(Sized):
    _fields_ = [
        ("size", c_size_t), ("score", c_char_p), ("penalty", c_double), ("prior_rows", c_double), ("restarts", c_size_t),
        ("bootstrap", c_size_t), ("seed", c_uint64), ("levels", c_void_p), ("required", c_void_p), ("forbidden", c_void_p),
        ("tiers", c_void_p), ("order", c_void_p), ("most_parents", c_size_t), ("regimes", c_void_p),
    ]


STRUCTURES: dict[str, type[ctypes.Structure]] = {
    "causal_mlp_options": MLPOptions,
    "causal_gradients": Gradients,
    "causal_loss_arguments": LossArguments,
    "causal_loss_gradients": LossGradients,
    "causal_optimizer_options": OptimizerOptions,
    "causal_dataset": Dataset,
    "causal_epoch": Epoch,
    "causal_trainer_options": TrainerOptions,
    "causal_edit": Edit,
    "causal_mechanism": Mechanism,
    "causal_structural_options": StructuralOptions,
    "causal_discovery_options": DiscoveryOptions,
}

Function = ctypes.CFUNCTYPE(c_int, c_void_p, ctypes.POINTER(c_double), c_size_t, c_size_t, ctypes.POINTER(c_double))    # causal_function

# Handles, arrays and places to write to are all addresses here.
_A, _N, _D, _I, _F, _T, _S = c_void_p, c_size_t, c_int, c_int, c_double, c_char_p, c_uint64
_ARRAY = (_A, _D, _N, _N)

FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "causal_version": (_A,),
    "causal_last_error": (),
    "causal_status_name": (_I,),
    "causal_set_threads": (_N,),
    "causal_get_threads": (_A,),
    "causal_lend_threads": (_A,),

    "causal_graph_create": (_A, _A, _N, _A),
    "causal_graph_free": (_A,),
    "causal_graph_variable_count": (_A, _A),
    "causal_graph_variable_name": (_A, _N, _A, _N, _A),
    "causal_graph_adjacency": (_A, _A, _N),
    "causal_graph_parents": (_A, _N, _A, _A),
    "causal_graph_children": (_A, _N, _A, _A),
    "causal_graph_ancestors": (_A, _N, _A, _A),
    "causal_graph_descendants": (_A, _N, _A, _A),
    "causal_graph_topological_order": (_A, _A),
    "causal_graph_find_cycle": (_A, _A, _A),
    "causal_graph_intervene": (_A, _A, _N, _A),
    "causal_graph_mask_edges": (_A, _A, _A, _D, _N, _N, _A),
    "causal_graph_confound": (_A, _A, _N, _A),
    "causal_graph_confounded": (_A, _A, _N),
    "causal_graph_hide": (_A, _A, _N, _A),
    "causal_graph_link": (_A, _A, _N, _A),
    "causal_graph_linked": (_A, _A, _N),
    "causal_graph_equivalence_class": (_A, _A, _N, _N, _A),
    "causal_graph_districts": (_A, _A),
    "causal_graph_is_separated": (_A, _A, _A, _A, _N, _A),
    "causal_graph_is_back_door_set": (_A, _A, _A, _A, _N, _A),
    "causal_graph_back_door_sets": (_A, _A, _A, _A, _N, _A, _N, _A),
    "causal_graph_is_identified": (_A, _A, _A, _N, _A),
    "causal_graph_confounded_mechanisms": (_A, _A, _A, _N, _I, _A, _A),

    "causal_intervention_create": (_A, _D),
    "causal_intervention_free": (_A,),
    "causal_intervention_set": (_A, _N, _A, _N, _A, _D, _N, _N),

    "causal_model_create_mlp": (_A, _A),
    "causal_model_create_graph_mlp": (_A, _A, _A, _A),
    "causal_model_create_unit": (_A, _A),
    "causal_model_create_rewiring": (_A, _A, _A),
    "causal_model_create_network": (_A, _A, _T),
    "causal_model_free": (_A,),
    "causal_model_dtype": (_A, _A),
    "causal_model_network": (_A, _A, _N, _A),
    "causal_model_input_width": (_A, _A),
    "causal_model_output_width": (_A, _A),
    "causal_model_site_count": (_A, _A),
    "causal_model_site_width": (_A, _N, _A),
    "causal_model_parameter_count": (_A, _A),
    "causal_model_tensor_count": (_A, _A),
    "causal_model_tensor_shape": (_A, _N, _A, _A, _A),
    "causal_model_tensor_name": (_A, _N, _A, _N, _A),
    "causal_model_initialize": (_A, _A, _N, _S),
    "causal_model_get_parameters": (_A, _A, _D, _N),
    "causal_model_set_parameters": (_A, _A, _D, _N),
    "causal_model_predict": (_A, _A, *_ARRAY, _A, *_ARRAY),

    "causal_trace_create": (_A, _A),
    "causal_trace_free": (_A,),
    "causal_model_forward": (_A, _A, *_ARRAY, _A, _A, *_ARRAY),
    "causal_model_backward": (_A, _A, _A, *_ARRAY, _A),

    "causal_loss_create_standard": (_A, _T),
    "causal_loss_create_intervention": (_A, _T, _I),
    "causal_loss_create_counterfactual": (_A,),
    "causal_loss_create_consistency": (_A,),
    "causal_loss_create_regularization": (_A, _F),
    "causal_loss_create_independence": (_A,),
    "causal_loss_create_sum": (_A, _A, _A, _N),
    "causal_loss_free": (_A,),
    "causal_loss_evaluate": (_A, _A, _A, _A),

    "causal_optimizer_create": (_A, _A, _D, _N),
    "causal_optimizer_free": (_A,),
    "causal_optimizer_set_learning_rate": (_A, _F),
    "causal_optimizer_step": (_A, _A, _A, _A, _D, _N),

    "causal_trainer_create": (_A, _A, _A, _A, _A, _A),
    "causal_trainer_free": (_A,),
    "causal_trainer_run": (_A, _F, _A),
    "causal_trainer_run_all": (_A, _N, _F, _A),
    "causal_trainer_learn": (_A, _A, _A),
    "causal_trainer_end_epoch": (_A, _A),
    "causal_trainer_cancel": (_A,),
    "causal_trainer_history": (_A, _N, _A, _N, _A),
    "causal_trainer_progress": (_A, _A, _A, _A),

    "causal_scenario_create": (_A,),
    "causal_scenario_free": (_A,),
    "causal_scenario_add": (_A, _A),

    "causal_structural_trainer_create": (_A, _A, _A, _A, _A, _N, _N, _A),
    "causal_structural_trainer_free": (_A,),
    "causal_structural_trainer_run": (_A, _F, _A),
    "causal_structural_trainer_progress": (_A, _A),
    "causal_structural_trainer_model": (_A, _A),
    "causal_structural_model_free": (_A,),
    "causal_structural_model_member_count": (_A, _A),
    "causal_structural_model_noise_width": (_A, _A),
    "causal_structural_model_mechanism": (_A, _N, _A, _N, _A),
    "causal_structural_model_dtype": (_A, _A),
    "causal_structural_model_graph": (_A, _A),
    "causal_structural_model_levels": (_A, _N, _A),
    "causal_structural_model_sample": (_A, _A, _N, _S, _N, _A, _A, _N, _N),
    "causal_structural_model_gradient": (_A, _A, _N, _S, _N, _A, _N, _N, _A, _N),
    "causal_structural_model_counterfactual": (_A, _A, _A, _A, _N, _S, _A, _A, _N, _N),
    "causal_structural_model_abduct": (_A, _A, _A, _N, _S, _N, _N, _A, _N),
    "causal_structural_model_probabilities": (_A, _N, _A, _N, _N, _N, _A, _N),

    "causal_discovery_create": (_A, _A, _A, _A, _N, _N, _A),
    "causal_discovery_free": (_A,),
    "causal_discovery_run": (_A, _F, _A),
    "causal_discovery_cancel": (_A,),
    "causal_discovery_progress": (_A, _A),
    "causal_discovery_graph": (_A, _A),
    "causal_discovery_directed_graph": (_A, _A),
    "causal_discovery_score": (_A, _A, _A),
    "causal_discovery_frequencies": (_A, _A, _A, _N, _A),
    "causal_discovery_gates": (_A, _A, _N),
    "causal_discovery_targets": (_A, _A, _N, _N),
    "causal_discovery_hidden_causes": (_A, _A, _N),

    "causal_model_save": (_A, _A, _T, _T),
    "causal_model_load": (_A, _T),
    "causal_model_encode": (_A, _A, _T, _A, _N, _A),
    "causal_model_decode": (_A, _A, _N),
    "causal_model_note": (_A, _A, _N, _A),

    "causal_structural_model_save": (_A, _T, _T),
    "causal_structural_model_load": (_A, _T),
    "causal_structural_model_encode": (_A, _T, _A, _N, _A),
    "causal_structural_model_decode": (_A, _A, _N),
    "causal_structural_model_note": (_A, _A, _N, _A),
}


def library_path() -> str:
    """Where the library is: what CAUSAL_LIBRARY names, or else beside this package, or else in the repository's build folder."""
    named = os.environ.get("CAUSAL_LIBRARY")
    name = "libCausal.dylib" if sys.platform == "darwin" else "libCausal.so"
    package = os.path.dirname(os.path.realpath(__file__))       # not with pathlib, which takes longer to import than the library to load
    repository = os.path.dirname(os.path.dirname(package))
    places = [named] if named else [os.path.join(package, name), os.path.join(repository, "build", name)]
    for place in places:
        if os.path.isfile(place):
            return place
    where = " or ".join(places)
    hint = "CAUSAL_LIBRARY names no file" if named else "run `make library` in the repository, or let CAUSAL_LIBRARY name it"
    raise ImportError(f"{name} is not at {where}: {hint}")


def _raise_on_error(status: int, function: Any, arguments: Any) -> int:
    if status:
        raise error_for(status, library.causal_last_error().decode("utf-8", "replace"))
    return status


def _open(path: str) -> ctypes.CDLL:
    try:
        opened = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"{path} cannot be loaded: {error}") from error
    for name, arguments in FUNCTIONS.items():
        try:
            function = getattr(opened, name)
        except AttributeError:
            raise ImportError(f"{path} has no {name}: it is of another version than this package; build it again") from None
        function.argtypes = arguments
        if name in ("causal_last_error", "causal_status_name"):
            function.restype = c_char_p
        else:
            function.restype = c_int
            function.errcheck = _raise_on_error
    return opened


library = _open(library_path())


class Handle:
    """An object of the engine, freed together with this one."""

    __slots__ = ("__weakref__", "_finalizer", "_free", "address")

    def __init__(self, create: Callable[..., Any], free: Callable[..., Any], *arguments: Any) -> None:
        out = c_void_p()
        create(byref(out), *arguments)
        self.address = out.value
        self._free = free
        self._finalizer = weakref.finalize(self, free, out.value)
        self._finalizer.atexit = False      # a thread may still be using it, and the process is about to free everything

    @property
    def is_open(self) -> bool:
        return self._finalizer.alive

    def close(self) -> None:
        """Frees the object now. Whoever uses it afterwards gets a `HandleError`."""
        if self._finalizer.alive:
            try:
                self._free(self.address)    # raises where another thread is using it, and nothing has happened
            except HandleError:
                pass                        # freed before, and then came a Ctrl-C
            self._finalizer.detach()


def read_size(function: Callable[..., Any], *arguments: Any) -> int:
    """The size that a function writes to its last argument."""
    value = c_size_t()
    function(*arguments, byref(value))
    return value.value


def read_text(function: Callable[..., Any], *arguments: Any) -> str:
    """The text that a function writes into a buffer of whatever length it needs."""
    length = read_size(function, *arguments, None, 0)
    buffer = ctypes.create_string_buffer(length + 1)
    function(*arguments, buffer, length + 1, None)
    return buffer.raw[:length].decode()
