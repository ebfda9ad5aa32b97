"""The states, kinds and reasons that rows keep, as types: what a column holds is one of these."""

from __future__ import annotations

from enum import StrEnum


class Veto(StrEnum):
    """What speaks against two texts being one, however much they share."""

    NUMBERS = "numbers"  # figures
    DATES = "dates"  # days named in the opening
    NAMES = "names"  # in one place
    TITLES = "titles"  # what their headlines name apart stands in one place
    OPENING = "opening"  # each has a beginning of its own
    ENDING = "ending"
    MIDDLE = "middle"  # each has a long place of its own in a short text
    EXCERPT = "excerpt"  # one stands in the middle of a much longer one
    SHORT = "short"  # too short to tell
    SOURCE = "source"  # one source publishes both
    DATE = "date"  # a correction marked by its date alone


class Held(StrEnum):
    """Why a host gives no slot for a request now."""

    BLOCKED = "blocked"  # it asked to be left alone, or failed
    GAP = "gap"  # between two requests
    BUSY = "busy"  # as many are in flight as may be
    ADDRESS = "address"  # so are at its address
    FEEDS_FIRST = "feeds first"  # a feed of the host is due


class EntryKind(StrEnum):
    """What identification wants done with one entry of a document."""

    NEW = "new"
    CHANGED = "changed"  # a revision
    TOUCHED = "touched"  # seen again, maybe with an edit of its date alone
    REPLACED = "replaced"  # other than its words: shown anew, no revision
    RENAMED = "renamed"  # the same entry under another id


class Mark(StrEnum):
    """What a new entry has in common with an earlier one that it may be a state of."""

    ADDRESS = "address"
    HEADLINE = "headline"
    DATE = "date"


class Weakened(StrEnum):
    """Why the entries of a source are told apart by less than before."""

    ALIKE = "alike"  # too many were alike or had none
    CHANGING = "changing"  # a whole document came again under other keys, twice running
    REUSED = "reused"  # one was used again for another entry


class PollWord(StrEnum):
    """How a poll ended, for the log. Beside these: the values of `FetchError` and parse errors."""

    NEW = "new"
    UNCHANGED = "unchanged"
    NOT_MODIFIED = "not_modified"
    NO_CONTENT = "no_content"
    PUSH = "push"
    OUTAGE = "outage"  # our own network is gone
    LIMIT = "limit"  # the document could not be read within its limits
    BUSY = "busy"  # not read: this machine has too much to do
    HOST_BUSY = "host_busy"  # never sent
    SUPERSEDED = "superseded"  # configured otherwise, or polled by another, in the meantime
    SKIPPED = "skipped"  # not asked at a person's word


class ParseFault(StrEnum):
    """Why nothing, or not all, of a document could be read."""

    NOT_A_FEED = "not_a_feed"
    MALFORMED = "malformed"
    EMPTY = "empty"
    LIMIT = "limit"
    HTML = "html"


class Withdrawn(StrEnum):
    """Where an item was seen to be gone."""

    FEED = "feed"
    DELETED = "deleted"  # by an at:deleted-entry of its feed (RFC 6721)
    PAGE = "page"


class PageState(StrEnum):
    """Where an article page of the queue stands."""

    QUEUED = "queued"
    AGAIN = "again"  # read, and asked again at its time
    DONE = "done"
    REFUSED = "refused"


class EdgeState(StrEnum):
    """What became of a related link."""

    QUEUED = "queued"
    FOLLOWED = "followed"
    KNOWN = "known"  # it leads to an item that was there
    REFUSED = "refused"


class Refused(StrEnum):
    """Why a link is not followed or a page not kept; `docs/design/following.md` has the table."""

    ADDRESS = "address"
    BUDGET = "budget"
    DEPTH = "depth"
    FAILED = "failed"
    GONE = "gone"
    HOST = "host"
    LANGUAGE = "language"
    LINKS = "links"
    MISSING = "missing"
    NOFOLLOW = "nofollow"
    NOINDEX = "noindex"
    NOT_ARTICLE = "not_article"
    NOT_HTML = "not_html"
    OFF = "off"
    PAYWALL = "paywall"
    QUERY = "query"
    ROBOTS = "robots"
    TOO_OLD = "too_old"
    UNREADABLE = "unreadable"


class LinkRule(StrEnum):
    """What found a related link; `articles.related.found` has the rules."""

    HEADING = "heading"
    TOPIC = "topic"
    READ_MORE = "read_more"
    MARKER = "marker"
    CARD = "card"
    NAMED = "named"
    LINK_REL = "link_rel"
    JSON_LD = "json_ld"
    SELECT = "select"


class SubscriptionState(StrEnum):
    """Where a WebSub subscription of ours stands."""

    PENDING = "pending"  # asked, not verified yet
    ACTIVE = "active"
    DENIED = "denied"
    FAILED = "failed"
    DISTRUSTED = "distrusted"  # a poll found what no push brought


class DecisionKind(StrEnum):
    """What was decided about two items, as the log of decisions keeps it."""

    COPY = "copy"
    STATED = "stated"  # the page of one names the other's address as its own
    APART = "apart"
    JOINED = "joined"
    CORRECTION = "revision"  # as databases have held it since 0.1
    STORY = "story"
    SPLIT = "split"
    MERGE = "merge"
    PARTED = "parted"
    REGROUPED = "regrouped"
    SAME = "same"  # never logged: one item has entries of several sources


class PushKind(StrEnum):
    """How somebody is told of a view."""

    HUB = "hub"  # a WebSub subscriber of our hub
    WEBHOOK = "webhook"


class PushState(StrEnum):
    """Where somebody stands who is told of a view."""

    ASKED = "asked"  # has not confirmed yet that it wants this
    ACTIVE = "active"
    PARKED = "parked"  # took nothing for long, and is tried once a day


class HealthKind(StrEnum):
    """What became of a source, or of something of ours."""

    BROKEN = "broken"
    GONE = "gone"
    QUIET = "quiet"
    MOVED = "moved"
    RECOVERED = "recovered"
    NETWORK_DOWN = "network_down"
    NETWORK_BACK = "network_back"
    STORAGE_DOWN = "storage_down"
    STORAGE_BACK = "storage_back"
    CLOCK_WRONG = "clock_wrong"
    CLOCK_RIGHT = "clock_right"
    WEBHOOK_PARKED = "webhook_parked"
    WEBHOOK_BACK = "webhook_back"


class Role(StrEnum):
    """What a process of an installation does."""

    RUN = "run"  # everything
    SCHEDULE = "schedule"
    WORKER = "worker"
    SERVE = "serve"
