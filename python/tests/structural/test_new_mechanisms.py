"""Another mechanism, with noise, in the place of a variable's own."""

import numpy as np
import pytest

from causal_engine import ArgumentError, Graph, InvalidValueError, Mechanism, StructuralModel, UnknownNameError, new_mechanism, shift

EDGES = [("x", "m"), ("m", "y")]


def draw(n, seed, slope=1.5, noise=lambda rng, n: rng.normal(size=n)):
    rng = np.random.default_rng([3, seed])
    x = rng.normal(size=n)
    m = slope * x + noise(rng, n)
    return {"x": x, "m": m, "y": 2 * m + rng.normal(size=n)}


def fitted(data, kind="linear", **options):
    return StructuralModel(EDGES, kind, dtype="float64", seed=0).fit(data, progress=False, **{"epochs": 60, "lr": 0.05, "validation_fraction": 0.0, **options})


@pytest.fixture(scope="module")
def here():
    return draw(1500, 0), fitted(draw(1500, 0))


@pytest.fixture(scope="module")
def there():
    """Where m falls with x, and its noise is skew and wide."""
    return fitted(draw(1500, 1, -1.0, lambda rng, n: 3 * rng.exponential(size=n)))


def test_its_own_mechanism_changes_nothing(here):
    data, model = here
    for view in (model.do(m=new_mechanism(model)), model.do(m=new_mechanism(model), y=new_mechanism(model))):
        answer = view.counterfactual(data)
        for name in data:
            np.testing.assert_allclose(answer[name], data[name], rtol=1e-9, atol=1e-9)


def test_samples_are_those_of_the_other_model(here, there):
    one, other = (np.asarray(view.sample(40_000, seed=2)["m"])
                  for view in (here[1].do(x=1).do(m=new_mechanism(there)), there.do(x=1)))
    np.testing.assert_allclose(np.quantile(one, [0.1, 0.5, 0.9]), np.quantile(other, [0.1, 0.5, 0.9]), atol=0.15)
    assert one.std() == pytest.approx(other.std(), rel=0.03)


def test_a_counterfactual_keeps_the_rank_of_the_noise(here, there):
    """On the rows that taught the one the noise of the other is met: all of it, in the same order."""
    data, model = here
    answer = model.do(m=new_mechanism(there)).counterfactual(data)["m"]
    learned = np.polyfit(data["x"], data["m"], 1)
    noise = np.asarray(answer)
    order = np.argsort(data["m"] - np.polyval(learned, data["x"]))
    line = np.polyfit(np.asarray(data["x"]), noise, 1)
    residual = noise - np.polyval(line, data["x"])
    assert line[0] == pytest.approx(-1, abs=0.3)
    assert np.corrcoef(np.argsort(np.argsort(residual)), np.argsort(order))[0, 1] > 0.99
    skew = ((residual / residual.std()) ** 3).mean()
    assert skew == pytest.approx(2, abs=0.6)          # of the exponential; that of the own noise is 0


def test_a_formula_and_a_distribution(here):
    stats = pytest.importorskip("scipy.stats")
    data, model = here
    sample = model.do(m=new_mechanism(lambda x: 5 * x, noise=stats.uniform(0, 1))).sample(4_000)
    noise = np.asarray(sample["m"] - 5 * sample["x"])
    assert 0 <= noise.min() < 0.01 and 0.99 < noise.max() <= 1 and noise.mean() == pytest.approx(0.5, abs=0.02)
    # What was abducted says nothing of it: it is integrated over, and y keeps its own noise.
    first = {name: column[:4] for name, column in data.items()}
    value, low, high = model.do(m=new_mechanism(lambda x: 5 * x, noise=stats.uniform(0, 1))).counterfactual(first, level=0.9, draws=400)
    np.testing.assert_allclose(value["m"], 5 * first["x"] + 0.5, atol=0.06)
    assert ((high["m"] - low["m"]) > 0.8).all() and ((high["y"] - low["y"]) > 1.5).all()
    means = model.do(x=[0, 1, 2]).do(m=new_mechanism(lambda x: 5 * x, noise=stats.norm(0, 1))).mean("m").value
    np.testing.assert_allclose(np.diff(means), 5, atol=1e-9)           # every scenario meets the same chances


def test_a_formula_keeps_the_noise(here):
    data, model = here
    first = {name: column[:6] for name, column in data.items()}
    one = model.do(m=new_mechanism(lambda x: 0 * x)).counterfactual(first)
    two = model.do(m=new_mechanism(lambda x: 7 * x)).counterfactual(first)
    np.testing.assert_allclose(two["m"] - one["m"], 7 * first["x"], rtol=1e-9)
    slope, constant = np.polyfit(data["x"], data["m"], 1)
    np.testing.assert_allclose(one["m"], first["m"] - slope * first["x"] - constant, atol=0.02)


