"""Store what came of a page, in one transaction: item, text, keys, edges, and when to ask again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.identity.agreement import texts_agree
from aggregator.identity.entries import ON_TOP
from aggregator.identity.hashing import content_hash, digest
from aggregator.identity.texts.copies import prepare_text
from aggregator.markup.sanitize import SANITIZER_VERSION
from aggregator.model.article import Article, Robots
from aggregator.model.copies import PreparedText
from aggregator.model.feed import ParsedEntry
from aggregator.model.http import FetchResult, Validators
from aggregator.model.item import EntryIntent, KnownEntry, PreparedBody
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import EdgeState, EntryKind, PageState, Refused
from aggregator.pipeline.following import stated
from aggregator.pipeline.following.links import keep_links
from aggregator.pipeline.parts import Parts
from aggregator.rules.follow import refuse_page
from aggregator.store import changed
from aggregator.store.copies import placing
from aggregator.store.database import serialise
from aggregator.store.following import articles, links, pages
from aggregator.store.following.pages import PageRow
from aggregator.store.items import entries, items, keys, withdrawals, words, writing
from aggregator.store.items.ingest import Ingest
from aggregator.urls.origin import host_key

# A page is asked again at most twice where it gave a validator; of any other it is asked once
# whether it is still there.
_AGAIN = {1: timedelta(hours=6), 2: timedelta(hours=18)}
_STILL_THERE = {1: timedelta(hours=24)}
_GONE = 410
_SURELY = timedelta(hours=1)  # before a 404 is believed


@dataclass(frozen=True, slots=True)
class Read:
    """A page that was read: the article, what its header forbids, its text for the copy step."""

    article: Article
    prepared: PreparedText
    header: Robots
    result: FetchResult
    boilerplate: frozenset[int] = frozenset()  # paragraphs of its source left out of `prepared`

    @property
    def restricted(self) -> str | None:
        """Why only headline and address may be kept; None where all may."""
        for name in ("noindex", "noarchive"):
            if getattr(self.article.robots, name) or getattr(self.header, name):
                return name
        return None

    @property
    def nofollow(self) -> bool:
        return self.article.robots.nofollow or self.header.nofollow


def keep_page(
    connection: Connection, parts: Parts, source: SourceSettings, page: PageRow, read: Read
) -> tuple[str, str | None]:
    """Store a page that was read; returns a word and a sentence about what came of it."""
    serialise(connection)  # two pages that name each other must not be read past each other
    now = parts.clock.now()
    # The source may have become private since the page was claimed.
    page = replace(page, scope=pages.scope_now(connection, page))
    source = replace(source, private=source.private or bool(page.scope))
    if page.item_id is None:
        return _keep_followed(connection, parts, source, page, read, now)
    return _keep_own(connection, parts, source, page, read, now)


def keep_unchanged(
    connection: Connection, page: PageRow, result: FetchResult, now: datetime
) -> None:
    """A page asked again is there and has not changed, or nobody looked whether it has."""
    if page.item_id is not None:
        withdrawals.page_back(connection, page.item_id, now)
    pages.finish(
        connection, page, now, state=PageState.DONE, validators=result.validators,
        again_at=_again(page, result.validators, now),
    )  # fmt: skip


def refuse(
    connection: Connection,
    page: PageRow,
    reason: str,
    detail: str,
    now: datetime,
    *,
    fetched: bool = True,
) -> None:
    """A page is not kept; every edge to it says why. A page that is an item's stays its page."""
    done = page.visits and page.item_id is not None
    state = PageState.DONE if done else PageState.REFUSED
    pages.finish(connection, page, now, state=state, reason=reason, detail=detail, fetched=fetched)
    links.settle(
        connection, page.scope, page.key, now, state=EdgeState.REFUSED, reason=reason, detail=detail
    )


def gone(connection: Connection, page: PageRow, status: int, now: datetime) -> str | None:
    """A page answers 404 or 410: its item is withdrawn, if that is what it means.

    410 says so by itself (RFC 9110 §15.5.11); 404 only of a page that was read before, and the
    second time. Returns a word for what came of it; None, and nothing is written, where the
    status says nothing about an item.
    """
    if page.item_id is None:
        return None
    if status != _GONE and articles.article(connection, page.item_id) is None:
        return None
    detail = f"HTTP status {status}"
    if status != _GONE and page.detail != detail:
        pages.put_back(connection, page, now + _SURELY, detail, failed=True)
        return "later"
    withdrawals.page_gone(connection, page.item_id, now)
    pages.finish(
        connection, page, now, state=PageState.DONE if page.visits else PageState.REFUSED,
        reason=Refused.GONE,
        detail=detail, validators=page.validators, again_at=_again(page, page.validators, now),
    )  # fmt: skip
    links.settle(
        connection, page.scope, page.key, now, state=EdgeState.KNOWN, target_id=page.item_id
    )
    return "gone"


def settle_known(connection: Connection, page: PageRow, item_id: int, now: datetime) -> None:
    """A page turned out to be an item we have: its address is one more key of that item."""
    pages.finish(connection, page, now, state=PageState.DONE, reason="known", item_id=item_id)
    keys.add_keys(connection, page.scope, item_id, [page.key])
    links.settle(connection, page.scope, page.key, now, state=EdgeState.KNOWN, target_id=item_id)


