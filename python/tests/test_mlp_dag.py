"""The MLP that obeys a graph: whom it reads, and what do() means in it."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_engine import (
    ArgumentError, CausalLosses, CausalMLP, CheckpointError, CycleError, DAGRewiring, Graph, InvalidValueError, OutOfMemoryError,
    ShapeError, UnknownNameError,
)

CONFOUNDED = [("age", "dose"), ("age", "outcome"), ("dose", "outcome")]
SMOOTH = {"activation": "tanh", "dtype": "float64", "seed": 0}


@pytest.fixture
def model():
    return CausalMLP(3, [5, 4], 3, **SMOOTH, dag=CONFOUNDED)


@pytest.fixture
def x(rng):
    return rng.normal(size=(6, 3))


def jacobian(model, x):
    """(outputs, inputs) at one row, by the chain rule."""
    trace = model.trace(x)
    return np.stack([trace.backward(row, parameters=False).inputs for row in np.eye(len(trace.output))])


@st.composite
def dags(draw, least=1):
    n = draw(st.integers(least, 7))
    edges = np.array(draw(st.lists(st.booleans(), min_size=n * n, max_size=n * n))).reshape(n, n)
    order = draw(st.permutations(range(n)))
    return np.triu(edges, 1)[np.ix_(order, order)]


# ---------------------------------------------------------------- whom it reads

@given(dags(), st.lists(st.integers(0, 3), max_size=3), st.integers(0, 2**32))
def test_the_jacobian_is_zero_where_there_is_no_edge_and_nowhere_else(matrix, spare, seed):
    n, parents = len(matrix), int(matrix.any(axis=0).sum())
    model = CausalMLP(n, [max(parents, 1) + more for more in spare], n, **{**SMOOTH, "seed": seed}, dag=matrix)
    found = jacobian(model, np.random.default_rng(seed).normal(size=n))
    assert np.array_equal(found != 0, matrix.T)


@given(dags(least=2), st.data())
def test_outputs_that_are_no_inputs_read_their_parents(matrix, data):
    n, names = len(matrix), [f"v{k}" for k in range(len(matrix))]
    outputs = data.draw(st.sets(st.integers(0, n - 1), min_size=1, max_size=n - 1))
    inputs = data.draw(st.permutations([k for k in range(n) if k not in outputs]))
    dag = Graph([(names[i], names[j]) for i, j in np.argwhere(matrix)], names)
    make = lambda: CausalMLP(  # noqa: E731
        len(inputs), [n], len(outputs), **SMOOTH, dag=dag, feature_names=[names[k] for k in inputs])
    if matrix[np.ix_(sorted(outputs), sorted(outputs))].any():
        with pytest.raises(InvalidValueError, match="which is no input"):
            make()
        return
    model = make()
    assert np.array_equal(jacobian(model, np.ones(len(inputs))) != 0, matrix[np.ix_(inputs, sorted(outputs))].T)
    assert model.output_names == tuple(names[k] for k in sorted(outputs))


def test_every_form_of_a_graph_is_taken():
    forms = [CONFOUNDED, iter(CONFOUNDED), Graph(CONFOUNDED), "dag { age -> dose -> outcome; age -> outcome }", Graph(CONFOUNDED).to_networkx()]
    for dag in forms:
        model = CausalMLP(2, [4], 1, dag=dag)
        assert model.feature_names == ("age", "dose") and model.dag == Graph(CONFOUNDED)
    by_child = {"outcome": ["age", "dose"], "dose": "age"}
    assert CausalMLP(2, [4], 1, dag=by_child, feature_names=["age", "dose"]).output_names == ("outcome",)
    rewiring = DAGRewiring(3)
    rewiring.set_adjacency_matrix([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    for dag in (rewiring, Graph(CONFOUNDED).adjacency):
        model = CausalMLP(2, [4], 1, dag=dag)
        assert model.feature_names is None and model.output_names is None       # it has only numbers,
        assert CausalMLP(2, [4], 1, dag=dag, feature_names=["a", "b"]).feature_names == ("a", "b")      # which may get names


def test_the_order_of_features_may_differ_from_that_of_the_graph(rng):
    names = ["outcome", "age", "dose"]
    model = CausalMLP(3, [5], 3, **SMOOTH, dag=CONFOUNDED, feature_names=names)
    assert model.feature_names == model.output_names == tuple(names)
    assert np.array_equal(jacobian(model, rng.normal(size=3)) != 0, [[0, 1, 1], [0, 0, 0], [0, 1, 0]])


def test_without_parents_an_output_is_its_bias(model, x):
    assert np.array_equal(model(x)[:, 0], np.full(6, model.layers[-1].layers[0].bias[0]))
    lonely = CausalMLP(2, [3], 2, seed=0, dag=Graph([], ["a", "b"]))
    assert np.array_equal(lonely([[1, 2]]), [lonely.layers[-1].layers[0].bias])


def test_hidden_common_causes_are_no_edges(rng):
    dag = Graph([("dose", "outcome")], confounded=[("dose", "outcome")])
    model = CausalMLP(2, [4], 2, **SMOOTH, dag=dag)
    assert np.array_equal(jacobian(model, rng.normal(size=2)) != 0, [[0, 0], [1, 0]]) and model.dag == dag


def test_absent_weights_are_zero_and_learn_nothing(model, x):
    before = [weight.copy() for weight in model.parameters()]
    model.fit(x, x, optimizer="adamw", weight_decay=0.1, epochs=3, loss=CausalLosses(), progress=False)
    for was, now, edges in zip(before[::2], model.parameters()[::2], model.network.edges):
        assert was.shape == now.shape == edges.shape and (was[edges] != now[edges]).all()
        assert not was[~edges].any() and not now[~edges].any()


def test_weights_that_are_no_edges_are_not_looked_at(model, x):
    y = model(x)
    for weight, edges in zip(model.parameters()[::2], model.network.edges):
        weight[~edges] = np.nan
    assert np.array_equal(model(x), y) and np.array_equal(model.layers[0](x), model.layers[0](x)) and np.isfinite(model.layers[0](x)).all()


def test_a_mechanism_has_units_of_its_own():
    edges = CausalMLP(3, [5, 4], 3, dag=CONFOUNDED).network.edges      # dose has units 0, 1 of 5; 0, 1 of 4; outcome the others
    assert np.array_equal(edges[0], [[1, 0, 0]] * 2 + [[1, 1, 0]] * 3)
    assert np.array_equal(edges[1], [[1, 1, 0, 0, 0]] * 2 + [[0, 0, 1, 1, 1]] * 2)
    assert np.array_equal(edges[2], [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]])


# ---------------------------------------------------------------- what do() means

def test_the_value_is_read_and_answered(model, x):
    where = np.array([1, 0, 1, 0, 0, 1])
    y, free = model.do(dose=0.25, where=where)(x), model(x)
    edited = np.where(where[:, None] * [0, 1, 0] != 0, 0.25, x)
    wanted = np.where(where[:, None] * [0, 1, 0] != 0, 0.25, model(edited))
    assert np.array_equal(y, wanted) and np.array_equal(y[where == 0], free[where == 0])
    assert np.array_equal(model(x, {0: ([0, 1, 0], 0.25)}), model.do(dose=0.25)(x))


def test_the_edges_into_what_is_set_are_cut_and_no_others(model, x):
    trace = model.trace(x, {0: ([0, 1, 0], [np.nan, 0.25, np.nan])})
    to_dose, to_outcome = (trace.backward(np.tile(row, (6, 1))) for row in np.eye(3)[1:])
    assert not to_dose.inputs.any() and not np.signbit(to_dose.inputs).any()
    assert to_outcome.inputs[:, 0].all() and not to_outcome.inputs[:, 1].any()
    assert np.array_equal(to_dose.values[0], [0, 6, 0]) and to_outcome.values[0][1] != 0
    assert not to_dose.flat.any()       # its own mechanism learns nothing from rows in which it was set


def test_parents_of_what_is_set_may_be_missing(model, x):
    hole, edits = x.copy(), {0: ([0, 1, 1], [0, 0.25, 0.5])}
    hole[2] = np.nan
    complete, holey = model.trace(x, edits), model.trace(hole, edits)
    assert np.array_equal(complete.output, holey.output)
    ours, theirs = (trace.backward(np.ones((6, 3))) for trace in (complete, holey))
    np.testing.assert_allclose(ours.flat, theirs.flat, rtol=0, atol=1e-12)
    assert np.array_equal(ours.inputs, theirs.inputs) and np.array_equal(ours.values[0], theirs.values[0])
    assert np.isnan(model(hole)[2]).tolist() == [False, True, True]


def test_a_mask_of_zeros_changes_nothing(model, x):
    assert np.array_equal(model(x, {0: ([0, 0, 0], [1, 2, 3])}), model(x))


def test_the_outputs_own_mask_has_the_last_word_and_hidden_units_can_be_set(model, x):
    y = model(x, {0: ([0, 1, 0], 0.25), 3: ([0, 1, 0], 7.0)})
    assert (y[:, 1] == 7).all()
    free, hidden = model(x), model(x, {2: ([1, 1, 0, 0], 0.5)})
    assert (hidden[:, 1] != free[:, 1]).all() and np.array_equal(hidden[:, [0, 2]], free[:, [0, 2]])


def test_gradients_agree_with_finite_differences(model, x):
    mask, values, weights = np.arange(18).reshape(6, 3) % 4 == 1, np.full((6, 3), 0.3), np.random.default_rng(1).normal(size=(6, 3))

    def slope(array, index, run, step=1e-6):
        there, found = array[index], []
        for sign in (1, -1):
            array[index] = there + sign * step
            found.append((run() * weights).sum())
        array[index] = there
        return (found[0] - found[1]) / (2 * step)

    run = lambda: model(x, {0: (mask, values)})  # noqa: E731
    gradients = model.trace(x, {0: (mask, values)}).backward(weights)
    pairs = [(x, gradients.inputs), (values, gradients.values[0]), *zip(model.parameters(), gradients.parameters.values())]
    for array, gradient in pairs:
        for index in np.ndindex(array.shape):
            assert abs(slope(array, index, run) - gradient[index]) < 1e-7


# ---------------------------------------------------------------- data frames, and learning

def sample(rng, rows, dose=None):
    pandas = pytest.importorskip("pandas")
    age = rng.normal(size=rows)
    given = age + 0.5 * rng.normal(size=rows) if dose is None else np.full(rows, dose)
    outcome = np.sin(2 * given) + 2 * age + 0.5 * rng.normal(size=rows)
    return pandas.DataFrame({"age": age, "dose": given, "outcome": outcome, "symptom": outcome + 0.2 * rng.normal(size=rows)})


def error_of_do(model, data, features):
    """Root mean square of E[outcome | do(dose)] against what the mechanisms say."""
    doses = np.linspace(-1, 1, 9)
    column = -1 if model.network.outputs > 1 else 0
    found = [np.asarray(model.do(dose=dose)(data[features]))[:, column].mean() for dose in doses]
    return float(np.sqrt(np.mean((found - np.sin(2 * doses) - 2 * data.age.mean()) ** 2)))


def test_do_answers_better_than_a_network_that_reads_everything(rng):
    data, symptom = sample(rng, 3000), [*CONFOUNDED, ("outcome", "symptom")]
    for features, targets, dag in ((["age", "dose", "symptom"], ["outcome"], symptom), (["age", "dose", "outcome"],) * 2 + (CONFOUNDED,)):
        errors = []
        for graph in (dag, None):
            model = CausalMLP(3, [32], len(targets), "tanh", seed=0, dag=graph, feature_names=features)
            model.fit(data[features], data[targets], lr=0.003, epochs=60, progress=False)
            errors.append(error_of_do(model, data, features))
        assert errors[0] < 0.15 < errors[1] / 2


def test_rows_in_which_a_variable_was_set_teach_its_mechanism_nothing(rng):
    natural, forced = sample(rng, 400), sample(rng, 400, dose=3.0)
    data = np.vstack([natural, forced])[:, :3]
    was_set = np.zeros((800, 3))
    was_set[400:, 1] = 1
    model = CausalMLP(3, [16], 3, "tanh", seed=0, dag=CONFOUNDED)
    model.fit(data, data, {0: (was_set, data)}, epochs=60, progress=False)
    assert abs(model(data)[:400, 1] - data[:400, 0]).mean() < 0.15      # E[dose | age] is age, not on the way to 3
    missing = data.copy()
    missing[400:, 1] = np.nan
    twin = CausalMLP(3, [16], 3, "tanh", seed=0, dag=CONFOUNDED)
    twin.fit(missing, data, {0: (was_set, data)}, epochs=60, progress=False)
    np.testing.assert_allclose(twin(data), model(data), rtol=1e-4, atol=1e-4)


def test_frames_are_read_and_answered_by_the_graphs_names(rng):
    data = sample(rng, 50)
    model = CausalMLP(3, [8], 3, seed=0, dag=CONFOUNDED)
    y = model.do(dose=1.0)(data[["outcome", "dose", "age"]])
    assert list(y.columns) == ["age", "dose", "outcome"] and (y.dose == 1).all()
    shuffled = CausalMLP(3, [8], 3, seed=0, dag=CONFOUNDED)
    for network, targets in (model, data[["age", "dose", "outcome"]]), (shuffled, data[["dose", "outcome", "age"]]):
        network.fit(data, targets, epochs=2, seed=1, progress=False)
    assert np.array_equal(model(data), shuffled(data)) and model.output_names == ("age", "dose", "outcome")
    by_name = CausalMLP(3, [8], 3, seed=0, dag=CONFOUNDED)
    by_name.fit(data, ["outcome", "age", "dose"], epochs=2, seed=1, progress=False)
    assert np.array_equal(by_name(data), model(data))
    by_name.fit(data, np.zeros((50, 3)), epochs=1, progress=False)
    assert by_name.output_names == ("age", "dose", "outcome")       # whatever y is called
    with pytest.raises(UnknownNameError, match="no column of y is named 'outcome'"):
        model.fit(data, data[["age", "dose", "symptom"]], progress=False)
    with pytest.raises(UnknownNameError, match="no feature of the model is named 'doze'; near it: 'dose'"):
        model.do(doze=1.0)


# ---------------------------------------------------------------- keeping it

KINDS = [dict(input_dim=3, output_dim=3), dict(input_dim=2, output_dim=1), dict(input_dim=2, output_dim=1, feature_names=["dose", "age"])]


@pytest.mark.parametrize("sizes", KINDS)
@pytest.mark.parametrize("hidden", [[], [6, 4]])
def test_copies_and_checkpoints_keep_it(sizes, hidden, rng, tmp_path):
    dag = Graph(CONFOUNDED, confounded=[("dose", "outcome")])
    model = CausalMLP(hidden_dims=hidden, seed=0, dag=dag, **sizes)
    model.save(tmp_path / "model")
    x = rng.normal(size=(4, sizes["input_dim"]))
    for twin in (CausalMLP.load(tmp_path / "model"), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(twin.do(dose=1.0)(x), model.do(dose=1.0)(x)) and twin.dag == dag and repr(twin) == repr(model)
        assert (twin.feature_names, twin.output_names) == (model.feature_names, model.output_names)
        twin.fit(x, twin(x), epochs=1, progress=False)
        assert not any(w[~e].any() for w, e in zip(twin.parameters()[::2], twin.network.edges))


def test_a_checkpoint_of_another_language_shows_as_much_of_the_graph_as_its_edges(model, x):
    network = model.network.decode(model.network.encode(model._address, ""))
    twin = CausalMLP.__new__(CausalMLP)
    twin._adopt(network, "bytes")
    assert np.array_equal(twin.dag.adjacency, model.dag.adjacency) and np.array_equal(twin(x), model(x))


@pytest.mark.parametrize("change", [
    {"edges": [[0, 1]]}, {"edges": [[0, 1], [1, 0]]}, {"features": [0, 1]}, {"features": [0, 1, 9]}, {"features": ["a", "b", "c"]},
    {"variables": 3.5}, {"variables": ["a", "b"]}, {"features": [2, 1, 0]}, None,
])
def test_a_note_about_another_graph_is_refused(model, change):
    note = json.loads(model._note())
    note["dag"] = [] if change is None else {**note["dag"], **change}
    network = model.network.decode(model.network.encode(model._address, json.dumps(note)))
    with pytest.raises(CheckpointError):
        CausalMLP.__new__(CausalMLP)._adopt(network, "bytes")


def test_a_graph_beside_a_network_that_has_all_weights_is_refused(model):
    plain = CausalMLP(3, [5, 4], 3, **SMOOTH)
    note = json.dumps({**json.loads(plain._note()), "dag": json.loads(model._note())["dag"]})
    with pytest.raises(CheckpointError):
        CausalMLP.__new__(CausalMLP)._adopt(plain.network.decode(plain.network.encode(plain._address, note)), "bytes")


# ---------------------------------------------------------------- what is refused

@pytest.mark.parametrize("sizes, arguments, kind, text", [
    ((2, [4], 2), dict(dag=[("a", "b"), ("b", "a")]), CycleError, "a -> b -> a"),
    ((4, [4], 3), dict(dag=CONFOUNDED), ShapeError, "4 inputs and 3 outputs, but the graph has 3 variables: expected 3 of both, or 3 together"),
    ((10**9, [4], 1), dict(dag=np.zeros((3, 3))), OutOfMemoryError, "too large to hold"),
    ((3, [4, 1], 3), dict(dag=CONFOUNDED), InvalidValueError, "hidden layer 1 has 1 units, expected at least 2: one for each output with parents"),
    ((2, [4], 1), dict(dag=CONFOUNDED, feature_names=["age", "doze"]), UnknownNameError, "no variable of the graph is named 'doze'; near it: 'dose'"),
    ((2, [4], 1), dict(dag=CONFOUNDED, feature_names=["age"]), ShapeError, "feature_names: 1 names, expected 2"),
    ((2, [4], 1), dict(dag={"outcome": ["age", "dose"], "dose": "age"}), InvalidValueError, "'age' causes 'outcome'; expected feature_names"),
    ((2, [4], 1), dict(dag=Graph([("a", "y"), ("y", "z")], ["a", "z", "y"])), InvalidValueError, "'y' causes 'z'; expected feature_names"),
    ((2, [4], 1), dict(dag=Graph([("a", "b")], ["a", "b", "c"])), InvalidValueError, "'c' has no parents; expected feature_names"),
    ((1, [4], 2), dict(dag=CONFOUNDED, feature_names=["age"]), InvalidValueError, "outcome has the parent dose, which is no input"),
    ((3, [4], 3), dict(dag=5), ArgumentError, "a graph is 5"),
    ((0, [4], 3), dict(dag=CONFOUNDED), InvalidValueError, "input_dim is 0"),
])
def test_what_does_not_fit_is_an_error_that_says_so(sizes, arguments, kind, text):
    with pytest.raises(kind) as caught:
        CausalMLP(*sizes, **arguments)
    assert text in str(caught.value)
