"""Housekeeping: old texts go and leave tombstones, old HTML is sanitised again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from aggregator.markup.sanitize import SANITIZER_VERSION
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.upkeep import maintain
from aggregator.store import schema as t
from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss


def test_texts_past_their_time_go_and_the_items_never_come_back(
    house: House, origin: Origin
) -> None:
    origin.script("/alpha", reply(200, {}, rss(1, 2)), reply(200, {}, rss(1, 2, 3)))
    house.poll("alpha")
    house.clock.move(days=89)
    assert house.run(maintain.purge) == 0
    house.clock.move(days=2)
    assert house.run(maintain.purge) == 2
    assert house.titles() == []
    house.poll("alpha")
    assert house.titles() == ["Bridge 3 opens"]


def test_html_of_an_older_sanitiser_is_sanitised_again(house: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1))
    house.poll("alpha")

    async def age(parts: Parts) -> None:
        def write(connection: Any) -> None:
            old = '<p onclick="x()">Kept</p><script>bad()</script>'
            connection.execute(update(t.item_text).values(html=old, sanitizer_version=0))

        await parts.database.run_write(write)

    async def html(parts: Parts) -> tuple[str, int]:
        def read(connection: Any) -> tuple[str, int]:
            row = connection.execute(
                select(t.item_text.c.html, t.item_text.c.sanitizer_version)
            ).one()
            return row.html, row.sanitizer_version

        return await parts.database.run_read(read)

    house.run(age)
    assert house.run(maintain.sanitize_again) == 1
    assert house.run(html) == ("<p>Kept</p>", SANITIZER_VERSION)
    assert house.run(maintain.sanitize_again) == 0
