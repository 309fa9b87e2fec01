"""Bounds of categorical counterfactuals, against linear programmes over all couplings."""

import numpy as np
import pytest

from causal_engine import InvalidValueError, StructuralModel, clip, interchange, shift
from causal_engine.bounds import coupled, largest_mean


def extreme(observed, new, seen, level, sign):
    """The smallest (sign 1) or largest (-1) P(Y' = level | Y = seen) of all joint distributions with these margins."""
    optimize = pytest.importorskip("scipy.optimize")
    k = len(observed)
    rows = [np.kron(np.eye(k)[i], np.ones(k)) for i in range(k)] + [np.kron(np.ones(k), np.eye(k)[i]) for i in range(k)]
    cost = np.zeros((k, k))
    cost[seen, level] = sign
    found = optimize.linprog(cost.ravel(), A_eq=rows, b_eq=[*observed, *new], bounds=(0, 1))
    return sign * found.fun / observed[seen]


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_a_linear_programme_finds_the_same(levels):
    rng = np.random.default_rng(levels)
    observed, new = rng.dirichlet(np.ones(levels), (2, 12))
    seen = rng.integers(levels, size=12)
    low, high = coupled(observed, new, seen)
    for row in range(12):
        for level in range(levels):
            assert low[row, level] == pytest.approx(extreme(observed[row], new[row], seen[row], level, 1), abs=1e-8)
            assert high[row, level] == pytest.approx(extreme(observed[row], new[row], seen[row], level, -1), abs=1e-8)


def test_the_largest_mean_is_that_of_a_linear_programme():
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    for _ in range(20):
        low, high, values = rng.uniform(0, 0.2, 4), rng.uniform(0.3, 1, 4), rng.normal(size=4)
        found = optimize.linprog(-values, A_eq=[np.ones(4)], b_eq=[1], bounds=list(zip(low, high)))
        assert largest_mean(values[None], low[None], high[None])[0] == pytest.approx(-found.fun, abs=1e-9)


def draw(n=1500):
    rng = np.random.default_rng(5)
    x = rng.normal(size=n)
    m = np.array(["a", "b", "c"])[np.argmax(np.outer(x, [-1, 0, 1]) + rng.gumbel(size=(n, 3)), 1)]
    r = x + rng.normal(size=n)
    y = np.where(r + 1.5 * (m == "c") + rng.logistic(size=n) > 0, "yes", "no")
    z = np.where((y == "yes") * 2 + rng.logistic(size=n) > 1, "u", "v")
    return {"x": x, "m": m, "r": r, "y": y, "z": z}


GRAPH = {"m": ["x"], "r": ["x"], "y": ["r", "m"], "z": ["y"]}


@pytest.fixture(scope="module")
def data():
    return draw()


@pytest.fixture(scope="module")
def model(data):
    return StructuralModel(GRAPH, "linear", dtype="float64", seed=0).fit(data, epochs=60, lr=0.05, progress=False)


def first(data, rows=8):
    return {name: column[:rows] for name, column in data.items()}


def probabilities(model, name, x_rows):
    """Of the levels of a variable, by simulation of nothing: the shares of samples under do() of all its parents."""
    found = np.empty((len(next(iter(x_rows.values()))), len(model.levels[name])))
    for row in range(len(found)):
        sample = model.do({parent: values[row] for parent, values in x_rows.items()}).sample(200_000, seed=1)[name]
        found[row] = [np.mean(np.asarray(sample) == level) for level in model.levels[name]]
    return found


def test_a_category_whose_parents_are_known(model, data):
    rows = first(data)
    found = model.do(x=1.5).bounds(rows, "m", draws=2000)
    observed, new = probabilities(model, "m", {"x": rows["x"]}), probabilities(model, "m", {"x": np.full(8, 1.5)})
    seen = np.array([model.levels["m"].index(label) for label in rows["m"]])
    low, high = coupled(observed, new, seen)
    np.testing.assert_allclose(found.low, low, atol=0.01)
    np.testing.assert_allclose(found.high, high, atol=0.01)
    assert (found.low - 0.05 <= found.gumbel).all() and (found.gumbel <= found.high + 0.05).all()
    np.testing.assert_allclose(found.gumbel.sum(1), 1)
    assert ((found.low < found.high).any() and found.levels == ("a", "b", "c"))


def test_as_it_was_nothing_is_open(model, data):
    rows = first(data)
    for view in (model.do(x=rows["x"]), model.do(z="u"), model.do(x=clip(-np.inf, np.inf))):
        for name in ("m", "y"):
            found = view.bounds(rows, name, draws=20)
            np.testing.assert_array_equal(found.low, found.high)
            np.testing.assert_array_equal(found.low, np.asarray(rows[name])[:, None] == np.array(model.levels[name]))
            np.testing.assert_allclose(found.gumbel, found.low)


