"""The tables. Migrations in `migrations/` bring a database to exactly this shape (tested)."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from aggregator.store.types import TsVector, Utc

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives a rowid only to INTEGER primary keys; PostgreSQL wants the eight bytes.
_Number = BigInteger().with_variant(Integer, "sqlite")

# Facts about this installation: tag authority and date, configuration hash.
instance = Table(
    "instance",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)

# What is configured. `url` is None where it holds a secret; `url_hash` notices its change.
source = Table(
    "source",
    metadata,
    Column("id", String, primary_key=True),
    Column("url", Text),
    Column("url_hash", String, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("title", Text),
    Column("tags", JSON, nullable=False, default=list),
    Column("private", Boolean, nullable=False, default=False),
    Column("added_at", Utc, nullable=False),
    Column("removed_at", Utc),
)

# The document a source answers with, and the state of polling it.
feed = Table(
    "feed",
    metadata,
    Column("source_id", String, ForeignKey("source.id"), primary_key=True),
    Column("active", Boolean, nullable=False, default=True),
    Column("host", String, nullable=False, default=""),
    Column("next_poll_at", Utc),
    Column("next_reason", String),
    Column("next_detail", Text),
    Column("lease_owner", String),
    Column("lease_until", Utc),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("validators_url", Text),
    Column("body_hash", String),
    Column("effective_url", Text),
    Column("title", Text),
    Column("link", Text),
    Column("feed_id", Text),
    Column("identity_policy", String),
    Column("policy", Text),
    Column("failures", Integer, nullable=False, default=0),
    Column("last_polled_at", Utc),
    Column("last_success_at", Utc),
    Column("document_at", Utc),  # when its last document was read: what it lists was seen then
    Column("outcome", String),
    Column("status", Integer),
    Column("error", Text),
    Column("items_seen", Integer, nullable=False, default=0),
    Column("move_target", Text),
    Column("move_seen", JSON, nullable=False, default=list),
    Column("extra", JSON, nullable=False, default=dict),
    Index("ix_feed_due", "active", "next_poll_at"),
    Index("ix_feed_host", "host", "active", "next_poll_at"),
)

# The budget of a host (a registrable domain), shared by workers, the CLI and restarts. `next_at`
# holds for every request, `article_next_at` for pages besides; `health` is `schedule.hosts`' JSON.
host = Table(
    "host",
    metadata,
    Column("host", String, primary_key=True),
    Column("next_at", Utc),
    Column("article_next_at", Utc),
    Column("blocked_until", Utc),
    Column("blocked_reason", String),
    Column("health", Text),
    Index("ix_host_next_at", "next_at"),
    Index("ix_host_blocked_until", "blocked_until"),
)

# Requests in flight: at most one a host (two where it has many feeds), four an address.
host_slot = Table(
    "host_slot",
    metadata,
    Column("owner", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("address", String),
    Column("lease_until", Utc, nullable=False),
    Index("ix_host_slot_host", "host"),
    Index("ix_host_slot_address", "address"),
)

# WebSub subscriptions of ours. `token` is the unguessable end of the callback URL; the secret is
# ours, made for this subscription alone.
subscription = Table(
    "subscription",
    metadata,
    Column("source_id", String, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("hub", Text, nullable=False),
    Column("token", String, nullable=False, unique=True),
    Column("old_token", String),
    Column("secret", String, nullable=False),
    Column("state", String, nullable=False),
    Column("detail", Text),
    Column("asked_at", Utc, nullable=False),
    Column("due_at", Utc),
    Column("lease_until", Utc),
    Column("pushes", Integer, nullable=False, default=0),
    Column("pushed_at", Utc),
    Index("ix_subscription_due_at", "due_at"),
    Index("ix_subscription_old_token", "old_token"),
)

# What hubs delivered and nobody has read yet.
push = Table(
    "push",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("source_id", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("content_type", String),
    Column("body", LargeBinary, nullable=False),
)

# Documents of feeds as they came, to be read again (`storage.keep_raw`). `url` is None where the
# source's configured address is meant. One of each content; of unreadable ones the last.
document = Table(
    "document",
    metadata,
    Column("source_id", String, primary_key=True),
    Column("body_hash", String, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("size", Integer, nullable=False),  # bytes, as kept
    Column("part", Boolean, nullable=False),  # pushed, or a delta: not the whole feed
    Column("readable", Boolean, nullable=False),
    Column("url", Text),
    Column("content_type", String),
    Column("body", LargeBinary, nullable=False),  # zlib (RFC 1950)
)

poll_log = Table(
    "poll_log",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("source_id", String, nullable=False),
    Column("at", Utc, nullable=False),
    Column("status", Integer),
    Column("outcome", String, nullable=False),
    Column("error", Text),
    Column("wire_bytes", Integer, nullable=False, default=0),
    Column("decoded_bytes", Integer, nullable=False, default=0),
    Column("dns_ms", Float),
    Column("connect_ms", Float),
    Column("first_byte_ms", Float),
    Column("total_ms", Float),
    Column("entries", Integer, nullable=False, default=0),
    Column("new_items", Integer, nullable=False, default=0),
    Column("changed_items", Integer, nullable=False, default=0),
    Column("next_at", Utc),
    Column("reason", String),
    Column("detail", Text),
    Index("ix_poll_log_source_id_at", "source_id", "at"),
    Index("ix_poll_log_at", "at"),
)

# The deduplicated thing. `scope` is empty for public items and the source's id for private ones:
# identity never crosses that border, so a private text cannot become a public one.
item = Table(
    "item",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("scope", String, nullable=False, default=""),
    Column("source_id", String, nullable=False),
    Column("entry_key", String, nullable=False),
    Column("first_seen", Utc, nullable=False),
    Column("sort_at", Utc, nullable=False),
    Column("published", Utc),
    Column("updated", Utc, nullable=False),  # the publisher's, until we see a material change
    Column("changed_at", Utc, nullable=False, server_default="0"),  # when we last saw a change
    Column("title", Text),
    Column("link", Text),
    Column("author", Text),
    Column("language", String),
    Column("comments", Text),
    Column("external_url", Text),
    Column("image", Text),
    Column("categories", JSON, nullable=False, default=list),
    Column("enclosures", JSON, nullable=False, default=list),
    # Several authors, pictures, an episode, terms of categories (`store.items.details`).
    Column("details", JSON(none_as_null=True)),
    Column("source_ref", JSON, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("revision", Integer, nullable=False, default=0),
    Column("purged_at", Utc),
    Column("forgotten", Boolean, nullable=False, server_default=false()),  # at a person's word
    Column("withdrawn_at", Utc),
    Column("withdrawn_reason", String),  # feed | page: where it was seen to be gone
    # Each is the number of one of its items; an item alone is its own group and story.
    Column("group_id", _Number, nullable=False, server_default="0"),
    Column("story_id", _Number, nullable=False, server_default="0"),
    # How far from a feed an item was found: 0 in one, 1 in the related links of one that is.
    Column("depth", Integer, nullable=False, server_default="0"),
    Column("found_age", Integer),  # seconds from its publication to its finding, if followed
    Index("ix_item_scope_sort_at_id", "scope", "sort_at", "id"),
    Index("ix_item_sort_at_id", "sort_at", "id"),
    Index("ix_item_first_seen", "first_seen"),
    Index("ix_item_group_id", "group_id"),
    Index("ix_item_story_id", "story_id"),
    Index(
        "ix_item_withdrawn_at",
        "withdrawn_at",
        sqlite_where=text("withdrawn_at IS NOT NULL"),
    ),
    Index(
        "ix_item_forgotten",
        "purged_at",
        sqlite_where=text("forgotten = 1"),
    ),
)

# Bulky text apart from the item: listing never touches it, purging deletes the row.
item_text = Table(
    "item_text",
    metadata,
    Column("item_id", _Number, ForeignKey("item.id"), primary_key=True, autoincrement=False),
    Column("html", Text, nullable=False),
    Column("summary", Text),
    Column("text", Text, nullable=False),
    Column("sanitizer_version", Integer, nullable=False),
    Column("from_page", Boolean, nullable=False, server_default=false()),  # no feed gave it
)

# How one source presents one item. `key`, `alias` and `url_key` are hashes and stay for good.
entry = Table(
    "entry",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("source_id", String, nullable=False),
    Column("key", String, nullable=False),
    Column("item_id", _Number, ForeignKey("item.id"), nullable=False),
    Column("guid", Text),
    Column("alias", String),
    Column("url_key", String),
    Column("title", Text),
    Column("link", Text),
    Column("published", Utc),
    Column("content_hash", String, nullable=False),
    Column("why", Text),
    Column("first_seen", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
    Column("sort_at", Utc, nullable=False),
    Column("joined", Boolean, nullable=False, server_default=false()),  # its item was known
    Column("reader", Integer, nullable=False, server_default="0"),  # version of our reading
    Column("shown", String),  # hash of all that readers see of it, as served
    Column("shown_before", String),
    Column("shown_at", Utc),
    Column("passing", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("source_id", "key"),
    Index("ix_entry_source_id_alias", "source_id", "alias"),
    Index("ix_entry_source_id_url_key", "source_id", "url_key"),
    Index("ix_entry_item_id", "item_id"),
    Index("ix_entry_source_id_sort_at", "source_id", "sort_at", "item_id"),
    Index(
        "ix_entry_joined",
        "sort_at",
        "item_id",
        sqlite_where=text("joined = 1"),
    ),
)


def add_postgresql() -> None:
    """Say what is said otherwise for PostgreSQL; naming it loads that dialect and its drivers."""
    partial = {
        "ix_entry_joined": "joined",
        "ix_item_withdrawn_at": "withdrawn_at IS NOT NULL",
        "ix_item_forgotten": "forgotten",
    }
    for index in (*entry.indexes, *item.indexes):
        if index.name in partial:
            index.dialect_options["postgresql"]["where"] = text(partial[str(index.name)])


# Former keys of a renamed entry: an old guid that comes back is still the same entry.
entry_alias = Table(
    "entry_alias",
    metadata,
    Column("source_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("entry_id", _Number, ForeignKey("entry.id"), nullable=False),
)

# Identity-grade URL keys only (hashes), unique within a scope.
url_key = Table(
    "url_key",
    metadata,
    Column("scope", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("item_id", _Number, ForeignKey("item.id"), nullable=False),
    Index("ix_url_key_item_id", "item_id"),
)

revision = Table(
    "revision",
    metadata,
    Column("item_id", _Number, ForeignKey("item.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("title", Text),
    Column("html", Text),
    Column("text", Text),
    Column("content_hash", String, nullable=False),
)

# A merged feed. Its version is `version` and a step for each row of `view_change`.
view = Table(
    "view",
    metadata,
    Column("id", String, primary_key=True),
    Column("feed_id", Text, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("changed_at", Utc, nullable=False),
)

# Appended in the transaction that changes what a view shows, so that no writer waits for another
# one's lock on a row of `view` (`store.changed`). From time to time they are added up into it.
view_change = Table(
    "view_change",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("view_id", String, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_view_change_view_id", "view_id", "at"),
)

view_source = Table(
    "view_source",
    metadata,
    Column("view_id", String, ForeignKey("view.id"), primary_key=True),
    Column("source_id", String, primary_key=True),
    Index("ix_view_source_source_id", "source_id"),
)

# The bytes we serve, made at the first request after a change.
rendered = Table(
    "rendered",
    metadata,
    Column("view_id", String, ForeignKey("view.id"), primary_key=True),
    Column("format", String, primary_key=True),
    Column("page", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("gzip", LargeBinary, nullable=False),
    Column("etag", String, nullable=False),
    Column("gzip_etag", String, nullable=False),
    Column("last_modified", Utc, nullable=False),
    Column("used_at", Utc, nullable=False),
    Column("updated", Utc),  # as the document states it: a later rendering never goes back
)

# Exact numbers of what is too much to be counted while somebody waits (`store.tally`).
tally = Table(
    "tally",
    metadata,
    Column("kind", String, primary_key=True),  # `store.tally.Counted`
    Column("name", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("at", Utc, nullable=False),
)

# Tokens that stand in the path of a feed's address, for readers that can send none otherwise.
feed_token = Table(
    "feed_token",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("view_id", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),  # the token itself is not kept
    Column("note", Text, nullable=False, server_default=""),
    Column("made_at", Utc, nullable=False),
)

# Which items a text may be a copy of: fingerprint and number, 32 bits each, packed
# (`store.copies.index`). A row holds the fingerprints from `low` up to the next row's.
posting_list = Table(
    "posting_list",
    metadata,
    Column("low", Integer, primary_key=True, autoincrement=False),
    Column("postings", LargeBinary, nullable=False),
)

# The same for the rare terms of items, by which those about one event are found
# (`store.copies.stories`).
term_posting_list = Table(
    "term_posting_list",
    metadata,
    Column("low", Integer, primary_key=True, autoincrement=False),
    Column("postings", LargeBinary, nullable=False),
)

# In how many items of the window a term stands, as it was at a time; it fades. Term 0: all items.
term_count = Table(
    "term_count",
    metadata,
    Column("term", Integer, primary_key=True, autoincrement=False),
    Column("documents", Float, nullable=False),
    Column("at", Utc, nullable=False),
)

# The terms of an item of the window (`identity.terms`), and its displayed date.
item_terms = Table(
    "item_terms",
    metadata,
    Column("item_id", _Number, ForeignKey("item.id"), primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("terms", LargeBinary, nullable=False),
)

# In how many copy groups of a source a paragraph was seen: from some number on it is boilerplate.
paragraph = Table(
    "paragraph",
    metadata,
    Column("source_id", String, primary_key=True),
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("groups", Integer, nullable=False),
    Column("seen_day", Integer, nullable=False),  # days since 1970
    sqlite_with_rowid=False,
)

# What was decided about copies and stories, by the program or by an operator, and why.
merge_log = Table(
    "merge_log",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("kind", String, nullable=False),
    Column("item_id", _Number, nullable=False),
    Column("other_id", _Number),
    Column("group_id", _Number),
    Column("score", Float),
    Column("reason", Text, nullable=False),
    Column("evidence", JSON, nullable=False, default=dict),
    Index("ix_merge_log_item_id", "item_id"),
    Index("ix_merge_log_other_id", "other_id"),
)

# What an operator decided about two items; it outlives every later decision of the program.
override = Table(
    "override",
    metadata,
    Column("low_id", _Number, primary_key=True, autoincrement=False),
    Column("high_id", _Number, primary_key=True, autoincrement=False),
    Column("together", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_override_high_id", "high_id"),
)

# Which items readers of a view already got for their group: these stay.
served_lead = Table(
    "served_lead",
    metadata,
    Column("view_id", String, primary_key=True),
    Column("item_id", _Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# What an item's own page said. `html` and `text` only where the feed has a text of its own too.
article = Table(
    "article",
    metadata,
    Column("item_id", _Number, ForeignKey("item.id"), primary_key=True, autoincrement=False),
    Column("parent_id", _Number),  # a followed item: under whose related news it was found
    Column("heading", Text),
    Column("caption", Text),
    Column("credit", Text),
    Column("editor", Text),
    Column("publisher", Text),
    Column("source_line", Text),
    Column("place", Text),
    Column("html", Text),
    Column("text", Text),
    Column("sanitizer_version", Integer, nullable=False),
    Column("stated_key", String),  # an address that is not its own, by its page (a hash)
    Column("paywalled", Boolean, nullable=False, server_default=false()),  # as the page says
    Column("restricted", String),  # noindex | noarchive: headline and address only
    Column("compared", Boolean, nullable=False, server_default=false()),  # copies found by `text`
    Column("read_at", Utc, nullable=False),
    Index("ix_article_stated_key", "stated_key"),
)

# Pages to be read and what came of them; each address once in a scope. `key` is a hash.
page = Table(
    "page",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("scope", String, nullable=False),
    Column("key", String, nullable=False),
    Column("url", Text, nullable=False),
    Column("source_id", String, nullable=False),
    Column("host", String, nullable=False),
    Column("item_id", _Number),  # the item whose page it is, once there is one
    Column("parent_id", _Number),
    Column("depth", Integer, nullable=False),
    Column("title", Text),
    Column("heading", Text),
    Column("wanted_text", Boolean, nullable=False),
    Column("state", String, nullable=False),  # queued | again | done | refused
    Column("reason", String),
    Column("detail", Text),
    Column("dated", Utc, nullable=False),  # newest first
    Column("next_at", Utc, nullable=False),
    Column("fetched_at", Utc),
    Column("attempts", Integer, nullable=False, default=0),
    Column("visits", Integer, nullable=False, default=0),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("validators_url", Text),
    Column("lease_owner", String),
    Column("lease_until", Utc),
    UniqueConstraint("scope", "key"),
    Index("ix_page_state_next_at", "state", "next_at"),
    Index("ix_page_item_id", "item_id"),
)

# A link that a publisher lists as related to an item: an edge, with what became of it and why.
related_link = Table(
    "related_link",
    metadata,
    Column("item_id", _Number, ForeignKey("item.id"), primary_key=True, autoincrement=False),
    Column("key", String, primary_key=True),
    Column("url", Text, nullable=False),
    Column("text", Text),
    Column("heading", Text),
    Column("rule", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", String, nullable=False),  # queued | followed | known | refused
    Column("reason", String),
    Column("detail", Text),
    Column("target_id", _Number),
    Column("found_at", Utc, nullable=False),
    Index("ix_related_link_key", "key"),
    Index("ix_related_link_target_id", "target_id"),
)

# Related pages queued for a host on a day (UTC): the budget survives restarts.
follow_budget = Table(
    "follow_budget",
    metadata,
    Column("host", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("pages", Integer, nullable=False),
)

# robots.txt of an authority (scheme, host and port), RFC 9309.
robots = Table(
    "robots",
    metadata,
    Column("authority", String, primary_key=True),
    Column("outcome", String, nullable=False),
    Column("fetched_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("detail", Text),
    Column("body", LargeBinary),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("validators_url", Text),
    Column("failing_since", Utc),
)

# The tokens of an item (`queries.document`): on PostgreSQL a tsvector with a GIN index, on SQLite
# packed, to be taken out of the FTS5 table `search_words` again, which keeps no text of its own.
search_document = Table(
    "search_document",
    metadata,
    Column("item_id", _Number, primary_key=True, autoincrement=False),
    Column("words", LargeBinary().with_variant(TsVector(), "postgresql"), nullable=False),
)

# Items to be indexed, or to leave the index. Triggers fill it, so that no writer forgets to: on
# `item` (new, title, author, purged, withdrawn), `item_text` and `article` (text). A migration that
# makes one of these tables anew has to make its triggers anew.
search_pending = Table(
    "search_pending",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("item_id", _Number, nullable=False),
)

# Views of which somebody is told: up to which version of each it was seen what is new. A version
# below zero: what it holds is taken for known at the first look.
push_view = Table(
    "push_view",
    metadata,
    Column("view_id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("config_hash", String, nullable=False, server_default=""),
    Column("looked_at", Utc, nullable=False),
    Column("wanted_until", Utc, nullable=False),  # kept until then though nobody is told of it
)

# What these views came to show, in the order in which it was seen: the number is the cursor of
# whoever is told. A row of an item for its first sight and one for each material change; `told`
# is false for what was there before anybody wanted to know, or lies in the archive.
push_news = Table(
    "push_news",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("view_id", String, nullable=False),
    Column("item_id", _Number, nullable=False),
    Column("updated", Utc, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_push_news_view_id", "view_id", "told", "id"),
    Index("ix_push_news_item_id", "item_id", "view_id"),
    sqlite_autoincrement=True,  # no number is used again: it is a cursor
)

# Who is told: subscribers of our hub and webhooks, and how far each is. A delivery is the row's
# `cursor` up to `upto`, under the id `delivery`, until it is taken.
push_target = Table(
    "push_target",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),  # hub | webhook
    Column("view_id", String, nullable=False),
    Column("format", String, nullable=False, server_default=""),  # of a topic
    Column("address", Text),  # of a subscriber; a webhook's may be a secret and is configured
    Column("host", String, nullable=False),
    Column("opener", String, nullable=False, server_default=""),  # digest of the topic's token
    Column("secret", Text),  # of a subscriber
    Column("state", String, nullable=False),
    Column("asked", String),  # subscribe | unsubscribe, not verified yet
    Column("asked_secret", Text),
    Column("asked_lease", Integer),  # seconds
    Column("lease_until", Utc),
    Column("cursor", _Number, nullable=False),
    Column("upto", _Number),
    Column("delivery", String),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", Utc, nullable=False),
    Column("detail", Text),
    Column("delivered", Integer, nullable=False, server_default="0"),
    Column("delivered_at", Utc),
    Column("made_at", Utc, nullable=False),
    Index("ix_push_target_due_at", "due_at"),
)

# What became of sources and of ourselves, for the feed of our health.
health_event = Table(
    "health_event",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("kind", String, nullable=False),
    Column("source_id", String),  # None: ours
    Column("detail", Text, nullable=False, server_default=""),
    Column("since", Utc),
    Index("ix_health_event_at", "at"),
    sqlite_autoincrement=True,  # a cursor, as that of `push_news`
)

# How a source, or a part of ours, was when an event was told of it last.
health_state = Table(
    "health_state",
    metadata,
    Column("name", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("since", Utc, nullable=False),
)
