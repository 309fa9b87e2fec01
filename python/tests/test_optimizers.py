"""The steps of a fit, one by one: against PyTorch's optimisers where it is installed, and against a loop over traces in numpy."""

import numpy as np
import pytest

from causal_engine import CausalLosses, CausalMLP, CausalUnit

ROWS = 24


@pytest.fixture
def data(rng):
    x = rng.normal(size=(ROWS, 3))
    return x, np.column_stack([np.sin(x[:, 0]), x[:, 1] * x[:, 2]])


def make():
    return CausalMLP(3, [8, 6], 2, activation="tanh", dtype="float64", seed=0)


def weights(model):
    return np.concatenate([parameter.ravel() for parameter in model.parameters()])


def steps(model, x, y, epochs, lr, interventions=None, losses=None, mask=None, decay=0.0, clip=np.inf):
    """Gradient descent on full batches, by hand."""
    losses = CausalLosses() if losses is None else losses
    for k in range(epochs):
        trace = model.trace(x, interventions)
        _, dy = losses.value_and_grad("total_causal_loss", trace.output, y, mask)
        gradients = trace.backward(dy).flat + decay * weights(model)
        gradients *= min(1, clip / (np.linalg.norm(gradients) + 1e-6))
        start = 0
        for parameter in model.parameters():
            parameter[...] -= (lr[k] if np.ndim(lr) else lr) * gradients[start:start + parameter.size].reshape(parameter.shape)
            start += parameter.size


def fit(model, x, y, **arguments):
    return model.fit(x, y, **{"optimizer": "sgd", "lr": 0.1, "epochs": 5, "batch_size": None, "progress": False, **arguments})


def same(one, other):
    np.testing.assert_allclose(weights(one), weights(other), rtol=0, atol=1e-12)


OPTIMIZERS = [
    ("sgd", {}), ("sgd", {"momentum": 0.9}), ("sgd", {"weight_decay": 0.1}), ("sgd", {"momentum": 0.5, "weight_decay": 0.1}),
    ("adam", {}), ("adam", {"weight_decay": 0.1}), ("adamw", {}), ("adamw", {"weight_decay": 0.1}),
]


