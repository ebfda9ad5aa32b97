"""Feeds that are scripted over three weeks: what is sent, what is stored, what is served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any

from tests.origin import Wire, reply
from tests.pipeline.over_time.documents import STORIES

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Hours from the begin to each poll. Before the last but one the clock is set three days ahead, and
# right again before the last.
HOURS = (0, 6, 12, 36, 84, 161, 164, 452, 458, 460, 467)
AHEAD_AT = 460

Item = dict[str, Any]
Handler = Callable[[Wire], Awaitable[None]]
Answer = list[str] | bytes | Handler
NUMBERS = {title: str(number) for number, (title, _) in enumerate(STORIES, 1)}


def titles(items: list[Item]) -> str:
    """The headlines in their order; that of a story is its number."""
    headlines = [str(one.get("title", "")) for one in items]
    said = [NUMBERS.get(headline, headline) for headline in headlines]
    return " · ".join(said) or "nothing"


def shown(read: Callable[[Item], object]) -> Callable[[list[Item]], str]:
    """What `read` says of each item."""
    return lambda items: " · ".join(str(read(one)) for one in items) or "nothing"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a poll finds. None as the answer is what the poll before found.

    `stored` says new items, after `~` revisions, or how the poll failed; `–` where none came.
    `served` is what the view of the source shows then, as its case looks at it.
    """

    says: str
    answer: Answer | None
    stored: str
    served: str


@dataclass(frozen=True, slots=True)
class Case:
    """A source over three weeks; what `polls` leaves out changes nothing."""

    line: str  # of what is specified
    name: str
    polls: Mapping[int, Sent]  # by hours
    look: Callable[[list[Item]], str] = titles
    source: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = False  # its host is no other's

    @property
    def site(self) -> str:
        """The id of its source and the name of its site."""
        words = "".join(c if c.isalnum() else " " for c in self.name.lower()).split()
        return "-".join(words)

    def at(self, hours: int) -> Sent | None:
        """What its origin sends at a poll."""
        return self.polls.get(hours)


def it(
    number: int,
    *,
    guid: str | None = "https://{site}/?p={n}",
    link: str | None = "https://{site}/2026/03/{n}",
    title: str | None = "",
    text: str | None = "",
    date: float | None = 0.0,
    more: str = "",
) -> str:
    """The RSS item of a story; what is None is left out. `date` is in hours from the story's own:
    story 1 is ten hours old at the begin, story 10 one."""
    headline, words = STORIES[number - 1]
    parts = []
    if guid is not None:
        parts.append(f'<guid isPermaLink="false">{escape(guid)}</guid>')
    if link is not None:
        parts.append(f"<link>{escape(link)}</link>")
    if title is not None:
        parts.append(f"<title>{escape(title or headline)}</title>")
    if text is not None:
        parts.append(f"<description>{escape(text or f'<p>{words}</p>')}</description>")
    if date is not None:
        at = BEGIN + timedelta(hours=number - 11 + date)
        parts.append(f"<pubDate>{format_datetime(at)}</pubDate>")
    return f"<item>{''.join(parts)}{more}</item>".replace("{n}", str(number))


def them(*numbers: int, **changed: Any) -> list[str]:
    """The items of stories, each changed alike."""
    return [it(number, **changed) for number in numbers]


def words(number: int) -> str:
    """The text of a story."""
    return STORIES[number - 1][1]


def rss(site: str, items: list[str]) -> bytes:
    """A document of these items."""
    body = "".join(items).replace("{site}", f"{site}.example")
    head = f"<title>{site}</title><link>https://{site}.example/</link><description>d</description>"
    return f"<rss version='2.0'><channel>{head}{body}</channel></rss>".encode()


def answered(site: str, answer: Answer, now: Callable[[], datetime]) -> Handler:
    """Who sends it: a document with status 200 and the true time, or whatever a handler does."""
    if callable(answer):
        return answer
    body = rss(site, answer) if isinstance(answer, list) else answer

    async def handler(wire: Wire) -> None:
        await wire.send(reply(200, {"Date": format_datetime(now(), usegmt=True)}, body))

    return handler
