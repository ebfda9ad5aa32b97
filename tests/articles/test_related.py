"""Which links of a page are its related news, by what they look like."""

# ruff: noqa: E501 - lines of HTML

from __future__ import annotations

import pytest

from aggregator.articles.related.found import related_links, related_of_entry
from aggregator.model.feed import FeedLink
from aggregator.model.settings import RelatedOverride

URL = "https://paper.example/news/2024/night-ferry-returns-to-the-northern-harbour"
PROSE = (
    "<p>The night ferry came back to the northern harbour on Friday after eleven years, and some "
    "two hundred people stood on the quay to see it arrive in the rain.</p>",
    "<p>Its captain, who had brought the last ship of the old line out of the same harbour, said "
    "that nothing had changed except the lights of the town behind the hills.</p>",
    "<p>The company wants to run the ferry until spring and to decide then whether a second ship "
    "is worth its fuel; the council has promised to pay for the pier.</p>",
)
STORY = "".join(PROSE)
ONE = '<a href="/news/2024/council-pays-for-the-new-pier">Council pays for the new pier</a>'
TWO = '<a href="/news/2023/harbour-lights-go-out-for-winter">Harbour lights go out for winter</a>'
OTHER = '<a href="/news/2024/bakery-wins-a-prize-again">Bakery wins a prize once again</a>'


def page(below: str = "", *, within: str = "", body: str = "") -> str:
    text = body or PROSE[0] + PROSE[1] + within + PROSE[2]
    return (
        "<html lang=en><head><title>Night ferry returns to the northern harbour</title></head><body>"
        "<header><nav><a href=/>Home</a><a href=/sport/>Sport</a></nav></header>"
        "<main><article><h1>Night ferry returns to the northern harbour</h1>"
        f'<div class="text">{text}</div></article>{below}</main>'
        "<footer><a href=/about>About the paper and its people</a></footer></body></html>"
    )


def found(html: str, **overrides: tuple[str, ...]) -> list[str]:
    links = related_links(html, URL, RelatedOverride(**overrides))
    assert [link.position for link in links] == list(range(len(links)))
    return [link.text for link in links]


PIER, LIGHTS, BAKERY = (
    "Council pays for the new pier",
    "Harbour lights go out for winter",
    "Bakery wins a prize once again",
)


# --- headings and their lists ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "heading",
    [
        "Related News",
        "RELATED STORIES (2)",
        "More on this story",
        "Keep reading",
        "Mehr zum Thema",
        "Lesen Sie auch:",
        "À lire aussi",
        "Sur le même thème",
        "Noticias relacionadas",
        "Lee también",
        "Leggi anche",
        "Leia também",
        "Les også",
        "Läs också",
        "Lue myös",
        "Czytaj także",
        "Související články",
        "Povezane vijesti",
        "Kapcsolódó cikkek",
        "Читайте также",
        "Читайте також",
        "Taip pat skaitykite",
        "Σχετικά άρθρα",
        "İlgili Haberler",
        "相关新闻",
        "延伸閱讀",
        "【関連記事】",
        "あわせて読みたい",
        "관련기사",
        "مقالات ذات صلة",
        "اقرأ أيضاً",
        "כתבות קשורות",
        "यह भी पढ़ें",
        "Baca juga",
        "Tin liên quan",
        "ข่าวที่เกี่ยวข้อง",
        "Related News | 相关新闻",
    ],
)
def test_a_known_heading_announces_its_list(heading: str) -> None:
    html = page(f"<section><h2>{heading}</h2><ul><li>{ONE}</li><li>{TWO}</li></ul></section>")

    links = related_links(html, URL)

    assert [(link.text, link.rule) for link in links] == [(PIER, "heading"), (LIGHTS, "heading")]
    assert {link.heading for link in links} == {heading}


@pytest.mark.parametrize(
    "block",
    [
        "<div><div class=t><span>Related News</span></div><div>{}</div></div>",
        "<p><b>Related News</b></p><p>{}</p>",
        "<table><tr><td><b>Related News</b></td></tr><tr><td>{}</td></tr></table>",
        "<dl><dt>Related News</dt><dd>{}</dd></dl>",
        "<div class=row><div class=col><h3>Related News</h3></div><div class=col>{}</div></div>",
        "<h3>Related <em>News</em></h3><div><noscript>{}</noscript></div>",
        "<aside aria-label='Related articles'>{}</aside>",
        "<details><summary>Related News</summary>{}</details>",
        "<div hidden><h4>Related News</h4>{}</div>",
    ],
)
def test_the_list_is_found_in_any_arrangement(block: str) -> None:
    assert found(page(block.format(f"{ONE}<br>{TWO}"))) == [PIER, LIGHTS]