@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize("method, options", OPTIMIZERS, ids=str)
def test_trajectories_are_those_of_torch(data, method, options, clip):
    torch = pytest.importorskip("torch")
    model, (x, y) = make(), data
    arrays = {name: np.array(array) for name, array in model.state_dict().items()}
    network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2))
    with torch.no_grad():
        for parameter, array in zip(network.double().parameters(), arrays.values(), strict=True):
            parameter.copy_(torch.tensor(array))
    classes = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    optimizer = classes[method](network.parameters(), lr=0.02, **{"weight_decay": 0.0, **options})
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(network(torch.tensor(x)), torch.tensor(y))
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimizer.step()
        losses.append(loss.item())
    history = fit(model, x, y, optimizer=method, lr=0.02, epochs=40, clip_grad=clip, **options)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-9)
    for found, parameter in zip(model.parameters(), network.parameters(), strict=True):
        np.testing.assert_allclose(found, parameter.detach().numpy(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("arguments", [{}, {"decay": 0.1}, {"clip": 0.05}], ids=str)
def test_sgd_by_hand(data, arguments):
    one, other = make(), make()
    steps(one, *data, epochs=5, lr=0.1, **arguments)
    fit(other, *data, weight_decay=arguments.get("decay", 0.0), clip_grad=arguments.get("clip"))
    same(one, other)


def test_the_first_step_of_adam_is_the_learning_rate_in_every_parameter(data):
    model = make()
    before = weights(model)
    fit(model, *data, optimizer="adam", lr=0.01, epochs=1)
    np.testing.assert_allclose(np.abs(weights(model) - before), 0.01, rtol=1e-3)


def test_decay_alone_shrinks_weights_as_adamw_says():
    model = CausalUnit(3, 1, dtype="float64", seed=0)
    before = weights(model)
    x = np.random.default_rng(0).normal(size=(9, 3))
    fit(model, x, np.array(model(x)), optimizer="adamw", lr=0.1, weight_decay=0.5, epochs=1)     # nothing to learn: only decay
    np.testing.assert_allclose(weights(model), before * 0.95, rtol=0, atol=1e-6)


# ---------------------------------------------------------------- schedules

SCHEDULES = [
    ("constant", {}, lambda k: 0.1),
    ("cosine", {}, lambda k: 0.05 * (1 + np.cos(np.pi * k / 8))),
    ("step", {"step_size": 3, "step_factor": 0.5}, lambda k: 0.1 * 0.5 ** (k // 3)),
    ("step", {}, lambda k: 0.1),       # every 30 epochs
]


@pytest.mark.parametrize("schedule, options, rate", SCHEDULES)
def test_schedules_are_told_and_used(data, schedule, options, rate):
    rates = np.array([rate(k) for k in range(8)])
    one, other = make(), make()
    history = fit(one, *data, schedule=schedule, epochs=8, **options)
    np.testing.assert_allclose(history.learning_rate, rates, rtol=1e-14)
    steps(other, *data, epochs=8, lr=rates)
    same(one, other)


# ---------------------------------------------------------------- losses and interventions

@pytest.mark.parametrize("loss_type", ["mse", "mae", "cross_entropy"])
def test_losses_by_name(data, loss_type):
    x, y = data
    target = (y[:, 0] > 0).astype(int) if loss_type == "cross_entropy" else y
    one, other = make(), make()
    trace = one.trace(x)
    value, dy = CausalLosses().value_and_grad("standard_loss", trace.output, target, loss_type)
    wanted = weights(one) - 0.1 * trace.backward(dy).flat
    history = fit(other, x, target, loss=loss_type, epochs=1)
    np.testing.assert_allclose(weights(other), wanted, rtol=0, atol=1e-13)
    assert history.loss[0] == pytest.approx(value, rel=1e-12)


def test_causal_losses_minimise_the_total_with_the_mask_of_the_output(data, rng):
    x, y = data
    losses = CausalLosses(intervention_weight=0.7, counterfactual_weight=3.0)     # no counterfactual pair: it does not count
    under = {1: (np.arange(8) % 3 == 0, 0.5), 3: (rng.random((ROWS, 2)) < 0.4, rng.normal(size=(ROWS, 2)))}
    one, other, free = make(), make(), make()
    steps(one, x, y, 5, 0.1, under, losses, under[3][0])
    fit(other, x, y, interventions=under, loss=losses)
    same(one, other)
    steps(free, x, y, 5, 0.07)
    fit(one := make(), x, y, loss=losses)       # without any mask: the weighted standard loss
    same(one, free)


def test_a_target_that_the_output_mask_covers_may_be_missing(data):
    x, y = data
    mask, gaps = np.zeros((ROWS, 2)), y.copy()
    mask[3, 1], gaps[3, 1] = 1, np.nan
    one, other = make(), make()
    fit(one, x, gaps, interventions={3: (mask, 0.0)}, loss=CausalLosses(), batch_size=5)
    fit(other, x, y, interventions={3: (mask, 0.0)}, loss=CausalLosses(), batch_size=5)
    assert np.array_equal(weights(one), weights(other))


def test_masks_and_values_of_each_row_follow_it_into_the_batches(data, rng):
    x, y = data
    mask, values = rng.random((ROWS, 3)) < 0.5, rng.normal(size=(ROWS, 3))
    one, other = make(), make()
    fit(one, x, y, interventions={0: (mask, values)}, batch_size=5)
    fit(other, np.where(mask, values, x), y, batch_size=5)
    same(one, other)


def test_so_do_those_of_a_hidden_layer(data, rng):
    x, y = data
    h = rng.normal(size=(ROWS, 6))
    model, last = make(), CausalUnit(6, 2, dtype="float64", seed=0)
    for mine, its in zip(last.parameters(), model.parameters()[-2:]):
        mine[...] = its
    first = weights(model)[:-14]
    fit(model, x, y, interventions={2: (np.ones(6), h)}, batch_size=5, seed=3)      # only the last layer has anything to learn
    fit(last, h, y, batch_size=5, seed=3)
    np.testing.assert_allclose(weights(model)[-14:], weights(last), rtol=0, atol=1e-13)
    assert np.array_equal(weights(model)[:-14], first)
