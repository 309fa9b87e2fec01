"""The experiment on how much data it takes, short; and the arithmetic of what it reports."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


@pytest.fixture(scope="module")
def experiment():
    pytest.importorskip("matplotlib")
    sys.path.insert(0, str(EXPERIMENTS))
    spec = importlib.util.spec_from_file_location("data_efficiency", EXPERIMENTS / "data_efficiency.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
    sys.path.remove(str(EXPERIMENTS))


@pytest.mark.filterwarnings("ignore:.*fork")        # pytest has threads; the workers of the script come before any
def test_writes_its_report_and_picture(experiment, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["data_efficiency.py", "--quick", "--output", str(tmp_path)])
    experiment.main()
    report = json.loads((tmp_path / "data_efficiency.json").read_text())
    assert report["rows"] == [250, 1000] and report["seeds"] == [0, 1] and len(report["queries"]) == 4
    for entry in report["queries"]:
        assert set(entry["errors"]) == set(experiment.LEARNERS) and np.shape(entry["errors"]["structural"]) == (2, 2)
        assert np.isfinite(list(entry["mean"].values())).all() and len(entry["saved"]) == 4
    assert (tmp_path / "data_efficiency.png").read_bytes().startswith(b"\x89PNG")
    out = capsys.readouterr().out
    assert "rows saved" in out and "triangle: do(x2) -> x3" in out


def test_rows_to_reach_an_error(experiment):
    sizes, curve = np.array([100.0, 400.0, 1_600.0]), np.array([0.8, 0.4, 0.2])       # one over the square root of rows
    assert experiment.rows_to_reach(sizes, curve, 0.8) == experiment.rows_to_reach(sizes, curve, 5) == 100
    assert experiment.rows_to_reach(sizes, curve, 0.4) == pytest.approx(400)
    assert experiment.rows_to_reach(sizes, curve, 0.8 / 3) == pytest.approx(900)
    assert experiment.rows_to_reach(sizes, curve, 0.1) == np.inf
    assert experiment.rows_to_reach(sizes, np.array([0.8, 0.2, 0.4]), 0.3) < 400        # it was there before


def test_a_saving(experiment):
    sizes, plain = np.array([100.0, 400.0, 1_600.0]), np.array([0.8, 0.4, 0.2])
    assert experiment.saving(sizes, plain, plain / 2) == pytest.approx(4)
    assert experiment.saving(sizes, plain / 2, plain) == pytest.approx(1 / 4)
    assert experiment.saving(sizes, plain, plain) == pytest.approx(1)
    assert experiment.saving(sizes, plain, plain / 100) == 16                           # no more can be seen
    assert experiment.said({"factor": 16.0, "interval": [9, 16]}, 16) == "at least 16x (9 to 16)"
    assert experiment.said({"factor": 1.5, "interval": [0.9, 2]}, 16) == "none that is certain: 1.5x (0.9 to 2)"
    assert experiment.said({"factor": 0.5, "interval": [0.2, 2]}, 16) == "none: 0.5x (0.2 to 2)"


def test_truths_are_those_of_the_equations(experiment):
    by_name = {query.name: query.truth() for query in experiment.QUERIES}
    doses, means = by_name["triangle: do(x2) -> x3"]
    x1 = np.random.default_rng(5).normal(size=400_000)
    np.testing.assert_allclose(means, [(20 / (1 + np.exp(-dose ** 2 + x1))).mean() for dose in doses], atol=0.05)
    doses, means = by_name["fork: do(x3) -> x4"]
    np.testing.assert_allclose(means, 20 / (1 + np.exp(doses ** 2 / 2 - doses)), atol=0.02)


def test_half_of_the_rows_are_an_experiment(experiment):
    query = experiment.QUERIES[0]
    doses, _ = query.truth()
    rows, was_set = experiment.half_set(experiment.PROBLEMS["triangle"], query, doses, 4_000, np.random.default_rng(0))
    assert was_set.sum() == was_set[:2_000, 1].sum() == 2_000
    set_rows = rows[:2_000]
    assert doses[0] <= set_rows[:, 1].min() and set_rows[:, 1].max() <= doses[-1]
    assert abs(np.corrcoef(set_rows[:, 0] ** 2, set_rows[:, 1])[0, 1]) < 0.1 < np.corrcoef(rows[2_000:, 0] ** 2, rows[2_000:, 1])[0, 1]
    residual = set_rows[:, 2] - 20 / (1 + np.exp(-set_rows[:, 1] ** 2 + set_rows[:, 0]))
    assert np.std(residual) == pytest.approx(1, rel=0.06)                               # what x3 became under do(x2)
