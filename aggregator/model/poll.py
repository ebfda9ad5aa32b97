"""When a source is asked again: what a poll told, what the operator wants, and the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.model.feed import FeedHints
from aggregator.model.http import Freshness


class PollKind(StrEnum):
    """How a poll ended, as far as its schedule is concerned."""

    OK = "ok"  # a body that differed from the last one and could be read
    SAME_BODY = "same_body"  # 200, but octet for octet (or by validator) what we had
    NOT_MODIFIED = "not_modified"  # 304
    NO_CONTENT = "no_content"  # 204 or 205: no change, an error after three
    ERROR = "error"  # no usable feed; `status` and `error` say why
    PUSH = "push"  # not a poll: a WebSub hub delivered a document
    OUTAGE = "outage"  # our own network was gone: says nothing about the source
    BUSY = "busy"  # not read: this machine has too much to do, and tries again at `retry_at`


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """What one poll told about its source.

    `new_dates` holds one publication date (aware UTC) for each item that is really new (after the
    flood guard and id remaps), None for an undated one. `entries` counts the document's entries.
    `overlap` is the share (0..1) of this document's entries that the previous document held too,
    None when there was none or it was not read. `span` is the time the document reaches back
    (see `schedule.warm.document_span`). `error` is a `FetchError` value or a `ParseFault`, or
    `store`.
    """

    kind: PollKind
    status: int | None = None
    error: str | None = None
    new_dates: tuple[datetime | None, ...] = ()
    entries: int = 0
    overlap: float | None = None
    span: timedelta | None = None
    freshness: Freshness = field(default_factory=Freshness)
    hints: FeedHints | None = None  # None when no document was read
    retry_after: timedelta | None = None
    retry_at: datetime | None = None  # BUSY only
    conditional: bool = False  # the request carried a validator
    had_validators: bool = False  # the response (or the stored state after a 304) has one
    had_etag: bool = False  # one of them is an entity tag
    body_bytes: int = 0  # decoded
    push: bool = False  # a verified WebSub subscription covers this source
    archive: bool = False  # fh:archive (RFC 5005 §4): the document never changes
    outage_for: timedelta = timedelta(0)  # OUTAGE only: how long our own network has been gone


class Asking(StrEnum):
    """How a source is asked: with its validators, and if not, why."""

    CONDITIONAL = "conditional"
    LOOK = "look"  # once without: five items are due and its 304s say that none came
    BY_ETAG = "by_etag"  # its 304s were wrong: no more dates
    WHOLE = "whole"  # they were wrong and there is no tag to go by: without, at half its rate


class PollMode(StrEnum):
    """Who decides the interval."""

    ADAPTIVE = "adaptive"
    INTERVAL = "interval"
    CRON = "cron"


@dataclass(frozen=True, slots=True)
class PollSettings:
    """What the operator wants of one source.

    `explicit` says that the source's own `poll:` names a duration or a cron line: it waives the
    gate and every soft floor, never a hard one. `price` is the interval at which a source with
    four items a day is polled (see `PRICES`). `slowdown` (≥ 1) comes from the global cap on
    requests an hour and can only lengthen the adaptive interval. `zone` is an IANA name.
    """

    mode: PollMode = PollMode.ADAPTIVE
    interval: timedelta = timedelta(minutes=60)
    cron: str | None = None
    explicit: bool = False
    price: timedelta = timedelta(minutes=60)
    minimum: timedelta = timedelta(minutes=15)
    maximum: timedelta = timedelta(hours=6)
    silent_maximum: timedelta = timedelta(hours=24)  # for a source silent for over 30 days
    floor_cap: timedelta = timedelta(hours=24)  # no hint holds longer than this
    zone: str = "UTC"
    jitter: bool = True
    slowdown: float = 1.0


PRICES: dict[str, timedelta] = {
    "frugal": timedelta(minutes=120),
    "normal": timedelta(minutes=60),
    "fresh": timedelta(minutes=30),
}
"""Names for `PollSettings.price`."""


LONGEST_RETRY_AFTER = timedelta(days=30)
"""How long a server's Retry-After is taken at its word."""


class PlanReason(StrEnum):
    """What decided the time of a poll; of a floor, what keeps it from being earlier."""

    NEW = "new"  # never polled
    ADDRESS = "address"  # configured otherwise
    CLOCK = "clock"
    ASKED = "asked"
    DUPLICATE = "duplicate"
    RATE = "rate"
    BURST = "burst"
    OVERLAP = "overlap"
    WINDOW = "window"
    SNAP = "snap"
    RETRY = "retry"
    INTERVAL = "interval"
    CRON = "cron"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    SILENT = "silent"
    ARCHIVE = "archive"
    # soft floors
    MAX_AGE = "max-age"
    TTL = "ttl"
    SYNDICATION = "syndication"
    SKIP_HOURS = "skip-hours"
    SKIP_DAYS = "skip-days"
    GATE = "gate"
    PUSH = "push"
    # hard floors
    RETRY_AFTER = "retry-after"
    THROTTLED = "throttled"
    HOST = "host"
    BREAKER = "breaker"
    BUSY = "busy"
    MIN_REFRESH = "min-refresh"
    # failures
    ERROR_BACKOFF = "error-backoff"
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    GONE_CONFIRM = "gone-confirm"
    GONE = "gone"
    AUTH = "auth"
    BOT_CHALLENGE = "bot-challenge"
    OUTAGE = "outage"

    @classmethod
    def read(cls, stored: str | None, otherwise: PlanReason) -> PlanReason:
        """A stored reason; `otherwise` for none, and for one of another release."""
        try:
            return cls(stored or "")
        except ValueError:
            return otherwise


@dataclass(frozen=True, slots=True)
class Floor:
    """A time before which a source is not polled. Hard floors hold against everything."""

    name: PlanReason
    until: datetime
    hard: bool


@dataclass(frozen=True, slots=True)
class HostFloors:
    """What the host of a source allows: hard floors, and a factor on the interval (≥ 1)."""

    floors: tuple[Floor, ...] = ()
    slowdown: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The next poll of a source and why it is then.

    `reason` is what decided the time, `detail` tells it to people with its figures. `floors` lists
    every floor there was, the waived ones too. `wish` is the interval before floors. `rate` is the
    items a day expected on average. `asking` says how the next poll is asked for; `dead` says that
    polling has ended but for a probe now and then.
    """

    at: datetime
    reason: PlanReason
    detail: str
    floors: tuple[Floor, ...] = ()
    wish: timedelta | None = None
    rate: float | None = None
    asking: Asking = Asking.CONDITIONAL
    dead: bool = False
    failures: int = 0
