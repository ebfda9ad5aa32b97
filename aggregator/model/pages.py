"""What the server shows: rendered feeds, and the plain data behind each page.

The backend fills these from the store; the server only lays them out. No URL here holds a secret:
a source's `feed_url` is None where its address may not be shown. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from aggregator.model.item import PollRecord, RelatedRef, ServedItem
from aggregator.model.settings import RuleAction, ViewMode
from aggregator.model.states import DecisionKind, PushKind, PushState


@dataclass(frozen=True, slots=True)
class Rendered:
    """A feed document as stored: rendered and compressed once, sent as it is.

    `etag` and `gzip_etag` are strong entity tags in their quotes (RFC 9110 §8.8.3), one for each
    content coding. `last_modified` has whole seconds and is later for every new body, else a
    reader that knows only dates would miss the second of two changes within one second.
    """

    body: bytes
    gzip: bytes
    etag: str
    gzip_etag: str
    last_modified: datetime
    content_type: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What is new in a document since one of its versions (RFC 3229); the tags are the whole's."""

    body: bytes
    etag: str
    gzip_etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as browsers get it."""

    body: bytes
    media_type: str


class MoreThan(int):
    """A number at which counting stopped: there are more."""


class SourceHealth(StrEnum):
    """How a source is doing, in one word for people."""

    OK = "ok"  # the last poll succeeded
    WAITING = "waiting"  # not polled yet
    OFFLINE = "offline"  # our own network was down at the last poll: no word on the source
    FAILING = "failing"  # the last polls failed; it is tried again
    GONE = "gone"  # the publisher said so (410); tried again rarely or never
    DISABLED = "disabled"  # by the operator, or no longer configured


@dataclass(frozen=True, slots=True)
class PollMark:
    """A poll in a line of many: what came of it."""

    at: datetime
    failed: bool
    new_items: int


@dataclass(frozen=True, slots=True)
class SourceOverview:
    """One source with its state."""

    id: str
    title: str
    health: SourceHealth
    link: str | None = None  # the site
    feed_url: str | None = None  # None where it is secret
    tags: tuple[str, ...] = ()
    private: bool = False
    items: int = 0
    last_polled_at: datetime | None = None
    last_success_at: datetime | None = None
    next_poll_at: datetime | None = None
    next_reason: str | None = None
    next_detail: str | None = None
    failures: int = 0  # in a row
    status: int | None = None
    outcome: str | None = None  # of the last poll
    error: str | None = None
    rhythm: float | None = None  # items a day; None while nobody can tell
    last_polls: tuple[PollMark, ...] = ()  # oldest first; read for lists of sources alone


URGENCY = (
    SourceHealth.FAILING,
    SourceHealth.OFFLINE,
    SourceHealth.GONE,
    SourceHealth.WAITING,
    SourceHealth.OK,
    SourceHealth.DISABLED,
)
"""All states; what needs a person comes first."""


class SourceOrder(StrEnum):
    """In which order sources are listed."""

    TAG = "tag"  # by their first tag, then by title
    TITLE = "title"
    URGENCY = "urgency"  # what needs a person first
    NEXT = "next"  # by the time of the next poll
    ID = "id"


@dataclass(frozen=True, slots=True)
class SourceQuery:
    """Which sources are listed, and in which order.

    `after` is the id of the source after which the list goes on; `states` empty: all of them;
    `text` stands in the title, the id or a tag, in whatever case.
    """

    after: str = ""
    states: tuple[SourceHealth, ...] = ()
    tag: str | None = None
    text: str = ""
    order: SourceOrder = SourceOrder.ID
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ViewOverview:
    """One merged feed as the start page lists it."""

    id: str
    title: str
    description: str | None = None
    items: int = 0
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The start page. `problem` is why a changed configuration was refused, for all to see.

    `sources` are those that need a person first, as many as a page takes; `states` counts all that
    may be seen, and `hidden` the private ones that may not. `outage_since` says since when our own
    network is down; None while it is there.
    """

    views: tuple[ViewOverview, ...] = ()
    sources: tuple[SourceOverview, ...] = ()
    states: Mapping[SourceHealth, int] = field(default_factory=dict)
    hidden: int = 0
    items: int = 0
    problem: str | None = None
    warnings: tuple[str, ...] = ()
    outage_since: datetime | None = None
    trouble: tuple[str, ...] = ()  # why nothing is polled just now
    undelivered: tuple[Undelivered, ...] = ()  # for whoever runs the service alone


