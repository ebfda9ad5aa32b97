"""What is asked of the wire and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from aggregator.model.states import Held


@dataclass(frozen=True, slots=True)
class Validators:
    """Validators of a stored representation, octet for octet (RFC 9110 §8.8)."""

    etag: str | None = None
    last_modified: str | None = None
    url: str | None = None  # the final URL that sent them; they are sent to no other

    def __bool__(self) -> bool:
        return self.etag is not None or self.last_modified is not None


class RequestKind(StrEnum):
    """What is fetched: caps, Accept header, gaps and the guard's strictness follow from it."""

    FEED = "feed"
    ARTICLE = "article"
    ROBOTS = "robots"
    HUB = "hub"
    PUSH = "push"  # news of ours to a subscriber or a webhook, and asking whether it is wanted
    PAGE = "page"  # a web page given by a person (discovery)
    PICTURE = "picture"  # of an item, in the place of a reader


@dataclass(frozen=True, slots=True)
class Access:
    """On whose behalf a request is made, and what that allows: at one origin only.

    `configured` is the address that a person wrote for the source. The whole request may wander
    (an adopted move, an older page, redirects); what is given here goes to the origin of that
    address and to no other: `headers`, `auth` (user, password), the source's own `user_agent`
    (feed requests only). `allow_private` opens private addresses to its host alone, and to a hop
    from a private host to itself. Its port may be used besides the usual ones.

    `CONTENT`, which has no configured address, is for every address that was found in content: no
    credentials, public addresses, usual ports.
    """

    configured: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    user_agent: str | None = None
    allow_private: bool = False


CONTENT = Access()


@dataclass(frozen=True, slots=True)
class Content:
    """What a POST carries: bytes of a media type, and headers that belong to them."""

    body: bytes
    type: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One conditional GET, a HEAD with `head`, a POST with `form` or `content`.

    `url` is sent byte for byte as given; `access` says whose it is.
    """

    url: str
    access: Access
    kind: RequestKind = RequestKind.FEED
    validators: Validators = field(default_factory=Validators)
    delta: bool = False  # send A-IM: feed (RFC 3229)
    form: Mapping[str, str] | None = None  # HUB only: sent as an urlencoded POST
    content: Content | None = None  # PUSH only: sent as a POST
    head: bool = False  # only whether it is there: a success has an empty body
    redirects: bool = True  # False: a redirect is an error whose hop says where it leads
    gap: timedelta | None = None  # the host's Crawl-delay, when it has one


MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bounds of one kind of request: bytes of the body as sent and decoded, and the whole time.

    `truncate` keeps the first bytes of a longer body instead of refusing it (robots.txt:
    RFC 9309 §2.5).
    """

    wire: int
    decoded: int
    total: timedelta
    truncate: bool = False


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Everything the client bounds. Time spent waiting for a host slot counts nowhere."""

    feed: BodyLimits = BodyLimits(5 * MIB, 10 * MIB, timedelta(seconds=30))
    article: BodyLimits = BodyLimits(2 * MIB, 3 * MIB, timedelta(seconds=20))
    page: BodyLimits = BodyLimits(5 * MIB, 10 * MIB, timedelta(seconds=30))
    robots: BodyLimits = BodyLimits(MIB // 2, MIB // 2, timedelta(seconds=10), truncate=True)
    hub: BodyLimits = BodyLimits(64 * 1024, 64 * 1024, timedelta(seconds=20))
    push: BodyLimits = BodyLimits(16 * 1024, 16 * 1024, timedelta(seconds=20), truncate=True)
    picture: BodyLimits = BodyLimits(5 * MIB, 5 * MIB, timedelta(seconds=20))
    head: int = 64 * 1024  # bytes of all header blocks of one response, 1xx included
    feed_redirects: int = 10  # of a source's feed
    redirects: int = 5  # of all else
    resolve: timedelta = timedelta(seconds=5)
    connect: timedelta = timedelta(seconds=5)  # TLS inside it
    read: timedelta = timedelta(seconds=10)  # between two reads
    ratio: int = 200  # decoded bytes for one wire byte, once past `ratio_from`
    ratio_from: int = MIB
    in_flight: int = 20
    idle: timedelta = timedelta(seconds=15)  # a kept connection, at most one for an origin

    def of(self, kind: RequestKind) -> BodyLimits:
        """The bounds of this kind of request."""
        return {
            RequestKind.FEED: self.feed,
            RequestKind.ARTICLE: self.article,
            RequestKind.PAGE: self.page,
            RequestKind.ROBOTS: self.robots,
            RequestKind.HUB: self.hub,
            RequestKind.PUSH: self.push,
            RequestKind.PICTURE: self.picture,
        }[kind]


class FetchError(StrEnum):
    """Why there is no usable body. The value is what `status` and the log print."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"  # cut short, bad framing, header flood, 304 unasked
    TOO_LARGE = "too_large"
    ENCODING = "encoding"  # coding not offered (twice), more than one, bomb, damaged
    REDIRECT = "redirect"  # loop, too many, no Location, downgrade
    BLOCKED = "blocked"  # refused by the address guard
    BAD_URL = "bad_url"
    HTTP = "http"  # a status that is no success; see `status`
    BOT_CHALLENGE = "bot_challenge"
    HOST_BUSY = "host_busy"  # no slot: never sent, no failure; see `retry_at`
    NOT_HTML = "not_html"


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect followed."""

    status: int
    url: str
    location: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds; None where that step did not happen."""

    dns: float | None = None
    connect: float | None = None
    first_byte: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the response says about its own age (RFC 9111 §4.2), already reduced to deltas."""

    max_age: timedelta | None = None  # max-age − Age, or Expires − Date
    no_cache: bool = False
    no_store: bool = False
    heuristic: timedelta | None = None  # 10 % of Date − Last-Modified: recorded, never a floor


@dataclass(frozen=True, slots=True)
class FetchResult:
    """The answer to a `FetchRequest`: never raised, always returned.

    Exactly one of these holds: `error` is set; `not_modified`; `body` is the decoded body.
    """

    url: str  # requested
    final_url: str
    status: int | None = None
    not_modified: bool = False
    body: bytes | None = None
    content_type: str | None = None
    validators: Validators = field(default_factory=Validators)
    freshness: Freshness = field(default_factory=Freshness)
    retry_after: timedelta | None = None
    retry_at: datetime | None = None  # HOST_BUSY only
    hops: tuple[Hop, ...] = ()
    links: tuple[tuple[str, str], ...] = ()  # HTTP Link headers as (rel, absolute URL)
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names, last value
    delta: bool = False  # 226 IM Used
    wire_bytes: int = 0
    decoded_bytes: int = 0
    timing: Timing = field(default_factory=Timing)
    address: str | None = None  # dialled IP
    withheld_from: str | None = None  # where the source's credentials were not sent: another origin
    error: FetchError | None = None
    detail: str | None = None  # one line for people; never a secret
    allowed_by: str | None = None  # BLOCKED only: the setting that would allow it
    own_network: bool = False  # DNS and CONNECT only: no resolver answered, or there was no route

    @property
    def permanent_target(self) -> str | None:
        """Where an unbroken run of 301/308 from the first hop leads, or None (RFC 9110 §15.4)."""
        target: str | None = None
        for hop in self.hops:
            if hop.status not in (301, 308):
                break
            target = hop.location
        return target


@dataclass(frozen=True, slots=True)
class Slot:
    """Leave to send one request to a host now; give it back with `HostSlots.release`."""

    host: str
    address: str | None
    owner: str
    kind: RequestKind = RequestKind.FEED


class HostBusy(Exception):
    """The host's budget allows no request before `retry_at`."""

    def __init__(self, host: str, retry_at: datetime, why: Held, detail: str = "") -> None:
        told = detail or why
        super().__init__(f"{host} is not to be contacted before {retry_at.isoformat()} ({told})")
        self.host = host
        self.retry_at = retry_at
        self.why = why
        self.detail = detail


