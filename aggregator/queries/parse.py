"""Read a query: a tree, or an error that points at its place.

The grammar is `grammar.lark`. The parser library is loaded with the first query.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.model.errors import OperatorError
from aggregator.queries.canonical import simplified
from aggregator.queries.patterns import trouble
from aggregator.queries.tree import (
    And,
    Field,
    Followed,
    Has,
    Language,
    Leaf,
    Media,
    Node,
    Not,
    Or,
    Pattern,
    Since,
    Source,
    Story,
    Tag,
    Words,
)
from aggregator.queries.words import segments

if TYPE_CHECKING:
    from lark import Lark, Token

LONGEST = 1000  # characters of a query
DEEPEST = 20  # parentheses in each other
MOST = 100  # conditions

_BARE = re.compile(r'"[^"]*"|[()]')
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SCHEME = re.compile(r"(?:mailto|tel|urn|doi):", re.IGNORECASE)
_AGO = re.compile(r"([1-9]\d{0,4})([hdw])")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{1,8})*", re.IGNORECASE)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "\N{FULLWIDTH QUOTATION MARK}": '"'})
_EXPECTED = {
    "WORD": "a word",
    "PHRASE": "a phrase in quotation marks",
    "FIELD": "a field such as “tag:”",
    "LPAR": "“(”",
    "RPAR": "“)”",
    "MINUS": "“-”",
    "_OR": "“or”",
    "PATTERN": "a regular expression",
    "$END": "the end",
}
_VALUES = {"WORD", "PHRASE"}  # what a field or the beginning of a condition asks for


class Use(StrEnum):
    """What a query is for: rules may ask for more than an index can answer."""

    SEARCH = "search"
    RULE = "rule"


class QueryError(OperatorError):
    """A query that cannot be read: what is wrong, and where.

    `column` counts characters from 1, `line` lines from 1; `pointed` shows the place.
    """

    def __init__(self, said: str, text: str, position: int, expected: Iterable[str] = ()) -> None:
        self.said = said
        self.text = text
        self.position = min(max(position, 0), len(text))
        self.expected = tuple(expected)
        before = text[: self.position]
        self.line = before.count("\n") + 1
        self.column = len(before) - (before.rfind("\n") + 1) + 1
        super().__init__(f"{self.message} (column {self.column})\n{self.pointed}")

    @property
    def message(self) -> str:
        """What is wrong and what was expected, in one sentence."""
        if not self.expected:
            return self.said
        *others, last = self.expected
        listed = f"{', '.join(others)} or {last}" if others else last
        return f"{self.said}: expected {listed}"

    @property
    def pointed(self) -> str:
        """The line with the mistake, and a caret under its place."""
        whole = self.text.split("\n")[self.line - 1]
        start = max(0, self.column - 1 - 60)
        return f"{whole[start : start + 100]}\n{' ' * (self.column - 1 - start)}^"


def parse(text: str, use: Use = Use.SEARCH) -> Node:
    """The simplest tree of a query; equal queries have equal trees.

    Raises:
        QueryError: it is longer, deeper or other than what the language allows.
    """
    if len(text) > LONGEST:
        raise QueryError(f"longer than {LONGEST} characters", text, LONGEST)
    if odd := _UNPRINTABLE.search(text):
        raise QueryError("a character that is no text", text, odd.start())
    clean = text.translate(_QUOTES)
    _bounded(text, clean)
    if not clean.strip():
        raise QueryError("nothing is asked for", text, 0, ["a word", "a field such as “tag:”"])
    return simplified(_tree(text, clean, use))


def _bounded(text: str, clean: str) -> None:
    depth = 0
    for found in _BARE.finditer(clean):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth > DEEPEST:
            raise QueryError(f"more than {DEEPEST} parentheses in each other", text, found.start())


def _tree(text: str, clean: str, use: Use) -> Node:
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

    try:
        read = _lark().parse(clean)
        return _Reader(text, use).node(read.children[0])
    except UnexpectedToken as error:
        at = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        said = (
            "it ends too early" if error.token.type == "$END"
            else f"“{error.token}” cannot stand here"
        )  # fmt: skip
        raise QueryError(said, text, at, _expected(error.accepts or error.expected, use)) from None
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        if clean[at] == '"':
            raise QueryError("this quotation mark is not closed", text, at) from None
        allowed = _expected(error.allowed or (), use)
        raise QueryError(f"“{text[at]}” cannot stand here", text, at, allowed) from None
    except (UnexpectedEOF, VisitError):  # pragma: no cover - the two above tell all of LALR
        raise QueryError("it ends too early", text, len(text)) from None


def _expected(names: Iterable[str], use: Use) -> list[str]:
    wanted = set(names) - ({"PATTERN"} if use is Use.SEARCH else set())
    if wanted >= _VALUES | {"FIELD"}:
        return ["a word", "a field such as “tag:”"]
    return sorted(_EXPECTED[name] for name in wanted if name in _EXPECTED)


@cache
def _lark() -> Lark:
    from lark import Lark

    grammar = (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


class _Reader:
    """Makes our tree of the parser's, and checks what a grammar cannot."""

    def __init__(self, text: str, use: Use) -> None:
        self._text = text
        self._use = use
        self._count = 0

    def node(self, tree: Any) -> Node:
        if tree.data in ("either", "all"):
            nodes = tuple(self.node(one) for one in tree.children)
            return Or(nodes) if tree.data == "either" else And(nodes)
        if tree.data == "without":
            *signs, last = tree.children
            inner = self.node(last)
            return Not(inner) if len(signs) % 2 else inner
        if tree.data == "group":
            return self.node(tree.children[0])
        self._count += 1
        first = tree.children[0]
        if self._count > MOST:
            raise self._wrong(f"more than {MOST} conditions", first)
        if tree.data == "field":
            return self._field(first, tree.children[1])
        return self._words(first, None)

    def _wrong(self, said: str, token: Token, *expected: str, offset: int = 0) -> QueryError:
        return QueryError(said, self._text, (token.start_pos or 0) + offset, expected)

    def _words(self, token: Token, field: Field | None, text: str | None = None) -> Words:
        found = tuple(segments(_plain(token) if text is None else text))
        if not found:
            raise self._wrong("no letter and no digit to look for", token)
        return Words(found, field)

    def _field(self, name: Token, value: Token) -> Leaf:
        field = name[:-1].lower()
        if value.type == "PATTERN" and field in _FIELDS and field not in list(Field):
            raise self._wrong(f"“{field}:” takes no regular expression", value)
        if _SCHEME.fullmatch(name):
            return self._words(name, None, f"{name}{_plain(value)}")
        if field not in _FIELDS:
            near = difflib.get_close_matches(field, _FIELDS, n=1, cutoff=0.6)
            meant = f"; did you mean “{near[0]}:”?" if near else ""
            said = f"there is no field “{field}:”, and in quotation marks it is a phrase{meant}"
            raise self._wrong(said, name)
        if field in (Field.LINK, Field.CATEGORY) and self._use is Use.SEARCH:
            raise self._wrong(f"“{field}:” is for rules: no index has it", name)
        if value.type == "PATTERN":
            return self._pattern(Field(field), value)
        if field in list(Field):
            return self._words(value, Field(field))
        return self._value(field, value)

    def _pattern(self, field: Field, value: Token) -> Leaf:
        if self._use is Use.SEARCH:
            raise self._wrong("regular expressions are for rules: no index has them", value)
        body, ignore_case = (value[1:-2], True) if value.endswith("/i") else (value[1:-1], False)
        pattern = body.replace("\\/", "/")
        problem = trouble(pattern, ignore_case)
        if problem:
            raise self._wrong(f"this regular expression is not valid: {problem}", value)
        return Pattern(field, pattern, ignore_case)

    def _value(self, field: str, token: Token) -> Leaf:
        value = _plain(token).strip()
        if not value:
            raise self._wrong(f"“{field}:” needs a value", token)
        if field == "tag":
            return Tag(value.casefold())
        if field == "source":
            return Source(value.lower())
        if field == "lang":
            if not _LANGUAGE.fullmatch(value):
                raise self._wrong(f"“{value}” is no language tag", token, "“en”", "“pt-BR”")
            return Language(value.lower().replace("_", "-"))
        if field == "since":
            return self._since(value, token)
        if field == "has":
            if value.lower() not in list(Media):
                raise self._wrong(
                    f"“{value}” is nothing to have", token, *(f"“{m}”" for m in Media)
                )
            return Has(Media(value.lower()))
        if field == "followed":
            if value.lower() not in ("yes", "no"):
                raise self._wrong(f"“{value}” is neither", token, "“yes”", "“no”")
            return Followed(value.lower() == "yes")
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise self._wrong(f"“{value}” is no number of an item", token, "such as “story:123”")
        return Story(int(value))

    def _since(self, value: str, token: Token) -> Since:
        if found := _AGO.fullmatch(value.lower()):
            return Since(ago=int(found[1]) * _UNITS[found[2]])
        if _DAY.fullmatch(value):
            try:
                return Since(at=datetime.fromisoformat(value).replace(tzinfo=UTC))
            except ValueError:
                raise self._wrong(f"there is no day {value}", token) from None
        raise self._wrong(
            f"“{value}” is no time", token, "“36h”", "“7d”", "“2w”", "a day such as “2026-11-29”"
        )


_FIELDS = (
    *("tag", "source", "author", "lang", "since", "has", "followed", "story"),
    *("title", "text", "link", "category"),
)


def _plain(token: Token) -> str:
    return token[1:-1] if token.type == "PHRASE" else str(token)
