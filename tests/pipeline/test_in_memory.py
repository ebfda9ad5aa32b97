"""Documents in memory: given without a question, and never older than the store allows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from aggregator.model.pages import Rendered
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing import views
from aggregator.pipeline.showing.views import Publisher
from aggregator.store import changed
from aggregator.store.database import Database
from tests.origin import Origin
from tests.pipeline.conftest import House, rss

NEVER, AT_ONCE = 1e9, -1.0  # seconds in which a change by another process goes unseen


def change(database: Database, parts: Parts) -> None:
    with database.write() as connection:
        changed.show_anew(connection, parts.clock.now(), sources=["alpha"])


def with_publisher(
    house: House, then: Callable[[Parts, Publisher, Rendered], Awaitable[None]]
) -> None:
    async def work(parts: Parts) -> None:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        assert publisher.ready("all", "atom") is None
        document = await publisher.rendered("all", "atom", None)
        assert document is not None
        await publisher.rendered("all", "atom", None)
        await then(parts, publisher, document)

    house.run(work)


@pytest.fixture
def fed(house: House, origin: Origin) -> House:
    """With an item in the view."""
    origin.answer("/alpha", body=rss(1))
    house.poll("alpha")
    return house


def test_the_same_document_is_ready_as_long_as_nothing_changes(
    fed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_OTHERS", NEVER)

    async def then(parts: Parts, publisher: Publisher, document: Rendered) -> None:
        assert publisher.ready("all", "atom") is publisher.ready("all", "atom")
        assert publisher.ready("all", "atom") == document
        assert publisher.ready("all", "rss") is None
        assert publisher.ready("none", "atom") is None

    with_publisher(fed, then)


def test_a_commit_of_this_process_counts_at_once(
    fed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_OTHERS", NEVER)

    async def then(parts: Parts, publisher: Publisher, document: Rendered) -> None:
        change(parts.database, parts)
        assert publisher.ready("all", "atom") is None
        again = await publisher.rendered("all", "atom", None)
        assert again == document  # its bytes came out the same: so do its tag and its date
        await publisher.rendered("all", "atom", None)  # the one before was stored: a commit
        assert publisher.ready("all", "atom") is not None

    with_publisher(fed, then)


def test_a_commit_of_another_process_counts_when_the_time_for_it_is_over(
    fed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def then(parts: Parts, publisher: Publisher, document: Rendered) -> None:
        other = Database(fed.settings.storage.url.reveal())
        monkeypatch.setattr(views, "_OTHERS", NEVER)
        change(other, parts)
        other.close()
        assert publisher.ready("all", "atom") is not None
        monkeypatch.setattr(views, "_OTHERS", AT_ONCE)
        assert publisher.ready("all", "atom") is None
        rendered = publisher._kept["all", "atom", ""].row.version
        await publisher.rendered("all", "atom", None)
        assert publisher._kept["all", "atom", ""].row.version == rendered + 1

    with_publisher(fed, then)
