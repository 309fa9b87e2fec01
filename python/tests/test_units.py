"""A single layer: its parts, its answer, and what it remembers of interventions."""

import threading

import numpy as np
import pytest

from causal_engine import CausalMLP, CausalUnit, InvalidValueError, OutOfMemoryError, ShapeError


@pytest.fixture
def x(rng):
    return rng.normal(size=(5, 3))


def test_one_linear_layer(x):
    unit = CausalUnit(3, 2, dtype="float64", seed=0)
    (linear,) = unit.layers
    assert linear.weight.shape == (2, 3) and linear.bias.shape == (2,)
    assert (linear.in_features, linear.out_features) == (3, 2)
    np.testing.assert_allclose(unit(x), x @ linear.weight.T + linear.bias, rtol=0, atol=1e-14)


def test_linear_activation_linear(x):
    unit = CausalUnit(3, 2, hidden_dim=7, activation="tanh", dtype="float64", seed=0)
    first, activation, last = unit.layers
    assert first.weight.shape == (7, 3) and last.weight.shape == (2, 7) and activation.name == "tanh"
    h = np.tanh(x @ first.weight.T + first.bias)
    np.testing.assert_allclose(unit(x), h @ last.weight.T + last.bias, rtol=0, atol=1e-14)


def test_the_default_activation_is_relu(x):
    unit = CausalUnit(3, 2, 7, seed=0)
    assert unit.layers[1].name == "relu"
    assert np.array_equal(unit(x), CausalUnit(3, 2, 7, "relu", seed=0)(x))


@pytest.mark.parametrize("hidden", [None, 7])
def test_do_replaces_the_input(x, hidden):
    unit = CausalUnit(3, 2, hidden, seed=0)
    mask, values = np.array([0, 1, 1]), np.array([9.0, 0.5, -1.0])
    assert np.array_equal(unit(x, mask, values), unit(np.where(mask, values, x)))
    assert np.array_equal(unit(x, do_mask=mask, do_values=values), unit.predict(x, mask, values))
    assert np.array_equal(unit(x, mask, values), unit.forward(x, mask, values))
    assert np.array_equal(unit(x, mask, 0.5), unit(np.where(mask, 0.5, x)))
    assert np.array_equal(unit(x[:2], mask, values), unit(x, mask, values)[:2])
    # One row alone is summed in another order.
    np.testing.assert_allclose(unit(x[0], mask, values), unit(x, mask, values)[0], rtol=1e-6, atol=1e-7)
    assert unit(np.empty((0, 3)), mask, values).shape == (0, 2)


def test_a_trace_of_a_unit_is_that_of_its_call(x):
    unit = CausalUnit(3, 2, 7, seed=0)
    trace = unit.trace(x, [0, 1, 0], 0.5)
    assert np.array_equal(trace.output, unit(x, [0, 1, 0], 0.5))
    assert not trace.backward(np.ones((5, 2))).inputs[:, 1].any()


def test_the_units_of_a_model_work_on_its_parameters(x):
    model = CausalMLP(3, [7], 2, activation="tanh", dtype="float64", seed=0)
    first, last = model.layers
    assert all(isinstance(unit, CausalUnit) for unit in model.layers)
    np.testing.assert_allclose(last(np.tanh(first(x))), model(x), rtol=0, atol=1e-14)
    last.layers[0].weight[...] = 0
    assert np.array_equal(model(x), np.tile(last.layers[0].bias, (5, 1)))
    model.load_state_dict({name: np.ones_like(array) for name, array in model.state_dict().items()})
    assert (first.layers[0].weight == 1).all()


@pytest.mark.parametrize("value", [np.ones((3, 2)), np.ones(3), [[1, 2, 3, 4]]])
def test_a_weight_of_another_shape_is_an_error(value):
    linear = CausalUnit(3, 2, seed=0).layers[0]
    with pytest.raises(ShapeError, match=r"expected \(2,"):
        if np.shape(value) == (3,):
            linear.bias = value
        else:
            linear.weight = value


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0), (-1, 1), (1, -5), (1, 1, 0), (1, 1, -2)])
def test_a_width_below_one_is_an_error(sizes):
    with pytest.raises(InvalidValueError, match="expected 1 or more"):
        CausalUnit(*sizes)


