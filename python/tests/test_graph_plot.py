"""Pictures of graphs: what the layout promises, what SVG and matplotlib show."""

import time
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_engine import DAGRewiring, Graph
from causal_engine._graph_drawing import svg
from causal_engine._graph_layout import layout
from causal_engine._graph_picture import picture
from causal_engine._graph_shapes import HEIGHT

SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def edges(draw, most=14):
    n = draw(st.integers(1, most))
    order = draw(st.permutations(range(n)))
    chosen = draw(st.lists(st.sampled_from(list(combinations(range(n), 2)) or [None]), max_size=3 * n, unique=True))
    return n, [(order[pair[0]], order[pair[1]]) for pair in chosen if pair]


def random_edges(n, density, seed):
    rng = np.random.default_rng(seed)
    return np.argwhere(np.triu(rng.random((n, n)) < density, 1)).tolist()


def dag_of(n, pairs, names=None):
    dag, matrix = DAGRewiring(n, names), np.zeros((n, n))
    for i, j in pairs:
        matrix[i, j] = 1
    dag.set_adjacency_matrix(matrix)
    return dag


def chain(do=(0, 0, 0)):
    dag = dag_of(3, [(0, 1), (1, 2)], ["smoking", "tar", "cancer"])
    dag.apply_intervention_to_dag(do)
    return dag


# ---------------------------------------------------------------- layout

@given(edges())
def test_causes_stand_before_effects_and_variables_apart(graph):
    n, pairs = graph
    plan = layout(n, pairs)
    assert plan == layout(n, pairs)
    for (cause, effect), route in zip(pairs, plan.routes):
        assert (route[0], route[-1]) == (cause, effect)
        assert [plan.layer[v] for v in route] == list(range(plan.layer[cause], plan.layer[effect] + 1))
    for v, w in combinations(range(len(plan.layer)), 2):
        if plan.layer[v] == plan.layer[w]:
            assert abs(plan.place[v] - plan.place[w]) > (1 if max(v, w) < n else 0.44) - 1e-9
    assert min(plan.layer) == 0 and min(plan.place) == 0


def on(curve):
    """Many points of a curve."""
    t = np.linspace(0, 1, 40)[:, None]
    ends = np.array(curve.points)
    for a, b, c, d in zip(ends[0::3], ends[1::3], ends[2::3], ends[3::3]):
        yield from (1 - t)**3 * a + 3 * (1 - t)**2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


@given(edges())
def test_no_edge_runs_through_a_variable(graph):
    n, pairs = graph
    names = [f"variable {v}" * (v % 3) + str(v) for v in range(n)]
    drawn = picture(names, pairs)
    for pair, curve in zip(pairs, drawn.curves):
        for x, y in on(curve):
            assert 0 <= x <= drawn.width and drawn.top <= y <= drawn.bottom
            for v, box in enumerate(drawn.boxes):
                # From the line between the middles of its two half circles.
                beside = max(abs(x - box.x) - (box.width - HEIGHT) / 2, 0)
                assert v in pair or np.hypot(beside, y - box.y) > HEIGHT / 2


@given(edges(most=7))
def test_an_edge_goes_from_the_cause_to_the_effect(graph):
    n, pairs = graph
    drawn = picture([str(v) for v in range(n)], pairs)
    for (cause, effect), curve in zip(pairs, drawn.curves):
        for (x, y), box in (curve.points[0], drawn.boxes[cause]), (curve.head[0], drawn.boxes[effect]):
            assert np.hypot(max(abs(x - box.x) - (box.width - HEIGHT) / 2, 0), y - box.y) == pytest.approx(HEIGHT / 2)
        assert drawn.boxes[cause].x < curve.points[0][0] < curve.head[0][0] < drawn.boxes[effect].x


