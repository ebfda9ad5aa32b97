"""Pages of a view to render: a plain one, a full one, and hostile ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aggregator.model.feed import Enclosure
from aggregator.model.item import CopyRef, FeedPage, RelatedRef, ServedItem, SourceRef

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BASE = "https://news.example"


def source(**changes: object) -> SourceRef:
    """A source whose feed URL may be shown."""
    made = SourceRef(
        id="harbour",
        title="The Harbour Post",
        link="https://harbour.example/",
        feed_id="tag:harbour.example,2020:feed",
        feed_url="https://harbour.example/feed.xml",
        updated=NOON,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def item(number: int = 1, **changes: object) -> ServedItem:
    """An item with a link, HTML and text, nothing else."""
    seen = NOON - timedelta(minutes=number)
    made = ServedItem(
        number=number,
        public_id=f"https://harbour.example/{number}",
        title=f"Ferry {number} runs again",
        link=f"https://harbour.example/{number}",
        html=f"<p>Ferry {number} left at <b>noon</b> &amp; arrived.</p>",
        summary=None,
        text=f"Ferry {number} left at noon & arrived.",
        author="Ada Boatwright",
        published=seen,
        updated=seen,
        first_seen=seen,
        sort_at=seen,
        source=source(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def full_item(number: int = 1) -> ServedItem:
    """An item that uses every field."""
    return item(
        number,
        updated=NOON,
        summary="<p>The ferry is <em>back</em>.</p>",
        language="en-GB",
        categories=("Transport", "Sea", "Transport"),
        enclosures=(
            Enclosure("https://harbour.example/a.mp3", "audio/mpeg", 1234),
            Enclosure("https://harbour.example/b.pdf", "application/pdf; x=1", None),
        ),
        comments="https://harbour.example/1/comments",
        external_url="https://elsewhere.example/about-ferries",
        image="https://harbour.example/ferry.jpg",
        related=(
            RelatedRef("https://harbour.example/0", "Storm stops ferries", "Related News"),
            RelatedRef("https://harbour.example/00", None, None, "refused"),
        ),
        copies=(
            CopyRef("https://gull.example/x", "Gull Daily", "Ferry back", NOON),
            CopyRef(None, "Agency Wire", None, None),
        ),
        via="https://harbour.example/the-article-that-listed-it",
        withdrawn=True,
        paywalled=True,
        revision=2,
        extension={"story": {"id": 7}, "not.a.name": 1},
    )


def page(*items: ServedItem, archive: bool = False, **changes: object) -> FeedPage:
    """A page of the view `all` with an older one behind it."""
    token = "?page=abc" if archive else ""
    formats = ("atom", "rss", "json")
    made = FeedPage(
        view_id="all",
        view_title="Everything",
        description="All sources, merged",
        feed_id="tag:news.example,2026:view:all",
        self_urls={f: f"{BASE}/feeds/all.{f}{token}" for f in formats},
        home_url=f"{BASE}/views/all",
        updated=NOON,
        items=items or (item(1), item(2)),
        older={f: f"{BASE}/feeds/all.{f}?page=xyz" for f in formats},
        newest={f: f"{BASE}/feeds/all.{f}" for f in formats} if archive else {},
        archive=archive,
        about_url=f"{BASE}/about",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


HOSTILE = (
    "control \x00\x01\x08\x0b\x1f\x7f characters",
    "]]> ends a section",
    "\u202eright to left\u202c and \u2066isolated\u2069",
    "👩‍👩‍👧‍👦 and 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "lone \ud800 surrogate, \ufffe and \uffff",
    "<script>alert(1)</script> & <b>bold</b> &amp; &nope; <!-- --> <![CDATA[",
    "\r\n\ttabs and lines\r\n",
    "",
    "   ",
    "x" * 1_000_000,
    "é" * 500_000,
    "&<>\"'" * 200_000,
)
