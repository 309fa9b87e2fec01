"""What a graph says about data: against path enumeration, networkx, the hedge criterion, and exact probabilities of random models."""

from itertools import chain, combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_engine import Graph, InvalidValueError, UnknownNameError


def subsets(of):
    of = list(of)
    return chain.from_iterable(combinations(of, size) for size in range(len(of) + 1))


def all_graphs(n, has_hidden=False):
    """Every directed acyclic graph over n variables; with hidden causes, also of any of the pairs."""
    pairs = list(combinations(range(n), 2))
    directed = {frozenset(edges) for order in permutations(range(n)) for edges in subsets((order[i], order[j]) for i, j in pairs)}
    for edges in sorted(map(sorted, directed)):
        for hidden in subsets(pairs) if has_hidden else [()]:
            yield n, edges, list(hidden)


def random_graph(n, rng, density=0.4, hidden=0.2):
    """In an order of variables that says nothing about the order of causes."""
    order = rng.permutation(n).tolist()
    pairs = [(order[i], order[j]) for i, j in combinations(range(n), 2)]
    return n, [p for p in pairs if rng.random() < density], [p for p in pairs if rng.random() < hidden]


def graph_of(n, edges, hidden):
    return Graph(edges, n, hidden)


def name(numbers):
    return [f"x{v}" for v in numbers]


class Definition:
    """Everything by definition, from paths and sets, and slowly."""

    def __init__(self, n, edges, hidden):
        self.n, self.edges, self.hidden = n, set(edges), {frozenset(pair) for pair in hidden}
        self.ends = {v: [] for v in range(n)}       # (other variable, arrow here, arrow there)
        for a, b in edges:
            self.ends[a].append((b, False, True))
            self.ends[b].append((a, True, False))
        for a, b in hidden:
            self.ends[a].append((b, True, True))
            self.ends[b].append((a, True, True))
        self.below = {v: self.closure({v}, lambda v: [b for a, b in edges if a == v]) for v in range(n)}
        self.above = {v: {u for u in range(n) if v in self.below[u]} for v in range(n)}

    @staticmethod
    def closure(start, following, inside=None):
        found, waiting = set(start), list(start)
        while waiting:
            for v in following(waiting.pop()):
                if v not in found and (inside is None or v in inside):
                    found.add(v)
                    waiting.append(v)
        return found

    def open_path(self, x, y, z, into_x=False):
        """Whether some path from x to y is open given z."""
        def go(v, arrived, passed):
            if v == y:
                return True
            return any(
                (arrived is not None or here or not into_x)
                and (arrived is None or (bool(self.below[v] & z) if arrived and here else v not in z))
                and go(w, there, passed | {w})
                for w, here, there in self.ends[v] if w not in passed)
        return go(x, None, {x})

    def is_back_door_set(self, z, xs, ys):
        """Maathuis and Colombo's criterion, which for one treatment is Pearl's."""
        z = set(z)
        return (not any(self.below[x] & z for x in xs)
                and not any(self.open_path(x, y, z | set(xs) - {x}, into_x=True) for x in xs for y in ys))

    def has_hedge(self, x, y):
        """Whether two nested districts, one without x and of causes of y other than through x, show that there is no answer (Shpitser
        and Pearl 2006)."""
        causes = self.closure({y}, self.parents, set(range(self.n)) - {x})
        inner = [set(s) for s in subsets(causes) if s and self.is_district(set(s))]
        outer = [set(s) for s in subsets(range(self.n)) if x in s and self.is_district(set(s))]
        return any(f < g and self.closure(f, self.parents, g) == g for f in inner for g in outer)

    def is_district(self, members):
        return self.closure({min(members)}, lambda v: [w for w in members if frozenset((v, w)) in self.hidden]) == members

    def parents(self, v):
        return [a for a, b in self.edges if b == v]


# ---------------------------------------------------------------- separation

def check_separation(described):
    graph, truth = graph_of(*described), Definition(*described)
    for x, y in combinations(range(described[0]), 2):
        for z in subsets(set(range(described[0])) - {x, y}):
            expected = not truth.open_path(x, y, set(z))
            assert graph.is_separated(x, y, z) == graph.is_separated(y, x, z) == expected, (described, x, y, z)


def test_d_separation_in_all_graphs_of_four_variables():
    for n in range(1, 5):
        for described in all_graphs(n):
            check_separation(described)


def test_m_separation_in_all_graphs_of_three_variables_and_some_larger_ones(rng):
    for described in chain(all_graphs(3, has_hidden=True), (random_graph(n, rng) for n in [4] * 60 + [5] * 30 + [6] * 10)):
        check_separation(described)