def _keep_own(
    connection: Connection,
    parts: Parts,
    source: SourceSettings,
    page: PageRow,
    read: Read,
    now: datetime,
) -> tuple[str, str | None]:
    """The own page of an item: its text if wanted, its picture's caption, its related links."""
    item_id, article = page.item_id, read.article
    assert item_id is not None
    withdrawals.page_back(connection, item_id, now)
    whole = article.is_article and not article.paywalled and read.restricted is None
    if page.depth and whole:
        _revise(connection, parts, source, page, read, now)
    before = articles.article(connection, item_id)
    wanted = whole and page.wanted_text and not page.depth
    row = replace(
        _row(item_id, article, read, now),
        parent_id=before.parent_id if before else None,
        heading=before.heading if before else None,
        html=article.html if wanted else None,
        text=article.text if wanted else None,
        stated_key=stated.learn(
            connection, parts.settings, page, article, read.result.final_url, now
        ),
        compared=wanted and _says_more(connection, item_id, article),
    )
    articles.put_article(connection, row)
    image = article.image.url if article.image and whole else None
    pictured = image is not None and articles.put_image(connection, item_id, image)
    walled = row.paywalled != (before is not None and before.paywalled)
    if pictured or walled or (wanted and (before is None or before.html != row.html)):
        changed.show_anew(connection, now, items=[item_id])
    earlier = before.text if before and before.compared else None
    if row.compared and row.text != earlier:
        _place(connection, parts, page, read, item_id, now, again=earlier is not None)
    _links(connection, parts.settings, source, page, read, item_id, now)
    pages.finish(
        connection, page, now, state=PageState.DONE,
        reason=None if whole else read.restricted or "",
        detail=article.reason, validators=read.result.validators,
        again_at=_again(page, read.result.validators, now),
    )  # fmt: skip
    links.settle(connection, page.scope, page.key, now, state=EdgeState.KNOWN, target_id=item_id)
    return "read", article.reason


def _place(
    connection: Connection,
    parts: Parts,
    page: PageRow,
    read: Read,
    item_id: int,
    now: datetime,
    *,
    again: bool,
) -> None:
    """Look for copies by the text of an item's page.

    What the page repeats of its source is counted, once: not `again`, nor what the feed gave.
    """
    title, teaser = words.words_of(connection, item_id)
    counted = set(read.prepared.countable) - set(prepare_text(teaser, read.boilerplate).countable)
    text = placing.NewText(
        item_id, read.article.text, read.prepared, title, now, "", changed=True, from_page=True,
        counted=() if again else tuple(sorted(counted)),
    )  # fmt: skip
    parts.grouping.settings = parts.settings.dedup
    whose = placing.Source(page.source_id, read.boilerplate)
    grown = placing.place_items(connection, parts.grouping, whose, [text], now)
    changed.show_anew(connection, now, grown=grown)


def _says_more(connection: Connection, item_id: int, article: Article) -> bool:
    """Whether a page tells what its item does, and more of it than the feed."""
    _, teaser = words.words_of(connection, item_id)
    return len(article.text) > len(teaser) and stated.tells(connection, item_id, article)


def _keep_followed(
    connection: Connection,
    parts: Parts,
    source: SourceSettings,
    page: PageRow,
    read: Read,
    now: datetime,
) -> tuple[str, str | None]:
    """A page found through a related link: a new item, or one we have under another address."""
    article = read.article
    refusal = refuse_page(article, source.follow, now)
    if refusal is not None:
        refuse(connection, page, refusal.reason, refusal.detail, now)
        return refusal.reason, refusal.detail
    intent = _intent(connection, parts, page, read)
    same = _same_item(connection, page, intent)
    if same is None:
        ingest = _ingest(connection, parts, source, page, read, now)
        written = writing.write_entries(connection, ingest, [intent])
        if not written.new_items:
            same = entries.items_by_key(connection, source.id, [intent.key])[intent.key]
    if same is not None:
        settle_known(connection, page, same, now)
        return "known", "an item we have, under another address"
    number = written.new_items[0]
    age = int((now - article.published).total_seconds()) if article.published else None
    articles.mark_followed(connection, number, depth=page.depth, age=age, tags=source.follow.tags)
    row = replace(
        _row(number, article, read, now),
        parent_id=page.parent_id,
        heading=page.heading,
        stated_key=stated.learn(
            connection, parts.settings, replace(page, item_id=number), article,
            read.result.final_url, now,
        ),
    )  # fmt: skip
    articles.put_article(connection, row)
    keys.add_keys(connection, page.scope, number, [page.key])
    pages.finish(
        connection, page, now, state=PageState.DONE, reason=read.restricted, item_id=number,
        detail=article.reason, validators=read.result.validators,
        again_at=_again(page, read.result.validators, now),
    )  # fmt: skip
    links.settle(connection, page.scope, page.key, now, state=EdgeState.FOLLOWED, target_id=number)
    _links(connection, parts.settings, source, page, read, number, now)
    return "followed", article.reason