@given(edges(most=8), st.data())
def test_an_arc_touches_its_two_variables_and_stays_in_the_picture(graph, data):
    n, pairs = graph
    hidden = data.draw(st.lists(st.sampled_from(list(combinations(range(n), 2)) or [None]), max_size=n, unique=True))
    hidden = [pair for pair in hidden if pair]
    drawn = picture([f"variable {v}" * (v % 2) + str(v) for v in range(n)], pairs, confounded=hidden)
    for pair, curve in zip(hidden, drawn.curves[len(pairs):]):
        for v in pair:
            box = drawn.boxes[v]
            away = [np.hypot(max(abs(x - box.x) - (box.width - HEIGHT) / 2, 0), y - box.y) for x, y in (curve.first_head[0], curve.head[0])]
            assert HEIGHT / 2 == pytest.approx(away[0]) or HEIGHT / 2 == pytest.approx(away[1])
        for x, y in on(curve):
            assert 0 <= x <= drawn.width and drawn.top <= y <= drawn.bottom


def test_an_arc_finds_its_way_around_what_is_between():
    hidden = [(0, 5), (1, 4), (0, 2)]
    drawn = picture(list("abcdef"), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], confounded=hidden)
    for pair, curve in zip(hidden, drawn.curves[5:]):
        for x, y in on(curve):
            assert all(v in pair or np.hypot(x - box.x, y - box.y) > HEIGHT / 2 for v, box in enumerate(drawn.boxes))


def crossings(n, pairs):
    plan = layout(n, pairs)
    steps = [step for route in plan.routes for step in zip(route, route[1:])]
    return sum((plan.place[a] - plan.place[c]) * (plan.place[b] - plan.place[d]) < 0
               for (a, b), (c, d) in combinations(steps, 2) if plan.layer[a] == plan.layer[c])


