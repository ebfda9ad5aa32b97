"""What a page prints for people: byline, editor, source and time lines, dateline.

Portals print these as "Source: Upland Daily | Editor: Runa Falkenberg | 2017-06-30 09:12", as
cells, as spans with a class, at the end of the text in brackets ("（责任编辑：…）"), or as bare
lines under the headline.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from aggregator.articles.body_span import BodySpan
from aggregator.articles.lists import data_lines
from aggregator.articles.page import BLOCKS, HEADINGS, Page
from aggregator.articles.reading.dates import find_date
from aggregator.articles.reading.names import is_label, names_of

_LABELS = {
    kind: "|".join(re.escape(label) for label in sorted(data_lines(f"line_{kind}"), key=len)[::-1])
    for kind in ("editor", "source", "author", "time", "updated")
}
_TIME_BEHIND = re.compile(r"\s[(\[]?(?:(?:19|20)\d{2}[-/.年]\d|\d{1,2}[:：]\d{2})")
_NEAR = 3  # texts behind the headline
_ANY = "|".join(_LABELS.values())
_LINE = {
    kind: re.compile(rf"^[\W_]*(?:{names})\s*[:：]\s*(.*)$", re.I | re.S)
    for kind, names in _LABELS.items()
}
_BARE = {
    kind: re.compile(rf"^[\W_]*(?:{names})[\W_]*$", re.I)
    for kind, names in _LABELS.items()
    if kind != "author"
}
_NEXT = re.compile(
    rf"(?:(?<!\s)\s++|(?<=[^\x00-\x7f]))(?:{_ANY})\s*+[:：]"
    r"|(?:(?<!\s)\s*+)?[|｜¦•]\s*+|\s{3,}|　",
    re.I,
)
_RESPONSIBLE = re.compile("[责責]")  # the editor in charge, where others are named too
_BRACKETED_EDITOR = re.compile(
    rf"[(（\[【]\s*(?:{_LABELS['editor']})\s*[:：]\s*([^)）\]】]{{2,60}})[)）\]】]?\s*$", re.I
)
_BY = re.compile(r"^(?:by|von|par|por|di|door|av|af|text|文|written by|words by)\s*[:：]?\s+", re.I)
_DATELINE = re.compile(
    r"^((?:[A-Z][A-Z.'’-]+(?:\s+[A-Z][A-Z.'’-]+){0,3})(?:,\s+[A-Z][A-Za-z.'’ -]{1,25})?)"
    r"(?:,?\s+(?:[A-Z][a-z]{2,9}\.?\s+\d{1,2}|\d{1,2}\s+[A-Z][a-z]{2,9}))?"
    r"\s*(?:[(\[][^)\]]{2,40}[)\]]\s*)?(?:--|[—–-])\s"
)
_DATELINE_ZH = re.compile(
    r"^(?:本报|本報|[\u4e00-\u9fff]{2,8}[社网報报])\s*([\u4e00-\u9fff]{2,8}?)\s*\d{1,2}月\d{1,2}日"
)
ORGANISATION = re.compile(
    r"\b(?:news|daily|times|post|agency|xinhua|press|herald|tribune|journal|gazette|observer|"
    r"guardian|telegraph|standard|mail|express|today|radio|tv|television|network|reuters|afp|ap|"
    r"upi|dpa|efe|ansa|tass|bloomberg|cnn|bbc|online|\w+\.(?:com|cn|net|org)|weekly|review|"
    r"media|magazine|zeitung|monde|figaro)\b|[社报報网網台]$",
    re.I,
)
_PERSON = re.compile(r"^(?:[^\W\d_][\w.'’-]*\.?\s+){1,3}[^\W\d_][\w'’.-]+$|^[\u4e00-\u9fff]{2,4}$")
_NOT_NAMES = re.compile(
    r"\d|https?:|@|[!?:;<>{}=]|\b(?:read|share|comment|min|view|photo|log)\b", re.I
)


@dataclass(slots=True)
class Printed:
    """Lines as printed; names without their labels. `lines` are their texts, to keep them out
    of the body."""

    editor: str | None = None
    source: str | None = None
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    lines: frozenset[str] = frozenset()


def read_printed(page: Page, body: BodySpan) -> Printed:
    """Read the labelled lines of a page, then the bare ones under its headline."""
    values: dict[str, str] = {}
    lines: set[str] = set()
    ending = body.paragraphs[-1] if body.paragraphs else -1
    for i, text in enumerate(page.text):
        stripped = text.strip()
        if not stripped:
            continue
        if ending >= 0 and i >= body.first:
            found = _BRACKETED_EDITOR.search(stripped[-120:])
            if found and ("editor" not in values or _RESPONSIBLE.search(found[0])):
                values["editor"] = _name(found[1])
                lines.add(stripped if len(stripped) < 120 else found[0].strip())
                continue
        if len(stripped) > 160 or body.holds(i) or _set_apart(page, i):
            continue  # between two paragraphs a label is text ("Author: …" in a review of books)
        for kind, pattern in _LINE.items():
            found = pattern.match(stripped)
            bare = None if found else _BARE.get(kind)
            if not found and not (bare and bare.match(stripped)):
                continue
            said = found[1] if found else ""
            _take(page, i, kind, said, values, lines)
            _take_rest(said, values)
            break
    authors = names_of(values.get("author", ""))
    _read_classes(page, values, lines)
    editor, source = values.get("editor"), values.get("source")
    if not editor or not source or not authors:
        bare_source, bare_person = _bare_lines(page, body, lines)
        if bare_source and bare_person and not authors:
            source, editor = source or bare_source, editor or bare_person
        elif bare_source:
            source = source or bare_source
        elif bare_person and not authors and not editor:
            authors = (bare_person,)
    return Printed(
        editor or None,
        source or None,
        authors,
        find_date(values.get("time", "")),
        find_date(values.get("updated", "")),
        frozenset(lines),
    )


def labelled_as(text: str, kind: str) -> str | None:
    """What follows the label of a kind of line ("责任编辑：张迪"), or None without that label."""
    found = _LINE[kind].match(text[:200].strip())
    return _name(found[1]) or None if found else None


def dateline(paragraph: str) -> str | None:
    """The place that a first paragraph begins with ("BEIJING, June 29 (Xinhua) -- ")."""
    if found := _DATELINE.match(paragraph[:160]):
        place = found[1].strip(" ,")
        return place.title() if place.isupper() else _cased(place)
    if found := _DATELINE_ZH.match(paragraph[:60]):
        return found[1]
    return None


def _cased(place: str) -> str:
    return " ".join(w.title() if w.isupper() and len(w) > 2 else w for w in place.split())


def _set_apart(page: Page, node: int) -> bool:
    return any(
        page.tag[n] in ("nav", "footer", "form", "button", "h1") for n in page.ancestors(node)[:6]
    )


def _take(
    page: Page, node: int, kind: str, said: str, values: dict[str, str], lines: set[str]
) -> None:
    """Note one labelled line; the value may stand in the next element."""
    value = _value(kind, said)
    if value:
        lines.add(page.text[node].strip())
        if len(page.string(page.block(node), 200)) < 200:
            lines.add(page.string(page.block(node), 200))
    else:
        following = next(
            (j for j in range(node + 1, min(node + 12, len(page.text))) if page.text[j].strip()),
            None,
        )
        if following is None or len(page.text[following]) > 80:
            return
        if any(p.match(page.text[following].strip()) for p in (*_LINE.values(), *_BARE.values())):
            return
        value = _name(page.text[following])
        lines.update((page.text[following].strip(), page.text[node].strip()))
        for n in (node, following):
            whole = page.string(page.block(n), 200)
            if len(whole) < 160:
                lines.add(whole)
    if value and kind not in values and (kind in ("time", "updated") or not _prose(value)):
        values[kind] = value


def _take_rest(said: str, values: dict[str, str]) -> None:
    """Further labels in the same text ("Source: A | Editor: B")."""
    for part in re.split(
        rf"(?:^|(?<![\s|｜¦•　])[\s|｜¦•　]++)(?=(?:{_ANY})\s*+[:：])", said, flags=re.I
    )[1:]:
        for kind, pattern in _LINE.items():
            if kind not in values and (found := pattern.match(part)):
                value = _value(kind, found[1])
                if value and not _prose(value):
                    values[kind] = value
                break


def _value(kind: str, said: str) -> str:
    """What a label says, without further labels and, for a name, without the time behind it."""
    text = _NEXT.split(said, maxsplit=1)[0]
    if kind not in ("time", "updated") and (behind := _TIME_BEHIND.search(text)):
        text = text[: behind.start()]
    return _name(text)


def _prose(value: str) -> bool:
    return len(value) > 80 or len(value.split()) > 8


def _name(text: str) -> str:
    return " ".join(text.split()).strip(" \t|｜()（）[]【】<>:：,，;；/·-–—").strip()[:120]


_CLASSES = {
    "editor": re.compile(r"(?:^|[\s_-])(?:editor|bianji|zebian)(?:[\s_-]|$)"),
    "source": re.compile(r"(?:^|[\s_-])(?:source|laiyuan|origin|copyfrom)(?:[\s_-]|$)"),
}


def _read_classes(page: Page, values: dict[str, str], lines: set[str]) -> None:
    """Elements named `editor` or `source` that hold just a name."""
    for i, names in enumerate(page.names):
        if not names or page.tag[i] in ("body", "html", "source"):
            continue
        for kind, pattern in _CLASSES.items():
            if kind in values or not pattern.search(names) or not 2 <= page.size(i) <= 60:
                continue
            said = page.string(i, 80)
            value = _name(said)
            if not value or _NOT_NAMES.search(value) or _set_apart(page, i):
                continue
            if _PERSON.match(value) or (kind == "source" and ORGANISATION.search(value)):
                values[kind] = value
                lines.add(said)


def _bare_lines(page: Page, body: BodySpan, lines: set[str]) -> tuple[str | None, str | None]:
    """A publication and a person on lines of their own between headline and text."""
    start = next(
        (page.end[i] for i, tag in enumerate(page.tag) if tag == "h1" and page.size(i)), -1
    )
    if start < 0 or body.first < start:
        return None, None
    source = person = None
    seen = 0
    for i in range(start, body.first):
        if not page.text[i] or page.in_link[i] >= 0 or _set_apart(page, i):
            continue
        block = page.block(i)
        said = page.string(block, 80) if page.tag[block] in BLOCKS else page.text[i].strip()
        broken = _in_parts(page, block)
        if broken or page.size(block) > 60 or said in lines:
            said = page.text[i].strip()
            if len(said) > 60 or said in lines:
                continue
        seen += 1
        if seen > 8:
            break
        if find_date(said) and len(said) < 40:
            lines.add(said)
        if _NOT_NAMES.search(said):
            continue
        name = _name(_BY.sub("", said))
        if is_label(name) or _acts(page, i):
            continue
        if source is None and person is None and ORGANISATION.search(name) and len(name) <= 40:
            source = name
            lines.add(said)
        elif person is None and (
            (
                _PERSON.match(name)
                and _capitals(name)
                and (source or _beside_headline(page, block, seen))
            )
            or (_BY.match(said) and names_of(name))
        ):
            person = name
            lines.add(said)
    return source, person


def _acts(page: Page, node: int) -> bool:
    """Whether a text is a link to a place on the page, or to a script ("Print article")."""
    return any(page.tag[n] == "a" and n not in page.anchor_at for n in page.ancestors(node)[:4])


def _in_parts(page: Page, block: int) -> bool:
    """Whether a block is several lines: broken, or elements side by side with a text each."""
    if page.size(block) > 200:
        return True
    parts = 0
    for n in page.children(block):
        if page.tag[n] == "br":
            return True
        if page.size(n):
            parts += 1 if page.tag[n] != "-text" or page.text[n].strip(" |·•/-—–,") else 0
    return parts > 1 and not any(page.text[n].strip(" |·•/-—–,") for n in page.children(block))


def _beside_headline(page: Page, block: int, seen: int) -> bool:
    """Whether a bare line may be a byline without a publication: near the headline, no title."""
    return seen <= _NEAR and page.tag[block] not in HEADINGS and page.tag[block] != "li"


def _capitals(name: str) -> bool:
    return all(word[0].isupper() or not word[0].islower() for word in name.split())
