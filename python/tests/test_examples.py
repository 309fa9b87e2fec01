"""The notebooks of `examples` run from the first cell to the last, and what they show is so. with_torch has those in PyTorch."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_it_is_a_notebook_of_cells_that_explain_themselves(path):
    text = path.read_text()
    assert text.startswith("# %% [markdown]\n# # ") and text.count("\n# %%\n") >= 5
    assert len(text.splitlines()) <= 120 and text.count("# %% [markdown]") >= 5


def test_a_data_frame_with_named_interventions(capsys):
    pytest.importorskip("pandas")
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot

    try:
        shown = runpy.run_path(str(EXAMPLES / "dataframe_with_named_interventions.py"))
        for axes in (shown["graph_axes"], shown["history_axes"]):
            axes.figure.canvas.draw()
        assert "do(blood pressure)" in {text.get_text() for text in shown["graph_axes"].texts}
    finally:
        pyplot.close("all")
    assert shown["causes_when_set"] == []
    assert list(shown["answer"].index) == list(shown["test"].index) and list(shown["answer"].columns) == ["recovery"]
    assert shown["told_error"] < 0.2 < 1 < shown["blind_error"]
    assert shown["score"] > 0.98 > 0.5 > shown["blind_score"]
    assert shown["effect"] == pytest.approx(-2, abs=0.1)
    assert "near it: 'blood pressure'" in capsys.readouterr().out
