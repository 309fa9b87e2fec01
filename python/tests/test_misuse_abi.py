"""The C interface under wrong handles, NULL and sizes that lie: each call is an exception of its class, none is a crash."""

import ctypes
import re
from ctypes import byref, c_char, c_double, c_size_t, c_void_p
from pathlib import Path

import numpy as np
import pytest

from causal_engine import (
    ArgumentError, CausalError, DTypeError, HandleError, InvalidValueError, OutOfMemoryError, ShapeError, UnknownNameError,
)
from causal_engine._bindings import (
    FUNCTIONS, STRUCTURES, Dataset, DiscoveryOptions, Handle, LossArguments, MLPOptions, OptimizerOptions, StructuralOptions, TrainerOptions, library,
)

HUGE = [2**31, 2**32, 2**62, 2**63, 2**64 - 1]
ROWS = np.zeros((2, 2), np.float32)     # a trainer looks at it as long as it lives
DOUBLES = np.array([[1.0, 2.0], [3.0, 5.0]])
SEARCHED = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0]])
STRUCTURAL = {"members": 1, "epochs": 1, "batch_size": 2, "learning_rate": 0.01, "held_out": 0.1, "patience": 0.5}
CALLS = {name: arguments for name, arguments in FUNCTIONS.items() if name not in ("causal_last_error", "causal_status_name")}


def sample():
    """A live object of each kind, by kind."""
    graph = Handle(library.causal_graph_create, library.causal_graph_free, bytes([0, 1, 0, 0]), 2, None)
    intervention = Handle(library.causal_intervention_create, library.causal_intervention_free, 0)
    options = MLPOptions(inputs=2, outputs=2, activation=b"relu")
    model = Handle(library.causal_model_create_mlp, library.causal_model_free, byref(options))
    trace = Handle(library.causal_trace_create, library.causal_trace_free, model.address)
    loss = Handle(library.causal_loss_create_standard, library.causal_loss_free, b"mse")
    steps = OptimizerOptions(method=b"sgd", learning_rate=0.1)
    optimizer = Handle(library.causal_optimizer_create, library.causal_optimizer_free, byref(steps), 0, 6)
    training = Dataset(x=ROWS.ctypes.data, y=ROWS.ctypes.data, rows=2, x_columns=2, y_columns=2)
    loop = TrainerOptions(optimizer=steps, epochs=1, schedule=b"constant", step_epochs=1)
    trainer = Handle(library.causal_trainer_create, library.causal_trainer_free, model.address, None, byref(training), None, byref(loop))
    scenario = Handle(library.causal_scenario_create, library.causal_scenario_free)
    learner = Handle(library.causal_structural_trainer_create, library.causal_structural_trainer_free, graph.address, None, DOUBLES.ctypes.data, None,
                     2, 2, byref(StructuralOptions(**STRUCTURAL)))
    library.causal_structural_trainer_run(learner.address, float("inf"), None)
    learned = Handle(lambda out: library.causal_structural_trainer_model(learner.address, out), library.causal_structural_model_free)
    finder = Handle(library.causal_discovery_create, library.causal_discovery_free, None, SEARCHED.ctypes.data, None, 3, 2,
                    byref(DiscoveryOptions(score=b"bic", penalty=2.0)))
    return {"discovery": finder, "graph": graph, "intervention": intervention, "model": model, "trace": trace, "loss": loss, "optimizer": optimizer,
            "trainer": trainer, "scenario": scenario, "structural_trainer": learner, "structural_model": learned}


@pytest.fixture
def scratch():
    """Where there are 64 KiB of zeros that may be read and written."""
    buffer = (c_char * 65536)()
    yield ctypes.addressof(buffer)
    del buffer


def check(error):
    assert isinstance(error, CausalError)
    assert len(str(error)) > 10 and "\n" not in str(error)


