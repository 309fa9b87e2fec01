"""Backward passes against finite differences, and against PyTorch's autograd where it is installed."""

import numpy as np
import pytest

from causal_engine import CausalLayerRewiring, CausalMLP, CausalUnit, DAGRewiring, ShapeError, StateError

ACTIVATIONS = ["identity", "relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "softplus"]
WIDTHS, ROWS = (3, 6, 5, 2), 7


def case(rng, activation):
    """A model and a pass under do() at every site: shared and per-row masks and values, and one number for all."""
    model = CausalMLP(3, [6, 5], 2, activation=activation, dtype="float64", seed=1)
    for parameter in model.parameters():
        parameter[...] *= 3         # far into the tails of tanh and sigmoid, on both sides of every kink
    x = rng.normal(size=(ROWS, 3)) * 2
    interventions = {
        0: (rng.random((ROWS, 3)) < 0.3, rng.normal(size=3)),
        1: (rng.random(6) < 0.3, rng.normal(size=(ROWS, 6))),
        2: (rng.random((ROWS, 5)) < 0.3, rng.normal(size=(ROWS, 5))),
        3: ([0, 1], 0.5),
    }
    return model, x, interventions, rng.normal(size=(ROWS, 2))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_autograd(rng, activation):
    torch = pytest.importorskip("torch")
    functions = {"identity": lambda h: h, **{name: getattr(torch.nn.functional, name) for name in ACTIVATIONS[1:]}}
    model, x, interventions, dy = case(rng, activation)
    parameters = {name: torch.tensor(np.asarray(array), requires_grad=True) for name, array in model.named_parameters()}
    values = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, (_, v) in interventions.items()}
    leaf = h = torch.tensor(x, requires_grad=True)
    for k in range(4):
        h = torch.where(torch.tensor(np.asarray(interventions[k][0], bool)), values[k], h)
        if k < 3:
            h = torch.nn.functional.linear(h, parameters[f"layers.{k}.layers.0.weight"], parameters[f"layers.{k}.layers.0.bias"])
            h = functions[activation](h) if k < 2 else h
    h.backward(torch.tensor(dy))

    trace = model.trace(x, interventions)
    gradients = trace.backward(dy)
    near = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(trace.output, h.detach().numpy(), **near)
    np.testing.assert_allclose(gradients.inputs, leaf.grad.numpy(), **near)
    for name, parameter in parameters.items():
        np.testing.assert_allclose(gradients.parameters[name], parameter.grad.numpy(), **near)
    for k, value in values.items():
        assert gradients.values[k].shape == tuple(value.shape)
        np.testing.assert_allclose(gradients.values[k], value.grad.numpy(), **near)


def slopes(function, array, step=1e-6):
    """Central differences of a function that looks at an array while it is changed in place."""
    found = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = function()
        array[index] = kept - step
        below = function()
        array[index] = kept
        found[index] = (above - below) / (2 * step)
    return found


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_finite_differences(rng, activation):
    model, x, interventions, dy = case(rng, activation)
    interventions[3] = ([0, 1], np.array([0.5, 0.5]))

    def loss():
        return float((model(x, interventions) * dy).sum())

    gradients = model.trace(x, interventions).backward(dy)
    near = {"rtol": 1e-6, "atol": 1e-7}
    np.testing.assert_allclose(gradients.inputs, slopes(loss, x), **near)
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(gradients.parameters[name], slopes(loss, parameter), **near)
    for k, (_, values) in interventions.items():
        np.testing.assert_allclose(gradients.values[k], slopes(loss, values), **near)


