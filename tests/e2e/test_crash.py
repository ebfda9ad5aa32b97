"""`kill -9` at any moment loses nothing and repeats nothing (invariant 1).

`AGGREGATOR_KILLS=500` makes it a long test, for which pytest needs `--timeout 0`; the seed of the
moments is `AGGREGATOR_SEED`.
"""

from __future__ import annotations

import html
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from tests.e2e import stories
from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.e2e.stories import Piece, stream
from tests.e2e.test_stream import groups, judge
from tests.origin import Handler, Origin, Wire, reply
from tests.running_hub import BASE, RunningHub

KILLS = int(os.environ.get("AGGREGATOR_KILLS", "10"))
SEED = int(os.environ.get("AGGREGATOR_SEED", "20260301"))
OUTLETS = 6
PUSHED = 0  # the outlet that a hub pushes; it is polled as well
STORIES = min(KILLS, 100)  # of five pieces each
ARTICLES = min(2 * KILLS, 200)  # whose pages are read, each of which names two more
PROSE = "".join(
    f"<p>The harbour council heard part {part} of the engineers' plan for the quay, which would "
    "close the northern pier for two seasons, as the mayor explained on Monday.</p>"
    for part in range(3)
)


@dataclass
class Busy:
    """Outlets that publish while the program polls, copies among them, and pages it follows."""

    origin: Origin
    paper: Origin  # another host: pages there do not wait for the polls of the outlets
    hub: RunningHub
    pieces: list[Piece] = field(default_factory=lambda: stream(STORIES, OUTLETS, SEED))
    published: int = 0  # of the pieces
    linked: int = 0  # of the articles

    def serve(self) -> None:
        """Answer for every outlet and every page; what there is grows with `publish`."""
        for outlet in range(OUTLETS):
            self.origin.route(f"/{outlet}", self._outlet(outlet))
        self.paper.route("/articles", self._articles())
        self.paper.answer("/robots.txt", 404)
        for number in range(ARTICLES):
            links = "".join(
                f"<li><a href='/news/2026/more-{number}-{n}.html'>Story {number} goes on, part {n}"
                "</a></li>"
                for n in range(2)
            )
            related = f"</article><h3>Related News</h3><ul>{links}</ul>"
            self._page(f"/news/2026/story-{number}.html", f"Story {number}", related)
            for n in range(2):
                title = f"Story {number} goes on, part {n}"
                self._page(f"/news/2026/more-{number}-{n}.html", title, "</article>")

    def _page(self, path: str, title: str, end: str) -> None:
        body = (
            f"<!doctype html><html lang=en><title>{title}</title><meta property=og:type "
            f"content=article><body><article><h1>{title}</h1><p>{title} is told here.</p>"
            f"{PROSE}{end}"
        )
        self.paper.answer(path, body=body.encode(), headers={"Content-Type": "text/html"})

    def publish(self, share: float) -> None:
        """Let this share of everything be published."""
        self.published = round(share * len(self.pieces))
        self.linked = round(share * ARTICLES)

    def push(self) -> None:
        """The hub delivers what its outlet has, to whoever is there."""
        self.hub.post("/publish", topic=self.origin.url(f"/{PUSHED}"), body=self._rss(PUSHED))

    def _rss(self, outlet: int) -> str:
        shown = [piece for piece in self.pieces[: self.published] if piece.source == outlet]
        return stories.rss(outlet, shown).decode()

    def _outlet(self, outlet: int) -> Handler:
        hub = f'<{self.hub.url}>; rel="hub", <{self.origin.url(f"/{outlet}")}>; rel="self"'

        async def handler(wire: Wire) -> None:
            body = self._rss(outlet).encode()
            headers = {"ETag": f'"{len(body)}"'} | ({"Link": hub} if outlet == PUSHED else {})
            known = wire.request.headers.get("if-none-match") == headers["ETag"]
            await wire.send(reply(304, headers) if known else reply(200, headers, body))

        return handler

    def _articles(self) -> Handler:
        async def handler(wire: Wire) -> None:
            items = "".join(
                f"<item><guid isPermaLink='false'>{n}</guid><title>Story {n}</title>"
                f"<link>{self.paper.url(f'/news/2026/story-{n}.html')}</link>"
                f"<description>{html.escape(f'<p>Story {n}…</p>')}</description></item>"
                for n in range(self.linked)
            )
            body = f"<rss version='2.0'><channel><title>Quay</title>{items}</channel></rss>"
            await wire.send(reply(200, {}, body.encode()))

        return handler

    def titles(self) -> Counter[str]:
        """Of every item there has to be in the end."""
        told = [f"Story {n} goes on, part {part}" for n in range(ARTICLES) for part in range(2)]
        return Counter(
            [" ".join(piece.title.split()) for piece in self.pieces]
            + [f"Story {n}" for n in range(ARTICLES)]
            + told
        )


