"""Wrong arguments of every kind: each is an exception of the documented class that names things, and none is a crash."""

import contextlib
import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import causal_engine
from causal_engine import (
    ArgumentError, CausalError, CausalLayerRewiring, CausalLosses, CausalMetrics, CausalMLP, CausalUnit, DAGRewiring, HandleError,
    InvalidValueError, OutOfMemoryError, ShapeError,
)
from causal_engine._bindings import Gradients, library

# ---------------------------------------------------------------- what was closed

OPENED = {
    CausalMLP: lambda: CausalMLP(3, [4], 3, seed=0),
    CausalUnit: lambda: CausalUnit(3, 3, seed=0),
    CausalLayerRewiring: lambda: CausalLayerRewiring(3, 3, DAGRewiring(3), seed=0),
}
USES = {
    "call": lambda model, path: model(np.ones((2, 3))),
    "predict": lambda model, path: model.predict(np.ones((2, 3))),
    "trace": lambda model, path: model.trace(np.ones((2, 3))),
    "fit": lambda model, path: model.fit(np.ones((2, 3)), np.ones((2, 3)), epochs=1, progress=False),
    "save": lambda model, path: model.save(path),
    "pickle": lambda model, path: model.__getstate__(),
    "regularization": lambda model, path: CausalLosses().causal_regularization_loss(model),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", OPENED, ids=lambda kind: kind.__name__)
def test_a_closed_model_is_an_error_at_any_use(kind, use, tmp_path):
    with OPENED[kind]() as model:
        pass
    with pytest.raises(HandleError, match="model"):
        USES[use](model, tmp_path / "model")
    model.close()       # again: nothing
    assert repr(model) and not list(tmp_path.iterdir())


def test_the_layers_of_a_closed_model_are_closed_and_its_traces_are_not_usable():
    model = CausalMLP(3, [4], 2, seed=0)
    trace = model.trace(np.ones((2, 3)))
    model.close()
    with pytest.raises(HandleError):
        model.layers[0](np.ones((2, 3)))
    with pytest.raises(HandleError):
        trace.backward(np.ones((2, 2)))


def test_weights_outlive_their_model():
    weight = CausalMLP(3, [4], 2, seed=0).layers[0].layers[0].weight
    assert weight.sum() == CausalMLP(3, [4], 2, seed=0).parameters()[0].sum()


# ---------------------------------------------------------------- sizes, and what is none

SIZES = {      # by what the message calls them
    "input_dim|number of inputs": lambda size: CausalMLP(size, [4], 1),
    "output_dim|number of outputs": lambda size: CausalMLP(3, [4], size),
    r"hidden_dims\[1\]|hidden layer 1": lambda size: CausalMLP(3, [4, size], 1),
    "hidden_dim |hidden layer": lambda size: CausalUnit(3, 1, [size] if size is None else size),
    "input_dim |number of inputs": lambda size: CausalLayerRewiring(size, 3),
    "num_variables": DAGRewiring,
    "threads": causal_engine.set_threads,
}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("size", [0, -1, -2**63, 2**31, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**40])
def test_no_size_is_silently_another(name, size):
    with pytest.raises((InvalidValueError, OutOfMemoryError), match=name) as caught:
        SIZES[name](size)
    assert str(size) in str(caught.value) and isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("size", [None, "3", b"3", 2.0, np.nan, [3], {}, np.array([1, 2]), 1j], ids=repr)
def test_what_is_no_whole_number_is_a_type_error(name, size):
    with pytest.raises(ArgumentError, match=name.split("|")[0]):
        SIZES[name](size)


@pytest.mark.parametrize("hidden", [None, 5, "16", [[4]], [None], [4, "4"], 1.5])
def test_hidden_widths_are_a_list_of_whole_numbers(hidden):
    with pytest.raises(ArgumentError, match="hidden_dims"):
        CausalMLP(3, hidden, 1)


def test_a_masked_array_is_not_read_past_its_mask():
    model = CausalMLP(2, [3], 1)
    given = np.ma.array([[1.0, 2.0]], mask=[[False, True]])
    for call in (lambda: model(given), lambda: model([[1, 2]], {0: (given, 0)}), lambda: model.fit(given, [1], progress=False)):
        with pytest.raises(ArgumentError, match="is a masked array, expected one without a mask of its own"):
            call()


def test_numpy_whole_numbers_are_sizes():
    assert repr(CausalMLP(np.int8(3), np.array([4, 5]), np.uint64(1))) == "CausalMLP(3, [4, 5], 1, activation='relu')"


# ---------------------------------------------------------------- anything anywhere

NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 0.5, -0.0, np.nan, np.inf, 1e300, 2**62, 2**63, 2**64 - 1, 2**64, -2**63, True, 1j])
ODD = st.sampled_from(
    [None, "", "x", "mse", "relu", "\0", "\ud800", b"x", [], [[]], (), {}, {"a": 1}, {0: (None, None)}, {1: 5}, [[1], [1, 2]], [1, "2"], [None], object(),
     int, np.float32(1), np.array("x"), np.array(None), np.zeros((2, 0)), np.zeros((1, 2, 3)), iter([1]), slice(1), range(3), ...])
