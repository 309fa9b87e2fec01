"""Scores of data that are not linear and Gaussian, against direct computation and known graphs."""

from math import lgamma, log

import numpy as np
import pytest

from causal_engine import Graph, InvalidValueError, Knowledge, discover

quiet = {"progress": False}


def categories(count, seed):
    """a -> c <- b, c -> d; of 2, 3, 3 and 2 levels."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, count), rng.integers(0, 3, count)
    noise = rng.random(count)
    c = np.where(noise < 0.8, (a + b) % 3, rng.integers(0, 3, count))
    d = np.where(rng.random(count) < 0.85, c == 0, rng.integers(0, 2, count)).astype(int)
    return {"a": a, "b": b, "c": c, "d": d}


LEVELS = {"a": [0, 1], "b": [0, 1, 2], "c": [0, 1, 2], "d": [0, 1]}
TRUTH = Graph([("a", "c"), ("b", "c"), ("c", "d")], "a b c d".split())


def table_score(data, parents, child, kind, used):
    """Straight from the formulas."""
    rows = np.flatnonzero(used)
    width = len(LEVELS[child])
    configurations = {}
    for row in rows:
        configurations.setdefault(tuple(data[p][row] for p in parents), np.zeros(width))[data[child][row]] += 1
    possible = int(np.prod([len(LEVELS[p]) for p in parents]))
    total = 0.0
    for counts in configurations.values():
        if kind == "bic":
            total += sum(n * log(n / counts.sum()) for n in counts if n)
        else:
            each = 2.5 / possible
            total += lgamma(each) - lgamma(each + counts.sum()) + sum(lgamma(each / width + n) - lgamma(each / width) for n in counts)
    return total - (1.5 / 2 * log(len(used)) * possible * (width - 1) if kind == "bic" else 0)


@pytest.mark.parametrize("kind", ["bic", "bdeu"])
@pytest.mark.parametrize("experiment", [False, True])
def test_tables(kind, experiment):
    data = categories(300, 1)
    is_set = np.zeros(300, bool) if not experiment else np.arange(300) < 100
    found = discover(data, {"c": is_set} if experiment else None, score=kind, penalty=1.5, prior_rows=2.5, categorical=LEVELS, **quiet)
    for edges in [[], [("a", "c")], [("a", "c"), ("b", "c"), ("c", "d")], [("d", "b"), ("a", "b")], [("a", "d"), ("b", "d"), ("c", "d")]]:
        expected = 0.0
        for child in "abcd":
            used = ~is_set if child == "c" else np.ones(300, bool)
            parents = [cause for cause, effect in edges if effect == child]
            expected += table_score(data, parents, child, kind, used) - table_score(data, [], child, kind, used)
        assert found.score_of(Graph(edges, "a b c d".split())) == pytest.approx(expected, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("kind", ["bic", "bdeu"])
@pytest.mark.parametrize("seed", range(3))
def test_categories_are_found(kind, seed):
    found = discover(categories(3000, seed), score=kind, categorical=LEVELS, **quiet)
    assert found.graph == TRUTH and found.sortability is None


def test_texts_are_categories_and_levels_may_be_any():
    pandas = pytest.importorskip("pandas")
    data = categories(3000, 0)
    frame = pandas.DataFrame({name: np.array(["low", "middle", "high"])[column] for name, column in data.items()})
    assert discover(frame, **quiet).graph == TRUTH


def mixed(count, seed):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, count)
    age = rng.normal(60, 8, count)
    dose = np.array([0.0, 1.5, -1.0])[group] + 0.1 * age + rng.normal(size=count)
    cured = rng.random(count) < 1 / (1 + np.exp(-2 * (dose - 6)))
    return {"group": np.array(["x", "y", "z"])[group], "age": age, "dose": dose, "cured": cured}


@pytest.mark.parametrize("seed", range(3))
def test_mixed_kinds(seed):
    found = discover(mixed(2000, seed), **quiet)
    assert found.graph == Graph([("group", "dose"), ("age", "dose"), ("dose", "cured")], ["group", "age", "dose", "cured"])


def test_mixed_scores_are_those_of_indicators():
    data = mixed(300, 0)
    found = discover(data, **quiet)
    columns = {"group": np.column_stack([data["group"] == "y", data["group"] == "z"]).astype(float), "age": data["age"][:, None],
               "dose": data["dose"][:, None], "cured": data["cured"][:, None].astype(float)}

    def explained(child, parents):
        y = columns[child] - columns[child].mean(axis=0)
        design = np.column_stack([np.ones(300), *(columns[p] for p in parents)])
        residuals = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        price = sum(columns[p].shape[1] for p in parents) * y.shape[1] * log(300)
        return -150 * (np.linalg.slogdet(residuals.T @ residuals)[1] - np.linalg.slogdet(y.T @ y)[1]) - price

    for child, parents in [("dose", ["group", "age"]), ("group", ["dose"]), ("group", ["dose", "age"]), ("cured", ["dose", "group"])]:
        graph = Graph([(parent, child) for parent in parents], list(data))
        assert found.score_of(graph) == pytest.approx(explained(child, parents), rel=1e-9)
    # Graphs that imply the same have the same score.
    assert found.score_of(Graph([("group", "dose")], list(data))) == pytest.approx(found.score_of(Graph([("dose", "group")], list(data))))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mechanism", [lambda x: np.tanh(2 * x), lambda x: x**2, lambda x: np.exp(0.7 * x)])
def test_a_bend_tells_the_direction(mechanism, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=1000)
    y = mechanism(x) + 0.4 * rng.normal(size=1000)
    z = np.sin(2 * y) + 0.4 * rng.normal(size=1000)
    found = discover({"z": z, "y": y, "x": x}, score="nonlinear", **quiet)
    assert {("x", "y"), ("y", "z")} <= set(found.graph.edges)
    scaled = discover({"z": 1000 * z - 7, "y": y / 1000, "x": x + 3}, score="nonlinear", **quiet)
    assert scaled.graph == found.graph


def test_smooth_mechanisms_under_interventions_and_knowledge():
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    is_set = np.arange(600) < 300
    y = np.where(is_set, rng.normal(size=600), np.tanh(2 * x) + 0.4 * rng.normal(size=600))
    assert discover({"x": x, "y": y}, {"y": is_set}, score="nonlinear", **quiet).graph.edges == [("x", "y")]
    forbidden = discover({"x": x, "y": y}, knowledge=Knowledge(forbidden=[("x", "y")]), score="nonlinear", **quiet)
    assert ("x", "y") not in forbidden.graph.edges


@pytest.mark.parametrize("score, data, text", [
    ("bdeu", {"a": np.arange(5.0), "b": np.arange(5.0) ** 2}, "bdeu is a score of categorical variables, and . is real"),
    ("nonlinear", {"a": np.array(["x", "y", "x"]), "b": np.arange(3.0)}, "nonlinear is a score of real variables, and a is categorical"),
])
def test_scores_of_other_kinds_of_data(score, data, text):
    with pytest.raises(InvalidValueError, match=text):
        discover(data, score=score, **quiet)


def test_columns_that_others_determine_do_not_break_mixed_scores():
    data = mixed(200, 0)
    data["same"] = data["group"]
    data["double"] = 2 * data["dose"]
    found = discover(data, **quiet)
    assert np.isfinite(found.score)
