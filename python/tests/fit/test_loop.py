"""The loop of `fit`: it learns, validates, stops early, goes on, and gives the same bits for the same seed."""

import numpy as np
import pytest

from causal_engine import CausalLosses, CausalMLP, set_threads


def test_it_learns(data, model):
    x, y = data
    history = model.fit(x, y, epochs=200, progress=False)
    assert history.state == "finished" and len(history) == 200
    assert history.loss[-1] < 0.05 * history.loss[0]
    assert CausalLosses().standard_loss(model(x), y) < 0.05 * history.loss[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(rng, optimizer, dtype, weights):
    x = rng.normal(size=(2000, 20))
    y, mask = x[:, :1] * x[:, 1:2], rng.random((2000, 64)) < 0.2
    found, histories = [], []
    for threads in (1, 2, 3, 1):
        set_threads(threads)
        model = CausalMLP(20, [64, 64], 1, dtype=dtype, seed=0)
        histories.append(model.fit(x, y, {1: (mask, 0.5)}, optimizer=optimizer, epochs=2, batch_size=700, seed=5, progress=False))
        found.append(weights(model))
    assert all(np.array_equal(found[0], other) for other in found)
    assert all(histories[0] == other for other in histories)
    model = CausalMLP(20, [64, 64], 1, dtype=dtype, seed=0)
    model.fit(x, y, {1: (mask, 0.5)}, optimizer=optimizer, epochs=2, batch_size=700, seed=6, progress=False)
    assert not np.array_equal(found[0], weights(model))      # another order of the rows


def test_losses_of_an_epoch_are_those_before_its_steps(data, model):
    x, y = data
    first = CausalLosses().standard_loss(model(x), y)
    history = model.fit(x, y, epochs=3, batch_size=None, validation_data=(x[:20], y[:20]), progress=False)
    assert history.loss[0] == pytest.approx(first, rel=1e-12)
    assert history.validation_loss[-1] == pytest.approx(CausalLosses().standard_loss(model(x[:20]), y[:20]), rel=1e-12)


def test_validation_may_be_under_interventions_of_its_own(data, model):
    x, y = data
    under = {0: ([0, 1, 0], 0.5), 1: (np.eye(20, 16), 1.0)}
    history = model.fit(x, y, epochs=2, validation_data=(x[:20], y[:20], under), progress=False)
    assert history.validation_loss[-1] == pytest.approx(CausalLosses().standard_loss(model(x[:20], under), y[:20]), rel=1e-12)


def test_validation_changes_nothing_of_the_training(data, weights):
    x, y = data
    one, other = (CausalMLP(3, [8], 1, seed=0) for _ in range(2))
    one.fit(x, y, epochs=3, progress=False)
    other.fit(x, y, epochs=3, validation_data=(x, y), progress=False)
    assert np.array_equal(weights(one), weights(other))


@pytest.mark.parametrize("validated", [True, False])
def test_patience_stops_early_and_puts_the_best_weights_back(data, model, validated, weights):
    x, y = data
    validation = (x[40:], y[40:]) if validated else None
    history = model.fit(x[:40], y[:40], lr=0.05, epochs=2000, validation_data=validation, patience=15, progress=False)
    assert history.state == "stopped early"
    assert len(history) == history.best_epoch + 16
    best = CausalMLP(3, [16, 16], 1, dtype="float64", seed=0)
    best.fit(x[:40], y[:40], lr=0.05, epochs=history.best_epoch + 1, progress=False)
    assert np.array_equal(weights(model), weights(best))


def test_patience_ends_with_the_best_weights_even_where_it_never_runs_out(data, model):
    x, y = data
    history = model.fit(x, y, lr=0.3, epochs=40, validation_data=(x[:20], y[:20]), patience=1000, progress=False)
    assert history.state == "finished" and history.best_epoch < 39
    assert CausalLosses().standard_loss(model(x[:20]), y[:20]) == pytest.approx(history.validation_loss.min(), rel=1e-12)


def test_a_second_fit_continues(data, weights):
    x, y = data
    twice, once = (CausalMLP(3, [8], 1, dtype="float64", seed=0) for _ in range(2))
    # Full batches and no momentum: nothing but the weights is carried over.
    twice.fit(x, y, optimizer="sgd", epochs=3, batch_size=None, progress=False)
    second = twice.fit(x, y, optimizer="sgd", epochs=4, batch_size=None, progress=False)
    whole = once.fit(x, y, optimizer="sgd", epochs=7, batch_size=None, progress=False)
    np.testing.assert_allclose(weights(twice), weights(once), rtol=0, atol=1e-13)
    np.testing.assert_allclose(second.loss, whole.loss[3:], rtol=1e-12)
    assert twice.history is second


def test_no_batch_size_is_one_batch_of_all_rows(data, weights):
    x, y = data
    found = []
    for batch_size in (None, 60, 1000):
        model = CausalMLP(3, [8], 1, dtype="float64", seed=0)
        model.fit(x, y, epochs=5, batch_size=batch_size, progress=False)
        found.append(weights(model))
    for other in found[1:]:
        np.testing.assert_allclose(found[0], other, rtol=0, atol=1e-12)