@pytest.mark.parametrize("name", CALLS)
def test_null_everywhere_is_an_error_that_names_what_is_missing(name):
    arguments = [None if kind in (c_void_p, ctypes.c_char_p) else 0 for kind in CALLS[name]]
    if name.endswith("_free") or name == "causal_lend_threads":     # no object, and no threads, may be given
        assert getattr(library, name)(*arguments) == 0
        return
    with pytest.raises(InvalidValueError if name == "causal_set_threads" else ArgumentError) as caught:
        getattr(library, name)(*arguments)
    check(caught.value)
    assert "NULL" in str(caught.value) or name == "causal_set_threads"


@pytest.fixture(scope="module")
def handles():
    """Which arguments of each function are handles, and of what kind; the header tells."""
    path = Path(__file__).resolve().parents[2] / "include" / "causal.h"
    if not path.is_file():
        pytest.skip("causal.h is not beside this package")
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    kinds = set(re.findall(r"typedef struct (causal_\w+) causal_\w+;", text))
    found = {}
    for name, arguments in re.findall(r"^causal_status (causal_\w+)\(([^)]*)\);", text, flags=re.MULTILINE):
        matches = [re.fullmatch(r"(?:const )?(causal_\w+) \*\w+", " ".join(a.split())) for a in arguments.split(",")]
        found[name] = {i: m[1].removeprefix("causal_") for i, m in enumerate(matches) if m and m[1] in kinds}
    return found


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_live_handle_of_its_kind_is_an_error(handles, scratch, name):
    """Stale, foreign and made-up handles at each place, all else pointing to memory that may be written and read."""
    live, gone = sample(), sample()
    stale = gone["loss"].address
    for handle in gone.values():
        handle.close()
    for place, kind in handles[name].items():
        strangers = [1, 12345, 2**62, 2**64 - 1, stale, scratch]
        strangers += [gone[kind].address] + [other.address for k, other in live.items() if k != kind]
        for stranger in strangers:
            arguments = []
            for i, ctype in enumerate(CALLS[name]):
                own = handles[name].get(i)
                if i == place:
                    arguments.append(stranger)
                elif own is not None:
                    arguments.append(live[own].address)
                else:
                    arguments.append(scratch if ctype is c_void_p else b"mse" if ctype is ctypes.c_char_p else 0)
            with pytest.raises(CausalError) as caught:
                getattr(library, name)(*arguments)
            check(caught.value)
            # An options structure may be looked at first: this one is empty.
            assert isinstance(caught.value, HandleError) or "size is 0" in str(caught.value) or "model is NULL" in str(caught.value)


def test_freeing_twice_is_an_error_and_the_next_object_is_safe_from_it():
    first = sample()["graph"]
    address = first.address
    first.close()
    first.close()       # a handle here knows that it is closed
    second = sample()["graph"]
    with pytest.raises(HandleError, match="graph"):
        library.causal_graph_free(address)
    count = c_size_t()
    library.causal_graph_variable_count(second.address, byref(count))
    assert count.value == 2


@pytest.mark.parametrize("size", HUGE)
def test_sizes_that_no_memory_holds_are_refused_before_anything_is_read(size, scratch):
    live = sample()
    model, out = live["model"].address, c_void_p()
    for call in (
        lambda: library.causal_graph_create(byref(out), scratch, size, None),
        lambda: library.causal_graph_adjacency(live["graph"].address, scratch, size),
        lambda: library.causal_graph_parents(live["graph"].address, size, scratch, scratch),
        lambda: library.causal_graph_intervene(live["graph"].address, scratch, size, byref(out)),
        lambda: library.causal_graph_mask_edges(live["graph"].address, scratch, scratch, 0, 2, size, scratch),
        lambda: library.causal_model_site_width(model, size, scratch),
        lambda: library.causal_model_tensor_shape(model, size, scratch, scratch, scratch),
        lambda: library.causal_model_initialize(model, scratch, size, 0),
        lambda: library.causal_model_set_parameters(model, scratch, 0, size),
        lambda: library.causal_model_predict(model, None, scratch, 0, size, 2, None, scratch, 0, 1, 2),
        lambda: library.causal_model_predict(model, None, scratch, 0, 1, size, None, scratch, 0, 1, 2),
        lambda: library.causal_model_predict(model, None, scratch, 0, 1, 2, None, scratch, 0, size, 2),
        lambda: library.causal_set_threads(size),
        lambda: library.causal_loss_create_sum(byref(out), None, None, size),
        lambda: library.causal_optimizer_create(byref(out), None, 0, size),
    ):
        with pytest.raises((ShapeError, InvalidValueError, UnknownNameError, OutOfMemoryError, ArgumentError)) as caught:
            call()
        check(caught.value)
        assert not out.value


