"""Graphs that networks learn by gates on their edges, alone and within a structural model, and what unknown interventions changed."""

import copy
import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest

from causal_engine import (
    Discovery, Graph, InvalidValueError, Knowledge, ShapeError, StateError, StructuralModel, UnknownNameError, discover,
)

quick = {"score": "network", "restarts": 1, "progress": False}
TRUTH = Graph([("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")], list("abcd"))


def curved(rows, seed, changed=None):
    """Causes that act together. `changed` is a dict of what is set in some rows, by variable: (rows,) of booleans."""
    rng = np.random.default_rng(seed)
    changed = changed or {}
    data = {}

    def put(name, value):
        value = value + 0.4 * rng.normal(size=rows)
        data[name] = np.where(changed[name], 0.6 * rng.normal(size=rows), value) if name in changed else value

    put("a", rng.normal(size=rows))
    put("b", np.sin(2 * data["a"]))
    put("c", np.tanh(2 * data["a"]) * data["b"] + np.cos(2 * data["b"]))
    put("d", np.abs(data["c"]) + 0.3 * np.sin(3 * data["c"]))
    return data


@pytest.mark.parametrize("seed", range(3))
def test_the_graph_of_causes_that_act_together_is_found(seed):
    found = discover(curved(1500, seed), score="network", progress=False)
    assert set(found.graph.edges) == set(TRUTH.edges) and not found.graph.undirected
    assert found.gates.shape == (4, 4) and ((found.gates >= 0) & (found.gates <= 1)).all() and not found.gates.diagonal().any()
    assert found.gates[0, 1] > 0.5 > found.gates[1, 0]
    assert found.score == found.score_of(found.graph) > found.score_of([("a", "d")])
    assert found.directed == found.graph and "smooth mechanisms with additive noise" in found.assumptions


def test_neither_units_nor_the_order_of_columns_matter():
    data = curved(500, 5)
    found = discover(data, **quick)
    scaled = discover({name: 37 * k * column + 5 for k, (name, column) in enumerate(data.items(), 1)}, **quick)
    assert scaled.graph == found.graph and np.array_equal(scaled.gates, found.gates)
    moved = discover({name: data[name] for name in "cadb"}, **quick)
    order = ["cadb".index(name) for name in "abcd"]
    assert set(moved.graph.edges) == set(found.graph.edges) and np.array_equal(moved.gates[np.ix_(order, order)], found.gates)
    again = discover(data, **quick, seed=1)
    assert not np.array_equal(again.gates, found.gates)


def test_knowledge_is_respected_by_the_gates():
    data = curved(400, 1)
    known = Knowledge(required=[("d", "c")], forbidden=[("a", "b")], max_parents=2)
    found = discover(data, knowledge=known, **quick)
    assert found.gates[3, 2] == 1 and found.gates[0, 1] == 0
    assert ("d", "c") in found.graph.edges and ("a", "b") not in found.graph.edges
    assert found.directed.adjacency.sum(axis=0).max() <= 2
    tiers = discover(data, knowledge=Knowledge(tiers=[["d", "c"], ["b", "a"]]), **quick)
    assert not tiers.gates[np.ix_([0, 1], [2, 3])].any()
    ordered = discover(data, knowledge=Knowledge(order=["d", "c", "b", "a"]), **quick)
    assert not np.triu(ordered.gates).any()


def test_rows_in_which_a_variable_was_set_tell_the_direction():
    """Of a linear Gaussian pair nothing else does."""
    rng = np.random.default_rng(0)
    do = np.arange(1200) < 600
    age = rng.normal(size=1200)
    dose = np.where(do, rng.normal(size=1200), 1.2 * age + rng.normal(size=1200))
    assert discover({"age": age, "dose": dose}, {"dose": do}, **quick).graph.edges == [("age", "dose")]
    age = np.where(do, rng.normal(size=1200), age)
    assert discover({"age": age, "dose": 1.2 * age + rng.normal(size=1200)}, {"age": do}, **quick).graph.edges == [("age", "dose")]
    always = discover(curved(600, 0), {"b": np.ones(600, bool)}, **quick)
    assert not always.graph.parents("b")


def test_samples_of_the_rows():
    found = discover(curved(500, 0), bootstrap=3, **{**quick, "restarts": 0})
    assert found.samples == 3 and found.confidence("a", "b") > 0


@pytest.mark.parametrize("rows", [2, 3, 8, 20])
def test_fewer_rows_than_variables(linear, rows):
    found = discover(linear(25, 2, 0).rows(rows), **quick)
    assert np.isfinite(found.score) and np.isfinite(found.gates).all()


def test_data_in_which_nothing_can_be_found_say_why():
    data = curved(100, 0)
    assert not discover({"a": data["a"]}, **quick).graph.edges
    with pytest.raises(InvalidValueError, match="b is 1.0 in every row"):
        discover({**data, "b": np.ones(100)}, **quick)
    with pytest.raises(InvalidValueError, match="is a linear function of"):
        discover({**data, "e": data["a"] - 2 * data["b"]}, **quick)
    with pytest.raises(InvalidValueError, match="a is missing in row 3"):
        discover({**data, "a": np.where(np.arange(100) == 3, np.nan, data["a"])}, **quick)
    with pytest.raises(InvalidValueError, match="network is a score of real variables, and e is categorical"):
        discover({**data, "e": ["x", "y"] * 50}, **quick)
    assert discover(data, progress=False).gates is None
    far = discover({**data, "a": np.where(np.arange(100) == 3, 1e100, data["a"])}, {"a": np.arange(100) == 3}, **quick)
    assert np.isfinite(far.gates).all()