class HostSlots(Protocol):
    """Host budgets, shared by workers, the CLI and restarts: rows in the database."""

    async def acquire(
        self,
        host: str,
        kind: RequestKind,
        *,
        address: str | None = None,
        gap: timedelta | None = None,
    ) -> Slot:
        """Wait briefly for the host's turn; raise `HostBusy` when the wait would be long.

        `address` is where the host was found, when that is known: it has a budget of its own.
        `gap` lengthens the time to the host's next request of this kind (Crawl-delay).
        """
        ...

    async def release(self, slot: Slot) -> None:
        """Give the slot back; the host's gap starts to run."""
        ...


class RobotsOutcome(StrEnum):
    """How asking for robots.txt ended (RFC 9309 §2.3.1)."""

    RULES = "rules"  # 2xx: the body holds the rules
    UNAVAILABLE = "unavailable"  # 4xx, too many redirects: everything may be fetched
    REFUSED = "refused"  # 401, 403, 429, our own guard: nothing is
    UNREACHABLE = "unreachable"  # 5xx, network: nothing is, for 30 days


@dataclass(frozen=True, slots=True)
class RobotsRecord:
    """What is kept of one authority's robots.txt.

    `body` is the last copy that could be read; None where there was none or the server asked
    not to store it.
    """

    authority: str  # scheme://host:port
    outcome: RobotsOutcome
    fetched_at: datetime
    expires_at: datetime
    detail: str | None = None
    body: bytes | None = None
    validators: Validators = field(default_factory=Validators)
    failing_since: datetime | None = None


class RobotsStore(Protocol):
    """Keeps robots.txt across restarts and workers."""

    async def load(self, authority: str) -> RobotsRecord | None:
        """The record of this authority, None when there is none."""
        ...

    async def save(self, record: RobotsRecord) -> None:
        """Keep a record in place of the authority's former one."""
        ...
