"""Webhooks of views: what is sent, again and again with one id, and what is parked."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from aggregator.config.load import load_settings
from aggregator.model.pages import Undelivered
from aggregator.model.settings import Secret, ViewSettings, WebhookSettings
from aggregator.model.states import PushKind, PushState
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.pushing import delivering
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from aggregator.store.pushing import targets
from aggregator.store.pushing.targets import Target
from aggregator.work.push import Pusher
from tests.origin import Origin, Seen, reply
from tests.pipeline.conftest import House, rss

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "push.md"
RECIPES = [
    block
    for block in re.findall(r"```yaml\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    if block.startswith("url:")
]


def hooked(house: House, *hooks: WebhookSettings) -> None:
    house.configure(views=(ViewSettings("all", "Everything", webhooks=hooks),))


def push(house: House, *, rounds: int = 3) -> list[Target]:
    async def work(parts: Parts) -> list[Target]:
        pusher = Pusher(parts)
        for _ in range(rounds):
            await pusher.tick()
            await asyncio.gather(*pusher._running.values())
        return await parts.database.run_read(targets.every, PushKind.WEBHOOK)

    return house.run(work)


def unmet(house: House) -> tuple[Undelivered, ...]:
    async def work(parts: Parts) -> tuple[Undelivered, ...]:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: house.settings, Condition())
        start = await pages.overview(private=True)
        shown = await pages.status_page(private=True, operator=True)
        assert shown.operator is not None
        assert shown.operator.undelivered == start.undelivered
        hidden = await pages.status_page(private=True, operator=False)
        assert hidden.operator is None
        return start.undelivered

    return house.run(work)


def started(house: House, origin: Origin) -> None:
    """A first document, which is known to everybody; then two new items."""
    origin.answer("/alpha", body=rss(1))
    house.poll("alpha")
    push(house)
    origin.answer("/alpha", body=rss(1, 2, 3))
    house.clock.move(minutes=5)
    house.poll("alpha")


def test_what_is_new_comes_once_signed_and_with_the_headers_configured(
    house: House, origin: Origin
) -> None:
    origin.answer("/hook", 204)
    url, headers = Secret(origin.url("/hook?key=k")), {"Authorization": Secret("Bearer b")}
    hooked(house, WebhookSettings(url, Secret("a secret"), headers=headers))
    started(house, origin)
    push(house)
    (seen,) = origin.requests("/hook")
    said = json.loads(seen.body)
    assert [item["title"] for item in said["items"]] == ["Bridge 3 opens", "Bridge 2 opens"]
    assert said["id"] == seen.headers["webhook-id"]
    assert seen.headers["webhook-signature"].startswith("v1,")
    assert (seen.target, seen.headers["authorization"]) == ("/hook?key=k", "Bearer b")


def test_a_delivery_keeps_its_id_and_its_items_until_it_is_taken(
    house: House, origin: Origin
) -> None:
    origin.script("/hook", reply(500), reply(302, {"Location": "/other"}), reply(200))
    hooked(house, WebhookSettings(Secret(origin.url("/hook"))))
    started(house, origin)
    for _ in range(2):
        push(house)
        house.clock.move(minutes=5)
    origin.answer("/alpha", body=rss(1, 2, 3, 4))
    house.poll("alpha")
    push(house)
    said = [json.loads(seen.body) for seen in origin.requests("/hook")]
    assert len({one["id"] for one in said[:3]}) == 1
    assert [len(one["items"]) for one in said] == [2, 2, 2, 1]
    assert origin.requests("/other") == []


def test_a_dead_one_is_parked_tried_once_a_day_and_loses_nothing(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "MOST_TRIES", 2)
    origin.script("/hook", reply(500), reply(500), reply(410), reply(200))
    hooked(house, WebhookSettings(Secret(origin.url("/hook"))))
    started(house, origin)
    states, told = [], []
    for hours in (1, 25, 25, 25):
        states += [(one.state, one.tries) for one in push(house)]
        told.append(unmet(house))
        house.clock.move(hours=hours)
    parked = PushState.PARKED
    assert states == [(PushState.ACTIVE, 1), (parked, 2), (parked, 3), (PushState.ACTIVE, 0)]
    assert len({json.loads(seen.body)["id"] for seen in origin.requests("/hook")}) == 1
    # The start page, the status page and the command tell of it, by its host.
    assert [[(one.view_title, one.host, one.state) for one in some] for some in told] == [
        [("Everything", "127.0.0.1", PushState.ACTIVE)],
        [("Everything", "127.0.0.1", parked)],
        [("Everything", "127.0.0.1", parked)],
        [],
    ]


def test_one_that_is_configured_no_more_is_told_nothing_and_a_new_one_only_what_comes(
    house: House, origin: Origin
) -> None:
    origin.answer("/hook", 204)
    started(house, origin)
    hooked(house, WebhookSettings(Secret(origin.url("/hook"))))
    assert len(push(house)) == 1
    assert origin.requests("/hook") == []
    hooked(house)
    assert push(house) == []


def test_what_a_view_shows_no_more_is_not_sent(house: House, origin: Origin) -> None:
    origin.script("/hook", reply(500), reply(200))
    hooked(house, WebhookSettings(Secret(origin.url("/hook"))))
    started(house, origin)
    push(house)
    # The source becomes private: what is in flight of it must not be sent again.
    alpha, beta = house.settings.sources
    house.configure(sources=(replace(alpha, private=True), beta))
    house.clock.move(minutes=5)
    (one,) = push(house)
    assert one.tries == 0
    assert len(origin.requests("/hook")) == 1


def _ntfy(said: Any, seen: Seen) -> bool:  # https://docs.ntfy.sh/publish/#publish-as-json
    return seen.path == "/" and bool(said["topic"]) and said["click"].startswith("https://")


def _matrix(said: Any, seen: Seen) -> bool:  # matrix-hookshot, “Generic webhooks”
    return "<b>" not in said["html"] and "&lt;b&gt;" in said["html"] and "<b>" in said["text"]


def _slack(said: Any, seen: Seen) -> bool:  # https://api.slack.com/reference/surfaces/formatting
    return "<" not in said["text"]


def _discord(said: Any, seen: Seen) -> bool:  # Discord, “Execute Webhook”
    return 0 < len(said["content"]) <= 2000 and said["allowed_mentions"] == {"parse": []}


def _postmark(said: Any, seen: Seen) -> bool:  # Postmark, “Send a single email”
    return (
        "x-postmark-server-token" in seen.headers
        and {"From", "To", "Subject", "TextBody"} <= said.keys()
        and "\n\nhttps://" in said["TextBody"]
    )


@pytest.mark.parametrize(
    ("recipe", "accepts"),
    list(zip(RECIPES, (_ntfy, _matrix, _slack, _discord, _postmark), strict=True)),
    ids=["ntfy", "matrix", "slack", "discord", "mail"],
)
def test_each_recipe_of_the_documentation_makes_what_its_receiver_takes(
    house: House, origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    recipe: str, accepts: Callable[[Any, Seen], bool],
) -> None:  # fmt: skip
    for name in ("MATRIX_HOOK", "SLACK_HOOK", "DISCORD_HOOK", "POSTMARK_TOKEN"):
        monkeypatch.setenv(name, origin.url(f"/{name}"))
    hook = yaml.safe_load(recipe)
    if not hook["url"].startswith("$"):
        hook["url"] = re.sub(r"^https://[^/]+/", origin.url("/"), hook["url"])
    document = {
        "sources": [{"id": "a", "url": "https://a.example/feed"}],
        "views": [{"id": "all", "webhooks": [hook]}],
    }
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(document))
    hooked(house, *load_settings(tmp_path / "a.yaml").views[0].webhooks)
    started(house, origin)
    body = rss(1, 2, 3, 4).replace(b"Bridge 4", b'&lt;!channel&gt; {link} &amp;lt;b&amp;gt; "')
    origin.answer("/alpha", body=body)
    house.poll("alpha")
    for path in ("/", "/email", "/MATRIX_HOOK", "/SLACK_HOOK", "/DISCORD_HOOK"):
        origin.answer(path, 200)
    push(house, rounds=5)
    seen = [one for one in origin.requests() if one.method == "POST"]
    assert len(seen) == 3
    assert all(accepts(json.loads(one.body), one) for one in seen[2:])
