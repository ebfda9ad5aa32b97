"""What operators see of polls from outside: one event each, and numbers that fit."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.measuring import measure
from aggregator.telemetry import metrics
from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss

TEXT = " ".join(f"The harbour of town {n} reopened after a winter of repairs." for n in range(30))


def told(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def measured(house: House) -> None:
    async def work(parts: Parts) -> None:
        await parts.database.run_read(measure, parts.clock.now())

    house.run(work)


def test_every_poll_is_one_event_whatever_came_of_it(house: House, origin: Origin) -> None:
    origin.script(
        "/alpha",
        reply(200, {"ETag": '"1"'}, rss(1, 2)), reply(304), reply(500), reply(200, {}, b"no feed"),
    )  # fmt: skip
    outcomes = []
    for _ in range(4):
        with capture_logs() as said:
            house.poll("alpha")
        (event,) = [one for one in said if one["event"] == "polled"]
        outcomes.append((event["outcome"], event["log_level"], event["new"], event["entries"]))
        house.clock.move(days=1)
    assert outcomes == [
        ("new", "info", 2, 2),
        ("not_modified", "info", 0, 0),
        ("http", "warning", 0, 0),
        ("not_a_feed", "warning", 0, 0),
    ]


def test_lag_is_the_time_since_the_longest_overdue_source_was_due(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))
    origin.answer("/beta", body=rss(2, site="beta"))
    house.state("alpha")  # applies the configuration: both are due
    house.clock.move(minutes=10)
    measured(house)
    assert told("aggregator_lag_seconds") == 600
    assert told("aggregator_waiting", work="feeds") == 2
    assert told("aggregator_waiting_seconds", work="feeds") == 600
    house.poll()
    measured(house)
    assert told("aggregator_lag_seconds") == 0
    assert told("aggregator_waiting", work="feeds") == 0


def test_copies_are_counted_and_told_of_the_poll_that_brought_them(
    house: House, origin: Origin
) -> None:
    for site in ("alpha", "beta"):
        origin.answer(f"/{site}", body=rss(1, site=site, text=TEXT))
    before = told("aggregator_copies_total")
    with capture_logs() as said:
        house.poll()
    assert told("aggregator_copies_total") == before + 1
    assert [one["copies"] for one in said if one["event"] == "polled"] == [0, 1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rendering_and_requests_are_timed(house: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1))
    names = ("aggregator_fetch_seconds_count", "aggregator_render_seconds_count")
    before = told(names[0]), told(names[1], format="atom")
    house.poll("alpha")
    house.feed()
    assert (told(names[0]), told(names[1], format="atom")) == (before[0] + 1, before[1] + 1)
