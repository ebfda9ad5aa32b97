"""What an operator configured: small groups, already checked, with every default filled in.

`config` makes these from YAML; every other room takes the group it needs and nothing wider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from zoneinfo import ZoneInfo

from aggregator.model.copies import CopyThresholds, StoryThresholds

Network = IPv4Network | IPv6Network


class Secret:
    """Text that came from a secret: prints as `***`, is no `str`, cannot be serialised by accident.

    `reveal()` gives the value to the one place that sends it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Who is told of what is new by a POST. The address often holds what lets in."""

    url: Secret
    secret: Secret | None = None  # signs each delivery
    template: str | None = None  # JSON with placeholders: a message about one item
    headers: Mapping[str, Secret] = field(default_factory=dict)


class PictureMode(StrEnum):
    """Where browsers get the pictures of items from."""

    OFF = "off"  # lists show none; an opened item shows its publisher's
    DIRECT = "direct"  # from the publishers
    PROXY = "proxy"  # from us, so that publishers do not see readers


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Who we are and where we listen."""

    name: str = "aggregator"
    base_url: str | None = None  # makes every link; no trailing slash; None: from `listen`
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    contact: str | None = None  # URL or mail address in the User-Agent
    token: Secret | None = None  # guards everything but health when set
    admin_token: Secret | None = None  # guards what changes something: splitting and merging
    trusted_proxies: tuple[str, ...] = ()
    cors: tuple[str, ...] = ()  # origins whose pages may read feeds by script; `*`: any
    websub: bool = False  # subscribe at the hubs of feeds; they must reach `base_url`
    hub: bool = False  # be a WebSub hub for our views
    health_webhooks: tuple[WebhookSettings, ...] = ()  # told of what stands in our health's feed
    page_text: str = "guarded"  # guarded | everywhere: text taken from pages, see `full_text`
    search: str = "guarded"  # guarded | everywhere: searching and feeds made of queries
    pictures: PictureMode = PictureMode.OFF
    timezone: tzinfo = UTC  # of the times on pages
    max_document: int = 4 * 1024 * 1024  # bytes of a merged feed: the oldest bodies are cut first
    max_entries: int = 1000  # of a merged feed: what does not fit stands on the next page
    log_format: str = "text"  # text | json
    log_level: str = "info"

    @property
    def public_url(self) -> str:
        """The base of every link we write, without a trailing slash."""
        if self.base_url:
            return self.base_url.rstrip("/")
        host = self.listen_host if ":" not in self.listen_host else f"[{self.listen_host}]"
        if host in ("0.0.0.0", "[::]"):  # noqa: S104
            host = "localhost"
        return f"http://{host}:{self.listen_port}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches us: on loopback, and no proxy is known to stand before.

        Whoever reads the pages then may read what the operator's terminal says.
        """
        try:
            loopback = ip_address(self.listen_host).is_loopback
        except ValueError:
            loopback = self.listen_host == "localhost"
        return loopback and self.base_url is None and not self.trusted_proxies

    @property
    def root_path(self) -> str:
        """The sub-path behind a reverse proxy, taken from `base_url`; empty at the root."""
        if not self.base_url:
            return ""
        rest = self.base_url.split("://", 1)[-1]
        return "/" + rest.split("/", 1)[1].rstrip("/") if "/" in rest.rstrip("/") else ""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where items are kept and for how long their text stays."""

    url: Secret = field(default_factory=lambda: Secret("sqlite:///data/aggregator.db"))
    keep_text: timedelta = timedelta(days=90)
    keep_poll_log: timedelta = timedelta(days=14)
    max_items_per_source: int = 5000  # that stay because the source lists them
    keep_raw: int | None = None  # bytes of documents kept as they came; None: none


@dataclass(frozen=True, slots=True)
class PollWhen:
    """When a source is polled: exactly one of adaptive, a fixed interval, a cron line."""

    interval: timedelta | None = None
    cron: str | None = None

    @property
    def adaptive(self) -> bool:
        return self.interval is None and self.cron is None


@dataclass(frozen=True, slots=True)
class PollingSettings:
    """How often and how much at once."""

    interval: timedelta = timedelta(minutes=60)  # sources with 4 items a day, at price `normal`
    price: str | timedelta = "normal"  # frugal | normal | fresh | the interval at 4 items a day
    min_interval: timedelta = timedelta(minutes=15)
    max_interval: timedelta = timedelta(hours=6)
    min_refresh: timedelta = timedelta(seconds=60)  # between two refreshes of one source
    host_gap: timedelta = timedelta(seconds=1)  # between requests to one host, feeds
    article_gap: timedelta = timedelta(seconds=2)
    concurrency: int = 20  # requests in flight
    requests_per_second: float = 5.0
    requests_per_hour: int | None = None  # global cap: only ever slows things down
    lease: timedelta = timedelta(seconds=120)
    trust_clock: bool = False  # poll whatever the clock says


