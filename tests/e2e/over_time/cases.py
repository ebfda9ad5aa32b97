"""The cases: one source each, its polls by hours, and what comes of them.

Stories are told by their numbers; a higher one is younger. Those of the second part are of public
reports about other readers: items lost, twice, or as news again.
"""

from __future__ import annotations

import gzip
from typing import Any

from tests.e2e.over_time.script import (
    Answer,
    Case,
    Handler,
    Item,
    Sent,
    it,
    rss,
    shown,
    them,
    words,
)
from tests.origin import Wire, reply


def case(
    line: str, name: str, *polls: tuple[int, str, Answer | None, str, str], **more: Any
) -> Case:
    """A case; each poll is its hours, what is sent in words and as it is, stored and served."""
    return Case(line, name, {one[0]: Sent(*one[1:]) for one in polls}, **more)


def enclosure(number: str) -> str:
    return f"<enclosure url='https://cdn.example/{number}' type='audio/mpeg' length='9'/>"


def picture(file: str, number: int = 1) -> str:
    return f"<p><img src='https://cdn.example/{file}' alt='quay'> {words(number)}</p>"


def marked(number: int, mark: int) -> str:
    """A text that no other case has: copies elsewhere move views too."""
    text = f"<p><img src='https://cdn.example/a.jpg?v={mark}'> Plate {number} of the quay.</p>"
    return it(number, title=f"Plate {number}", text=text)


def signed(number: int) -> str:
    return it(1, title="Tide tables", text="<p>Read aloud for the skippers of the bay.</p>",
              more=enclosure(f"a.mp3?sig={number}"))  # fmt: skip


def by(name: str) -> list[str]:
    return [it(1, title="A letter", text="<p>To the readers of the harbour gazette.</p>",
               more=f"<author>a@x.example ({name})</author>")]  # fmt: skip


def site_of(wire: Wire) -> str:
    return wire.request.path.strip("/")


def http(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Handler:
    async def handler(wire: Wire) -> None:
        await wire.send(reply(status, headers or {}, body))

    return handler


def with_head(head: str, items: list[str]) -> Handler:
    """A document below a head that is sent as it stands, but for its length."""

    async def handler(wire: Wire) -> None:
        body = rss(site_of(wire), items)
        await wire.send(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".replace(
            "LENGTH", f"Content-Length: {len(body)}").encode() + body)  # fmt: skip

    return handler


def packed(headers: dict[str, str], items: list[str]) -> Handler:
    async def handler(wire: Wire) -> None:
        await wire.send(reply(200, headers, gzip.compress(rss(site_of(wire), items))))

    return handler


def twice(coding: str, items: list[str]) -> Handler:
    """In a coding that nobody asked for; as it is for whoever asks for that alone."""

    async def handler(wire: Wire) -> None:
        if "gzip" in wire.request.headers.get("accept-encoding", ""):
            await wire.send(reply(200, {"Content-Encoding": coding}, b"\x8b\x02\x80packed\x03"))
        else:
            await wire.send(reply(200, {}, rss(site_of(wire), items)))

    return handler


def behind_a_cookie(items: list[str]) -> Handler:
    async def handler(wire: Wire) -> None:
        if "seen=1" in wire.request.headers.get("cookie", ""):
            await wire.send(reply(200, {}, rss(site_of(wire), items)))
        else:
            back = {"Set-Cookie": "seen=1; Path=/", "Location": wire.request.path}
            await wire.send(reply(302, back))

    return handler


def says_304(items: list[str]) -> Handler:
    """To every condition, whatever came since."""

    async def handler(wire: Wire) -> None:
        if {"if-none-match", "if-modified-since"} & set(wire.request.headers):
            await wire.send(reply(304, {"ETag": '"always"'}))
        else:
            await wire.send(reply(200, {"ETag": '"always"'}, rss(site_of(wire), items)))

    return handler


