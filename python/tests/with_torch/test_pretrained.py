"""Networks that were trained in PyTorch."""

import pytest
import torch
from torch import nn

from causal_engine import ArgumentError, CausalMLP, InvalidValueError, ShapeError

RELU, LINEAR = nn.ReLU(), nn.Linear(3, 3)
X = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("module", [
    nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(inplace=True), nn.Linear(5, 2)),
    nn.Sequential(nn.Sequential(nn.Linear(3, 8), nn.Tanh()), nn.Identity(), nn.Sequential(nn.Linear(8, 2))),
    nn.Sequential(nn.Linear(3, 2)), nn.Linear(3, 2), nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)),
    nn.Sequential(nn.Linear(3, 8, bias=False), nn.GELU(), nn.Linear(8, 2)),
    nn.Sequential(nn.Linear(3, 8), nn.Softplus(), nn.Linear(8, 2)).double(),
    CausalMLP(3, [4], 2).layers[0].layers[0],
    nn.Sequential(nn.Linear(3, 4), RELU, nn.Sequential(nn.Linear(4, 4), RELU), nn.Linear(4, 2)),
], ids=str)
def test_from_torch(module):
    model = CausalMLP.from_torch(module)
    x = X.to(next(module.parameters()).dtype)
    torch.testing.assert_close(model(x), module(x))
    with torch.no_grad():
        next(model.parameters()).zero_()
    assert next(module.parameters()).any(), "the module stays as it is"


@pytest.mark.parametrize("module, text", [
    (nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2)), "2 is Dropout"),
    (nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2)), "relu, tanh"),
    (nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 2)), "negative_slope=0.2"),
    (nn.Sequential(nn.Linear(3, 8), nn.GELU(approximate="tanh"), nn.Linear(8, 2)), "GELU"),
    (nn.Sequential(nn.Linear(3, 8), nn.Sigmoid()), "ends in sigmoid"), (nn.Sequential(), "no nn.Linear"),
    (nn.Sequential(nn.Linear(3, 4), RELU, nn.Linear(4, 2), RELU), "ends in relu"), (nn.Sequential(LINEAR, nn.ReLU(), LINEAR), "2 is a layer that comes before"),
    (nn.Sequential(nn.ReLU(), nn.Linear(3, 2)), "0 is ReLU"), (nn.Conv1d(1, 1, 1), "Conv1d"),
])
def test_what_is_no_such_network_is_an_error_that_names_the_part(module, text):
    with pytest.raises(InvalidValueError, match=text):
        CausalMLP.from_torch(module)


def test_from_state_dict():
    module = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    for state in module.state_dict(), {name: tensor.numpy() for name, tensor in module.state_dict().items()}:
        torch.testing.assert_close(CausalMLP.from_state_dict(state, "tanh")(X), module(X))
    with pytest.raises(ShapeError, match=r"'0.bias' of shape \(8,\), expected a weight"):
        CausalMLP.from_state_dict(dict(list(module.state_dict().items())[1:]))
    with pytest.raises(ShapeError, match=r"layer 1: weight of shape \(2, 8\)"):
        CausalMLP.from_state_dict({**module.state_dict(), "0.weight": torch.zeros(7, 3), "0.bias": torch.zeros(7)})
    with pytest.raises(ArgumentError, match="expected a dict"):
        CausalMLP.from_state_dict([1, 2])
    with pytest.raises(ArgumentError, match="expected a torch.nn.Sequential"):
        CausalMLP.from_torch({})
