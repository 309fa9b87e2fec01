"""PyTorch's transforms of programs: `torch.compile` gives the same numbers, and what is not supported says so."""

import pytest
import torch
from torch import nn

from causal_engine import CausalLayerRewiring, CausalLosses, CausalMLP, CausalUnit, StateError

X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
UNDER = {0: ([0, 1, 0], 0.5), 1: ([0, 1, 0, 0], torch.tensor(0.25))}
# torch's own remarks while it compiles
pytestmark = [pytest.mark.filterwarnings(f"ignore{which}") for which in (
    "::DeprecationWarning", ":Dynamo detected:UserWarning", ":The .grad attribute:UserWarning")]


@pytest.fixture(autouse=True)
def nothing_compiled():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def gradients(module, call):
    module.zero_grad()
    call(module).pow(2).sum().backward()
    return [parameter.grad for parameter in module.parameters()]


@pytest.mark.parametrize("module, call", [
    (CausalMLP(3, [4], 1), lambda module: module(X)), (CausalMLP(3, [4], 1), lambda module: module(X, UNDER)),
    (CausalUnit(3, 2), lambda module: module(X, [0, 1, 0], 0.5)), (CausalLayerRewiring(3, 3), lambda module: module(X, [0, 1, 0])),
    (nn.Sequential(nn.Linear(3, 3), CausalMLP(3, [4], 2), nn.Linear(2, 1)), lambda module: module(X)),
], ids=["MLP", "under do", "unit", "rewiring", "inside a Sequential"])
def test_a_compiled_module_gives_the_same_bits(module, call):
    compiled = torch.compile(module, backend="eager")
    for _ in range(3):
        assert torch.equal(call(compiled), call(module))
        assert all(map(torch.equal, gradients(compiled, call), gradients(module, call)))


def test_a_compiled_step_of_training_learns_alike():
    def step(model, optimizer, losses=CausalLosses()):
        optimizer.zero_grad()
        loss = losses.total_causal_loss(model(X, UNDER), X[:, :1])
        loss.backward()
        optimizer.step()
        return loss

    found = []
    for run in step, torch.compile(step, backend="eager"):
        torch.manual_seed(0)
        model = CausalMLP(3, [4], 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        found.append([run(model, optimizer).item() for _ in range(4)])
    assert found[0] == found[1] and found[0][-1] < found[0][0]


def test_functional_call_runs_with_the_parameters_that_it_is_given():
    model, other = CausalMLP(3, [4], 1), CausalMLP(3, [4], 1)
    given = {name: parameter.detach().clone().requires_grad_() for name, parameter in other.named_parameters()}
    answer = torch.func.functional_call(model, given, (X, UNDER))
    assert torch.equal(answer, other(X, UNDER)) and not torch.equal(answer, model(X, UNDER))
    found = torch.autograd.grad(answer.sum(), list(given.values()))
    assert all(map(torch.equal, found, torch.autograd.grad(other(X, UNDER).sum(), list(other.parameters()))))


def test_autograd_functional_reaches_into_the_engine():
    model = CausalMLP(3, [4], 1)
    jacobian = torch.autograd.functional.jacobian(lambda x: model(x, UNDER), X)
    assert jacobian.shape == (5, 1, 5, 3) and not jacobian[..., 1].any() and jacobian.any()


@pytest.mark.parametrize("ask", [
    lambda model: torch.func.grad(lambda x: model(x).sum())(X), lambda model: torch.func.vmap(model)(X),
    lambda model: torch.func.jacrev(model)(X), lambda model: torch.func.jvp(model, (X,), (X,)),
    lambda model: torch.func.grad(lambda state: torch.func.functional_call(model, state, (X,)).sum())(dict(model.named_parameters())),
    lambda model: torch.func.grad(lambda y: CausalLosses().standard_loss(y, X))(X),
], ids=["grad", "vmap", "jacrev", "jvp", "grad of functional_call", "grad of a loss"])
def test_torch_func_does_not_and_says_so(ask):
    model = CausalMLP(3, [4], 1)
    before = model(X)
    with pytest.raises(StateError, match="torch.func .* does not reach into the engine: expected loss.backward"):
        ask(model)
    assert torch.equal(model(X), before)


def test_neither_does_export():
    with pytest.raises(StateError, match="torch.export: the engine's pass"):
        torch.export.export(CausalMLP(3, [4], 1), (X,))
