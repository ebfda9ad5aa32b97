"""New items as Server-Sent Events: the wire format, the cursor, and who may read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

import pytest

from aggregator.model.settings import Secret
from aggregator.server.wire.streams import LIMITS, Streams
from tests.server.conftest import Serve
from tests.server.samples import settings_of


@dataclass
class Said:
    cursor: int
    data: str | None = None
    lost: bool = False


@dataclass
class Room:
    asked: list[tuple[str, int | None]] = field(default_factory=list)

    async def events(self, view_id: str, cursor: int | None) -> AsyncGenerator[Said, None]:
        self.asked.append((view_id, cursor))
        for said in (Said(7), Said(8, '{"title":"A"}'), Said(9, lost=True)):
            yield said


def test_a_stream_names_its_cursors_and_takes_them_back(serve: Serve) -> None:
    room = Room()
    with serve(newsroom=room, streams=Streams(LIMITS)) as client:
        answer = client.get("/feeds/all/events")
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.text == (
            'retry: 5000\n\nid: 7\n\nid: 8\nevent: item\ndata: {"title":"A"}\n\n'
            "id: 9\nevent: lost\ndata: {}\n\n"
        )
        client.get("/feeds/all/events", headers={"Last-Event-ID": "8"})
        client.get("/feeds/all/events?after=5", headers={"Last-Event-ID": "x"})
        assert [cursor for _, cursor in room.asked] == [None, 8, None]
        assert client.get("/feeds/none/events").status_code == 404


@pytest.mark.parametrize(("query", "status"), [("", 401), ("?token=wrong", 401), ("?token=t", 200)])
def test_access_is_as_for_the_view(serve: Serve, query: str, status: int) -> None:
    settings = settings_of()
    views = tuple(replace(view, token=Secret("t")) for view in settings.views)
    room = Room()
    streams = Streams(LIMITS)
    with serve(settings=replace(settings, views=views), newsroom=room, streams=streams) as client:
        assert client.get(f"/feeds/all/events{query}").status_code == status
    assert bool(room.asked) == (status == 200)
