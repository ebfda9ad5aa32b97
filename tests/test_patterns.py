"""No regular expression over foreign text takes more than linear time (values 2 and 3).

Every pattern of the program is found, in the modules as they are imported and in their source, and
is fed with texts made from its own parts: what may stand before a repeated part, that part again
and again, and an end that does not fit. Work is measured as CPU time at n, 2n and 4n and judged by
growth alone, generously, and only where it is large enough to be measured.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined,unused-ignore]
from re import _parser  # type: ignore[attr-defined,unused-ignore]
from typing import Any

import pytest

import aggregator
from aggregator.urls import key

METHODS = ("match", "fullmatch", "search", "findall", "finditer", "split", "sub", "subn")
LENGTH = 2_000  # n, in characters
SIZES = ((22, 0.01), (30, 0.01), (40, 0.01), (64, 0.05), (1000, 0.3))
# Whoever uses these cuts the text to so many characters before; then growth harms nobody.
CUT = {
    "aggregator.feeds.values.dates._PATTERNS": 4 * 64,
    "aggregator.articles.reading.printed._BETWEEN": 300,
    "aggregator.articles.headings._MARKER": 120,
}
MOST = 60  # texts for one pattern and method, the simplest first
NOTICED = 0.02  # CPU seconds: what takes less at 4n harms nobody at n
GROWTH = 9.0  # from n to 4n; linear 4, quadratic 16

# Rooms whose texts are the operator's own.
OWN = ("aggregator.config", "aggregator.cli", "aggregator.store.migrations", "aggregator.service")


@dataclass(frozen=True)
class Used:
    """A pattern with how it is used: `search` from every place, `match` from the first alone."""

    place: str
    pattern: re.Pattern[str]
    methods: frozenset[str]


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(aggregator.__path__, "aggregator."):
        if not found.name.startswith(OWN) and not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def patterns_in(value: object, depth: int = 3) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif isinstance(value, Mapping) and depth:
        for one in value.values():
            yield from patterns_in(one, depth - 1)
    elif isinstance(value, tuple | list | frozenset | set) and depth:
        for one in value:
            yield from patterns_in(one, depth - 1)


def used_methods(tree: ast.AST) -> dict[str, set[str]]:
    """By which methods each name is used in a module: `NAME.search(…)`, `map(NAME.search, …)`."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in METHODS
            and isinstance(node.value, ast.Name)
        ):
            found.setdefault(node.value.id, set()).add(node.attr)
    return found


def inline(tree: ast.AST, module: Any) -> Iterator[Used]:
    """`re.sub("…", …)` where it stands; what only a call knows cannot be evaluated here."""
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in (*METHODS, "compile")
        ):
            continue
        flags = next((one.value for one in node.keywords if one.arg == "flags"), None)
        if (
            flags is None
            and isinstance(node.args[-1], ast.Attribute | ast.BinOp)
            and len(node.args) > 1
        ):
            flags = node.args[-1]  # `re.I` as the last argument
        try:
            text = eval(compile(ast.Expression(node.args[0]), "?", "eval"), vars(module))
            flag = eval(compile(ast.Expression(flags), "?", "eval"), vars(module)) if flags else 0
        except NameError:
            continue
        if isinstance(text, str):
            method = "search" if node.func.attr == "compile" else node.func.attr
            place = f"{module.__name__}:{node.lineno}"
            yield Used(place, re.compile(text, flag), frozenset({method}))


def every_pattern() -> list[Used]:
    found: dict[tuple[str, int, frozenset[str]], Used] = {}
    for module in modules():
        tree = ast.parse(inspect.getsource(module))
        methods = used_methods(tree)
        here = list(inline(tree, module))
        for name, value in vars(module).items():
            for pattern in patterns_in(value):
                how = methods.get(name)
                if how is None and any(pattern == one.pattern for one in here):
                    how = {"search"}
                used = Used(f"{module.__name__}.{name}", pattern, frozenset(how or {"search"}))
                here.append(used)
        named = {one.pattern for one in here if not one.place.rpartition(":")[2].isdigit()}
        for used in here:
            compiled_here = used.place.rpartition(":")[2].isdigit() and used.pattern in named
            if not compiled_here:
                key = (used.pattern.pattern, used.pattern.flags, used.methods)
                found.setdefault(key, used)
    return [*found.values(), *made_late()]


def made_late() -> Iterator[Used]:
    """Patterns of data files, which are read when the first text comes."""
    how = frozenset({"fullmatch"})
    yield Used("aggregator.urls.key._any_site_rule", key._any_site_rule(), how)
    for number, (pattern, _) in enumerate(key._site_rules()):
        yield Used(f"aggregator.urls.key._site_rules.{number}", pattern, how)


def sample(nodes: Any, turn: int) -> str:
    """A short text that these parts of a pattern match, roughly; `turn` picks among choices."""
    text = ""
    for operation, argument in nodes:
        text += _sample_of(operation, argument, turn)
    return text


def _sample_of(operation: Any, argument: Any, turn: int) -> str:
    if operation is sre.LITERAL:
        return chr(argument)
    if operation is sre.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if operation is sre.ANY:
        return "a"
    if operation is sre.IN:
        return _member(argument, turn)
    if operation is sre.BRANCH:
        branches = argument[1]
        return sample(branches[turn % len(branches)], turn)
    if operation is sre.SUBPATTERN:
        return sample(argument[-1], turn)
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, _, inner = argument
        repeats: int = max(least, turn % 2)
        return sample(inner, turn) * repeats
    if operation is sre.ATOMIC_GROUP:
        return sample(argument, turn)
    return ""


