"""What a subscription means for polling: the slow check, distrust after a miss (rows 106, 116)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.settings import Secret, ServiceSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import websub
from aggregator.pipeline.polling.pushes import read_pushes
from aggregator.store.sources import subscriptions
from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss

HUB = "https://hub.example/"


@pytest.fixture
def open_house(house: House) -> House:
    service = ServiceSettings(base_url="https://news.example", websub=True)
    house.configure(service=service)
    return house


def linked(origin: Origin, body: bytes, hub: str = HUB) -> bytes:
    link = f'<{hub}>; rel="hub", <{origin.url("/alpha")}>; rel="self"'
    return reply(200, {"Link": link, "ETag": f'"{len(body)}"'}, body)


def subscription(house: House, name: str = "alpha") -> Any:
    async def work(parts: Parts) -> Any:
        return await parts.database.run_read(subscriptions.of_source, name)

    return house.run(work)


def verified(house: House) -> None:
    one = subscription(house)
    asked = {
        "hub.mode": "subscribe", "hub.topic": one.topic, "hub.challenge": "abc",
        "hub.lease_seconds": str(10 * 86400),
    }  # fmt: skip

    async def work(parts: Parts) -> websub.Reply:
        return await parts.database.run_write(websub.verify, one.token, asked, parts.clock.now())

    assert house.run(work) == websub.Reply(200, "abc")


def push(house: House, body: bytes) -> int:
    one = subscription(house)
    signature = "sha256=" + hmac.new(one.secret.encode(), body, "sha256").hexdigest()

    async def work(parts: Parts) -> int:
        answer = await parts.database.run_write(
            websub.deliver, one.token, signature, "application/rss+xml", body, parts.clock.now()
        )
        assert answer.status == 202
        return await read_pushes(parts)

    return house.run(work)


def test_http_link_headers_go_before_links_in_the_document(
    open_house: House, origin: Origin
) -> None:
    inside = (
        b'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="hub" '
        b'href="https://other.example/"/>'
    )
    body = rss(1).replace(b"</description>", b"</description>" + inside, 1)
    origin.send("/alpha", linked(origin, body))
    open_house.poll("alpha")
    assert subscription(open_house).hub == HUB


def test_links_in_the_document_do_too(open_house: House, origin: Origin) -> None:
    links = "".join(
        f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{rel}" href="{href}"/>'
        for rel, href in (("hub", HUB), ("self", origin.url("/alpha")))
    )
    body = rss(1).replace(b"</description>", b"</description>" + links.encode(), 1)
    origin.answer("/alpha", body=body)
    open_house.poll("alpha")
    found = subscription(open_house)
    assert (found.hub, found.topic, found.state) == (HUB, origin.url("/alpha"), "pending")


def test_without_the_setting_nothing_is_subscribed(house: House, origin: Origin) -> None:
    origin.send("/alpha", linked(origin, rss(1)))
    house.poll("alpha")
    assert subscription(house) is None


def test_neither_a_hub_on_http_nor_a_source_with_credentials_is_subscribed(
    open_house: House, origin: Origin
) -> None:
    origin.send("/alpha", linked(origin, rss(1), "http://hub.example/"))
    open_house.poll("alpha")
    assert subscription(open_house) is None
    guarded = replace(open_house.settings.sources[0], headers={"X-Key": Secret("hush-hush")})
    open_house.configure(sources=(guarded,))
    origin.send("/alpha", linked(origin, rss(1, 2)))
    open_house.poll("alpha")
    assert subscription(open_house) is None


def test_a_pushed_source_is_still_polled_but_six_hours_apart(
    open_house: House, origin: Origin
) -> None:
    origin.send("/alpha", linked(origin, rss(1)))
    open_house.poll("alpha")
    verified(open_house)
    assert push(open_house, rss(2)) == 1
    open_house.clock.move(hours=2)
    origin.send("/alpha", linked(origin, rss(1, 2)))
    record = open_house.poll("alpha")[0]
    assert record.reason == "push"
    assert record.next_at is not None
    assert record.next_at - open_house.clock.now() >= timedelta(hours=6)
    assert record.new_items == 0


def test_a_push_is_a_delta_that_changes_no_validator_and_counts_no_gap(
    open_house: House, origin: Origin
) -> None:
    origin.send("/alpha", linked(origin, rss(1)))
    open_house.poll("alpha")
    verified(open_house)
    before = open_house.state("alpha")
    push(open_house, rss(50))
    after = open_house.state("alpha")
    assert (after.validators, after.body_hash) == (before.validators, before.body_hash)
    assert after.last_polled_at == before.last_polled_at
    assert not after.noticed.gaps
    assert len(open_house.titles()) == 2


def test_an_item_that_was_never_pushed_costs_the_hub_its_trust(
    open_house: House, origin: Origin
) -> None:
    origin.send("/alpha", linked(origin, rss(1)))
    open_house.clock.move(hours=-12)  # before the item below was published
    open_house.poll("alpha")
    verified(open_house)
    open_house.clock.move(hours=24)
    origin.send("/alpha", linked(origin, rss(1, 300)))
    open_house.poll("alpha")
    found = subscription(open_house)
    assert found.state == "distrusted"
    assert "never pushed" in found.detail
    open_house.clock.move(hours=6)
    origin.send("/alpha", linked(origin, rss(1, 300, 301)))
    assert open_house.poll("alpha")[0].reason != "push"


def test_an_item_of_the_last_minutes_may_still_be_on_its_way(
    open_house: House, origin: Origin
) -> None:
    origin.send("/alpha", linked(origin, rss(1)))
    open_house.poll("alpha")
    verified(open_house)
    open_house.clock.move(seconds=30)
    origin.send("/alpha", linked(origin, rss(1, 720)))
    open_house.poll("alpha")
    assert subscription(open_house).state == "active"


def test_a_broken_push_says_nothing_about_the_feed(open_house: House, origin: Origin) -> None:
    origin.send("/alpha", linked(origin, rss(1)))
    open_house.poll("alpha")
    verified(open_house)
    assert push(open_house, b"<html><body>maintenance</body></html>") == 1
    state = open_house.state("alpha")
    assert (state.failures, state.outcome) == (0, "new")
    assert open_house.poll("alpha")[0].outcome in ("unchanged", "not_modified")


@pytest.mark.parametrize(
    "hub",
    ["https://10.0.0.7/", "https://169.254.169.254/", "https://[::1]/", "https://0x7f.1/hub"],
)
def test_a_hub_inside_our_network_is_never_asked(
    open_house: House, origin: Origin, hub: str
) -> None:
    trusting = replace(open_house.settings.sources[0], allow_private=True)
    open_house.configure(
        sources=(trusting,),
        fetching=replace(open_house.settings.fetching, allow_ports=(origin.port, 443)),
    )
    origin.send("/alpha", linked(origin, rss(1), hub))
    open_house.poll("alpha")
    closed = replace(open_house.settings.fetching, allow_networks=())
    open_house.configure(fetching=closed)
    open_house.run(websub.keep_up)
    found = subscription(open_house)
    assert found.state == "failed"
    assert "refused" in found.detail


def test_a_hub_that_never_verifies_is_asked_again_soon_and_then_ever_later(
    open_house: House, origin: Origin
) -> None:
    origin.send("/alpha", linked(origin, rss(1)))
    open_house.poll("alpha")
    one = subscription(open_house)
    waits = []
    for _ in range(5):
        wait = websub.again_after(one)
        waits.append(wait / timedelta(minutes=1))
        one = replace(one, asked_at=one.due_at, due_at=one.due_at + wait)
    assert waits == [1, 10, 100, 360, 360]
    verified(open_house)
    assert websub.again_after(subscription(open_house)) == timedelta(minutes=1)


def test_a_subscription_ends_when_the_feed_names_no_hub_any_more(
    open_house: House, origin: Origin
) -> None:
    origin.send("/alpha", linked(origin, rss(1)))
    open_house.poll("alpha")
    origin.answer("/alpha", body=rss(1, 2))
    open_house.clock.move(hours=7)
    open_house.poll("alpha")
    assert subscription(open_house) is None


@given(st.binary(max_size=200), st.text(min_size=1), st.sampled_from(["sha1", "sha256", "sha512"]))
def test_a_signature_holds_for_its_octets_and_its_secret_alone(
    body: bytes, secret: str, method: str
) -> None:
    made = hmac.new(secret.encode("utf-8", "replace"), body, method).hexdigest()
    if secret.encode("utf-8", "replace").decode() != secret:
        return
    assert websub.is_signed(f"{method}={made}", secret, body)
    assert not websub.is_signed(f"{method}={made}", secret, body + b"x")
    assert not websub.is_signed(f"{method}={made}", secret + "x", body)
    assert not websub.is_signed(made, secret, body)
    assert not websub.is_signed(f"md5={hashlib.md5(body).hexdigest()}", secret, body)
    assert not websub.is_signed(None, secret, body)
