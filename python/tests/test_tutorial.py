"""What the tutorial shows is what happens."""

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "structural.md"


def test_its_blocks_run():
    pytest.importorskip("pandas")
    text = PAGE.read_text()
    lesson = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert lesson.examples
    said = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(lesson, out=said.append)
    assert not said, "".join(said)


def test_its_blocks_end_where_the_page_goes_on():
    """An output ends with an empty line, or doctest takes the fence for a part of it."""
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        assert block.endswith("\n\n")