@dataclass(frozen=True, slots=True)
class HourOfWork:
    """What was asked and found in one hour; `prompt` items were seen within an hour of their date.

    Archives that a new source brings are no new items here.
    """

    at: datetime
    polls: int = 0
    failed: int = 0
    new_items: int = 0
    prompt: int = 0


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Somebody who is told of a view and did not take the last delivery.

    `view_id` is `_health` for the feed of our health; the address itself may be a secret.
    """

    kind: PushKind
    view_id: str
    view_title: str
    host: str
    state: PushState
    tries: int
    detail: str | None
    next_at: datetime
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldHost:
    """A host that is not asked before a time, and why in words."""

    host: str
    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class HealthLine:
    """What became of a source, or of something of ours, in words."""

    at: datetime
    said: str
    good: bool
    source_id: str | None = None
    source_title: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OperatorPart:
    """What only whoever runs the service is told: of all sources together, and of this machine.

    `sizes` are `(day, bytes)` of the database; `pages` are `(host, article pages read today)`.
    """

    undelivered: tuple[Undelivered, ...] = ()
    held: tuple[HeldHost, ...] = ()
    per_hour: float = 0.0  # requests that all plans add up to
    cap: int | None = None
    slowdown: float = 1.0
    in_flight: int = 0
    most_in_flight: int = 0
    size: int | None = None  # bytes of the database
    free: int | None = None  # bytes beside it
    sizes: tuple[tuple[str, int], ...] = ()
    pages: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class StatusPage:
    """How the service does: what is wrong, and what it did in the last two days.

    `outages` are the times in which our own network was down; an end of None: it still is.
    """

    now: datetime
    trouble: tuple[str, ...] = ()  # why nothing is polled
    problem: str | None = None  # why a changed configuration was refused
    outage_since: datetime | None = None
    states: Mapping[SourceHealth, int] = field(default_factory=dict)
    overdue: int = 0  # sources that should have been polled more than a minute ago
    items: int = 0
    hours: tuple[HourOfWork, ...] = ()
    counted_at: datetime | None = None
    outages: tuple[tuple[datetime, datetime | None], ...] = ()
    events: tuple[HealthLine, ...] = ()
    operator: OperatorPart | None = None


@dataclass(frozen=True, slots=True)
class SourceList:
    """Sources in the order asked for, as many as were asked for."""

    sources: tuple[SourceOverview, ...]
    states: Mapping[SourceHealth, int]  # how many there are of each
    after: str | None = None  # the last id, where there are more


@dataclass(frozen=True, slots=True)
class Asked:
    """A feed that nobody configured, as a request asks for it; equal ones are one feed.

    `name` is `search`, or that of a view whose items are asked for otherwise (a configured one,
    `source/ID`, `tag/NAME`); `query` is canonical and has to hold besides what the view asks.
    """

    name: str
    query: str | None = None
    mode: ViewMode = ViewMode.UNIQUE
    limit: int | None = None  # None: as many as any merged feed
    usual: ViewMode = ViewMode.UNIQUE  # the mode where none is named

    @property
    def parameters(self) -> dict[str, str]:
        """What stands in its address."""
        named = {"q": self.query, "limit": None if self.limit is None else str(self.limit)}
        if self.mode is not self.usual:
            named["mode"] = self.mode.value
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What a query finds, newest first, or what lies before a place in that."""

    items: tuple[ServedItem, ...]
    older: str | None = None  # `before` token of the next page
    first: bool = True
    notes: tuple[str, ...] = ()  # names in it that nothing has
    complete: bool = True  # everything stored is in the index of words


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What a rule does to the items of a view that came in some days."""

    action: RuleAction
    condition: str
    items: int  # that it decides, or of which it sets something


@dataclass(frozen=True, slots=True)
class RulesPreview:
    """What the rules of a view do to the items that came in some days."""

    total: int  # without any rule
    rules: tuple[RuleLine, ...]
    hidden: tuple[ServedItem, ...]  # newest first
    changed: tuple[tuple[ServedItem, ServedItem], ...]  # as it is, as it would be shown
    more: bool = False  # there are more items than were looked at


@dataclass(frozen=True, slots=True)
class ViewPage:
    """The latest items of a view, or those before a place in it."""

    view: ViewOverview
    items: tuple[ServedItem, ...]
    older: str | None = None  # `before` token of the next page
    first: bool = True  # this is the newest page


@dataclass(frozen=True, slots=True)
class DayOfPolls:
    """What happened to a source on one day (UTC)."""

    day: date
    polls: int
    failed: int
    new_items: int


@dataclass(frozen=True, slots=True)
class SourcePage:
    """One source: its state, its recent polls and items.

    `related` counts the related links found in its articles by what became of them.
    `views` are the ids of the views its items appear in.
    """

    source: SourceOverview
    polls: tuple[PollRecord, ...] = ()
    items: tuple[ServedItem, ...] = ()
    related: Mapping[str, int] = field(default_factory=dict)
    views: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # decisions an operator may ask about, in words
    floors: tuple[tuple[datetime, str], ...] = ()  # before when it is not polled, and why
    days: tuple[DayOfPolls, ...] = ()  # the last two weeks, oldest first


@dataclass(frozen=True, slots=True)
class EntryLine:
    """How one source presents the item."""

    source_id: str
    source_title: str
    link: str | None
    key: str
    first_seen: datetime
    last_seen: datetime
    private: bool = False  # of a private source: shown with the service's token only


@dataclass(frozen=True, slots=True)
class RelatedLine:
    """A related link with what became of it and why."""

    url: str
    title: str | None
    state: str  # in words
    heading: str | None = None
    position: int | None = None
    reason: str | None = None
    item_number: int | None = None  # the item it leads to, when we have it


@dataclass(frozen=True, slots=True)
class RevisionLine:
    """An earlier state of the item and what the next one changed, word by word.

    `changes` holds runs of `("=" | "-" | "+", text)`.
    """

    number: int
    at: datetime
    title: str
    changes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TextSide:
    """One of two texts laid side by side: runs of it, each with whether the other has it too."""

    source_title: str
    title: str | None
    number: int
    link: str | None
    runs: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """Why this item is, or is not, one with another: words, measurements, shared passages."""

    kind: DecisionKind
    why: str
    at: datetime | None = None
    other_title: str | None = None
    other_number: int | None = None
    evidence: tuple[tuple[str, str], ...] = ()  # label, value
    passages: tuple[str, ...] = ()
    private: bool = False  # the other one is private: shown with the service's token only
    sides: tuple[TextSide, ...] = ()  # this text and the other, or none
    from_page: bool = False  # one of the texts was taken from a page, not from a feed


@dataclass(frozen=True, slots=True)
class GraphNode:
    """An item in the picture of a story's neighbourhood."""

    key: str
    title: str
    kind: str = "item"  # self | item | copy | related
    item_number: int | None = None
    private: bool = False  # shown with the service's token only


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Items around one item; edges are `(from key, to key, kind)`, kind `related` or `copy`."""

    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One item with everything that was decided about it.

    `private` items are shown only to who may read one of `views` by a token (or everything).
    """

    item: ServedItem
    private: bool = False
    views: tuple[str, ...] = ()
    entries: tuple[EntryLine, ...] = ()
    related: tuple[RelatedLine, ...] = ()
    coverage: tuple[RelatedRef, ...] = ()  # the same event in other words
    revisions: tuple[RevisionLine, ...] = ()
    decisions: tuple[DecisionLine, ...] = ()
    provenance: str | None = None  # how a followed item was found
    withdrawal: str | None = None
    image_caption: str | None = None
    image_credit: str | None = None
    outlet: str | None = None  # whose text it is by its own page, where its feed is another's
    editor: str | None = None
    has_copies: bool = False  # in its group, private ones included
    graph: Neighbourhood | None = None
    full: ServedItem | None = None  # with text taken from its page: for who may read that


