"""What is new in a document since one of its versions."""

from __future__ import annotations

import feedparser

from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.showing.deltas import VERSIONS
from aggregator.pipeline.showing.views import Publisher
from tests.origin import Origin
from tests.pipeline.conftest import House, claimed, rss


def test_a_delta_has_what_came_since_one_of_the_last_twenty_versions(
    house: House, origin: Origin
) -> None:
    async def work(parts: Parts) -> None:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        source = next(one for one in house.settings.sources if one.id == "alpha")
        tags = []
        for number in range(1, VERSIONS + 3):
            origin.answer("/alpha", body=rss(*range(1, number + 1)))
            house.clock.move(hours=1)
            await poll_source(parts, source, await claimed(parts, source))
            document = await publisher.rendered("all", "atom", None)
            assert document is not None
            tags.append(document.etag)
        for back in (1, VERSIONS - 1):
            delta = await publisher.delta("all", "atom", [tags[-1 - back]])
            assert delta is not None
            assert delta.etag == tags[-1]
            assert len(feedparser.parse(delta.body).entries) == back
        assert await publisher.delta("all", "atom", [tags[0]]) is None
        assert await publisher.delta("all", "rss", [tags[-2]]) is None

    house.run(work)
