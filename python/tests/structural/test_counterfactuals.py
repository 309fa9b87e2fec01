"""What rows would have been: abduction, action, prediction."""

import numpy as np
import pandas as pd
import pytest

from causal_engine import InvalidValueError, StructuralModel, change, scale, shift
from causal_engine._scenario import Scenario


def test_the_factual_value_gives_the_factual_row(linear, curved, mixed):
    for subject, cause in [(linear, "x"), (linear, "z"), (curved, "a"), (curved, "b"), (mixed, "treated"), (mixed, "score")]:
        rows = pd.DataFrame(subject.first(300))
        answer = subject.model.counterfactual(rows, {cause: rows[cause]}, draws=20)
        pd.testing.assert_frame_equal(answer[rows.columns], rows, rtol=1e-6, atol=1e-6)
        if subject is not mixed or cause != "treated":
            answer = subject.model.counterfactual(rows, {cause: shift(0)}, draws=20)
            pd.testing.assert_frame_equal(answer[rows.columns], rows, rtol=1e-6, atol=1e-6)


def test_what_is_no_effect_keeps_its_bits(linear, curved, mixed, ensemble):
    for subject, cause, value, kept in [(linear, "m", 9, "zx"), (curved, "c", 1, "ab"), (ensemble, "m", 9, "zx"),
                                        (mixed, "score", 3, ["age", "sex", "treated"])]:
        rows = {**subject.first(200)}
        if subject is ensemble:
            rows["z"] = np.full(200, 0.1)       # of which three times a third is not one
        answer = subject.model.counterfactual(rows, {cause: value})
        for name in kept:
            np.testing.assert_array_equal(answer[name], rows[name])


def test_a_linear_model_by_hand(linear):
    rows = linear.first(100)
    answer = linear.model.counterfactual(rows, {"x": shift(2)})
    slope = linear.model.effect("y", {"x": 1}, {"x": 0}, draws=2).value
    np.testing.assert_allclose(answer["y"], rows["y"] + 2 * slope, atol=1e-9)
    np.testing.assert_allclose(linear.model.counterfactual(rows, {"m": change(lambda m: -m)})["y"], rows["y"] - 2 * rows["m"] * linear.model.effect(
        "y", {"m": 1}, {"m": 0}, draws=2).value, atol=1e-9)
    policy = linear.model.counterfactual(rows, {"x": lambda z: z}, where=lambda z: z > 0)
    np.testing.assert_allclose(policy["x"], np.where(rows["z"] > 0, rows["z"], rows["x"]), atol=1e-12)
    np.testing.assert_allclose(policy["y"][rows["z"] <= 0], rows["y"][rows["z"] <= 0], atol=1e-9)


def test_known_noise_of_every_kind(curved):
    """A counterfactual keeps ranks: noise enters monotonically, whatever the mechanism."""
    rows = curved.first(40)
    for name, parents in {"b": ["a"], "c": ["a", "b"], "d": ["b", "c"]}.items():
        higher = curved.model.counterfactual({**rows, name: rows[name] + 0.3}, {parents[0]: 0.5})
        assert (higher[name] > curved.model.counterfactual(rows, {parents[0]: 0.5})[name]).all()


def test_rows_do_not_touch_each_other(curved):
    rows, where = curved.first(40), np.arange(40) == 7
    answer = curved.model.do(b=2, where=where).counterfactual(rows)
    for name, column in rows.items():
        np.testing.assert_allclose(answer[name][~where], column[~where], atol=1e-6)
    assert answer["b"][7] == 2 and answer["d"][7] != rows["d"][7]
    alone = curved.model.counterfactual({name: column[7:9] for name, column in rows.items()}, {"b": 2})
    assert alone["d"][0] == pytest.approx(answer["d"][7], abs=1e-9)


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum()


def test_categories_against_brute_force():
    """P(y' = k | y = 1, x = 0), by a million Gumbel noises of which those are kept that made the factual row."""
    rng = np.random.default_rng(0)
    x = rng.random(4_000) < 0.5
    y = np.array([rng.choice(3, p=[0.2, 0.3, 0.5] if one else [0.5, 0.3, 0.2]) for one in x])
    model = StructuralModel([("x", "y")], mechanisms="linear", categorical=["y"], seed=0).fit({"x": x, "y": y}, lr=0.05, epochs=40, progress=False)
    logits = [np.log(np.bincount(model.do(x=value).sample(200_000)["y"], minlength=3) / 200_000) for value in (False, True)]
    noise = rng.gumbel(size=(1_000_000, 3))
    kept = noise[(logits[0] + noise).argmax(1) == 1]
    wanted = np.bincount((logits[1] + kept).argmax(1), minlength=3) / len(kept)
    same = {"x": np.zeros(20_000, bool), "y": np.ones(20_000, int)}        # one row many times, each with a possibility of its own
    found = np.bincount(model.counterfactual(same, {"x": True}, draws=1)["y"], minlength=3) / 20_000
    np.testing.assert_allclose(found, wanted, atol=0.015)
    assert model.counterfactual({"x": [False], "y": [1]}, {"x": True}, draws=300)["y"][0] == wanted.argmax()


