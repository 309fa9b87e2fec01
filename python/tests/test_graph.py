"""Graph: whatever it is made of, what it tells, and that it stays as it is."""

import copy
import pickle
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_engine import ArgumentError, CycleError, DAGRewiring, Graph, InvalidValueError, ShapeError, UnknownNameError

EDGES = [("age", "dose"), ("age", "outcome"), ("dose", "outcome")]


def drug():
    return Graph(EDGES, confounded=[("dose", "outcome")])


@st.composite
def graphs(draw):
    """How many variables, edges, and pairs with a hidden cause."""
    n = draw(st.integers(1, 8))
    pairs = list(combinations(draw(st.permutations(range(n))), 2))
    edges, hidden = (draw(st.lists(st.sampled_from(pairs or [None]), max_size=2 * n, unique=True)) for _ in range(2))
    return n, [pair for pair in edges if pair], [pair for pair in hidden if pair]


@st.composite
def named_graphs(draw):
    n, edges, hidden = draw(graphs())
    return Graph(edges, [f"variable {v}" if v % 2 else f"v{v}" for v in range(n)], hidden)


# ---------------------------------------------------------------- what it tells

def test_relations_are_told_by_name_and_asked_by_name_or_number():
    graph = drug()
    assert graph.variables == ("age", "dose", "outcome") and graph.edges == EDGES and graph.confounded == [("dose", "outcome")]
    assert graph.parents("outcome") == graph.parents(2) == ["age", "dose"] and graph.children("age") == ["dose", "outcome"]
    assert graph.ancestors("outcome") == ["age", "dose"] and graph.descendants(0) == ["dose", "outcome"]
    assert graph.topological_order() == ["age", "dose", "outcome"]
    assert graph.adjacency.tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert repr(graph) == "Graph(3 variables: age -> dose, age -> outcome, dose -> outcome, dose <-> outcome)"
    assert repr(Graph([], ["a"])) == "Graph(1 variable)"


def test_do_cuts_what_comes_in_and_leaves_the_graph_as_it_is():
    graph = drug()
    after = graph.do("dose")
    assert after.edges == [("age", "outcome"), ("dose", "outcome")] and after.confounded == []
    assert graph == drug() and graph.do([]) == graph and graph.do(["dose", 2]).edges == []


@given(graphs(), st.data())
def test_do_by_definition(described, data):
    n, edges, hidden = described
    chosen = data.draw(st.sets(st.integers(0, n - 1)))
    after = Graph(edges, n, hidden).do(chosen)
    assert after == Graph([e for e in edges if e[1] not in chosen], n, [p for p in hidden if not chosen & set(p)])


def test_what_is_latent_is_hidden():
    genes = Graph.of("dag { genes [latent] genes -> {smoking cancer} smoking -> tar -> cancer; smoking [exposure] cancer [outcome] }")
    assert genes == Graph([("smoking", "tar"), ("tar", "cancer")], ["smoking", "cancer", "tar"], [("smoking", "cancer")])
    assert genes.hide("tar") == Graph([("smoking", "cancer")], confounded=[("smoking", "cancer")])
    assert genes.hide([]) == genes
    assert Graph.of("dag { u [latent,pos=\"0,1\"] v [unobserved] u -> v -> {a b} }").confounded == [("a", "b")]


