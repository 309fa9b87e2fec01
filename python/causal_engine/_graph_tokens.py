"""DOT and DAGitty, two dialects of one language, and its texts in pieces."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from .errors import InvalidValueError


class Dialect(NamedTuple):
    """In what the languages differ."""

    name: str
    heads: tuple[str, ...]          # what a graph may begin with
    attributed: tuple[str, ...]     # bare words that take attributes and are no variables
    arrows: tuple[str, ...]
    word: str                       # the pattern of a name without quotes
    quoted: str                     # and of one with
    escape: str                     # what stands for something else between quotes
    has_html: bool


DOT = Dialect(
    "DOT", ("digraph",), ("graph", "node", "edge"), ("->",),
    r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*|-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?![A-Za-z0-9_.\x80-\U0010ffff])",
    r'"(?:[^"\\]|\\.)*"', r'\\(\\|"|\r?\n)', True)
DAGITTY = Dialect(
    "DAGitty", ("dag", "digraph", "graph"), ("graph", "node"), ("->", "<-", "<->", "--", "@->", "<-@", "@-@", "@--", "--@"),
    r"[\w.]+|-[0-9.]+", r'"(?:\\"|[^"])*"', r'\\("|[\r\n]+)', False)


class Token(NamedTuple):
    kind: str           # "word", "text" (quoted), "arrow", "end", or the sign itself
    text: str
    line: int


def tokens(text: str, dialect: Dialect) -> Iterator[Token]:
    """The text in pieces, without comments; the last is of kind "end"."""
    pattern = re.compile(
        rf"(?P<space>\s+|//[^\n]*|/\*.*?\*/|^\#[^\n]*)|(?P<arrow>@->|<-@|@--|--@|@-@|<->|<-|->|--)"
        rf"|(?P<text>{dialect.quoted})|(?P<word>{dialect.word})|(?P<sign>[{{}}\[\]=,;:+])", re.S | re.M)
    place, line, before = 0, 1, ""
    while place < len(text):
        # An arrow to the left is not DOT, and is told so, though it could be the beginning of a text in angle brackets.
        is_html = dialect.has_html and text[place] == "<" and (before == "=" or not text.startswith("<-", place))
        found = None if is_html else pattern.match(text, place)
        if is_html:
            token, place = _html(text, place, line, dialect)
        elif found is None:
            raise _unreadable(text, place, line, dialect)
        else:
            place = found.end()
            kind = found.lastgroup or ""
            token = Token(found.group() if kind == "sign" else kind, found.group(), line)
        line += token.text.count("\n")
        if token.kind == "text" and not is_html:
            token = token._replace(text=re.sub(dialect.escape, _unescaped, token.text[1:-1]))
        elif is_html:
            token = token._replace(text=html.unescape(token.text[1:-1]))
        if token.kind != "space":
            before = token.kind
            yield token
    yield Token("end", "", line)


def _unescaped(found: re.Match[str]) -> str:
    what = found.group(1)
    return '"' if what == '"' else found.group() if what == "\\" else ""    # in DOT two backslashes stay two


def _html(text: str, place: int, line: int, dialect: Dialect) -> tuple[Token, int]:
    """A text in angle brackets, which may hold others."""
    depth = 0
    for bracket in re.compile("[<>]").finditer(text, place):
        depth += 1 if bracket.group() == "<" else -1
        if not depth:
            return Token("text", text[place:bracket.end()], line), bracket.end()
    raise InvalidValueError(f"{dialect.name}, line {line}: the text that begins here with '<' has no end, expected '>'")


def _unreadable(text: str, place: int, line: int, dialect: Dialect) -> InvalidValueError:
    for begins, ends, what in ('"', '"', "text"), ("/*", "*/", "comment"):
        if text.startswith(begins, place):
            return InvalidValueError(f"{dialect.name}, line {line}: the {what} that begins here has no end, expected {ends!r}")
    rest = re.match(r"\S{1,20}", text[place:])
    return InvalidValueError(f"{dialect.name}, line {line}: found {rest.group() if rest else ''!r}, expected a name or an edge")
