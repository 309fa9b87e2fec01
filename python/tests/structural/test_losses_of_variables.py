"""Losses on the variables of a graph: independence of residuals, sparsity, and those that know what was set."""

import numpy as np
import pytest

from causal_engine import CausalLosses, InvalidValueError, Mechanism, ShapeError, StructuralModel

losses = CausalLosses()


def by_hand(x, y):
    """tr(K H L H) / (n - 1)^2, as Gretton et al. (2005) write it."""
    n = len(x)

    def kernel(points):
        points = (points - points.mean(0)) / points.std(0)
        return np.exp(-((points[:, None] - points[None]) ** 2).sum(2) / (2 * points.shape[1]))

    centre = np.eye(n) - 1 / n
    return np.trace(kernel(x) @ centre @ kernel(y) @ centre) / (n - 1) ** 2


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(60, 3))
    return np.stack([y[:, 0] ** 2 + rng.normal(size=60), 5 + 3 * rng.normal(size=60)], 1), y


def test_it_is_the_criterion_of_gretton(samples):
    x, y = samples
    for p, q in ((1, 1), (1, 3), (2, 3)):
        assert losses.independence_loss(x[:, :p], y[:, :q]) == pytest.approx(by_hand(x[:, :p], y[:, :q]), rel=1e-10)
    assert losses.independence_loss(100 * x - 7, 0.01 * y) == pytest.approx(losses.independence_loss(x, y), rel=1e-9)
    assert losses.independence_loss(np.ones((5, 1)), y[:5]) == pytest.approx(0, abs=1e-15)


def test_large_samples_are_means_over_blocks():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 1200, 1))
    assert losses.independence_loss(x, y) == pytest.approx(np.mean([by_hand(x[k:k + 400], y[k:k + 400]) for k in (0, 400, 800)]), rel=1e-9)


def test_dependence_of_any_kind_is_seen():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 1))
    chance = losses.independence_loss(rng.normal(size=(400, 1)), x)
    assert chance < 0.004
    for other in (x, x ** 2 + rng.normal(size=x.shape), np.abs(x) * rng.normal(size=x.shape)):
        assert losses.independence_loss(other, x) > 3 * chance


@pytest.mark.parametrize("rows", [7, 600])
def test_gradients_agree_with_differences(rows):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(rows, 2)), rng.normal(size=(rows, 1))
    x[:, 0] += y[:, 0] ** 2
    _, gradient = losses.value_and_grad("independence_loss", x, y)
    for row, column in [(0, 0), (3, 1), (6, 0), (rows - 1, 1)]:
        step = np.zeros_like(x)
        step[row, column] = 1e-5
        slope = (losses.independence_loss(x + step, y) - losses.independence_loss(x - step, y)) / 2e-5
        assert gradient[row, column] == pytest.approx(slope, rel=1e-5, abs=1e-10)


def test_tensors(samples):
    torch = pytest.importorskip("torch")
    x, y = samples
    given = torch.tensor(x, requires_grad=True)
    loss = losses.independence_loss(given, torch.tensor(y))
    loss.backward()
    np.testing.assert_allclose(given.grad.numpy(), losses.value_and_grad("independence_loss", x, y)[1])


@pytest.mark.parametrize("widths", [(1, 1), (2, 2), (2, 1)])
def test_autograd_follows_both_sides(widths):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    x, y = (torch.tensor(rng.normal(size=(12, width)), requires_grad=True) for width in widths)
    assert torch.autograd.gradcheck(losses.independence_loss, (x, y))
    assert torch.autograd.gradcheck(lambda y: losses.independence_loss(x.detach(), y), (y,))


def test_shapes_that_cannot_be(samples):
    for x, y in ((samples[0][:5], samples[1]), (samples[0][:1], samples[1][:1]), (samples[0][:, 0], samples[1])):
        with pytest.raises(ShapeError, match="independence loss: prediction of shape"):
            losses.independence_loss(x, y)


# ---------------------------------------------------------------- of a structural model

@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    a, b, c = rng.normal(size=(3, 1000))
    return {"a": a, "b": b, "c": c, "y": 2 * a + 0.5 * a ** 2 + 0.05 * rng.normal(size=1000) + rng.exponential(size=1000)}


GRAPH = {"y": ["a", "b", "c"]}


