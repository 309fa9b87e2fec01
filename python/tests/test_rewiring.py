"""Graphs against brute force, and the layer whose edges obey a graph against numpy."""

import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_engine import (
    ArgumentError, CausalLayerRewiring, CycleError, DAGRewiring, HandleError, ShapeError, UnknownNameError,
)


@st.composite
def matrices(draw, acyclic):
    """An adjacency matrix, in an order of variables that says nothing about the order of causes."""
    n = draw(st.integers(1, 7))
    edges = np.array(draw(st.lists(st.booleans(), min_size=n * n, max_size=n * n))).reshape(n, n)
    if acyclic:
        order = draw(st.permutations(range(n)))
        edges = np.triu(edges, 1)[np.ix_(order, order)]
    return edges.astype(int)


def dag_of(matrix):
    dag = DAGRewiring(len(matrix))
    dag.set_adjacency_matrix(matrix)
    return dag


def by_brute_force(matrix):
    """The smallest variable all of whose causes stand already, again and again; None where there is a cycle."""
    order, left = [], set(range(len(matrix)))
    while left:
        free = [v for v in sorted(left) if not any(matrix[u, v] for u in left)]
        if not free:
            return None
        order.append(free[0])
        left.remove(free[0])
    return order


@given(matrices(acyclic=True))
def test_parents_children_and_order(matrix):
    dag = dag_of(matrix)
    assert np.array_equal(dag.adj_matrix, matrix) and dag.is_acyclic()
    assert dag.topological_sort() == by_brute_force(matrix)
    for v in range(len(matrix)):
        assert dag.get_parents(v) == np.flatnonzero(matrix[:, v]).tolist()
        assert dag.get_children(v) == np.flatnonzero(matrix[v]).tolist()


@given(matrices(acyclic=False))
def test_a_cycle_is_refused_by_name_and_changes_nothing(matrix):
    dag = DAGRewiring(len(matrix))
    if by_brute_force(matrix) is not None:
        dag.set_adjacency_matrix(matrix)
        return
    with pytest.raises(CycleError) as caught:
        dag.set_adjacency_matrix(matrix)
    cycle = [int(name) for name in re.findall(r"x(\d+)", str(caught.value))]     # "x0 -> x2 -> x0"
    assert cycle[0] == cycle[-1] and len(set(cycle)) == len(cycle) - 1
    assert all(matrix[i, j] for i, j in zip(cycle, cycle[1:]))
    assert not dag.adj_matrix.any()


@given(matrices(acyclic=True), st.data())
def test_an_intervention_removes_the_edges_into_what_is_set_from_the_original_graph_each_time(matrix, data):
    dag = dag_of(matrix)
    for _ in range(2):
        mask = np.array(data.draw(st.lists(st.sampled_from([0, 1, 2.5]), min_size=len(matrix), max_size=len(matrix))))
        rewired = np.where(mask != 0, 0, matrix)
        assert np.array_equal(dag.apply_intervention_to_dag(mask), rewired)
        assert np.array_equal(dag.adj_matrix, rewired)
        assert dag.topological_sort() == by_brute_force(rewired)
        assert [dag.get_parents(v) for v in range(len(matrix))] == [np.flatnonzero(c).tolist() for c in rewired.T]
    dag.reset()
    assert np.array_equal(dag.adj_matrix, matrix)


@given(matrices(acyclic=True), st.integers(0, 4), st.sampled_from(["f4", "f8", "i8"]), st.data())
def test_mask_edges_is_a_copy_with_the_columns_of_what_is_set_made_zero(matrix, rows, dtype, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(matrix), max_size=len(matrix))))
    weight = np.arange(1, rows * len(matrix) + 1).reshape(rows, len(matrix)).astype(dtype)
    before = weight.copy()
    masked = dag_of(matrix).mask_edges(weight, mask)
    assert np.array_equal(masked, np.where(mask, 0, weight)) and np.array_equal(weight, before)
    assert not np.shares_memory(masked, weight)
    assert dtype == "i8" or masked.dtype == dtype


def test_mask_edges_selects_rather_than_multiplies():
    weight = np.array([[np.nan, 1.0], [np.inf, 2.0]])
    assert np.array_equal(DAGRewiring(2).mask_edges(weight, [1, 0]), [[0, 1], [0, 2]])


