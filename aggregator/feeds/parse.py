"""Read a feed document, whatever it is: the tiers, from the strictest to the most forgiving.

1. encoding, 2. the strict reader (or JSON Feed), 3. repairs and the strict reader again,
4. feedparser, 5. the entries that are whole by themselves. A document that failed on a limit is
never shown to feedparser.
"""

from __future__ import annotations

import gc
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from aggregator.feeds.discover import feed_links
from aggregator.feeds.fallback import Unsuitable, read_leniently
from aggregator.feeds.jsonfeed import NotJson, NotJsonFeed, read_json_feed
from aggregator.feeds.limits import DEFAULT_LIMITS, ParseLimits
from aggregator.feeds.mending.encoding import decode
from aggregator.feeds.mending.references import mend_references
from aggregator.feeds.mending.repair import (
    BeyondRepair,
    drop_doctype,
    repair,
    strip_declaration,
)
from aggregator.feeds.mending.salvage import salvage
from aggregator.feeds.mending.truncated import close_truncated, is_cut_off
from aggregator.feeds.neighbours import place_unread_dates
from aggregator.feeds.values.dates import DateReader
from aggregator.feeds.xml.strict import NotAFeed, NotWellFormed, OverLimit, read_strict
from aggregator.model.feed import ParsedFeed
from aggregator.model.states import ParseFault

__all__ = ["DEFAULT_LIMITS", "ParseLimits", "parse_document"]

