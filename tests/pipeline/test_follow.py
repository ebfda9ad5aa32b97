"""Following related news: what is read, what becomes of every link, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select

from aggregator.model.settings import FollowSettings, FullText, ServiceSettings
from aggregator.pipeline.following.queue import reread
from aggregator.pipeline.following.visit import Follower, Visit, drain
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.upkeep.forget import forget_items
from aggregator.store import schema as t
from aggregator.store.following import articles, links
from aggregator.store.items import items
from tests.origin import Origin
from tests.pipeline.conftest import House

WORDS = (
    "The harbour council met on Monday to hear the engineers explain the {n}. plan for the quay. "
    "Work on section {n} would begin after the winter storms and last through two seasons, they "
    "said, with the ferries moved to the northern pier until it ends."
)


T = TypeVar("T")


def article(
    number: int,
    related: Sequence[tuple[str, str]] = (),
    *,
    head: str = "",
    heading: str = "Related News",
    published: str = "2026-03-01T08:00:00Z",
    more: str = "",
) -> bytes:
    """A page of the site with its related block; every article's words are its own."""
    text = (
        "".join(
            f"<p>{WORDS.format(n=number * 10 + part)} Paragraph {number}-{part} ends here.</p>"
            for part in range(3)
        )
        + more
    )
    listed = "".join(f'<li><a href="{href}">{title}</a></li>' for title, href in related)
    block = f"<h3>{heading}</h3><ul>{listed}</ul>" if related else ""
    return (
        f'<html lang="en"><head><title>Quay plan number {number}</title>'
        f'<meta property="og:type" content="article">'
        f'<meta property="article:published_time" content="{published}">{head}</head>'
        f"<body><article><h1>Quay plan number {number}</h1>{text}</article>{block}</body></html>"
    ).encode()


def link(number: int) -> tuple[str, str]:
    return f"Quay plan number {number}", f"/news/2026/quay-plan-{number}.html"


class Site:
    """A site with a feed and article pages, and the house that reads it."""

    def __init__(self, house: House, origin: Origin) -> None:
        self.house = house
        self.origin = origin
        self.origin.answer("/robots.txt", body=b"User-agent: *\nDisallow: /secret/\n",
                           headers={"Content-Type": "text/plain"})  # fmt: skip
        self.follow()

    def follow(self, full_text: FullText = FullText.NEVER, **policy: Any) -> None:
        settings = self.house.settings
        source = replace(
            settings.sources[0],
            follow=FollowSettings(**({"enabled": True} | policy)),
            full_text=full_text,
        )
        self.house.configure(
            sources=(source,), service=ServiceSettings(contact="https://example.org/bot")
        )

    def page(self, number: int, *related: int | tuple[str, str], **options: Any) -> None:
        wanted = [link(one) if isinstance(one, int) else one for one in related]
        headers = {"Content-Type": "text/html; charset=utf-8", **options.pop("headers", {})}
        path = link(number)[1]
        self.origin.answer(path, body=article(number, wanted, **options), headers=headers)

    def feed(self, *numbers: int, text: str = "The council met…") -> None:
        items = "".join(
            f"<item><guid isPermaLink='false'>q{n}</guid><title>Quay plan number {n}</title>"
            f"<link>{self.origin.url(link(n)[1])}</link>"
            f"<pubDate>Sun, 01 Mar 2026 08:{n % 60:02d}:00 GMT</pubDate>"
            f"<description><![CDATA[{text}]]></description></item>"
            for n in numbers
        )
        document = f"<rss version='2.0'><channel><title>Quay</title>{items}</channel></rss>"
        self.origin.answer("/alpha", body=document.encode())

    def poll(self) -> list[Visit]:
        """Poll the feed and read every page that is due."""
        self.house.poll("alpha")
        return self.read()

    def read(self) -> list[Visit]:
        async def work(parts: Parts) -> list[Visit]:
            return await drain(parts, Follower(parts))

        return self.house.run(work)

    def query(self, function: Callable[..., T], *args: Any) -> T:
        async def work(parts: Parts) -> T:
            return await parts.database.run_read(function, *args)

        return self.house.run(work)

    def article(self, number: int) -> articles.ArticleRow:
        """What was read of an item's own page."""
        found = self.query(articles.article, number)
        assert found is not None
        return found

    def edges(self) -> dict[tuple[str, str], tuple[str, str | None]]:
        """(title of the item, path of the link) → (state, reason)."""

        def read(connection: Connection) -> dict[tuple[str, str], tuple[str, str | None]]:
            titles = dict(connection.execute(select(t.item.c.id, t.item.c.title)).all())
            found = links.links_of(connection, list(titles))
            return {
                (titles[number], row.url.split("/", 3)[3]): (row.state, row.reason)
                for number, rows in found.items()
                for row in rows
            }

        return self.query(read)

    def state(self, number: int, to: str) -> tuple[str, str | None]:
        return self.edges()[(f"Quay plan number {number}", to.lstrip("/"))]

    def paths(self) -> list[str]:
        return [seen.target for seen in self.origin.requests() if seen.path != "/alpha"]

    def items(self) -> dict[str, Mapping[str, Any]]:
        def read(connection: Connection) -> dict[str, Mapping[str, Any]]:
            rows = connection.execute(select(t.item)).mappings()
            return {row["title"]: dict(row) for row in rows}

        return self.query(read)