def test_the_docstring_says_how_the_matrix_is_read():
    assert "[parent, child]" in DAGRewiring.mask_edges.__doc__ and "column" in DAGRewiring.mask_edges.__doc__


def test_results_are_copies_and_plain_numbers():
    dag = dag_of(np.triu(np.ones((3, 3)), 1))
    with pytest.raises(ValueError, match="read-only"):
        dag.adj_matrix[...] = 7
    assert [type(v) for v in (*dag.get_parents(2), *dag.topological_sort())] == [int] * 5


@pytest.mark.parametrize("variable, kind", [
    (3, UnknownNameError), (-1, UnknownNameError), (2**64, UnknownNameError),
    ("1", ArgumentError), (1.0, ArgumentError), (None, ArgumentError), (np.array([1, 2]), ArgumentError),
])
def test_a_variable_that_does_not_exist_is_an_error_that_names_it(variable, kind):
    for question in DAGRewiring(3).get_parents, DAGRewiring(3).get_children:
        with pytest.raises(kind, match="variable"):
            question(variable)


@pytest.mark.parametrize("shape", [(), (2,), (4,), (1, 3), (3, 1)])
def test_masks_and_matrices_of_another_shape_are_errors(shape):
    dag = DAGRewiring(3)
    for call in (dag.apply_intervention_to_dag, dag.set_adjacency_matrix, lambda mask: dag.mask_edges(np.ones((3, 3)), mask)):
        with pytest.raises(ShapeError, match=re.escape(str(shape))):
            call(np.zeros(shape))


