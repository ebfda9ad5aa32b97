"""Small readings shared by the formats: labels, people, numbers, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from html import unescape as html_unescape

from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.values.addresses import straightened, unescaped, written_in
from aggregator.markup.text import (
    cap,
    clean,
    decode_references,
    html_title,
    html_to_text,
    lines_to_html,
    one_line,
    plain_title,
    text_title,
    text_to_html,
    unwrap_cdata,
)
from aggregator.model.feed import FeedLink, ParsedEntry
from aggregator.urls.origin import host, is_http, quote_unsafe, resolve

_NAMED_MAIL = re.compile(r"[^\s@()<>]{1,80}@[^\s@()<>]{1,160}\s*\(([^()]{1,200})\)\Z")
# Angle brackets as in mail (RFC 5322 §3.4), round ones as some programs write them.
_MAIL_OF = re.compile(
    r"([^<>()@]{1,200}?)\s*(?:<[^\s<>@]{1,80}@[^\s<>]{1,160}>|\([^\s()@]{1,80}@[^\s()]{1,160}\))\Z"
)
# What is no name beside one: `mailto:`, and a place for one that stayed empty.
_AROUND_MAIL = re.compile(r"\Amailto:(?=\S)|(?<!\s)\s*\(\s*\)\Z", re.IGNORECASE)
_ELEMENTS = (
    r"(?:a|abbr|b|blockquote|code|div|em|figure|font|h[1-6]|i|iframe|li|ol|p|pre|span|strong|table"
    r"|td|tr|u|ul|video)"
)
# An end tag, a tag that needs none, or one with attributes: words in angle brackets are no markup.
_LOOKS_HTML = re.compile(
    rf"</{_ELEMENTS}\s*>|<(?:p|li)\s*/?>|<(?:br|hr|img)(?:[\s/][^<>]*)?>"
    rf"|<{_ELEMENTS}(?:\s+[\w:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>\"']+))+\s*/?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[A-Za-z/!?]")
# From an element to its end, escaped.
_ESCAPED_WHOLE = re.compile(
    rf"\s*&lt;{_ELEMENTS}(?:\s|&gt;).*&lt;/[a-z][a-z0-9]{{0,9}}&gt;\s*\Z", re.I | re.S
)
# What most URLs look like; such a one is absolute already and resolves to itself.
_PLAIN_URL = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?#\-]*)?\Z"
)
_HOST = re.compile(r"www\.[\w\-]+\.[\w\-.]+(?:[/:?#]|\Z)", re.IGNORECASE)  # no path begins so
_HOST_END = re.compile(r"[/:?#]")
_FILE_SCHEME = re.compile(r"\s*(?:ftp://[^\s/]|magnet:\?)", re.IGNORECASE)
_INTEGER = re.compile(r"\s*(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.0*)?\s*\Z")

_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def once_encoded(text: str) -> str:
    """Undo an encoding to UTF-8 that happened twice, where all of `text` agrees that it did.

    The second time took the bytes for Latin-1 or for Windows-1252, mostly.
    """
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        pass
    # A leading byte that no other follows disproves it, and mostly at once.
    starts = [at for lead in "ÃÂâ" if (at := text.find(lead)) >= 0]
    if not starts or any(text[at + 1 : at + 2] not in _FOLLOWING for at in starts):
        return text
    try:
        return text.translate(_WINDOWS_BYTES).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


# From what Windows-1252 shows to the character of Latin-1 with the same byte.
_WINDOWS_BYTES = {
    ord(character): byte
    for byte in range(0x80, 0xA0)
    if (character := bytes((byte,)).decode("cp1252", "ignore"))
}


# Bytes 0x80 to 0xBF, which follow the leading one in UTF-8, in Latin-1 and in Windows-1252.
_FOLLOWING = frozenset((*map(chr, range(0x80, 0xC0)), *map(chr, _WINDOWS_BYTES)))


def _is_plain_line(text: str) -> bool:
    """Whether a text is one line that only a trim can change: no blanks to join, nothing unsafe."""
    return text.isascii() and text.isprintable() and "  " not in text


class Declared(StrEnum):
    """What a format says that a text is."""

    PLAIN = "plain"
    HTML = "html"
    NOTHING = "nothing"  # RSS: both are found


_TITLE_READERS = {
    Declared.PLAIN: text_title,
    Declared.HTML: html_title,
    Declared.NOTHING: plain_title,
}


def title_of(
    text: str | None, limits: ParseLimits, declared: Declared = Declared.NOTHING
) -> str | None:
    """A title as plain text, capped; None when nothing is left of it."""
    if not text:
        return None
    if (
        4 * len(text) <= limits.title
        and _is_plain_line(text)
        and "<" not in text
        and "&" not in text
    ):
        return text.strip(" ") or None  # whatever it is declared to be
    # Markup and references shrink; what is far beyond the cap cannot come back below it.
    read = _TITLE_READERS[declared](once_encoded(text[: 8 * limits.title]))
    return cap(read, limits.title) or None


def name_of(text: str | None, limits: ParseLimits) -> str | None:
    """The name of a category: markup, and references left by double escaping, go as in titles."""
    if not text:
        return None
    if "&" in text or "<" in text:
        text = plain_title(text[: 4 * limits.label])
    return label_of(text, limits)


def label_of(text: str | None, limits: ParseLimits) -> str | None:
    """A short plain string (category, language, type)."""
    if not text:
        return None
    # As `_is_plain_line`, which is asked here more often than anywhere.
    is_short = 4 * len(text) <= limits.label
    if is_short and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ") or None
    return cap(one_line(once_encoded(text[: 4 * limits.label])), limits.label) or None


def id_of(text: str | None, limits: ParseLimits) -> str | None:
    """An identifier, as written but for white space around it."""
    if not text:
        return None
    if text.isprintable() and 4 * len(text) <= limits.id:
        return text.strip(" ") or None
    return cap(clean(text).strip(), limits.id) or None


def body_of(
    text: str | None, limits: ParseLimits, *, spotless: bool = False, marked: bool = True
) -> str | None:
    """HTML as received, capped; None when it is blank.

    `spotless` says that `text` is of a document that holds no unsafe character, so that `clean`
    need not look at it once more; `marked` that it may hold marks of CDATA sections.
    """
    if not text or text.isspace():
        return None
    bare = unwrap_cdata(text) if marked else text
    html = once_encoded(bare)
    if not spotless or html is not bare:
        html = clean(html)
    return cap(html, limits.body).strip() or None


def unescaped_html(text: str | None) -> str | None:
    """A body whose format does not say what it is, without an escaping too many.

    Where there is no tag, and the references make one whole piece of HTML, its publisher escaped
    it twice.
    """
    if text is None or "&lt;" not in text or "<" in text or _ESCAPED_WHOLE.match(text) is None:
        return text
    meant = html_unescape(text)
    return meant if _LOOKS_HTML.search(meant) else text


def broken_lines(html: str | None) -> str | None:
    """A body whose format does not say what it is, with the line breaks of plain text kept.

    Text without any tag is no HTML, though its references are decoded as in HTML.
    """
    if html is None or "\n" not in html or _TAG.search(html):
        return html
    text = html.strip()
    return lines_to_html(text) if "\n" in text else text


def text_as_html(text: str | None, limits: ParseLimits) -> str | None:
    """A body that is declared plain text, as HTML."""
    return body_of(text_to_html(cap(text, limits.body)), limits) if text else None


def guessed_html(text: str | None, limits: ParseLimits) -> str | None:
    """A body that its format takes for plain text unless it says otherwise, as HTML.

    Publishers forget to say otherwise: what is HTML by its tags is left as it is.
    """
    if not text or _LOOKS_HTML.search(text):
        return body_of(text, limits)
    return text_as_html(text, limits)


def person_of(text: str | None, limits: ParseLimits) -> str | None:
    """A name out of `Name`, `mail (Name)` (RSS 2.0) or `Name <mail>`.

    The text is cut to the limit before any pattern sees it. References left by double escaping are
    decoded.
    """
    if not text:
        return None
    if (
        4 * len(text) <= limits.author
        and _is_plain_line(text)
        and "@" not in text
        and "<" not in text
        and "&" not in text
    ):
        return text.strip(" ").strip('"') or None
    text = cap(one_line(once_encoded(text[: limits.author])), limits.author)
    if "&" in text or "<" in text:
        text = decode_references(unwrap_cdata(text))
    match = _MAIL_OF.match(text)
    if match:
        text = match.group(1)
    elif "<" in text:
        text = html_to_text(text)
    match = _NAMED_MAIL.match(text)
    text = match.group(1) if match else _AROUND_MAIL.sub("", text)
    return one_line(text).strip('"') or None


def authors_of_all(texts: Iterable[str | None], limits: ParseLimits) -> tuple[str, ...]:
    """The authors that a feed names for its entries; a mere mail address is whom to write to."""
    return tuple(name for name in people_of(texts, limits) if "@" not in name)


def people_of(texts: Iterable[str | None], limits: ParseLimits) -> tuple[str, ...]:
    """The names of several people, each once, in order."""
    names = dict.fromkeys(name for text in texts if (name := person_of(text, limits)))
    return tuple(names)[: limits.many]


def joined(names: tuple[str, ...], limits: ParseLimits) -> str | None:
    """Several names in one line, as a byline has them."""
    return cap(", ".join(names), limits.author) if names else None


def url_of(text: str | None, base: str | None, limits: ParseLimits) -> str | None:
    """An absolute http(s) URL, or None. What may not stand in one is percent-encoded.

    `www.` begins a host whose scheme was left out.
    """
    if not text or len(text) > limits.url:
        return None
    if _PLAIN_URL.match(text):
        return unescaped(text) if ";" in text and "&" in text else text
    address = straightened(_unwrapped(unwrap_cdata(text)))
    if _HOST.match(address):
        address = f"//{address}" if base else f"http://{address}"
    found = resolve(base, address)
    return _within(quote_unsafe(found), limits) if found else None


def written_url_of(
    text: str | None, base: str | None, limits: ParseLimits, home: str | None = None
) -> str | None:
    """As `url_of`, of the words in an element: those that are no address are none.

    `home` is the site's page: what begins with its host, or the base's, lacks its scheme only.
    """
    if text is None or len(text) > limits.url:
        return None
    if _PLAIN_URL.match(text):
        return unescaped(text) if ";" in text and "&" in text else text
    address = written_in(_unwrapped(unwrap_cdata(text)))
    if address is not None and _begins_with_host(address, base, home):
        address = f"//{address}" if base else f"http://{address}"
    return url_of(address, base, limits)


def _begins_with_host(address: str, *pages: str | None) -> bool:
    first = _HOST_END.split(address, maxsplit=1)[0].lower().removeprefix("www.")
    if "." not in first:
        return False
    return first in {(host(page) or "").removeprefix("www.") for page in pages if page}


def page_of(links: Iterable[FeedLink]) -> str | None:
    """The page where an entry stands that names no other (RFC 4287 §4.2.7.2, `self`)."""
    pages = (one.href for one in links if one.rel == "self" and "xml" not in (one.type or ""))
    return next(pages, None)


def file_of(text: str | None, base: str | None, limits: ParseLimits) -> str | None:
    """The address of an attached file: an http(s) URL, or an `ftp:` or `magnet:` one; or None."""
    if text and len(text) <= limits.url and _FILE_SCHEME.match(text):
        return _within(quote_unsafe(_unwrapped(text)), limits)
    return url_of(text, base, limits)


def _within(url: str, limits: ParseLimits) -> str | None:
    return (clean(url) or None) if len(url) <= limits.url else None


def _unwrapped(url: str) -> str:
    """An address on one line: browsers drop line breaks in it, and the indent is no part of it."""
    return "".join(line.strip() for line in url.splitlines())


def is_permalink(guid: str, declared: str | None) -> bool:
    """Whether an RSS guid is the item's address: not denied (RSS 2.0), and an http(s) URL."""
    return (declared or "true").strip().lower() != "false" and (
        _PLAIN_URL.match(guid) is not None or is_http(guid)
    )


