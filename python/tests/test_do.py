"""What do() means, rule by rule (the numbers are those of "What do() means, exactly" in the design)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_engine import CausalMLP, CausalUnit, InvalidValueError, ShapeError, UnknownNameError

ROWS, WIDTHS = 6, (3, 5, 4, 2)      # of the features, two hidden layers and the output


@pytest.fixture
def model():
    return CausalMLP(3, [5, 4], 2, activation="tanh", dtype="float64", seed=2)


@pytest.fixture
def x(rng):
    return rng.normal(size=(ROWS, 3))


def by_hand(model, x, interventions):
    """`np.where` at the input of every layer, and at the output."""
    h = np.asarray(x)
    for k in range(len(WIDTHS)):
        if k in interventions:
            mask, values = interventions[k]
            h = np.where(np.asarray(mask) != 0, values, h)
        if k < len(model.layers):
            part = model.layers[k].layers[0]
            h = h @ part.weight.T + part.bias
            h = np.tanh(h) if k < len(model.layers) - 1 else h
    return h


@given(st.data())
def test_rule_1_a_value_is_selected_at_any_layer_for_all_rows_or_each(data):
    model = CausalMLP(3, [5, 4], 2, activation="tanh", dtype="float64", seed=2)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    interventions = {}
    for k in data.draw(st.sets(st.integers(0, 3))):
        mask_shape, value_shape = (data.draw(st.sampled_from([(WIDTHS[k],), (ROWS, WIDTHS[k])])) for _ in range(2))
        values = 0.5 if data.draw(st.booleans()) else rng.normal(size=value_shape)
        interventions[k] = (rng.random(mask_shape) < 0.5, values)
    x = rng.normal(size=(ROWS, 3))
    np.testing.assert_allclose(model(x, interventions), by_hand(model, x, interventions), rtol=0, atol=1e-13)


@pytest.mark.parametrize("site", range(4))
def test_rule_1_a_nan_under_a_mask_reaches_neither_the_output_nor_a_gradient(model, x, rng, site):
    mask = np.zeros(WIDTHS[site])
    mask[1] = 1
    clean = {site: (mask, np.full(WIDTHS[site], 0.5))}
    dirty = {site: (mask, np.where(mask, 0.5, np.nan))}      # values that no mask asks for are not looked at
    dy = rng.normal(size=(ROWS, 2))
    wanted, traced = model.trace(x, clean), model.trace(x, dirty)
    assert np.array_equal(traced.output, wanted.output)
    assert np.array_equal(traced.backward(dy).flat, wanted.backward(dy).flat)


def test_rule_1_a_feature_never_observed_may_be_nan_where_do_sets_it(model, x, rng):
    unseen = x.copy()
    unseen[2:4, 1] = np.nan
    mask = np.isnan(unseen)
    dy = rng.normal(size=(ROWS, 2))
    traced, wanted = (model.trace(array, {0: (mask, 0.5)}) for array in (unseen, x))
    assert np.array_equal(traced.output, wanted.output)
    for gradient, other in zip(traced.backward(dy).parameters.values(), wanted.backward(dy).parameters.values()):
        assert np.array_equal(gradient, other)
    assert np.array_equal(traced.backward(dy).inputs, wanted.backward(dy).inputs)


def test_rule_1_a_nan_that_is_not_cut_propagates_in_its_row_only(model, x):
    broken = x.copy()
    broken[2, 1] = np.nan
    y = model(broken)
    assert np.isnan(y[2]).all() and np.array_equal(np.delete(y, 2, 0), np.delete(model(x), 2, 0))


def test_rule_1_a_nan_read_only_through_cut_edges_is_harmless_at_every_layer(model, x, rng):
    broken = np.full_like(x, np.nan)
    everything = {2: (np.ones(4), rng.normal(size=4))}       # nothing of the features is read
    dy = rng.normal(size=(ROWS, 2))
    traced, wanted = model.trace(broken, everything), model.trace(x, everything)
    assert np.array_equal(traced.output, wanted.output)
    assert np.array_equal(traced.backward(dy).flat, wanted.backward(dy).flat)
    assert not traced.backward(dy).inputs.any()


def test_rule_2_no_gradient_through_what_is_set_and_the_whole_gradient_to_its_value(model, x, rng):
    mask, values = rng.random((ROWS, 3)) < 0.5, rng.normal(size=(ROWS, 3))
    dy = rng.normal(size=(ROWS, 2))
    set_inputs = np.where(mask, values, x)
    gradients, free = model.trace(x, {0: (mask, values)}).backward(dy), model.trace(set_inputs).backward(dy)
    assert (gradients.inputs[mask] == 0).all() and not np.signbit(gradients.inputs[mask]).any()
    assert np.array_equal(gradients.inputs[~mask], free.inputs[~mask])
    assert np.array_equal(gradients.values[0][mask], free.inputs[mask])
    assert not gradients.values[0][~mask].any()


def test_rule_2_values_shared_by_rows_get_the_sum_over_them(model, x, rng):
    mask, values, dy = np.array([1, 0, 1]), rng.normal(size=3), rng.normal(size=(ROWS, 2))
    shared = model.trace(x, {0: (mask, values)}).backward(dy).values[0]
    each = model.trace(x, {0: (mask, np.tile(values, (ROWS, 1)))}).backward(dy).values[0]
    assert shared.shape == (3,) and each.shape == (ROWS, 3)
    np.testing.assert_allclose(shared, each.sum(axis=0), rtol=0, atol=1e-14)
    one = model.trace(x, {0: (mask, 0.5)}).backward(dy).values[0]
    of_all = model.trace(x, {0: (mask, np.full(3, 0.5))}).backward(dy).values[0]
    assert one.shape == () and one == pytest.approx(of_all.sum(), abs=1e-14)


def test_rule_3_a_cause_of_what_is_set_keeps_its_gradient_along_other_paths():
    # x0 reaches the output through h0 and h1; do(h0) leaves the path through h1 as it was.
    model = CausalMLP(1, [2], 1, activation="identity", dtype="float64", seed=0)
    first, last = (layer.layers[0] for layer in model.layers)
    first.weight[...], last.weight[...] = [[2], [3]], [[5, 7]]
    assert model.trace([[1.0]]).backward([[1.0]]).inputs[0, 0] == 2 * 5 + 3 * 7
    assert model.trace([[1.0]], {1: ([1, 0], 0.0)}).backward([[1.0]]).inputs[0, 0] == 3 * 7


def test_rule_4_one_row_never_touches_another(model, x, rng):
    mask = np.zeros((ROWS, 5))
    mask[2] = 1
    y = model(x, {1: (mask, 9.0)})
    others = np.arange(ROWS) != 2
    assert np.array_equal(y[others], model(x)[others])
    assert np.array_equal(y[2], model(x, {1: (np.ones(5), 9.0)})[2])


def test_rule_5_the_value_wins_at_the_output(model, x):
    assert np.array_equal(model(x, {3: ([0, 1], [8.0, 9.0])})[:, 1], np.full(ROWS, 9.0))
    assert np.array_equal(model(x, {3: ([0, 1], [8.0, 9.0])})[:, 0], model(x)[:, 0])


@pytest.mark.parametrize("key", [4, -1, 2**70, "0", 0.0, None, (0,)])
def test_rule_6_a_layer_that_does_not_exist_is_an_error_that_names_it(model, x, key):
    for pair in ([0, 1, 0], 0.5), (None, None):
        with pytest.raises(UnknownNameError, match="there is no layer") as caught:
            model(x, {key: pair})
        assert repr(key) in str(caught.value)
    assert issubclass(UnknownNameError, ValueError) and issubclass(UnknownNameError, KeyError)


def test_rule_6_a_mask_of_zeros_is_legitimate(model, x):
    assert np.array_equal(model(x, {0: (np.zeros(3), np.nan)}), model(x))


def test_none_and_none_is_no_intervention_and_half_a_pair_is_an_error(model, x):
    assert np.array_equal(model(x, {0: (None, None), 1: (np.zeros(5), 0.0), 3: (None, None)}), model(x))
    for pair in [([0, 1, 0], None), (None, 0.5), 5, (1,), (1, 2, 3), None]:
        with pytest.raises(InvalidValueError, match="layer 0"):
            model(x, {0: pair})


@pytest.mark.parametrize("shape", [(2,), (4,), (ROWS, 4), (ROWS - 1, 3), (3, ROWS), (1, ROWS, 3), (3, 1)])
def test_a_mask_or_value_of_another_shape_is_an_error_that_shows_both(model, x, shape):
    for pair in (np.ones(shape), 0.5), (np.ones(3), np.ones(shape)):
        with pytest.raises(ShapeError) as caught:
            model(x, {0: pair})
        assert str(shape) in str(caught.value) and "(3,)" in str(caught.value) and "(6, 3)" in str(caught.value)


@pytest.mark.parametrize("mask", [[0, 1, 0], [0.0, 0.001, 0.0], [False, True, False], [0, -1, 0], [0, 256, 0], [0, 2**40, 0]])
def test_whatever_is_not_zero_intervenes(x, mask):
    unit = CausalUnit(3, 2, dtype="float64", seed=0)
    assert np.array_equal(unit(x, mask, 0.5), unit(np.where([0, 1, 0], 0.5, x)))


def test_a_mask_that_is_not_known_is_refused(x):
    with pytest.raises(InvalidValueError, match="do_mask holds NaN"):
        CausalUnit(3, 2, seed=0)(x, [0, np.nan, 0], 0.5)
