"""`kill -9` at any moment loses nothing and repeats nothing (invariant 1)."""

from __future__ import annotations

import random
import time
from collections import Counter

from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Origin, Wire, reply

SOURCES = 6
KILLS = 30
PER_ROUND = 7


def test_killed_at_thirty_random_moments_it_ends_with_exactly_the_origin_s_items(
    either_program: Program, origin: Origin
) -> None:
    moments = random.Random(20260301)
    newest = dict.fromkeys(range(SOURCES), 20)

    def publish(number: int) -> None:
        async def handler(wire: Wire) -> None:
            tag = f'"{newest[number]}"'
            if wire.request.headers.get("if-none-match") == tag:
                await wire.send(reply(304, {"ETag": tag}))
            else:
                body = rss(f"site{number}", range(newest[number]))
                await wire.send(reply(200, {"ETag": tag}, body))

        origin.route(f"/{number}", handler)

    for number in range(SOURCES):
        publish(number)
    either_program.configure(
        [{"id": f"s{n}", "url": origin.url(f"/{n}"), "poll": "1s"} for n in range(SOURCES)],
        [origin.port],
        polling={"requests_per_second": 100},
    )
    for _ in range(KILLS):
        either_program.start(ready=False)
        asked = len(origin.log)
        either_program.wait(lambda seen=asked: len(origin.log) > seen, "it polls")  # type: ignore[misc]
        time.sleep(moments.uniform(0.0, 0.6))
        either_program.kill()
        for number in range(SOURCES):
            newest[number] += moments.randrange(PER_ROUND)
    expected = Counter(f"site{n} reports on bridge {i}" for n in newest for i in range(newest[n]))
    either_program.start()
    wait_until(lambda: len(either_program.items()) >= sum(expected.values()), "every item arrives")
    assert Counter(item["title"] for item in either_program.items()) == expected
    assert either_program.stop() == 0


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
