"""The running program as a WebSub subscriber, against a hub in a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Origin
from tests.running_hub import BASE, RunningHub


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def hub(tmp_path: Path, authority: trustme.CA, program: Program) -> Iterator[RunningHub]:
    made = RunningHub(tmp_path, authority, program.url)
    yield made
    made.stop()


@pytest.fixture
def subscribed(
    program: Program, origin: Origin, hub: RunningHub, authority: trustme.CA, tmp_path: Path
) -> Program:
    """A program whose one source names the hub in HTTP Link headers."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    topic = origin.url("/feed")
    link = f'<{hub.url}>; rel="hub", <{topic}>; rel="self"'
    origin.answer("/feed", body=rss("alpha", range(2)), headers={"Link": link})
    program.configure(
        [{"id": "alpha", "url": topic}],
        [origin.port, hub.port],
        service={"base_url": BASE, "websub": True},
        fetching={"ca_bundle": str(bundle)},
    )
    return program


def callback_of(hub: RunningHub) -> str:
    form: dict[str, str] = hub.log("asked")[-1]["form"]
    return form["hub.callback"]


def why(program: Program) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(program.command("why", "alpha", "--json"))
    return found


def test_it_subscribes_is_verified_and_reads_what_is_pushed(
    subscribed: Program, origin: Origin, hub: RunningHub
) -> None:
    subscribed.start()
    wait_until(lambda: bool(hub.log("verified")), "the hub verified")
    asked = hub.log("asked")[0]
    form = asked["form"]
    assert asked["type"] == "application/x-www-form-urlencoded"
    assert (form["hub.mode"], form["hub.topic"]) == ("subscribe", origin.url("/feed"))
    assert form["hub.callback"].startswith(f"{BASE}/websub/")
    assert len(form["hub.callback"]) > len(f"{BASE}/websub/") + 40
    assert 40 < len(form["hub.secret"]) < 200
    assert hub.log("verified")[0]["right"]

    polled = len(origin.requests("/feed"))
    statuses = hub.post("/publish", topic=origin.url("/feed"), body=rss("alpha", [7]).decode())
    assert statuses == [202]
    wait_until(lambda: len(subscribed.items()) == 3, "the pushed item is there")
    assert len(origin.requests("/feed")) == polled  # no poll was needed
    assert any("it tells us what is new" in note for note in why(subscribed)["notes"])
    assert [one["outcome"] for one in why(subscribed)["polls"]] == ["push", "new"]


def test_what_is_not_signed_with_our_secret_is_thanked_for_and_ignored(
    subscribed: Program, origin: Origin, hub: RunningHub
) -> None:
    subscribed.start()
    wait_until(lambda: bool(hub.log("verified")), "the hub verified")
    topic, forged = origin.url("/feed"), rss("alpha", [66]).decode()
    assert hub.post("/publish", topic=topic, body=forged, method="") == [202]
    assert hub.post("/publish", topic=topic, body=forged, secret="guessed") == [202]
    for number, method in enumerate(("sha1", "sha384", "sha512")):
        order = {"topic": topic, "body": rss("alpha", [10 + number]).decode(), "method": method}
        assert hub.post("/publish", **order) == [202]
    wait_until(lambda: len(subscribed.items()) == 5, "the signed items are there")
    assert not any("66" in item["title"] for item in subscribed.items())


def test_only_what_was_asked_for_is_verified_and_unknown_callbacks_are_gone(
    subscribed: Program, origin: Origin, hub: RunningHub
) -> None:
    hub.post("/mode", mode="wrong-topic")
    subscribed.start()
    wait_until(lambda: bool(hub.log("verified")), "the hub tried to verify")
    assert [one["status"] for one in hub.log("verified")] == [404]
    unknown = f"{BASE}/websub/{'x' * 43}"
    assert hub.post("/probe", url=unknown, body="<rss/>") == 410
    query = "?hub.mode=subscribe&hub.topic=t&hub.challenge=c"
    assert hub.post("/probe", url=unknown + query) == 404
    query = f"?hub.mode=unsubscribe&hub.topic={origin.url('/feed')}&hub.challenge=c"
    assert hub.post("/probe", url=callback_of(hub) + query) == 404


def test_a_denied_subscription_leaves_polling_as_it_was(
    subscribed: Program, origin: Origin, hub: RunningHub
) -> None:
    hub.post("/mode", mode="deny")
    subscribed.start()
    wait_until(lambda: bool(hub.log("verified")), "the hub denied")
    notes = why(subscribed)["notes"]
    assert any("it refuses to tell us (not you)" in note for note in notes)
    assert "push" not in [floor["name"] for floor in why(subscribed)["floors"]]
    assert hub.post("/probe", url=callback_of(hub), body="<rss/>") == 410


def test_a_hub_that_moved_is_asked_at_its_new_address_and_one_that_fails_later(
    subscribed: Program, origin: Origin, hub: RunningHub
) -> None:
    hub.post("/mode", mode="moved")
    subscribed.start()
    wait_until(lambda: bool(hub.log("verified")), "the hub verified")
    assert [one["path"] for one in hub.log("asked")] == ["/", "/moved"]
    assert hub.log("asked")[1]["form"]["hub.mode"] == "subscribe"


def test_a_hub_that_refuses_is_not_asked_again_at_once(
    subscribed: Program, origin: Origin, hub: RunningHub
) -> None:
    hub.post("/mode", mode="refuse")
    subscribed.start()
    wait_until(lambda: bool(hub.log("asked")), "the hub is asked")
    time.sleep(5)
    assert len(hub.log("asked")) == 1
    assert any("it could not be asked" in note for note in why(subscribed)["notes"])


def test_a_lease_is_renewed_in_time_with_a_new_callback_and_the_old_one_is_gone(
    subscribed: Program, origin: Origin, hub: RunningHub
) -> None:
    hub.post("/mode", mode="honest", lease="5")
    subscribed.start()
    wait_until(lambda: len(hub.log("verified")) >= 2, "the lease is renewed")
    callbacks = [one["form"]["hub.callback"] for one in hub.log("asked")]
    assert callbacks[0] != callbacks[1]
    assert all(one["right"] for one in hub.log("verified"))
    assert hub.post("/probe", url=callbacks[0], body="<rss/>") == 410


def test_pushes_survive_a_kill(subscribed: Program, origin: Origin, hub: RunningHub) -> None:
    subscribed.start()
    wait_until(lambda: bool(hub.log("verified")), "the hub verified")
    topic = origin.url("/feed")
    for number in range(20, 26):
        assert hub.post("/publish", topic=topic, body=rss("alpha", [number]).decode()) == [202]
    subscribed.kill()
    subscribed.start()
    wait_until(lambda: len(subscribed.items()) == 8, "every pushed item is there")
