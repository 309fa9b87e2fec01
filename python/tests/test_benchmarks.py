"""The benchmark of a training step, short: that the peers here do the same work, and that it notices where one does not."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
NETWORK = "3-[16,16]-1"


@pytest.fixture(scope="module", autouse=True)
def scripts():
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def problem(batch=32, name=NETWORK):
    return importlib.import_module("peers.problem").Problem.named(name, batch)


def run(script, *arguments):
    return subprocess.run([sys.executable, BENCHMARKS / script, *map(str, arguments)], capture_output=True, text=True)


def test_writes_what_every_peer_took(tmp_path):
    done = run("bench_speed.py", "--network", NETWORK, "--batch", 32, "--peers", "engine,numpy", "--turns", 2, "--seconds", 0.02,
               "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "speed.json").read_text())
    assert [(row["peer"], row["threads"]) for row in sorted(rows, key=lambda row: (row["peer"], row["threads"]))] == [
        ("engine", 1), ("engine", 2), ("numpy", 1), ("numpy", 2)]
    for row in rows:
        assert set(row) == {"network", "batch", "threads", "peer", "median_us", "loss_after_5_steps"}
        assert (row["network"], row["batch"]) == (NETWORK, 32) and 0 < row["median_us"] < 1e6
        assert row["loss_after_5_steps"] == pytest.approx(rows[0]["loss_after_5_steps"], rel=1e-5)
    assert "times the engine" in done.stdout and "of peak" in done.stdout
    done = run("bench_goals.py", "--parts", "step", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    verdicts = {goal["what"]: goal["verdict"] for goal in json.loads((tmp_path / "goals.json").read_text())}
    assert verdicts["a step, 3-[16,16]-1, 32 rows, threads 1: us"] in ("reached", "missed")
    assert verdicts["a step, 3-[16,16]-1, 32 rows, threads 1: times faster than JAX's scan"] == "not measured"


@pytest.mark.parametrize("arguments", [("--network", NETWORK), ("--network", "3-16-1", "--batch", 32), ("--peers", "engine,abacus"),
                                       ("--threads", "0"), ("--threads", "9999"), ("--seconds", "0"), ("--turns", "0")])
def test_refuses_what_it_does_not_know(arguments):
    done = run("bench_speed.py", *arguments)
    assert done.returncode == 2 and "error:" in done.stderr and "Traceback" not in done.stderr


def test_names_a_peer_that_is_not_there(monkeypatch):
    pool = importlib.import_module("peers.pool")
    monkeypatch.setattr(pool, "PEERS", {"abacus": "in_abacus"})
    with pool.Pool(["abacus"], [1, 2]) as opened:
        assert opened.peers == [] and "in_abacus" in opened.missing["abacus"]


def test_losses_that_differ_fail():
    turns, some = importlib.import_module("peers.turns"), problem()
    first = some.loss(some.weights)
    turns.expect_agreement(some, {"a": 0.9 * first, "b": 0.9 * first * (1 + 0.9e-4)})
    with pytest.raises(turns.Disagreement, match="differ by more than 0.0001: a: .*; b: "):
        turns.expect_agreement(some, {"a": 0.9 * first, "b": 0.9 * first * (1 + 1.1e-4)})
    with pytest.raises(turns.Disagreement):
        turns.expect_agreement(some, {"a": 0.9 * first, "b": float("nan")})
    with pytest.raises(turns.Disagreement, match="nobody has learned"):
        turns.expect_agreement(some, {"a": first, "b": first})


def test_who_forgets_do_is_noticed():
    turns, some, forgetful = importlib.import_module("peers.turns"), problem(), problem()
    x, y, mask, values = some.data
    forgetful.__dict__["data"] = x, y, np.zeros_like(mask), values
    engine, numpy = importlib.import_module("peers.in_engine").Engine, importlib.import_module("peers.in_numpy").Numpy
    losses = {kind.__name__: some.loss(kind(some).learn(1, 5)) for kind in (engine, numpy)}
    turns.expect_agreement(some, losses)
    with pytest.raises(turns.Disagreement, match="differ"):
        turns.expect_agreement(some, {**losses, "forgetful": some.loss(numpy(forgetful).learn(1, 5))})


def test_do_concerns_a_third_of_the_inputs_of_half_of_the_rows():
    for name, columns in ((NETWORK, 1), ("2-[4]-1", 1), ("16-[64,64]-1", 5)):
        mask = problem(32, name).data[2]
        assert mask[::2, :columns].all() and mask.sum() == len(mask) // 2 * columns


def test_operations_and_bytes_of_a_step():
    some = problem()
    assert some.operations == 2 * 32 * (2 * 3 * 16 + 3 * 16 * 16 + 3 * 16)      # no gradient of the inputs
    assert some.parameters == 4 * 16 + 17 * 16 + 17
    assert some.traffic == 4 * (8 * some.parameters + 32 * (3 + 2 + 4 * 32))


def test_verdicts():
    goal = importlib.import_module("goals.judge").Goal
    assert [goal("", side, 2.0, reached).verdict for side, reached in (("<=", 2.0), ("<=", 2.1), (">=", 2.0), (">=", 1.9), ("<=", None))] == [
        "reached", "missed", "reached", "missed", "not measured"]


def test_many_models_as_one_call_are_those_of_many_calls():
    many = importlib.import_module("goals.many_models")
    for alone, together in ((many.seeds_alone, many.seeds_together), (many.bootstrap_alone, many.bootstrap_together)):
        goal = many.goal("few", alone, together, models=4, turns=2)
        assert goal.reached > 0 and goal.verdict in ("reached", "missed") and "medians of 2 turns" in goal.remark
    with pytest.raises(RuntimeError, match="other weights than one that was trained alone"):
        many.goal("others", many.seeds_alone, many.bootstrap_together, models=4, turns=1)


def test_how_time_and_memory_grow(tmp_path):
    done = run("bench_growth.py", "--quick", "--seconds", 0.01, "--threads", "1", "--axes", "depth,rows", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "growth.json").read_text())["rows"]
    assert [(row["axis"], row["value"]) for row in rows] == [("depth", 1), ("depth", 2), ("depth", 4), ("depth", 8), ("rows", 1_000), ("rows", 10_000)]
    assert all(0 < row["bytes"] < 100 * 2**20 and row["us"]["1"] > 0 for row in rows)
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_ranges_of_growth():
    points = {sweep.axis: list(sweep.points) for sweep in importlib.import_module("growth.sweeps").sweeps(quick=False)}
    assert {axis: (values[0], values[-1]) for axis, values in points.items()} == {
        "width": (16, 4_096), "depth": (1, 64), "batch": (1, 100_000), "rows": (1_000, 10_000_000), "intervened units": (0, 256)}


def test_memory_that_training_may_take():
    parameters, units = 4 * 16 + 17 * 16 + 17, 3 + 16 + 16 + 1
    assert importlib.import_module("growth.point").allowed([3, 16, 16, 1], 100) == 4 * 4 * parameters + 4 * 100 * units + 10 * 2**20


def test_prediction_for_more_threads():
    predicted = importlib.import_module("bench_growth").predicted
    assert predicted(100.0, 50.0, 4, None) == pytest.approx(25)
    assert predicted(100.0, 75.0, 4, None) == pytest.approx(50 + 50 / 4)
    assert predicted(100.0, 50.0, 4, 2) == pytest.approx(50)        # two parts keep two threads busy
    assert predicted(100.0, 50.0, 4, 6) == pytest.approx(100 / 3)   # in two rounds
    assert predicted(100.0, 120.0, 4, 8) == 100                     # a second thread was no help


def test_parts_that_threads_can_share():
    parts = importlib.import_module("bench_growth").parts
    for widths, batch, expected in [
        ([3, 16, 16, 1], 32, 1), ([16, 64, 64, 1], 1_000, 4), ([16, 64, 64, 1], 100_000, 8),      # parts of the rows
        ([16, 256, 256, 1], 256, 4), ([16, 4_096, 4_096, 1], 256, 16), ([16, 200, 1], 8, 1),         # tiles of a product
    ]:
        assert parts({"widths": widths, "batch": batch}) == expected


def test_the_chart_is_drawn_from_the_run(tmp_path):
    rows = [{"network": NETWORK, "batch": 32, "threads": threads, "peer": peer, "median_us": us, "times_the_engine": us / 4,
             "share_of_fma_peak": 0.256}
            for threads in (1, 2) for peer, us in (("engine", 4.0), ("torch-fused", 400.0), ("jax-scan", 9.0))]
    machine = {"processor": "a processor", "cores": 2, "date": "2026-01-02"}
    ran = {"rows": rows, "machine": machine, "versions": ["JAX 1", "PyTorch 2"], "peak_gflops": {"1": 100.4, "2": 200}, "quick": False}
    (tmp_path / "run.json").write_text(json.dumps(ran))
    goals = [{"what": "fast", "side": "<=", "wanted": 3, "reached": 4.0, "verdict": "missed"},
             {"what": "small", "side": "<=", "wanted": 3, "reached": 2.0, "verdict": "reached"}]
    (tmp_path / "goals.json").write_text(json.dumps(goals))
    (tmp_path / "growth.json").write_text(json.dumps({"quick": False}))
    (tmp_path / "growth.png").write_bytes(b"a picture")
    done = run("speed_chart.py", "--run", tmp_path / "run.json", "--picture", tmp_path / "docs" / "speed.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "docs" / "growth.png").read_bytes() == b"a picture"
    assert (tmp_path / "docs" / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert f"| {NETWORK} | 32 | 1 | 4.0 us | 26% | 100 | 2.25 |" in done.stdout
    assert "1 goals reached, 1 missed" in done.stdout and "| fast | <= 3 | 4 |" in done.stdout and "small" not in done.stdout
    assert "a processor, 2 cores, 2026-01-02; JAX 1, PyTorch 2" in done.stdout and "100 GFLOP/s on 1" in done.stdout

    (tmp_path / "run.json").write_text(json.dumps(ran | {"quick": True}))
    done = run("speed_chart.py", "--run", tmp_path / "run.json", "--picture", tmp_path / "other.png")
    assert done.returncode == 2 and "quick run" in done.stderr and not (tmp_path / "other.png").exists()


def test_no_library_is_held_back_by_the_surroundings(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    environment = importlib.import_module("peers.pool").environment(2)
    assert "OPENBLAS_CORETYPE" not in environment and environment["OMP_NUM_THREADS"] == "2" and environment["PATH"]
