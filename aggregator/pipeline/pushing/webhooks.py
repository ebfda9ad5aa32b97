"""Webhooks of views: who is configured, and what each is sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.identity.hashing import digest
from aggregator.model.http import Access, Content, FetchRequest, RequestKind
from aggregator.model.item import FeedPage
from aggregator.model.settings import Settings, ViewSettings, WebhookSettings
from aggregator.model.states import PushKind, PushState
from aggregator.publish.webhook import CONTENT_TYPE, render_items, render_template, signed_headers
from aggregator.store.pushing import news, targets
from aggregator.store.pushing.targets import Target
from aggregator.urls.origin import host_key

BATCH = 50  # items of one delivery; one with a template, which is a message about one item


def configured(settings: Settings) -> dict[str, tuple[ViewSettings, WebhookSettings]]:
    """The webhooks by the key of their target: a view and an address."""
    return {
        digest("webhook", view.id, hook.url.reveal()): (view, hook)
        for view in settings.views
        for hook in view.webhooks
    }


def settle(connection: Connection, settings: Settings, now: datetime) -> None:
    """Bring the targets in line with the configuration; a new one is told what comes from now."""
    wanted = configured(settings)
    known = {one.key: one for one in targets.every(connection, PushKind.WEBHOOK)}
    for key, one in known.items():
        if key not in wanted:
            targets.remove(connection, one.id)
    for key, (view, hook) in wanted.items():
        if key in known:
            continue
        news.want(connection, view.id, now, now + timedelta(days=1))
        cursor = news.latest(connection, view.id)
        targets.add(
            connection,
            Target(
                key, PushKind.WEBHOOK, view.id, host_key(hook.url.reveal()), PushState.ACTIVE,
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