def test_few_edges_cross():
    assert crossings(6, [(0, 5), (1, 4), (2, 3)]) == 0
    assert crossings(15, [(v // 2, v) for v in range(1, 15)]) == 0          # a tree
    assert crossings(8, [(0, 4), (0, 5), (1, 6), (1, 7), (2, 4), (2, 7), (3, 5), (3, 6)]) == 3      # a ring
    assert crossings(6, [(i, j) for i in range(3) for j in range(3, 6)]) == 9   # as many as there must be


def test_parts_without_an_edge_between_them_lie_below_each_other():
    plan = layout(8, [(0, 1), (2, 3), (3, 4), (2, 4)])
    first, second = ({plan.place[v] for v in part} for part in ((2, 3, 4), (0, 1)))
    assert max(first) < min(second) and max(second) < min(plan.place[v] for v in (5, 6, 7))


@pytest.mark.parametrize("n, density", [(60, 0.05), (60, 0.2), (60, 1.0), (30, 1.0), (400, 0.01), (300, 0.0)])
def test_a_picture_takes_no_time_worth_mentioning(n, density):
    began = time.perf_counter()
    picture([str(v) for v in range(n)], [tuple(pair) for pair in random_edges(n, density, 0)])
    assert time.perf_counter() - began < 10         # about a second where it is longest


# ---------------------------------------------------------------- SVG

def texts(svg):
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_an_svg_shows_names_arrows_and_interventions():
    before, after = (ElementTree.fromstring(chain(do)._repr_svg_()) for do in ([0, 0, 0], [0, 1, 0]))
    assert texts(chain()._repr_svg_()) == ["smoking", "tar", "cancer"]
    assert texts(chain([0, 1, 0])._repr_svg_()) == ["smoking", "do(tar)", "cancer"]
    assert [title.text for title in after.iter(f"{SVG}title")] == ["smoking", "tar", "cancer"]
    for root, cut in (before, 0), (after, 1):
        paths = list(root.iter(f"{SVG}path"))
        assert len(paths) == len(list(root.iter(f"{SVG}polygon"))) == 2
        assert sum("stroke-dasharray" in path.attrib for path in paths) == cut
    assert len({rect.get("fill") for rect in after.iter(f"{SVG}rect")}) == 2


def test_a_hidden_cause_is_dashed_and_has_a_head_at_both_ends():
    root = ElementTree.fromstring(Graph([("a", "b"), ("b", "c")], confounded=[("a", "c")])._repr_svg_())
    assert [title.text for title in root.iter(f"{SVG}title")] == ["a", "b", "c"]
    paths = list(root.iter(f"{SVG}path"))
    assert len(paths) == 3 and sum("stroke-dasharray" in path.attrib for path in paths) == 1
    assert len(list(root.iter(f"{SVG}polygon"))) == 4
    assert Graph([], 60)._repr_svg_().startswith("<svg") and Graph([], 61)._repr_svg_() is None


def test_a_cause_of_nothing_and_a_root_can_be_set_too():
    assert texts(chain([1, 0, 1])._repr_svg_()) == ["do(smoking)", "tar", "do(cancer)"]


@given(st.lists(st.text(st.characters(), min_size=1), min_size=1, max_size=4))
def test_any_name_makes_a_sound_svg(names):
    drawn = picture(names, [])
    written = svg(drawn)
    assert texts(written.encode()) == [box.label for box in drawn.boxes]
    assert len(ElementTree.fromstring(written).findall(f"{SVG}g")) == len(names)


def test_names_are_escaped_and_shortened():
    dag = DAGRewiring(2, ["<script>alert('&')</script>", "a" * 500])
    written = dag._repr_svg_()
    assert "<script" not in written and texts(written) == ["<script>alert('&')</script"[:23] + "…", "a" * 23 + "…"]


def test_without_names_there_are_indices_and_many_variables_are_told_in_text():
    assert texts(dag_of(2, [(0, 1)])._repr_svg_()) == ["0", "1"]
    assert DAGRewiring(60)._repr_svg_().startswith("<svg") and DAGRewiring(61)._repr_svg_() is None


# ---------------------------------------------------------------- matplotlib

@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_it_plots_itself(pyplot):
    ax = chain([0, 1, 0]).plot()
    assert [text.get_text() for text in ax.texts] == ["smoking", "do(tar)", "cancer"]
    assert sum(patch.get_linestyle() != "solid" for patch in ax.patches) == 1
    at = [text.get_position()[0] for text in ax.texts]
    assert at == sorted(at)
    ax.figure.canvas.draw()


def test_a_graph_with_hidden_causes_plots_itself(pyplot):
    ax = Graph([("a", "b")], confounded=[("a", "b")]).plot()
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.texts] == ["a", "b"]
    assert sum(type(patch).__name__ == "Polygon" for patch in ax.patches) == 3
    assert sum(patch.get_linestyle() != "solid" for patch in ax.patches) == 1


def test_it_plots_on_axes_that_are_there(pyplot):
    _, (left, right) = pyplot.subplots(1, 2, figsize=(4, 2))
    dag = dag_of(30, random_edges(30, 0.1, 0))
    assert dag.plot(ax=right) is right and len(right.texts) == 30 and not left.texts
    small = right.texts[0].get_fontsize()
    assert small < dag.plot().texts[0].get_fontsize()       # text and boxes are of one size
    right.figure.canvas.draw()


@pytest.mark.parametrize("names", [["$x^2$", "a_$b"], ["a\nb", "\\frac"], ["%", "{}"]])
def test_names_are_no_formulas(pyplot, names):
    ax = DAGRewiring(2, names).plot()
    ax.figure.canvas.draw()
    assert ax.texts[0].get_text() == names[0].replace("\n", " ")


def test_text_fits_its_box(pyplot):
    ax = dag_of(3, [(0, 1), (1, 2)], ["blood pressure", "x", "NUMBER OF CIGARETTES"]).plot()
    ax.figure.canvas.draw()
    boxes = [patch for patch in ax.patches if type(patch).__name__ == "FancyBboxPatch"]
    for text, box in zip(ax.texts, boxes):
        outer, inner = box.get_window_extent(), text.get_window_extent()
        assert outer.x0 < inner.x0 and inner.x1 < outer.x1 and outer.y0 < inner.y0 and inner.y1 < outer.y1
