"""A person asks for a poll now: the plan gives way, what the host demands does not."""

from __future__ import annotations

from datetime import timedelta

from aggregator.model.pages import Wish
from aggregator.model.poll import PlanReason
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from tests.origin import Origin
from tests.pipeline.conftest import House, rss


def poll_now(house: House, source: str) -> Wish | None:
    async def work(parts: Parts) -> Wish | None:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: house.settings, Condition())
        return await pages.poll_now(source)

    return house.run(work)


def test_a_source_is_due_at_once_when_a_person_asks(house: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1))
    origin.answer("/beta", status=503, headers={"Retry-After": "7200"})
    house.poll("alpha")
    assert poll_now(house, "nowhere") is None
    house.clock.move(minutes=5)
    assert poll_now(house, "alpha") == Wish("It is polled within seconds.", house.clock.now())
    state = house.state("alpha")
    assert (state.next_poll_at, state.next_reason) == (house.clock.now(), PlanReason.ASKED)
    house.poll("beta")
    asked = house.clock.now()
    wish = poll_now(house, "beta")
    assert wish is not None
    assert wish.at >= asked + timedelta(hours=2)
    assert wish.said.startswith("It waits: ")
    assert house.state("beta").next_poll_at >= asked + timedelta(hours=2)
