"""The type checker finds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_mypy():
    pytest.importorskip("mypy")
    project = Path(__file__).resolve().parents[1]
    checked = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", project.parent / "build" / "mypy"], cwd=project,
                             capture_output=True, text=True, timeout=600)
    assert checked.returncode == 0, checked.stdout + checked.stderr
