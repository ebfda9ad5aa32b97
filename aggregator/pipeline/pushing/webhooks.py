"""Webhooks of views: who is configured, and what each is sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.identity.hashing import digest
from aggregator.model.http import Access, Content, FetchRequest, RequestKind
from aggregator.model.item import FeedPage
from aggregator.model.settings import Settings, WebhookSettings
from aggregator.model.states import PushKind, PushState
from aggregator.publish.webhook import CONTENT_TYPE, render_items, render_template, signed_headers
from aggregator.store.pushing import events, news, targets
from aggregator.store.pushing.targets import HEALTH, Target
from aggregator.urls.origin import host_key

BATCH = 50  # items of one delivery; one with a template, which is a message about one item


def configured(settings: Settings) -> dict[str, tuple[str, WebhookSettings]]:
    """The webhooks with the view of each, by the key of their target: a view and an address."""
    named = [(view.id, hook) for view in settings.views for hook in view.webhooks]
    named += [(HEALTH, hook) for hook in settings.service.health_webhooks]
    return {digest("webhook", name, hook.url.reveal()): (name, hook) for name, hook in named}


def settle(connection: Connection, settings: Settings, now: datetime) -> None:
    """Bring the targets in line with the configuration; a new one is told what comes from now."""
    wanted = configured(settings)
    known = {one.key: one for one in targets.every(connection, PushKind.WEBHOOK)}
    for key, one in known.items():
        if key not in wanted:
            targets.remove(connection, one.id)
    for key, (name, hook) in wanted.items():
        if key in known:
            continue
        if name == HEALTH:
            cursor = events.latest(connection)
        else:
            news.want(connection, name, now, now + timedelta(days=1))
            cursor = news.latest(connection, name)
        targets.add(
            connection,
            Target(
                key, PushKind.WEBHOOK, name, host_key(hook.url.reveal()), PushState.ACTIVE,
                now, now, cursor=cursor,
            ),
        )  # fmt: skip


def batch(hook: WebhookSettings) -> int:
    """The most pieces of news of one delivery."""
    return BATCH if hook.template is None else 1


def request(hook: WebhookSettings, page: FeedPage, delivery: str, now: datetime) -> FetchRequest:
    """A delivery as it is sent: to the configured address alone, with its own headers there."""
    if hook.template is None:
        body = render_items(page, delivery)
    else:
        body = render_template(hook.template, page, delivery)
    secret = hook.secret.reveal() if hook.secret is not None else None
    headers = tuple(signed_headers(secret, delivery, now, body))
    url = hook.url.reveal()
    own = {name: value.reveal() for name, value in hook.headers.items()}
    return FetchRequest(
        url,
        Access(configured=url, headers=own),
        RequestKind.PUSH,
        content=Content(body, CONTENT_TYPE, headers),
        redirects=False,
    )
