"""What is kept and served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aggregator.model.copies import CopyDecision, PreparedText
from aggregator.model.feed import Enclosure, Episode, ParsedEntry, Picture
from aggregator.model.http import Timing, Validators
from aggregator.model.noticed import Noticed
from aggregator.model.states import EntryKind


@dataclass(frozen=True, slots=True)
class PreparedBody:
    """A body made safe in a worker: sanitised HTML with absolute links, and its plain text."""

    html: str
    text: str
    summary: str | None = None  # sanitised HTML, when it differs from the content
    image: str | None = None
    sanitizer_version: int = 0


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """What the store knows of one entry of a source, for identification."""

    entry_id: int
    item_id: int
    key: str
    content_hash: str
    guid: str | None
    alias: str | None  # guid without scheme and host, hashed
    url_key: str | None
    title: str | None
    published: datetime | None = None  # as read before, not later than when it was first seen
    tombstone: bool = False
    forgotten: bool = False  # at a person's word: nothing brings it back
    reader: int = 0  # the version of our reading that it was last read under
    shown: str | None = None  # `identity.shown.shown_state` of what is served
    shown_before: str | None = None  # of what was served before that
    shown_at: datetime | None = None  # when that was written
    passing: bool = False  # its addresses were seen to differ in parameters alone


@dataclass(frozen=True, slots=True)
class Earlier:
    """An entry of a source that a new one may be the corrected state of.

    `at` is the earlier of published and first seen; `text` is None where it cannot be compared.
    """

    known: KnownEntry
    at: datetime
    text: str | None


@dataclass(frozen=True, slots=True)
class EntryIntent:
    """What identification wants done with one entry of a document: the store re-checks and does it.

    `kind` is `new`, `changed` (a revision), `touched` (seen again, maybe a date-only edit)
    or `renamed` (same entry under another id). `why` says so in words.
    """

    kind: EntryKind
    key: str
    entry: ParsedEntry
    content_hash: str
    guid: str | None = None
    alias: str | None = None
    url_key: str | None = None
    url_key_is_identity: bool = False
    known: KnownEntry | None = None
    body: PreparedBody | None = None  # for new and changed
    archived: bool = False  # flood guard or back catalogue: not on top of a view
    why: str = ""
    aliases: tuple[str, ...] = ()  # further identity-grade URL keys (canonical, original link)
    prepared: PreparedText | None = None  # its text for the copy step, with `body`
    decision: CopyDecision | None = None  # of one that its text showed to be an earlier item
    shown: str | None = None  # `identity.shown.shown_state`
    withdraws_address: bool = False  # a new edition: its address identifies nothing any more
    quiet: bool = False  # of a replacement: views show it with their next change
    redated: bool = False  # one of several equal entries, whose dates tell them apart, has another
    same_words: bool = False  # of a renamed one: it says what it said, if in another element
    reuses_id: bool = False  # its id was another entry's: ids identify nothing here any more


@dataclass(frozen=True, slots=True)
class PollRecord:
    """One row of the poll log: what was asked, what came, what was decided."""

    source_id: str
    at: datetime
    status: int | None
    outcome: str  # new | unchanged | not_modified | error class
    error: str | None = None
    wire_bytes: int = 0
    decoded_bytes: int = 0
    timing: Timing = field(default_factory=Timing)
    entries: int = 0
    new_items: int = 0
    changed_items: int = 0
    copies: int = 0  # of these, found to be copies of others; in the log alone
    next_at: datetime | None = None
    reason: str | None = None
    reason_detail: str | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is remembered of a source's feed between polls. `policy` belongs to `schedule`."""

    source_id: str
    url: str
    effective_url: str | None = None
    validators: Validators = field(default_factory=Validators)
    body_hash: str | None = None
    title: str | None = None
    link: str | None = None
    feed_id: str | None = None
    identity_policy: str | None = None
    policy: str | None = None  # JSON of `schedule.state.PolicyState`
    failures: int = 0
    last_polled_at: datetime | None = None
    last_success_at: datetime | None = None
    document_at: datetime | None = None  # when its last document was read
    next_poll_at: datetime | None = None
    next_reason: str | None = None
    next_detail: str | None = None
    outcome: str | None = None
    status: int | None = None
    error: str | None = None
    items_seen: int = 0
    move_target: str | None = None
    move_seen: tuple[str, ...] = ()  # ISO times of sightings
    noticed: Noticed = field(default_factory=Noticed)


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Which source a served item is attributed to (Atom `source`, RSS `source`)."""

    id: str
    title: str
    link: str | None  # the site
    feed_id: str  # the feed's own id, or a `tag:` of ours; never a URL with a secret
    feed_url: str | None  # None where the URL is secret
    updated: datetime  # pinned when the item was ingested


@dataclass(frozen=True, slots=True)
class RelatedRef:
    """A related link as served."""

    url: str
    title: str | None
    heading: str | None = None
    state: str = "known"
    item_id: str | None = None  # public id of the item it leads to
    number: int | None = None  # of other coverage


@dataclass(frozen=True, slots=True)
class CopyRef:
    """Another publication of the same text: the attribution `also in …`."""

    url: str | None
    source_title: str
    title: str | None
    published: datetime | None


@dataclass(frozen=True, slots=True)
class ServedItem:
    """An item as a view shows it. `html` is sanitised; every string is XML-safe."""

    number: int  # the database's own: pages and paging, never in a feed as an identity
    public_id: str  # an IRI; frozen
    title: str
    link: str | None
    html: str | None
    summary: str | None
    text: str | None
    author: str | None
    published: datetime  # displayed date: the earlier of published and first seen
    updated: datetime  # the publisher's, until we saw a material change
    first_seen: datetime
    sort_at: datetime
    source: SourceRef
    language: str | None = None
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    comments: str | None = None
    external_url: str | None = None
    image: str | None = None
    related: tuple[RelatedRef, ...] = ()
    copies: tuple[CopyRef, ...] = ()
    via: str | None = None
    withdrawn: bool = False
    withdrawn_reason: str | None = None  # feed | page: where it was seen to be gone
    paywalled: bool = False  # its own page says so
    revision: int = 0
    changed_at: datetime | None = None  # when we last saw a change of what is shown
    extension: Mapping[str, Any] = field(default_factory=dict)
    authors: tuple[str, ...] = ()  # where there are several; `author` names all in one line
    pictures: tuple[Picture, ...] = ()  # where there are several or words for them; the lead first
    episode: Episode | None = None
    terms: tuple[tuple[str, str], ...] = ()  # a category as shown, and its other term


@dataclass(frozen=True, slots=True)
class DeletedItem:
    """An item that readers were served and that is taken back (RFC 6721)."""

    public_id: str
    at: datetime  # since when


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of a view, ready to render: no clock, no request in it.

    `older` and `newer` are RFC 5005 page URLs; `updated` is the stored time of the last change.
    """

    view_id: str
    view_title: str
    description: str | None
    feed_id: str  # minted, frozen
    self_urls: Mapping[str, str]  # format -> absolute URL of this page
    home_url: str
    updated: datetime
    items: tuple[ServedItem, ...]
    older: Mapping[str, str] = field(default_factory=dict)  # format -> URL
    newest: Mapping[str, str] = field(default_factory=dict)  # format -> URL of the current page
    archive: bool = False
    deleted: tuple[DeletedItem, ...] = ()  # the latest first
    generator: str = "aggregator"
    hub_url: str | None = None  # where whoever wants to be told of changes asks (WebSub)
    about_url: str | None = None  # where a person reads what our JSON Feed extension means
