"""Graphs with names, and as DOT, DAGitty and networkx have them."""

import copy
import pickle
import re
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from causal_engine import (
    ArgumentError, CausalLayerRewiring, CheckpointError, CycleError, DAGRewiring, InvalidValueError, ShapeError, UnknownNameError,
)
from causal_engine.graph_formats import read_dagitty, read_dot

NASTY = [
    "a b", 'say "x"', "a\\", 'a\\"', "a\\\\", "line\nbreak", "back\\\nslash", "\r\n", "->", "<->", "-", "--", "<b>&amp;", "node", "Digraph",
    "subgraph", "strict", "graph", "0", "-1", "1.5", "é", "身長", "{", "}", "a;b", "a:b", "// no", "/* no */", "# no", "$x^2$", "\t", " ",
    "<", "a\\<", "a\\-", "x+y", "\ufeffa", "\x85",
]
names = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=6),
                  st.text('\\"<>-\n ab', min_size=1, max_size=6))


@st.composite
def graphs(draw, name=names):
    """A graph with names, in an order of variables that says nothing about the order of causes. Swift takes texts that look the
    same for the same, whatever they are made of."""
    labels = draw(st.lists(name, min_size=1, max_size=7, unique_by=lambda text: unicodedata.normalize("NFC", text)))
    n = len(labels)
    order = draw(st.permutations(range(n)))
    edges = np.triu(np.array(draw(st.lists(st.booleans(), min_size=n * n, max_size=n * n))).reshape(n, n), 1)[np.ix_(order, order)]
    dag = DAGRewiring(n, labels)
    dag.set_adjacency_matrix(edges)
    return dag


def same(one, other):
    return one.names == other.names and np.array_equal(one.adj_matrix, other.adj_matrix)


def edges_of(dag):
    return [(dag.names[i], dag.names[j]) for i, j in np.argwhere(dag.adj_matrix)]


# ---------------------------------------------------------------- names