@dataclass(frozen=True, slots=True)
class FetchingSettings:
    """How we behave on the wire and what we refuse."""

    product: str | None = None  # User-Agent product and robots token; None: `service.name`
    allow_networks: tuple[Network, ...] = ()
    allow_ports: tuple[int, ...] = ()
    proxy: Secret | None = None
    proxy_trusted: bool = False
    ca_bundle: str | None = None
    timeout: timedelta = timedelta(seconds=30)
    max_wire_bytes: int = 5 * 1024 * 1024
    max_body_bytes: int = 10 * 1024 * 1024
    parse_timeout: timedelta = timedelta(seconds=10)
    parse_workers: int = 2
    parse_memory: int = 512 * 1024 * 1024  # bytes of address space, each worker
    max_items: int = 5000


class FullText(StrEnum):
    """Whether an item's own page is read for its text."""

    NEVER = "never"
    WHEN_TRUNCATED = "when_truncated"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class FollowSettings:
    """Policy for a publisher's related links."""

    enabled: bool = False
    depth: int = 1
    links_per_article: int = 5
    pages_per_host_and_day: int = 50
    hosts: str = "same_site"  # same_site | listed | any
    listed: tuple[str, ...] = ()  # registrable domains, with hosts = listed
    max_age: timedelta = timedelta(days=30)  # of the article found
    languages: tuple[str, ...] = ()  # empty: any
    tags: tuple[str, ...] = ()  # given to what is found, besides the source's


@dataclass(frozen=True, slots=True)
class RelatedOverride:
    """CSS and headings for a site where structure is not enough."""

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One configured feed. Its identity is `id`: a changed URL keeps its history.

    `url` holds no userinfo (it moved into `auth`). `place` is `file:line` for messages.
    """

    id: str
    url: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    poll: PollWhen = field(default_factory=PollWhen)
    enabled: bool = True
    headers: Mapping[str, Secret] = field(default_factory=dict)
    auth: tuple[Secret, Secret] | None = None
    user_agent: str | None = None  # its feed is asked for under this name
    validators: bool = True  # ask conditionally
    allow_private: bool = False
    private: bool = False
    timezone: ZoneInfo | None = None
    language: str | None = None
    follow: FollowSettings = field(default_factory=FollowSettings)
    full_text: FullText = FullText.NEVER
    related: RelatedOverride = field(default_factory=RelatedOverride)
    aggregator: bool = False  # republishes others: never leads a copy group if another can
    preference: int = 0  # higher leads a copy group
    paywalled: bool = False  # of copies, a readable one leads
    url_is_secret: bool = False  # some part of the URL came from `${…}` or looks like a token
    place: str = ""

    @property
    def shown_url(self) -> str | None:
        """The URL as it may be shown to anybody; None where it holds a secret."""
        return None if self.url_is_secret else self.url


class ViewMode(StrEnum):
    """What one entry of a view is."""

    ARTICLES = "articles"
    UNIQUE = "unique"
    STORIES = "stories"


class Byline(StrEnum):
    """Where a view names the outlet of an item, besides where only programs look."""

    NONE = "none"
    SOURCE = "source"  # beside the author
    TITLE_PREFIX = "title_prefix"  # before the headline


class RuleAction(StrEnum):
    """What a rule does with the items for which its condition holds."""

    KEEP = "keep"
    DROP = "drop"
    SET = "set"


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """A rule of a view. `condition` is canonical, in the language of selections."""

    action: RuleAction
    condition: str
    tag: str | None = None  # a category that is added
    strip_prefix: str | None = None  # taken off the title
    past: bool = False  # what was seen before the rule is set too


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """A merged feed: a selection, a path and who may read it.

    With neither `tags` nor `sources` every source is selected; with both, the union.
    Items of private sources appear only when `token` (or `service.token`) guards the view.
    """

    id: str
    title: str
    limit: int = 100  # at least 100: invariant 11
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    exclude_sources: tuple[str, ...] = ()
    token: Secret | None = None
    mode: ViewMode = ViewMode.UNIQUE
    followed: bool = True  # items found through related links appear
    followed_max_age: timedelta | None = None
    description: str | None = None
    byline: Byline = Byline.NONE
    query: str | None = None  # in the language of selections: what has to hold besides
    rules: tuple[RuleSettings, ...] = ()
    webhooks: tuple[WebhookSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class DedupSettings:
    """When items are one: as one address, as one text, as one event.

    `tracking_parameters` are names of URL parameters that never tell pages apart, besides those
    that are known; `*` in a name is any run of characters.
    """

    copies: CopyThresholds = field(default_factory=CopyThresholds)
    stories: StoryThresholds = field(default_factory=StoryThresholds)
    tracking_parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration."""

    service: ServiceSettings = field(default_factory=ServiceSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    polling: PollingSettings = field(default_factory=PollingSettings)
    fetching: FetchingSettings = field(default_factory=FetchingSettings)
    dedup: DedupSettings = field(default_factory=DedupSettings)
    sources: tuple[SourceSettings, ...] = ()
    views: tuple[ViewSettings, ...] = ()
    files: tuple[str, ...] = ()  # every file read, for watching
    warnings: tuple[str, ...] = ()

    @property
    def product_token(self) -> str:
        """Our name in the User-Agent and in robots.txt (RFC 9110 §10.1.5, RFC 9309 §2.2.1)."""
        name = self.fetching.product or self.service.name
        token = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "-" for c in name)
        return token or "aggregator"
