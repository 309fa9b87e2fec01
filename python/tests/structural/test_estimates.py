"""Effects and their intervals."""

import numpy as np
import pandas as pd
import pytest

from causal_engine import Estimate, InvalidValueError, ShapeError, StructuralModel, UnknownNameError, shift


def test_effects_in_a_linear_model(linear):
    model = linear.model
    assert model.effect("y", {"x": 1}, {"x": 0}).value == pytest.approx(1.5, abs=0.08)
    assert model.effect("y", {"z": 1}, {"z": 0}).value == pytest.approx(-0.8, abs=0.12)
    assert model.effect("y", {"m": 1}, {"m": 0}).value == pytest.approx(1, abs=0.05)
    assert model.effect("z", {"x": 1}, {"x": 0}).value == 0
    assert model.effect("y", {"x": shift(1)}, None).value == pytest.approx(model.effect("y", {"x": 1}, {"x": 0}).value, abs=1e-9)
    assert model.effect("y", {"x": 1}, {}).value == pytest.approx(1.5, abs=0.1)


def test_both_sides_meet_the_same_noise(linear):
    """A linear effect is the same for every draw: two are enough, and nothing is left to chance."""
    few, many = (linear.model.effect("y", {"x": 3}, {"x": 1}, draws=draws, seed=draws) for draws in (2, 5_000))
    assert few.value == pytest.approx(many.value, abs=1e-9)
    assert few.error < 1e-9 and many.interval == pytest.approx((few.value, few.value), abs=1e-9)
    one, two = linear.model.do(x=1).sample(50), linear.model.do(x=2).sample(50)
    np.testing.assert_allclose(np.ptp(two["y"] - one["y"]), 0, atol=1e-9)
    np.testing.assert_array_equal(one["z"], two["z"])


def test_the_error_of_the_simulation(linear):
    estimate = linear.model.do(x=0).mean("y", draws=10_000)
    assert estimate.error == pytest.approx(np.sqrt(1 + 4 + 1) / 100, rel=0.05)
    means = [linear.model.do(x=0).mean("y", draws=100, seed=seed) for seed in range(200)]
    assert np.std([mean.value for mean in means]) == pytest.approx(np.mean([mean.error for mean in means]), rel=0.2)
    assert means[0].value != means[1].value and means[0].value == linear.model.do(x=0).mean("y", draws=100, seed=0).value


def test_members_meet_chances_of_their_own(ensemble):
    """So that the error of the mean falls with their number, as it says."""
    means = [ensemble.model.do(x=0).mean("y", draws=100, seed=10 * seed) for seed in range(100)]
    assert np.std([mean.value for mean in means]) == pytest.approx(np.mean([mean.error for mean in means]), rel=0.25)


def test_the_interval_is_that_of_least_squares():
    """Twenty data sets of 80 rows: half-widths beside the theory's, and how often the truth lies within."""
    covered, ratios = 0, []
    for k in range(20):
        rng = np.random.default_rng([5, k])
        x = rng.normal(size=80)
        y = 2 * x + rng.normal(size=80)
        model = StructuralModel([("x", "y")], mechanisms="linear", seed=k).fit(
            {"x": x, "y": y}, members=40, bootstrap=True, epochs=150, batch_size=80, lr=0.1, validation_fraction=0, progress=False)
        effect = model.effect("y", {"x": 1}, {"x": 0}, draws=10)
        design = np.column_stack([x, np.ones(80)])
        _, residual, *_ = np.linalg.lstsq(design, y, rcond=None)
        error = np.sqrt(residual[0] / 78 * np.linalg.inv(design.T @ design)[0, 0])
        low, high = effect.interval
        covered += low < 2 < high
        ratios.append((high - low) / 2 / (1.96 * error))
    assert covered >= 17 and np.mean(ratios) == pytest.approx(1, abs=0.12)


def test_an_estimate(ensemble):
    estimate = ensemble.model.effect("y", {"x": 1}, {"x": 0})
    low, high = estimate.interval
    assert low < estimate.value < high and float(estimate) == estimate.value and estimate.level == 0.95
    assert estimate.members.shape == (5,) and estimate.value == pytest.approx(estimate.members.mean())
    wide = ensemble.model.effect("y", {"x": 1}, {"x": 0}, level=0.99)
    assert wide.interval[0] < low and wide.interval[1] > high
    assert f"{estimate:.1f}" == f"{estimate.value:.1f}" and "95% interval" in f"{estimate}" and "5 members" in repr(estimate)
    assert repr(ensemble.model.do(x=[1, 2]).mean("y")) == "Estimate(of 2 values)"
    assert isinstance(estimate, Estimate)


