"""What hatchling does not know by itself: how the library is built, where it runs, and what a source distribution needs.

A wheel carries the library inside the package. An editable install uses build/libCausal.so, as the tests do.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# SwiftPM refuses a manifest whose folders are missing, those of the tests included.
SWIFT_SOURCES = ("Package.swift", "include", "Sources", "Tests/*Tests")
# The wheel contains OpenBLAS, whose license asks to be passed on with it.
OPENBLAS_LICENSE = Path("/usr/share/doc/libopenblas-dev/copyright")


class SwiftBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        here = Path(self.root)
        top = here if (here / "Package.swift").is_file() else here.parent   # a source distribution, or else the repository
        included = build_data["force_include"]
        if self.target_name == "sdist":
            # README.md and LICENSE are links to files above this folder: what an archive needs are the files.
            build_data["force_include"] = {os.path.realpath(path): name for path, name in included.items()}
            build_data["force_include"].update(swift_sources(top))
        elif version == "editable":
            built = top / "build" / "libCausal.so"
            if not built.is_file():
                fresh = shutil.copy(self.build(top), f"{built}.new")
                os.replace(fresh, built)
        else:
            library = self.build(top)
            included[str(library)] = "causal_engine/libCausal.so"
            if OPENBLAS_LICENSE.is_file():
                included[str(OPENBLAS_LICENSE)] = "causal_engine/OpenBLAS.copyright"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform_tag(library)}"

    def build(self, top: Path) -> Path:
        """The library as `make library` builds it, in the same folder, so that what is up to date is not built again."""
        try:
            answer = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
        except FileNotFoundError:
            answer = ""
        found = re.search(r"Swift version (\d+)\.(\d+)", answer)
        if not found or (int(found[1]), int(found[2])) < (6, 3):
            name = f"{found[1]}.{found[2]}" if found else "none"
            self.app.abort(f"Swift 6.3 or newer is needed to build causal-engine, found {name}: see https://www.swift.org/install")
        scratch = top / "build" / "release"
        done = subprocess.run(
            ["swift", "build", "-c", "release", "--product", "Causal", "--scratch-path", str(scratch)],
            cwd=top, env={**os.environ, "CAUSAL_TUNED": "1", "CAUSAL_STATIC": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )
        if done.returncode:
            if re.search(r"'cblas\.h' file not found|unable to find library -l:libopenblas\.a", done.stdout):
                self.app.abort("OpenBLAS is needed to build causal-engine: sudo apt-get install libopenblas-dev")
            self.app.abort(f"{done.stdout}\nswift build failed with status {done.returncode}")
        return scratch / "release" / "libCausal.so"


def swift_sources(top: Path) -> dict[str, str]:
    """Each file and its place in the archive. One by one, because hatchling visits a folder once, and CausalKernels/V3 and
    V4 are other names of CausalKernels/Portable."""
    files = {}
    for pattern in SWIFT_SOURCES:
        for start in top.glob(pattern):
            found = [start] if start.is_file() else [
                Path(folder, name) for folder, _, names in os.walk(start, followlinks=True) for name in names
            ]
            files.update({str(path): str(path.relative_to(top)) for path in found})
    return dict(sorted(files.items()))


def platform_tag(library: Path) -> str:
    """The oldest glibc that has every symbol version which the library names: pip refuses the wheel where glibc is older."""
    versions = re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?=[.\0])", library.read_bytes())
    major, minor = max((int(major), int(minor)) for major, minor in versions)
    return f"manylinux_{major}_{minor}_{platform.machine()}"