@dataclass(frozen=True, slots=True)
class Publication:
    """One item of a story: a text as one outlet published it, with what it says otherwise.

    `changes` are runs of `("=" | "-" | "+", text)` against the item `compared_to`, the first of its
    text; empty where nothing was compared. `updates` are the times of its later versions.
    """

    number: int
    source_id: str
    source_title: str
    title: str
    link: str | None
    at: datetime  # the displayed date
    language: str | None = None
    private: bool = False
    views: tuple[str, ...] = ()  # those that show its source
    teaser: str | None = None  # plain text
    updates: tuple[datetime, ...] = ()
    compared_to: int | None = None
    changes: tuple[tuple[str, str], ...] = ()
    same: bool = False  # word for word
    from_page: bool = False  # what is compared was taken from a page, not from a feed


@dataclass(frozen=True, slots=True)
class StoryPage:
    """An event: each text about it with everybody who published that, the earliest first.

    `number` is the item it was asked for by; `more` says that only its earliest items are here.
    """

    number: int
    texts: tuple[tuple[Publication, ...], ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What became of a person's wish to poll a source now: in words, and when it will be."""

    said: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReadyState:
    """Whether the service can do its work; `checks` are `(name, fine, detail)` without secrets.

    `ready` is whether readers are served. Our own network being down is told as a check and takes
    no reader away: what is stored is served all the same.
    """

    ready: bool
    checks: tuple[tuple[str, bool, str], ...] = ()