@pytest.fixture
def site(house: House, origin: Origin) -> Site:
    return Site(house, origin)


def test_a_related_article_becomes_an_item_once_with_its_provenance(site: Site) -> None:
    site.feed(1, 2)
    site.page(1, 2, 3)
    site.page(2, 3)
    site.page(3, 1)
    site.poll()
    items = site.items()
    assert sorted(items) == [f"Quay plan number {n}" for n in (1, 2, 3)]
    assert [items[f"Quay plan number {n}"]["depth"] for n in (1, 2, 3)] == [0, 0, 1]
    assert site.state(1, link(2)[1]) == ("known", None)
    assert {site.state(1, link(3)[1])[0], site.state(2, link(3)[1])[0]} == {"followed"}
    assert site.state(3, link(1)[1]) == ("known", None)
    assert site.paths()[0] == "/robots.txt"
    assert sorted(site.paths()[1:]) == sorted(link(n)[1] for n in (1, 2, 3))
    third = items["Quay plan number 3"]["id"]
    assert site.article(third).heading == "Related News"
    assert site.poll() == []


def test_without_a_contact_nothing_is_read(site: Site) -> None:
    site.house.configure(service=ServiceSettings())
    site.feed(1)
    site.page(1, 2)
    assert site.poll() == []
    assert site.paths() == []


def test_depth_ends_a_chain_and_says_so(site: Site) -> None:
    site.follow(depth=2)
    site.feed(1)
    for number in range(1, 9):
        site.page(number, number + 1)
    site.poll()
    assert len(site.items()) == 3
    assert site.state(3, link(4)[1]) == ("refused", "depth")


def test_what_may_not_be_followed_is_an_edge_with_its_reason(site: Site) -> None:
    site.follow(links_per_article=9)
    site.feed(1)
    refused = {
        "/secret/2026/plan-of-the-quay.html": "robots",
        "/news/2026/a-form-without-end.html?a=1&b=2&c=3&d=4": "query",
        "/events/calendar/2031-05/?view=list-of-the-month": "query",
        "/": "not_article",
        "/news/2026/behind-a-payment.html": "paywall",
        "/news/2026/gone-for-good-now.html": "missing",
        "/news/2026/a-picture-of-the-quay.html": "not_html",
        "/news/2026/an-empty-shell-only.html": "not_article",
    }
    elsewhere = ("Elsewhere in the world of quays", "http://other.example/2026/a-quay-story.html")
    site.page(1, *[(f"Quay story number {i}", path) for i, path in enumerate(refused)], elsewhere)
    site.origin.answer("/news/2026/behind-a-payment.html", 402)
    site.origin.answer(
        "/news/2026/a-picture-of-the-quay.html", body=b"x", headers={"Content-Type": "image/png"}
    )
    site.origin.answer(
        "/news/2026/an-empty-shell-only.html",
        body=b"<html><title>x</title></html>",
        headers={"Content-Type": "text/html"},
    )
    site.poll()
    found = site.edges()
    for path, reason in refused.items():
        edge = found.get(("Quay plan number 1", path.lstrip("/")))
        if edge is not None or reason != "not_article":
            assert edge == ("refused", reason), path
    assert site.state(1, "2026/a-quay-story.html") == ("refused", "host")
    assert not [path for path in site.paths() if path.startswith("/secret") or "?a=1" in path]
    assert len(site.items()) == 1


