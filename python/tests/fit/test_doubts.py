"""`fit` and `do` warn where interventions were most likely not meant as written, and are silent in ordinary use."""

import warnings

import numpy as np
import pytest

from causal_engine import CausalLosses, CausalMLP, CausalUnit, CausalWarning, InvalidValueError

FAST = {"epochs": 2, "progress": False}


@pytest.fixture
def x(data):
    return data[0]


@pytest.fixture
def y(data):
    return data[1]


@pytest.fixture
def mask(x):
    """The second feature was set in the first 20 rows."""
    set_there = np.zeros(x.shape)
    set_there[:20, 1] = 1
    return set_there


def pieces(*arrays):
    """Batches of 20 rows."""
    return [tuple(array[k:k + 20] for array in arrays) for k in range(0, 60, 20)]


def batched(x, y, mask, values):
    return [(x, y, {0: (mask, values)}) for x, y, mask, values in pieces(x, y, mask, values)]


def test_values_that_were_never_filled_in(model, x, y, mask):
    with pytest.warns(CausalWarning, match="do_values at layer 0 are 0 in all of the 60 rows.*ever filled in.*give the number 0") as caught:
        model.fit(x, y, {0: (mask, np.zeros(x.shape))}, **FAST)
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.warns(CausalWarning, match="ever filled in") as caught:
        model.fit(batched(x, y, mask, np.zeros(x.shape)), **FAST)
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_values_that_were_never_given_at_all_are_an_error(model, x, y, mask, missing):
    with pytest.raises(InvalidValueError, match="intervention at site 0 sets row 0, column 1 to (nan|inf)"):
        model.fit(x, y, {0: (mask, np.full(x.shape, missing))}, **FAST)
    with pytest.raises(InvalidValueError, match="do_values is None, expected both or neither"):
        model.fit(x, y, {0: (mask, None)}, **FAST)


@pytest.mark.parametrize("layer", [0, 1])
def test_a_mask_that_sets_nothing(model, x, y, layer):
    nothing = np.zeros((60, model.network.site_widths[layer]))
    with pytest.warns(CausalWarning, match=f"do_mask at layer {layer} is 0 in all of the 60 rows.*not used"):
        model.fit(x, y, {layer: (nothing, 0.5)}, **FAST)


@pytest.mark.parametrize("loss", ["mse", CausalLosses()])
def test_outputs_that_are_all_set(model, x, y, loss):
    with pytest.warns(CausalWarning, match="sets every output in all of the 60 rows, so that nothing is learned"):
        model.fit(x, y, {3: ([1], 0.5)}, loss=loss, **FAST)


def test_as_errors_they_come_before_anything_is_learned(model, x, y, weights):
    before = weights(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CausalWarning)
        with pytest.raises(CausalWarning):
            model.fit(x, y, {3: ([1], 0.5)}, **FAST)
    assert np.array_equal(weights(model), before) and model.history is None


def ordinary(x, mask):
    some = np.where(mask, np.arange(60)[:, None] % 2, 0)         # 0 in half of the rows in which it is set
    at_zero = x.copy()
    at_zero[0, 1] = 0
    return {
        "none": (x, None), "one number": (x, {0: (mask, 0.5)}), "the number 0": (x, {0: (mask, 0)}), "a row of zeros": (x, {0: (mask, [0, 0, 0])}),
        "zero now and then": (x, {0: (mask, some)}), "x is 0 where it was set to 0": (at_zero, {0: (mask, np.zeros(x.shape))}),
        "hidden units switched off": (x, {1: (np.eye(60, 16), np.zeros((60, 16)))}), "no mask and no values": (x, {0: (0 * mask, np.zeros(x.shape))}),
        "nothing": (x, {0: (None, None)}), "some outputs": (x, {3: (mask[:, 1:2], 0.5)}),
    }


@pytest.mark.parametrize("case", ordinary(np.ones((60, 3)), np.ones((60, 3))))
def test_ordinary_use_is_silent(model, x, y, mask, case):
    x, under = ordinary(x, mask)[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in "mse", CausalLosses():
            model.fit(x, y, under, loss, validation_data=(x, y, under), **FAST)
        model(x, under)


def test_batches_are_judged_together(model, x, y, mask):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(batched(x, y, mask, np.full(x.shape, 0.5)), **FAST)       # the last 40 rows have none set
        model.fit([(x[:30], y[:30]), (x[30:], y[30:], {0: ([0, 1, 0], 0.5)})], **FAST)
        model.fit([(x, y, {3: (mask[:, 1:2], 0.5)}), (x[:20], y[:20], {3: ([1], 0.5)})], **FAST)


def test_a_call_with_a_mask_that_sets_nothing_is_silent(model, x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(model(x, {0: (np.zeros(3), 0.5)}), model(x))


# ---------------------------------------------------------------- do()

@pytest.mark.parametrize("kind", [CausalMLP, CausalUnit])
def test_do_of_a_value_that_is_missing(kind, x):
    model = kind(3, [4] if kind is CausalMLP else 1, *[1][:kind is CausalMLP], seed=0, feature_names=["dose", "age", "weight"])
    dose = np.where(np.arange(60) > 50, np.nan, 1.0)
    with pytest.warns(CausalWarning, match="dose is NaN in 9 of the rows in which it is set, row 51 first") as caught:
        answer = model.do(dose=dose)(x)
    assert caught[0].filename == __file__ and np.isnan(answer).sum() == 9
    with pytest.warns(CausalWarning, match="age is NaN in 2 of .*, row 51 first"):
        model.do(age=dose, where=(np.arange(60) < 53))
    with pytest.warns(CausalWarning, match="do: age is NaN: so is"):
        model.do(age=np.nan, dose=1.0)


def test_do_of_a_value_that_is_missing_elsewhere_is_silent(x):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(x, columns=["dose", "age", "weight"])
    frame["treated"] = frame.dose > 0
    new = frame.dose.where(frame.treated)       # NaN where nobody was treated
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = CausalMLP(3, [4], 1, seed=0).do(dose=new, where=frame.treated)(frame[["dose", "age", "weight"]])
    assert answer.notna().all(axis=None)
