"""The MLP that obeys a graph, as a Module: beside the same network in PyTorch, and called layer by layer."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from causal_engine import CausalMLP, Graph

CONFOUNDED = [("age", "dose"), ("age", "outcome"), ("dose", "outcome")]
KEPT = {
    "deepcopy": copy.deepcopy, "pickle": lambda model: pickle.loads(pickle.dumps(model)), "double": lambda model: model.double().float(),
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def make(dtype="float64", activation="tanh"):
    return CausalMLP(3, [5, 4], 3, activation, dtype, dag=CONFOUNDED)


def normal(*shape, grad=True):
    return torch.randn(shape, dtype=torch.float64, requires_grad=grad)


def edges_of(model):
    return [torch.from_numpy(edges) for edges in model.network.edges]


def in_pytorch(model, x, mask, values):
    """The same, written with masked weights; what do() sets is set where it is read and where it is computed."""
    h = torch.where(mask, values, x)
    for k, (layer, edges) in enumerate(zip(model.layers, edges_of(model))):
        part = layer.layers[0]
        h = nn.functional.linear(h, part.weight * edges, part.bias)
        h = torch.tanh(h) if k < 2 else h
    return torch.where(mask, values, h)


def all_gradients(y, tensors):
    return torch.autograd.grad((y * torch.arange(1.0, 1 + y.numel(), dtype=y.dtype).reshape(y.shape)).sum(), tensors)


def test_it_is_the_same_as_masked_weights_in_pytorch():
    model, x, values, mask = make(), normal(6, 3), normal(6, 3), torch.rand(6, 3) < 0.4
    tensors = [x, values, *model.parameters()]
    ours, theirs = model(x, {0: (mask, values)}), in_pytorch(model, x, mask, values)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for a, b in zip(all_gradients(ours, tensors), all_gradients(theirs, tensors)):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_initial_weights_are_those_of_pytorch_without_what_is_no_edge():
    torch.manual_seed(7)
    plain = [nn.Linear(3, 5), nn.Linear(5, 4), nn.Linear(4, 3)]
    torch.manual_seed(7)
    model = make("float32")
    for layer, theirs, edges in zip(model.layers, plain, edges_of(model)):
        assert torch.equal(layer.layers[0].weight, torch.where(edges, theirs.weight, 0)) and torch.equal(layer.layers[0].bias, theirs.bias)
    seeded = CausalMLP(3, [5], 3, dag=CONFOUNDED, seed=4)
    assert not any(layer.layers[0].weight[~edges].any() for layer, edges in zip(seeded.layers, edges_of(seeded)))


@pytest.mark.parametrize("activation", ["identity", "relu", "gelu", "tanh"])
def test_gradcheck(activation):
    model, x, values, hidden = make(activation=activation), normal(5, 3), normal(3), normal(5, 4)
    mask = torch.rand(5, 3) < 0.5
    assert gradcheck(lambda x, v, h, *_: model(x, {0: (mask, v), 2: ([1, 0, 0, 1], h), 3: ([0, 0, 1], 0.5)}), (x, values, hidden, *model.parameters()))


@pytest.mark.parametrize("part", ["the unit", "its linear part"])
def test_hooks_are_called_and_change_nothing_else(part):
    model, x, values, mask = make(), normal(6, 3), normal(6, 3), torch.rand(6, 3) < 0.4
    edits = {0: (mask, values), 1: ([1, 0, 0, 0, 0], 0.3), 3: ([[0, 0, 0]] * 5 + [[0, 0, 1]], 2.0)}
    tensors, before = [x, values, *model.parameters()], model(x, edits)
    wanted = all_gradients(before, tensors)
    calls = []
    for layer in model.layers:
        (layer if part == "the unit" else layer.layers[0]).register_forward_hook(lambda *_: calls.append(1))
    after = model(x, edits)
    assert len(calls) == 3
    torch.testing.assert_close(after, before, rtol=0, atol=1e-12)
    for a, b in zip(all_gradients(after, tensors), wanted):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("hooked", [False, True])
@pytest.mark.parametrize("site, set_there", [(0, [0, 1, 1]), (1, [1] * 5), (2, [1] * 4), (3, [0, 1, 1])])
def test_what_is_read_through_cut_or_absent_edges_may_be_missing(hooked, site, set_there):
    model, x = make(), normal(4, 3, grad=False)
    if hooked:
        for layer in model.layers:
            layer.layers[0].register_forward_hook(lambda *_: None)
    hole = x.clone()
    hole[1] = torch.nan
    hole[:, 2] = torch.nan          # nobody reads the outcome
    mask = torch.tensor([[0, 1, 0, 0]]).T * torch.tensor(set_there)
    answers, gradients = [], []
    for given in (x, hole):
        given.requires_grad_()
        answers.append(model(given, {site: (mask, 0.5)}))
        gradients.append(all_gradients(answers[-1], [given, *model.parameters()]))
    torch.testing.assert_close(*answers, rtol=0, atol=1e-12)
    for a, b in zip(*gradients):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    hole = x.detach().clone()
    hole[1, 1] = torch.nan          # the outcome reads the dose, age and dose do not
    assert torch.isnan(model(hole)).nonzero().tolist() == [[1, 2]]


@pytest.mark.parametrize("hooked", [False, True])
def test_absent_weights_learn_nothing(hooked):
    model, x = make("float32"), torch.randn(32, 3)
    if hooked:
        model.layers[1].layers[0].register_forward_hook(lambda *_: None)
    first = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        ((model(x) - x) ** 2).mean().backward()
        optimizer.step()
    for k, edges in enumerate(edges_of(model)):
        weight = model.state_dict()[f"layers.{k}.layers.0.weight"]
        assert weight.shape == edges.shape and not weight[~edges].any()
        assert (weight[edges] != first[f"layers.{k}.layers.0.weight"][edges]).all()


@pytest.mark.parametrize("keep", KEPT)
def test_copies(keep):
    model, x = make("float32"), torch.randn(4, 3)
    expected = model.do(dose=1.0)(x)
    twin = KEPT[keep](model)
    torch.testing.assert_close(twin.do(dose=1.0)(x), expected, rtol=0, atol=1e-6)
    assert isinstance(twin, nn.Module) and twin.dag == Graph(CONFOUNDED) and twin.output_names == ("age", "dose", "outcome")
    twin.layers[0].layers[0].register_forward_hook(lambda *_: None)
    torch.testing.assert_close(twin.do(dose=1.0)(x), expected, rtol=0, atol=1e-6)


def test_checkpoints_and_state_dicts(tmp_path):
    model, x = make("float32"), torch.randn(4, 3)
    model.save(tmp_path / "model")
    loaded, other = CausalMLP.load(tmp_path / "model"), make("float32")
    torch.save(model.state_dict(), tmp_path / "state")
    other.load_state_dict(torch.load(tmp_path / "state"))
    assert isinstance(loaded, nn.Module) and torch.equal(loaded(x), model(x)) and torch.equal(other(x), model(x))
    assert list(model.state_dict()) == [f"layers.{k}.layers.0.{name}" for k in range(3) for name in ("weight", "bias")]


def test_the_engine_trains_it_too():
    model, x = make("float32"), np.random.default_rng(0).normal(size=(64, 3))
    model.fit(x, x, epochs=3, progress=False)
    assert not any(layer.layers[0].weight[~edges].any() for layer, edges in zip(model.layers, edges_of(model)))