def test_links_of_an_article_and_pages_of_a_day_are_bounded_across_restarts(site: Site) -> None:
    site.follow(links_per_article=3, pages_per_host_and_day=4)
    site.feed(1, 2)
    site.page(2, 11, 12, 13, 14, 15)  # the newer one: read first
    site.page(1, 21, 22, 23)
    for number in (11, 12, 13, 14, 15, 21, 22, 23):
        site.page(number)
    site.poll()
    reasons = [reason for _, reason in site.edges().values()]
    assert reasons.count("links") == 2
    assert reasons.count("budget") == 2
    assert len(site.items()) == 6


def test_nofollow_noarchive_and_noindex_are_honoured(site: Site) -> None:
    site.follow(depth=2)
    site.feed(1, 2)
    site.page(1, 3, head="<meta name=robots content=nofollow>")
    site.page(2, 4, 5)
    site.page(4, 6, headers={"X-Robots-Tag": "noarchive, nofollow"})
    site.page(5, head="<meta name=robots content='noindex'>")
    site.poll()
    assert site.state(1, link(3)[1]) == ("refused", "nofollow")
    assert site.state(4, link(6)[1]) == ("refused", "nofollow")

    def texts(connection: Connection) -> dict[str, str]:
        rows = connection.execute(
            select(t.item.c.title, t.item_text.c.text).join(t.item_text, isouter=True)
        )
        return {row.title: row.text for row in rows}

    kept = site.query(texts)
    assert kept["Quay plan number 4"] == ""
    assert kept["Quay plan number 5"] == ""


def test_an_old_article_and_one_in_another_language_are_not_kept(site: Site) -> None:
    site.follow(languages=("de",))
    site.feed(1)
    site.page(1, 2, 3)
    site.page(2, published="2025-03-01T08:00:00Z")
    site.page(3)
    site.poll()
    assert site.state(1, link(2)[1]) == ("refused", "too_old")
    assert site.state(1, link(3)[1]) == ("refused", "language")


def test_a_redirect_is_asked_like_any_link_and_a_known_target_costs_no_request(site: Site) -> None:
    site.feed(1)
    site.page(1, ("Quay plan by a short link", "/news/2026/short-link-to-one.html"),
              ("Quay plan kept in secret", "/news/2026/short-link-to-secret.html"))  # fmt: skip
    site.origin.answer("/news/2026/short-link-to-one.html", 302, {"Location": link(1)[1]})
    site.origin.answer(
        "/news/2026/short-link-to-secret.html", 302, {"Location": "/secret/x-y-z.html"}
    )
    site.poll()
    assert site.state(1, "/news/2026/short-link-to-one.html") == ("known", None)
    assert site.state(1, "/news/2026/short-link-to-secret.html") == ("refused", "robots")
    assert site.paths().count(link(1)[1]) == 1
    assert not [path for path in site.paths() if path.startswith("/secret")]


def test_a_canonical_address_makes_two_links_one_item(site: Site) -> None:
    site.feed(1)
    canonical = site.origin.url(link(2)[1])
    twin = ("The second quay plan in full", "/news/2026/quay-plan-2-in-full.html")
    site.page(1, 2, twin)
    site.page(2)
    site.origin.answer(
        twin[1], body=article(2, head=f'<link rel="canonical" href="{canonical}">'),
        headers={"Content-Type": "text/html"},
    )  # fmt: skip
    site.poll()
    assert len(site.items()) == 2
    assert {site.state(1, link(2)[1])[0], site.state(1, twin[1])[0]} == {"followed", "known"}


def test_a_feed_that_lists_a_followed_article_later_adopts_it(site: Site) -> None:
    site.feed(1)
    site.page(1, 2)
    site.page(2)
    site.poll()
    number = site.items()["Quay plan number 2"]["id"]
    site.feed(1, 2)
    site.house.clock.move(hours=1)
    site.poll()
    again = site.items()["Quay plan number 2"]
    assert (again["id"], again["depth"], again["revision"]) == (number, 0, 0)
    assert len(site.items()) == 2
    assert (site.article(number).text or "").startswith("The harbour council")
    assert site.paths().count(link(2)[1]) == 1