def number_of(text: str | None) -> int | None:
    """A non-negative integer, or None."""
    match = _INTEGER.match(text or "")
    return int(match.group(1).replace(",", "")) if match else None


def minutes_of(text: str | None) -> timedelta | None:
    """RSS `ttl`: minutes, at least one and at most a year."""
    minutes = number_of(text)
    return timedelta(minutes=min(minutes, 525_600)) if minutes else None


def hour_of(text: str | None) -> int | None:
    """RSS `hour` of `skipHours`: GMT, 0..23; 24 is read as 0, as some publishers count."""
    hour = number_of(text)
    return hour % 24 if hour is not None and hour <= 24 else None


def day_of(text: str | None) -> int | None:
    """RSS `day` of `skipDays`: 0 = Monday; abbreviations are understood."""
    name = (text or "").strip().lower()
    return next((n for n, day in enumerate(_DAYS) if len(name) >= 3 and day.startswith(name)), None)


def syndication_of(period: str | None, frequency: str | None) -> timedelta | None:
    """RSS 1.0 module syndication: how often in which period, as an interval."""
    if period is None and frequency is None:
        return None
    length = _PERIODS.get((period or "daily").strip().lower())
    if length is None:
        return None
    return length / max(1, min(number_of(frequency) or 1, 10_000))


def is_blank(entry: ParsedEntry) -> bool:
    """Whether an entry says nothing at all."""
    return not (entry.id or entry.link or entry.title or entry.summary or entry.content)
