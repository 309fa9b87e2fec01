"""`discover` on data whose graph is known, and on data that it must refuse."""

import os
import signal
import threading
import time
import warnings

import numpy as np
import pytest

from causal_engine import (
    ArgumentError, CausalWarning, CycleError, Discovery, Graph, InvalidValueError, Knowledge, ShapeError, StructuralModel, UnknownNameError, discover,
)

pytestmark = [                                                          # what is simulated here
    pytest.mark.filterwarnings("ignore:the order of the graph"),        # is sorted
    pytest.mark.filterwarnings("ignore:a hidden common cause"),         # and has effects that nearly cancel
]
quiet = {"progress": False}


def truth(model, interventions=()):
    return Graph.of(model.adjacency).equivalence_class(interventions)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", ["chain", "fork", "collider", "confounder", "complex"])
def test_small_graphs_are_found_every_time(shape, seed):
    edges = {
        "chain": [(0, 1), (1, 2), (2, 3), (3, 4)], "fork": [(0, 1), (0, 2), (0, 3), (0, 4)], "collider": [(0, 4), (1, 4), (2, 4), (3, 4)],
        "confounder": [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4)], "complex": [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)],
    }[shape]
    rng = np.random.default_rng(seed)
    x = np.zeros((1000, 5))
    weights = dict(zip(edges, (1.2, -0.8, 0.9, 1.5, -1.1)))     # of which none cancel
    for v in range(5):
        x[:, v] = sum(weight * x[:, cause] for (cause, effect), weight in weights.items() if effect == v) + rng.normal(size=1000)
    assert discover(x, **quiet).graph == Graph(edges, 5).equivalence_class()


@pytest.mark.parametrize("seed", range(4))
def test_units_and_the_order_of_columns_do_not_matter(linear, seed):
    rng = np.random.default_rng(seed)
    x = linear(20, 6, seed).rows(400)
    found = discover(x, **quiet)
    scaled = discover((x - 5) * rng.uniform(0.001, 1000, 20), **quiet)
    assert found.graph == scaled.graph and found.score == pytest.approx(scaled.score, abs=1e-6)
    order = rng.permutation(20)
    names = [f"x{k}" for k in range(20)]
    moved = discover({names[k]: x[:, k] for k in order}, **quiet)
    assert set(moved.graph.edges) == set(found.graph.edges)
    assert {frozenset(pair) for pair in moved.graph.undirected} == {frozenset(pair) for pair in found.graph.undirected}


@pytest.mark.parametrize("experiment", [False, True])
def test_scores_are_those_of_least_squares(linear, experiment):
    model = linear(6, 3, 1)
    rng = np.random.default_rng(0)
    do = rng.integers(-1, 6, 300) if experiment else None
    x = model.rows(300, do)
    marks = None if do is None else do[:, None] == np.arange(6)
    found = discover(x, marks, penalty=1.7, **quiet)

    def score(adjacency):
        total = 0.0
        for v in range(6):
            rows = np.ones(300, bool) if marks is None else ~marks[:, v]
            parents = np.flatnonzero(adjacency[:, v])
            design = np.column_stack([np.ones(rows.sum()), x[rows][:, parents]])
            residuals = x[rows, v] - design @ np.linalg.lstsq(design, x[rows, v], rcond=None)[0]
            total -= 0.5 * rows.sum() * np.log(residuals.var() / x[rows, v].var()) + 1.7 / 2 * np.log(300) * len(parents)
        return total

    assert found.score == pytest.approx(score(found.directed.adjacency), rel=1e-9)
    for _ in range(10):
        adjacency = np.triu(rng.random((6, 6)) < 0.5, 1).astype(int)
        assert found.score_of(adjacency) == pytest.approx(score(adjacency), rel=1e-9, abs=1e-6)
    assert found.score >= found.score_of(model.adjacency) - 1e-6


def test_interventions_tell_directions(linear):
    rng = np.random.default_rng(3)
    age = rng.normal(size=2000)
    do = np.arange(2000) < 1000
    dose = np.where(do, rng.normal(size=2000), 1.2 * age + rng.normal(size=2000))
    data = {"age": age, "dose": dose}
    assert discover({name: column[~do] for name, column in data.items()}, **quiet).graph.undirected == [("age", "dose")]
    assert discover(data, {"dose": do}, **quiet).graph.edges == [("age", "dose")]
    # The other way round the values follow what was set.
    other = {"age": np.where(do, rng.normal(size=2000), age)}
    other["dose"] = 1.2 * other["age"] + rng.normal(size=2000)
    assert discover(other, {"age": do}, **quiet).graph.edges == [("age", "dose")]