@pytest.mark.parametrize("sizes", [(2**62, 1), (1, 2**63), (1, 1, 2**64 - 1), (2**64, 1), (2**24, 2**24), (2**23, 2**22)])
def test_a_size_too_large_to_hold_is_an_error_at_once(sizes):
    with pytest.raises(OutOfMemoryError, match="too large to hold"):
        CausalUnit(*sizes)
    assert issubclass(OutOfMemoryError, ValueError) and issubclass(OutOfMemoryError, MemoryError)


# ---------------------------------------------------------------- what it remembers

NOTHING = {"mask": None, "values": None}


def test_it_tells_the_last_intervention_and_none_where_there_was_none(x):
    unit = CausalUnit(3, 2, seed=0)
    assert unit.get_intervention_info() == NOTHING
    unit(x, [0, 1, 0], [0, 0.5, 0])
    info = unit.get_intervention_info()
    assert info.keys() == {"mask", "values"}
    assert np.array_equal(info["mask"], [False, True, False]) and np.array_equal(info["values"], [0, 0.5, 0])
    unit(x)
    assert unit.get_intervention_info() == NOTHING
    assert len(unit.intervention_history) == 1


def test_masks_of_each_row_are_told_as_they_were(x, rng):
    unit, mask, values = CausalUnit(3, 2, dtype="float64", seed=0), rng.random((5, 3)) < 0.5, rng.normal(size=(5, 3))
    unit(x, mask, values)
    assert np.array_equal(unit.get_intervention_info()["mask"], mask)
    assert np.array_equal(unit.get_intervention_info()["values"], values)


def test_every_unit_of_a_model_tells_its_own(x):
    model = CausalMLP(3, [4], 2, seed=0)
    model(x, {1: ([0, 1, 0, 0], 0.5), 2: ([1, 0], 0.0)})
    assert model.layers[0].get_intervention_info() == NOTHING
    assert np.array_equal(model.layers[1].get_intervention_info()["mask"], [False, True, False, False])
    model.trace(x, {0: ([1, 0, 0], 0.5)})
    assert np.array_equal(model.layers[0].get_intervention_info()["values"], [0.5, 0.5, 0.5])
    assert model.layers[1].get_intervention_info() == NOTHING


def test_what_a_caller_does_with_its_arrays_afterwards_changes_nothing(x):
    unit, mask, values = CausalUnit(3, 2, dtype="float64"), np.array([False, True, False]), np.array([0, 0.5, 0])
    unit(x, mask, values)
    mask[:], values[:] = True, 9
    unit.get_intervention_info()["mask"] = None
    info = unit.get_intervention_info()
    assert np.array_equal(info["mask"], [False, True, False]) and np.array_equal(info["values"], [0, 0.5, 0])


def test_the_history_is_bounded_in_number_and_oldest_first(x):
    unit = CausalUnit(3, 2)
    for k in range(1000):
        unit(x, [0, 1, 0], float(k))
    kept = [entry["values"][1] for entry in unit.intervention_history]
    assert 1 < len(kept) < 100
    assert kept == list(range(1000 - len(kept), 1000))


def test_the_history_is_bounded_in_bytes():
    unit, x = CausalUnit(100, 1), np.zeros((5000, 100), np.float32)
    for _ in range(30):
        unit(x, np.ones((5000, 100)), x)
    kept = sum(array.nbytes for entry in unit.intervention_history for array in entry.values())
    assert kept <= 2 * (x.nbytes + x.size)


def test_threads_that_predict_at_once_find_a_whole_entry(x):
    unit, broken = CausalUnit(3, 2), []

    def predict(k):
        for _ in range(300):
            unit(x, np.full(3, True), np.full(3, k, float))
            for entry in (unit.get_intervention_info(), *unit.intervention_history):
                if entry["mask"] is None or len(set(entry["values"].tolist())) != 1:
                    broken.append(entry)

    threads = [threading.Thread(target=predict, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken
