"""Documents as origins send them over days: stories, entries of them, and feeds of entries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

from tests.pipeline.conftest import NOON

STORIES = (
    ("Ferry line gets two electric ships",
     "The harbour company ordered two electric ferries from a yard in the north. They are to "
     "replace three older vessels on the island line and begin service after a winter of trials "
     "with crews from both towns."),
    ("Court stops the quarry extension",
     "Judges found that the permit ignored the spring which feeds the valley's wells. The operator "
     "may go on with its present pits while engineers prepare a survey of the water below them."),
    ("School roof closed after storm damage",
     "Gusts tore sheets of copper from the gymnasium on Sunday night, nobody was hurt. Lessons "
     "move to the community hall until carpenters have inspected every beam of the old building."),
    ("Museum buys lost painting back",
     "A landscape that vanished during a removal in the fifties surfaced at an auction abroad. "
     "Donors paid most of its price, and restorers expect to hang it beside its twin by spring."),
    ("Orchard growers fear late frost",
     "Blossom is two weeks early along the river after the mildest February on record. Growers "
     "light candles between the rows at dawn and hope that clouds keep the cold away."),
    ("Night trains return to the coast",
     "Sleeping cars will run three times a week from the capital to the seaside resorts. The "
     "railway leases them from a neighbour whose own service ended when the tunnel was shut."),
    ("Library lends tools and telescopes",
     "Readers can now take home drills, sewing machines and a telescope for a fortnight. The idea "
     "came from a retired joiner who left his workshop to the branch in his will."),
    ("Bakers protest against flour prices",
     "Ovens stayed cold in forty villages as bakers gathered before the ministry. They ask for a "
     "guaranteed price until harvest and for fewer forms when small mills change hands."),
    ("Beavers move into city park",
     "A pair of beavers built a lodge below the boathouse and felled two willows in a week. "
     "Wardens wrapped the remaining trunks in wire and put a bench where families watch at dusk."),
    ("Choir tours with forgotten opera",
     "A score found behind an organ will be heard in nine churches this summer. Its composer was "
     "a miller's daughter who published under the name of her brother all her life."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as a decent publisher writes it; what is None it leaves out.

    `site` stands in addresses and ids as `{site}`, so that every table may use the same stories.
    """

    guid: str | None
    link: str | None
    title: str | None
    text: str | None
    date: datetime | None

    def but(self, **changes: object) -> Entry:
        """The entry otherwise."""
        return replace(self, **changes)  # type: ignore[arg-type]


def story(number: int, **changes: object) -> Entry:
    """The entry of a story, counted from 1; a higher number is an hour younger."""
    title, text = STORIES[number - 1]
    slug = title.lower().replace(" ", "-")
    decent = Entry(
        guid=f"https://{{site}}/?p={1000 + number}",
        link=f"https://{{site}}/2026/03/{slug}",
        title=title,
        text=text,
        date=NOON + timedelta(hours=number - 12),
    )
    return replace(decent, **changes)  # type: ignore[arg-type]


def stories(*numbers: int, **changes: object) -> list[Entry]:
    """The entries of stories, each changed alike; `{n}` in a change is the story's number."""
    return [
        story(
            number,
            **{
                name: value.replace("{n}", str(number)) if isinstance(value, str) else value
                for name, value in changes.items()
            },
        )
        for number in numbers
    ]


def rss(site: str, entries: list[Entry]) -> bytes:
    """The entries as an RSS document, in their order."""
    items = "".join(_item(entry).replace("{site}", site) for entry in entries)
    head = f"<title>{site}</title><link>https://{site}/</link><description>News</description>"
    return f'<rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def _item(entry: Entry) -> str:
    parts = []
    if entry.guid is not None:
        parts.append(f'<guid isPermaLink="false">{escape(entry.guid)}</guid>')
    if entry.link is not None:
        parts.append(f"<link>{escape(entry.link)}</link>")
    if entry.title is not None:
        parts.append(f"<title>{escape(entry.title)}</title>")
    if entry.text is not None:
        parts.append(f"<description>{escape(f'<p>{entry.text}</p>')}</description>")
    if entry.date is not None:
        parts.append(f"<pubDate>{format_datetime(entry.date)}</pubDate>")
    return f"<item>{''.join(parts)}</item>"