def after_hops(number: int, items: list[str]) -> Handler:
    async def handler(wire: Wire) -> None:
        target = wire.request.target
        hop = int(target.partition("hop=")[2] or 0)
        if hop < number:
            there = {"Location": f"{wire.request.path}?hop={hop + 1}"}
            await wire.send(reply(302, there))
        else:
            await wire.send(reply(200, {}, rss(site_of(wire), items)))

    return handler


def for_agent(name: str, items: list[str]) -> Handler:
    async def handler(wire: Wire) -> None:
        allowed = wire.request.headers.get("user-agent") == name
        body = rss(site_of(wire), items)
        await wire.send(reply(200, {}, body) if allowed else reply(403))

    return handler


def moved_to(path: str, items: list[str]) -> Handler:
    """A permanent redirect to another path, where the document is."""

    async def handler(wire: Wire) -> None:
        if wire.request.target.endswith(path):
            await wire.send(reply(200, {}, rss(site_of(wire), items)))
        else:
            there = f"{wire.request.path}?{path}"
            await wire.send(reply(301, {"Location": there}))

    return handler


def stays_moved(path: str, here: list[str], there: list[str]) -> Handler:
    """Both addresses answer by themselves."""

    async def handler(wire: Wire) -> None:
        items = there if wire.request.target.endswith(path) else here
        await wire.send(reply(200, {}, rss(site_of(wire), items)))

    return handler


def link(item: Item) -> str:
    return str(item["url"]).partition(".example")[2]


def enclosed(item: Item) -> str:
    return str(item["attachments"][0]["url"]).rpartition("/")[2]


def src(item: Item) -> str:
    return str(item["content_html"]).partition("cdn.example/")[2].partition('"')[0]


def href(item: Item) -> str:
    return str(item["content_html"]).partition('href="')[2].partition('"')[0]


def people(item: Item) -> str:
    names = ", ".join(one["name"] for one in item.get("authors", []))
    return f"{names} [{', '.join(item.get('tags', []))}]"


def tail(item: Item) -> str:
    """The last words of its text."""
    text = str(item.get("content_text") or item.get("content_html") or item.get("summary"))
    return " ".join(text.replace("</p>", "").split()[-2:])


def dated(item: Item) -> str:
    return str(item["date_published"])[:10]


def edited(item: Item) -> str:
    return f"edited {str(item['date_modified'])[5:13]}"


BULLETIN: dict[str, Any] = {"link": "https://{site}/bulletin", "title": "Bulletin"}
OUTAGE: dict[str, Any] = {"guid": None, "link": "https://{site}/status", "title": "Outage",
                          "text": "<p>The service is down.</p>"}  # fmt: skip
FERRY = ("<p>The harbour company ordered {n} electric ferries from a yard in the north. They are "
         "to replace older vessels on the island line.</p>")  # fmt: skip

CHANGES = "Every change is a change"
EDITIONS = "Editions at a fixed address, and corrections under a new id"
LASTING = "Entries without a lasting id"
RETENTION = "Retention (10 days)"
CLOCKS = "Clocks"
HOSTS = "Hosts"
REPORTED = "Reported of other readers"

