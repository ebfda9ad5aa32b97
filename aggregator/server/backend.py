"""What the server asks of the rest of the program: plain data, asynchronously.

The server holds no policy and touches no database; whoever composes the service gives it one of
these. A method returns None for what does not exist, and raises only when the service is broken.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from aggregator.model.pages import (
    Asked,
    Delta,
    ItemPage,
    Overview,
    ReadyState,
    Rendered,
    SearchPage,
    SourceList,
    SourcePage,
    SourceQuery,
    StatusPage,
    StoryPage,
    ViewPage,
    Wish,
)


class Backend(Protocol):
    """Everything the routes show."""

    async def rendered(self, view_id: str, fmt: str, page: str | None) -> Rendered | None:
        """A view's feed document.

        Args:
            view_id: a configured view.
            fmt: `atom`, `rss` or `json`.
            page: the token of an RFC 5005 page, None for the current document.

        Returns:
            None when the view or the page does not exist.
        """
        ...

    def rendered_already(self, view_id: str, fmt: str) -> Rendered | None:
        """The current document where it is in memory and known to be that; asks nobody.

        The same object is given as long as the document is the same.
        """
        ...

    async def search_feed(self, asked: Asked, fmt: str, page: str | None) -> Rendered | None:
        """A feed that nobody configured; its `last_modified` says nothing.

        Raises SearchTooLong when it costs more than it may.
        """
        ...

    async def search_page(self, asked: Asked, before: str | None) -> SearchPage | None:
        """What is asked for, or what of it is before the place that a token names.

        Raises SearchTooLong when it costs more than it may.
        """
        ...

    async def overview(self, *, private: bool) -> Overview:
        """All views, and the sources that need a person first; private ones only when asked for."""
        ...

    async def source_list(self, query: SourceQuery, *, private: bool) -> SourceList:
        """The sources asked for; private ones only when asked for."""
        ...

    async def status_page(self, *, private: bool, operator: bool) -> StatusPage:
        """How the service does.

        Args:
            private: numbers and names of private sources too.
            operator: what only whoever runs the service is told.
        """
        ...

    async def delta(self, view_id: str, fmt: str, tags: Collection[str]) -> Delta | None:
        """What is new in a view's document since the version that one of these tags names.

        None where that is not known, or the whole document is no larger.
        """
        ...

    async def opened_by(self, token: str) -> str | None:
        """The id of the view that a token in the path of a feed opens; None for any other."""
        ...

    async def view_page(self, view_id: str, before: str | None) -> ViewPage | None:
        """The latest items of a view, or those before the place that a token names.

        A view is configured, or what a source or a tag is by itself.
        """
        ...

    async def source_page(self, source_id: str) -> SourcePage | None:
        """One source with its recent polls and items."""
        ...

    async def item_page(self, number: int) -> ItemPage | None:
        """One item by its number (`ServedItem.number`)."""
        ...

    async def story_page(self, number: int) -> StoryPage | None:
        """The event that an item is about, by the item's number, with all its tellings."""
        ...

    async def split(self, number: int) -> str | None:
        """Take an item out of its copy group; says what was done, None without such an item."""
        ...

    async def merge(self, number: int, other: int) -> str | None:
        """Make two items copies of each other; says what was done, None without such items."""
        ...

    async def poll_now(self, source_id: str) -> Wish | None:
        """Let a source be polled at once; None without such a source that is enabled."""
        ...

    async def opml(self, *, private: bool) -> bytes:
        """The sources as OPML; private ones only when asked for, secrets never."""
        ...

    async def ready(self) -> ReadyState:
        """Whether the database answers and the scheduler ticks."""
        ...

    async def metrics(self) -> tuple[bytes, str]:
        """Metrics in the Prometheus text format, with their content type."""
        ...
