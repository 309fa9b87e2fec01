"""Gradients through the engine's pass, as torch's autograd sees them."""

import pytest
import torch
from torch.autograd import gradcheck

from causal_engine import CausalLayerRewiring, CausalLosses, CausalMLP, CausalUnit, DAGRewiring, StateError

ACTIVATIONS = ["identity", "relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "softplus"]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def normal(*shape, grad=True):
    return torch.randn(shape, dtype=torch.float64, requires_grad=grad)


def functional(model, call):
    """The model as a function of tensors, its parameters last."""
    return lambda *tensors: call(*tensors[:len(tensors) - len(list(model.parameters()))])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [[], [4], [4, 3]])
def test_gradcheck_on_networks_under_interventions(activation, hidden):
    model = CausalMLP(3, hidden, 2, activation=activation, dtype="float64")
    each, shared, one = normal(5, 3), normal(2), normal()
    masks = torch.rand(5, 3) < 0.5
    last = len(hidden) + 1
    edits = {0: (masks, each), last: ([True, False], shared)}
    learned = [each, shared]
    if hidden:
        edits[1] = ([1, 0, 0, 1], one)
        learned.append(one)
    assert gradcheck(functional(model, lambda x, *_: model(x, edits)), (normal(5, 3), *learned, *model.parameters()))