SPECIFIED = [
    case(CHANGES, "A corrected link",
         (0, "1 at /2026/03/1", them(1), "1", "/2026/03/1"),
         (6, "at /ferry", them(1, link="https://{site}/ferry"), "0", "/ferry"),
         look=shown(link)),
    case(CHANGES, "A corrected enclosure",
         (0, "a.mp3", them(1, more=enclosure("a.mp3")), "1", "a.mp3"),
         (6, "b.mp3", them(1, more=enclosure("b.mp3")), "0", "b.mp3"),
         look=shown(enclosed)),
    case(CHANGES, "Another picture in the text",
         (0, "a.jpg", them(1, text=picture("a.jpg")), "1", "a.jpg"),
         (6, "b.jpg", them(1, text=picture("b.jpg")), "0", "b.jpg"),
         look=shown(src)),
    case(CHANGES, "A corrected address inside the text",
         (0, "links to /plan", them(1, text="<p>See <a href='https://x.example/plan'>it</a>.</p>"),
          "1", "https://x.example/plan"),
         (6, "to /map", them(1, text="<p>See <a href='https://x.example/map'>it</a>.</p>"),
          "0", "https://x.example/map"),
         look=shown(href)),
    case(CHANGES, "Another author and category",
         (0, "by Mara Lind", them(1, more="<author>a@x.example (Mara Lind)</author>"),
          "1", "Mara Lind []"),
         (6, "by Jon Berg, in Harbour", them(1, more="<author>a@x.example (Jon Berg)</author>"
                                                     "<category>Harbour</category>"),
          "0", "Jon Berg [Harbour]"),
         look=shown(people)),
    case(CHANGES, "A headline that changes in signs",
         (0, "C++ is out", them(1, title="C++ is out"), "1", "C++ is out"),
         (6, "C# is out", them(1, title="C# is out"), "0~1", "C# is out")),
    case(CHANGES, "A headline in other typography",
         (0, "\"Ferry\" sails", them(1, title='"Ferry" sails'), "1", '"Ferry" sails'),
         (6, "“Ferry” sails", them(1, title="“Ferry” sails"), "0", "“Ferry” sails")),
    case(CHANGES, "A signed enclosure",
         (0, "sig=1", [signed(1)], "1", "a.mp3?sig=1"),
         (6, "sig=2", [signed(2)], "0", "a.mp3?sig=2"),
         (12, "sig=3", [signed(3)], "0", "a.mp3?sig=2"),
         (36, "sig=4", [signed(4)], "0", "a.mp3?sig=4"),
         look=shown(enclosed)),
    case(CHANGES, "Pictures with marks against caches in all entries",
         (0, "v=1", [marked(n, 1) for n in (3, 2, 1)], "3",
          "a.jpg?v=1 · a.jpg?v=1 · a.jpg?v=1"),
         (6, "v=2", [marked(n, 2) for n in (3, 2, 1)], "0",
          "a.jpg?v=1 · a.jpg?v=1 · a.jpg?v=1"),
         (12, "v=3", [marked(n, 3) for n in (3, 2, 1)], "0",
          "a.jpg?v=1 · a.jpg?v=1 · a.jpg?v=1"),
         (36, "v=4", [marked(n, 4) for n in (3, 2, 1)], "0",
          "a.jpg?v=4 · a.jpg?v=4 · a.jpg?v=4"),
         look=shown(src)),
    case(CHANGES, "Two states by turns",
         (0, "by Ada", by("Ada"), "1", "Ada []"),
         (6, "by Bea", by("Bea"), "0", "Bea []"),
         (12, "by Ada", by("Ada"), "0", "Bea []"),
         (36, "by Bea", by("Bea"), "0", "Bea []"),
         look=shown(people)),
    case(EDITIONS, "A daily bulletin at one address",
         (0, "of Sunday", [it(1, guid="b1", **BULLETIN)], "1", "both towns."),
         (36, "of Monday", [it(2, guid="b2", date=33, **BULLETIN)], "1",
          "below them. · both towns."),
         (84, "of Wednesday", [it(3, guid="b3", date=80, **BULLETIN)], "1",
          "old building. · below them. · both towns."),
         (467, "of Wednesday (the others were dropped)", None, "0", "old building."),
         look=shown(tail)),
    case(EDITIONS, "Headline, address and id edited together",
         (0, "2, 1", them(2, 1), "2", "2 · 1"),
         (6, "1 under others", [it(2), it(1, guid="x", link="https://{site}/electric",
                                         title="Island line goes electric")],
          "0~1", "2 · Island line goes electric")),
    case(EDITIONS, "The only figure corrected under a new id",
         (0, "two ferries", [it(2), it(1, text=FERRY.replace("{n}", "two"))], "2",
          "below them. · island line."),
         (6, "three ferries", [it(2), it(1, guid="x", text=FERRY.replace("{n}", "three"))], "0~1",
          "below them. · island line."),
         look=shown(tail)),
    case(EDITIONS, "An edited headline without id and link",
         (0, "2, 1", them(2, 1, guid=None, link=None), "2", "2 · 1"),
         (6, "1 otherwise", [it(2, guid=None, link=None),
                             it(1, guid=None, link=None,
                                title="Electric ships for the ferry line")],
          "0~1", "2 · Electric ships for the ferry line")),
    case(EDITIONS, "Equal entries told apart by dates that all move",
         (0, "3 equal ones", [it(n, **OUTAGE) for n in (3, 2, 1)], "3", "Outage · Outage · Outage"),
         (6, "all 90 min later", [it(n, date=1.5, **OUTAGE) for n in (3, 2, 1)], "0",
          "Outage · Outage · Outage"),
         (12, "and a fourth", [it(4, date=9, **OUTAGE),
                               *(it(n, date=1.5, **OUTAGE) for n in (3, 2, 1))],
          "1", "Outage · Outage · Outage · Outage")),
    case(LASTING, "Links with a changing parameter, no ids",
         *((hours, f"v={hours}", them(3, 2, 1, guid=None, link=f"https://{{site}}/{{n}}?v={hours}"),
            "0" if hours else "3", "3 · 2 · 1") for hours in (0, 6, 12)),
         (36, "and 4", them(4, 3, 2, 1, guid=None, link="https://{site}/{n}?v=36"), "1",
          "4 · 3 · 2 · 1")),
    case(LASTING, "Ids and addresses new in each poll, headlines alone",
         *((hours, f"/{hours}x{{n}}".replace("{n}", "…"),
            them(3, 2, 1, guid=f"g{hours}-{{n}}", text=None,
                 link=f"https://{{site}}/{hours}x{{n}}"),
            "0" if hours else "3", "3 · 2 · 1") for hours in (0, 6, 12, 36))),
    case(LASTING, "Neither ids nor links",
         (0, "2, 1", them(2, 1, guid=None, link=None, date=None), "2", "2 · 1"),
         (6, "3, 2, 1", them(3, 2, 1, guid=None, link=None, date=None), "1", "3 · 2 · 1")),
    case(RETENTION, "What is still listed stays",
         (0, "2, 1", them(2, 1), "2", "2 · 1")),
    case(CLOCKS, "News under a clock that is three days ahead",
         (0, "1", them(1), "1", "1"),
         (460, "2, 1", them(2, 1, date=None), "1", "2 · 1"),
         (467, "3, 2, 1 (the clock is right)", them(3, 2, 1, date=None), "1", "3 · 2 · 1")),
    case(CLOCKS, "Polled at `30 2 * * *` in New York, summer time on the 8th",
         (0, "1", them(1), "1", "1"),
         (36, "Monday 19:00", None, "0", "1"),
         (84, "Wednesday 19:00", None, "0", "1"),
         (161, "the 8th, midnight", None, "0", "1"),
         (164, "the 8th, 04:00", None, "0", "1"),
         (452, "the 20th", None, "0", "1"),
         source={"poll": "cron: 30 2 * * *", "timezone": "America/New_York"}),
    case(HOSTS, "Malformed header lines",
         (0, "lines that are no field", with_head(
             "no field\r\n: empty\r\nX y: z\r\nContent-Type : text/xml\r\nLENGTH", them(1)),
          "1", "1")),
    case(HOSTS, "Two lengths that differ",
         (0, "1", them(1), "1", "1"),
         (6, "two lengths", with_head("Content-Length: 5\r\nLENGTH", them(2, 1)),
          "protocol", "1"),
         (36, "2, 1", them(2, 1), "1", "2 · 1"), alone=True),
    case(HOSTS, "A Content-Encoding that is none",
         (0, "`Content-Encoding: utf-8`", with_head("Content-Encoding: utf-8\r\nLENGTH", them(1)),
          "1", "1")),
    case(HOSTS, "A coding that was not asked for",
         (0, "`br`; plain when asked again", twice("br", them(1)), "1", "1")),
    case(HOSTS, "A gzip body without a word of it",
         (0, "gzip", packed({}, them(1)), "1", "1"),
         (6, "gzip as `identity`", packed({"Content-Encoding": "identity"}, them(2, 1)), "1",
          "2 · 1")),
    case(HOSTS, "A cookie has to come back",
         (0, "302 to itself without it", behind_a_cookie(them(1)), "1", "1"),
         (6, "and again", behind_a_cookie(them(2, 1)), "1", "2 · 1")),
    case(HOSTS, "304 to everything",
         (0, "6 … 1", says_304(them(6, 5, 4, 3, 2, 1)), "6", "6 · 5 · 4 · 3 · 2 · 1"),
         (6, "304", says_304(them(7, 6, 5, 4, 3, 2, 1)), "304", "6 · 5 · 4 · 3 · 2 · 1"),
         (12, "304", says_304(them(9, 8, 7, 6, 5, 4)), "304", "6 · 5 · 4 · 3 · 2 · 1"),
         (36, "304", None, "304", "6 · 5 · 4 · 3 · 2 · 1"),
         (84, "9 … 4 without a condition", None, "3", "9 · 8 · 7 · 6 · 5 · 4 · 3 · 2 · 1"),
         (467, "9 … 4 (the others were dropped)", None, "0", "9 · 8 · 7 · 6 · 5 · 4")),
    case(HOSTS, "304 to everything, `validators: off`",
         (0, "1", says_304(them(1)), "1", "1"),
         (6, "2, 1", says_304(them(2, 1)), "1", "2 · 1"),
         source={"validators": False}),
    case(HOSTS, "Retry-After of 20 hours",
         (0, "1", them(1), "1", "1"),
         (6, "429", http(429, {"Retry-After": "72000"}), "http 429", "1"),
         (12, "", them(2, 1), "–", "1"),
         (36, "2, 1", None, "1", "2 · 1"), alone=True),
    case(HOSTS, "A permanent move, and back",
         (0, "1", them(1), "1", "1"),
         (6, "301 to 2, 1", moved_to("new", them(2, 1)), "1", "2 · 1"),
         (84, "301 (adopted)", None, "0", "2 · 1"),
         (161, "3 there", moved_to("new", them(3, 2, 1)), "1", "3 · 2 · 1"),
         (452, "4 at the old one, 3 at the new", stays_moved("new", them(4, 3, 2, 1), them(3, 2)),
          "1", "4 · 3 · 2 · 1"), alone=True),
    case(HOSTS, "Ten redirects",
         (0, "10 × 302", after_hops(10, them(1)), "1", "1")),
    case(HOSTS, "Eleven redirects",
         (0, "11 × 302", after_hops(11, them(1)), "redirect 302", "nothing"), alone=True),
    case(HOSTS, "Served to one name only",
         (0, "403 to others", for_agent("Reader/9", them(1)), "1", "1"),
         source={"user_agent": "Reader/9"}),
    case(HOSTS, "Gone, and back after a week",
         (0, "1", them(1), "1", "1"),
         (6, "410", http(410), "http 410", "1"),
         (12, "410", None, "–", "1"),
         (36, "410 (ended)", None, "http 410", "1"),
         (84, "2, 1", them(2, 1), "–", "1"),
         (452, "2, 1", None, "1", "2 · 1"), alone=True),
]  # fmt: skip