def test_a_list_ends_at_the_next_heading() -> None:
    html = page(
        f"<div><h3>Related News</h3><ul><li>{ONE}</li></ul><h3>Most read</h3><ul><li>{OTHER}</li></ul>"
        "</div>"
    )

    assert found(html) == [PIER]


def test_an_unknown_heading_ends_a_list_too() -> None:
    html = page(
        f"<div><h3>Related News</h3><div>{ONE}</div><h3>From the kitchen</h3><div>{OTHER}</div></div>"
    )

    assert found(html) == [PIER]


@pytest.mark.parametrize(
    "shell",
    [
        "<section><h2>Related News</h2><ul></ul></section>",
        "<div><h2>Related News</h2><div id=related-list></div></div>",
        "<h2>Related News</h2>",
        "<section class=w><div><b>Related News</b></div><div><i class=spinner></i></div></section>",
    ],
)
def test_an_empty_shell_takes_nothing_from_its_neighbours(shell: str) -> None:
    html = page(f"{shell}<section class=w><h2>Most read</h2><ul><li>{OTHER}</li></ul></section>")

    assert found(html) == []


def test_a_tab_shows_the_panel_in_its_place() -> None:
    html = page(
        "<ul class=tabs><li>Latest</li><li>Related</li><li>Popular</li></ul>"
        f"<div><p>{OTHER}</p></div><div><p>{ONE}</p><p>{TWO}</p></div><div><p>{OTHER}</p></div>"
    )

    assert found(html) == [PIER, LIGHTS]


def test_a_tab_shows_the_panel_it_controls() -> None:
    html = page(
        '<div><a href="#p2" role=tab>Related</a><a href="#p1" role=tab>Popular</a></div>'
        f"<div id=p1>{OTHER}</div><div id=p2>{ONE}</div>"
    )

    assert found(html) == [PIER]


def test_a_card_counts_once_and_its_category_and_author_not_at_all() -> None:
    card = (
        '<li><a href="/news/2024/council-pays-for-the-new-pier"><img src=p.jpg alt=""></a>'
        '<a href="/harbour/">Harbour news</a><h3>{}</h3><a href="/author/mara-lindqvist">By Mara '
        "Lindqvist</a><time>3 May</time></li>"
    )

    assert found(page(f"<section><h2>Related</h2><ul>{card.format(ONE)}</ul></section>")) == [PIER]


def test_a_picture_link_gets_the_headline_beside_it() -> None:
    html = page(
        '<section><h2>Related</h2><div class=c><a href="/news/2024/council-pays-for-the-new-pier">'
        "<img src=p.jpg></a><h3>Council pays for the new pier</h3></div></section>"
    )

    assert found(html) == [PIER]


def test_sister_sites_count_and_advertisers_do_not() -> None:
    html = page(
        "<section><h2>Related News</h2><ul>"
        '<li><a href="https://sister.example/a/2024/another-ferry-on-another-sea">Another ferry on '
        "another sea</a></li>"
        '<li><a rel="sponsored" href="https://shop.example/buy/boots-for-wet-quays">Boots for wet '
        "quays, now cheaper</a></li>"
        '<li class="ad"><a href="https://deal.example/a/b-c-d-e">A loan for your own boat</a></li>'
        "</ul></section>"
    )

    assert found(html) == ["Another ferry on another sea"]


@pytest.mark.parametrize(
    "friend",
    [
        f"<div class=related><h3>Related topics</h3>{OTHER}</div>",
        f"<div><h3>関連キーワード</h3>{OTHER}</div>",
        f'<div class="latestlist related"><h3>Aktuelle Nachrichten</h3>{OTHER}</div>',
        f"<div><h3>You may also like</h3>{OTHER}</div>",
        f"<div><h3>热门排行</h3>{OTHER}</div>",
        f"<div><h3>More on gardening</h3>{OTHER}</div>",
        f"<div><h3>More on paper.example</h3>{TWO}</div>",
        f"<nav><h3>Related</h3>{OTHER}</nav>" + STORY,
    ],
)
def test_false_friends_are_refused(friend: str) -> None:
    html = page(body=friend + STORY) if "nav" in friend else page(friend)

    assert found(html) == []