def test_gradcheck_on_units_and_on_the_layer_whose_edges_obey_a_graph():
    mask, values = torch.rand(5, 3) < 0.5, normal(5, 3)
    for unit in CausalUnit(3, 2, dtype="float64"), CausalUnit(3, 2, 4, "gelu", dtype="float64"):
        assert gradcheck(functional(unit, lambda x, _: unit(x, mask, values)), (normal(5, 3), values, *unit.parameters()))
    dag = DAGRewiring(3)
    dag.set_adjacency_matrix([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    layer = CausalLayerRewiring(3, 3, dag, dtype="float64")
    assert gradcheck(functional(layer, lambda x: layer(x, mask)), (normal(5, 3), *layer.parameters()))


def test_gradcheck_through_a_loss_and_a_network():
    model, losses = CausalMLP(3, [4], 2, activation="tanh", dtype="float64"), CausalLosses(0.7, 1.3)
    x, target, factual = normal(5, 3), normal(5, 2), torch.rand(5, 2) < 0.5

    def total(x, *_):
        other = model(x, {0: ([0, 1, 0], 0.5)})
        return losses.total_causal_loss(model(x), target, factual, None, other, target) + losses.causal_regularization_loss(model)
    assert gradcheck(functional(model, total), (x, *model.parameters()))


def test_what_was_set_gets_no_gradient_and_the_value_gets_it():
    model, x, value = CausalMLP(3, [8], 1, dtype="float64"), normal(6, 3), normal()
    model(x, {0: ([0, 1, 0], value)}).sum().backward()
    assert not x.grad[:, 1].any() and x.grad[:, [0, 2]].all() and value.grad != 0


def test_every_parameter_gets_a_gradient_even_where_everything_was_cut():
    model = CausalMLP(3, [8], 2)
    model(torch.randn(6, 3), {2: ([1, 1], 0.0)}).sum().backward()
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in model.parameters())


def test_a_nan_that_is_cut_reaches_nothing():
    model, x = CausalMLP(3, [8], 2), torch.randn(6, 3)
    x[0] = torch.nan
    mask = torch.zeros(6, 8)
    mask[0] = 1
    for hooked in False, True:
        model.zero_grad()
        y = model(x, {1: (mask, 2.0)})
        y.sum().backward()
        assert y.isfinite().all() and all(parameter.grad.isfinite().all() for parameter in model.parameters())
        model.layers[0].register_forward_hook(lambda *_: None)


def test_several_passes_before_one_backward_pass():
    model, x = CausalMLP(3, [8], 1, dtype="float64"), normal(6, 3, grad=False)
    apart = []
    for edits in None, {0: ([1, 0, 0], 1.0)}, {1: ([1] * 4 + [0] * 4, -1.0)}:
        model.zero_grad()
        (model(x, edits) ** 2).mean().backward()
        apart.append([parameter.grad.clone() for parameter in model.parameters()])
    model.zero_grad()
    sum((model(x, edits) ** 2).mean() for edits in (None, {0: ([1, 0, 0], 1.0)}, {1: ([1] * 4 + [0] * 4, -1.0)})).backward()
    for parameter, *gradients in zip(model.parameters(), *apart):
        torch.testing.assert_close(parameter.grad, sum(gradients), rtol=1e-12, atol=1e-12)


def test_gradients_add_up_and_a_graph_that_is_kept_may_be_used_again():
    model, x = CausalMLP(3, [8], 1, dtype="float64"), normal(6, 3, grad=False)
    loss = model(x).sum()
    loss.backward(retain_graph=True)
    once = [parameter.grad.clone() for parameter in model.parameters()]
    loss.backward()
    assert all(torch.equal(parameter.grad, 2 * gradient) for parameter, gradient in zip(model.parameters(), once))
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


@pytest.mark.parametrize("change", [
    lambda model: model.layers[0].layers[0].bias.add_(1),
    lambda model: model.layers[1].layers[0].weight.zero_(),
    lambda model: torch.optim.SGD(model.parameters(), 0.1).step(),
])
def test_a_parameter_changed_between_forward_and_backward_is_an_error(change):
    model = CausalMLP(3, [8], 1)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    loss = model(torch.randn(6, 3)).sum()
    with torch.no_grad():
        change(model)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_training_by_the_engine_between_forward_and_backward_is_an_error():
    model, x = CausalMLP(3, [8], 1), torch.randn(6, 3)
    loss, part = model(x).sum(), model.layers[0](x).sum()
    model.fit(x, torch.randn(6, 1), epochs=1, progress=False)
    for pending in loss, part:
        with pytest.raises(StateError, match="trained by fit"):
            pending.backward()


def test_no_grad_is_respected_and_frozen_parameters_get_none():
    model, x = CausalMLP(3, [8], 1), torch.randn(6, 3)
    with torch.no_grad():
        assert not model(x).requires_grad
    with torch.inference_mode():
        assert torch.equal(model(x), model(x.clone()))
    model.layers[0].requires_grad_(False)
    model(x).sum().backward()
    assert [parameter.grad is None for parameter in model.parameters()] == [True, True, False, False]
    model.requires_grad_(False)
    assert not model(x).requires_grad


def test_differentiating_twice_says_that_it_is_not_supported():
    x = torch.randn(6, 3, requires_grad=True)
    for value in CausalMLP(3, [8], 1)(x).sum(), CausalLosses().standard_loss(x, torch.zeros(6, 3)):
        gradient, = torch.autograd.grad(value, x, create_graph=True)
        with pytest.raises(RuntimeError, match="double backward is not supported"):
            gradient.sum().backward()


@pytest.mark.parametrize("strided", [
    lambda x: x.t().contiguous().t(), lambda x: torch.stack([x, -x])[0], lambda x: x.repeat(1, 2)[:, :3],
    lambda x: x[:1].expand(6, 3), lambda x: x.double(), lambda x: x.bfloat16().float(),
])
def test_strides_and_dtypes_change_nothing(strided):
    model = CausalMLP(3, [8], 1)
    x = strided(torch.randn(6, 3)).detach().requires_grad_()
    dense = x.detach().float().clone().requires_grad_()
    for given in x, dense:
        model(given).pow(2).sum().backward()
    assert x.grad.dtype == x.dtype and torch.allclose(x.grad.float(), dense.grad, rtol=1e-6)


@pytest.mark.parametrize("grad", [False, True])
def test_a_change_of_sign_that_torch_has_put_off_is_seen(grad):
    model = CausalMLP(3, [4], 2, activation="tanh", dtype="float64")
    x, dy = normal(5, 3, grad=False), normal(5, 2, grad=False)
    put_off = torch._neg_view(x)
    assert put_off.is_neg() and put_off.is_contiguous()
    with torch.set_grad_enabled(grad):
        assert torch.equal(model(put_off), model(-x))
    if grad:
        gradients = [torch.autograd.grad(model(x), list(model.parameters()), slopes) for slopes in (torch._neg_view(dy), -dy)]
        assert all(map(torch.equal, *gradients))
