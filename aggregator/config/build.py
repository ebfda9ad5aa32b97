"""Checked models become the settings that the other rooms take; every default is theirs.

Here it is decided what is secret and what is private.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aggregator.config import models
from aggregator.config.problems import Place
from aggregator.config.variables import Confidential
from aggregator.model.copies import CopyThresholds, StoryThresholds
from aggregator.model.settings import (
    Byline,
    DedupSettings,
    FetchingSettings,
    FollowSettings,
    FullText,
    PictureMode,
    PollingSettings,
    RelatedOverride,
    RuleAction,
    RuleSettings,
    Secret,
    ServiceSettings,
    SourceSettings,
    StorageSettings,
    ViewMode,
    ViewSettings,
    WebhookSettings,
)
from aggregator.urls.origin import split
from aggregator.urls.redact import strip_userinfo

# Parameters whose value lets whoever knows it in. Narrower than what logs hide: a source with one
# disappears from public views, and a channel number or a user name is no reason for that.
_SECRET_PARAMETER = re.compile(
    r"(^|[?&;])((api|access|auth|feed|rss|private|secret)[_-]?)?"
    r"(key|token|auth|pass|passwd|password|pwd|secret|sig|signature|hmac|jwt|session|sid)=[^&]",
    re.IGNORECASE,
)
_SECRET_HEADER = re.compile(r"auth|cookie|key|token|secret|session|credential", re.IGNORECASE)


def service(group: models.Service | None) -> ServiceSettings:
    """Who we are and where we listen."""
    given = _given(group)
    if "listen" in given:
        given["listen_host"], given["listen_port"] = given.pop("listen")
    if "health_webhooks" in given:
        given["health_webhooks"] = tuple(webhook(each) for each in given["health_webhooks"])
    if "pictures" in given:
        given["pictures"] = PictureMode(given["pictures"])
    return ServiceSettings(**given)


def storage(group: models.Storage | None) -> StorageSettings:
    """Where items are kept."""
    return StorageSettings(**_given(group))


def polling(group: models.Polling | None) -> PollingSettings:
    """How often and how much at once."""
    return PollingSettings(**_given(group))


def fetching(group: models.Fetching | None, folder: Path) -> FetchingSettings:
    """How we behave on the wire; `ca_bundle` is taken relative to `folder`."""
    given = _given(group)
    if "ca_bundle" in given:
        given["ca_bundle"] = str(folder / given["ca_bundle"])
    return FetchingSettings(**given)


def dedup(group: models.Dedup | None) -> DedupSettings:
    """When items are one."""
    given = _given(group)
    if "copies" in given:
        given["copies"] = CopyThresholds(**given["copies"].given())
    if "stories" in given:
        given["stories"] = StoryThresholds(**given["stories"].given())
    return DedupSettings(**given)


def _given(group: models.Group | None) -> dict[str, Any]:
    return group.given() if group is not None else {}


def follow(group: models.Follow | None, base: FollowSettings) -> FollowSettings:
    """`base` with what the group says; a group turns following on unless it says otherwise."""
    if group is None:
        return base
    return replace(base, **{"enabled": True, **group.given()})


def source(
    one: models.Source, defaults: models.Defaults | None, follow_base: FollowSettings, place: Place
) -> SourceSettings:
    """A source from its own settings and the defaults.

    Args:
        one: what stands under `sources:`; its `auth` is set or its address has userinfo, not both.
        defaults: what stands under `defaults:`.
        follow_base: the following policy of `defaults`.
        place: where the source stands.
    """
    given = {**_given(defaults), **one.given()}
    url, userinfo = split_userinfo(one.url)
    auth = (
        (Secret(userinfo[0]), Secret(userinfo[1]))
        if userinfo
        else (one.auth.username, one.auth.password)
        if one.auth
        else None
    )
    headers = {name: value for name, (value, _) in (one.headers or {}).items()}
    secret_headers = any(
        hidden or _SECRET_HEADER.search(name) for name, (_, hidden) in (one.headers or {}).items()
    )
    url_is_secret = has_secret(one.url, url)
    told: bool | None = given.get("private")
    related: models.Related | None = given.get("related")
    return SourceSettings(
        id=one.id,
        url=url,
        headers=headers,
        auth=auth,
        private=bool(auth or secret_headers or url_is_secret) if told is None else told,
        # Whoever says `private` may mean a token in the path, which nobody can tell from a word.
        url_is_secret=url_is_secret or bool(told),
        follow=follow(one.follow_related, follow_base),
        full_text=FullText(given.get("full_text", FullText.NEVER)),
        related=RelatedOverride(**_given(related)),
        place=f"{place.file}:{place.line}",
        **{name: given[name] for name in _AS_THEY_ARE if name in given},
    )


_AS_THEY_ARE = (
    *("title", "tags", "poll", "enabled", "allow_private", "timezone", "language"),
    *("aggregator", "preference", "paywalled", "user_agent", "validators"),
)


def view(one: models.View) -> ViewSettings:
    """A merged feed; its title is its id when it has none."""
    given = one.given()
    if "mode" in given:
        given["mode"] = ViewMode(given["mode"])
    if "byline" in given:
        given["byline"] = Byline(given["byline"])
    if "rules" in given:
        given["rules"] = tuple(rule(each) for each in given["rules"])
    if "webhooks" in given:
        given["webhooks"] = tuple(webhook(each) for each in given["webhooks"])
    return ViewSettings(**{"title": one.id, **given})


def webhook(one: models.Webhook) -> WebhookSettings:
    """Who is told by a POST; its address is a secret, as it often lets in."""
    given = one.given()
    headers = {name: value for name, (value, _) in given.pop("headers", {}).items()}
    return WebhookSettings(Secret(str(given.pop("url"))), headers=headers, **given)


def rule(one: models.Rule) -> RuleSettings:
    """A rule of a view."""
    given = one.given()
    action = next(action for action in RuleAction if action in given)
    return RuleSettings(action, given.pop(action), **given)


def split_userinfo(url: str) -> tuple[str, tuple[str, str] | None]:
    """The address without `user:password@`, and these two, decoded."""
    return strip_userinfo(str(url))


def has_secret(configured: str, bare: str) -> bool:
    """Whether the address holds a secret: text from a variable, or a parameter that lets in.

    Args:
        configured: as it stood in the file, variables filled in (`Confidential` if there were any).
        bare: the same without userinfo, which is a secret of its own and is kept apart.
    """
    if isinstance(configured, Confidential):
        pieces = (value for value in configured.values if value)
        if any(piece in bare or unquote(piece) in unquote(bare) for piece in pieces):
            return True
    query = bare.partition("?")[2].partition("#")[0]
    return bool(_SECRET_PARAMETER.search(query))


def feed_key(url: str) -> str:
    """Equal for two spellings of one feed's address.

    Stricter than the key of an item: `index.xml` and `index.rdf` are two feeds. Scheme, `www.`,
    default port, fragment, `utm_` parameters and a slash at the end make no difference.
    """
    parts = split(url)
    if parts is None:
        return url
    pairs = [p for p in parts.query.split("&") if p and not p.casefold().startswith("utm_")]
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    path = parts.path.rstrip("/")
    return f"{parts.host.removeprefix('www.')}{port}{path}?{'&'.join(pairs)}"