@given(graphs(), st.data())
def test_hiding_keeps_separation_and_the_relations_of_causes(described, data):
    n, edges, hidden = described
    graph = Graph(edges, n, hidden)
    order = data.draw(st.permutations(graph.variables))
    left, latent = order[:max(2, n // 2)], order[max(2, n // 2):]
    projected = graph.hide(latent)
    assert projected.variables == tuple(v for v in graph.variables if v in left)
    for v in left:
        assert projected.descendants(v) == [w for w in graph.descendants(v) if w in left]
    for x, y in combinations(left, 2):
        others = [v for v in left if v not in (x, y)]
        for given in [], others, others[:1], others[1:]:
            assert projected.is_separated(x, y, given) == graph.is_separated(x, y, given)
        assert sorted(projected.back_door_sets(x, y)) == sorted(graph.back_door_sets(x, y, observed=left))
    once = graph
    for v in latent:
        once = once.hide(v)
    assert once == projected


@given(graphs())
def test_districts_by_definition(described):
    networkx = pytest.importorskip("networkx")
    n, edges, hidden = described
    reference = networkx.Graph(hidden)
    reference.add_nodes_from(range(n))
    parts = sorted([f"x{v}" for v in sorted(part)] for part in networkx.connected_components(reference))
    assert sorted(Graph(edges, n, hidden).districts()) == parts


def test_equality_is_that_of_variables_edges_and_hidden_causes():
    assert drug() == drug() and hash(drug()) == hash(drug())
    assert drug() == Graph(EDGES[::-1], ["age", "dose", "outcome"], [("outcome", "dose"), ("dose", "outcome")])
    fewer, reordered = Graph(EDGES[:2], drug().variables, drug().confounded), Graph(EDGES, ["dose", "age", "outcome"], drug().confounded)
    for other in Graph(EDGES), fewer, reordered, EDGES:
        assert drug() != other


@given(named_graphs())
def test_copies_are_equal(graph):
    for twin in copy.copy(graph), copy.deepcopy(graph), pickle.loads(pickle.dumps(graph)):
        assert twin == graph and twin.variables == graph.variables


def test_nothing_can_be_changed():
    graph = drug()
    for attribute in "variables", "edges", "anything":
        with pytest.raises(AttributeError):
            setattr(graph, attribute, ())
    graph.adjacency[:] = 0
    graph.edges.clear()
    assert graph == drug()


# ---------------------------------------------------------------- what it is made of

def test_it_is_made_of_whatever_holds_a_graph():
    directed, matrix = Graph(EDGES), [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    dag = DAGRewiring(3, ["age", "dose", "outcome"])
    dag.set_adjacency_matrix(matrix)
    assert Graph.of(directed) is directed and Graph.of(dag) == directed and Graph.of(EDGES) == directed
    assert Graph.of({"age": [], "dose": "age", "outcome": ["age", "dose"]}) == directed
    assert Graph.of("digraph { age -> {dose outcome}; dose -> outcome }") == directed
    assert Graph.of("// drug\ndag { age -> {dose outcome} dose -> outcome }") == directed
    assert Graph.of(np.array(matrix)) == Graph([(0, 1), (0, 2), (1, 2)], 3) and Graph.of(np.array(matrix)).variables == ("x0", "x1", "x2")
    assert Graph.of(DAGRewiring(2)).variables == ("x0", "x1")
    assert Graph.of("dag { age -> {dose outcome} dose -> outcome; dose <-> outcome }") == drug()
    assert Graph.of("strict digraph { age -> {dose outcome}; dose -> outcome; outcome -> dose [dir=both] }") == drug()
    dag.apply_intervention_to_dag([0, 1, 0])
    assert Graph.of(dag) == directed.do("dose")


def test_a_data_frame_is_read_by_its_labels():
    pandas = pytest.importorskip("pandas")
    names = ["age", "dose", "outcome"]
    frame = pandas.DataFrame([[0, 1, 1], [0, 0, 1], [0, 0, 0]], names, names)
    assert Graph.of(frame) == Graph.of(frame.loc[names[::-1]]) == Graph(EDGES)


@given(named_graphs())
def test_there_and_back(graph):
    assert Graph.of(graph.to_dot()) == Graph.of(graph.to_dagitty()) == graph
    pytest.importorskip("networkx")
    assert Graph.of(graph.to_networkx()) == graph


@pytest.mark.parametrize("make, kind, text", [
    (lambda: Graph([("a", "b"), ("b", "a")]), CycleError, "a -> b -> a"),
    (lambda: Graph([("a", "a")]), CycleError, "a -> a"),
    (lambda: Graph([("a", "b")], ["a", "bb"]), UnknownNameError, "no variable of the graph is named 'b'; near it: 'bb'"),
    (lambda: Graph([(0, 3)], 3), UnknownNameError, "there is no variable 3, expected 0 to 2"),
    (lambda: Graph([(0, 1)]), ArgumentError, "an edge ends at 0, expected a name, or `variables`"),
    (lambda: Graph(confounded=[("a", "a")]), InvalidValueError, "a is paired with itself"),
    (lambda: Graph(), InvalidValueError, "0 variables, expected 1 to 65535"),
    (lambda: Graph([], 70000), InvalidValueError, "variables is 70000, expected at most 65535"),
    (lambda: Graph([], ["a", "a"]), InvalidValueError, "'a' is there twice"),
    (lambda: Graph([], "ab"), ArgumentError, "variables is 'ab', expected names or how many there are"),
    (lambda: Graph(["ab"]), ArgumentError, "edges: 'ab', expected a pair of variables"),
    (lambda: Graph([("a", "b", "c")]), ArgumentError, r"edges: \('a', 'b', 'c'\), expected a pair"),
    (lambda: Graph([("a", "b")], confounded="ab"), ArgumentError, "confounded is 'ab', expected a list of pairs"),
    (lambda: Graph.of(3), ArgumentError, "a graph is 3, expected a Graph, a DAGRewiring"),
    (lambda: Graph.of(np.zeros((2, 3))), ShapeError, r"\(2, 3\)"),
    (lambda: Graph.of("dag { a -- b }"), InvalidValueError, "line 1: the edge 'a -- b', expected a directed one or <->"),
    (lambda: Graph.of("a -> b"), InvalidValueError, "DAGitty, line 1: found 'a', expected 'dag'"),
    (lambda: drug().hide(["age", "dose", "outcome"]), InvalidValueError, "all variables are hidden"),
    (lambda: drug().do("does"), UnknownNameError, "near it: 'dose'"),
    (lambda: drug().parents(None), ArgumentError, "variable is None, expected a whole number or a name"),
])
def test_what_is_no_graph_and_no_variable(make, kind, text):
    with pytest.raises(kind, match=text):
        make()