def causes(data):
    return np.stack([data[name] for name in "abc"], 1)


def test_residuals(data):
    model = StructuralModel(GRAPH, "linear", dtype="float64", seed=0).fit(data, epochs=100, lr=0.05, validation_fraction=0.0, progress=False)
    noise = model.residuals(data)
    design = np.stack([np.ones(1000), data["a"], data["b"], data["c"]], 1)
    wanted = data["y"] - design @ np.linalg.lstsq(design, data["y"], rcond=None)[0]
    np.testing.assert_allclose(noise["y"] * data["y"].std(), wanted, atol=0.1)
    np.testing.assert_allclose(noise["a"], (data["a"] - data["a"].mean()) / data["a"].std(), rtol=1e-6)
    right = StructuralModel(GRAPH, Mechanism("additive", hidden=(16,)), seed=0).fit(data, epochs=60, progress=False)
    one, other = (losses.independence_loss(np.asarray(found.residuals(data)["y"])[:, None], causes(data)) for found in (model, right))
    assert one > 2 * other                                  # a line leaves its residual dependent on a
    marked = model.residuals(data, interventions={"y": np.arange(1000) < 5})["y"]
    assert np.isnan(marked[:5]).all() and np.isfinite(marked[5:]).all()


def test_residuals_of_categories_are_not_known(mixed):
    noise = mixed.model.residuals(mixed.first(4))
    assert np.isnan(np.asarray(noise["grade"], float)).all() and np.isfinite(noise["score"]).all() and np.isfinite(noise["age"]).all()


@pytest.mark.parametrize("kind", ["additive", "location_scale", "flow"])
def test_a_fit_that_pays_for_dependence(kind):
    """Few rows and skew noise, where squares mislead: what is left depends less on the cause where that costs."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=200)
    rows = {"x": x, "y": np.sin(2 * x) + rng.exponential(size=200)}

    def left(independence):
        model = StructuralModel([("x", "y")], Mechanism(kind, hidden=(32 if kind == "additive" else 16,)), dtype="float64", seed=1)
        model.fit(rows, epochs=200, batch_size=200, independence=independence, validation_fraction=0.0, progress=False)
        return losses.independence_loss(np.asarray(model.residuals(rows)["y"])[:, None], x[:, None])

    assert left(100.0) < 0.9 * left(0.0)


@pytest.mark.parametrize("kind", ["linear", Mechanism("additive", hidden=(8,))])
def test_a_fit_that_pays_for_parents(data, kind):
    """b and c say nothing of y: what setting them does fades, and what a does stays."""
    def effects(sparsity):
        model = StructuralModel(GRAPH, kind, dtype="float64", seed=0).fit(
            data, epochs=150, lr=0.01, sparsity=sparsity, validation_fraction=0.0, progress=False)
        return [abs(model.effect("y", {name: 1}, {name: -1}, draws=500).value) for name in "abc"]

    free, sparse = effects(0.0), effects(0.05)
    assert sparse[1] + sparse[2] < 0.5 * (free[1] + free[2])
    assert sparse[0] > 3.4


def test_what_cannot_be_paid(data):
    for options in ({"sparsity": -1}, {"independence": np.inf}, {"sparsity": np.nan}):
        with pytest.raises(InvalidValueError, match=f"{next(iter(options))} of"):
            StructuralModel(GRAPH, "linear").fit(data, epochs=1, progress=False, **options)


def test_losses_that_know_what_was_set_take_what_a_model_says(linear):
    """Consistency is exact, and an intervention loss looks at no variable that was set."""
    model, rows = linear.model, linear.first(50)
    matrix = np.stack([rows[name] for name in model.variables], 1)
    mask, values = np.array([name == "x" for name in model.variables]), np.full(len(model.variables), 2.0)
    view = model.do(x=2.0)
    imagined = np.stack([np.asarray(view.counterfactual(rows)[name]) for name in model.variables], 1)
    assert losses.causal_consistency_loss(matrix, imagined, mask, values) == 0
    wrong = matrix.copy()
    wrong[:, mask] = 99
    assert losses.causal_intervention_loss(imagined, imagined + (wrong - matrix) * mask, mask) == 0
    assert losses.counterfactual_loss(matrix, imagined, matrix, imagined) == 0
