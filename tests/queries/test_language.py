"""The language of selections: what it says, its one text, and errors that point at their place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.queries.canonical import simplified, text_of
from aggregator.queries.parse import DEEPEST, LONGEST, MOST, QueryError, Use, parse
from aggregator.queries.tree import And, Field, Followed, Has, Media, Node, Not, Or, Tag, Words


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Berlin   climate", "berlin climate"),
        ("climate Berlin", "berlin climate"),
        ("climate climate", "climate"),
        ("a b or c", "a b or c"),
        ("c or (b a)", "a b or c"),
        ("(a or b) c", "(a or b) c"),
        ("a OR b", "a or b"),
        ("a (b c)", "a b c"),
        ("--a", "a"),
        ("-(a or b)", "-a -b"),
        ("-(a -b)", "b or -a"),
        ("a or (a b)", "a"),
        ("a (a or b)", "a"),
        ("-followed:no", "followed:yes"),
        ("“Foo  BAR”", '"foo bar"'),
        ("self-hosted", '"self hosted"'),
        ("C++ or c#", "c# or c++"),
        ("北京大学", "北京大学"),
        ("Ｎｅｗｓ cafe\N{COMBINING ACUTE ACCENT}", "café news"),
        ("STRASSE or straße", "strasse"),
        ("https://Example.org/a?b=1", '"https example org a b 1"'),
        ("10:30", '"10 30"'),
        ('"or"', '"or"'),
        ("TAG:World Source:DW lang:pt_BR", "lang:pt-br source:dw tag:world"),
        ('tag:"local news"', 'tag:"local news"'),
        ("since:48h since:2w since:2026-03-01", "since:14d since:2026-03-01 since:2d"),
        ("has:Image story:12", "has:image story:12"),
        ('author:"Ada Lovelace" title:engine', 'author:"ada lovelace" title:engine'),
    ],
)
def test_equal_queries_have_one_text(written: str, canonical: str) -> None:
    assert text_of(parse(written)) == canonical
    assert text_of(parse(canonical)) == canonical


@pytest.mark.parametrize(
    ("written", "column", "said"),
    [
        ("", 1, "nothing is asked for: expected a word or a field such as “tag:”"),
        ("a or", 5, "it ends too early: expected a word or a field such as “tag:”"),
        ("a or or b", 6, "“or” cannot stand here"),
        ("a (b or c", 10, "it ends too early: expected “)”"),
        ("a) b", 2, "“)” cannot stand here: expected the end"),
        ('a "b', 3, "this quotation mark is not closed"),
        (
            "b tags:x",
            3,
            "there is no field “tags:”, and in quotation marks it is a phrase; did you",
        ),
        ("tag:", 5, "it ends too early: expected a phrase in quotation marks or a word"),
        ("tag:(a or b)", 5, "“(” cannot stand here"),
        ("since:yesterday", 7, "“yesterday” is no time: expected “36h”"),
        ("since:2026-02-30", 7, "there is no day 2026-02-30"),
        ("has:pdf", 5, "“pdf” is nothing to have: expected “image”, “audio” or “video”"),
        ("lang:!", 6, "“!” is no language tag"),
        ("followed:maybe", 10, "“maybe” is neither: expected “yes” or “no”"),
        ("story:x", 7, "“x” is no number of an item"),
        ("a tag:\x00", 7, "a character that is no text"),
        ("a &&", 3, "no letter and no digit to look for"),
        ("a title:/b/", 9, "regular expressions are for rules"),
        ("link:x", 1, "“link:” is for rules"),
    ],
)
def test_an_error_points_at_its_place(written: str, column: int, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(written)
    error = caught.value
    assert (error.line, error.column) == (1, column)
    assert error.message.startswith(said)
    assert error.pointed == f"{written}\n{' ' * (column - 1)}^"


def test_a_rule_may_ask_for_regular_expressions_links_and_categories() -> None:
    rule = parse(r"title:/^(Ad|A\/d): /i or link:example.org category:sport", Use.RULE)
    told = r'category:sport link:"example org" or title:/^(Ad|A\/d): /i'
    assert text_of(rule) == told
    assert parse(told, Use.RULE) == rule
    with pytest.raises(QueryError, match="not valid: missing"):
        parse("title:/(a/", Use.RULE)
    with pytest.raises(QueryError, match="takes no regular expression"):
        parse("tag:/a/", Use.RULE)


def test_a_query_is_bounded() -> None:
    for text in (
        "a" * (LONGEST + 1),
        "(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1),
        " ".join(f"a{n}" for n in range(MOST + 1)),
    ):
        with pytest.raises(QueryError, match=r"more than|longer"):
            parse(text)
    parse("-" * (LONGEST - 1) + "a")
    parse("(" * DEEPEST + "a" + ")" * DEEPEST)


_LEAVES: st.SearchStrategy[Node] = st.sampled_from(
    [
        *(Words((word,)) for word in ("a", "b", "or", "北京", "c++")),
        Words(("a", "b"), Field.TITLE),
        Tag("x y"),
        Has(Media.AUDIO),
        Followed(True),
    ]
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda nodes: And(tuple(nodes))),
        st.lists(inner, min_size=1, max_size=3).map(lambda nodes: Or(tuple(nodes))),
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(_TREES, st.sets(_LEAVES))
def test_the_canonical_text_means_what_was_written(tree: Node, true: set[Node]) -> None:
    simple = simplified(tree)
    assert parse(text_of(simple)) == simple
    assert _holds(simple, true) == _holds(tree, true)


def _holds(node: Node, true: set[Node]) -> bool:
    if isinstance(node, Not):
        return not _holds(node.node, true)
    if isinstance(node, And | Or):
        inner = [_holds(one, true) for one in node.nodes]
        return all(inner) if isinstance(node, And) else any(inner)
    if isinstance(node, Followed):
        return (Followed(True) in true) is node.yes
    return node in true


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_whatever_is_written_is_a_query_or_an_error_with_a_place(written: str) -> None:
    try:
        tree = parse(written)
    except QueryError as caught:
        error = caught
    else:
        assert parse(text_of(tree)) == tree
        return
    assert 0 <= error.position <= len(written)
