"""Calls of a model, its parameters, and that threads change nothing."""

import threading

import numpy as np
import pytest

import causal_engine
from causal_engine import CausalMLP, CausalUnit, ShapeError, set_threads


@pytest.fixture
def model():
    return CausalMLP(3, [16, 16], 1, seed=0)


def by_hand(model, x):
    """The network in numpy's float64: relu after every layer but the last."""
    h = np.asarray(x, np.float64)
    for k, layer in enumerate(model.layers):
        weight, bias = layer.layers[0].weight, layer.layers[0].bias
        h = h @ weight.T.astype(np.float64) + bias
        if k < len(model.layers) - 1:
            h = np.maximum(h, 0)
    return h


def test_public_names_are_where_notebooks_import_them_from():
    from causal_engine.causal_unit import CausalMLP as mlp
    from causal_engine.causal_unit import CausalUnit as unit
    from causal_engine.loss_functions import CausalLosses, CausalMetrics
    from causal_engine.rewiring import CausalLayerRewiring, DAGRewiring

    for found in (mlp, unit, CausalLosses, CausalMetrics, CausalLayerRewiring, DAGRewiring):
        assert getattr(causal_engine, found.__name__) is found
    assert set(causal_engine.__all__) <= set(dir(causal_engine))


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("hidden", [[], [5], [16, 16], [7, 1, 9]])
def test_the_answer_is_that_of_the_network_by_hand(rng, hidden, dtype, tolerance):
    model = CausalMLP(3, hidden, 2, dtype=dtype, seed=1)
    x = rng.normal(size=(40, 3)).astype(dtype)
    y = model(x)
    assert y.shape == (40, 2) and y.dtype == dtype
    np.testing.assert_allclose(y, by_hand(model, x), rtol=0, atol=tolerance)
    assert len(model.layers) == len(hidden) + 1


def test_identity_reproduces_the_lineage_that_applied_no_activation(rng):
    model = CausalMLP(3, [16, 16], 1, activation="identity", dtype="float64", seed=0)
    x, h = rng.normal(size=(6, 3)), None
    for layer in model.layers:
        h = (x if h is None else h) @ layer.layers[0].weight.T + layer.layers[0].bias
    np.testing.assert_allclose(model(x), h, rtol=0, atol=1e-14)


def test_call_predict_and_forward_are_the_same(model, rng):
    x = rng.normal(size=(10, 3))
    intervention = {0: ([0, 1, 0], [0, 0.5, 0])}
    y = model(x, interventions=intervention)
    assert np.array_equal(y, model.predict(x, interventions=intervention))
    assert np.array_equal(y, model.forward(x, intervention))


def test_one_row_gives_one_row(model, rng):
    x = rng.normal(size=(4, 3))
    assert model(x[0]).shape == (1,)
    assert np.array_equal(model(x[0]), model(x[:1])[0])


def test_zero_rows_are_an_empty_result(model):
    for intervention in (None, {0: ([0, 1, 0], 2.0)}, {3: (np.zeros((0, 1)), np.zeros((0, 1)))}):
        y = model(np.empty((0, 3)), intervention)
        assert y.shape == (0, 1) and y.dtype == np.float32


def test_parameters_are_weight_and_bias_of_each_unit_in_order(model):
    shapes = [(16, 3), (16,), (16, 16), (16,), (1, 16), (1,)]
    assert [p.shape for p in model.parameters()] == shapes
    names = [f"layers.{k}.layers.0.{part}" for k in range(3) for part in ("weight", "bias")]
    assert list(model.state_dict()) == names == [name for name, _ in model.named_parameters()]


@pytest.mark.parametrize("inputs, outputs", [(1, 4000), (9, 500), (100, 100)])
def test_initial_weights_are_distributed_as_those_of_a_linear_layer(inputs, outputs):
    layer = CausalUnit(inputs, outputs, seed=3, dtype="float64").layers[0]
    bound = inputs**-0.5
    for array in (layer.weight, layer.bias):
        scaled = array.ravel() / bound
        assert np.abs(scaled).max() <= 1
        assert abs(scaled.mean()) < 4 / np.sqrt(3 * scaled.size)            # four standard errors of a uniform mean
        assert abs(scaled.var() - 1 / 3) < 4 * np.sqrt(4 / 45 / scaled.size)


def test_seeds_decide_the_weights():
    flat = [np.concatenate([p.ravel() for p in CausalMLP(3, [8], 1, seed=s).parameters()]) for s in (0, 0, 1, None, None)]
    assert np.array_equal(flat[0], flat[1])
    assert not any(np.array_equal(flat[i], flat[j]) for i, j in [(1, 2), (2, 3), (3, 4)])


def test_writing_a_weight_acts_at_once(model, rng):
    x = rng.normal(size=(5, 3))
    model.layers[2].layers[0].weight[...] = 0
    model.layers[2].layers[0].bias = [7]
    assert np.array_equal(model(x), np.full((5, 1), 7, np.float32))


def test_a_state_dict_moves_a_model_and_a_wrong_one_changes_nothing(model, rng):
    other, x = CausalMLP(3, [16, 16], 1, seed=9), rng.normal(size=(5, 3))
    before = model(x)
    state = {name: array.astype(np.float64) for name, array in other.state_dict().items()}
    with pytest.raises(ShapeError, match=r"layers\.2\.layers\.0\.bias of shape \(2,\), expected \(1,\)"):
        model.load_state_dict({**state, "layers.2.layers.0.bias": np.zeros(2)})
    with pytest.raises(KeyError, match="extra"):
        model.load_state_dict({**state, "extra": np.zeros(2)})
    assert np.array_equal(model(x), before)
    model.load_state_dict(state)
    assert np.array_equal(model(x), other(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_are_the_same_to_the_bit_for_every_number_of_threads(rng, dtype):
    model = CausalMLP(20, [64, 64], 3, dtype=dtype, seed=0)
    x = rng.normal(size=(5000, 20))
    mask = rng.random((5000, 64)) < 0.3
    answers, gradients = [], []
    for threads in (1, 2, 3):
        set_threads(threads)
        answers.append(model(x, {1: (mask, 0.5)}))
        gradients.append(model.trace(x, {1: (mask, 0.5)}).backward(answers[0]).flat)
    assert all(np.array_equal(answers[0], a) for a in answers)
    assert all(np.array_equal(gradients[0], g) for g in gradients)


def test_many_threads_may_predict_with_one_model(rng):
    model = CausalMLP(8, [32], 2, seed=0)
    inputs = [rng.normal(size=(rows, 8)) for rows in (1, 3, 100, 700)]
    wanted = [model(x, {0: (np.arange(8) == k, float(k))}) for k, x in enumerate(inputs)]
    wrong, start = [], threading.Barrier(4)

    def predict(k):
        start.wait()
        for _ in range(200):
            if not np.array_equal(model(inputs[k], {0: (np.arange(8) == k, float(k))}), wanted[k]):
                wrong.append(k)

    threads = [threading.Thread(target=predict, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