@pytest.mark.parametrize("seed", range(5))
def test_with_every_variable_set_in_some_rows_the_graph_itself_is_found(linear, seed):
    model = linear(8, 3, 50 + seed)
    do = np.random.default_rng(seed).integers(-1, 8, 4000)
    found = discover(model.rows(4000, do), do[:, None] == np.arange(8), **quiet)
    assert found.graph == Graph.of(model.adjacency) == truth(model, list(range(8)))


def test_a_variable_that_was_always_set_has_no_causes(linear):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    y = x.sum(axis=1) + rng.normal(size=500)
    found = discover({"x": x[:, 0], "z": x[:, 1] + 0.5 * x[:, 0], "y": y}, {"x": np.ones(500, bool)}, **quiet)
    assert not found.graph.parents("x")


# ---------------------------------------------------------------- knowledge

def pair():
    rng = np.random.default_rng(0)
    a = rng.normal(size=400)
    b = a + rng.normal(size=400)
    return {"a": a, "b": b, "c": b + rng.normal(size=400)}


def test_knowledge_is_respected_and_tells_directions():
    data = pair()
    assert discover(data, **quiet).graph.undirected == [("a", "b"), ("b", "c")]
    assert discover(data, knowledge=Knowledge(forbidden=[("b", "a")]), **quiet).graph.edges == [("a", "b"), ("b", "c")]
    assert ("a", "c") in discover(data, knowledge=Knowledge(required=[("a", "c")]), **quiet).graph.edges
    assert discover(data, knowledge=Knowledge(tiers=[["a"], ["b", "c"]]), **quiet).graph.edges == [("a", "b"), ("b", "c")]
    assert set(discover(data, knowledge=Knowledge(order=["c", "b", "a"]), **quiet).graph.edges) == {("b", "a"), ("c", "b")}
    assert not discover(data, knowledge=Knowledge(max_parents=0), **quiet).graph.edges


@pytest.mark.parametrize("seed", range(6))
def test_random_knowledge_that_is_true_never_hurts(linear, seed):
    model = linear(12, 4, seed)
    rng = np.random.default_rng(seed)
    x = model.rows(500)
    edges = np.argwhere(model.adjacency).tolist()
    required = [edges[k] for k in rng.choice(len(edges), 5, replace=False)]
    place = np.argsort(model.order)
    tiers = [[v for v in range(12) if place[v] < 5], [v for v in range(12) if place[v] >= 5]]
    absent = [(i, j) for i, j in np.argwhere(model.adjacency == 0).tolist() if i != j]
    forbidden = [absent[k] for k in rng.choice(len(absent), 10, replace=False)]
    found = discover(x, knowledge=Knowledge(required=required, forbidden=forbidden, tiers=tiers), **quiet)
    directed = found.directed.adjacency
    assert all(directed[i, j] for i, j in required) and not any(directed[i, j] for i, j in forbidden)
    assert not directed[np.ix_(tiers[1], tiers[0])].any()
    assert found.score >= found.score_of(model.adjacency) - 1e-6
    # What is required stands in the graph with its direction, and nothing that has one contradicts what was known.
    assert {(f"x{i}", f"x{j}") for i, j in required} <= set(found.graph.edges)


@pytest.mark.parametrize("knowledge, kind, text", [
    (Knowledge(required=[("a", "b"), ("b", "c"), ("c", "a")]), CycleError, "a -> b -> c -> a"),
    (Knowledge(required=[("a", "b")], forbidden=[("a", "b")]), InvalidValueError, "a -> b is required, but it is forbidden"),
    (Knowledge(required=[("b", "a")], tiers=[["a"], ["b"]]), InvalidValueError, "b -> a is required, but b is of tier 1 and a of tier 0"),
    (Knowledge(required=[("b", "a")], order=["a", "b", "c"]), InvalidValueError, "b -> a is required, but a comes before b in the order"),
    (Knowledge(required=[("a", "c"), ("b", "c")], max_parents=1), InvalidValueError, "c has 2 required parents, expected at most 1"),
    (Knowledge(order=["a", "b", "b"]), InvalidValueError, "b is in the order twice"),
    (Knowledge(order=["a", "b"]), InvalidValueError, "2 variables, expected all 3"),
    (Knowledge(required=[("a", "z")]), UnknownNameError, "required: no variable of the graph is named 'z'"),
    (Knowledge(required=[("a", "a")]), InvalidValueError, "from a variable to itself"),
])
def test_knowledge_that_contradicts_itself_shows_how(knowledge, kind, text):
    with pytest.raises(kind, match=text):
        discover(pair(), knowledge=knowledge, **quiet)


