"""The experiment of `make demo`, short."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "run_phase1.py"


@pytest.fixture(scope="module")
def phase1():
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("run_phase1", EXPERIMENT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_writes_its_report_and_picture(phase1, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run_phase1.py", "--seeds", "2", "--epochs", "40", "--output", str(tmp_path)])
    phase1.main()
    report = json.loads((tmp_path / "phase1.json").read_text())
    assert set(report["models"]) == {"blind", "observational", "causal", "overwrite"}
    for model in report["models"].values():
        assert len(model["coefficients"]) == len(model["coefficient_error"]) == 3
        assert model["test_mse"] > 0 and model["do_rmse"] > 0
    assert report["seeds"] == [0, 1] and report["train_seconds"] > 0
    assert report["max_gradient_on_intervened"] == 0.0
    assert report["models"]["causal"] == report["models"]["overwrite"]      # to the bit
    assert report["models"]["causal"]["do_rmse"] < 0.2 < 1 < report["models"]["blind"]["do_rmse"]
    assert (tmp_path / "phase1.png").read_bytes().startswith(b"\x89PNG")
    assert "largest gradient on an intervened input: 0.0" in capsys.readouterr().out


def test_the_experiment_is_what_it_says(phase1):
    data = phase1.Data.draw(3)
    assert data.x.shape == (800, 3) and data.x_test.shape == (200, 3)
    assert data.mask.sum() == 400 and data.mask[:, 1].sum() == 400
    seen = np.where(data.mask, data.values, data.x)
    assert np.std(data.y[:, 0] - seen @ phase1.EFFECTS) == pytest.approx(0.1, rel=0.1)
    assert np.std(data.x[data.mask]) == pytest.approx(1, rel=0.15)         # recorded before the intervention