def test_a_page_with_validators_is_asked_again_twice_and_a_correction_is_a_revision(
    site: Site,
) -> None:
    site.feed(1)
    site.page(1, 2)
    site.page(2, headers={"ETag": '"a"'})
    site.poll()
    for hours in (5, 2, 30, 30, 30):
        site.house.clock.move(hours=hours)
        more = f"<p>Correction: the quay measures {hours} metres, not more, as we said.</p>"
        site.page(2, headers={"ETag": f'"{hours}"'}, more=more)
        site.read()
    asked = site.origin.requests(link(2)[1])
    assert [seen.headers.get("if-none-match") for seen in asked] == [None, '"a"', '"2"']
    assert [seen.method for seen in site.origin.requests(link(1)[1])] == ["GET", "HEAD"]
    assert site.items()["Quay plan number 2"]["revision"] == 2


def test_full_text_is_taken_from_the_own_page_when_the_feed_s_is_a_teaser(site: Site) -> None:
    site.follow(enabled=False, full_text=FullText.WHEN_TRUNCATED)
    site.feed(1)
    site.page(1, 2)
    site.poll()
    number = site.items()["Quay plan number 1"]["id"]
    assert "Paragraph 1-2 ends here" in (site.article(number).text or "")
    assert site.edges() == {}


def test_a_private_source_s_headers_and_network_never_reach_a_related_page(
    site: Site, origin: Origin
) -> None:
    settings = site.house.settings
    source = replace(
        settings.sources[0], allow_private=True, follow=FollowSettings(enabled=True, hosts="any")
    )
    site.house.configure(
        sources=(source,),
        fetching=replace(settings.fetching, allow_networks=(), allow_ports=(origin.port,)),
    )
    site.feed(1)
    site.page(1, 2)
    visits = site.poll()
    assert site.paths() == []
    assert {visit.word for visit in visits} == {"robots"}


def test_a_list_that_changes_on_every_load_and_ten_thousand_links_stay_bounded(site: Site) -> None:
    site.follow(depth=3)
    site.feed(1)
    site.page(1, *range(1000, 11000))
    for number in range(1000, 1060):
        site.page(number, *range(number * 100, number * 100 + 50))
    site.poll()
    assert len(site.edges()) <= 60 * 60
    assert len(site.origin.requests()) <= 1 + 2 + 50
    assert len([1 for (title, _) in site.edges() if title == "Quay plan number 1"]) <= 60


def test_after_a_rule_changed_old_pages_are_read_again(site: Site) -> None:
    site.feed(1)
    site.page(1)
    site.poll()
    site.house.clock.move(days=9)
    site.page(1, 2)
    site.page(2)
    site.follow(full_text=FullText.ALWAYS)

    async def again(parts: Parts) -> int:
        source = site.house.settings.sources[0]
        return await parts.database.run_write(
            reread, site.house.settings, source, parts.clock.now()
        )

    assert site.house.run(again) == 1
    site.read()
    number = site.items()["Quay plan number 1"]["id"]
    assert "Paragraph 1-2" in (site.article(number).text or "")
    assert site.state(1, link(2)[1]) == ("followed", None)


def test_what_is_forgotten_leaves_no_word_and_never_comes_back(site: Site) -> None:
    site.follow(full_text=FullText.ALWAYS)
    site.feed(1)
    site.page(1, 2)
    site.page(2)
    site.poll()
    site.house.feed("atom")

    async def forget(parts: Parts) -> int:
        numbers = await parts.database.run_read(items.numbers_of, "alpha")
        return await forget_items(parts, numbers)

    def words(connection: Connection) -> str:
        tables = (t.item, t.entry, t.item_text, t.revision, t.article, t.related_link, t.page)
        rows = [connection.execute(select(table)).all() for table in (*tables, t.rendered)]
        return repr(rows)

    assert "harbour council" in site.query(words)
    assert site.house.run(forget) == 2
    assert "Quay plan" not in site.query(words)
    assert "harbour" not in site.query(words)
    site.house.clock.move(hours=1)
    site.origin.forget()
    site.poll()
    assert site.paths() == []
    assert site.house.titles() == []


