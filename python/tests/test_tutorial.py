"""What the tutorials show is what happens."""

import doctest
import re
from pathlib import Path

import pytest

PAGES = [Path(__file__).parents[1] / "docs" / name for name in ("structural.md", "discovery.md")]


@pytest.mark.filterwarnings("ignore:a hidden common cause")       # of which the page says that it is warned of
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_blocks_run(page):
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    text = page.read_text()
    lesson = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    assert lesson.examples
    said = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(lesson, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_blocks_end_where_the_page_goes_on(page):
    """An output ends with an empty line, or doctest takes the fence for a part of it."""
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        assert block.endswith("\n\n")