def test_the_spread_of_members_is_not_that_of_their_simulation():
    """Equal members simulated apart: the interval is the simulation's alone, and not counted twice."""
    rng = np.random.default_rng(0)
    means, errors = rng.normal(0, 0.1, (4_000, 50)), np.full((4_000, 50), 0.1)
    estimate = Estimate.of(means, errors, 0.95)
    np.testing.assert_allclose(estimate.interval[1] - estimate.value, 1.96 * 0.1 / np.sqrt(4_000), atol=0.05)
    with np.errstate(invalid="raise"):
        Estimate.of(means[:2], errors[:2] * 100, 0.95)


def test_a_batch_of_scenarios_is_each_of_them(linear):
    doses = np.linspace(-3, 3, 1_500)
    batch = linear.model.do(x=doses).mean("y", draws=50)
    assert batch.value.shape == batch.interval[0].shape == (1_500,)
    for k in (0, 7, 700, 1_499):
        assert linear.model.do(x=doses[k]).mean("y", draws=50).value == pytest.approx(batch.value[k], abs=1e-12)
    where = np.arange(1_500) % 2 == 0
    chosen = linear.model.do(x=doses, where=where).mean("y", draws=50).value
    np.testing.assert_array_equal(chosen[where], batch.value[where])
    assert len(set(chosen[~where])) == 1


def test_many_batches_are_one(linear, monkeypatch):
    doses, z = np.linspace(-1, 1, 60), np.linspace(-2, 2, 60)
    stats = pytest.importorskip("scipy.stats")

    def answers():
        view = linear.model.do(x=doses).do(m=shift(doses), where=np.arange(60) % 3 > 0)
        return [view.mean("y", draws=40).value, view.mean("y", given={"z": z}, draws=40).value,
                linear.model.do(x=stats.norm).do(z=doses).mean("m", draws=40).value, *linear.model.do(x=doses).predict({"z": z}, draws=40).values()]

    wanted = answers()
    monkeypatch.setattr("causal_engine._scenario_base._AT_ONCE", 1_000)
    for one, two in zip(wanted, answers()):
        np.testing.assert_array_equal(one, two)


def test_distributions_meet_every_scenario_alike(linear):
    stats = pytest.importorskip("scipy.stats")
    batch = linear.model.do(x=stats.norm).do(z=[0.0, 0.0, 1.0]).mean("m", draws=30).value
    assert batch[0] == batch[1] == linear.model.do(x=stats.norm).do(z=0.0).mean("m", draws=30).value


def test_conditional_effects(mixed):
    model = mixed.model
    rows = {"sex": ["f", "m"], "age": [40.0, 60.0]}
    assert model.do(treated=True).mean("score", given=rows).value == pytest.approx([4, 1], abs=0.25)
    for given in ({"sex": "f", "age": 40.0}, pd.DataFrame({"sex": ["f"], "age": [40.0]}), pd.Series({"age": 40.0, "sex": "f"})):
        assert float(model.do(treated=True).mean("score", given=given)) == pytest.approx(4, abs=0.25)
    effect = model.effect("score", {"treated": True}, {"treated": False}, given={"age": [40.0, 60.0], "sex": "m"})
    np.testing.assert_allclose(effect.value, 2, atol=0.2)
    curve = model.do(age=[30.0, 50.0, 70.0]).mean("score", given={"sex": "f"}).value       # one row, three scenarios
    assert curve.shape == (3,)


def test_questions_that_cannot_be(linear):
    model = linear.model
    for error, text, ask in [
        (UnknownNameError, "named 'Y'; near it: 'z', 'x', 'm', 'y'", lambda: model.effect("Y", {"x": 1}, {"x": 0})),
        (ShapeError, r"values of \[2, 3\] entries", lambda: model.do(x=[1, 2]).do(m=[1, 2, 3]).mean("y")),
        (ShapeError, r"values of \[2, 3\] entries", lambda: model.effect("y", {"x": [1, 2]}, {"x": [1, 2, 3]})),
        (ShapeError, r"values of \[2, 3\] entries", lambda: model.do(x=[1, 2]).mean("y", given={"z": [1, 2, 3]})),
        (InvalidValueError, "level is 95", lambda: model.do(x=1).mean("y", level=95)),
        (InvalidValueError, "draws is 0", lambda: model.do(x=1).mean("y", draws=0)),
        (InvalidValueError, "n is 0", lambda: model.sample(0)),
        (InvalidValueError, "seed is -1", lambda: model.sample(1, seed=-1)),
    ]:
        with pytest.raises(error, match=text):
            ask()