_FEED_ROOT = re.compile(r"<(?:[\w.\-]{1,20}:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_HTML_ROOT = re.compile(r"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
# What a page may say about tags without having them, and the first tag of a feed beside that.
_FEED_WITHIN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<raw>script|style|textarea|xmp|iframe)\b.*?(?:</(?P=raw)\s*>|\Z)"
    rf"|(?P<root>{_FEED_ROOT.pattern})",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ENTRY = re.compile(r"<(?:[\w.\-]{1,20}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_SNIFFED = 64 * 1024
# JSON for a script: `callback({…});`, or behind a line that keeps it from being run as one.
_CALL = re.compile(r"(?:[A-Za-z_$][\w.$]{0,63}\s{0,9}\(|\)\]\}'?,?)\s{0,9}(?=[{\[])")


def parse_document(
    body: bytes,
    *,
    content_type: str | None = None,
    url: str | None = None,
    limits: ParseLimits = DEFAULT_LIMITS,
    timezone: str | None = None,
) -> ParsedFeed:
    """What a feed document says; never raises on any input.

    Args:
        body: the document after content decoding.
        content_type: the Content-Type header, whose charset counts.
        url: where the document came from; relative URLs are resolved against it.
        limits: how much is read.
        timezone: IANA zone of the source, for dates that name no zone or an ambiguous one.

    Returns:
        The feed. `error` and `error_class` say why nothing, or not everything, could be read; an
        HTML page has class `html` and the feeds it offers as `alternates`.
    """
    with _uncollected():
        feed = _read(body, content_type, url, limits, timezone)
        return place_unread_dates(feed) if feed.entries else feed


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for circles of garbage, which a document hardly makes.

    It would look at every entry read so far again and again, an eighth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(
    body: bytes,
    content_type: str | None,
    url: str | None,
    limits: ParseLimits,
    timezone: str | None,
) -> ParsedFeed:
    if len(body) > limits.document:
        return ParsedFeed(
            None,
            error=f"the document has {len(body)} bytes, more than {limits.document}",
            error_class=ParseFault.LIMIT,
        )
    text = decode(body, content_type).text.lstrip("\ufeff \t\r\n\x00")
    if not text:
        return ParsedFeed(None, error="the document is empty", error_class=ParseFault.EMPTY)
    dates = DateReader(timezone, limits.guessed_dates)
    call = _CALL.match(text)
    if call is not None:
        text = text[call.end() :]
    is_json = text[0] in "{["
    text = mend_references(text, is_xml=not is_json)
    if is_json:
        return _read_json(text, url, limits, dates)
    if not _is_page(text[:_SNIFFED]):
        return _read_xml(text, url, limits, dates)
    feed = _feed_within(text) or _feed_shown(text)
    if feed is not None:
        found = _read_xml(feed, url, limits, dates)
        if found.entries:
            return found
    return _page(text, url)


def _read_json(text: str, url: str | None, limits: ParseLimits, dates: DateReader) -> ParsedFeed:
    try:
        return read_json_feed(text, url, limits, dates)
    except NotJson as error:
        return ParsedFeed(None, error=str(error), error_class=ParseFault.MALFORMED)
    except NotJsonFeed as error:
        return ParsedFeed(None, error=str(error), error_class=ParseFault.NOT_A_FEED)


def _is_page(head: str) -> bool:
    """Whether the document is a web page: it begins as one, before any feed's root."""
    if _HTML_ROOT.search(head) is None:
        return False
    head = _COMMENT.sub("", head)
    page = _HTML_ROOT.search(head)
    feed = _FEED_ROOT.search(head)
    return page is not None and (feed is None or page.start() < feed.start())


def _feed_within(page: str) -> str | None:
    """What follows the first tag of a feed in a page: some servers wrap feeds, or prepend HTML."""
    for match in _FEED_WITHIN.finditer(page):
        if match.group("root") is not None:
            has_entries = _ENTRY.search(page, match.end()) is not None
            return page[match.start() :] if has_entries else None
    return None


# A page that holds one preformatted text and nothing else, as browsers show a document.
_SHOWN = re.compile(
    r"<body[^<>]*>\s*<pre[^<>]*>\s*(&lt;(?:\?xml|rss|feed|rdf:RDF)\b[^<]*+)</pre>\s*(?:</body>|\Z)",
    re.IGNORECASE,
)


def _feed_shown(page: str) -> str | None:
    """The feed whose source a page shows, and nothing else."""
    found = _SHOWN.search(page)
    return html.unescape(found.group(1)) if found else None


def _page(text: str, url: str | None) -> ParsedFeed:
    alternates = feed_links(text, url)
    error = f"a web page, which offers {len(alternates)} feeds" if alternates else "a web page"
    return ParsedFeed(None, error=error, error_class=ParseFault.HTML, alternates=alternates)


def _read_xml(text: str, url: str | None, limits: ParseLimits, dates: DateReader) -> ParsedFeed:
    doctype = drop_doctype(text)
    bare = strip_declaration(doctype.text)
    try:
        return read_strict(bare, url, limits, dates)
    except NotWellFormed as error:
        fault = str(error)
    except OverLimit as error:
        return _rest(bare, url, limits, dates, str(error), ParseFault.LIMIT)
    except NotAFeed as error:
        return ParsedFeed(None, error=str(error), error_class=ParseFault.NOT_A_FEED)
    if _FEED_ROOT.search(text) is None:
        return ParsedFeed(None, error=f"not a feed: {fault}", error_class=ParseFault.NOT_A_FEED)
    return _mended(doctype.text, doctype.entities, url, limits, dates, fault)


def _mended(
    text: str,
    entities: dict[str, str],
    url: str | None,
    limits: ParseLimits,
    dates: DateReader,
    fault: str,
) -> ParsedFeed:
    """The document after repairs, or as feedparser reads it; `fault` is the strict tier's word."""
    try:
        mended = repair(text, entities)
        truncated = close_truncated(mended)
        mended = truncated.text if truncated is not None else mended
        feed = read_strict(mended, url, limits, dates, reader="repair")
    except NotWellFormed:
        pass
    except BeyondRepair as error:
        return ParsedFeed(None, error=f"{fault}; {error}", error_class=ParseFault.MALFORMED)
    except OverLimit as error:
        return _rest(mended, url, limits, dates, str(error), ParseFault.LIMIT)
    except NotAFeed as error:
        return ParsedFeed(None, error=str(error), error_class=ParseFault.NOT_A_FEED)
    else:
        return feed if truncated is None else _cut_off(feed, fault, within=truncated.within)
    try:
        feed = read_leniently(mended, url, limits, dates)
    except Unsuitable as error:
        return _rest(mended, url, limits, dates, f"{fault}; {error}", ParseFault.MALFORMED)
    if feed.entries and (truncated is not None or is_cut_off(mended)):
        within = truncated is None or truncated.within
        return _cut_off(feed, fault, within=within)
    if feed.entries:
        return feed
    return _rest(mended, url, limits, dates, fault, ParseFault.MALFORMED)


def _cut_off(feed: ParsedFeed, fault: str, *, within: bool) -> ParsedFeed:
    """A feed that says that its document ended too early, `within` its last entry or after it."""
    told, entries = f"the document is cut off: {fault}", feed.entries
    if within and entries:
        last = entries[-1]
        has_words = last.title or last.summary or last.content
        rest = (replace(last, cut_off=True),) if has_words else ()
        entries = (*entries[:-1], *rest)
        told = f"the document is cut off within its last entry: {fault}"
    return replace(feed, entries=entries, error=told, error_class=ParseFault.MALFORMED)


def _rest(
    text: str,
    url: str | None,
    limits: ParseLimits,
    dates: DateReader,
    fault: str,
    error_class: ParseFault,
) -> ParsedFeed:
    """The entries that are whole by themselves, with the fault that cost the others."""
    nothing = ParsedFeed(None, error=fault, error_class=error_class)
    saved = salvage(text, limits)
    if saved is None:
        return nothing
    try:
        feed = read_strict(saved.text, url, limits, dates, reader="salvage")
    except (NotWellFormed, OverLimit, NotAFeed):
        return nothing
    return replace(
        feed,
        error=f"{saved.lost} entries could not be read: {fault}" if saved.lost else fault,
        error_class=error_class,
        dropped=feed.dropped + saved.lost,
    )