def test_separation_of_sets_as_networkx_has_it(rng):
    networkx = pytest.importorskip("networkx")
    for _ in range(200):
        n, edges, hidden = random_graph(int(rng.integers(4, 12)), rng, density=0.3)
        graph, reference = graph_of(n, edges, hidden), networkx.DiGraph(edges)
        reference.add_nodes_from(range(n))
        for a, b in hidden:         # a hidden cause is a root that nobody conditions on
            reference.add_edges_from([(("hidden", a, b), a), (("hidden", a, b), b)])
        for _ in range(10):
            role = rng.integers(0, 4, n)
            x, y, z = (set(np.flatnonzero(role == k).tolist()) for k in range(3))
            if x and y:
                assert graph.is_separated(x, y, z) == networkx.is_d_separator(reference, x, y, z)


def test_nothing_is_separated_from_everything():
    graph = Graph([("a", "b")])
    assert graph.is_separated([], "b") and graph.is_separated("a", []) and not graph.is_separated("a", "b")


# ---------------------------------------------------------------- the back door

def check_back_doors(described, xs, ys, observed=None):
    graph, truth = graph_of(*described), Definition(*described)
    fitting = []
    for z in subsets(set(range(described[0])) - set(xs) - set(ys)):
        fits = truth.is_back_door_set(z, xs, ys)
        assert graph.is_back_door_set(z, xs, ys) == fits, (described, xs, ys, z)
        if fits and (observed is None or set(z) <= observed):
            fitting.append(set(z))
    minimal = sorted(name(sorted(z)) for z in fitting if not any(other < z for other in fitting))
    found = graph.back_door_sets(xs, ys, observed)
    assert sorted(found) == minimal, (described, xs, ys)
    assert graph.back_door_set(xs, ys, observed) == (found[0] if found else None)
    assert graph.back_door_sets(xs, ys, observed, limit=1) == found[:1]


def test_back_door_sets_in_all_graphs_of_four_variables():
    for n in range(2, 5):
        for described in all_graphs(n):
            for x, y in permutations(range(n), 2):
                check_back_doors(described, [x], [y])


def test_back_door_sets_where_causes_are_hidden_or_not_observed(rng):
    for described in chain(all_graphs(3, has_hidden=True), (random_graph(n, rng, 0.5, 0.25) for n in [4] * 300 + [5] * 200 + [6] * 40)):
        n = described[0]
        x, y = rng.permutation(n)[:2].tolist()
        check_back_doors(described, [x], [y])
        check_back_doors(described, [x], [y], observed=set(np.flatnonzero(rng.random(n) < 0.6).tolist()))


def test_back_door_sets_of_several_treatments_and_outcomes(rng):
    for n in [4] * 80 + [5] * 60 + [6] * 20:
        order = rng.permutation(n).tolist()
        check_back_doors(random_graph(n, rng), order[:2], order[2:3 + int(rng.integers(2))])


@pytest.mark.parametrize("text, observed, expected", [
    ("a -> {u v} -> y; a -> x -> y", "auv", ["uv", "a"]),                     # either way around u and v leads to a
    ("x <-> v; v <-> y; v -> w -> y; x -> y", "w", []),                       # w opens the way by v
    ("x <- p -> v <- q -> y; v -> w -> y; x -> y", "pqw", ["qw", "p"]),
    ("x <- p -> v <- q -> y; x -> y", "pvq", [""]),
    ("x -> m -> y; x -> y; m <- c -> x", "mc", ["c"]),
])
def test_known_back_door_sets(text, observed, expected):
    assert Graph.of(f"dag {{ {text} }}").back_door_sets("x", "y", list(observed)) == [list(s) for s in expected]


def test_each_limit_gives_a_beginning_of_the_same_list():
    doors = [(f"a{k}", f"b{k}") for k in range(4)]      # four back doors, each closed at either end: 16 sets
    graph = Graph([*doors, *((a, "x") for a, _ in doors), *((b, "y") for _, b in doors), ("x", "y")])
    every = graph.back_door_sets("x", "y")
    assert len(every) == 16 and every[0] == ["b0", "b1", "b2", "b3"]
    assert all(graph.back_door_sets("x", "y", limit=k) == every[:k] for k in range(1, 17))


# ---------------------------------------------------------------- identification and mechanisms

