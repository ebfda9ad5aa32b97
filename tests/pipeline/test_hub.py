"""Our hub: who may subscribe, what is asked back, what is delivered, and when it ends."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from aggregator.model.settings import Secret, ServiceSettings, ViewSettings
from aggregator.model.states import PushKind, PushState
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.pushing import hub
from aggregator.store.pushing import targets
from aggregator.store.pushing.targets import Target
from aggregator.store.sources import hosts
from aggregator.work.push import Pusher
from tests.origin import Handler, Origin, Wire, reply
from tests.pipeline.conftest import NOON, House, rss

BASE = "https://news.example"
TOPIC = f"{BASE}/feeds/all.atom"
SECRET = "a secret of the subscriber"


@pytest.fixture
def hub_house(house: House, origin: Origin) -> House:
    """A house whose hub is on, and whose subscriber confirms and takes everything."""
    house.configure(service=ServiceSettings(base_url=BASE, hub=True))
    origin.route("/callback", subscriber())
    return house


def subscriber(*statuses: int, confirms: bool = True) -> Handler:
    """Answers deliveries with these statuses in turn, then with 200."""
    left = list(statuses)

    async def handler(wire: Wire) -> None:
        asked = dict(parse_qsl(wire.request.target.partition("?")[2]))
        if wire.request.method == "GET":
            answer = reply(200, body=asked["hub.challenge"].encode()) if confirms else reply(404)
        else:
            answer = reply(left.pop(0) if left else 200)
        await wire.send(answer)

    return handler


def ask(house: House, callback: str, **fields: str) -> hub.Reply:
    form = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": callback}
    form |= {f"hub.{name}": value for name, value in fields.items()}

    async def work(parts: Parts) -> hub.Reply:
        return await parts.database.run_write(hub.ask, parts.settings, form, parts.clock.now())

    return house.run(work)


def push(house: House, *, rounds: int = 2) -> list[Target]:
    """What the job does in a few ticks; gives the subscribers then."""

    async def work(parts: Parts) -> list[Target]:
        pusher = Pusher(parts)
        for _ in range(rounds):
            await pusher.tick()
            await asyncio.gather(*pusher._running.values())
        return await parts.database.run_read(targets.every, PushKind.HUB)

    return house.run(work)


def subscribed(house: House, origin: Origin, **fields: str) -> None:
    assert ask(house, origin.url("/callback"), secret=SECRET, **fields) == hub.Reply(202)
    (one,) = push(house)
    assert one.state is PushState.ACTIVE


def delivered(origin: Origin) -> list[Any]:
    return [seen for seen in origin.requests("/callback") if seen.method == "POST"]


def test_a_subscriber_is_asked_whether_it_means_it_and_gets_what_is_new_alone(
    hub_house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1, 2))
    hub_house.poll("alpha")
    subscribed(hub_house, origin, lease_seconds="600")
    (verified,) = origin.requests("/callback")
    query = dict(parse_qsl(verified.target.partition("?")[2]))
    assert (query["hub.mode"], query["hub.topic"]) == ("subscribe", TOPIC)
    assert len(query["hub.challenge"]) > 40
    assert query["hub.lease_seconds"] == "600"

    origin.answer("/alpha", body=rss(1, 2, 3, 4))
    hub_house.clock.move(minutes=5)
    hub_house.poll("alpha")
    push(hub_house)
    (seen,) = delivered(origin)
    assert seen.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert f'<{BASE}/hub>; rel="hub", <{TOPIC}>; rel="self"' == seen.headers["link"]
    signed = hmac.new(SECRET.encode(), seen.body, "sha256").hexdigest()
    assert seen.headers["x-hub-signature"] == f"sha256={signed}"
    text = seen.body.decode()
    assert text.count("<entry") == 2
    assert text.index("Bridge 4 opens") < text.index("Bridge 3 opens")
    assert f'rel="hub" href="{BASE}/hub"' in text


def test_a_material_change_is_news_and_a_silent_replacement_is_none(
    hub_house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))
    hub_house.poll("alpha")
    subscribed(hub_house, origin)
    for text, deliveries in (
        ("opened  after repairs", 0),
        ("stayed shut, as the inspectors found cracks in four of its pillars", 1),
    ):
        hub_house.clock.move(minutes=5)
        origin.answer("/alpha", body=rss(1, text=text))
        hub_house.poll("alpha")
        push(hub_house)
        assert len(delivered(origin)) == deliveries


def test_what_is_not_taken_is_tried_again_later_and_nothing_is_left_out(
    hub_house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))
    hub_house.poll("alpha")
    subscribed(hub_house, origin)
    origin.route("/callback", subscriber(503, 500))
    bodies = []
    for number in (2, 3):
        origin.answer("/alpha", body=rss(*range(1, number + 1)))
        hub_house.poll("alpha")
        (one,) = push(hub_house)
        bodies.append(delivered(origin)[-1].body)
        assert one.tries == number - 1
        assert one.due_at > hub_house.clock.now()
        hub_house.clock.move(minutes=1)
    assert bodies[0] == bodies[1]  # what was tried is tried again, whatever came meanwhile
    (one,) = push(hub_house, rounds=3)
    titles = [seen.body.decode().count("<entry") for seen in delivered(origin)]
    assert (titles, one.tries) == ([1, 1, 1, 1], 0)
    assert "Bridge 3 opens" in delivered(origin)[-1].body.decode()


def test_it_ends_with_410_with_its_lease_and_when_the_subscriber_leaves(
    hub_house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))
    hub_house.poll("alpha")

    subscribed(hub_house, origin)
    origin.route("/callback", subscriber(410))
    origin.answer("/alpha", body=rss(1, 2))
    hub_house.poll("alpha")
    assert push(hub_house) == []

    origin.route("/callback", subscriber())
    subscribed(hub_house, origin, lease_seconds="300")
    hub_house.clock.move(minutes=6)
    assert push(hub_house) == []

    subscribed(hub_house, origin)
    origin.route("/callback", subscriber(confirms=False))  # somebody else asked for that
    ask(hub_house, origin.url("/callback"), mode="unsubscribe")
    assert len(push(hub_house)) == 1
    origin.route("/callback", subscriber())
    ask(hub_house, origin.url("/callback"), mode="unsubscribe")
    assert push(hub_house) == []


def test_who_does_not_confirm_is_forgotten(hub_house: House, origin: Origin) -> None:
    origin.route("/callback", subscriber(confirms=False))
    assert ask(hub_house, origin.url("/callback")).status == 202
    assert push(hub_house) == []


def test_a_subscriber_whose_host_is_left_alone_for_long_is_forgotten_in_an_hour(
    hub_house: House, origin: Origin
) -> None:
    async def block(parts: Parts) -> None:
        until = parts.clock.now() + timedelta(days=20)
        await parts.database.run_write(hosts.block_host, "127.0.0.1", until, "retry-after")

    hub_house.run(block)
    assert ask(hub_house, origin.url("/callback")) == hub.Reply(202)
    (one,) = push(hub_house)
    assert (one.state, one.due_at) == (PushState.ASKED, one.made_at + hub.MOST_WAIT)
    hub_house.clock.move(hours=1)
    assert push(hub_house) == []
    assert origin.requests("/callback") == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"mode": "publish"}, 400),
        ({"topic": f"{BASE}/feeds/other.atom"}, 404),
        ({"topic": f"{BASE}/feeds/all.atom?page=x"}, 404),
        ({"topic": "https://elsewhere.example/feed"}, 404),
        ({"callback": "ftp://a.example/"}, 400),
        ({"callback": "https://user:word@a.example/"}, 400),
        ({"callback": "https://a.example/#x"}, 400),
        ({"secret": "x" * 200}, 400),
        ({"lease_seconds": "soon"}, 400),
    ],
)
def test_what_is_wrong_with_a_request_is_said_at_once(
    hub_house: House, fields: Mapping[str, str], status: int
) -> None:
    assert ask(hub_house, **{"callback": "https://a.example/", **fields}).status == status


def test_a_guarded_feed_needs_its_token_and_an_https_callback_and_ends_with_the_token(
    hub_house: House, origin: Origin
) -> None:
    view = ViewSettings("all", "Everything", token=Secret("the token of this view"))
    hub_house.configure(views=(view,))
    opened = f"{TOPIC}?token=the%20token%20of%20this%20view"
    assert ask(hub_house, "https://a.example/").status == 404
    assert ask(hub_house, "https://a.example/", topic=f"{TOPIC}?token=guess").status == 404
    assert ask(hub_house, "http://a.example/", topic=opened).status == 400
    assert ask(hub_house, "https://a.example/", topic=opened).status == 202
    hub_house.configure(views=(replace(view, token=Secret("another one of them")),))
    assert push(hub_house) == []


def test_a_callback_at_a_private_address_is_never_dialled(hub_house: House, origin: Origin) -> None:
    fetching = replace(hub_house.settings.fetching, allow_networks=())
    hub_house.configure(fetching=fetching)
    assert ask(hub_house, origin.url("/callback")).status == 202
    assert push(hub_house) == []
    assert origin.requests("/callback") == []


def test_subscribers_are_limited_by_host_and_in_all(
    hub_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MOST_OF_HOST", 2)
    monkeypatch.setattr(hub, "MOST", 3)
    answers = [
        ask(hub_house, f"https://{host}/{number}").status
        for host, number in (
            ("a.example", 1), ("b.a.example", 2), ("a.example", 3), ("b.example", 4),
            ("c.example", 5), ("a.example", 1),
        )
    ]  # fmt: skip
    assert answers == [202, 202, 429, 202, 503, 202]


def test_what_was_there_and_what_lies_in_the_archive_is_no_news(
    hub_house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1, 2, 3))
    hub_house.poll("alpha")
    subscribed(hub_house, origin)
    hub_house.clock.at = NOON.replace(day=20)
    origin.answer("/beta", body=rss(*range(5), site="beta"))  # of 1 March: its first document
    hub_house.poll("beta")
    push(hub_house)
    assert delivered(origin) == []


def test_a_next_try_that_a_wrong_clock_planned_is_not_waited_for(
    hub_house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))
    hub_house.poll("alpha")
    subscribed(hub_house, origin, lease_seconds="2592000")
    origin.route("/callback", subscriber(503))
    origin.answer("/alpha", body=rss(1, 2))
    hub_house.poll("alpha")
    hub_house.clock.move(days=20)
    push(hub_house)
    hub_house.clock.move(days=-20)  # set right: the next try lies twenty days ahead
    (one,) = push(hub_house)
    assert (len(delivered(origin)), one.tries) == (2, 0)