@pytest.fixture
def paper() -> Iterator[Origin]:
    with Origin("127.0.0.2") as made:
        yield made


@pytest.fixture
def busy(either_program: Program, origin: Origin, paper: Origin, tmp_path: Path) -> Iterator[Busy]:
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    hub = RunningHub(tmp_path, authority, either_program.url)
    follow = {"depth": 1, "links_per_article": 9, "pages_per_host_and_day": 10_000}
    outlets = [{"id": f"s{n}", "url": origin.url(f"/{n}"), "poll": "1s"} for n in range(OUTLETS)]
    articles = {"id": "quay", "url": paper.url("/articles"), "poll": "2s"}
    either_program.configure(
        [*outlets, {**articles, "follow_related": follow, "full_text": "when_truncated"}],
        [origin.port, paper.port, hub.port],
        polling={"requests_per_second": 100, "article_gap": "0.01s"},
        fetching={"ca_bundle": str(bundle), "allow_networks": ["127.0.0.0/8"]},
        service={"base_url": BASE, "websub": True},
        views=[{"id": "all", "title": "All", "mode": "articles"}],
    )
    made = Busy(origin, paper, hub)
    made.serve()
    yield made
    hub.stop()


def test_killed_at_random_busy_moments_it_ends_with_exactly_what_was_published(
    either_program: Program, origin: Origin, paper: Origin, busy: Busy
) -> None:
    """While it polls, follows pages, finds copies and takes pushes. What was shown keeps its id."""
    moments = random.Random(SEED)
    ids: dict[str, str] = {}
    for kill in range(KILLS):
        busy.publish((kill + 1) / KILLS)
        either_program.start(ready=False)
        asked = len(origin.log) + len(paper.log) + moments.randint(1, 16)
        wait_until(lambda n=asked: len(origin.log) + len(paper.log) >= n, "it is busy")  # type: ignore[misc]
        if kill % max(4, KILLS // 20) == 3:
            keep_ids(either_program, ids)
        push = threading.Thread(target=busy.push)
        push.start()
        time.sleep(moments.uniform(0.0, 0.5))
        either_program.kill()
        push.join()
    either_program.start()
    expected = busy.titles()
    wait_until(lambda: len(either_program.items()) >= expected.total(), "every item arrives")
    assert Counter(item["title"] for item in either_program.items()) == expected
    keep_ids(either_program, ids)
    wait_until(lambda: busy.hub.log("verified") != [], "the hub is asked again and verifies")
    assert either_program.stop() == 0
    stored = groups(either_program.database_url)
    wrong, missed, pairs = judge(busy.pieces, stored)
    assert wrong == []
    assert missed <= 0.03 * pairs


def keep_ids(program: Program, ids: dict[str, str]) -> None:
    """Note the id of each item that is shown; one seen before has to be the same."""
    for item in program.items():
        assert ids.setdefault(item["url"], item["id"]) == item["id"]


def test_a_stop_drains_and_a_start_polls_nothing_that_is_not_due(
    program: Program, origin: Origin
) -> None:
    for number in range(5):
        origin.answer(f"/{number}", body=rss(f"site{number}", range(10)), headers={"ETag": '"1"'})
    program.configure(
        [{"id": f"s{n}", "url": origin.url(f"/{n}")} for n in range(5)], [origin.port]
    )
    program.start()
    wait_until(lambda: len(program.items()) == 50, "every item arrives")
    assert program.stop() == 0
    origin.forget()
    program.start()
    time.sleep(3)  # three ticks
    assert origin.requests() == []
    assert len(program.items()) == 50
    assert program.stop() == 0
