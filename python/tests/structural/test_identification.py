"""Hidden common causes: what no data of this kind can tell is not told."""

import numpy as np
import pytest

from causal_engine import Graph, InvalidValueError, StructuralModel


def learned(graph, hidden_to=("x", "y"), n=3_000, seed=0):
    """x -> m -> y, y -> after, with a hidden cause of two of them."""
    rng = np.random.default_rng(seed)
    hidden = {name: 1.5 * rng.normal(size=n) if name == hidden_to[0] else 0.0 for name in "xmy"}
    for name in hidden_to[1:]:
        hidden[name] = hidden[hidden_to[0]]
    x = hidden["x"] + rng.normal(size=n)
    m = x + hidden["m"] + rng.normal(size=n)
    y = m + hidden["y"] + rng.normal(size=n)
    data = {"x": x, "m": m, "y": y, "after": y + rng.normal(size=n)}
    return StructuralModel(graph, mechanisms="linear", seed=1).fit(data, lr=0.05, epochs=60, progress=False)


CHAIN = [("x", "m"), ("m", "y"), ("y", "after")]


def test_the_bow_arc():
    model = StructuralModel(Graph([("x", "y")], confounded=[("x", "y")]), mechanisms="linear", seed=0)
    rng = np.random.default_rng(0)
    model.fit({"x": rng.normal(size=50), "y": rng.normal(size=50)}, epochs=2, progress=False)
    for ask in (lambda: model.effect("y", {"x": 1}, {"x": 0}), lambda: model.do(x=1).sample(3), lambda: model.do(x=1).mean("y"),
                lambda: model.counterfactual({"x": [0.0], "y": [0.0]}, {"x": 1})):
        with pytest.raises(InvalidValueError, match="not identified: y shares a hidden cause with another variable"):
            ask()
    assert len(model.sample(3)["x"]) == 3                                # seeing is no doing
    assert np.isfinite(model.do(x=1).mean("x").value)               # x itself is what it is set to
    assert np.isfinite(model.do(y=1).mean("x").value)               # a cause of what is set


def test_a_hidden_cause_elsewhere_does_no_harm():
    """x <-> m leaves do(m) and do(y) as they are, and does not leave do(x)."""
    model = learned(Graph(CHAIN, confounded=[("x", "m")]), ("x", "m"))
    assert model.effect("y", {"m": 1}, {"m": 0}).value == pytest.approx(1, abs=0.05)
    assert model.effect("after", {"y": 1}, {"y": 0}).value == pytest.approx(1, abs=0.05)
    with pytest.raises(InvalidValueError, match="not identified: m shares a hidden cause"):
        model.effect("y", {"x": 1}, {"x": 0})


def test_only_what_is_asked_has_to_be_identified():
    """m <-> y: the effect of x on m is there to be seen, that of m on what follows is not."""
    model = learned(Graph(CHAIN, confounded=[("m", "y")]), ("m", "y"))
    assert model.effect("m", {"x": 1}, {"x": 0}).value == pytest.approx(1, abs=0.12)
    with pytest.raises(InvalidValueError, match="not identified: y"):
        model.effect("after", {"m": 1}, {"m": 0})


def test_a_simulation_keeps_what_hidden_causes_share():
    """Seen, and not done: the noises of x and y are drawn from one and the same row."""
    model = learned(Graph([("x", "m")], ["x", "m", "y", "after"], confounded=[("x", "y")]))
    sample = model.sample(20_000)
    assert np.cov(sample["x"], sample["y"])[0, 1] == pytest.approx(2.25 + 2.25 + 1, rel=0.15)
    set_apart = model.do(x=0).sample(2_000)
    assert set(set_apart["x"]) == {0.0}


def test_the_text_is_one_line():
    model = StructuralModel("dag { x -> y; x <-> y }", mechanisms="linear", seed=0).fit({"x": [0.0, 1], "y": [0.0, 1]}, epochs=1, progress=False)
    with pytest.raises(InvalidValueError) as caught:
        model.effect("y", {"x": 1}, {"x": 0})
    assert "\n" not in str(caught.value) and "may still be identified in another way" in str(caught.value)
