"""A wheel built from the source distribution works where there is neither Swift nor this repository."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("hatchling")
pytest.importorskip("pip")

PROJECT = Path(__file__).parents[1]

PROGRAM = """
import numpy as np, causal_engine
from causal_engine import CausalMLP, _bindings
model = CausalMLP(input_dim=3, hidden_dims=[16, 16], output_dim=1, seed=0)
x = np.random.default_rng(0).normal(size=(64, 3))
model.fit(x, x @ [[1], [2], [-3]], interventions={0: ([0, 1, 0], [0, 0.5, 0])}, epochs=2, progress=False)
print(causal_engine.__version__, _bindings.library_path())
"""


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def pip_wheel(source, destination, **options):
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", destination, source]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    place = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", place, cwd=PROJECT)
    (archive,) = place.iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    if not shutil.which("swift"):
        pytest.skip("there is no Swift to build with")
    place = tmp_path_factory.mktemp("wheel")
    done = pip_wheel(sdist, place)
    assert done.returncode == 0, done.stdout
    (built,) = place.iterdir()
    return built


def test_the_source_distribution_has_files_not_links(sdist):
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert all(member.isfile() for member in members)
    names = {member.name.split("/", 1)[1] for member in members}
    assert {"LICENSE", "README.md", "Package.swift", "include/causal.h",
            "Sources/CausalKernels/V3/Lanes.swift", "Sources/CausalKernels/V4/Lanes.swift"} <= names
    assert not [name for name in names if name.endswith(".so")]


def test_without_swift_one_line_says_so(sdist, tmp_path):
    done = pip_wheel(sdist, tmp_path, env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode != 0
    assert "Swift 6.3 or newer is needed to build causal-engine, found none" in done.stdout
    assert "Traceback" not in done.stdout


def test_the_tag_names_the_newest_glibc_symbol(wheel, tmp_path):
    if not shutil.which("readelf"):
        pytest.skip("readelf is not installed")
    with zipfile.ZipFile(wheel) as archive:
        library = archive.extract("causal_engine/libCausal.so", tmp_path)
    versions = re.findall(r"\bGLIBC_(\d+)\.(\d+)", run("readelf", "--version-info", "--wide", library))
    major, minor = max((int(major), int(minor)) for major, minor in versions)
    assert f"-py3-none-manylinux_{major}_{minor}_" in wheel.name


def test_the_wheel_carries_what_a_reader_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA"))
        (license,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("/licenses/LICENSE"))
    assert (PROJECT.parent / "README.md").read_text() in metadata
    assert license == (PROJECT.parent / "LICENSE").read_text()


def test_it_runs_in_a_clean_environment_without_swift(wheel, tmp_path):
    clean = tmp_path / "clean"
    venv.create(clean, symlinks=True)
    run(sys.executable, "-m", "pip", "--python", clean / "bin" / "python", "install", "--no-deps", "--no-index", wheel)
    # numpy and tqdm come from where these tests run, without the network; editable installs there are not followed.
    (packages,) = clean.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(str(Path(np.__file__).parents[1]))
    said = run(clean / "bin" / "python", "-c", PROGRAM, cwd=tmp_path, env={"PATH": str(clean / "bin")})
    version, library = said.split()
    assert Path(library) == packages / "causal_engine" / "libCausal.so"
    assert version in wheel.name
