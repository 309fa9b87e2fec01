"""What the README shows in PyTorch runs as it stands there."""

import re
from pathlib import Path

README = Path(__file__).parents[3] / "README.md"


def test_its_python_in_torch_runs():
    blocks = [block for block in re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL) if "import torch" in block]
    assert blocks
    for block in blocks:
        names = {}
        exec(compile(block, str(README), "exec"), names)
        assert all(parameter.grad is not None for parameter in names["model"].parameters())