def test_identification_by_the_hedge_criterion(rng):
    for described in chain(all_graphs(3, has_hidden=True), (random_graph(n, rng, 0.5, 0.4) for n in [4] * 500 + [5] * 100)):
        graph, truth = graph_of(*described), Definition(*described)
        for x, y in permutations(range(described[0]), 2):
            assert graph.is_identified(x, y) == (not truth.has_hedge(x, y)), (described, x, y)


@pytest.mark.parametrize("text, expected", [
    ("x -> y; x <-> y", False), ("x -> m -> y; x <-> y", True), ("x -> y; x <-> m; m <-> y", True),
    ("w -> r -> x -> y; w <-> x; w <-> y", True), ("z -> x -> y; x <-> y", False), ("x -> m -> y; x <-> m", False),
    ("x -> m -> y; m <-> y", True), ("x -> y; x -> m; m <-> y; x <-> m", True), ("x -> m -> y; x <-> m; x <-> y", False),
    ("y -> x; x <-> y", True), ("x -> z -> y; w -> x; w -> z; x <-> w; w <-> z", False),
])
def test_queries_with_known_answers(text, expected):
    assert Graph.of(f"dag {{ {text} }}").is_identified("x", "y") == expected


def test_a_mechanism_is_confounded_where_its_variable_and_its_parents_are_not_separated_without_the_edges_between_them(rng):
    for described in chain(all_graphs(3, has_hidden=True), (random_graph(n, rng) for n in [4] * 50 + [5] * 50)):
        n, edges, hidden = described
        graph = graph_of(*described)
        for v in range(n):
            parents = [a for a, b in edges if b == v]
            cut = graph_of(n, [edge for edge in edges if edge[1] != v], hidden)
            # Under do() of its parents a variable is an effect of do(), where it has any.
            confounded = [f"x{v}"] if parents and not cut.is_separated(v, parents) else []
            assert graph.confounded_mechanisms(parents, v, counterfactual=True) == confounded, (described, v)


class Model:
    """A random model of binary variables, each hidden cause one of them: all probabilities, exactly. Axes are variables."""

    def __init__(self, n, edges, hidden, rng):
        self.n, self.edges, self.axes = n, edges, n + len(hidden)
        above = {v: [a for a, b in edges if b == v] + [n + k for k, pair in enumerate(hidden) if v in pair] for v in range(self.axes)}
        self.factors = []
        for v in range(self.axes):
            yes = rng.uniform(0.1, 0.9, [2 if u in above[v] else 1 for u in range(self.axes)])
            self.factors.append(np.concatenate([1 - yes, yes], axis=v))

    def do(self, values=None):
        """P(all variables | do(values)), zero where they have other values."""
        factors = dict(enumerate(self.factors))
        for v, value in (values or {}).items():
            factors[v] = np.eye(2)[value].reshape([2 if u == v else 1 for u in range(self.axes)])
        joint = np.ones([2] * self.axes)
        for factor in factors.values():
            joint = joint * factor
        return joint.sum(axis=tuple(range(self.n, self.axes)))

    def marginal(self, joint, kept):
        return joint.sum(axis=tuple(v for v in range(self.n) if v not in kept), keepdims=True)

    def conditional(self, joint, v, given):
        return self.marginal(joint, {v, *given}) / self.marginal(joint, set(given))


def test_adjusting_for_a_back_door_set_gives_the_effect(rng):
    for _ in range(100):
        described = random_graph(4, rng, 0.5, 0.25)
        graph, model = graph_of(*described), Model(*described, rng)
        seen = model.do()
        for x, y in permutations(range(4), 2):
            for z in graph.back_door_sets(x, y):
                z = [graph.variables.index(v) for v in z]
                adjusted = model.conditional(seen, y, {x, *z}) * model.marginal(seen, set(z))
                for value in 0, 1:
                    effect = model.marginal(np.take(adjusted, [value], axis=x), {y})
                    np.testing.assert_allclose(effect, model.marginal(model.do({x: value}), {y}), atol=1e-12)