def test_copies_keep_the_graph_the_intervention_and_their_own_attributes():
    dag = dag_of([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    dag.apply_intervention_to_dag([0, 0, 1])
    dag.note = "mine"
    for twin in (copy.deepcopy(dag), pickle.loads(pickle.dumps(dag))):
        assert np.array_equal(twin.adj_matrix, dag.adj_matrix) and twin.note == "mine"
        twin.reset()
        assert twin.get_parents(2) == [0, 1] and dag.get_parents(2) == []


# ---------------------------------------------------------------- the layer

def layer_by_hand(layer, x, matrix, mask=None):
    """One row after the other: the weight of each is cut before it is multiplied."""
    weight, bias = layer.linear.weight, layer.linear.bias
    allowed = weight if matrix is None else np.where(np.asarray(matrix).T != 0, weight, 0)
    masks = np.broadcast_to(np.zeros(len(bias)) if mask is None else mask, (len(x), len(bias)))
    return np.stack([np.where(m[:, None] != 0, 0, allowed) @ row + bias for row, m in zip(x, masks)])


@given(matrices(acyclic=True), st.sampled_from(["shared", "each", None]), st.integers(0, 2**32))
def test_an_output_depends_on_its_parents_only_and_is_the_bias_where_it_is_set(matrix, masks, seed):
    rng, n = np.random.default_rng(seed), len(matrix)
    layer = CausalLayerRewiring(n, n, dag_of(matrix), dtype="float64", seed=0)
    x = rng.normal(size=(4, n))
    mask = None if masks is None else rng.random(n if masks == "shared" else (4, n)) < 0.5
    y = layer(x, mask)
    np.testing.assert_allclose(y, layer_by_hand(layer, x, matrix, mask), rtol=0, atol=1e-13)
    if mask is not None:
        assert all(np.array_equal(row[m], layer.linear.bias[m]) for row, m in zip(y, np.broadcast_to(mask, (4, n))))


def test_without_a_graph_every_output_depends_on_every_input(rng):
    layer, x = CausalLayerRewiring(3, 5, dtype="float64", seed=0), rng.normal(size=(4, 3))
    mask = rng.random((4, 5)) < 0.5
    np.testing.assert_allclose(layer(x), layer_by_hand(layer, x, None), rtol=0, atol=1e-14)
    np.testing.assert_allclose(layer(x, mask), layer_by_hand(layer, x, None, mask), rtol=0, atol=1e-14)


def test_a_graph_that_gains_an_edge_finds_a_weight_there():
    layer = CausalLayerRewiring(3, 3, DAGRewiring(3), seed=0)
    wanted = CausalLayerRewiring(3, 3, seed=0).linear.weight
    assert np.array_equal(layer.linear.weight, wanted)
    layer.linear.weight[...] = 7
    layer.reset_weights()
    assert np.array_equal(layer.linear.weight, wanted)


def test_a_nan_behind_cut_edges_is_not_read():
    layer = CausalLayerRewiring(2, 2, dag_of([[0, 1], [0, 0]]), dtype="float64", seed=0)
    trace = layer.trace([[np.nan, np.nan]], [0, 1])
    assert np.array_equal(trace.output[0], layer.linear.bias)
    gradients = trace.backward([[1.0, 1.0]])
    assert not gradients.parameters["linear.weight"].any() and not gradients.inputs.any()
    assert np.array_equal(gradients.parameters["linear.bias"], [1, 1])


def test_reset_puts_the_weights_of_construction_time_back(rng):
    layer, x = CausalLayerRewiring(3, 3, seed=4), rng.normal(size=(4, 3))
    before = layer(x)
    layer.fit(x, x, epochs=2, progress=False)
    layer.linear.weight[0] = 5
    assert not np.array_equal(layer(x), before)
    layer.reset_weights()
    assert np.array_equal(layer(x), before)


def test_a_graph_of_another_size_is_an_error():
    for sizes in (3, 4), (4, 3), (4, 4):
        with pytest.raises(ShapeError, match="3 variables"):
            CausalLayerRewiring(*sizes, DAGRewiring(3))
    with pytest.raises(ArgumentError, match="dag_rewiring is list"):
        CausalLayerRewiring(2, 2, [[0, 1], [0, 0]])


# ---------------------------------------------------------------- while its graph changes

CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_the_layer_follows_its_graph_and_keeps_its_weights(rng):
    dag, x = DAGRewiring(3), rng.normal(size=(4, 3))
    layer = CausalLayerRewiring(3, 3, dag, dtype="float64", seed=0)
    weight = layer.linear.weight.copy()

    def expect_obeyed(matrix):
        np.testing.assert_allclose(layer(x), layer_by_hand(layer, x, matrix), rtol=0, atol=1e-14)
        assert np.array_equal(layer.linear.weight, weight)

    expect_obeyed(np.zeros((3, 3)))
    dag.set_adjacency_matrix(CHAIN)
    expect_obeyed(CHAIN)
    dag.apply_intervention_to_dag([0, 1, 0])
    expect_obeyed([[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    dag.reset()
    expect_obeyed(CHAIN)
    layer.dag_rewiring = None
    expect_obeyed(None)
    layer.dag_rewiring = DAGRewiring(4)
    with pytest.raises(ShapeError, match="4 variables"):
        layer(x)


def test_a_trace_remembers_the_graph_of_its_pass(rng):
    dag, x = dag_of(CHAIN), rng.normal(size=(4, 3))
    layer = CausalLayerRewiring(3, 3, dag, dtype="float64", seed=0)
    trace, dy = layer.trace(x), rng.normal(size=(4, 3))
    before = trace.backward(dy)
    dag.apply_intervention_to_dag([0, 1, 1])
    assert np.array_equal(trace.backward(dy).flat, before.flat)
    assert not layer.trace(x).backward(dy).inputs.any() and before.inputs.any()


@pytest.mark.parametrize("keep", ["pickle", "file"])
def test_a_copy_of_the_layer_obeys_the_same_graph(keep, rng, tmp_path):
    dag, x = dag_of(CHAIN), rng.normal(size=(4, 3))
    layer = CausalLayerRewiring(3, 3, dag, seed=0)
    dag.apply_intervention_to_dag([0, 0, 1])
    if keep == "pickle":
        twin = pickle.loads(pickle.dumps(layer))
    else:
        layer.save(tmp_path / "layer")
        twin = CausalLayerRewiring.load(tmp_path / "layer")
    assert np.array_equal(twin(x), layer(x)) and twin.dag_rewiring.get_parents(2) == []
    twin.dag_rewiring.reset()
    dag.reset()
    assert np.array_equal(twin(x), layer(x)) and twin.dag_rewiring.get_parents(2) == [1]


def test_a_closed_layer_stays_closed_when_its_graph_changes():
    dag = DAGRewiring(3)
    with CausalLayerRewiring(3, 3, dag) as layer:
        pass
    dag.set_adjacency_matrix(CHAIN)
    with pytest.raises(HandleError, match="model"):
        layer(np.ones((2, 3)))