def counted(number: int) -> str:
    """A text with a counter of visitors behind it."""
    return f"<p>{words(1)}</p><div class='counter'>(Visited {number} times, 1 visits today)</div>"


def spaced(number: int) -> str:
    return words(number).replace(" ", "  ")


def atom(items: list[int], updated: str) -> bytes:
    """The same stories as an Atom feed with ids of its own."""
    entries = "".join(
        f"<entry><id>tag:x.example,2026:{n}</id><title>{it(n).split('<title>')[1].split('</')[0]}"
        f"</title><link href='https://SITE.example/2026/03/{n}'/><updated>{updated}</updated>"
        f"<content type='html'>&lt;p&gt;{words(n)}&lt;/p&gt;</content></entry>"
        for n in items
    )
    return (f"<feed xmlns='http://www.w3.org/2005/Atom'><id>tag:x.example,2026:f</id>"
            f"<title>x</title><updated>{updated}</updated>{entries}</feed>").encode()  # fmt: skip


MORE = "<p>You may also like</p><ul><li><a href='https://x.example/{n}'>Story {n}</a></li></ul>"
EPOCH = "<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate>"
QUAY = "<p><img src='https://cdn.example/a.jpg' SIZE> Quay.</p>"
LIVE = "<p>09:00 The council met and opened the session.</p>"

