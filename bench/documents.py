"""Feed documents to be polled: made ones, shaped like real ones, and recorded ones.

A document has states: the next one has a new first item in place of the last, and one item whose
text was changed. Nothing else differs.
"""

from __future__ import annotations

import gzip
import random
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Protocol

# 8,000 words of one to four syllables, used as often as words of a language are (Zipf's law): few
# different words would make all texts alike, and deduplication would compare each with each.
_SYLLABLES = [c + v for c in "bdfghklmnprstvw" for v in ("a", "e", "i", "o", "u", "ar", "en")]
_START = datetime(2026, 1, 5, 12, tzinfo=UTC)
_ITEM = re.compile(rb"<(item|entry)[\s>].*?</\1>", re.S)
_WORD = re.compile(rb">([^<>&]{12,}) ([^<>&]{3,})<")
_NAMES = re.compile(rb"(<guid[^>]*>|<id>|<link>|<link [^>]*href=[\"'])([^<\"']+)")


@cache
def _words() -> tuple[list[str], list[float]]:
    made = [
        "".join(random.Random(number).choices(_SYLLABLES, k=1 + number % 4))
        for number in range(8000)
    ]
    return made, list(accumulate(1 / (rank + 3) for rank in range(len(made))))


class Documents(Protocol):
    """Numbered documents, each with states."""

    def __len__(self) -> int: ...

    def body(self, feed: int, state: int) -> bytes:
        """A document after so many changes."""
        ...


class Made:
    """Documents made from a seed: the same number and state always give the same bytes.

    Two of three are RSS with escaped HTML, the others Atom; entries are 10 to 50, their texts
    log-normal (half have more than 90 words), with links, pictures and a repeated last line.
    """

    def __init__(self, feeds: int) -> None:
        self._feeds = feeds

    def __len__(self) -> int:
        return self._feeds

    def body(self, feed: int, state: int) -> bytes:
        """A document after so many changes."""
        shape = random.Random(f"shape {feed}")
        size, atom = shape.randint(10, 50), feed % 3 == 2
        last = size + state
        items = "".join(
            self._item(feed, number, atom=atom, changed=bool(state) and number == last - 2)
            for number in range(last, last - size, -1)
        )
        home = f"http://news-{feed}.example/"
        if atom:
            head = (
                '<feed xmlns="http://www.w3.org/2005/Atom"><title>Feed '
                f'{feed}</title><id>{home}</id><link href="{home}"/>'
                "<updated>2026-01-05T12:00:00Z</updated>"
            )
            return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{items}</feed>'.encode()
        head = (
            '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
            f"<title>Feed {feed}</title><link>{home}</link><description>Sample</description>"
        )
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{items}</channel></rss>'.encode()

    def _item(self, feed: int, number: int, *, atom: bool, changed: bool) -> str:
        chance = random.Random(feed * 100_003 + number)
        words, weights = _words()

        def some(count: int) -> str:
            return " ".join(chance.choices(words, cum_weights=weights, k=count))

        link = f"http://news-{feed}.example/{number}/{some(3).replace(' ', '-')}.html"
        title, people = some(8).capitalize(), some(2).title()
        total = min(1200, max(12, int(chance.lognormvariate(4.5, 0.9))))
        text = "".join(
            f'<p>{some(min(45, left)).capitalize()}, <a href="{link}#{left}">{some(2)}</a>.</p>'
            for left in range(total, 0, -45)
        )
        if chance.random() < 0.4:
            text = f'<img src="http://news-{feed}.example/{number}.jpg" alt="{some(3)}"/>{text}'
        if changed:
            text += f"<p>Correction: {some(12)}.</p>"
        text = escape(
            f'{text}<p><a href="http://news-{feed}.example/">More from feed {feed}</a></p>'
        )
        date = _START + timedelta(minutes=37 * number + feed)
        if atom:
            return (
                f"<entry><title>{title}</title><id>tag:news-{feed}.example,2026:{number}</id>"
                f'<link href="{link}"/><author><name>{people}</name></author>'
                f"<published>{date:%Y-%m-%dT%H:%M:%SZ}</published>"
                f"<updated>{date:%Y-%m-%dT%H:%M:%SZ}</updated>"
                f'<content type="html">{text}</content></entry>\n'
            )
        return (
            f"<item><title>{title}</title><link>{link}</link><dc:creator>{people}</dc:creator>"
            f'<guid isPermaLink="false">{feed}-{number}</guid>'
            f"<pubDate>{format_datetime(date, usegmt=True)}</pubDate>"
            f"<description>{text}</description></item>\n"
        )


class Recorded:
    """The first so many `*.gz` of a folder; 0 means all of them."""

    def __init__(self, folder: Path, most: int = 0) -> None:
        self._paths = sorted(folder.glob("*.gz"))[: most or None]

    def __len__(self) -> int:
        return len(self._paths)

    def body(self, feed: int, state: int) -> bytes:
        """A document after so many changes: copies of its first item under other names, in front.

        Its second item has other words from the first change on. A document without items stays.
        """
        body = gzip.decompress(self._paths[feed].read_bytes())
        items = list(_ITEM.finditer(body))
        if not state or len(items) < 3:
            return body
        first, changed = items[0].group(), items[1].group()
        anew = _WORD.sub(rb">\1 amended \2<", changed, count=4)
        front = b"".join(
            _NAMES.sub(rb"\1\2-%d" % number, _WORD.sub(rb">new %d \1<" % number, first))
            for number in range(state, 0, -1)
        )
        return (
            body[: items[0].start()]
            + front
            + first
            + body[items[0].end() : items[1].start()]
            + anew
            + body[items[1].end() :]
        )
