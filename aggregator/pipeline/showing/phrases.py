"""What states and reasons mean, in words of somebody who never read the documents."""

from __future__ import annotations

from aggregator.model.poll import Floor
from aggregator.model.states import Refused

_FLOORS = {
    "max-age": "the server says that its answer stays good until then",
    "ttl": "the feed asks not to be read more often",
    "syndication": "the feed says how often it is updated",
    "skip-hours": "the feed names hours in which nothing appears",
    "skip-days": "the feed names days on which nothing appears",
    "gate": "we ask no more often while nothing shows that it pays",
    "push": "a hub brings what is new; polling is only a check",
    "retry-after": "the server asked to come back then",
    "throttled": "the server asked for fewer requests",
    "host": "its host is not to be asked before then",
    "breaker": "its host failed too often",
    "busy": "its host is being asked for another feed",
    "min-refresh": "it was asked a moment ago",
}

_REFUSED = {
    Refused.ADDRESS: "The link leads to no web page that may be asked for",
    Refused.BUDGET: "Enough pages of that site were read today",
    Refused.DEPTH: "It is too many links away from the feed",
    Refused.FAILED: "The page could not be read",
    Refused.GONE: "The page is gone",
    Refused.HOST: "It leads to another site",
    Refused.LANGUAGE: "It is in a language that is not wanted",
    Refused.LINKS: "Enough links of this article are followed",
    Refused.MISSING: "The page does not exist",
    Refused.NOFOLLOW: "The publisher asks not to follow it",
    Refused.NOINDEX: "The publisher asks not to keep it",
    Refused.NOT_ARTICLE: "It looks like no article",
    Refused.NOT_HTML: "It is no web page",
    Refused.OFF: "Following was switched off",
    Refused.PAYWALL: "It is behind a paywall",
    Refused.QUERY: "Its address is one that scripts make without end",
    Refused.ROBOTS: "The site's robots.txt does not allow it",
    Refused.TOO_OLD: "It is too old",
    Refused.UNREADABLE: "The page is too large or damaged",
}


def floor(one: Floor) -> str:
    """A time before which a source is not asked, and why."""
    why = _FLOORS.get(one.name, one.name.replace("-", " "))
    return f"Not before {one.until:%Y-%m-%d %H:%M} UTC: {why}."


def refusal(reason: str | None, detail: str | None) -> str:
    """Why a link is not followed or a page not read, as one sentence."""
    try:
        said = _REFUSED[Refused(reason or Refused.FAILED)]
    except ValueError:  # of another release
        said = (reason or "").replace("_", " ").capitalize()
    return f"{said}: {detail.rstrip('.')}." if detail else f"{said}."
