"""Every line of code in `docs` runs and gives the output that stands beneath it.

A section, from one heading to the next, is a program of its own. Those that need something that is not installed are passed over.
"""

import ast
import doctest
import inspect
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def sections(page):
    """By heading the text of each section that has code, with as many lines before it as in the file."""
    text = page.read_text()
    starts = [match.start() for match in re.finditer(r"^#+ .*$", re.sub(BLOCK, lambda block: re.sub(r"[^\n]", "x", block[0]), text), re.MULTILINE)]
    for start, end in zip(starts, [*starts[1:], len(text)]):
        if BLOCK.search(text[start:end]):
            yield text[start:].splitlines()[0].strip("# "), "\n" * text.count("\n", 0, start) + text[start:end]


def code(section):
    """The code alone, in its lines."""
    kept, place = [], 0
    for block in BLOCK.finditer(section):
        kept += [re.sub(r"[^\n]", "", section[place:block.start(1)]), block[1]]
        place = block.end(1)
    return "".join(kept)


EVERY = [(DOCS / "api.md", heading, text) for heading, text in sections(DOCS / "api.md")]     # the tutorial is one program, with a test of its own


def imports(text):
    """The packages that a section imports, in order."""
    lines = [node for example in doctest.DocTestParser().get_examples(code(text)) for node in ast.walk(ast.parse(example.source))]
    names = [name for node in lines if isinstance(node, (ast.Import, ast.ImportFrom))
             for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])]
    return [name.partition(".")[0] for name in names]


def processes():
    """Which sections run in which process: those with torch in one, those without in another, and alone those that import it later."""
    found = {}
    for _, heading, text in EVERY:
        names = imports(text)
        later = "torch" in names and names.index("torch") > names.index("causal_engine")
        found.setdefault(heading if later else "with torch" if "torch" in names else "without torch", []).append((heading, text))
    return found


@pytest.mark.parametrize("process", processes())
def test_it_runs_as_it_stands_there(process):
    there = [heading for heading, text in processes()[process] if all(find_spec(name) for name in imports(text))]
    if not there:
        pytest.skip("needs torch")
    done = subprocess.run([sys.executable, "-W", "error", __file__, *there], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_code_is_examples():
    for page, heading, text in EVERY:
        assert all(block.startswith(">>> ") for block in BLOCK.findall(text)), f"{page.name}, {heading}"


def test_every_public_method_is_shown():
    import causal_engine as engine

    shown = set(re.findall(r"\w+", "".join(page.read_text() for page in DOCS.glob("*.md"))))
    assert set(engine.__all__) - shown <= {name for name in engine.__all__ if name.endswith(("Error", "Epoch", "Gradients", "History", "threads"))}
    for kind in (engine.CausalUnit, engine.CausalMLP, engine.DAGRewiring, engine.CausalLayerRewiring, engine.CausalLosses, engine.CausalMetrics):
        public = {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}
        assert not public - shown, f"{kind.__name__}: {sorted(public - shown)}"


if __name__ == "__main__":
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for page, heading, text in EVERY:
        if heading in sys.argv[1:]:
            runner.run(doctest.DocTestParser().get_doctest(code(text), {"__name__": "__main__"}, heading, str(page), 0))
    sys.exit(runner.summarize(verbose=False).failed > 0 or runner.tries == 0)