def test_a_chain_of_categories_keeps_its_gumbels(mixed):
    model = mixed.model
    rows = mixed.first(40)
    answer = model.do(grade=new_mechanism(model), treated=new_mechanism(model)).counterfactual(rows)
    for name in ("grade", "treated", "score"):
        np.testing.assert_array_equal(answer[name], rows[name])
    other = mixed.fit(mixed.draw(500, 4))
    assert set(model.do(grade=new_mechanism(other)).counterfactual(rows)["grade"]) <= {"bad", "fair", "good"}
    relabelled = {**mixed.data, "grade": np.where(mixed.data["grade"] == "bad", "awful", mixed.data["grade"])}
    with pytest.raises(InvalidValueError, match="new_mechanism: grade has the levels .'awful'"):
        model.do(grade=new_mechanism(mixed.fit(relabelled))).sample(2)
    alone = StructuralModel(Graph([], ["treated"]), dtype="float64", seed=0).fit({"treated": mixed.data["treated"]}, progress=False)
    with pytest.raises(InvalidValueError, match="the new mechanism of treated takes other noise than its own"):
        model.do(treated=new_mechanism(alone)).sample(2)


def test_new_causes(here):
    """The parents it has in the other model are causes here; an effect of the variable among them is a cycle."""
    rng = np.random.default_rng(0)
    y, x = rng.normal(size=(2, 500))
    other = StructuralModel([("y", "m")], "linear", dtype="float64", seed=0).fit({"y": y, "m": 3 * y + 0.1 * x}, epochs=40, progress=False)
    sample = here[1].do(y=4).do(m=new_mechanism(other)).sample(2_000)
    assert np.mean(sample["m"]) == pytest.approx(12, abs=0.5)
    with pytest.raises(ValueError, match="an edit reads an effect"):
        here[1].do(m=new_mechanism(other)).sample(2)


def test_a_hidden_cause_of_what_is_replaced_is_heard(here):
    hidden = StructuralModel(Graph(EDGES, confounded=[("x", "m")]), "linear", seed=0).fit(here[0], epochs=5, progress=False)
    with pytest.raises(InvalidValueError, match="not identified: m shares"):
        hidden.do(m=new_mechanism(here[1])).sample(3)
    # Between an intervention and a change that lets its variable's mechanism speak:
    chain = Graph([("a", "x"), *EDGES], confounded=[("a", "x")])
    other = StructuralModel(chain, "linear", seed=0).fit({"a": here[0]["x"] ** 2, **here[0]}, epochs=5, progress=False)
    with pytest.raises(InvalidValueError, match="not identified: x shares"):
        other.do(a=1).do(m=lambda x: x).mean("y", draws=10)


@pytest.mark.parametrize("error, text, make", [
    (ArgumentError, "expected a StructuralModel or a function", lambda model: new_mechanism(3)),
    (ArgumentError, "expected a distribution", lambda model: new_mechanism(lambda x: x, noise=3)),
    (ArgumentError, "mechanism brings its own", lambda model: new_mechanism(model, noise=Normal())),
    (UnknownNameError, "'m'", lambda model: model.do(m=new_mechanism(StructuralModel([("x", "y")])))),
    (UnknownNameError, "'w'.*it is a cause of m", lambda model: model.do(m=new_mechanism(StructuralModel([("w", "m")])))),
    (ValueError, "learned nothing yet", lambda model: model.do(m=new_mechanism(StructuralModel(EDGES))).sample(2)),
    (InvalidValueError, "row 0 of m is replaced", lambda model: model.do(m=[new_mechanism(model), shift(1)]).sample(2)),
])
def test_what_cannot_be(here, error, text, make):
    with pytest.raises((error, RuntimeError) if error is ValueError else error, match=text):
        make(here[1])


class Normal:
    def rvs(self, size, random_state):
        return random_state.normal(size=size)


def test_the_dtype_must_be_the_same_and_the_noise_added(here):
    single = StructuralModel(EDGES, "linear", seed=0).fit(here[0], epochs=1, progress=False)
    with pytest.raises(InvalidValueError, match="another dtype, expected float64"):
        here[1].do(m=new_mechanism(single)).sample(2)
    flow = fitted(here[0], {"m": Mechanism("flow", hidden=(8,))}, epochs=2)
    with pytest.raises(InvalidValueError, match=r"its own mechanism \(flow\) does not add"):
        flow.do(m=new_mechanism(lambda x: x)).sample(2)
    assert np.isfinite(flow.do(m=new_mechanism(here[1])).sample(5)["m"]).all()
    assert np.isfinite(here[1].do(m=new_mechanism(flow)).sample(5)["m"]).all()


def test_it_outlives_the_name_of_its_model(here):
    view = here[1].do(m=new_mechanism(fitted(draw(200, 5), epochs=2)))
    assert len(view.sample(3)["m"]) == 3 and "new_mechanism(StructuralModel(3 variables" in repr(view)