def test_what_a_category_leaves_open_is_integrated(mixed):
    rows = mixed.first(30)
    graph = {**mixed.graph, "cost": ["grade"]}
    cost = np.select([mixed.data["grade"] == level for level in ("bad", "fair")], [9.0, 3.0], 1.0) + 0.01 * np.random.default_rng(0).normal(size=2_000)
    model = mixed.fit({**mixed.data, "cost": cost}, graph=graph)
    told = {**rows, "cost": cost[:30]}
    answer, low, high = model.counterfactual(told, {"score": shift(2)}, level=0.9)
    assert (low["cost"] <= answer["cost"]).all() and (answer["cost"] <= high["cost"]).all()
    between = (answer["cost"] > 1.1) & (answer["cost"] < 2.9)               # sometimes fair, sometimes good
    assert between.any()
    np.testing.assert_array_equal(low["age"], rows["age"])
    other = model.counterfactual(told, {"score": shift(2)}, seed=5)
    assert not np.array_equal(other["cost"], answer["cost"])
    np.testing.assert_allclose(other["cost"], answer["cost"], atol=2.5)


def test_intervals_are_those_of_the_members(ensemble):
    rows = ensemble.first(20)
    value, low, high = ensemble.model.counterfactual(rows, {"x": 3}, level=0.8)
    assert (low["y"] < value["y"]).all() and (value["y"] < high["y"]).all() and (high["y"] - low["y"] < 3).all()
    np.testing.assert_array_equal(low["z"], high["z"])


def test_what_was_set_stays_set(linear):
    rows, was_set = linear.first(50), np.arange(50) < 25
    answer = linear.model.counterfactual(rows, {"z": 1}, interventions={"x": was_set})
    np.testing.assert_array_equal(answer["x"][was_set], rows["x"][was_set])
    assert (answer["x"][~was_set] != rows["x"][~was_set]).all()
    np.testing.assert_allclose(answer["m"][was_set], rows["m"][was_set], atol=1e-12)
    released = linear.model.counterfactual(rows, {"x": 0}, interventions={"x": was_set})
    assert set(released["x"]) == {0.0}
    with pytest.raises(InvalidValueError, match="x was set in row 0, so that its noise is not known"):
        linear.model.counterfactual(rows, {"x": shift(1)}, interventions={"x": was_set})


def test_distributions_are_integrated_too(linear):
    stats = pytest.importorskip("scipy.stats")
    answer, low, high = linear.model.counterfactual(linear.first(30), {"x": stats.norm(2, 1)}, draws=200, level=0.9)
    np.testing.assert_allclose(answer["x"], 2, atol=0.35)
    np.testing.assert_allclose(high["x"] - low["x"], 2 * 1.645, atol=1)


def test_missing_values(linear, mixed):
    rows = {**linear.first(3), "z": np.array([np.nan, 0, 0])}
    with pytest.raises(InvalidValueError, match="z is missing in row 0, and what y would have been rests on it"):
        linear.model.counterfactual(rows, {"x": 1})
    rows = {**linear.first(3), "y": np.array([np.nan, 0, 0])}
    with pytest.raises(InvalidValueError, match="y is missing in row 0"):
        linear.model.counterfactual(rows, {"x": 1})
    told = {**mixed.first(3), "sex": [None, "m", "f"]}
    answer = mixed.model.counterfactual(told, {"grade": "good"})
    assert list(answer["sex"]) == [None, "m", "f"]          # what nothing rests on may be missing, and stays so


def test_nothing_is_drawn_where_nothing_is_open(mixed, monkeypatch):
    """Whatever happens to the grade, it is no cause of anything: one answer is all there is."""
    calls = []
    run = Scenario.run
    monkeypatch.setattr(Scenario, "run", lambda *arguments: (calls.append(1), run(*arguments)))
    mixed.model.counterfactual(mixed.first(3), {"grade": "good"})
    assert len(calls) == 1
    mixed.model.counterfactual(mixed.first(3), {"treated": True}, draws=7)
    assert len(calls) == 8


def test_seeds_reproduce(mixed):
    rows = mixed.first(40)
    ask = [mixed.model.counterfactual(rows, {"treated": True}, seed=seed, draws=3)["grade"] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(ask[0], ask[1])
    assert (ask[0] != ask[2]).any()


@pytest.mark.parametrize("options, text", [({"level": 95}, "level is 95"), ({"draws": 0}, "draws is 0"), ({"seed": -1}, "seed is -1")])
def test_options_that_cannot_be(mixed, options, text):
    with pytest.raises(InvalidValueError, match=text):
        mixed.model.counterfactual(mixed.first(2), {"treated": True}, **options)


def test_zero_strength_is_the_factual_row(curved):
    rows = curved.first(30)
    for edit in (shift(0), scale(1), change(lambda b: b)):
        answer = curved.model.counterfactual(rows, {"b": edit})
        for name, column in rows.items():
            np.testing.assert_allclose(answer[name], column, atol=1e-6)
