"""Each loss and its gradient against numpy, in the words of the specification, and against PyTorch where it is installed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_engine import CausalLosses, CausalMetrics, CausalMLP, CausalUnit, InvalidValueError, ShapeError, UnknownNameError

LOSSES = CausalLosses(intervention_weight=0.7, counterfactual_weight=0.3)
TYPES = ("mse", "mae", "cross_entropy")


def each(pred, target, loss_type):
    """The loss of every entry, and its derivative; of every row, kept as (n, 1), for cross-entropy."""
    if loss_type == "mse":
        return (pred - target) ** 2, 2 * (pred - target)
    if loss_type == "mae":
        return np.abs(pred - target), np.sign(pred - target)
    classes = np.asarray(target, int).reshape(-1, 1)
    shifted = pred - pred.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    hot = np.arange(pred.shape[1]) == classes
    return -np.take_along_axis(log_p, classes, axis=1), np.exp(log_p) - hot


def masked(pred, target, mask, loss_type):
    """sum(loss * m) / max(sum(m), 1) with m = (mask == 0), and its gradient by summing over what was broadcast."""
    loss, slope = each(pred, target, loss_type)
    shape = np.broadcast_shapes(loss.shape, np.shape(mask))
    m = np.broadcast_to(np.asarray(mask) == 0, shape)
    count = max(m.sum(), 1)
    copies = m
    for axis in range(len(shape)):
        if loss.shape[axis] == 1:
            copies = copies.sum(axis=axis, keepdims=True)
    return (loss * m).sum() / count, slope * copies / count


def arrays(rng, n, c, loss_type):
    pred = rng.normal(size=(n, c)) * 3
    return pred, rng.integers(0, c, size=n) if loss_type == "cross_entropy" else rng.normal(size=(n, c))


def agree(found, wanted):
    assert type(found[0]) is float
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-12, atol=1e-13)


SEEDS, SIZES = st.integers(0, 2**32), st.integers(1, 5)


@given(SEEDS, SIZES, SIZES, st.sampled_from(TYPES))
def test_standard_loss_is_the_mean(seed, n, c, loss_type):
    pred, target = arrays(np.random.default_rng(seed), n, c, loss_type)
    value, gradient = LOSSES.value_and_grad("standard_loss", pred, target, loss_type)
    loss, slope = each(pred, target, loss_type)
    agree((value, gradient), (loss.mean(), slope / loss.size))
    assert LOSSES.standard_loss(pred, target, loss_type=loss_type) == value
    if loss_type != "cross_entropy":
        assert LOSSES.standard_loss(pred.tolist(), target.tolist(), loss_type) == value


@given(SEEDS, SIZES, SIZES, st.sampled_from(TYPES), st.data())
def test_intervention_loss_is_the_mean_over_what_is_left_alone(seed, n, c, loss_type, data):
    rng = np.random.default_rng(seed)
    pred, target = arrays(rng, n, c, loss_type)
    columns = data.draw(SIZES) if loss_type == "cross_entropy" or c == 1 else data.draw(st.sampled_from([1, c]))
    mask = rng.integers(0, 2, size=data.draw(st.sampled_from([(n, columns), (columns,), (1, columns), (n, 1)])))
    found = LOSSES.value_and_grad("causal_intervention_loss", pred, target, do_mask=mask, loss_type=loss_type)
    agree(found, masked(pred, target, mask, loss_type))
    assert LOSSES.causal_intervention_loss(pred, target, mask, loss_type=loss_type) == found[0]


def test_the_broadcasts_that_the_specification_names(rng):
    pred, target = rng.normal(size=(4, 1)), rng.normal(size=(4, 1))
    wide = np.array([[0, 1, 0], [0, 0, 0], [1, 1, 1], [1, 1, 0]])
    loss, m = np.broadcast_to((pred - target) ** 2, (4, 3)), wide == 0
    assert LOSSES.causal_intervention_loss(pred, target, wide) == pytest.approx(loss[m].sum() / m.sum(), rel=1e-14)
    pred, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    one_row = LOSSES.causal_intervention_loss(pred, target, [0, 1, 0])
    assert one_row == LOSSES.causal_intervention_loss(pred, target, np.tile([0, 1, 0], (4, 1)))
    rows = LOSSES.causal_intervention_loss(pred, [0, 1, 2, 0], [[0], [1], [0], [1]], loss_type="cross_entropy")
    assert rows == pytest.approx(each(pred, [0, 1, 2, 0], "cross_entropy")[0][[0, 2]].mean(), rel=1e-14)


def test_without_a_mask_or_when_told_to_it_is_the_standard_loss(rng):
    pred, target = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    standard = LOSSES.standard_loss(pred, target)
    assert LOSSES.causal_intervention_loss(pred, target) == standard
    assert LOSSES.causal_intervention_loss(pred, target, np.ones((4, 2)), ignore_intervened=False) == standard


def test_where_everything_is_set_the_loss_is_zero_even_of_nan():
    pred = np.array([[np.nan, 1.0]])
    value, gradient = LOSSES.value_and_grad("causal_intervention_loss", pred, [[0.0, 0.0]], [[1, 1]])
    assert value == 0 and not gradient.any()
    assert LOSSES.causal_intervention_loss(pred, [[0.0, 0.0]], [[1, 0]]) == 1


@given(SEEDS, SIZES, SIZES)
def test_counterfactual_loss_is_the_sum_of_two_means(seed, n, c):
    a, b, c, d = np.random.default_rng(seed).normal(size=(4, n, c))
    value, (factual, counterfactual) = LOSSES.value_and_grad("counterfactual_loss", a, b, c, d)
    agree((value, factual), (((a - c) ** 2).mean() + ((b - d) ** 2).mean(), 2 * (a - c) / a.size))
    np.testing.assert_allclose(counterfactual, 2 * (b - d) / b.size, rtol=1e-12)
    assert LOSSES.counterfactual_loss(a, b, c, d) == value


@given(SEEDS, SIZES, SIZES, st.booleans(), st.booleans())
def test_consistency_loss_looks_at_what_is_set(seed, n, c, shared_mask, shared_values):
    rng = np.random.default_rng(seed)
    pred, unused = rng.normal(size=(2, n, c))
    mask, values = rng.integers(0, 2, size=(c,) if shared_mask else (n, c)), rng.normal(size=(c,) if shared_values else (n, c))
    set_ = np.broadcast_to(mask != 0, (n, c))
    wanted = (((pred - values) ** 2)[set_].sum() / max(set_.sum(), 1), np.where(set_, 2 * (pred - values), 0) / max(set_.sum(), 1))
    agree(LOSSES.value_and_grad("causal_consistency_loss", unused, pred, mask, values), wanted)
    assert LOSSES.causal_consistency_loss(None, pred, mask, values) == pytest.approx(wanted[0], rel=1e-12)
    assert LOSSES.causal_consistency_loss(unused, pred, np.zeros(c), values) == 0


@pytest.mark.parametrize("kind, sizes", [(CausalMLP, (3, [4], 2)), (CausalUnit, (3, 2, 4))])
def test_regularization_is_the_l1_norm_of_the_weights_alone(kind, sizes):
    model = kind(*sizes, dtype="float64", seed=0)
    model.parameters()[0][0, 0] = 0
    value, gradients = LOSSES.value_and_grad("causal_regularization_loss", model, lambda_reg=0.1)
    assert value == pytest.approx(0.1 * sum(np.abs(p).sum() for p in model.parameters() if p.ndim == 2), rel=1e-13)
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(gradients[name], 0.1 * np.sign(parameter) * (parameter.ndim == 2), rtol=1e-15)
    assert LOSSES.causal_regularization_loss(model) == pytest.approx(value / 10, rel=1e-13)


@given(SEEDS, SIZES, SIZES, st.booleans(), st.sampled_from(TYPES[:2]))
def test_total_loss_weighs_the_two(seed, n, c, counterfactual, loss_type):
    rng = np.random.default_rng(seed)
    pred, target, other, wanted_other = rng.normal(size=(4, n, c))
    mask = rng.integers(0, 2, size=(n, c))
    value, gradient = masked(pred, target, mask, loss_type)
    value, gradient = 0.7 * value, 0.7 * gradient
    both = (other, wanted_other) if counterfactual else (other, None)      # half a pair does not count
    found = LOSSES.value_and_grad("total_causal_loss", pred, target, mask, None, *both, loss_type=loss_type)
    if counterfactual:
        value += 0.3 * (((pred - target) ** 2).mean() + ((other - wanted_other) ** 2).mean())
        np.testing.assert_allclose(found[1][1], 0.6 * (other - wanted_other) / other.size, rtol=1e-12)
        found, gradient = (found[0], found[1][0]), gradient + 0.6 * (pred - target) / pred.size
    agree(found, (value, gradient))
    assert LOSSES.total_causal_loss(pred, target, mask, rng.normal(size=c), *both, loss_type) == found[0]


def test_metrics(rng):
    pred, target = rng.normal(size=(2, 4, 1))
    mask = np.array([[0, 1, 0], [0, 0, 0], [1, 1, 1], [1, 1, 0]])
    wanted = np.broadcast_to((pred - target) ** 2, (4, 3))[mask == 1].mean()
    assert CausalMetrics.intervention_accuracy(pred, target, mask) == pytest.approx(wanted, rel=1e-13)
    assert CausalMetrics.intervention_accuracy(pred, target, np.zeros((4, 1))) == 0
    assert CausalMetrics().causal_effect_estimation_error([1.0, -2.0], [1.5, -4.0]) == 1.25
    assert CausalMetrics.causal_effect_estimation_error(2.0, 0.5) == 1.5


def test_kinks_have_slope_zero():
    assert not LOSSES.value_and_grad("standard_loss", [[1.0, 2.0]], [[1.0, 2.0]], "mae")[1].any()


def test_huge_logits_do_not_overflow():
    value, gradient = LOSSES.value_and_grad("standard_loss", [[1e4, -1e4, 0.0]], [1], "cross_entropy")
    assert value == 2e4 and np.array_equal(gradient, [[1, -1, 0]])


@pytest.mark.parametrize("loss_type", ["mse", "mae"])
def test_a_column_against_a_vector_is_an_error_that_names_both_shapes(loss_type):
    for name in "standard_loss", "causal_intervention_loss", "total_causal_loss":
        with pytest.raises(ShapeError) as caught:
            getattr(LOSSES, name)(np.zeros((4, 1)), np.zeros(4), loss_type=loss_type)
        assert "(4, 1)" in str(caught.value) and "(4,)" in str(caught.value)


def test_what_is_no_loss_is_an_error():
    for name in "rmse", "MSE", "":
        with pytest.raises(InvalidValueError, match="expected one of mse, mae, cross_entropy"):
            LOSSES.standard_loss([1.0], [1.0], name)
    with pytest.raises(UnknownNameError, match="'hinge'.*standard_loss"):
        LOSSES.value_and_grad("hinge", [1.0], [1.0])
    for wrong in 3, -1, 0.5, np.nan:
        with pytest.raises(InvalidValueError):
            LOSSES.standard_loss([[1.0, 2.0, 3.0]], [wrong], "cross_entropy")
    for shapes in ((0, 2), (0, 2)), ((2, 3), (3, 2)), ((2, 3), (3,)):
        with pytest.raises(ShapeError):
            LOSSES.standard_loss(*map(np.zeros, shapes))