@pytest.mark.parametrize("rows", [2**62, 2**63, 2**64 - 1])
def test_sizes_whose_product_overflows_are_refused(rows, scratch):
    live = sample()
    value = c_double()
    arguments = LossArguments(prediction=scratch, rows=rows, columns=2, target=scratch, target_rows=rows, target_columns=2)
    for call in (
        lambda: library.causal_model_predict(live["model"].address, None, scratch, 0, rows, 2, None, scratch, 0, rows, 2),
        lambda: library.causal_intervention_set(live["intervention"].address, 0, scratch, rows, scratch, 0, 1, 4),
        lambda: library.causal_intervention_set(live["intervention"].address, 0, scratch, 1, scratch, 0, rows, 4),
        lambda: library.causal_loss_evaluate(live["loss"].address, byref(arguments), byref(value), None),
    ):
        with pytest.raises((ShapeError, InvalidValueError, OutOfMemoryError)) as caught:
            call()
        check(caught.value)


@pytest.mark.parametrize("name", [name for name in STRUCTURES if name != "causal_epoch"])
def test_a_structure_of_another_size_is_refused(name, scratch):
    live, out = sample(), c_void_p()
    training = Dataset(x=scratch, y=scratch, rows=2, x_columns=2, y_columns=2)
    calls = {
        "causal_mlp_options": lambda s: library.causal_model_create_mlp(byref(out), s),
        "causal_gradients": lambda s: library.causal_model_backward(live["model"].address, None, live["trace"].address, scratch, 0, 2, 2, s),
        "causal_loss_arguments": lambda s: library.causal_loss_evaluate(live["loss"].address, s, byref(c_double()), None),
        "causal_loss_gradients": lambda s: library.causal_loss_evaluate(
            live["loss"].address, byref(LossArguments(prediction=scratch, rows=1, columns=1, target=scratch, target_rows=1, target_columns=1)),
            byref(c_double()), s),
        "causal_optimizer_options": lambda s: library.causal_optimizer_create(byref(out), s, 0, 4),
        "causal_dataset": lambda s: library.causal_trainer_create(byref(out), live["model"].address, None, s, None, byref(TrainerOptions())),
        "causal_trainer_options": lambda s: library.causal_trainer_create(byref(out), live["model"].address, None, byref(training), None, s),
        "causal_edit": lambda s: library.causal_scenario_add(live["scenario"].address, s),
        "causal_mechanism": lambda s: library.causal_structural_trainer_create(
            byref(out), live["graph"].address, s, scratch, None, 2, 2, byref(StructuralOptions(**STRUCTURAL))),
        "causal_structural_options": lambda s: library.causal_structural_trainer_create(
            byref(out), live["graph"].address, None, scratch, None, 2, 2, s),
        "causal_discovery_options": lambda s: library.causal_discovery_create(byref(out), None, SEARCHED.ctypes.data, None, 3, 2, s),
    }
    for size in (0, 1, 7, ctypes.sizeof(STRUCTURES[name]) + 8, 2**62, 2**64 - 1):
        structure = STRUCTURES[name]()
        structure.size = size
        with pytest.raises(InvalidValueError, match="size is"):
            calls[name](byref(structure))
        assert not out.value


def test_another_dtype_is_refused():
    live, array = sample(), np.zeros((2, 2))
    where = array.ctypes.data
    with pytest.raises(DTypeError):
        library.causal_model_predict(live["model"].address, None, where, 1, 2, 2, None, where, 1, 2, 2)
    for code in (-1, 2, 2**31 - 1):
        with pytest.raises((DTypeError, InvalidValueError)):
            library.causal_intervention_create(byref(c_void_p()), code)