def test_ctrl_c_keeps_the_best_so_far(linear):
    x = linear(30, 4, 0).rows(1000)
    pressed = []

    def press():
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.7, press).start()
    found = discover(x, score="network", restarts=100_000, progress=False)
    assert time.monotonic() - pressed[0] < 1      # 0.2 on a machine that is not busy
    assert isinstance(found, Discovery) and not found.is_finished and found.gates.any()


# ---------------------------------------------------------------- interventions whose targets are not known

@pytest.mark.parametrize("score", ["network", "nonlinear"])
def test_what_changed_is_named(score):
    regimes = np.repeat(["control", "first", "second"], [1000, 500, 500])
    found = 0
    for seed in range(5):
        data = curved(2000, seed, {"b": regimes == "first", "d": regimes == "second"})
        answer = discover(data, regimes=regimes, score=score, restarts=1, progress=False)
        assert list(answer.targets) == ["control", "first", "second"] and answer.targets["control"] == ()
        found += answer.targets["first"] == ("b",) and answer.targets["second"] == ("d",)
    assert found >= 4


def test_where_nothing_differs_nothing_is_named():
    regimes = np.random.default_rng(0).integers(0, 3, 1500)
    for seed in range(3):
        data = curved(1500, seed)
        found = discover(data, regimes=regimes, **quick)
        assert set(found.targets) == {0, 1, 2} and not any(found.targets.values())
        assert found.graph == discover(data, **quick).graph
    assert found.targets is not None and discover(data, **quick).targets is None


def test_regimes_that_are_none():
    data = curved(100, 0)
    with pytest.raises(ShapeError, match=r"regimes of shape \(99,\), expected \(100,\)"):
        discover(data, regimes=np.zeros(99), **quick)
    with pytest.raises(InvalidValueError, match="label of row 1 is missing"):
        discover(data, regimes=[0, None] * 50, **quick)
    with pytest.raises(InvalidValueError, match="regimes under the score bic, expected nonlinear or network"):
        discover(data, regimes=np.zeros(100), progress=False)
    assert discover(data, regimes=np.zeros(100), **quick).targets == {0.0: ()}
    assert not any(discover(data, regimes=np.arange(100), **quick).targets.values())      # too few rows of each to tell anything
    few = {name: column[:4] for name, column in data.items()}
    assert discover(few, regimes=["a", "b", "b", "c"], **quick).targets == {"a": (), "b": (), "c": ()}


# ---------------------------------------------------------------- within a model

def test_a_model_learns_its_graph(tmp_path):
    data = curved(1500, 1)
    model = StructuralModel("learn", mechanisms="additive", seed=0)
    assert repr(model) == "StructuralModel(a graph to learn)"
    for early in (lambda: model.graph, lambda: model.variables, lambda: model.sample(3), lambda: model.save(tmp_path / "model")):
        with pytest.raises(StateError, match="expected fit before"):
            early()
    assert pickle.loads(pickle.dumps(model)).fit(data, epochs=2, progress=False).graph == TRUTH
    assert model.fit(data, epochs=30, progress=False) is model
    assert model.graph == TRUTH and model.mechanisms["c"] == "additive"
    # The same as a model of that graph.
    other = StructuralModel(TRUTH, mechanisms="additive", seed=0).fit(data, epochs=30, progress=False)
    assert np.array_equal(model.sample(50, seed=1)["d"], other.sample(50, seed=1)["d"])
    # Further rows leave the graph as it is.
    rng = np.random.default_rng(0)
    model.fit(dict(zip("abcd", rng.normal(size=(4, 200)))), epochs=2, progress=False)
    assert model.graph == TRUTH and copy.deepcopy(model).graph == TRUTH
    model.save(tmp_path / "model.safetensors")
    assert StructuralModel.load(tmp_path / "model.safetensors").graph == TRUTH


def test_a_model_learns_under_knowledge_and_from_experiments():
    do = np.arange(900) < 300
    model = StructuralModel("learn", mechanisms="linear", knowledge=Knowledge(order=["d", "c", "b", "a"]), seed=0)
    model.fit(curved(900, 0, {"b": do}), {"b": do}, epochs=2, progress=False)
    assert not np.triu(model.graph.adjacency).any()
    with pytest.raises(InvalidValueError, match="knowledge is for a graph that is learned"):
        StructuralModel([("a", "b")], knowledge=Knowledge())
    with pytest.raises(StateError, match="expected fit before"):
        StructuralModel("learn").fit(curved(900, 0), frozen=["a"], progress=False)
    with pytest.raises(UnknownNameError, match="'z'"):
        StructuralModel("learn", {"z": "linear"}, seed=0).fit(curved(50, 0), progress=False)


def test_a_model_that_is_interrupted_has_no_graph(linear):
    model = StructuralModel("learn", seed=0)
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(linear(30, 4, 0).rows(2000), progress=False)
    with pytest.raises(StateError):
        model.graph
