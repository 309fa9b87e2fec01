"""Mechanisms that are as smooth as the evidence of the rows asks for."""

import numpy as np
import pytest

from causal_engine import InvalidValueError, Mechanism, StructuralModel, get_threads, set_threads

EDGES = [("a", "b"), ("a", "c"), ("b", "c")]


def f_b(a):
    return np.tanh(2 * a)


def f_c(a, b):
    return a * b + np.cos(b)


def draw(n, seed=0, noise=0.3):
    rng = np.random.default_rng([11, seed])
    u = rng.normal(size=(3, n))
    a = u[0]
    b = f_b(a) + noise * u[1]
    return {"a": a, "b": b, "c": f_c(a, b) + noise * u[2]}


@pytest.fixture(scope="module")
def model():
    return StructuralModel(EDGES, "smooth", seed=0).fit(draw(3_000), members=2, progress=False)


def error(model, variable):
    """Of counterfactuals of rows that it has not seen, where rows are."""
    new = draw(1_000, seed=1)
    keep = {name: column[np.abs(new["a"]) < 1.5] for name, column in new.items()}
    b = keep["b"] - f_b(keep["a"]) + f_b(0.5)
    truth = {"b": b, "c": keep["c"] - f_c(keep["a"], keep["b"]) + f_c(0.5, b)}
    return np.sqrt(np.mean((model.counterfactual(keep, {"a": 0.5})[variable] - truth[variable]) ** 2))


def test_it_is_near_the_truth_where_rows_are(model):
    assert error(model, "b") < 0.05 and error(model, "c") < 0.08


def test_it_is_nearer_than_a_large_network():
    """By a quarter at least, of few rows, on rows that neither has seen."""
    def errors(mechanism):
        return [error(StructuralModel(EDGES, mechanism, seed=s).fit(draw(300, seed=20 + s), members=2, progress=False), name)
                for s in range(3) for name in "bc"]

    assert np.mean(errors("smooth")) < 0.75 * np.mean(errors("additive"))


def test_threads_change_nothing():
    threads = get_threads()
    try:
        answers = []
        for count in (1, 2):
            set_threads(count)
            one = StructuralModel(EDGES, "smooth", seed=4).fit(draw(800), members=2, progress=False)
            answers.append(one.do(a=1.0).sample(50, seed=0)["c"])
    finally:
        set_threads(threads)
    np.testing.assert_array_equal(*answers)


def test_a_checkpoint_keeps_it(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    again = StructuralModel.load(tmp_path / "model.safetensors")
    assert again.mechanisms == model.mechanisms and again.mechanisms["c"] == "smooth"
    rows = draw(20, seed=3)
    np.testing.assert_array_equal(again.counterfactual(rows, {"a": 1})["c"], model.counterfactual(rows, {"a": 1})["c"])


def test_it_is_chosen_where_it_fits():
    chosen = StructuralModel(EDGES, "auto", seed=0).fit(draw(4_000), epochs=20, progress=False)
    assert chosen.mechanisms["c"] == "smooth"


def test_a_candidate_that_diverges_is_not_chosen():
    chosen = StructuralModel(EDGES, "auto", seed=0).fit(draw(500), lr=1e30, progress=False)
    assert set(chosen.mechanisms.values()) <= {"auto", "smooth"}
    with pytest.raises(InvalidValueError, match="a learning rate of nan"):
        StructuralModel(EDGES, "smooth").fit(draw(100), lr=np.nan, progress=False)


def test_the_bootstrap_gives_it_intervals():
    few = StructuralModel(EDGES, "smooth", seed=0).fit(draw(300), members=10, bootstrap=True, progress=False)
    effect = few.effect("c", {"b": 1}, {"b": 0})
    low, high = effect.interval
    assert low < effect.value < high


def test_rows_in_which_it_was_set_teach_it_nothing():
    data = draw(1_000)
    was_set = np.arange(1_000) < 500
    data["b"] = np.where(was_set, 5.0, data["b"])
    model = StructuralModel(EDGES, "smooth", seed=0).fit(data, {"b": was_set}, progress=False)
    assert model.do(a=0.0).sample(2_000, seed=0)["b"].mean() == pytest.approx(0, abs=0.15)


def test_what_it_cannot_do_is_said():
    data = draw(100)
    for options, word in (({"sparsity": 0.1}, "sparsity"), ({"independence": 1.0}, "independence"), ({"twins": np.r_[-1, 0, np.full(98, -1)]}, "twins")):
        with pytest.raises(InvalidValueError, match=f"smooth, which takes no {word}"):
            StructuralModel(EDGES, "smooth").fit(data, progress=False, **options)
    with pytest.raises(InvalidValueError, match="mechanism of b: a smooth one with 4353 weights, expected at most 1000"):
        StructuralModel(EDGES, Mechanism("smooth", hidden=(64, 64))).fit(data, progress=False)
    data["c"] = np.where(data["c"] > 0, "yes", "no")
    with pytest.raises(InvalidValueError, match="categorical"):
        StructuralModel(EDGES, "smooth").fit(data, progress=False)
