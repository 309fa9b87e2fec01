"""The same network written in PyTorch: weights, answers, gradients, training."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from causal_engine import ArgumentError, CausalLosses, CausalMLP, CausalUnit

MODULES = {"identity": nn.Identity, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "gelu": nn.GELU, "tanh": nn.Tanh,
           "sigmoid": nn.Sigmoid, "softplus": nn.Softplus}


class Written(nn.Module):
    """The network in PyTorch's own layers, with do() by torch.where."""

    def __init__(self, widths, activation, dtype):
        super().__init__()
        self.linear = nn.ModuleList(nn.Linear(*pair, dtype=dtype) for pair in zip(widths, widths[1:]))
        self.activation = MODULES[activation]()

    def forward(self, x, interventions=None):
        edits = interventions or {}
        for k, linear in enumerate(self.linear):
            x = linear(self.set(x, edits.get(k)))
            if k < len(self.linear) - 1:
                x = self.activation(x)
        return self.set(x, edits.get(len(self.linear)))

    @staticmethod
    def set(x, edit):
        return x if edit is None else torch.where(edit[0] != 0, edit[1].to(x.dtype), x)


def both(widths, activation="relu", dtype=torch.float32, seed=0):
    torch.manual_seed(seed)
    ours = CausalMLP(widths[0], list(widths[1:-1]), widths[-1], activation=activation, dtype=str(dtype).removeprefix("torch."))
    drawn = torch.rand(())
    torch.manual_seed(seed)
    theirs = Written(widths, activation, dtype)
    assert torch.rand(()) == drawn       # both have taken as much from the generator
    return ours, theirs


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_manual_seed_gives_the_same_weights(dtype):
    ours, theirs = both((3, 16, 16, 1), dtype=dtype)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    torch.manual_seed(1)
    unit = CausalUnit(3, 2, hidden_dim=5)
    torch.manual_seed(1)
    parts = [nn.Linear(3, 5), nn.Linear(5, 2)]
    assert all(torch.equal(a, b) for a, b in zip(unit.parameters(), nn.ModuleList(parts).parameters(), strict=True))


def test_a_seed_of_its_own_leaves_torch_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a, b = CausalMLP(3, [4], 1, seed=5), CausalMLP(3, [4], 1, seed=5)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))


@pytest.mark.parametrize("activation", MODULES)
def test_answers_and_gradients(activation):
    ours, theirs = both((3, 8, 5, 2), activation, torch.float64)
    x = torch.randn(7, 3, dtype=torch.float64)
    values = torch.randn(7, 8, dtype=torch.float64)
    gradients = []
    for model in ours, theirs:
        given, set_to = x.clone().requires_grad_(), values.clone().requires_grad_()
        torch.manual_seed(3)
        edits = {0: (torch.tensor([0, 1, 0]), torch.tensor([0, 0.5, 0])), 1: (torch.rand(7, 8) < 0.3, set_to),
                 3: (torch.tensor([0, 1]), torch.tensor([0, 2.0]))}
        y = model(given, edits)
        y.pow(2).sum().backward()
        gradients.append([y.detach(), given.grad, set_to.grad, *(parameter.grad for parameter in model.parameters())])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("optimizer", [
    lambda p: torch.optim.Adam(p, 0.01), lambda p: torch.optim.SGD(p, 0.01, momentum=0.9), lambda p: torch.optim.AdamW(p, 0.01),
    lambda p: torch.optim.RMSprop(p, 0.003, foreach=False),
])
def test_200_steps_follow_the_network_written_in_pytorch(optimizer):
    ours, theirs = both((3, 16, 16, 1))
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(320, 3, generator=generator)
    y = x @ torch.tensor([[1.0], [2.0], [-3.0]])
    losses, ends = [], []
    for model in ours, theirs:
        steps, history = optimizer(model.parameters()), []
        for step in range(200):
            rows = slice(32 * (step % 10), 32 * (step % 10) + 32)
            edits = {0: (torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0.0, 0.5, 0.0]))} if step % 2 else None
            steps.zero_grad()
            loss = F.mse_loss(model(x[rows], edits), y[rows])
            loss.backward()
            steps.step()
            history.append(loss.item())
        losses.append(history)
        ends.append(list(model.parameters()))
    torch.testing.assert_close(torch.tensor(losses[0]), torch.tensor(losses[1]), rtol=1e-4, atol=1e-4)
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-4)


