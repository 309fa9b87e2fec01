"""The three rules (Pearl 2009, theorem 3.4.1), in what a learned model simulates: what the graph says does not matter, does not matter."""

import numpy as np
import pytest

from causal_engine import Graph, StructuralModel

EDGES = [("w", "z"), ("w", "y"), ("z", "x"), ("x", "y"), ("y", "late")]
ROWS = 60_000


@pytest.fixture(scope="module")
def model():
    """w -> z -> x -> y -> late and w -> y; w and z are labels, so that one can condition on them."""
    rng = np.random.default_rng(0)
    w = np.where(rng.random(3_000) < 0.4, "high", "low")
    z = rng.random(3_000) < np.where(w == "high", 0.7, 0.3)
    x = 1.0 * z + rng.normal(size=3_000)
    y = 2 * x + 1.5 * (w == "high") + rng.normal(size=3_000)
    data = {"w": w, "z": z, "x": x, "y": y, "late": y + rng.normal(size=3_000)}
    return StructuralModel(EDGES, mechanisms="linear", seed=1).fit(data, lr=0.05, epochs=60, progress=False)


def means(frame, outcome, *chosen):
    """Mean and its standard error of the rows that are chosen."""
    rows = frame[outcome][np.logical_and.reduce(chosen)]
    assert len(rows) > 2_000
    return rows.mean(), rows.std() / np.sqrt(len(rows))


def agree(one, two):
    return abs(one[0] - two[0]) < 4 * np.hypot(one[1], two[1])


def test_rule_1_observations_that_say_nothing(model):
    """P(y | do(x), z, w) = P(y | do(x), w), since z and y are separated by x and w once the edges into x are cut."""
    graph = Graph(EDGES)
    assert graph.do("x").is_separated("y", "z", given=["x", "w"])
    frame = model.do(x=1).sample(ROWS)
    for level in ("high", "low"):
        here = frame["w"] == level
        assert agree(means(frame, "y", here, frame["z"]), means(frame, "y", here, ~frame["z"]))
    # Without w they are not separated, and z tells of it.
    assert not graph.do("x").is_separated("y", "z", given=["x"])
    assert not agree(means(frame, "y", frame["z"]), means(frame, "y", ~frame["z"]))


def test_rule_2_seeing_is_doing_where_no_back_door_is_open(model):
    """P(y | do(z), w) = P(y | z, w), since w closes the back door of z; P(y | do(z)) is not P(y | z)."""
    graph = Graph(EDGES)
    assert graph.back_door_set("z", "y") == ["w"]
    seen, done = model.sample(ROWS), model.do(z=True).sample(ROWS, seed=99)
    for level in ("high", "low"):
        assert agree(means(seen, "y", seen["w"] == level, seen["z"]), means(done, "y", done["w"] == level))
    assert not agree(means(seen, "y", seen["z"]), means(done, "y", done["z"]))


def test_rule_3_actions_without_a_way_to_the_outcome(model):
    """P(y | do(x), do(z)) = P(y | do(x)), and P(y | do(late)) = P(y): to the bit, with the same noise."""
    for one, two in [(model.do(x=1), model.do(x=1, z=True)), (model.do(late=3), model)]:
        np.testing.assert_array_equal(one.sample(500)["y"], two.sample(500)["y"])
    assert not np.array_equal(model.do(z=True).sample(500)["y"], model.sample(500)["y"])


def test_the_back_door_formula(model):
    """The sum over w of P(y | z, w) P(w) is E[y | do(z)]."""
    seen = model.sample(4 * ROWS)
    adjusted = sum((seen["w"] == level).mean() * means(seen, "y", seen["w"] == level, seen["z"])[0] for level in ("high", "low"))
    done = model.do(z=True).mean("y", draws=ROWS)
    assert adjusted == pytest.approx(done.value, abs=4 * np.hypot(done.error, 0.01))


def test_the_truncated_product(model):
    """do(x) is what remains of the joint distribution without the factor of x: non-effects keep their law, to the bit."""
    natural, done = model.sample(300), model.do(x=5).sample(300)
    for name in ("w", "z"):
        np.testing.assert_array_equal(natural[name], done[name])
    assert set(done["x"]) == {5.0}