_CATEGORY = {
    sre.CATEGORY_DIGIT: "1", sre.CATEGORY_SPACE: " ", sre.CATEGORY_WORD: "a",
    sre.CATEGORY_NOT_DIGIT: "a", sre.CATEGORY_NOT_SPACE: "a", sre.CATEGORY_NOT_WORD: " ",
}  # fmt: skip


def _member(members: Any, turn: int) -> str:
    negated = members[0][0] is sre.NEGATE
    choices: list[str] = []
    for operation, argument in members:
        if operation is sre.LITERAL:
            choices.append(chr(argument))
        elif operation is sre.RANGE:
            choices.append(chr(argument[0]))
        elif operation is sre.CATEGORY:
            choices.append(_CATEGORY[argument])
    if negated:
        return next(c for c in "a 1-<\n./é☃" if c not in choices)
    return choices[turn % len(choices)] if choices else "a"


def pumps(nodes: Any, before: str, turn: int) -> Iterator[tuple[str, str]]:
    """Every repeated part with what may stand before it."""
    for operation, argument in nodes:
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, inner = argument
            if most is sre.MAXREPEAT or most > 50:
                yield before, sample(inner, turn) or "a"
            yield from pumps(inner, before, turn)
        elif operation is sre.SUBPATTERN:
            yield from pumps(argument[-1], before, turn)
        elif operation is sre.ATOMIC_GROUP:
            yield from pumps(argument, before, turn)
        elif operation in (sre.ASSERT, sre.ASSERT_NOT):
            yield from pumps(argument[1], before, turn)
        elif operation is sre.BRANCH:
            for branch in argument[1]:
                yield from pumps(branch, before, turn)
        before += _sample_of(operation, argument, turn)
    yield "", before or "a"  # the whole of it, again and again
    yield before[:-1], before[:1] or "a"


def texts(used: Used) -> list[tuple[str, str, str]]:
    """Beginnings, what is repeated, ends; the simplest first."""
    parsed = _parser.parse(used.pattern.pattern, used.pattern.flags & ~re.DEBUG)
    made: dict[tuple[str, str, str], None] = {}
    for turn in range(3):
        for before, pump in pumps(parsed, "", turn):
            for first, again in ((before, pump), ("", before + pump), ("", pump)):
                if 0 < len(again) <= 80:
                    made[first, again, "\0"] = None
                    made[first, again + " ", "\0"] = None
                    made[first, again, ""] = None
    return sorted(made, key=lambda one: len(one[0]) + len(one[1]))[:MOST]


def work(used: Used, method: str) -> Callable[[str], object]:
    pattern = used.pattern
    if method in ("sub", "subn"):
        return lambda text: pattern.sub("", text)
    if method == "finditer":
        return lambda text: sum(1 for _ in pattern.finditer(text))
    made: Callable[[str], object] = getattr(pattern, method)
    return made


def cpu(do: Callable[[str], object], text: str, times: int = 1) -> float:
    best = float("inf")
    for _ in range(times):
        begun = time.thread_time()
        do(text)
        best = min(best, time.thread_time() - begun)
    return best


def grown(first: str, again: str, end: str, length: int) -> str:
    return first + again * (length // len(again)) + end


def too_much(used: Used) -> str | None:
    """The text that makes this pattern's work grow faster than it does; None without one."""
    for method in sorted(used.methods):
        do = work(used, method)
        for first, again, end in texts(used):
            told = f"{method} of {first!r} + {again!r}… + {end!r}"
            longest = CUT.get(used.place)
            for length, allowed in SIZES:  # exponential work must end the test, not hang it
                if longest is not None and length > longest:
                    break
                spent = cpu(do, grown(first, again, end, length))
                if spent > allowed and cpu(do, grown(first, again, end, length), 2) > allowed:
                    return f"{told}: {spent:.4f} s for {length} characters"
            large = cpu(do, grown(first, again, end, longest or 4 * LENGTH))
            if large < NOTICED:
                continue
            if large > 10 * NOTICED:
                return f"{told}: {large:.4f} s for {4 * LENGTH} characters"
            small, middle, large = (
                cpu(do, grown(first, again, end, times * LENGTH), 3) for times in (1, 2, 4)
            )
            if large > NOTICED and large > GROWTH * small and large > 2.8 * middle:
                return f"{told}: {small:.4f}, {middle:.4f}, {large:.4f} s"
    return None


PATTERNS = every_pattern()


def test_the_patterns_are_found() -> None:
    places = {one.place for one in PATTERNS}
    assert len(places) > 150
    assert "aggregator.markup.sanitize._SPECIAL_TAG" in places
    assert any(place.rpartition(":")[2].isdigit() for place in places)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"\s+$",
        r"\s*(\S*[^\s,])(?:\s+([0-9.]+[wxh]))?\s*(?:,|\Z)",
        r"(?:a|ab)*c",
        r"<.*>x",
    ],
)
def test_what_is_not_linear_is_noticed(pattern: str) -> None:
    assert too_much(Used("here", re.compile(pattern), frozenset({"search"})))


@pytest.mark.parametrize("used", PATTERNS, ids=lambda used: used.place)
def test_no_pattern_takes_more_than_linear_time(used: Used) -> None:
    assert too_much(used) is None
