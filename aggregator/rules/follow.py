"""What becomes of a related link, and of the page it led to: the policy, without any I/O.

The table of reasons is in `docs/design/following.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, unquote

from aggregator.model.article import Article, Robots
from aggregator.model.settings import FollowSettings
from aggregator.model.states import Refused
from aggregator.urls.key import UrlKey
from aggregator.urls.origin import host, registrable_domain, split

MOST_QUERY_KEYS = 3
FRESH = timedelta(hours=48)  # an item's own page is read only so long after it was seen

_DEEP = 12  # path segments
_CALENDAR = re.compile(r"/(?:calendar|kalender|calendrier|events?|archive)s?/", re.I)
_MONTH = re.compile(r"\d{4}[-/]\d{1,2}")
_DAY_QUERY = re.compile(r"(?:^|&)(?:date|day|month|year|week|tribe-bar-date)=", re.I)
_FORBIDDING = {"none": ("noindex", "nofollow"), "noindex": ("noindex",), "nofollow": ("nofollow",),
               "noarchive": ("noarchive",)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a link is not followed or a page not kept: a word of the table and a sentence."""

    reason: Refused
    detail: str


def refuse_link(
    url: str,
    key: UrlKey | None,
    *,
    nofollow: bool,
    site: str,
    depth: int,
    policy: FollowSettings,
) -> Refusal | None:
    """Why a link may not be followed, as far as its address tells; None when it may.

    Args:
        url: where it leads, absolute.
        key: its URL key; None where it has none.
        nofollow: the link or its page forbids following.
        site: the registrable domain of the page it stands on.
        depth: how far from a feed the page behind it is.
        policy: the source's.
    """
    parts = split(url)
    if parts is None or key is None:
        return Refusal(Refused.ADDRESS, "its address is none that can be asked for")
    if nofollow:
        return Refusal(Refused.NOFOLLOW, "its page asks not to follow it")
    if depth > policy.depth:
        return Refusal(Refused.DEPTH, f"{depth} steps from a feed, {policy.depth} are allowed")
    if refusal := refuse_host(url, site, policy):
        return refusal
    if refusal := _refuse_shape(parts.path, parts.query):
        return refusal
    if not key.identity:
        return Refusal(Refused.NOT_ARTICLE, "; ".join(key.reasons) or "its address is no article's")
    return None


def refuse_host(url: str, site: str, policy: FollowSettings) -> Refusal | None:
    """Why the policy does not allow the host of `url` for a link on `site`."""
    domain = registrable_domain(host(url) or "")
    if domain == site or policy.hosts == "any":
        return None
    if policy.hosts == "listed" and domain in {registrable_domain(d) for d in policy.listed}:
        return None
    return Refusal(Refused.HOST, f"{domain} is another site")


def _refuse_shape(path: str, query: str) -> Refusal | None:
    """Addresses that scripts make without end: forms, calendars, paths that repeat themselves."""
    names = {name for name, _ in parse_qsl(query, keep_blank_values=True, max_num_fields=1000)}
    if len(names) > MOST_QUERY_KEYS:
        return Refusal(Refused.QUERY, f"{len(names)} query keys")
    segments = [part for part in unquote(path).split("/") if part]
    calendar = _CALENDAR.search(path + "/")
    if (calendar and _MONTH.search(path + "/", calendar.end())) or _DAY_QUERY.search(query):
        return Refusal(Refused.QUERY, "it looks like a calendar")
    repeats = max((segments.count(part) for part in segments), default=0)
    if len(segments) > _DEEP or repeats > 2:
        return Refusal(Refused.QUERY, "its path repeats itself")
    return None


def refuse_page(article: Article, policy: FollowSettings, now: datetime) -> Refusal | None:
    """Why a page that was read does not become an item; None when it does."""
    if article.paywalled:
        return Refusal(Refused.PAYWALL, "the page says that it is behind a paywall")
    if not article.is_article or not article.title:
        return Refusal(Refused.NOT_ARTICLE, article.reason or "no title")
    if article.published is not None and now - article.published > policy.max_age:
        days = (now - article.published).days
        return Refusal(Refused.TOO_OLD, f"published {days} days ago")
    if policy.languages and article.language:
        wanted = {language.lower().split("-")[0] for language in policy.languages}
        if article.language.lower().split("-")[0] not in wanted:
            return Refusal(Refused.LANGUAGE, f"it is in {article.language}")
    return None


def is_fresh(published: datetime | None, first_seen: datetime, now: datetime) -> bool:
    """Whether an item's own page may still be read."""
    return now - min(published or first_seen, first_seen) <= FRESH


def header_robots(value: str | None, token: str) -> Robots:
    """What X-Robots-Tag forbids us; rules for another bot (`otherbot: noindex`) do not count."""
    found: set[str] = set()
    for_us = True
    for part in (value or "").lower().split(","):
        name, colon, rest = part.strip().partition(":")
        if colon and name.strip() not in ("unavailable_after", "max-snippet", "max-image-preview",
                                          "max-video-preview"):  # fmt: skip
            for_us = name.strip() == token.lower()
            name = rest
        if for_us:
            found.update(_FORBIDDING.get(name.strip(), ()))
    return Robots("noindex" in found, "nofollow" in found, "noarchive" in found)
