"""Many Modules trained as one call: their Parameters learn what each would have learned alone, wherever they are kept."""

import copy

import pytest
import torch

from causal_engine import BusyError, CausalMLP, CausalUnit, InvalidValueError, StateError, fit_all

FAST = {"epochs": 3, "progress": False}


@pytest.fixture
def data():
    torch.manual_seed(0)
    return torch.randn(50, 3), torch.randn(50, 1)


def made():
    torch.manual_seed(1)
    models = [CausalMLP(3, [8], 1), CausalMLP(3, [8], 1, seed=5), CausalUnit(3, 1, 4), CausalMLP(3, [8], 1).double(), CausalMLP(3, [8], 1)]
    models[4].share_memory()            # where they stay
    return models


def parameters(models):
    return [parameter.detach().clone() for model in models for parameter in model.parameters()]


def expect_the_same(alone, together):
    assert all(map(torch.equal, parameters(alone), parameters(together)))
    assert [model.history for model in alone] == [model.history for model in together]


@pytest.mark.parametrize("interventions", [None, {0: (torch.tensor([0, 1, 0]), torch.tensor([0, 0.5, 0]))}])
def test_together_as_alone(data, interventions):
    alone, together, before = made(), made(), parameters(made())
    for model in alone:
        model.fit(*data, interventions, validation_data=data, **FAST)
    kept = [parameter for model in together for parameter in model.parameters()]
    histories = fit_all(together, *data, interventions, validation_data=data, **FAST)
    expect_the_same(alone, together)
    assert [len(history) for history in histories] == [3] * 5 and not any(map(torch.equal, before, parameters(together)))
    assert all(parameter is old for parameter, old in zip([parameter for model in together for parameter in model.parameters()], kept))
    assert together[4].layers[0].layers[0].weight.is_shared()
    (together[0](data[0]) - data[1]).square().mean().backward()     # and autograd goes on from there


def test_rows_as_tensors_in_a_module_list(data):
    rows = torch.randint(50, (5, 50))
    alone, together = made(), made()
    for model, mine in zip(alone, rows):
        model.fit(data[0][mine], data[1][mine], **FAST)
    fit_all(torch.nn.ModuleList(together), *data, rows=rows, **FAST)
    expect_the_same(alone, together)
    masks = torch.arange(50) % 5 != torch.arange(5)[:, None]        # five folds
    histories = fit_all(together, *data, rows=masks, validation_rows=~masks, **FAST)
    with torch.no_grad():
        held = [torch.mean((model(data[0][~mask]) - data[1][~mask]) ** 2) for model, mask in zip(together, masks)]
    assert [history.validation_loss[-1] for history in histories] == pytest.approx([float(loss) for loss in held], rel=1e-5)


def refused(models, kind, match, data):
    before = parameters(models)
    with pytest.raises(kind, match=match):
        fit_all(models, *data, **FAST)
    assert all(map(torch.equal, before, parameters(models)))


def test_what_would_change_weights_twice_is_refused(data):
    models = made()[:3]
    refused([*models, models[0]], InvalidValueError, r"models\[3\] is the same model as models\[0\]", data)
    refused([models[0], models[1].layers[0], models[1]], InvalidValueError, r"models\[2\] shares weights with models\[1\]", data)
    refused([models[0], models[1], copy.copy(models[0])], InvalidValueError, r"models\[2\] shares weights with models\[0\]", data)
    models[1].layers[0].layers[0].weight = models[0].layers[0].layers[0].weight
    refused(models, InvalidValueError, r"models\[1\] shares weights with models\[0\]", data)


def test_what_fit_refuses_is_refused_by_number(data):
    models = made()
    models[2].layers[0].requires_grad_(False)
    refused(models, StateError, r"models\[2\]: fit: layers.0.weight is frozen", data)
    models = made()
    models[1].layers[0] = torch.nn.Linear(3, 8)
    refused(models, StateError, r"models\[1\]: a layer of .* was replaced", data)
    models[0]._changes.fits["another"] = None
    with pytest.raises(BusyError, match=r"models\[0\]"):
        fit_all(models[:1], *data, **FAST)
