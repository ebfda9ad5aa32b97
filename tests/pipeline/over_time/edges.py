"""Edges of identity: what origins sent in four polls, what was stored, what was served.

Each was reported to one feed reader or another as news lost or news twice. `stored` has a word for
each poll: new items, and after `~` revisions of known ones. `served` names the stories (by number,
or by headline where that was edited) that readers have in the end, each once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.pipeline.conftest import NOON
from tests.pipeline.over_time.documents import STORIES, Entry, rss, stories, story

Document = list[Entry] | bytes | Callable[[str], bytes]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOME = "https://{site}/"
SHORT = {n: title for n, (title, _) in enumerate(STORIES, 1)}


@dataclass(frozen=True, slots=True)
class Edge:
    """Four polls of one source, six hours apart."""

    name: str
    sent: tuple[Document, ...]
    stored: str
    served: Sequence[int | str]

    @property
    def site(self) -> str:
        """The host of its addresses; also its source's id."""
        return "-".join(self.name.lower().replace(",", "").replace("'", "").split())

    def body(self, poll: int) -> bytes:
        """The bytes that the origin answers with."""
        document = self.sent[poll]
        if callable(document):
            return document(f"{self.site}.example")
        return document if isinstance(document, bytes) else rss(f"{self.site}.example", document)

    def headlines(self) -> list[str]:
        """What readers have in the end, sorted."""
        return sorted(SHORT[one] if isinstance(one, int) else one for one in self.served)


def each(*numbers: int, **changes: object) -> tuple[Document, ...]:
    """The same stories in four polls; `{poll}` in a change is the number of the poll."""
    return tuple(
        stories(
            *numbers,
            **{
                name: value.replace("{poll}", str(poll)) if isinstance(value, str) else value
                for name, value in changes.items()
            },
        )
        for poll in range(1, 5)
    )


def then(first: list[Entry], *later: list[Entry]) -> tuple[Document, ...]:
    """Documents, the last of which stays until the fourth poll."""
    documents: list[Document] = [first, *later]
    return tuple(documents + [documents[-1]] * (4 - len(documents)))


def equal(*dates: int, moved: timedelta = timedelta(0)) -> list[Entry]:
    """Entries that are equal but for their dates, given in days; newest first."""
    return [
        story(1, guid=None, link=HOME, date=NOON + moved - (day + 4) * DAY) for day in sorted(dates)
    ]


def bulletin(day: int, **changes: object) -> Entry:
    """The bulletin of a day, at the address that all bulletins have."""
    _, text = STORIES[day - 1]
    made = story(day, guid=f"bulletin-{day}", link="https://{site}/bulletin", title="Bulletin")
    return made.but(**{"text": text, "date": NOON + (day - 3) * DAY} | changes)


