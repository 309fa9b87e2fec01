"""The notebooks of `examples` that are in PyTorch run from the first cell to the last, and what they show is so."""

import runpy
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def random_numbers_stay_as_they_were():
    with torch.random.fork_rng():
        yield


def test_first_steps_in_torch(capsys):
    shown = runpy.run_path(str(EXAMPLES / "first_steps_in_torch.py"))
    assert shown["y_pred"].shape == (10, 1)
    assert shown["effect_error"] < 0.1 < 0.5 < shown["blind_error"]
    assert shown["intervened_gradient"] == 0.0 and shown["dose_gradient"] / 5 == pytest.approx(2, abs=0.2)
    assert shown["spread_inside"] < 1e-6 and shown["same"]
    assert "effect of x2 (truth: 2): told 2.0" in capsys.readouterr().out


def test_finetune_pretrained(capsys):
    shown = runpy.run_path(str(EXAMPLES / "finetune_pretrained.py"))
    assert shown["error_after"] < shown["error_before"] / 2
    assert shown["slope_before"] < 0 and shown["slope_after"] == pytest.approx(1, abs=0.3)
    assert shown["lower_is_as_it_was"]
    assert capsys.readouterr().out.index("before: interventional error") < 10
