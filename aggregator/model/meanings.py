"""What states and reasons mean, in words of somebody who never read the documents.

One home for all of them: pages, commands and logs for people take their words from here. A meaning
is a clause without a capital and a full stop, so that it stands in a sentence as well as alone.
What machines read (JSON, metrics, columns) keeps the values themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from aggregator.model.http import FetchError
from aggregator.model.pages import SourceHealth
from aggregator.model.poll import Asking, PlanReason
from aggregator.model.states import (
    DecisionKind,
    EdgeState,
    EntryKind,
    HealthKind,
    Held,
    LinkRule,
    PageState,
    ParseFault,
    PollWord,
    PushKind,
    PushState,
    Refused,
    SubscriptionState,
    Veto,
    Withdrawn,
)

PLANNED: Mapping[PlanReason, str] = {
    PlanReason.NEW: "it was never polled yet",
    PlanReason.ADDRESS: "its address or access has changed",
    PlanReason.CLOCK: "the clock was set",
    PlanReason.ASKED: "a person asked for this poll",
    PlanReason.DUPLICATE: "another source has the same feed and is polled for both",
    PlanReason.RATE: "something new is to be expected by then",
    PlanReason.BURST: "it brings more than usual just now",
    PlanReason.OVERLAP: "entries may leave its document before they are read",
    PlanReason.WINDOW: "its document reaches back only a short time",
    PlanReason.SNAP: "its items come at about this minute of the hour",
    PlanReason.RETRY: "its usual minute has brought nothing yet",
    PlanReason.INTERVAL: "the configuration says how often it is polled",
    PlanReason.CRON: "the configuration says at which times it is polled",
    PlanReason.MINIMUM: "no source is polled more often than this",
    PlanReason.MAXIMUM: "no source waits longer than this",
    PlanReason.SILENT: "it has brought nothing for over a month",
    PlanReason.ARCHIVE: "its document is an archive that never changes",
    PlanReason.MAX_AGE: "the server says that its answer stays good until then",
    PlanReason.TTL: "the feed asks not to be read more often",
    PlanReason.SYNDICATION: "the feed says how often it is updated",
    PlanReason.SKIP_HOURS: "the feed names hours in which nothing appears",
    PlanReason.SKIP_DAYS: "the feed names days on which nothing appears",
    PlanReason.GATE: "we ask no more often while nothing shows that it pays",
    PlanReason.PUSH: "a hub brings what is new, and polling is only a check",
    PlanReason.RETRY_AFTER: "the server asked to come back then",
    PlanReason.THROTTLED: "the server asked for fewer requests",
    PlanReason.HOST: "its host is not to be asked before then",
    PlanReason.BREAKER: "its host failed too often",
    PlanReason.BUSY: "this machine had no time to read it",
    PlanReason.MIN_REFRESH: "it was asked a moment ago",
    PlanReason.ERROR_BACKOFF: "it failed, and the wait doubles with each failure",
    PlanReason.MISSING: "the server says that there is no such feed",
    PlanReason.FORBIDDEN: "the server refuses to send it",
    PlanReason.GONE_CONFIRM: "the server says that the feed is gone, and is asked once more",
    PlanReason.GONE: "the server says that the feed is gone for good",
    PlanReason.AUTH: "the server asks for a user and a password",
    PlanReason.BOT_CHALLENGE: "the server sends a test for people instead of the feed",
    PlanReason.OUTAGE: "our own network seems to be down",
}
"""Why a source is polled then, and not before."""

POLLED: Mapping[PollWord, str] = {
    PollWord.NEW: "something new",
    PollWord.UNCHANGED: "nothing new",
    PollWord.NOT_MODIFIED: "not changed, says the server",
    PollWord.NO_CONTENT: "the server sent nothing",
    PollWord.PUSH: "brought by a hub",
    PollWord.OUTAGE: "our own network was down",
    PollWord.LIMIT: "too much to be read",
    PollWord.BUSY: "not read: this machine has too much to do",
    PollWord.HOST_BUSY: "not asked: its host had no room for the request",
    PollWord.SUPERSEDED: "dropped: configured anew or polled by another process meanwhile",
    PollWord.SKIPPED: "not asked",
}
"""How a poll ended."""

UNFETCHED: Mapping[FetchError, str] = {
    FetchError.DNS: "no host has this name",
    FetchError.CONNECT: "the host could not be reached",
    FetchError.TLS: "no secure connection could be made",
    FetchError.TIMEOUT: "no complete answer in time",
    FetchError.PROTOCOL: "the answer was cut off or damaged",
    FetchError.TOO_LARGE: "the answer is too large",
    FetchError.ENCODING: "the answer could not be unpacked",
    FetchError.REDIRECT: "its redirects lead nowhere",
    FetchError.BLOCKED: "its address is not allowed",
    FetchError.BAD_URL: "its address is none that can be asked",
    FetchError.HTTP: "the server answered with an error",
    FetchError.BOT_CHALLENGE: "the server sent a test for people",
    FetchError.HOST_BUSY: "not asked: its host had no room for the request",
    FetchError.NOT_HTML: "the answer is no web page",
}
"""Why there was nothing to read."""

UNREAD: Mapping[ParseFault, str] = {
    ParseFault.NOT_A_FEED: "the answer is no feed",
    ParseFault.MALFORMED: "the document is damaged",
    ParseFault.EMPTY: "the document is empty",
    ParseFault.LIMIT: "too much to be read",
    ParseFault.HTML: "the answer is a web page and no feed",
}
"""Why nothing, or not all, of a document could be read."""

REFUSED: Mapping[Refused, str] = {
    Refused.ADDRESS: "the link leads to no web page that may be asked for",
    Refused.BUDGET: "enough pages of that site were read today",
    Refused.DEPTH: "it is too many links away from the feed",
    Refused.FAILED: "the page could not be read",
    Refused.GONE: "the page is gone",
    Refused.HOST: "it leads to another site",
    Refused.LANGUAGE: "it is in a language that is not wanted",
    Refused.LINKS: "enough links of this article are followed",
    Refused.MISSING: "the page does not exist",
    Refused.NOFOLLOW: "the publisher asks not to follow it",
    Refused.NOINDEX: "the publisher asks not to keep it",
    Refused.NOT_ARTICLE: "it looks like no article",
    Refused.NOT_HTML: "it is no web page",
    Refused.OFF: "following was switched off",
    Refused.PAYWALL: "it is behind a paywall",
    Refused.QUERY: "its address is one that scripts make without end",
    Refused.ROBOTS: "the site's robots.txt does not allow it",
    Refused.TOO_OLD: "it is too old",
    Refused.UNREADABLE: "the page is too large or damaged",
}
"""Why a link is not followed or a page not kept."""

FOUND: Mapping[LinkRule, str] = {
    LinkRule.HEADING: "under a heading of related news",
    LinkRule.TOPIC: "under a heading that names the subject of the article",
    LinkRule.READ_MORE: "under a heading that invites to read on",
    LinkRule.MARKER: "behind a mark such as “Read also:”",
    LinkRule.CARD: "in a block of its own within the text",
    LinkRule.NAMED: "in a block that is called related",
    LinkRule.LINK_REL: "in the head of the page",
    LinkRule.JSON_LD: "in what the page states for machines",
    LinkRule.SELECT: "by the selector in the configuration",
}
"""Where on a page a related link was found."""

LINKED: Mapping[EdgeState, str] = {
    EdgeState.QUEUED: "waiting to be read",
    EdgeState.FOLLOWED: "read and kept",
    EdgeState.KNOWN: "here already",
    EdgeState.REFUSED: "not followed",
}
"""What became of a related link."""

READ: Mapping[PageState, str] = {
    PageState.QUEUED: "waiting to be read",
    PageState.AGAIN: "read, and read again later",
    PageState.DONE: "read",
    PageState.REFUSED: "not read",
}
"""Where an article page stands."""

SUBSCRIBED: Mapping[SubscriptionState, str] = {
    SubscriptionState.PENDING: "we have asked to be told and wait for its answer",
    SubscriptionState.ACTIVE: "it tells us what is new",
    SubscriptionState.DENIED: "it refuses to tell us",
    SubscriptionState.FAILED: "it could not be asked",
    SubscriptionState.DISTRUSTED: "it left out what a poll then found, so it is not relied on",
}
"""Where a WebSub subscription of ours stands."""

DECIDED: Mapping[DecisionKind, str] = {
    DecisionKind.COPY: "same text",
    DecisionKind.STATED: "says so itself",
    DecisionKind.APART: "kept apart",
    DecisionKind.JOINED: "groups joined",
    DecisionKind.CORRECTION: "updated",
    DecisionKind.STORY: "same event",
    DecisionKind.SPLIT: "split by hand",
    DecisionKind.MERGE: "merged by hand",
    DecisionKind.PARTED: "group parted",
    DecisionKind.REGROUPED: "grouped anew",
    DecisionKind.SAME: "same address",
}
"""What was decided about two items."""

IDENTIFIED: Mapping[EntryKind, str] = {
    EntryKind.NEW: "new",
    EntryKind.CHANGED: "its words have changed",
    EntryKind.TOUCHED: "seen again",
    EntryKind.REPLACED: "shown otherwise, with the same words",
    EntryKind.RENAMED: "the same under another id",
}
"""What an entry of a document is."""

WITHDRAWN: Mapping[Withdrawn, str] = {
    Withdrawn.FEED: "it is gone from a feed that lists everything",
    Withdrawn.DELETED: "its feed says that it is deleted",
    Withdrawn.PAGE: "its page is gone",
}
"""Where an item was seen to be gone."""

HEALTH: Mapping[SourceHealth, str] = {
    SourceHealth.OK: "OK",
    SourceHealth.WAITING: "not polled yet",
    SourceHealth.OFFLINE: "not reached",
    SourceHealth.FAILING: "failing",
    SourceHealth.GONE: "gone",
    SourceHealth.DISABLED: "switched off",
}
"""How a source is doing."""

ASKED: Mapping[Asking, str] = {
    Asking.CONDITIONAL: "only for what has changed",
    Asking.LOOK: "once for the whole document, because its “not changed” is doubted",
    Asking.BY_ETAG: "by its tag alone, because its “not changed” was wrong by date",
    Asking.WHOLE: "for the whole document, because its “not changed” was wrong",
}
"""How a source is asked."""

TOLD: Mapping[PushKind, str] = {
    PushKind.HUB: "a subscriber of our hub",
    PushKind.WEBHOOK: "a webhook",
}
"""Who is told of news."""

TELLING: Mapping[PushState, str] = {
    PushState.ASKED: "not confirmed yet",
    PushState.ACTIVE: "told of news",
    PushState.PARKED: "parked: it took nothing for long and is tried once a day",
}
"""Where somebody stands who is told of news."""

BECAME: Mapping[HealthKind, str] = {
    HealthKind.BROKEN: "it cannot be read any more",
    HealthKind.GONE: "its publisher says that it is gone",
    HealthKind.QUIET: "it has gone quiet against its usual rhythm",
    HealthKind.MOVED: "it has moved to another address",
    HealthKind.RECOVERED: "it is well again",
    HealthKind.NETWORK_DOWN: "our own network seems to be down",
    HealthKind.NETWORK_BACK: "our own network is there again",
    HealthKind.STORAGE_DOWN: "our database could not be written",
    HealthKind.STORAGE_BACK: "our database can be written again",
    HealthKind.CLOCK_WRONG: "our clock could not be right",
    HealthKind.CLOCK_RIGHT: "our clock is right again",
    HealthKind.WEBHOOK_PARKED: "a webhook took nothing for long",
    HealthKind.WEBHOOK_BACK: "a webhook takes deliveries again",
}
"""What became of a source, or of something of ours."""

AGAINST: Mapping[Veto, str] = {
    Veto.NUMBERS: "the figures differ",
    Veto.DATES: "they are about different days",
    Veto.NAMES: "they name others in one place",
    Veto.TITLES: "what their headlines name apart stands in one place",
    Veto.OPENING: "each begins with a text of its own",
    Veto.ENDING: "each ends with a text of its own",
    Veto.MIDDLE: "each has a text of its own in one place",
    Veto.EXCERPT: "it stands in the middle of a much longer one",
    Veto.SHORT: "one is too short to tell",
    Veto.SOURCE: "one source publishes both",
    Veto.DATE: "they have no more than a date in common",
}
"""What speaks against two texts being one."""

HELD: Mapping[Held, str] = {
    Held.BLOCKED: "its host is left alone for now",
    Held.GAP: "its host rests between two requests",
    Held.BUSY: "its host answers another request",
    Held.ADDRESS: "the address of its host answers other requests",
    Held.FEEDS_FIRST: "a feed of its host goes first",
}
"""Why a host gives no slot for a request now."""

MEANINGS: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    type(next(iter(table))): dict(table.items())
    for table in (
        PLANNED, POLLED, UNFETCHED, UNREAD, REFUSED, FOUND, LINKED, READ, SUBSCRIBED, DECIDED,
        IDENTIFIED, WITHDRAWN, HEALTH, ASKED, TOLD, TELLING, BECAME,
        AGAINST, HELD,
    )
}  # fmt: skip
"""All of them, by their type."""


def meaning(value: str | None, *kinds: type[StrEnum]) -> str:
    """The words of a stored value of one of `kinds`; a value of another release with spaces."""
    for kind in kinds:
        if value is not None and value in MEANINGS[kind]:
            return MEANINGS[kind][kind(value)]
    return (value or "").replace("_", " ").replace("-", " ")


def sentence(clause: str) -> str:
    """A clause as a sentence: a capital and a full stop."""
    return f"{clause[:1].upper()}{clause[1:].rstrip('.')}." if clause else ""