IDS = [
    Edge("ids move from http to https",
         then(stories(3, 2, 1, guid="http://{site}/?p={n}"),
              stories(3, 2, 1, guid="https://{site}/?p={n}")),
         "3 0 0 0", [1, 2, 3]),
    Edge("ids made at every build",
         (*each(3, 2, 1, guid="build-{poll}-{n}")[:3], stories(4, 3, 2, 1, guid="build-4-{n}")),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("ids made at every build of two entries",
         each(2, 1, guid="build-{poll}-{n}"), "2 0 0 0", [1, 2]),
    Edge("ids with the time of the build behind them",
         each(3, 2, 1, guid="/news/{n}?174343860061{poll}"), "3 0 0 0", [1, 2, 3]),
    Edge("ids that are addresses whose slug is edited",
         then([story(2), story(1, guid="https://{site}/a-ferry", link="https://{site}/a-ferry")],
              [story(2), story(1, guid="https://{site}/the-ferry",
                               link="https://{site}/the-ferry")]),
         "2 0 0 0", [1, 2]),
    Edge("headline and slug and id edited together",
         then([story(3), story(2), story(1)],
              [story(3), story(2), story(
                  1, guid="https://{site}/?p=77", link="https://{site}/2026/03/electric-ships",
                  title="Island line goes electric")]),
         "3 0~1 0 0", [3, 2, "Island line goes electric"]),
    Edge("a site moves and takes ids and addresses along",
         then(stories(3, 2, 1),
              stories(3, 2, 1, guid="https://new-{site}/post/{n}",
                      link="https://new-{site}/articles/{n}")),
         "3 0 0 0", [1, 2, 3]),
    Edge("two hosts by turns",
         (stories(3, 2, 1), stories(3, 2, 1, guid="https://mail.{site}/?p={n}",
                                    link="https://mail.{site}/2026/{n}"),
          stories(3, 2, 1), stories(3, 2, 1, guid="https://mail.{site}/?p={n}",
                                    link="https://mail.{site}/2026/{n}")),
         "3 0 0 0", [1, 2, 3]),
    Edge("ids that are left out for a while",
         (stories(3, 2, 1), stories(3, 2, 1, guid=None), stories(4, 3, 2, 1, guid=None),
          stories(4, 3, 2, 1)),
         "3 0 1 0", [1, 2, 3, 4]),
    Edge("ids that come later",
         (stories(3, 2, 1, guid=None), stories(3, 2, 1), stories(4, 3, 2, 1), stories(5, 4, 3)),
         "3 0 1 1", [1, 2, 3, 4, 5]),
    Edge("all ids become one",
         then(stories(4, 3, 2, 1), stories(5, 4, 3, 2, 1, guid="N/A")),
         "4 1 0 0", [1, 2, 3, 4, 5]),
    Edge("empty ids", (*each(3, 2, 1, guid="")[:3], stories(4, 3, 2, 1, guid="")),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("a slash behind ids and addresses by turns",
         (stories(2, 1, guid="https://{site}/{n}", link="https://{site}/{n}"),
          stories(2, 1, guid="https://{site}/{n}/", link="https://{site}/{n}/")) * 2,
         "2 0 0 0", [1, 2]),
    Edge("the feed's id for every entry",
         then(stories(3, 2, 1, guid="https://{site}/"), stories(4, 3, 2, 1, guid="https://{site}/")),
         "3 1 0 0", [1, 2, 3, 4]),
    Edge("an id given twice in one document",
         then(stories(5, 4, 3) + stories(2, 1, guid="twice"),
              stories(6, 5, 4, 3) + stories(2, 1, guid="twice")),
         "5 1 0 0", [1, 2, 3, 4, 5, 6]),
    Edge("one id and one address for every entry",
         then(stories(3, 2, 1, guid="#", link=HOME), stories(4, 3, 2, 1, guid="#", link=HOME)),
         "3 1 0 0", [1, 2, 3, 4]),
    Edge("ids that are places in the list",
         ([story(3, guid="1"), story(2, guid="2"), story(1, guid="3")],
          [story(4, guid="1"), story(3, guid="2"), story(2, guid="3")],
          [story(5, guid="1"), story(4, guid="2"), story(3, guid="3")],
          [story(5, guid="1"), story(4, guid="2"), story(3, guid="3")]),
         "3 1 1 0", [1, 2, 3, 4, 5]),
    Edge("an id used again for another article",
         then([story(3), story(2), story(1, guid="https://{site}/?p=5")],
              [story(5, guid="https://{site}/?p=5"), story(3), story(2)]),
         "3 1 0 0", [1, 2, 3, 5]),
    Edge("an id used again while its article is moved to another",
         then([story(3), story(2, guid="hero"), story(1)],
              [story(4, guid="hero"), story(3), story(2, guid="old-hero"), story(1)]),
         "3 1 0 0", [1, 2, 3, 4]),
    Edge("ids in other letters",
         then(stories(3, 2, 1, guid="https://{site}/P/{n}"),
              stories(3, 2, 1, guid="HTTPS://{site}/p/{n}")),
         "3 0 0 0", [1, 2, 3]),
]  # fmt: skip

LINKS = [
    Edge("no ids, a token in every link",
         (*each(3, 2, 1, guid=None, link="https://{site}/read?f={n}&v=tok{poll}x{n}y")[:3],
          stories(4, 3, 2, 1, guid=None, link="https://{site}/read?f={n}&v=tok4x{n}y")),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("ids that are links with a token",
         (*each(3, 2, 1, guid="https://{site}/read?v=t{poll}x{n}",
                link="https://{site}/read?v=t{poll}x{n}")[:3],
          stories(4, 3, 2, 1, guid="https://{site}/read?v=t4x{n}",
                  link="https://{site}/read?v=t4x{n}")),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("headlines alone with a token in every link",
         (*each(3, 2, 1, guid=None, text=None, date=None, link="https://{site}/r?v=t{poll}x{n}")[:3],
          stories(4, 3, 2, 1, guid=None, text=None, date=None, link="https://{site}/r?v=t4x{n}")),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("headlines alone with changing ids and links",
         (*each(5, 4, 3, 2, 1, guid="g{poll}x{n}", text=None, date=None,
                link="https://{site}/r/{poll}x{n}")[:3],
          stories(6, 5, 4, 3, 2, guid="g4x{n}", text=None, date=None, link="https://{site}/r/4x{n}")),
         "5 0 0 1", [1, 2, 3, 4, 5, 6]),
    Edge("a session in the path of every link",
         each(3, 2, 1, guid=None, link="https://{site}/(S(abc{poll}def))/news/{n}"),
         "3 0 0 0", [1, 2, 3]),
    Edge("links that move from http to https without ids",
         then(stories(3, 2, 1, guid=None, link="http://{site}/{n}"),
              stories(3, 2, 1, guid=None, link="https://{site}/{n}")),
         "3 0 0 0", [1, 2, 3]),
    Edge("campaigns are put behind the links",
         then(stories(3, 2, 1, guid=None),
              stories(3, 2, 1, guid=None, link="https://{site}/2026/03/s?id={n}&utm_source=rss")),
         "3 0 0 0", [1, 2, 3]),
    Edge("links get a slug behind their number",
         then(stories(3, 2, 1, guid=None, link="https://{site}/706{n}1"),
              stories(3, 2, 1, guid=None, link="https://{site}/706{n}1-now-with-its-words")),
         "3 0 0 0", [1, 2, 3]),
    Edge("links without ids move to another host",
         then(stories(3, 2, 1, guid=None),
              stories(3, 2, 1, guid=None, link="https://new-{site}/a/{n}")),
         "3 0 0 0", [1, 2, 3]),
    Edge("neither ids nor links",
         (*each(3, 2, 1, guid=None, link=None)[:3], stories(4, 3, 2, 1, guid=None, link=None)),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("neither ids nor links nor dates",
         (*each(3, 2, 1, guid=None, link=None, date=None)[:3],
          stories(4, 3, 2, 1, guid=None, link=None, date=None)),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("a headline edited without id and link",
         then(stories(3, 2, 1, guid=None, link=None),
              [*stories(3, 2, guid=None, link=None),
                    story(1, guid=None, link=None, title="Island line goes electric")]),
         "3 0~1 0 0", [3, 2, "Island line goes electric"]),
    Edge("a text edited without id and link",
         then(stories(3, 2, 1, guid=None, link=None),
              [*stories(3, 2, guid=None, link=None),
                    story(1, guid=None, link=None, text=f"{STORIES[0][1]} A party follows.")]),
         "3 0~1 0 0", [1, 2, 3]),
    Edge("a text that grows at every poll without id and link",
         tuple([story(2, guid=None, link=None),
                story(1, guid=None, link=None,
                      text=STORIES[0][1] + " ".join(f" Report {n} came in." for n in range(poll)))]
               for poll in range(4)),
         "2 0~1 0~1 0~1", [1, 2]),
    Edge("teasers of a few words without id and link",
         (*each(3, 2, 1, guid=None, link=None, text="Read on.")[:3],
          stories(4, 3, 2, 1, guid=None, link=None, text="Read on.")),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("headlines alone",
         (*each(3, 2, 1, guid=None, link=None, text=None, date=None)[:3],
          stories(4, 3, 2, guid=None, link=None, text=None, date=None)),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("a letter mended in a headline that is alone",
         then([*stories(3, 2, guid=None, link=None, text=None),
                    story(1, guid=None, link=None, text=None,
                          title="Ferry line gets two electirc ships")],
              stories(3, 2, 1, guid=None, link=None, text=None)),
         "3 0~1 0 0", [1, 2, 3]),
    Edge("all links are the home page and all dates one hour",
         (stories(2, 1, guid=None, link=HOME, date=NOON),
          stories(2, 1, guid=None, link=HOME, date=NOON),
          stories(4, 3, guid=None, link=HOME, date=NOON + 6 * HOUR),
          stories(4, 3, guid=None, link=HOME, date=NOON + 6 * HOUR)),
         "2 0 2 0", [1, 2, 3, 4]),
    Edge("one link for all entries and ids that last",
         then(stories(3, 2, 1, link="https://{site}/upcoming/"),
              stories(4, 3, 2, 1, link="https://{site}/upcoming/")),
         "3 1 0 0", [1, 2, 3, 4]),
    Edge("links that are no addresses",
         (*each(3, 2, 1, guid=None, link="N/A")[:3], stories(4, 3, 2, 1, guid=None, link="N/A")),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("a redirector's link of the day",
         each(3, 2, 1, link="https://feeds.{site}/~r/news/~3/{poll}{n}Qx/"),
         "3 0 0 0", [1, 2, 3]),
    Edge("links that differ in their fragments",
         then(stories(3, 2, 1, guid=None, link="https://{site}/log#e{n}"),
              stories(4, 3, 2, 1, guid=None, link="https://{site}/log#e{n}")),
         "3 1 0 0", [1, 2, 3, 4]),
]  # fmt: skip

HEADLINES_AND_DATES = [
    Edge("a headline edited", then(stories(2, 1), [
        story(2), story(1, title="Island line goes electric")]),
         "2 0~1 0 0", [2, "Island line goes electric"]),
    Edge("one headline every day",
         tuple(stories(*range(day, 0, -1), title="Weather") for day in range(1, 5)),
         "1 1 1 1", ["Weather"] * 4),
    Edge("one headline every day, one entry at a time",
         tuple(stories(day, title="Weather") for day in range(1, 5)), "1 1 1 1", ["Weather"] * 4),
    Edge("an update that is marked under a new id",
         then(stories(3, 2, 1), [*stories(3, 2), story(
             1, guid="upd", title="UPDATE: " + STORIES[0][0])]),
         "3 0~1 0 0", [2, 3, "UPDATE: " + STORIES[0][0]]),
    Edge("a live page that is written anew",
         tuple([story(2), story(1, guid="live", title="Live", text=STORIES[n][1],
                                date=NOON + n * HOUR)] for n in range(2, 6)),
         "2 0~1 0~1 0~1", [2, "Live"]),
    Edge("a daily bulletin under new ids",
         ([bulletin(1)], [bulletin(2)], [bulletin(3)], [bulletin(3)]), "1 1 1 0", ["Bulletin"] * 3),
    Edge("a daily bulletin beside other news",
         tuple([bulletin(n), *stories(8, 7, 6)] for n in range(1, 5)),
         "4 1 1 1", [6, 7, 8] + ["Bulletin"] * 4),
    Edge("a bulletin whose figure is mended under a new id",
         then([bulletin(1, text="The river stands at 412 centimetres; "
                        + STORIES[0][1]), *stories(8, 7, 6)],
              [bulletin(1, guid="b2", text="The river stands at 421 centimetres; "
                        + STORIES[0][1], date=NOON), *stories(8, 7, 6)]),
         "4 0~1 0 0", [6, 7, 8, "Bulletin"]),
    Edge("dates that are the time of the build",
         tuple(stories(3, 2, 1, date=NOON + poll * HOUR) for poll in range(4)),
         "3 0 0 0", [1, 2, 3]),
    Edge("dates of the build where only dates differ",
         (equal(0, 1, 2, 3, 4), equal(0, 1, 2, 3, 4, moved=HOUR),
          equal(0, 1, 2, 3, 4, moved=2 * HOUR), equal(0, 1, 2, 3, 4, moved=3 * HOUR)),
         "5 0 0 0", [1] * 5),
    Edge("a sixth beside five that are equal but for their dates",
         then(equal(0, 1, 2, 3, 4), equal(-1, 0, 1, 2, 3, 4), equal(-1, 0, 1, 2, 3)),
         "5 1 0 0", [1] * 6),
    Edge("equal entries, of which the oldest drops out each day",
         (equal(0, 1, 2), equal(-1, 0, 1), equal(-2, -1, 0), equal(-2, -1, 0)),
         "3 1 1 0", [1] * 5),
    Edge("equal entries dated in the future",
         then(equal(-9, 0), equal(-10, -9, 0)), "2 1 0 0", [1] * 3),
    Edge("dates that are left out for a while",
         (stories(3, 2, 1), stories(3, 2, 1, date=None), stories(4, 3, 2, 1, date=None),
          stories(4, 3, 2, 1)),
         "3 0 1 0", [1, 2, 3, 4]),
    Edge("dates in the future that are mended",
         then(stories(2, 1, date=NOON + 40 * DAY), stories(2, 1)), "2 0 0 0", [1, 2]),
    Edge("dates later where links and dates tell entries apart",
         then(stories(4, 3, 2, 1, guid=None, link="https://{site}/status"),
              [one.but(date=one.date + timedelta(minutes=90)) for one in stories(
                  4, 3, 2, 1, guid=None, link="https://{site}/status") if one.date]),
         "4 0 0 0", [1, 2, 3, 4]),
    Edge("an incident whose entry grows at one address",
         tuple([story(4, guid=None, link="https://{site}/status"),
                story(3, guid=None, link="https://{site}/status"),
                story(2, guid=None, link="https://{site}/status"),
                story(1, guid=None, link="https://{site}/status",
                      text=STORIES[0][1] + " Monitoring." * poll)] for poll in range(4)),
         "4 0~1 0~1 0~1", [1, 2, 3, 4]),
]  # fmt: skip

ORDER_AND_REPETITION = [
    Edge("another order at every poll, without dates",
         (stories(1, 2, 3, date=None), stories(3, 1, 2, date=None), stories(2, 3, 1, date=None),
          stories(4, 2, 3, 1, date=None)),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("an old entry pinned on top",
         (stories(3, 2), stories(1, 3, 2), stories(1, 4, 3, 2), stories(1, 4, 3, 2)),
         "2 1 1 0", [1, 2, 3, 4]),
    Edge("an entry that goes and returns",
         (stories(3, 2, 1), stories(3, 2), stories(4, 3), stories(1, 4, 3)),
         "3 0 1 0", [1, 2, 3, 4]),
    Edge("an entry that goes and returns under another id",
         (stories(3, 2, 1), stories(3, 2), stories(4, 3), [
             story(1, guid="again"), *stories(4, 3)]),
         "3 0 1 0", [1, 2, 3, 4]),
    Edge("an entry twice, word for word",
         then([*stories(2, 1), story(2)], [*stories(3, 2, 1), story(2), story(3)]),
         "2 1 0 0", [1, 2, 3]),
    Edge("an article in two sections under two ids",
         then([*stories(2, 1), story(2, guid="sport-2")],
              [*stories(3, 2, 1), story(2, guid="sport-2")]),
         "2 1 0 0", [1, 2, 3]),
    Edge("a cache that answers with yesterday's document by turns",
         (stories(4, 3, 2, 1), stories(5, 4, 3, 2), stories(4, 3, 2, 1), stories(5, 4, 3, 2)),
         "4 1 0 0", [1, 2, 3, 4, 5]),
    Edge("everything is new after a holiday",
         then(stories(3, 2, 1), stories(9, 8, 7, 6, 5)), "3 5 0 0", [1, 2, 3, 5, 6, 7, 8, 9]),
]  # fmt: skip

DAMAGE = [
    Edge("an empty document between", (stories(3, 2, 1), [], stories(3, 2, 1), stories(4, 3, 2, 1)),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("no bytes between", (stories(3, 2, 1), b"", stories(3, 2, 1), stories(4, 3, 2, 1)),
         "3 0 0 1", [1, 2, 3, 4]),
    Edge("a document cut off in an entry",
         (stories(2, 1), lambda site: rss(site, stories(4, 3, 2, 1))[:900],
          stories(4, 3, 2, 1), stories(4, 3, 2, 1)),
         "2 1 1 0", [1, 2, 3, 4]),
    Edge("a document cut off in its first entry's text",
         (lambda site: rss(site, stories(2, 1))[:520], stories(2, 1), stories(2, 1), stories(2, 1)),
         "1 1 0 0", [1, 2]),  # the rest of a cut-off entry is no revision
    Edge("a page of errors instead",
         (stories(2, 1), b"<html><body><h1>Database error</h1></body></html>", stories(3, 2, 1),
          stories(3, 2, 1)),
         "2 0 1 0", [1, 2, 3]),
    Edge("another site's document for once",
         (stories(3, 2, 1), lambda _: rss("stranger.example", stories(8, 7)), stories(3, 2, 1),
          stories(4, 3, 2, 1)),
         "3 2 0 1", [1, 2, 3, 4, 7, 8]),
    Edge("texts cut to teasers for once",
         (stories(3, 2, 1), [one.but(text=(one.text or "")[:60]) for one in stories(3, 2, 1)],
          stories(3, 2, 1), stories(3, 2, 1)),
         "3 0~3 0~3 0", [1, 2, 3]),
    Edge("texts left out for once, without ids",
         (stories(3, 2, 1, guid=None), stories(3, 2, 1, guid=None, text=None),
          stories(3, 2, 1, guid=None), stories(4, 3, 2, 1, guid=None)),
         "3 0~3 0~3 1", [1, 2, 3, 4]),
    Edge("headlines left out for once",
         (stories(3, 2, 1), stories(3, 2, 1, title=None), stories(3, 2, 1), stories(3, 2, 1)),
         "3 0~3 0~3 0", [1, 2, 3]),
]  # fmt: skip

EDGES = [*IDS, *LINKS, *HEADLINES_AND_DATES, *ORDER_AND_REPETITION, *DAMAGE]