def test_what_is_no_knowledge():
    with pytest.raises(InvalidValueError, match="tiers: 'a' is there twice"):
        Knowledge(tiers=[["a"], ["a"]])
    with pytest.raises(ArgumentError, match="expected a pair"):
        Knowledge(required=["ab"])
    with pytest.raises(ArgumentError, match="expected a Knowledge"):
        discover(pair(), knowledge=[("a", "b")], **quiet)


# ---------------------------------------------------------------- data that are not as they should be

def odd(**changed):
    rng = np.random.default_rng(0)
    data = dict(zip("abcd", rng.normal(size=(4, 50))))
    return {**data, **{name: change(data) for name, change in changed.items()}}


@pytest.mark.parametrize("data, kind, text", [
    (odd(b=lambda data: np.full(50, 3.0)), InvalidValueError, "b is 3.0 in every row"),
    (odd(b=lambda data: 3 * data["a"] + 1), InvalidValueError, "b is a linear function of a|a is a linear function of b"),
    (odd(d=lambda data: data["a"] - data["b"]), InvalidValueError, "is a linear function of"),
    (odd(b=lambda data: np.where(np.arange(50) == 7, np.nan, data["b"])), InvalidValueError, "b is missing in row 7"),
    (odd(b=lambda data: np.where(np.arange(50) == 7, np.inf, data["b"])), InvalidValueError, "b is inf in row 7"),
    (odd(b=lambda data: data["b"][:30]), ShapeError, "30 rows"),
    ({}, ArgumentError, "data is|no column"),
    (np.zeros(3), ArgumentError, "expected a data frame"),
    (np.zeros((0, 3)), ShapeError, "no rows"),
])
def test_data_in_which_nothing_can_be_found_say_why(data, kind, text):
    with pytest.raises(kind, match=text):
        discover(data, **quiet)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 20, 40])
def test_fewer_rows_than_variables(linear, rows):
    x = linear(40, 2, 0).rows(rows)
    if rows == 1:
        with pytest.raises(InvalidValueError, match="in every row"):
            discover(x, **quiet)
        return
    found = discover(x, **quiet)
    assert np.isfinite(found.score)
    assert found.directed.adjacency.sum(axis=0).max(initial=0) <= (rows - 1) // 3       # more than so many rows can tell of


def test_one_variable():
    found = discover({"a": np.arange(5.0)}, **quiet)
    assert found.graph.variables == ("a",) and not found.graph.edges and found.score == 0


@pytest.mark.parametrize("options, text", [
    ({"score": "aic"}, 'score is "aic"'), ({"penalty": 0}, "a penalty of 0"), ({"penalty": float("nan")}, "penalty"), ({"bootstrap": 10**9}, "bootstrap"),
])
def test_options_that_are_none(options, text):
    with pytest.raises(InvalidValueError, match=text):
        discover(pair(), **options, **quiet)


# ---------------------------------------------------------------- what comes with the graph

def test_the_bootstrap_tells_how_sure_an_edge_is(linear):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200))
    data = {"a": a, "b": b, "c": a + b + rng.normal(size=200), "d": 0.25 * a + rng.normal(size=200)}
    found = discover(data, bootstrap=100, **quiet)
    assert found.samples == 100
    assert found.confidence("a", "c") == found.confidence("c", "a") == 1
    assert 0.1 < found.confidence("a", "d") < 0.99
    assert found.frequencies["a", "c"] >= found.frequencies.get(("c", "a"), 0)
    again = discover(data, bootstrap=100, **quiet)
    assert again.frequencies == found.frequencies
    pytest.importorskip("matplotlib")
    import matplotlib.pyplot as plt

    texts = [text.get_text() for text in found.plot().texts]
    plt.close("all")
    assert "1.00" in texts and set("abcd") <= set(texts)


