"""What is done to an article page in a worker process, and how it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from aggregator.identity.texts.copies import prepare_text
from aggregator.isolate.pool import WorkerError
from aggregator.model.article import Article, RelatedLink
from aggregator.model.copies import PreparedText
from aggregator.model.settings import RelatedOverride
from aggregator.pipeline.parts import Workers
from aggregator.urls.origin import host

# What it is read with, loaded in the workers only; trafilatura before the first page.
IN_WORKERS = ("aggregator.articles.extract", "aggregator.articles.related.found")
_NOWHERE = "https://page.invalid/"  # base of relative links in a page whose address nobody knows


@dataclass(frozen=True, slots=True)
class PageBody:
    """A page as received. `url` is where it came from, after redirects."""

    body: bytes
    received: datetime
    url: str | None = None
    content_type: str | None = None
    title: str | None = None  # under which a feed or a link announced it
    overrides: RelatedOverride = field(default_factory=RelatedOverride)

    @property
    def share(self) -> str:
        """On whose behalf workers read it: what its host sends slow counts for that host."""
        return f"pages of {host(self.url or '')}"


class UnreadablePage(Exception):
    """A page could not be read within the limits of a worker."""


def read_article(page: PageBody) -> Article:
    """Read a page; one without an address is read under the one it gives itself."""
    if page.url is not None:
        return _extract(page, page.url)
    article = _extract(page, _NOWHERE)
    own = article.canonical or article.og_url
    return article if own is None else _extract(page, own)


def read_links(page: PageBody) -> tuple[str | None, tuple[RelatedLink, ...]]:
    """A page's address and its related links; much cheaper than reading the whole article."""
    if page.url is None:
        article = read_article(page)
        return (None if article.url == _NOWHERE else article.url), article.links
    from aggregator.articles.related.found import related_links

    return page.url, related_links(page.body, page.url, page.overrides)


def known_address(article: Article) -> str | None:
    """The address an article was read under; None when nobody gave one."""
    return None if article.url == _NOWHERE else article.url


def read_for_keeping(page: PageBody, boilerplate: frozenset[int]) -> tuple[Article, PreparedText]:
    """A page that may become an item, with its text as the copy step wants it.

    `boilerplate` are the paragraphs that its source is known to repeat.
    """
    article = read_article(page)
    return article, prepare_text(article.text, boilerplate)


async def article_to_keep(
    workers: Workers, page: PageBody, boilerplate: frozenset[int], seconds: float
) -> tuple[Article, PreparedText]:
    """`read_for_keeping` in a worker process.

    Raises:
        UnreadablePage: as `article_of`.
    """
    try:
        return await workers.run(
            read_for_keeping, page, boilerplate, timeout=seconds, share=page.share
        )
    except WorkerError as error:
        raise UnreadablePage(f"the page could not be read within its limits: {error}") from error


async def article_of(workers: Workers, page: PageBody, seconds: float) -> Article:
    """`read_article` in a worker process.

    Raises:
        UnreadablePage: the page took too long, too much memory, or broke the reader.
    """
    try:
        return await workers.run(read_article, page, timeout=seconds, share=page.share)
    except WorkerError as error:
        raise UnreadablePage(f"the page could not be read within its limits: {error}") from error


async def links_of(
    workers: Workers, page: PageBody, seconds: float
) -> tuple[str | None, tuple[RelatedLink, ...]]:
    """`read_links` in a worker process.

    Raises:
        UnreadablePage: as `article_of`.
    """
    try:
        return await workers.run(read_links, page, timeout=seconds, share=page.share)
    except WorkerError as error:
        raise UnreadablePage(f"the page could not be read within its limits: {error}") from error


def _extract(page: PageBody, url: str) -> Article:
    from aggregator.articles.extract import extract_article

    return extract_article(
        page.body,
        url,
        now=page.received,
        content_type=page.content_type,
        feed_title=page.title,
        overrides=page.overrides,
    )
