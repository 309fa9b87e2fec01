"""What the README shows runs as it stands there."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_its_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    names = {}
    for block in blocks:
        if "import torch" in block:
            continue        # with_torch runs those
        exec(compile(block, str(README), "exec"), names)
    assert names["y_pred"].shape == (10, 1)
    assert len(names["history"]) == 20
    assert (tmp_path / "model.safetensors").is_file()


def test_its_pictures_and_files_exist():
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README.read_text()):
        assert (README.parent / target).is_file(), target