def named():
    dag = DAGRewiring(3, ["smoking", "tar", "cancer"])
    dag.set_adjacency_matrix([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    return dag


def test_a_variable_goes_by_its_name_and_by_its_index():
    dag = named()
    assert dag.names == ("smoking", "tar", "cancer") and DAGRewiring(3).names is None
    assert dag.get_parents("cancer") == dag.get_parents(2) == [0, 1] and dag.get_children("smoking") == [1, 2]
    assert repr(dag) == "DAGRewiring(3 variables: smoking -> tar, smoking -> cancer, tar -> cancer)"
    with pytest.raises(UnknownNameError, match="no variable of the graph is named 'smokin'; near it: 'smoking'"):
        dag.get_parents("smokin")
    with pytest.raises(ArgumentError, match="variable is None, expected a whole number or a name"):
        dag.get_children(None)


@pytest.mark.parametrize("wrong, kind, text", [
    (["a", "b"], ShapeError, "2 names, expected 3"), (["a", "b", "a"], InvalidValueError, "'a' is there twice"),
    (["a", "", "b"], InvalidValueError, "empty"), ("abc", ArgumentError, "expected a list of 3 names"),
    (5, ArgumentError, "expected a list of 3 names"), (["a", "b", "c\0"], InvalidValueError, "without NUL"),
])
def test_names_that_are_none(wrong, kind, text):
    with pytest.raises(kind, match=text):
        DAGRewiring(3, names=wrong)


def test_a_cycle_is_told_by_name():
    with pytest.raises(CycleError, match="smoking -> cancer -> smoking"):
        named().set_adjacency_matrix([[0, 0, 1], [0, 0, 0], [1, 0, 0]])


def test_copies_have_the_names_too():
    dag = named()
    dag.apply_intervention_to_dag([1, 1, 0])
    for twin in (copy.copy(dag), copy.deepcopy(dag), pickle.loads(pickle.dumps(dag))):
        assert same(twin, dag) and twin.get_parents("tar") == [] and twin.to_dot() == dag.to_dot()
        twin.reset()
        assert twin.get_parents("tar") == [0] and dag.get_parents("tar") == []
        with pytest.raises(CycleError, match="tar -> tar"):
            twin.set_adjacency_matrix(np.diag([0, 1, 0]))


@pytest.mark.parametrize("keep", ["pickle", "file"])
def test_a_layer_keeps_the_names_and_the_intervention_of_its_graph(keep, tmp_path):
    layer = CausalLayerRewiring(3, 3, named(), seed=0)
    layer.dag_rewiring.apply_intervention_to_dag([1, 0, 1])         # one that has no causes, and one that has
    if keep == "pickle":
        twin = pickle.loads(pickle.dumps(layer))
    else:
        layer.save(tmp_path / "layer")
        twin = CausalLayerRewiring.load(tmp_path / "layer")
    assert same(twin.dag_rewiring, layer.dag_rewiring) and twin.dag_rewiring.to_dot() == layer.dag_rewiring.to_dot()


@pytest.mark.parametrize("wrong", ['["a", "b"]', '["a", "a", "b"]', '"abc"', "7", '["a", "", "b"]'])
def test_a_checkpoint_with_names_that_are_none(wrong, monkeypatch, tmp_path):
    layer = CausalLayerRewiring(3, 3, named(), seed=0)
    note = layer._note().replace('["smoking", "tar", "cancer"]', wrong)
    monkeypatch.setattr(layer, "_note", lambda: note)
    layer.save(tmp_path / "layer")
    with pytest.raises(CheckpointError, match="its note"):
        CausalLayerRewiring.load(tmp_path / "layer")


def test_labelled_arrays_are_read_by_their_labels():
    pandas = pytest.importorskip("pandas")
    dag = named()
    frame = pandas.DataFrame([[0, 0, 0], [1, 0, 1], [1, 0, 0]], ["cancer", "smoking", "tar"], ["cancer", "smoking", "tar"])
    other = DAGRewiring(3, dag.names)
    other.set_adjacency_matrix(frame)
    assert same(other, dag)
    dag.apply_intervention_to_dag(pandas.Series({"tar": 1, "cancer": 0, "smoking": 0}))
    assert dag.get_parents("tar") == [] and dag.get_parents("cancer") == [0, 1]
    with pytest.raises(UnknownNameError, match="cancer"):
        dag.apply_intervention_to_dag(pandas.Series({"tar": 1, "lungs": 0, "smoking": 0}))
    with pytest.raises(ShapeError):
        dag.apply_intervention_to_dag(pandas.Series({"tar": 1, "cancer": 0, "smoking": 0, "lungs": 1}))
    ones = np.triu(np.ones((3, 3)), 1)
    for frame in pandas.DataFrame(ones), pandas.DataFrame(ones, columns=dag.names):         # without labels: by place
        other.set_adjacency_matrix(frame)
        assert other.get_parents("cancer") == [0, 1]
    for frame in pandas.DataFrame(ones, columns=dag.names[::-1]), pandas.DataFrame(ones, index=dag.names[::-1]):
        with pytest.raises(ArgumentError, match="expected labels on both"):
            other.set_adjacency_matrix(frame)


# ---------------------------------------------------------------- DOT

@given(graphs())
@example(DAGRewiring(len(NASTY), NASTY))
def test_dot_there_and_back(dag):
    assert same(DAGRewiring.from_dot(dag.to_dot()), dag)


@pytest.mark.parametrize("text, expected", [
    ("digraph{a->b}", "ab"),
    ("strict digraph G { a -> b -> c; }", "ab bc"),
    ("DIGRAPH \"my graph\" {\n a -> {b c}\n}", "ab ac"),
    ("digraph { {a b} -> {c d} -> e }", "ac ad bc bd ce de"),
    ("digraph { subgraph cluster_1 { label=x; a -> b } -> c; subgraph { d } }", "ab ac bc"),
    ("digraph { a:n -> b:port:sw; a:\"p q\" -> c }", "ab ac"),
    ("digraph { graph [rankdir=LR] node [shape=box, color=red; width=1] edge [len=2][x=y]; rankdir = \"LR\" a -> b [label=\"->\"] }", "ab"),
    ("digraph { a [label=<<b>bold</b> -&gt; x>]; a -> b [w=-.5] }", "ab"),
    ("// first\n# line 1 \"x.dot\"\ndigraph { a /* -> z */ -> // z\n b\n# b -> z\n}", "ab"),
    ('digraph { "a" + "b" -> "c\\\nd" }', [("ab", "cd")]),
    ('digraph { "a\\"b" -> "c\\d\\\\" }', [('a"b', "c\\d\\\\")]),
    ("digraph { 1 -> 2.5 -> -3 -> .5 }", [("1", "2.5"), ("2.5", "-3"), ("-3", ".5")]),
    ("digraph { ä -> _1 }", [("ä", "_1")]),
    ("\ufeffdigraph { a -> b; a -> b }", "ab"),
    ("digraph { a -> b [dir=back]; c -> d [dir=both, arrowtail=none]; e -> f [dir=both arrowhead=none] }", "ba cd fe"),
    ("digraph { edge [dir=back]; a -> b; { edge [dir=forward] c -> d } e -> f }", "ba cd fe"),
    ("digraph { a -> b [style=invis]; b -> c; {} -> c; a -> {} }", "bc"),
])
def test_dot_as_it_is_written_elsewhere(text, expected):
    pairs = [tuple(pair) for pair in expected.split()] if isinstance(expected, str) else expected
    found, edges = read_dot(text)
    assert sorted((found[i], found[j]) for i, j in edges) == sorted(pairs)


def test_variables_stand_in_the_order_of_the_text():
    assert DAGRewiring.from_dot("digraph { z; b -> a; m }").names == ("z", "b", "a", "m")
    assert DAGRewiring.from_dagitty("dag { z b <- a m }").names == ("z", "b", "a", "m")


@pytest.mark.parametrize("text, error", [
    ("", "line 1: found the end, expected 'digraph'"),
    ("graph { a -- b }", "line 1: found 'graph', expected 'digraph'"),
    ("digraph a -> b", "line 1: found '->', expected '{'"),
    ("digraph {\n a -> \n}", "line 3: found '}', expected a name"),
    ("digraph {\n\n a -- b }", "line 3: found '--', expected '->'"),
    ("digraph {\n a <- b; c -> d }", "line 2: found '<-', expected '->'"),
    ("digraph {\n a <-> b }", "line 2: found '<->', expected '->'"),
    ("digraph { a -> b", "line 1: found the end, expected a name"),
    ("digraph { a -> b } }", "line 1: found '}', expected the end"),
    ("digraph { a -> b }\ndigraph { b -> a }", "line 2: found 'digraph', expected the end"),
    ("digraph { a [color=] }", "found ']', expected a name"),
    ("digraph { a [color=red }", "found '}', expected a name"),
    ("digraph { node -> a }", "found '->', expected '\\['"),
    ("digraph { subgraph x -> a }", "found '->', expected '{'"),
    ("digraph { a -> 1b }", "found '1b', expected a name or an edge"),
    ('digraph {\n "a\n -> b }', "line 2: the text that begins here has no end"),
    ("digraph {\n a -> b /* }", "line 2: the comment that begins here has no end"),
    ("digraph {\n a [label=<b<i>] }", "line 2: the text that begins here with '<' has no end"),
    ("digraph { \"a\" + b }", "found 'b', expected a text in quotes"),
    ("digraph { a ! b }", "found '!', expected"),
    ("digraph { a /* one\ntwo */\n # no comment }", "line 3: found '#', expected a name or an edge"),
    ("digraph { }", "the graph is empty"),
    ("digraph { " + "{" * 5000, "more than 100 braces"),
    ("digraph {\n a -> b [dir=both] }", "line 2: the edge 'a <-> b', expected a directed one"),
    ("digraph { a -> b [dir=none] }", "the edge 'a -- b', expected a directed one"),
    ("digraph { a -> b [dir=both, arrowtail=odot, arrowhead=normal] }", "the edge 'a <-> b'"),
])
def test_what_is_not_dot_is_told_with_its_line(text, error):
    with pytest.raises(InvalidValueError, match=f"^DOT.*{error}"):
        DAGRewiring.from_dot(text)


@given(st.text('digraph{}[]"<>-=;:,\\/*#\n ab1.', max_size=30))
def test_no_text_is_more_than_an_error(text):
    for read in read_dot, read_dagitty:
        for whole in (text, f"digraph {{ {text} }}"):
            try:
                read(whole)
            except InvalidValueError as error:
                assert re.search("line [0-9]+: .*expected|empty|no end", str(error), re.S)


def test_a_cycle_in_a_text_is_told_by_name():
    with pytest.raises(CycleError, match="a -> b -> c -> a"):
        DAGRewiring.from_dot("digraph { a -> b -> c -> a }")
    with pytest.raises(CycleError, match="a -> a"):
        DAGRewiring.from_dagitty("dag { a <- a }")


@pytest.mark.parametrize("reader", [DAGRewiring.from_dot, DAGRewiring.from_dagitty])
def test_only_texts_are_read(reader):
    with pytest.raises(ArgumentError, match="expected a text"):
        reader(b"digraph { a }")


def test_an_intervention_is_written_as_it_stands():
    dag = named()
    dag.apply_intervention_to_dag([0, 1, 0])
    assert 'tar [label="do(\\N)"' in dag.to_dot() and "smoking -> tar" not in dag.to_dot()
    assert same(DAGRewiring.from_dot(dag.to_dot()), dag) and same(DAGRewiring.from_dagitty(dag.to_dagitty()), dag)


def test_without_names_the_indices_are_written():
    dag = DAGRewiring(2)
    dag.set_adjacency_matrix([[0, 0], [1, 0]])
    for twin in DAGRewiring.from_dot(dag.to_dot()), DAGRewiring.from_dagitty(dag.to_dagitty()):
        assert twin.names == ("0", "1") and np.array_equal(twin.adj_matrix, dag.adj_matrix)


@given(graphs(st.text("ab \\\"-:'é", min_size=1, max_size=5)))
def test_dot_as_pydot_reads_it(dag):
    pydot = pytest.importorskip("pydot")
    (read,) = pydot.graph_from_dot_data(dag.to_dot())
    assert len(read.get_edges()) == dag.adj_matrix.sum()


# ---------------------------------------------------------------- DAGitty

fine = names.filter(lambda name: not (re.search(r"[\0-\x1f\x7f]", name) or name.endswith("\\") or name in ("graph", "node")))


@given(graphs(fine))
def test_dagitty_there_and_back(dag):
    assert same(DAGRewiring.from_dagitty(dag.to_dagitty()), dag)


@pytest.mark.parametrize("name", ["graph", "node", "a\\", "a\nb", "\t", "\x7f"])
def test_a_name_that_dagitty_has_no_way_to_write(name):
    with pytest.raises(InvalidValueError, match=f"DAGitty has no way to write the name {re.escape(repr(name))}"):
        DAGRewiring(1, [name]).to_dagitty()


@pytest.mark.parametrize("text, expected", [
    ('dag { x [exposure,pos="0,1"] y [outcome] x -> y <- z }', "xy zy"),
    ("dag{ U -> {a b} }", "Ua Ub"),
    ("dag { {X V} -> U; S <- U; {Y V} -> W; W -> T}", "XU VU US YW VW WT"),
    ("Dag G {\nbb=\"0,0,1,1\"\na [adjusted,pos=\"-0.5,1.2\"]\nb [latent]\na -> b [beta=0.3]\nb -> c [pos=\"0.1,0.2\"]\n}\n", "ab bc"),
    ("strict dag { x y ; z \n q x <- y }", "yx"),
    ('dag { "blood pressure" -> heart.rate }', [("blood pressure", "heart.rate")]),
    ('dag { "a\\"b" <- "c\\d" }', [("c\\d", 'a"b')]),
    ("dag { a <- {b <- c} }", "ba ca cb"),
    ("digraph G { xi [latent]\nxi -> x1 }", [("xi", "x1")]),
    ("graph { edge -> a b }", [("edge", "a")]),
    ("dag { graph [bb=\"0,0,1,1\"] a -> b }", "ab"),
    ("dag {\n# a comment\na -> b // and another\n}", "ab"),
])
def test_dagitty_as_it_is_written_elsewhere(text, expected):
    pairs = [tuple(pair) for pair in expected.split()] if isinstance(expected, str) else expected
    found, edges = read_dagitty(text)
    assert sorted((found[i], found[j]) for i, j in edges) == sorted(pairs)


@pytest.mark.parametrize("text, error", [
    ("x -> y", "line 1: found 'x', expected 'dag' or 'digraph' or 'graph'"),
    ("mag { x -> y }", "found 'mag', expected 'dag'"),
    ("dag {\n x -> y\n y <-> z }", "line 3: the edge 'y <-> z', expected a directed one: a DAG has no others"),
    ("dag { x -- y }", "the edge 'x -- y', expected a directed one"),
    ("dag { x @-> y }", "the edge 'x @-> y'"),
    ("dag { x -> {y z} -- u }", "the edge 'y -- u'"),
    ("dag { x -> }", "line 1: found '}', expected a name"),
    ("dag { node -> x }", "found '->', expected '\\[', as 'node' is no name of a variable"),
    ('dag { "x }', "the text that begins here has no end"),
    ("dag { x : y }", "found ':', expected"),
])
def test_what_is_not_dagitty_or_no_dag_is_told_with_its_line(text, error):
    with pytest.raises(InvalidValueError, match=f"^DAGitty, .*{error}"):
        DAGRewiring.from_dagitty(text)


# ---------------------------------------------------------------- networkx

@given(graphs())
def test_networkx_there_and_back(dag):
    networkx = pytest.importorskip("networkx")
    graph = dag.to_networkx()
    assert isinstance(graph, networkx.DiGraph) and tuple(graph.nodes) == dag.names
    assert sorted(graph.edges) == sorted(edges_of(dag))
    assert same(DAGRewiring.from_networkx(graph), dag)


def test_networkx_nodes_that_are_indices_name_nothing():
    networkx = pytest.importorskip("networkx")
    dag = DAGRewiring.from_networkx(networkx.DiGraph([(2, 0), (0, 1)]))
    assert dag.names is None and dag.get_parents(0) == [2] and dag.get_parents(1) == [0]
    assert same(DAGRewiring.from_networkx(dag.to_networkx()), dag)
    assert DAGRewiring.from_networkx(networkx.DiGraph([(1, 2)])).names == ("1", "2")
    assert DAGRewiring.from_networkx(networkx.DiGraph([(("a", 1), 2.5)])).names == ("('a', 1)", "2.5")


def test_networkx_nodes_tell_which_are_set():
    pytest.importorskip("networkx")
    dag = named()
    dag.apply_intervention_to_dag([1, 1, 0])
    graph = dag.to_networkx()
    assert dict(graph.nodes(data="intervened")) == {"smoking": True, "tar": True, "cancer": False}
    assert sorted(graph.edges) == [("smoking", "cancer"), ("tar", "cancer")]


def test_what_is_no_dag_of_networkx():
    networkx = pytest.importorskip("networkx")
    for graph, kind, text in (
        (networkx.Graph([(0, 1)]), InvalidValueError, "is a Graph, whose edges have no direction, expected a networkx.DiGraph"),
        (networkx.MultiDiGraph([(0, 1)]), InvalidValueError, "is a MultiDiGraph, whose edges may be there twice"),
        (networkx.DiGraph(), InvalidValueError, "graph is empty"),
        (networkx.DiGraph([("a", "b"), ("b", "a")]), CycleError, "a -> b -> a"),
        (networkx.DiGraph([("1", 1)]), InvalidValueError, "'1' is there twice"),
        ([("a", "b")], ArgumentError, "graph is list, expected a networkx.DiGraph"),
    ):
        with pytest.raises(kind, match=text):
            DAGRewiring.from_networkx(graph)


def test_networkx_and_matplotlib_are_imported_only_when_asked_for():
    import subprocess
    import sys

    script = ("import sys; from causal_engine import DAGRewiring; d = DAGRewiring.from_dot('digraph { a -> b }'); d._repr_svg_();"
              "d.to_dagitty(); assert not {'networkx', 'matplotlib'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
