"""Rows that are counterfactuals of others: a fit that pays for counterfactuals that are wrong."""

import numpy as np
import pytest

from causal_engine import InvalidValueError, Mechanism, ShapeError, StructuralModel, get_threads, set_threads

EDGE = [("x", "y")]


def unit_pairs(count, seed=0):
    """x and y share a hidden cause, and every row is there once more, as it would have been with another x."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=count)
    x, noise = hidden + 0.5 * rng.normal(size=count), hidden + 0.3 * rng.normal(size=count)
    other = x + rng.choice([-1.0, 1.0], size=count)
    rows = {"x": np.r_[x, other], "y": np.sin(1.5 * np.r_[x, other]) + np.r_[noise, noise]}
    return rows, {"x": np.arange(2 * count) >= count}, np.r_[np.full(count, -1), np.arange(count)]


def learned(pairs, weight, kind="additive", twins=True, **options):
    rows, set_, numbers = pairs
    model = StructuralModel(EDGE, Mechanism(kind, hidden=(16,)), dtype="float64", seed=0)
    options = {"epochs": 100, "progress": False, **options}
    return model.fit(rows, set_, twins=numbers if twins else None, counterfactual=weight, **options)


def error(model):
    rng = np.random.default_rng(9)
    x, other, noise = rng.uniform(-2, 2, 300), rng.uniform(-2, 2, 300), rng.normal(size=300)
    imagined = model.counterfactual({"x": x, "y": np.sin(1.5 * x) + noise}, {"x": other})["y"]
    return np.sqrt(np.mean((imagined - np.sin(1.5 * other) - noise) ** 2))


@pytest.mark.parametrize("kind", ["additive", "location_scale", "flow"])
def test_twins_tell_what_a_hidden_cause_hides(kind):
    """Setting x by a step from where it was leaves it dependent on the noise: the rows alone mislead, and pairs do not."""
    pairs = unit_pairs(200)
    alone, paid = (error(learned(pairs, weight, kind)) for weight in (0, 100))
    assert alone > 0.7
    assert paid < 0.3 * alone


def test_twins_tell_what_few_rows_leave_open():
    def slope(seed, weight):
        rng = np.random.default_rng(seed)
        x, other, noise = rng.normal(size=(3, 12))
        rows = {"x": np.r_[x, other], "y": 0.5 * np.r_[x, other] + 3 * np.r_[noise, noise]}
        model = StructuralModel(EDGE, "linear", dtype="float64", seed=0)
        model.fit(rows, twins=np.r_[np.full(12, -1), np.arange(12)], counterfactual=weight, epochs=600, lr=0.05, progress=False)
        return model.effect("y", {"x": 1}, {"x": 0}).value

    alone, paid = (np.sqrt(np.mean([(slope(seed, weight) - 0.5) ** 2 for seed in range(5)])) for weight in (0, 100))
    assert alone > 0.3
    assert paid < 0.03


def test_the_bits_do_not_depend_on_threads():
    pairs, before = unit_pairs(60), get_threads()
    try:
        found = []
        for threads in (1, 2):
            set_threads(threads)
            found.append(learned(pairs, 10, members=3, bootstrap=True, epochs=5).residuals(pairs[0])["y"])
    finally:
        set_threads(before)
    np.testing.assert_array_equal(*found)


def test_the_order_of_rows_and_of_a_pair():
    """For additive noise it is the same who is whose counterfactual. All rows are one batch, so that chance has no part."""
    rows, set_, numbers = unit_pairs(40)
    whole = {"batch_size": 80, "validation_fraction": 0.0, "epochs": 30}
    first = learned((rows, set_, numbers), 10, **whole)
    turned = learned((rows, set_, np.r_[np.arange(40, 80), np.full(40, -1)]), 10, **whole)
    order = np.random.default_rng(1).permutation(80)
    place = np.argsort(order)
    shuffled = learned(({name: column[order] for name, column in rows.items()}, {"x": set_["x"][order]},
                        np.where(numbers[order] < 0, -1, place[numbers[order]])), 10, **whole)
    for other in (turned, shuffled):
        np.testing.assert_allclose(other.residuals(rows)["y"], first.residuals(rows)["y"], atol=1e-6)


def test_pairs_that_tell_nothing_are_left_out():
    """Of y nothing is learned here from a pair: it was set, it or its parent is missing. What z learns has no part in it."""
    rng = np.random.default_rng(5)
    x, y, z = rng.normal(size=(3, 60))
    y, numbers = y + x, np.full(60, -1)
    numbers[30:] = np.arange(30)
    set_ = np.arange(60) % 3 == 0
    x[1::3], y[2:30:3] = np.nan, np.nan

    def fitted(twins):
        model = StructuralModel({"y": ["x"], "z": ["y"]}, "linear", dtype="float64", seed=0)
        rows = {"x": x, "y": np.where(set_, 7.0, y), "z": z}
        model.fit(rows, {"y": set_}, twins=twins, counterfactual=50, validation_fraction=0.0, batch_size=60, epochs=20, progress=False)
        return model.residuals({"x": x, "y": y, "z": z})

    with_, without = fitted(numbers), fitted(None)
    np.testing.assert_array_equal(with_["y"], without["y"])
    assert not np.array_equal(with_["z"], without["z"], equal_nan=True)


def test_categories_have_no_such_loss():
    rng = np.random.default_rng(6)
    x = rng.normal(size=80)
    rows, twins = {"x": x, "y": (x + rng.logistic(size=80) > 0) * 1}, np.r_[np.full(40, -1), np.arange(40)]
    model = StructuralModel(EDGE, "linear", categorical={"y": (0, 1)}, seed=0)
    with pytest.raises(InvalidValueError, match="twins, but no two of them in which the same real variable"):
        model.fit(rows, twins=twins, epochs=1, progress=False)
    model.fit(rows, twins=twins, counterfactual=0, epochs=1, progress=False)


def test_mechanisms_are_chosen_with_twins():
    rows, set_, numbers = unit_pairs(100)
    model = StructuralModel(EDGE, seed=0).fit(rows, set_, twins=numbers.tolist(), counterfactual=100, epochs=60, progress=False)
    assert error(model) < 0.5


@pytest.mark.parametrize("twins, what", [
    ([0] * 80, "row 0 is the counterfactual of row 0"), ([80] + [-1] * 79, "80 in row 0, expected the number of a row, 0 to 79"),
    ([-1, -2] + [0] * 78, "-2 in row 1"), ([-1, 0.5] + [0] * 78, "0.5 in row 1"), ([-1, np.nan] + [0] * 78, "nan in row 1"),
    ([1e300] + [-1] * 79, "1e[+]300 in row 0")])
def test_numbers_that_name_no_row(twins, what):
    rows, set_, _ = unit_pairs(40)
    with pytest.raises(InvalidValueError, match=f"twins: .*{what}"):
        learned((rows, set_, twins), 1)


def test_other_mistakes():
    rows, set_, numbers = unit_pairs(40)
    for wrong in (numbers[:5], numbers[:, None], 3):
        with pytest.raises(ShapeError, match=r"twins of shape .*, expected \(80,\)"):
            learned((rows, set_, wrong), 1)
    for weight in (-1, np.nan, np.inf):
        with pytest.raises(InvalidValueError, match="counterfactual weight of"):
            learned((rows, set_, numbers), weight)