ARRAYS = st.builds(lambda shape, dtype: (np.arange(np.prod(shape, dtype=int)) % 4).reshape(shape).astype(dtype),
                   st.lists(st.integers(0, 4), max_size=3), st.sampled_from(["f4", "f8", "f2", "i8", "u1", "?"]))
ANYTHING = st.one_of(NUMBERS, ODD, ARRAYS, st.just(np.ones((2, 3))), st.just([0, 1, 0]), st.lists(NUMBERS, max_size=3))

LOSSES = [name for name in dir(CausalLosses) if name.endswith("_loss") and not name.startswith("_")]
TARGETS = [
    (CausalMLP, 3), (CausalUnit, 4), (CausalLayerRewiring, 3), (DAGRewiring, 1), (CausalLosses, 2), (causal_engine.set_threads, 1),
    *((getattr(CausalMLP(3, [4], 2, seed=0, feature_names="a b c".split()), name), n) for name, n in (
        ("__call__", 2), ("trace", 2), ("do", 1), ("load_state_dict", 1))),
    (lambda k, pair: CausalMLP(3, [4], 2, seed=0)(np.ones((2, 3)), {k: pair}), 2),
    (lambda mask, values: CausalMLP(3, [4], 2, seed=0)(np.ones((2, 3)), {0: (mask, values)}), 2),
    (lambda mask, values: CausalMLP(3, [4], 2, seed=0).trace(np.ones((2, 3)), {1: (mask, values)}).backward(np.ones((2, 2))), 2),
    (CausalUnit(3, 2, seed=0), 3), (CausalLayerRewiring(3, 2, seed=0), 2), (CausalMLP(3, [4], 2).trace(np.ones((2, 3))).backward, 1),
    *((getattr(DAGRewiring(3), name), n) for name, n in (
        ("set_adjacency_matrix", 1), ("get_parents", 1), ("get_children", 1), ("apply_intervention_to_dag", 1), ("mask_edges", 2))),
    *((getattr(CausalLosses(), name), 4) for name in LOSSES),
    (CausalMetrics.intervention_accuracy, 3), (CausalMetrics.causal_effect_estimation_error, 2), (CausalMLP.load, 1),
]


@settings(max_examples=150)
@pytest.mark.parametrize("target, arguments", TARGETS, ids=lambda value: getattr(value, "__name__", type(value).__name__))
@given(st.data())
def test_anything_anywhere_is_an_answer_or_a_documented_error(target, arguments, data):
    given_arguments = data.draw(st.lists(ANYTHING, min_size=arguments, max_size=arguments))
    # 1e300 does not fit into float32, some take fewer arguments, and lists are no keys: numpy and Python say so themselves.
    with contextlib.suppress(RuntimeWarning):
        try:
            target(*given_arguments)
        except CausalError as error:
            assert str(error) and "\n" not in str(error)
        except TypeError as error:
            assert "positional argument" in str(error) or "unhashable" in str(error)


FIT = ["x", "y", "interventions", "loss", "optimizer", "lr", "batch_size", "validation_data", "patience", "clip_grad", "schedule",
       "weight_decay", "seed", "momentum", "step_size", "step_factor"]


@pytest.mark.parametrize("name", FIT)
@given(st.data())
def test_anything_given_to_fit_leaves_a_model_that_works(name, data):
    model, x = CausalMLP(3, [4], 3, seed=0), np.ones((2, 3))
    with contextlib.suppress(CausalError, RuntimeWarning):
        model.fit(**{"x": x, "y": x, "epochs": 2, "progress": False, name: data.draw(ANYTHING)})
    assert np.isfinite(model(x)).all()


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 8, 2**32, 2**62, 2**64 - 1]), min_size=6, max_size=6))
def test_gradients_of_any_claimed_size_are_checked(sizes):
    model = CausalMLP(2, [2], 1, seed=0)        # of 9 parameters, which is no number that is drawn
    trace = model.trace(np.ones((3, 2)))
    buffer = (ctypes.c_char * 65536)()
    scratch = ctypes.addressof(buffer)
    claimed = Gradients(parameters=scratch, parameter_count=sizes[0], inputs=scratch, input_rows=sizes[1], input_columns=sizes[2],
                        values=None, site_count=sizes[3])
    with pytest.raises((ShapeError, InvalidValueError, OutOfMemoryError, ArgumentError)):
        library.causal_model_backward(
            model.network.handle.address, model._address, trace._memory.trace.address, scratch, 0, sizes[4], sizes[5], ctypes.byref(claimed))