def _same_item(connection: Connection, page: PageRow, intent: EntryIntent) -> int | None:
    """The item that holds the page's address by now, or another address of the same article."""
    scopes = [page.scope, ""] if page.scope else [""]
    held = keys.held(connection, scopes, [page.key, *intent.aliases])
    if page.key in held:
        return held[page.key]
    text = intent.body.text if intent.body else ""
    for number in held.values():
        if texts_agree(*words.words_of(connection, number), intent.entry.title, text):
            return number
    return None


def _links(
    connection: Connection,
    settings: Settings,
    source: SourceSettings,
    page: PageRow,
    read: Read,
    item_id: int,
    now: datetime,
) -> None:
    if not source.follow.enabled:
        return
    keep_links(
        connection, settings, source, item_id, read.article.links,
        depth=page.depth + 1, now=now, nofollow=read.nofollow,
    )  # fmt: skip


def _intent(connection: Connection, parts: Parts, page: PageRow, read: Read) -> EntryIntent:
    article = read.article
    keep = read.restricted is None
    entry = ParsedEntry(
        id=None,
        link=read.result.final_url,
        title=article.title,
        published=article.published,
        author=", ".join(article.authors) or None,
        authors=article.authors,
        language=article.language,
        image=article.image.url if article.image and keep else None,
    )
    body = PreparedBody(
        html=article.html if keep else "",
        text=article.text if keep else "",
        sanitizer_version=SANITIZER_VERSION,
    )
    return EntryIntent(
        kind=EntryKind.NEW,
        key=digest("followed", page.key),
        entry=entry,
        content_hash=content_hash(article.title, body.html),
        url_key=page.key,
        url_key_is_identity=True,
        body=body,
        # Found under an item of a back catalogue: not on top of a view either.
        archived=_is_old(article.published, parts.clock.now())
        or (page.parent_id is not None and items.is_archived(connection, page.parent_id)),
        why=f"found as related news; links between it and the feed: {page.depth}",
        aliases=tuple(_aliases(connection, parts.settings, page, read)),
        prepared=read.prepared if keep else None,
    )


def _revise(
    connection: Connection,
    parts: Parts,
    source: SourceSettings,
    page: PageRow,
    read: Read,
    now: datetime,
) -> None:
    """A followed page was asked again and says something else now: a revision of its item."""
    intent = _intent(connection, parts, page, read)
    entry: KnownEntry | None = entries.entries_by_key(connection, source.id, [intent.key]).get(
        intent.key
    )
    if entry is not None and entry.content_hash != intent.content_hash:
        changed = replace(intent, kind=EntryKind.CHANGED, known=entry)
        writing.write_entries(
            connection, _ingest(connection, parts, source, page, read, now), [changed]
        )


def _is_old(published: datetime | None, now: datetime) -> bool:
    """Whether a followed article stands by its date: its readers never waited for it."""
    return published is not None and published < now - ON_TOP


def _ingest(
    connection: Connection,
    parts: Parts,
    source: SourceSettings,
    page: PageRow,
    read: Read,
    now: datetime,
) -> Ingest:
    def public_id(intent: EntryIntent) -> tuple[str, str]:
        minted = parts.mint.item(page.source_id, intent.key)
        return minted, minted

    parts.grouping.settings = parts.settings.dedup
    return Ingest(
        source_id=page.source_id,
        scope=page.scope,
        now=now,
        source_ref=items.source_ref(connection, page.parent_id or page.item_id or 0),
        public_id=public_id,
        agree=texts_agree,
        grouping=parts.grouping,
        boilerplate=read.boilerplate,
        language=source.language,
    )


def _aliases(connection: Connection, settings: Settings, page: PageRow, read: Read) -> list[str]:
    """Further keys of a page that was found by following.

    Another site's address counts only where the item that holds it says the same
    (`write_entries` compares), so none is claimed for an unheld key.
    """
    found = stated.named_by(settings, page, read.article, read.result.final_url)
    site = host_key(page.url)
    foreign = [key for key, url in found.items() if host_key(url) != site]
    held = keys.held(connection, [page.scope], foreign) if foreign else {}
    return [key for key in found if key not in foreign or key in held]


def _again(page: PageRow, validators: Validators, now: datetime) -> datetime | None:
    """When a page is asked again: 6 h and 24 h after it was first read, or once after 24 h."""
    wait = (_AGAIN if validators else _STILL_THERE).get(page.visits + 1)
    return now + wait if wait else None


def _row(item_id: int, article: Article, read: Read, now: datetime) -> articles.ArticleRow:
    image = article.image
    return articles.ArticleRow(
        item_id=item_id,
        parent_id=None,
        heading=None,
        caption=image.caption if image else None,
        credit=image.credit if image else None,
        editor=article.editor,
        publisher=article.publisher,
        source_line=article.source_line,
        place=article.place,
        html=None,
        text=None,
        sanitizer_version=SANITIZER_VERSION,
        stated_key=None,
        paywalled=article.paywalled,
        restricted=read.restricted,
        read_at=now,
    )