@pytest.mark.parametrize(
    "url",
    ["/autoren/mara/ehrengast-am-hafen-was-lesen-die-matrosen", "/?p=36843", "/k/7", "/x/ab12"],
)
def test_the_shape_of_a_url_is_no_rule(url: str) -> None:
    html = page(f"<section><h2>Related</h2><a href='{url}'>What the sailors read</a></section>")

    assert found(html) == ["What the sailors read"]


def test_a_heading_right_under_it_is_a_part_of_the_list() -> None:
    html = page(f"<div><h3>Related</h3><div><h4>Stories</h4><ul><li><h5>{ONE}</h5></li></ul></div>"
                f"<div><h4>Newsfeed</h4><ul><li><h5>{OTHER}</h5></li><li>{TWO}</li></ul></div></div>")  # fmt: skip

    assert found(html) == [PIER]


def test_a_footer_below_the_text_may_end_the_article_and_not_the_page() -> None:
    def foot(link: str) -> str:
        body = f"<div class=text>{STORY}</div><footer><aside><span>Related</span><ul><li>{link}</li></ul></aside></footer>"
        return f"<html><head><title>Night ferry returns to the northern harbour</title></head><body>{body}</body></html>"

    assert found(foot(TWO)) == [LIGHTS]
    assert found(foot(OTHER)) == []


def test_white_space_between_two_inline_elements_parts_their_words() -> None:
    link = '<a href="/news/2023/harbour-lights"><span>Harbour</span>\n <strong>Lights go out</strong></a>'

    assert found(page(f"<section><h2>Related</h2>{link}</section>")) == ["Harbour Lights go out"]


# --- headings that must share the subject ---------------------------------------------------------


def test_read_more_counts_only_when_its_titles_share_the_subject() -> None:
    near = f"<section><h2>Read more</h2><ul><li>{TWO}</li></ul></section>"
    far = f"<section><h2>Read more</h2><ul><li>{OTHER}</li></ul></section>"

    assert found(page(near)) == [LIGHTS]
    assert found(page(far)) == []


def test_a_heading_that_names_the_subject_counts() -> None:
    links = related_links(page(f"<section><h2>More on the ferry</h2>{OTHER}</section>"), URL)

    assert [(link.text, link.rule) for link in links] == [(BAKERY, "topic")]


def test_a_block_only_named_related_must_share_the_subject() -> None:
    near = f'<div class="box-related"><h5>Zusätzlich</h5><div>{TWO}</div></div>'
    far = f'<div class="box-related"><h5>Zusätzlich</h5><div>{OTHER}</div></div>'

    assert [link.rule for link in related_links(page(near), URL)] == ["named"]
    assert found(page(far)) == []


# --- inside the text ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (f"<p><strong>READ ALSO:</strong> {ONE}</p>", PIER),
        (f"<p>Les også: {ONE}</p>", PIER),
        (f"<p>READ NEXT: {ONE}</p>", PIER),
        (
            '<p><a href="/n/1-2-3456">MORE: Council pays the pier</a></p>',
            "MORE: Council pays the pier",
        ),
        (
            '<p><a href="/n/1-2-3456">【関連記事】港の新しい桟橋が完成した</a></p>',
            "【関連記事】港の新しい桟橋が完成した",
        ),
        (
            '<div><a href="/n/1-2-3456"><b>Les også</b><h4>Byen betaler kaia</h4></a></div>',
            "Les også Byen betaler kaia",
        ),
    ],
)
def test_a_marker_promotes_its_link(block: str, text: str) -> None:
    links = related_links(page(within=block), URL)

    assert [link.text for link in links] == [text]
    assert links[0].rule in ("marker", "heading")


@pytest.mark.parametrize(
    "block",
    [
        '<p><a href="/news/2024/council-pays-for-the-new-pier">COUNCIL PAYS FOR THE NEW PIER</a></p>',
        f"<aside><h4>{ONE}</h4><p>Short words</p></aside>",
        f"<ul><li>{ONE}</li></ul>",
        '<aside><h2>Council pays for the new pier</h2><div>Read more</div><a href="/news/2024/council-'
        'pays-for-the-new-pier" aria-label="Council pays for the new pier"></a></aside>',
        '<figure><a href="/news/2024/council-pays-for-the-new-pier"><img src=p.jpg><h3>Council pays '
        "for the new pier</h3></a></figure>",
    ],
)
def test_a_block_of_its_own_in_the_text_counts_without_a_heading(block: str) -> None:
    links = related_links(page(within=block), URL)

    assert [(link.text.lower(), link.rule) for link in links] == [(PIER.lower(), "card")]