def types_of(model, rows, row, x_new, rng):
    """P(Y' = yes | row) under random couplings of both noises, and under the extreme ones."""
    scipy = pytest.importorskip("scipy.optimize")
    levels = model.levels["m"]
    p_m, q_m = probabilities(model, "m", {"x": np.array([rows["x"][row], x_new])})
    r_new = np.asarray(model.do(x=x_new).counterfactual({n: c[[row]] for n, c in rows.items()})["r"])[0]
    seen_m, seen_y = levels.index(rows["m"][row]), model.levels["y"].index(rows["y"][row])
    p_y = probabilities(model, "y", {"r": rows["r"][[row]], "m": rows["m"][[row]]})[0]
    q_y = probabilities(model, "y", {"r": np.full(3, r_new), "m": np.array(levels)})

    def vertex(p, q, seen, cost):
        k = len(p)
        a = [np.kron(np.eye(k)[i], np.ones(k)) for i in range(k)] + [np.kron(np.ones(k), np.eye(k)[i]) for i in range(k)]
        joint = scipy.linprog(cost.ravel(), A_eq=a, b_eq=[*p, *q], bounds=(0, 1)).x.reshape(k, k)
        return joint[seen] / p[seen]

    yes = model.levels["y"].index("yes")
    values = []
    for _ in range(40):
        m_new = vertex(p_m, q_m, seen_m, rng.normal(size=(3, 3)))
        y_new = [vertex(p_y, q_y[c], seen_y, rng.normal(size=(2, 2)))[yes] for c in range(3)]
        values.append(m_new @ y_new)
    return values


def test_through_one_category_all_couplings_are_within_and_some_reach_the_ends(model, data):
    rows, rng = first(data, 3), np.random.default_rng(0)
    found = model.do(x=0.7).bounds(rows, "y", draws=300)
    yes = found.levels.index("yes")
    for row in range(3):
        values = types_of(model, rows, row, 0.7, rng)
        assert found.low[row, yes] - 0.01 <= min(values) and max(values) <= found.high[row, yes] + 0.01
        assert min(values) == pytest.approx(found.low[row, yes], abs=0.02) and max(values) == pytest.approx(found.high[row, yes], abs=0.02)
    assert (found.low - 0.1 <= found.gumbel).all() and (found.gumbel <= found.high + 0.1).all()
    # The category between may be set, or not be affected: nothing is open there.
    assert model.do(x=0.7, m="a").bounds(rows, "y", draws=10).low.shape == (3, 2)
    one = model.do(r=shift(1)).bounds(rows, "y", draws=10)
    assert (one.high - one.low).max() > 0


def test_an_ensemble_gives_the_mean_of_its_members(data):
    many = StructuralModel(GRAPH, "linear", seed=0).fit(data, epochs=5, members=2, progress=False)
    found = many.do(x=1).bounds(first(data, 2), "m", draws=5)
    assert (found.low <= found.high).all() and "2 rows" in repr(found)


@pytest.mark.parametrize("text, ask", [
    ("r is real", lambda m, rows: m.do(x=1).bounds(rows, "r")),
    ("rests on the counterfactuals of 2 categorical variables before it .m, y.", lambda m, rows: m.do(x=1).bounds(rows, "z")),
    ("m is edited without being set", lambda m, rows: m.do(x=1).do(m="a", where=lambda x: x > 0).bounds(rows, "y")),
    ("taken from another run", lambda m, rows: m.do(x=interchange(m)).bounds(rows, "y")),
    ("is drawn", lambda m, rows: m.do(x=Normal()).bounds(rows, "y")),
    ("no variable of the graph is named 'w'", lambda m, rows: m.do(x=1).bounds(rows, "w")),
    ("a value is missing", lambda m, rows: m.do(x=1).bounds({**rows, "x": np.full(8, np.nan)}, "y")),
])
def test_what_cannot_be_bounded_is_refused(model, data, text, ask):
    with pytest.raises(ValueError, match=text):
        ask(model, first(data))


def test_a_hidden_cause_is_refused(data):
    from causal_engine import Graph

    hidden = StructuralModel(Graph([("x", "m"), ("x", "r"), ("r", "y"), ("m", "y"), ("y", "z")], confounded=[("m", "y")]), "linear", seed=0)
    hidden.fit(data, epochs=2, progress=False)
    with pytest.raises(InvalidValueError, match="shares a hidden cause"):
        hidden.do(x=1).bounds(first(data), "y")


class Normal:
    def rvs(self, size, random_state):
        return random_state.normal(size=size)
