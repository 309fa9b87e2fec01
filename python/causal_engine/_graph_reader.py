"""Reads a graph from the pieces of a text."""

from __future__ import annotations

from collections.abc import Mapping

from ._graph_tokens import DAGITTY, DOT, Dialect, Token, tokens
from .errors import ArgumentError, InvalidValueError, shown

_DEEPEST = 100      # braces in braces, so that no text can exhaust the stack


class Reader:
    """Reads one graph.

    Attributes
    ----------
    names
        Of the variables, in the order in which they come up, each with its index.
    edges
        (cause, effect), each once.
    confounded
        The two ends of each `a <-> b`, once. Only where these are wanted: elsewhere they are errors.
    undirected
        The same for edges of DOT with `dir=none`.
    latent
        The variables that DAGitty is told not to be observed.
    """

    def __init__(self, text: str, dialect: Dialect, has_confounded: bool = False) -> None:
        if not isinstance(text, str):
            raise ArgumentError(f"{dialect.name} is {shown(text)}, expected a text")
        self.names: dict[str, int] = {}
        self.edges: dict[tuple[int, int], None] = {}
        self.confounded: dict[tuple[int, int], None] = {}
        self.undirected: dict[tuple[int, int], None] = {}
        self.latent: dict[int, None] = {}
        self._has_confounded = has_confounded
        self._dialect = dialect
        self._tokens = tokens(text.removeprefix("\ufeff"), dialect)
        self._next = next(self._tokens)
        self._after = next(self._tokens, self._next)
        self._graph()

    def _graph(self) -> None:
        if self._is_word("strict"):
            self._advance()
        if not any(self._is_word(head) for head in self._dialect.heads):
            raise self._error(" or ".join(map(repr, self._dialect.heads)))
        self._advance()
        if self._next.kind in ("word", "text"):
            self._name()
        self._expect("{")
        self._statements({}, 1)
        if self._next.kind != "end":
            raise self._error("the end")
        if not self.names:
            raise InvalidValueError(f"{self._dialect.name}: the graph is empty, expected at least one variable")

    def _statements(self, drawn: dict[str, str], depth: int) -> dict[int, None]:
        """All up to the closing brace. `drawn` are the attributes that edges have by default; returned is whatever was named."""
        if depth > _DEEPEST:
            raise InvalidValueError(f"{self._dialect.name}, line {self._next.line}: more than {_DEEPEST} braces in each other")
        members: dict[int, None] = {}
        while self._next.kind != "}":
            if self._next.kind == ";":
                self._advance()
            else:
                members.update(self._statement(drawn, depth))
        self._advance()
        return members

    def _statement(self, drawn: dict[str, str], depth: int) -> dict[int, None]:
        for word in self._dialect.attributed:
            if self._is_word(word):
                self._advance()
                if self._next.kind != "[":
                    raise self._error(f"'[', as {word!r} is no name of a variable")
                attributes = self._attributes()
                drawn.update(attributes if word == "edge" else {})
                return {}
        if self._next.kind in ("word", "text") and self._after.kind == "=":
            self._attribute()
            return {}
        ends, arrows = [self._end(drawn, depth)], []
        while self._next.kind == "arrow":
            arrows.append(self._advance())
            if arrows[-1].text not in self._dialect.arrows:
                raise self._error(" or ".join(map(repr, self._dialect.arrows)), arrows[-1])
            ends.append(self._end(drawn, depth))
        own = self._attributes()
        if not arrows and self._dialect is DAGITTY and not {"latent", "unobserved"}.isdisjoint(own):
            self.latent.update(dict.fromkeys(ends[0]))
        attributes = {**drawn, **own}
        for arrow, left, right in zip(arrows, ends, ends[1:]):
            self._connect(left, arrow, right, attributes)
        return {member: None for end in ends for member in end}

    def _end(self, drawn: Mapping[str, str], depth: int) -> dict[int, None]:
        """One end of an edge, or a variable alone: a name, or many between braces."""
        if self._is_word("subgraph"):
            self._advance()
            if self._next.kind in ("word", "text"):
                self._name()
            if self._next.kind != "{":
                raise self._error("'{'")
        if self._next.kind == "{":
            self._advance()
            return self._statements(dict(drawn), depth + 1)
        index = self.names.setdefault(self._name(), len(self.names))
        while self._dialect is DOT and self._next.kind == ":":      # a port: the side at which an edge is drawn
            self._advance()
            self._name()
        return {index: None}

    def _attributes(self) -> dict[str, str]:
        attributes: dict[str, str] = {}
        while self._next.kind == "[":
            self._advance()
            while self._next.kind != "]":
                name, value = self._attribute()
                attributes[name] = value
                if self._next.kind in (",", ";"):
                    self._advance()
            self._advance()
        return attributes

    def _attribute(self) -> tuple[str, str]:
        name = self._name()
        if self._next.kind != "=":
            return name, ""
        self._advance()
        return name, self._name()

    def _connect(self, left: dict[int, None], arrow: Token, right: dict[int, None], attributes: Mapping[str, str]) -> None:
        is_dot = self._dialect is DOT
        if is_dot and attributes.get("style") == "invis":
            return                          # it only holds a drawing together
        meant = as_drawn(attributes) if is_dot else arrow.text
        if self._has_confounded and (meant == "<->" or (meant == "--" and is_dot)):
            kept = self.confounded if meant == "<->" else self.undirected
            kept.update(((min(a, b), max(a, b)), None) for a in left for b in right)
            return
        if left and right and meant not in ("->", "<-"):
            names = list(self.names)
            edge = f"{names[next(iter(left))]} {meant} {names[next(iter(right))]}"
            raise InvalidValueError(
                f"{self._dialect.name}, line {arrow.line}: the edge {shown(edge)}, expected a directed one"
                + (" or <->" if self._has_confounded else ": a DAG has no others"))
        causes, effects = (left, right) if meant == "->" else (right, left)
        self.edges.update(((cause, effect), None) for cause in causes for effect in effects)

    # ------------------------------------------------------------ one token at a time

    def _is_word(self, word: str) -> bool:
        return self._next.kind == "word" and self._next.text.lower() == word

    def _name(self) -> str:
        if self._next.kind not in ("word", "text"):
            raise self._error("a name")
        token = self._advance()
        whole = token.text
        while token.kind == "text" and self._next.kind == "+":
            self._advance()
            if self._next.kind != "text":
                raise self._error("a text in quotes")
            whole += self._advance().text
        return whole

    def _expect(self, kind: str) -> None:
        if self._next.kind != kind:
            raise self._error(repr(kind))
        self._advance()

    def _advance(self) -> Token:
        token, self._next = self._next, self._after
        self._after = next(self._tokens, self._after)
        return token

    def _error(self, expected: str, found: Token | None = None) -> InvalidValueError:
        token = found or self._next
        what = "the end" if token.kind == "end" else shown(token.text)
        return InvalidValueError(f"{self._dialect.name}, line {token.line}: found {what}, expected {expected}")


def as_drawn(attributes: Mapping[str, str]) -> str:
    """The arrow that Graphviz draws for `a -> b` under these attributes. Other programs write edges of every kind in this way, and
    to read all of them as a -> b would make causes out of them."""
    ends = attributes.get("dir", "forward")
    at_tail = ends in ("back", "both") and attributes.get("arrowtail", "normal") != "none"
    at_head = ends not in ("back", "none") and attributes.get("arrowhead", "normal") != "none"
    return ("<->" if at_head else "<-") if at_tail else "->" if at_head else "--"