def test_lbfgs_with_its_closure():
    ours, theirs = both((3, 8, 1), "tanh", torch.float64)
    x = torch.randn(50, 3, dtype=torch.float64)
    y = x.prod(dim=1, keepdim=True)
    for model in ours, theirs:
        steps = torch.optim.LBFGS(model.parameters(), max_iter=20)

        def closure():
            steps.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            return loss
        steps.step(closure)
    for a, b in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_losses(dtype):
    losses = CausalLosses(0.7, 1.3)
    torch.manual_seed(0)
    tensors = [torch.randn(6, 3, dtype=dtype) for _ in range(5)]
    mask = torch.tensor([0, 1, 0])
    classes = torch.tensor([0, 2, 1, 1, 0, 2])
    keep = (mask == 0).to(dtype).expand(6, 3)

    def masked(error):
        return (error * keep).sum() / keep.sum()

    pairs = [
        (lambda p, t, *_: losses.standard_loss(p, t), lambda p, t, *_: F.mse_loss(p, t)),
        (lambda p, t, *_: losses.standard_loss(p, t, "mae"), lambda p, t, *_: F.l1_loss(p, t)),
        (lambda p, *_: losses.standard_loss(p, classes, "cross_entropy"), lambda p, *_: F.cross_entropy(p, classes)),
        (lambda p, t, *_: losses.causal_intervention_loss(p, t, mask), lambda p, t, *_: masked((p - t) ** 2)),
        (lambda p, t, c, d, v: losses.counterfactual_loss(p, c, t, d), lambda p, t, c, d, v: F.mse_loss(p, t) + F.mse_loss(c, d)),
        (lambda p, t, c, d, v: losses.causal_consistency_loss(c, p, mask, v), lambda p, t, c, d, v: F.mse_loss(p[:, 1], v[:, 1])),
        (lambda p, t, c, d, v: losses.total_causal_loss(p, t, mask, v, c, d),
         lambda p, t, c, d, v: 0.7 * masked((p - t) ** 2) + 1.3 * (F.mse_loss(p, t) + F.mse_loss(c, d))),
    ]
    for ours, theirs in pairs:
        results = []
        for function in ours, theirs:
            given = [tensor.clone().requires_grad_() for tensor in tensors]
            loss = function(*given)
            (3 * loss).backward()
            results.append((loss.detach(), [torch.zeros_like(g) if g.grad is None else g.grad for g in given]))
        torch.testing.assert_close(results[0], results[1], rtol=1e-5 if dtype == torch.float32 else 1e-12, atol=1e-7)


@pytest.mark.parametrize("place", range(3))
def test_consistency_of_lists_and_tensors_is_that_of_arrays(place):
    arguments = [[[0.1, 0.2], [0.3, 0.4]], [1, 1], [0.5, 0.7]]
    expected = CausalLosses().causal_consistency_loss(None, *map(np.array, arguments))
    arguments[place] = torch.tensor(arguments[place], dtype=torch.float64)
    assert CausalLosses().causal_consistency_loss(None, *arguments) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("mask", [None, ["a", "b"]])
def test_a_mask_that_is_none_is_refused_with_tensors_too(mask):
    with pytest.raises(ArgumentError, match="mask"):
        CausalLosses().causal_consistency_loss(None, torch.zeros(3, 2), mask, [0.5, 0.7])


def test_classes_have_no_gradient():
    with pytest.raises(ArgumentError, match="class indices, which have no gradient"):
        CausalLosses().standard_loss(torch.zeros(2, 3), torch.tensor([[0.0], [1.0]], requires_grad=True), "cross_entropy")


def test_regularization_of_any_module():
    losses = CausalLosses()
    for module in nn.LSTM(3, 4), nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1, bias=False)), CausalMLP(3, [4], 1):
        expected = 0.1 * sum(p.abs().sum() for name, p in module.named_parameters() if "bias" not in name)
        loss = losses.causal_regularization_loss(module, 0.1)
        torch.testing.assert_close(loss, expected)
        loss.backward()
        for name, parameter in module.named_parameters():
            if "bias" not in name:
                torch.testing.assert_close(parameter.grad, 0.1 * parameter.detach().sign())