def test_where_no_mechanism_stands_in_the_way_drawing_from_one_after_the_other_gives_the_effect(rng):
    answered = 0
    for _ in range(200):
        described = random_graph(int(rng.integers(3, 6)), rng, 0.5, 0.2)
        n, edges, _ = described
        graph, model, truth = graph_of(*described), Model(*described, rng), Definition(*described)
        seen = model.do()
        for x, y in permutations(range(n), 2):
            if graph.confounded_mechanisms(x, y):
                continue
            answered += 1
            assert graph.is_identified(x, y)
            remaining = truth.closure({y}, truth.parents, set(range(n)) - {x})
            drawn = model.marginal(seen, remaining - truth.below[x])
            for v in remaining & truth.below[x]:
                drawn = drawn * model.conditional(seen, v, truth.parents(v))
            drawn = np.broadcast_to(drawn, [2 if v in remaining or v == x else 1 for v in range(n)])
            for value in 0, 1:
                effect = np.take(drawn, [value], axis=x).sum(axis=tuple(v for v in range(n) if v != y), keepdims=True)
                np.testing.assert_allclose(effect, model.marginal(model.do({x: value}), {y}), atol=1e-12)
    assert answered > 500


# ---------------------------------------------------------------- any graph

@given(st.integers(2, 8), st.integers(0, 2**32), st.data())
def test_new_numbers_and_names_change_no_answer(n, seed, data):
    rng = np.random.default_rng(seed)
    _, edges, hidden = random_graph(n, rng)
    order = data.draw(st.permutations(range(n)))
    names = [f"v{v}" for v in range(n)]
    graph = Graph([(names[a], names[b]) for a, b in edges], names, [(names[a], names[b]) for a, b in hidden])
    twin = Graph(graph.edges, [names[v] for v in order], graph.confounded)
    roles = rng.permutation(n).tolist()
    x, y, z = [names[roles[0]]], [names[roles[1]]], [names[v] for v in roles[2:2 + int(rng.integers(n - 1))]]
    assert graph.is_separated(x, y, z) == twin.is_separated(x, y, z)
    assert graph.is_back_door_set(z, x, y) == twin.is_back_door_set(z, x, y)
    assert {frozenset(s) for s in graph.back_door_sets(x, y, limit=1000)} == {frozenset(s) for s in twin.back_door_sets(x, y, limit=1000)}
    assert graph.is_identified(x, y) == twin.is_identified(x, y)
    assert set(graph.confounded_mechanisms(x, y)) == set(twin.confounded_mechanisms(x, y))
    assert {frozenset(d) for d in graph.districts()} == {frozenset(d) for d in twin.districts()}


def test_two_thousand_variables(rng):
    n = 2000
    edges = {(int(rng.integers(effect)), effect) for effect in range(1, n) for _ in range(3)}
    graph = Graph(edges, n, [(v, n - 1 - v) for v in range(0, n // 2, 3)])
    assert not graph.is_separated(0, n - 1) and sum(map(len, graph.districts())) == n
    graph = Graph(edges, n)
    sets = graph.back_door_sets(1000, 1500, limit=50)
    assert sets[0] == graph.back_door_set(1000, 1500) and len({tuple(s) for s in sets}) == len(sets) == 50
    assert all(graph.is_back_door_set(s, 1000, 1500) for s in sets)
    for s in sets[::7]:
        assert not any(graph.is_back_door_set(s[:k] + s[k + 1:], 1000, 1500) for k in range(len(s)))


@pytest.mark.parametrize("question, kind, text", [
    (lambda g: g.is_separated("dose", "age", "dose"), InvalidValueError, "dose is in x and in given"),
    (lambda g: g.is_separated(["dose", "age"], ["age"]), InvalidValueError, "age is in x and in y"),
    (lambda g: g.is_back_door_set("dose", "dose", "outcome"), InvalidValueError, "dose is in treatment and in the back-door set"),
    (lambda g: g.back_door_set("dose", "dose"), InvalidValueError, "dose is in treatment and in outcome"),
    (lambda g: g.back_door_set([], "dose"), InvalidValueError, "no treatment, expected one or more"),
    (lambda g: g.back_door_sets("dose", []), InvalidValueError, "no outcome, expected one or more"),
    (lambda g: g.back_door_sets("dose", "outcome", limit=0), InvalidValueError, "limit is 0, expected 1 or more"),
    (lambda g: g.is_identified("dose", ["outcome", "dose"]), InvalidValueError, "dose is in treatment and in outcome"),
    (lambda g: g.is_separated("dos", "age"), UnknownNameError, "no variable of the graph is named 'dos'; near it: 'dose'"),
    (lambda g: g.back_door_set("dose", "outcome", observed=["aeg"]), UnknownNameError, "near it: 'age'"),
    (lambda g: g.confounded_mechanisms("dose", 3), UnknownNameError, "there is no variable 3, expected 0 to 2"),
])
def test_questions_that_have_no_answer(question, kind, text):
    with pytest.raises(kind, match=text):
        question(Graph([("age", "dose"), ("age", "outcome"), ("dose", "outcome")]))