@pytest.mark.parametrize("hidden", [None, 4])
def test_units_have_gradients_too(rng, hidden):
    unit = CausalUnit(3, 2, hidden, "tanh", dtype="float64", seed=0)
    x, mask, values, dy = rng.normal(size=(5, 3)), [0, 1, 0], rng.normal(size=3), rng.normal(size=(5, 2))
    gradients = unit.trace(x, mask, values).backward(dy)

    def loss():
        return float((unit(x, mask, values) * dy).sum())

    for (_, parameter), gradient in zip(unit.named_parameters(), gradients.parameters.values(), strict=True):
        np.testing.assert_allclose(gradient, slopes(loss, parameter), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(gradients.values[0], slopes(loss, values), rtol=1e-6, atol=1e-8)


def test_a_rewiring_layer_has_no_gradient_where_it_has_no_edge(rng):
    dag = DAGRewiring(3)
    dag.set_adjacency_matrix([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    layer = CausalLayerRewiring(3, 3, dag, dtype="float64", seed=0)
    x, mask, dy = rng.normal(size=(4, 3)), rng.random((4, 3)) < 0.4, rng.normal(size=(4, 3))
    gradients = layer.trace(x, mask).backward(dy)

    def loss():
        return float((layer(x, mask) * dy).sum())

    np.testing.assert_allclose(gradients.parameters["linear.weight"], slopes(loss, layer.linear.weight), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(gradients.inputs, slopes(loss, x), rtol=1e-6, atol=1e-8)
    assert not gradients.parameters["linear.weight"][dag.adj_matrix.T == 0].any()


# ---------------------------------------------------------------- kinks, as torch.nn.functional has them

@pytest.mark.parametrize("activation, h, slope", [
    ("relu", 0.0, 0), ("leaky_relu", 0.0, 0.01), ("elu", 0.0, 1), ("gelu", 0.0, 0.5), ("softplus", 20.5, 1), ("softplus", -800.0, 0),
    ("sigmoid", 800.0, 0), ("tanh", -800.0, 0), ("elu", -800.0, 0), ("gelu", -800.0, 0), ("gelu", 800.0, 1),
])
def test_slopes_at_kinks_and_far_out(activation, h, slope):
    model = CausalMLP(1, [1], 1, activation=activation, dtype="float64")
    for parameter, value in zip(model.parameters(), (1, 0, 1, 0)):
        parameter[...] = value
    assert model.trace([[h]]).backward([[1.0]]).inputs[0, 0] == pytest.approx(slope, abs=1e-15)


# ---------------------------------------------------------------- traces

def test_several_traces_are_alive_at_once_in_any_order(rng):
    model = CausalMLP(3, [8], 2, dtype="float64", seed=0)
    inputs = [rng.normal(size=(rows, 3)) for rows in (5, 1, 300)]
    cases = [(x, {0: ([0, 1, 0], float(k))}, np.ones((len(x), 2))) for k, x in enumerate(inputs)]
    wanted = [model.trace(x, do).backward(dy).flat for x, do, dy in cases]
    traces = [model.trace(x, do) for x, do, _ in cases]
    for k in (2, 0, 1, 0, 2):
        assert np.array_equal(traces[k].backward(cases[k][2]).flat, wanted[k])


def test_a_factual_and_a_counterfactual_pass_add_up(rng):
    model = CausalMLP(3, [8], 1, activation="tanh", dtype="float64", seed=0)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 1))

    def loss():
        return float(((model(x) - y) ** 2).sum() + ((model(x, {0: ([1, 0, 0], 2.0)}) - y) ** 2).sum())

    factual, counterfactual = model.trace(x), model.trace(x, {0: ([1, 0, 0], 2.0)})
    found = sum(trace.backward(2 * (trace.output - y)).parameters["layers.0.layers.0.weight"] for trace in (factual, counterfactual))
    np.testing.assert_allclose(found, slopes(loss, model.parameters()[0]), rtol=1e-6, atol=1e-8)


def test_a_trace_outlives_what_it_was_given_and_its_model(rng):
    model, x = CausalMLP(3, [8], 2, seed=0), rng.normal(size=(5, 3)).astype(np.float32)
    mask, values = np.array([False, True, False]), np.full(3, 0.5, np.float32)
    wanted = model.trace(x, {0: (mask, values)}).backward(np.ones((5, 2))).flat
    trace = model.trace(x, {0: (mask, values)})
    x[:], mask[:], values[:] = 9, True, 9
    assert np.array_equal(trace.backward(np.ones((5, 2))).flat, wanted)
    del model
    assert np.array_equal(trace.backward(np.ones((5, 2))).flat, wanted)


@pytest.mark.parametrize("change", [
    lambda m: m.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=1, progress=False),
    lambda m: m.load_state_dict(m.state_dict()),
    lambda m: setattr(m.layers[0].layers[0], "bias", np.zeros(4)),
    lambda m: m.layers[1].fit(np.ones((3, 4)), np.ones((3, 2)), epochs=1, progress=False),
], ids=["fit", "load_state_dict", "a new bias", "fit of a layer"])
def test_backward_after_the_parameters_changed_is_an_error(change):
    model = CausalMLP(3, [4], 2, seed=0)
    trace = model.trace(np.ones((2, 3)))
    of_a_layer = model.layers[0].trace(np.ones((2, 3)))     # which works on the same parameters
    change(model)
    with pytest.raises(StateError, match="parameters were changed"):
        trace.backward(np.ones((2, 2)))
    with pytest.raises(StateError, match="parameters were changed"):
        of_a_layer.backward(np.ones((2, 4)))
    model.trace(np.ones((2, 3))).backward(np.ones((2, 2)))


def test_only_what_is_wanted_is_computed_and_shapes_are_checked():
    model = CausalMLP(3, [4], 2, seed=0)
    trace = model.trace(np.ones(3), {0: ([0, 1, 0], [0, 0.5, 0])})
    gradients = trace.backward(np.ones(2), parameters=False, values=False)
    assert gradients.flat is None and not gradients.parameters and not gradients.values and gradients.inputs.shape == (3,)
    assert trace.backward(np.ones(2), inputs=False).inputs is None
    for shape in ((2, 2), (1, 2), (3,), ()):
        with pytest.raises(ShapeError, match=r"expected \(2,\)"):
            trace.backward(np.ones(shape))
    assert not model.trace(np.empty((0, 3))).backward(np.empty((0, 2))).flat.any()