@pytest.mark.parametrize(
    "block",
    [
        f"<p>As this paper reported in the spring, the {ONE} without a vote, and nobody minded.</p>",
        f"<ul><li>The pier was old and nobody wanted it any more, see {ONE}</li></ul>",
        '<p><a href="https://elsewhere.example/a-study-of-night-ferries">A study of all night '
        "ferries</a></p>",
        '<aside><h3>Newsletter</h3><a href="/news/letters-every-morning">Get our letters every '
        "morning</a></aside>",
        '<p><a href="/podcasts/the-harbour-podcast">Listen to our harbour podcast here</a></p>',
        '<figure><a href="/photo/2024/the-ferry-at-night"><img src=f.jpg><figcaption>The ferry at '
        "night on the quay</figcaption></a></figure>",
        '<p><a href="#comments">Go down to the comments of readers</a></p>',
        f'<p><a href="{URL}?utm_source=x">Read this article on a page of its own</a></p>',
    ],
)
def test_prose_services_and_pictures_in_the_text_do_not_count(block: str) -> None:
    assert found(page(within=block)) == []


def test_what_stands_in_the_menu_too_is_no_card() -> None:
    issue = (
        '<a href="/issue/the-gardens-issue-of-spring-2024"><h4>The gardens issue of spring</h4></a>'
    )
    with_menu = page(within=f"<div>{issue}</div>").replace("<nav>", f"<nav>{issue}", 1)

    assert with_menu != page(within=f"<div>{issue}</div>")
    assert len(found(page(within=f"<div>{issue}</div>"))) == 1
    assert found(with_menu) == []


# --- stated links, overrides, limits --------------------------------------------------------------


def test_links_stated_for_machines_are_kept_with_their_rule() -> None:
    html = page().replace(
        "</head>",
        '<link rel="related" href="/news/2024/a-b-c-d" title="A stated story">'
        '<script type="application/ld+json">{"@type":"NewsArticle","headline":"x","relatedLink":'
        '["/news/2024/e-f-g-h"]}</script></head>',
    )

    links = related_links(html, URL)

    assert [(link.url.rpartition("/")[2], link.rule) for link in links] == [
        ("a-b-c-d", "link_rel"),
        ("e-f-g-h", "json_ld"),
    ]


def test_related_links_of_a_feed_entry() -> None:
    links = related_of_entry(
        (
            FeedLink("related", "https://paper.example/a", title="A"),
            FeedLink("via", "https://paper.example/b"),
            FeedLink("related", "javascript:alert(1)"),
            FeedLink("related", "https://paper.example/a", title="A"),
        )
    )

    assert [(link.url, link.text, link.rule) for link in links] == [
        ("https://paper.example/a", "A", "link_rel")
    ]


def test_overrides_add_headings_and_links_and_take_links_away() -> None:
    html = page(
        f"<section><h2>Ganz nah dran</h2>{ONE}</section><div id=x>{TWO}</div>"
        f"<section class=no><h2>Related</h2>{OTHER}</section>"
    )

    assert found(html) == [BAKERY]
    assert found(
        html, headings=("Ganz nah dran",), select=("#x a",), exclude=(".no", "]broken[")
    ) == [PIER, LIGHTS]


def test_nofollow_is_passed_on() -> None:
    html = page(f"<section><h2>Related</h2>{ONE.replace('<a ', '<a rel=nofollow ')}{TWO}</section>")

    assert [link.rel_nofollow for link in related_links(html, URL)] == [True, False]


def test_relative_links_resolve_against_the_base_element() -> None:
    html = page(
        '<section><h2>Related</h2><a href="../b/c-d-e-f">Another of our stories</a></section>'
    )
    html = html.replace("<head>", '<head><base href="https://cdn.example/x/y/">')

    assert [link.url for link in related_links(html, URL)] == ["https://cdn.example/x/b/c-d-e-f"]


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@b.example",
        "http://[::1",
        "file:///a",
        "//",
    ],
)
def test_only_web_addresses_leave_the_page(href: str) -> None:
    html = page(
        f"<section><h2>Related</h2><a href='{href}'>A headline of several words</a></section>"
    )

    assert found(html) == []


def test_a_flood_of_related_links_is_cut() -> None:
    items = "".join(
        f'<li><a href="/n/{i}/a-b-c">Story number {i} of many</a>' for i in range(10_000)
    )

    assert len(found(page(f"<section><h2>Related</h2><ul>{items}</ul></section>"))) == 60
