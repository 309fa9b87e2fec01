"""Frozen layers: a loop in PyTorch leaves them alone, and the engine's own loop, which cannot, says so."""

import pytest
import torch

from causal_engine import CausalMLP, StateError


def test_fit_does_not_change_what_is_frozen():
    model = CausalMLP(3, [4], 1)
    model.layers[0].requires_grad_(False)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    with pytest.raises(StateError, match="layers.0.layers.0.weight is frozen.*torch.optim"):
        model.fit(torch.randn(8, 3), torch.randn(8, 1), epochs=1, progress=False)
    assert all(torch.equal(parameter, old) for parameter, old in zip(model.parameters(), before))
    model.requires_grad_(True)
    assert model.fit(torch.randn(8, 3), torch.randn(8, 1), epochs=1, progress=False).state == "finished"


def test_a_loop_in_pytorch_leaves_it_alone():
    model = CausalMLP(3, [4, 4], 1)
    model.layers[0].requires_grad_(False)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = torch.optim.Adam(filter(lambda parameter: parameter.requires_grad, model.parameters()), lr=0.1)
    model(torch.ones(2, 3), {1: ([0, 1, 0, 0], 0.5)}).sum().backward()
    optimizer.step()
    assert [torch.equal(parameter, old) for parameter, old in zip(model.parameters(), before)][:2] == [True, True]
    assert all(parameter.grad is None for parameter in model.layers[0].parameters())
    assert not torch.equal(model.layers[2].layers[0].bias, before[-1])
