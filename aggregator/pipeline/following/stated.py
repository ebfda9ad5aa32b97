"""Addresses that an item's page names as its own: further keys, or the text that it is a copy of.

A canonical address may be wrong, or set to be taken for somebody else's article, so it is believed
as far as the texts confirm it. Of an address that no item has yet, the same site's becomes a key of
the item; another site's is remembered until an item comes that has it. So is what cannot be
confirmed yet, because only a teaser is there of the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from aggregator.identity.agreement import texts_agree
from aggregator.identity.texts.copies import comparable, compare_stated
from aggregator.model.article import Article
from aggregator.model.settings import Settings
from aggregator.pipeline.following.links import page_key
from aggregator.store import changed
from aggregator.store.copies.boilerplate import known_boilerplate
from aggregator.store.copies.groups import join_stated
from aggregator.store.following.pages import PageRow
from aggregator.store.items import items, keys, words
from aggregator.urls.origin import host_key


def named_by(settings: Settings, page: PageRow, article: Article, url: str) -> dict[str, str]:
    """Keys of the addresses that a page gives for itself, each with its address.

    Where the redirects ended, canonical, `og:url` and AMP; never a home or section page's.
    """
    found: dict[str, str] = {}
    for one in (url, article.canonical, article.og_url, article.amp_url):
        key = page_key(one, settings) if one else None
        if one and key is not None and key[0].identity and key[1] != page.key:
            found.setdefault(key[1], one)
    return found


def learn(
    connection: Connection,
    settings: Settings,
    page: PageRow,
    article: Article,
    url: str,
    now: datetime,
) -> str | None:
    """Follow what the page of an item says about its address.

    Args:
        connection: The transaction that stores the page.
        settings: Their thresholds decide what confirms a stated address.
        page: Of an item.
        article: What the page says; it says nothing about an item that it does not tell.
        url: Where the page was found.
        now: The time of the log.

    Returns:
        The key to be remembered: of another item, whose own page may be read later, or of
        another site, from which an item may come.
    """
    number = page.item_id
    if number is None:
        return None
    named = named_by(settings, page, article, url)
    site = host_key(page.url)
    own = [key for key, one in named.items() if host_key(one) == site]
    keys.add_keys(connection, page.scope, number, own)
    if not tells(connection, number, article):
        return None
    whole = {number: article.text}
    holders = keys.holders(connection, named)
    others = {key: [one for one in holders.get(key, ()) if one != number] for key in named}
    for other in dict.fromkeys(one for key in named for one in others[key]):
        _join(connection, settings, number, other, whole, now)
    meet(connection, settings, [number], now, whole)
    return next((key for key in named if others[key] or key not in own), None)


def meet(
    connection: Connection,
    settings: Settings,
    numbers: Sequence[int],
    now: datetime,
    whole: Mapping[int, str] | None = None,
) -> None:
    """Join items with those whose pages named an address of theirs as their own.

    `whole` gives the text of an item's page, which is not stored where nobody wants it.
    """
    stating: defaultdict[int, list[int]] = defaultdict(list)
    for number, other in keys.stated_by_others(connection, numbers):
        stating[number].append(other)
    for number, others in stating.items():
        for other in others[: settings.dedup.copies.max_candidates]:
            _join(connection, settings, other, number, whole or {}, now)


def tells(connection: Connection, number: int, article: Article) -> bool:
    """Whether a page tells what its item does: a link may lead anywhere."""
    return article.is_article and texts_agree(
        *words.words_of(connection, number), article.title, article.text
    )


def _join(
    connection: Connection,
    settings: Settings,
    stating: int,
    stated: int,
    whole: Mapping[int, str],
    now: datetime,
) -> None:
    limits = settings.dedup.copies
    a, b = (
        comparable(
            max([*words.texts_of(connection, number), whole.get(number, "")], key=len),
            known_boilerplate(connection, items.source_of(connection, number), limits),
        )
        for number in (stating, stated)
    )
    decision = compare_stated(a, b, limits)
    if decision.same:
        grown = join_stated(connection, stating, stated, decision, now)
        changed.show_anew(connection, now, grown=grown)