FROM_REPORTS = [
    case(REPORTED, "Comments are counted in the headline",
         (0, "(1 comment)", them(1, title="Comic of the day (1 comment)"), "1",
          "Comic of the day (1 comment)"),
         (6, "(7 comments)", them(1, title="Comic of the day (7 comments)"), "0~1",
          "Comic of the day (7 comments)"),
         (12, "(9 comments)", them(1, title="Comic of the day (9 comments)"), "0~1",
          "Comic of the day (9 comments)"),
         (36, "(12 comments)", them(1, title="Comic of the day (12 comments)"), "0~1",
          "Comic of the day (12 comments)")),
    case(REPORTED, "Visitors are counted in the text",
         (0, "899 times", them(1, text=counted(899)), "1", "edited 03-01T02"),
         (6, "904 times", them(1, text=counted(904)), "0~1", "edited 03-01T18"),
         (12, "911 times", them(1, text=counted(911)), "0~1", "edited 03-02T00"),
         (36, "950 times", them(1, text=counted(950)), "0~1", "edited 03-03T00"),
         look=shown(edited)),
    case(REPORTED, "Two articles under one id in a document",
         (0, "2 and 1, both “x”", them(2, 1, guid="x"), "2", "2 · 1"),
         (6, "3, 2 and 1", them(3, 2, 1, guid="x"), "1", "3 · 2 · 1")),
    case(REPORTED, "An article is posted again under its id",
         (0, "2, 1", them(2, 1), "2", "2 · 1"),
         (6, "3, 2", them(3, 2), "1", "3 · 2 · 1"),
         (36, "1 with a new date on top", [it(1, date=36), *them(3, 2)], "0", "3 · 2 · 1")),
    case(REPORTED, "The time of an update that changes in each poll",
         *((hours, f"updated at {hours} h",
            atom([2, 1], f"2026-03-0{1 + (hours + 10) // 24}T{(hours + 10) % 24:02d}:00:00Z"),
            "0" if hours else "2", "edited 03-01T10 · edited 03-01T10")
           for hours in (0, 6, 12, 36)),
         look=shown(edited)),
    case(REPORTED, "An update of the year after next",
         (0, "updated in 2028", atom([1], "2028-01-01T00:00:00Z"), "1", "edited 03-01T12"),
         look=shown(edited)),
    case(REPORTED, "No dates at all",
         (0, "2, 1", them(2, 1, date=None), "2", "2026-03-01 · 2026-03-01"),
         (36, "3, 2, 1", them(3, 2, 1, date=None), "1", "2026-03-03 · 2026-03-01 · 2026-03-01"),
         look=shown(dated)),
    case(REPORTED, "A date in the year after next, corrected later",
         (0, "in 2028", [it(1, date=18000)], "1", "2026-03-01"),
         (6, "as it was", [it(1)], "0", "2026-03-01"), look=shown(dated)),
    case(REPORTED, "Dates of 1970",
         (0, "of 1970", [it(1, date=None, more=EPOCH)],
          "1", "1"),
         (6, "2 and it", [it(2, date=None, more=EPOCH),
                          it(1, date=None, more=EPOCH)],
          "1", "2 · 1")),
    case(REPORTED, "A release that is built anew under its id",
         (0, "build 1", them(1, title="Nightly", text="<p>Build 1: mends the parser.</p>"), "1",
          "the parser."),
         (6, "build 2", them(1, title="Nightly", date=6, text="<p>Build 2: mends the cache.</p>"),
          "0~1", "the cache."), look=shown(tail)),
    case(REPORTED, "Older episodes appear when a new one is out",
         (0, "9, 8", them(9, 8), "2", "9 · 8"),
         (6, "10 … 1", them(10, 9, 8, 7, 6, 5, 4, 3, 2, 1), "8",
          "10 · 7 · 6 · 5 · 4 · 3 · 2 · 1 · 9 · 8")),
    case(REPORTED, "RSS becomes Atom, with other ids",
         (0, "RSS", them(2, 1, guid="{n}", link="https://SITE.example/2026/03/{n}"), "2", "2 · 1"),
         (6, "Atom", atom([2, 1], "2026-03-01T03:00:00Z"), "0", "2 · 1"),
         (12, "Atom with 3", atom([3, 2, 1], "2026-03-01T03:00:00Z"), "1", "3 · 2 · 1")),
    case(REPORTED, "Teasers become whole texts",
         (0, "teasers", [it(n, text=f"<p>{words(n)[:60]}</p>") for n in (2, 1)], "2", "2 · 1"),
         (6, "whole texts", them(2, 1), "0~2", "2 · 1")),
    case(REPORTED, "Marks of campaigns in links, others in each poll",
         *((hours, f"utm_id={hours}", them(
             2, 1, guid=None, link=f"https://{{site}}/{{n}}?utm_id={hours}"),
            "0" if hours else "2", "2 · 1") for hours in (0, 6, 12))),
    case(REPORTED, "Dates are left out for a while",
         (0, "2, 1", them(2, 1), "2", "2 · 1"),
         (6, "without dates", them(2, 1, date=None), "0", "2 · 1"),
         (12, "with dates and 3", them(3, 2, 1), "1", "3 · 2 · 1")),
    case(REPORTED, "All dates an hour later, by the zone",
         (0, "2, 1", them(2, 1, guid=None, link=None), "2", "2 · 1"),
         (6, "an hour later", them(2, 1, guid=None, link=None, date=1), "0", "2 · 1")),
    case(REPORTED, "A headline escaped once more",
         (0, "Fish & chips", them(1, title="Fish & chips"), "1", "Fish & chips"),
         (6, "Fish &amp;amp; chips", them(1, title="Fish &amp; chips"), "0", "Fish & chips")),
    case(REPORTED, "Other white space and markup",
         (0, "a paragraph", them(1, text=f"<p>{words(1)}</p>"), "1", "edited 03-01T02"),
         (6, "in a div, with breaks", them(1, text=f"<div>\n {spaced(1)}<br/></div>"),
          "0", "edited 03-01T02"), look=shown(edited)),
    case(REPORTED, "Other related stories below the text in each poll",
         *((hours, f"story {n}", them(1, text=f"<p>{words(1)}</p>" + MORE.replace("{n}", str(n))),
            "0~1" if hours else "1", said)
           for n, hours, said in ((70, 0, "edited 03-01T02"), (71, 6, "edited 03-01T18"),
                                  (72, 12, "edited 03-02T00"), (73, 36, "edited 03-03T00"))),
         look=shown(edited)),
    case(REPORTED, "Ids in capitals",
         (0, "/news/…", them(2, 1, guid="https://{site}/news/a{n}"), "2", "2 · 1"),
         (6, "/News/A…", them(2, 1, guid="https://{site}/News/A{n}"), "0", "2 · 1")),
    case(REPORTED, "Links to the comments",
         (0, "2, 1", them(2, 1, guid=None), "2", "2 · 1"),
         (6, "with #comments", them(
             2, 1, guid=None, link="https://{site}/2026/03/{n}#comments"), "0",
          "2 · 1")),
    case(REPORTED, "A live blog that grows",
         (0, "a line", them(1, text=LIVE), "1", "the session."),
         (6, "two", them(1, text="<p>15:00 The road is closed until noon.</p>" + LIVE), "0~1",
          "the session."),
         (12, "three, another headline", them(1, title="Live: the road is open", text=(
             "<p>21:00 The road is open.</p><p>15:00 The road is closed until noon.</p>" + LIVE)),
          "0~1", "the session."),
         look=shown(tail)),
    case(REPORTED, "A site moves to another name, ids with it",
         (0, "3, 2, 1", them(3, 2, 1, guid="https://{site}/{n}"), "3", "3 · 2 · 1"),
         (6, "at another name", them(
             4, 3, 2, 1, guid="https://new-{site}/{n}", link="https://new-{site}/p/{n}"),
          "1", "4 · 3 · 2 · 1")),
    case(REPORTED, "A page to sign in instead",
         (0, "1", them(1), "1", "1"),
         (6, "a page", b"<!doctype html><html><body><form>Sign in</form></body></html>",
          "html 200", "1"),
         (36, "2, 1", them(2, 1), "1", "2 · 1"), alone=True),
    case(REPORTED, "No items for a day",
         (0, "2, 1", them(2, 1), "2", "2 · 1"),
         (6, "none", [], "0", "2 · 1"),
         (36, "3, 2, 1", them(3, 2, 1), "1", "3 · 2 · 1")),
    case(REPORTED, "A 304 that nobody asked for",
         (0, "304", http(304), "protocol 304", "nothing"),
         (36, "1", them(1), "1", "1"), alone=True),
    case(REPORTED, "An entry of tomorrow",
         (0, "1, of tomorrow", [it(1, date=30)], "1", "1"),
         (36, "2, and it", [it(2, date=44), it(1, date=30)], "1", "2 · 1")),
    case(REPORTED, "The oldest first",
         (0, "1, 2", them(1, 2), "2", "2 · 1"),
         (6, "1, 2, 3, 4", them(1, 2, 3, 4), "2", "4 · 3 · 2 · 1")),
    case(REPORTED, "Notes without headlines, one of them edited",
         (0, "2, 1", them(2, 1, title=None), "2", "them. · towns."),
         (6, "1 with an end", [
             it(2, title=None), it(1, title=None, text=f"<p>{words(1)} Edit: done.</p>")],
          "0~1", "them. · done."), look=shown(lambda one: tail(one).split()[-1])),
    case(REPORTED, "Other sizes of a picture",
         (0, "300 wide", them(1, text=QUAY.replace("SIZE", "width='300'")), "1",
          "edited 03-01T02"),
         (6, "600 wide", them(1, text=QUAY.replace("SIZE", "width='600' height='2'")),
          "0", "edited 03-01T02"), look=shown(edited)),
    case(REPORTED, "A length that was missing",
         (0, "length 9", them(1, more=enclosure("a.mp3")), "1", "edited 03-01T02"),
         (6, "length 12345", them(1, more=enclosure("a.mp3").replace("'9'", "'12345'")), "0",
          "edited 03-01T02"), look=shown(edited)),
    case(REPORTED, "A wrong alphabet for once",
         (0, "Müller", them(1, title="Müller wins"), "1", "Müller wins"),
         (6, "MÃ¼ller", them(1, title="MÃ¼ller wins"), "0", "Müller wins"),
         (12, "Müller", them(1, title="Müller wins"), "0", "Müller wins")),
    case(REPORTED, "A 404 for days",
         (0, "1", them(1), "1", "1"),
         (6, "404", http(404), "http 404", "1"),
         (36, "404", None, "http 404", "1"),
         (84, "2, 1", them(2, 1), "1", "2 · 1"), alone=True),
    case(REPORTED, "503 for a night",
         (0, "1", them(1), "1", "1"),
         (6, "503", http(503), "http 503", "1"),
         (36, "3, 2, 1", them(3, 2, 1), "2", "3 · 2 · 1"), alone=True),
    case(REPORTED, "An item that was taken back",
         (0, "2, 1", them(2, 1), "2", "2 · 1"),
         (6, "2", them(2), "0", "2 · 1"),
         (12, "2, 1", them(2, 1), "0", "2 · 1")),
]  # fmt: skip

CASES = [*SPECIFIED, *FROM_REPORTS]
