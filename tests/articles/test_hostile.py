"""Whatever a page contains, reading it ends, stays small and raises nothing."""

# ruff: noqa: E501 - lines of HTML

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.articles.guard import MAX_BYTES, MAX_DEPTH, prepared
from aggregator.articles.page import MAX_LINKS, MAX_NODES, read_page
from aggregator.articles.related.found import related_links
from aggregator.markup.elements import names
from tests.articles.pages import MARKUPS, RELATED, article_from, english_story

URL = "https://paper.example/news/2024/a-story-of-a-harbour"
HEAD = "<title>A story of a harbour</title><h1>A story of a harbour</h1>"
PROSE = "<p>" + "A sentence that is long enough to be read by somebody. " * 6 + "</p>"
LINK = '<a href="/news/{0}/one-more-long-slug">A story about the number {0}</a>'

HOSTILE = {
    "elements nested 100,000 deep": HEAD + "<div>" * 100_000 + PROSE,
    "formatting nested 100,000 deep": HEAD + "<b>" * 100_000 + PROSE,
    "formatting that multiplies": "".join(f"<p><b class={n}>x" for n in range(20_000)),
    "tables in tables": "<table><tr><td>" * 30_000 + PROSE,
    "an element of 100,000 attributes": "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x",
    "three million angle brackets": "<" * 3_000_000,
    "comments that never end": "<!--" * 100_000 + HEAD,
    "scripts that never end": HEAD + PROSE + "<script>" * 1_000,
    "JSON nested 100,000 deep": f'{HEAD}<script type="application/ld+json">{"[" * 100_000}</script>',
    "10,000 related links": f"{HEAD}{PROSE * 4}<h2>Related</h2>"
    + "".join(LINK.format(n) for n in range(10_000)),
    "10,000 links in one paragraph": f"{HEAD}{PROSE}<p>"
    + "".join(LINK.format(n) for n in range(10_000))
    + f"</p>{PROSE}",
    "20,000 headings of empty lists": HEAD + PROSE * 4 + "<span>Related News</span>" * 20_000,
    "4,000 lists in the text": f"{HEAD}<div>{PROSE}"
    + "".join(
        f"<h3>List {n}</h3><ul><li>{LINK.format(n)}<li>{LINK.format(-n)}</ul>" for n in range(4_000)
    )
    + f"{PROSE}</div>",
    "a title of a megabyte": f"<title>{'x ' * 500_000}</title>{PROSE}",
    "40,000 editors": HEAD + "".join(f"<p>Editor: Name{n} Foo</p>" for n in range(40_000)),
    "brackets in a caption": f"{HEAD}<figure><img src=/a.jpg><figcaption>{'(photo ' * 5_000}</figure>",
    "a name of 100,000 dashes": f'{HEAD}<div class="{"a-" * 50_000}">x</div>{PROSE}',
    "blanks after a label": f"{HEAD}<p>Editor:{' ' * 100_000}x</p>{PROSE}",
    "lone surrogates": f"{HEAD}\ud800{PROSE}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_read_without_an_error(name: str) -> None:
    article = article_from(HOSTILE[name], URL)

    assert len(article.links) <= 60
    assert len(article.title or "") <= 400
    assert len(article.text) < 500_000
    article.text.encode("utf-8")


def test_a_page_of_fifty_megabytes_takes_no_more_memory_than_one_of_three() -> None:
    page = (HEAD + PROSE * 150_000).encode()
    assert len(page) > 50_000_000
    article_from(HEAD + PROSE, URL)  # what is loaded once is not the page's

    tracemalloc.start()
    try:
        article = article_from(page, URL)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert article.is_article
    assert peak < 100_000_000


def test_a_page_is_cut_where_its_nesting_gets_out_of_hand() -> None:
    page = read_page(prepared(HEAD + PROSE + "<div>" * 100_000 + "x"), URL)

    assert page.depth <= MAX_DEPTH + 10
    assert "long enough" in page.string(0, 1_000)


def test_bytes_nodes_and_links_are_capped() -> None:
    assert len(prepared(b"x" * (MAX_BYTES + 5))) == MAX_BYTES

    page = read_page(prepared("<i></i>" * 2 * MAX_NODES), URL)
    assert len(page.tag) <= MAX_NODES

    page = read_page(prepared("<a href=/a>b</a>" * (MAX_LINKS + 5)), URL)
    assert len(page.anchors) == MAX_LINKS


def test_sloppy_but_harmless_pages_are_not_cut() -> None:
    html = HEAD + "<p>one<li>two<td>three<br>four" * 5_000 + "<div><b>unclosed</div>" * 100

    assert prepared(html) == html


@settings(max_examples=60)
@given(st.binary(max_size=3_000), st.sampled_from(sorted(MARKUPS)), st.integers(0, 4_000))
def test_any_bytes_in_the_middle_of_a_page_raise_nothing(
    junk: bytes, markup: str, place: int
) -> None:
    page = MARKUPS[markup](english_story(RELATED)).encode()

    article_from(page[:place] + junk + page[place:], URL)


_TAGS = st.sampled_from(
    sorted(
        names(
            "<div> </div> <p> </p> <b> <table> <td> <a/href=/a-b-c-d> </a> <h2> </h2> <ul> <li> "
            "<svg> <template> <noscript> <select> <form> <script> </script> <!-- --> words "
            "Related&nbsp;News"
        )
    )
)


@settings(max_examples=80)
@given(st.lists(_TAGS, max_size=80))
def test_any_soup_of_tags_gives_links_once_and_in_order(soup: list[str]) -> None:
    links = related_links(HEAD + PROSE + " ".join(soup), URL)

    assert [link.position for link in links] == list(range(len(links)))
    assert len({link.url for link in links}) == len(links)
    assert all(link.url.startswith(("http://", "https://")) for link in links)


@pytest.mark.parametrize("declared", ["gbk", "iso-8859-1", "windows-1251", "utf-8"])
def test_bytes_in_utf8_are_read_as_such_whatever_is_declared(declared: str) -> None:
    text = f"<meta charset={declared}><p>沿海小城开通夜间渡轮, die Fähre fährt"

    assert "渡轮, die Fähre fährt" in prepared(text.encode(), f"text/html; charset={declared}")
    assert "Fähre" in prepared("<meta charset=iso-8859-1><p>Fähre".encode("latin-1"))
    assert "夜间渡轮" in prepared("<meta charset=gb2312><p>夜间渡轮".encode("gbk"))
