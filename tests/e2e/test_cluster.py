"""Schedulers, workers and servers on one PostgreSQL: the same news as of one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests import parts
from tests.e2e.changing_news import ChangingNews, differences
from tests.e2e.cluster import Cluster, Readers
from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Origin

pytestmark = pytest.mark.required("postgres")

BASE = {"base_url": "https://news.example.org/"}
RIGHTS = Path(__file__).parents[2] / "docs" / "how-to" / "postgresql.md"
GAP = 0.2  # seconds between two requests to a host


@pytest.fixture
def cluster(tmp_path: Path, postgres_url: str) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(Program(tmp_path, postgres_url), stack)


def grant(cluster: Cluster) -> None:
    """Give each role its user of the database, with the rights that the how-to gives it."""
    before, after = (
        part.partition("```")[0] for part in RIGHTS.read_text("utf-8").split("```sql\n")[1:]
    )
    url = make_url(cluster.program.database_url)
    users = {
        name: url.set(username=f"aggregator_{name}").render_as_string(hide_password=False)
        for name in ("owner", "work", "serve")
    }
    with psycopg.connect(cluster.program.database_url, autocommit=True) as connection:
        connection.execute(before.encode())
        owner = cluster.program.beside()
        owner.storage = users["owner"]
        owner.command("upgrade-store")
        connection.execute(after.encode())
    cluster.users = {"schedule": users["work"], "worker": users["work"], "serve": users["serve"]}


def article(origin: Origin, path: str) -> bytes:
    """Serve an article's page at a path; returns a feed that has no more of it than its title."""
    told = "".join(f"<p>The harbour council heard part {n} of the plan.</p>" for n in range(9))
    page = (
        "<!doctype html><html lang=en><title>Plan</title><meta property=og:type content=article>"
        f"<body><article><h1>A plan for the quay</h1>{told}</article></body></html>"
    )
    origin.answer("/robots.txt", 404)
    origin.answer(path, body=page.encode(), headers={"Content-Type": "text/html"})
    return (
        "<rss version='2.0'><channel><title>Quay</title><item><title>A plan for the quay</title>"
        f"<link>{origin.url(path)}</link></item></channel></rss>"
    ).encode()


def test_what_is_due_goes_from_a_scheduler_over_a_worker_to_a_server(
    cluster: Cluster, origin: Origin
) -> None:
    """Feeds, pages and news for others, each role with no more rights than it needs."""
    for number in range(6):
        origin.answer(f"/{number}", body=rss(f"paper{number}", range(3)))
    origin.answer("/hook", 200)
    sources = [{"id": f"paper{n}", "url": origin.url(f"/{n}")} for n in range(6)]
    sources[0]["poll"] = "1s"
    service = {**BASE, "hub": True, "search": "everywhere"}
    with Origin("127.0.0.2") as quay:  # another host: its page waits for no feed
        origin.answer("/quay", body=article(quay, "/news/2026/plan.html"))
        cluster.program.configure(
            [*sources, {"id": "quay", "url": origin.url("/quay"), "full_text": "always"}],
            [origin.port, quay.port],
            service=service,
            fetching={"allow_networks": ["127.0.0.0/8"]},
            views=[{"id": "all", "title": "All", "webhooks": [{"url": origin.url("/hook")}]}],
        )
        grant(cluster)
        worker = cluster.start("worker", "--concurrency", "4", ready=False)  # it waits
        server = cluster.start("serve", ready=False)
        cluster.start("schedule")

        server.wait(server.is_ready, "the server is ready")
        server.wait(lambda: len(server.items()) == 19, "every item is served")
        worker.wait(lambda: quay.requests("/news/2026/plan.html") != [], "the page is read")
        worker.wait(lambda: cluster.ask("SELECT 1 FROM push_target") != [], "the hook is known")
        worker.wait(lambda: cluster.ask("SELECT 1 FROM push_news") != [], "news is looked for")
        origin.answer("/0", body=rss("paper0", range(4)))
        worker.wait(lambda: origin.requests("/hook") != [], "the hook is told what is new")

    assert len(origin.requests("/1")) == 1
    for path in ("/", "/views/all", "/sources/paper0", "/status", "/search?q=bridge"):
        assert server.get(path).status_code == 200, path
    asked = {"hub.mode": "subscribe", "hub.callback": origin.url("/callback"),
             "hub.topic": f"{BASE['base_url']}feeds/all.atom"}  # fmt: skip
    assert httpx.post(f"{server.url}/hub", data=asked).status_code == 202
    assert (1,) in cluster.ask("SELECT 1 FROM push_target WHERE asked = 'subscribe'")
    assert cluster.stop() == [0, 0, 0]
    assert "Traceback" not in cluster.program.log()
    assert "does not allow" not in cluster.program.log()


def test_whatever_is_killed_or_cut_off_the_items_are_what_was_published(
    cluster: Cluster, postgres: parts.Postgres
) -> None:
    """And no host was asked more often than its budget allows, no document was broken."""
    with ChangingNews(hosts=6, feeds=12, seed=23, delay=(0.0, 0.1)) as news:
        cluster.program.configure(
            news.sources("2s"),
            [news.port],
            service=BASE,
            polling={"requests_per_second": 50, "host_gap": f"{GAP}s"},
            fetching={"allow_networks": ["127.0.0.0/8"], "parse_workers": 1},
        )
        for feed in range(12):
            news.publish(feed)
        for role in ("schedule", "schedule", "worker", "worker", "serve"):
            cluster.start(role, ready=False)
        readers = Readers()

        def goes_on() -> None:
            """Something new of every feed is published and asked for."""
            for feed in range(12):
                news.publish(feed)
                news.correct(feed)
            asked = len(news.visits)
            wait_until(lambda: len(news.visits) > asked + 12, "polls go on")
            for server in cluster.of("serve"):
                for kind in ("atom", "rss", "json"):
                    readers.read(server, f"/feeds/all.{kind}")

        goes_on()
        lost = cluster.of("worker")[0]
        cluster.kill(lost)
        goes_on()
        cluster.bury(lost)
        cluster.kill(cluster.of("schedule")[0])
        cluster.start("worker", ready=False)
        goes_on()
        cluster.cut_connections()
        goes_on()
        postgres.restart()
        goes_on()
        server = cluster.of("serve")[0]
        server.wait(server.is_ready, "the server is ready again")

        for _ in range(2):  # the first may have asked before the last publication
            moment = datetime.now(UTC)
            wait_until(lambda m=moment: cluster.polled_since(m), "every source is polled again")  # type: ignore[misc]
        assert differences(news.truth(), cluster.stored()) == []
        assert news.rude(GAP) == []
        assert readers.broken == []
        assert readers.good > 0
        assert cluster.stop() == [0, 0, 0, 0]