def test_an_article_found_nearer_to_a_feed_later_has_its_own_links_followed(site: Site) -> None:
    site.feed(1)
    site.page(1, 2)
    for number in (2, 3, 4):
        site.page(number, number + 1)
    site.poll()
    assert site.state(2, link(3)[1]) == ("refused", "depth")
    site.feed(1, 2)
    site.house.clock.move(hours=1)
    site.poll()
    assert site.state(2, link(3)[1]) == ("followed", None)
    assert site.state(3, link(4)[1]) == ("refused", "depth")
    assert len(site.items()) == 3


def test_a_host_that_asks_for_quiet_is_left_alone_and_asked_again_later(site: Site) -> None:
    site.feed(1, 2)
    site.page(1)
    site.origin.answer(link(2)[1], 429, {"Retry-After": "1200"})
    site.poll()
    assert site.paths() == ["/robots.txt", link(2)[1]]
    site.house.clock.move(minutes=10)
    assert site.read() == []
    site.page(2)
    site.house.clock.move(minutes=11)
    assert {visit.word for visit in site.read()} == {"read"}
    assert site.paths().count(link(1)[1]) == 1


def test_while_robots_txt_cannot_be_read_nothing_is(site: Site) -> None:
    site.origin.answer("/robots.txt", 500)
    site.feed(1)
    site.page(1)
    site.poll()
    for _ in range(4):
        site.house.clock.move(hours=5)
        site.read()
    assert set(site.paths()) == {"/robots.txt"}
    site.origin.answer("/robots.txt", 404)
    site.house.clock.move(hours=20)
    site.feed(1, 2)
    site.page(2)
    site.poll()
    assert link(1)[1] not in site.paths()


def test_a_crawl_delay_is_the_gap_after_robots_txt_too(site: Site) -> None:
    body = b"User-agent: aggregator\nCrawl-delay: 20\n"
    site.origin.answer("/robots.txt", body=body, headers={"Content-Type": "text/plain"})
    site.feed(1)
    site.page(1)
    site.poll()
    assert site.paths() == ["/robots.txt"]
    site.house.clock.move(seconds=21)
    site.read()
    assert site.paths() == ["/robots.txt", link(1)[1]]


def test_what_a_feed_itself_names_as_related_is_followed_too(site: Site) -> None:
    related = site.origin.url(link(2)[1])
    site.origin.answer(
        "/alpha",
        body=f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Quay</title><id>urn:x:1</id>
        <updated>2026-03-01T09:00:00Z</updated><entry><id>urn:x:2</id>
        <title>Quay plan number 1</title><updated>2026-03-01T09:00:00Z</updated>
        <link href="{site.origin.url(link(1)[1])}"/><link rel="related" href="{related}"/>
        <summary>The council met</summary></entry></feed>""".encode(),
    )
    site.page(1)
    site.page(2)
    site.poll()
    assert site.state(1, link(2)[1]) == ("followed", None)


UNREACHABLE = [
    f"http://{'a' * 64}.example/news/x-1.html",
    "https://256.1.1.1/news/x-2.html",
    "http://a..b.example/news/x-3.html",
    "http://xn--zz\u00fc.example/x-4.html",
]


def test_links_to_hosts_that_cannot_exist_are_refused_with_a_reason_once(
    house: House, origin: Origin
) -> None:
    site = Site(house, origin)
    site.follow(hosts="any", links_per_article=20)
    wide = f"http://ex\uff41mple.com:{origin.port}/news/quay-plan-wide-5-2026.html"
    odd = [(f"Quay plan of another kind {n}", url) for n, url in enumerate([*UNREACHABLE, wide])]
    site.page(1, 2, 3, *odd)
    site.page(2)
    site.page(3)
    site.feed(1)
    site.poll()
    for url in (*UNREACHABLE, wide):
        assert site.state(1, url.split("/", 3)[3]) == ("refused", "address"), url
    house.clock.move(hours=40)
    assert all(visit.word != "address" for visit in site.read())