def test_a_structural_model_takes_it():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 1000))
    data = {"a": a, "b": b, "c": a + b + rng.normal(size=1000)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = StructuralModel(discover(data, **quiet), mechanisms="linear", seed=0).fit(data, epochs=50, progress=False)
    assert model.effect("c", {"a": 1}, {"a": 0}).value == pytest.approx(1, abs=0.2)
    with pytest.warns(CausalWarning, match="do not tell the direction of a - b, b - c"):
        StructuralModel(discover(pair(), **quiet))
    with pytest.raises(InvalidValueError, match="no direction"):
        StructuralModel(discover(pair(), **quiet).graph).fit(pair(), progress=False)


def test_sortability_warns_of_data_that_were_simulated(linear):
    model = linear(15, 4, 3)
    x = model.rows(1000)
    with pytest.warns(CausalWarning, match="varsortability"):
        found = discover(x, **quiet)
    assert found.sortability.variance > 0.9
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    with warnings.catch_warnings(record=True):
        again = discover(standard, **quiet)
    assert again.graph == found.graph and again.sortability.variance == 0.5
    assert again.sortability.r2 == pytest.approx(found.sortability.r2)


def test_it_says_what_it_rests_on():
    assert "no hidden common cause of two variables, and no selection of rows" in discover(pair(), **quiet).assumptions


@pytest.mark.parametrize("variables, options", [(100, {}), (300, {}), (15, {"score": "nonlinear"})])
def test_ctrl_c_keeps_the_best_so_far(linear, variables, options):
    x = linear(variables, 4, 0).rows(1000)
    pressed = []

    def press():
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.7, press).start()
    found = discover(x, restarts=100_000, **options, **quiet)
    assert time.monotonic() - pressed[0] < 1      # 0.2 on a machine that is not busy
    assert isinstance(found, Discovery) and not found.is_finished and found.directed.edges
    assert "stopped early" in repr(found)


def test_a_hidden_common_cause_looks_like_an_edge():
    """What the assumptions warn of: there is no output that would tell it apart."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=1000)
    a, b = hidden + 0.5 * rng.normal(size=1000), hidden + 0.5 * rng.normal(size=1000)
    found = discover({"a": a, "b": b}, **quiet)
    assert found.graph.undirected == [("a", "b")] and "no hidden common cause" in found.assumptions[0]


def test_frames_and_matrices(linear):
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    data = pair()
    expected = discover(data, **quiet).graph
    assert discover(pandas.DataFrame(data), **quiet).graph == expected
    assert discover(polars.DataFrame(data), **quiet).graph == expected
    assert discover(pandas.DataFrame(np.column_stack(list(data.values()))), **quiet).graph.variables == ("0", "1", "2")
    assert discover(np.column_stack(list(data.values())), **quiet).graph.variables == ("x0", "x1", "x2")


@pytest.mark.parametrize("scale", [1e-200, 1e-165, 1e160, 1e300])
@pytest.mark.parametrize("score", ["bic", "nonlinear"])
def test_a_spread_that_squares_do_not_hold_is_refused(scale, score):
    x = np.random.default_rng(0).normal(size=(300, 3))
    x[:, 1] = (x[:, 0] + x[:, 1]) * scale
    with pytest.raises(InvalidValueError, match="discovery: x1 has a spread too large or too small for a number .*expected other units"):
        discover(x, score=score, progress=False)


def hiding(rng, rows, hidden=1.0):
    """a -> x <-> y <- b; without a hidden cause a -> x -> y <- b."""
    a, b, h, of_x, of_y = rng.normal(size=(5, rows))
    x = a + hidden * h + of_x
    return {"a": a, "b": b, "x": x, "y": b + (hidden * h if hidden else x) + of_y}


def test_hidden_causes_are_warned_of():
    data = hiding(np.random.default_rng(0), 1000)
    with pytest.warns(CausalWarning, match=r"hidden common cause .* between x and y \(\d+\): by so much"):
        found = discover(data, **quiet)
    assert list(found.hidden_causes) == [("x", "y")] and 3 < found.hidden_causes["x", "y"] < np.log(1000) + 1


def test_without_hidden_causes_there_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error", CausalWarning)
        assert discover(hiding(np.random.default_rng(0), 1000, hidden=0), **quiet).hidden_causes == {}


def test_experiments_tell_of_hidden_causes():
    rng = np.random.default_rng(1)
    is_set = np.arange(600) % 2 == 0
    h = rng.normal(size=600)
    x = np.where(is_set, rng.normal(size=600), h + rng.normal(size=600))
    data = {"x": x, "y": x + 2 * h + rng.normal(size=600)}
    with pytest.warns(CausalWarning, match="x and y"):
        assert ("x", "y") in discover(data, {"x": is_set}, **quiet).hidden_causes
    data["y"] -= 2 * h
    with warnings.catch_warnings():
        warnings.simplefilter("error", CausalWarning)
        assert discover(data, {"x": is_set}, **quiet).hidden_causes == {}


def test_hidden_causes_are_not_tested_under_other_scores():
    data = hiding(np.random.default_rng(2), 200)
    assert discover(data, score="nonlinear", restarts=5, **quiet).hidden_causes is None
    assert discover({name: (column > 0).astype(str) for name, column in data.items()}, **quiet).hidden_causes is None
