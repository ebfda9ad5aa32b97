"""OPML in: another reader's subscriptions as sources in YAML (OPML 2.0, http://opml.org/spec2.opml).

The file may come from anywhere and is often damaged: what can be read is read, what cannot is named
with its line, and no subscription becomes another address without a word. Entities are refused and
nothing outside the file is read. Readers write OPML in many ways: attribute names in any case,
folders as outlines around outlines or as `category`, titles in `text` or in `title`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from lxml import etree
from pydantic_core import PydanticCustomError

from aggregator.config.build import feed_key, has_secret, split_userinfo
from aggregator.config.lists.free_ids import FreeIds
from aggregator.config.lists.outlines import MAX_OUTLINES, Outline, Outlines, read_outlines
from aggregator.config.lists.write import write_list
from aggregator.config.values.addresses import read_url
from aggregator.feeds.mending.encoding import decode
from aggregator.feeds.values.addresses import straightened
from aggregator.markup.text import one_line
from aggregator.urls.origin import web_address
from aggregator.urls.redact import redact

MAX_BYTES = 16 * 1024 * 1024
MAX_TITLE = 300
MAX_TAG = 64
MAX_TAGS = 30  # of one source
MAX_NOTES = 1000
_SHOWN = 120  # characters of an address or title in a note

# Types of outlines that lead to something else than a feed: pages to scrape and documents to take
# apart by a recipe (`HTML+XPath`, `JSON+DotNotation`), links, further lists.
_NO_FEED = re.compile(r".*\+.*(?:path|dot|notation|css)|html\b.*|link|include|v?folder", re.I)
_IS_FEED = re.compile(r"\b(?:rss|atom|rdf|feed|pie|json)", re.I)


class OpmlError(ValueError):
    """The file is no OPML, or is not to be trusted."""


@dataclass(frozen=True, slots=True)
class ImportedSource:
    """One subscription. `tags` are its folders, the outermost first, then its categories."""

    id: str
    url: str
    title: str | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read, and in `notes` what was left out or is not as it was, for people.

    `left_out` counts the outlines that could not be read or are no feeds, `repeated` those whose
    address stands in the list before, `configured` those that the configuration has already.
    """

    sources: tuple[ImportedSource, ...]
    notes: tuple[str, ...] = ()
    left_out: int = 0
    repeated: int = 0
    configured: int = 0

    @property
    def has_secrets(self) -> bool:
        """Whether an address holds a password, or a parameter that lets in whoever knows it."""
        for one in self.sources:
            bare, userinfo = split_userinfo(one.url)
            if userinfo is not None or has_secret(one.url, bare):
                return True
        return False

    def summary(self) -> str:
        """The counts as a sentence."""
        count = len(self.sources)
        parts = [f"{count} subscription{'' if count == 1 else 's'} read"]
        if self.repeated:
            parts.append(f"{self.repeated} there more than once")
        if self.configured:
            parts.append(f"{self.configured} configured already")
        return ", ".join([*parts, f"{self.left_out} left out"])


class _Notes(list[str]):
    """Notes for people: the first `MAX_NOTES`, and how many more there were."""

    more = 0

    def say(self, note: str) -> None:
        if len(self) < MAX_NOTES:
            self.append(note)
        else:
            self.more += 1

    def all(self) -> tuple[str, ...]:
        rest = (f"and {self.more} notes more",) if self.more else ()
        return (*self, *rest)


@dataclass
class _Found:
    line: int
    title: str
    url: str
    tags: dict[str, None] = field(default_factory=dict)  # a set that keeps its order

    def add(self, tags: Iterator[str]) -> list[str]:
        """Take further tags, as many as a source may have; those that are new."""
        new = []
        for tag in tags:
            if tag not in self.tags and len(self.tags) < MAX_TAGS:
                self.tags[tag] = None
                new.append(tag)
        return new


def read_opml(
    data: bytes, existing_ids: Collection[str] = (), existing_urls: Collection[str] = ()
) -> Imported:
    """Read the subscriptions of an OPML file.

    Args:
        data: the file's bytes.
        existing_ids: ids that are taken already; no source gets one of them.
        existing_urls: feeds that are configured already; they are left out and noted.

    Raises:
        OpmlError: when it is no OPML.
    """
    notes = _Notes()
    outlines = _outlines(data, notes)
    subscriptions = _Subscriptions(notes)
    subscriptions.take(outlines)
    taken = {feed_key(url) for url in existing_urls}
    found: dict[str, _Found] = {}
    configured = repeated = 0
    for one in subscriptions.found:
        key = feed_key(one.url)
        if key in taken:
            configured += 1
            notes.say(f"line {one.line}: {_shown(one.url)} is configured already: left out")
        elif key in found:
            repeated += 1
            new = found[key].add(iter(one.tags))
            also = f", with the tags {', '.join(new)} added" if new else ""
            notes.say(
                f"line {one.line}: {_shown(one.url)} is there more than once: kept once{also}"
            )
        else:
            found[key] = one
    ids = FreeIds(existing_ids)
    sources = tuple(
        ImportedSource(ids.take(one.title, one.url), one.url, one.title or None, tuple(one.tags))
        for one in found.values()
    )
    return Imported(sources, notes.all(), subscriptions.left_out, repeated, configured)


def opml_to_yaml(
    data: bytes, existing_ids: Collection[str] = (), existing_urls: Collection[str] = ()
) -> str:
    """The subscriptions of an OPML file as a YAML file with `sources:`; notes become comments.

    Raises:
        OpmlError: when it is no OPML.
    """
    return imported_yaml(read_opml(data, existing_ids, existing_urls))


def imported_yaml(read: Imported) -> str:
    """What `read_opml` read, as YAML; what was left out stands above it as comments."""
    lines = [f"{read.summary()}.", *read.notes]
    comments = "".join(f"# {one_line(line)}\n" for line in lines)
    entries = [
        {"id": one.id, "url": one.url, "title": one.title, "tags": one.tags} for one in read.sources
    ]
    return comments + write_list("sources", entries)


def _outlines(data: bytes, notes: _Notes) -> Outlines:
    """The outlines of the file, however damaged it is."""
    if len(data) > MAX_BYTES:
        raise OpmlError(f"larger than {MAX_BYTES // 2**20} MiB")
    decoded = decode(data)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
    if "<!ENTITY" in text.upper():
        raise OpmlError("it declares entities, which no OPML file needs")
    found = read_outlines(text)
    if not found.tags and not found.has_root and "&lt;outline" in text:
        found = read_outlines(html.unescape(text))
        notes.say("the list stands in a web page as text: taken from there")
    if not found.tags and not found.has_root:
        raise OpmlError("it is no OPML file")
    if not found.tags and not found.has_body:
        raise OpmlError("it has no “body”")
    if found.rest is not None:
        notes.say(
            f"line {found.rest}: the list has more than {MAX_OUTLINES} outlines; nothing is "
            "read from here on"
        )
    if not _is_well_formed(text):
        notes.say("the file is no well-formed XML: what could be read was taken")
    if decoded.bad:
        notes.say(
            f"{decoded.bad} bytes are no text in {decoded.encoding}: a title may have wrong letters"
        )
    return found


def _is_well_formed(text: str) -> bool:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    bare = re.sub(r"\A\s*<\?xml[^>]*\?>", "", text, count=1)
    try:
        etree.fromstring(bare.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return False
    return True


class _Subscriptions:
    """Subscriptions in the order of the file, and how many outlines were left out."""

    def __init__(self, notes: _Notes) -> None:
        self._notes = notes
        self.found: list[_Found] = []
        self.left_out = 0

    def take(self, outlines: Outlines) -> None:
        """Read every outline; folders are outlines around others."""
        tags = outlines.tags
        opened = sum(1 for tag in tags if tag is not None and not tag.closed)
        # Where end tags are missing, an open subscription holds nothing: HTML knows no `/>`.
        balanced = opened <= tags.count(None)
        folders: list[str] = []
        for index, tag in enumerate(tags):
            if tag is None:
                if folders:
                    folders.pop()
                continue
            is_subscription = self._subscription(tag, folders)
            holds = not tag.closed and (balanced or not is_subscription)
            if not is_subscription:
                following = tags[index + 1] if index + 1 < len(tags) else None
                if not holds or following is None:
                    self._empty(tag)
            if holds:
                folders.append("" if is_subscription else _tag(_title(tag)))

    def _subscription(self, tag: Outline, folders: list[str]) -> bool:
        """Take the outline if it is a subscription, or say why not; False for folders and notes."""
        kind = tag.attributes.get("type", "").strip()
        written = [tag.attributes.get("xmlurl", ""), *tag.others]
        if not written[0].strip() and _IS_FEED.search(kind):
            written[0] = tag.attributes.get("url", "")
        if not any(one.strip() for one in written):
            return False
        title = _title(tag)
        if _NO_FEED.fullmatch(kind) or any(
            name.startswith("frss:xpath") for name in tag.attributes
        ):
            what = f"of the type “{_cut(one_line(kind))}”" if kind else "a page to scrape"
            self._leave(tag, f"{_named(title, written[0])} is {what} and no feed")
            return True
        for one in written:
            if not one.strip():
                continue
            url, changes = _address(one)
            if url is None:
                continue
            self._say_changes(tag, title, url, changes, len(written))
            found = _Found(tag.line, title, url)
            found.add(name for name in folders[:MAX_TAGS] if name)
            found.add(_categories(tag.attributes.get("category", "")))
            self.found.append(found)
            return True
        self._leave(tag, f"{_named(title, written[0])} has no http address")
        return True

    def _say_changes(
        self, tag: Outline, title: str, url: str, changes: list[str], count: int
    ) -> None:
        """An address that is not as it was written is told."""
        if tag.open_ended:
            changes.append("it has no closing quotation mark")
        if count > 1:
            changes.append("it has several addresses, of which this is the first")
        if changes:
            named = f"“{_titled(title)}”: " if title else ""
            self._notes.say(
                f"line {tag.line}: {named}{_shown(url)} was read, but {', '.join(changes)}"
            )

    def _empty(self, tag: Outline) -> None:
        """An outline with no feed address and nothing in it."""
        title = _title(tag)
        if tag.cut_off:
            self._leave(tag, f"the file ends within {_named(title, '')}")
        else:
            self._leave(tag, f"{_named(title, '')} has no feed address")

    def _leave(self, tag: Outline, why: str) -> None:
        self.left_out += 1
        self._notes.say(f"line {tag.line}: {why}: left out")


def _title(tag: Outline) -> str:
    attributes = tag.attributes
    return one_line(attributes.get("title") or attributes.get("text") or "")[:MAX_TITLE]


def _named(title: str, url: str) -> str:
    """An outline in a note: by its title and, where it says more, its address."""
    shown = _shown(url) if url.strip() else ""
    if title and shown and title != url.strip():
        return f"“{_titled(title)}” ({shown})"
    return f"“{_titled(title) or shown}”" if title or shown else "an outline without a title"


def _titled(title: str) -> str:
    return _shown(title) if "://" in title else _cut(title)


def _shown(url: str) -> str:
    return _cut(redact(one_line(url)))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_LABEL = "[a-z0-9]+(?:-[a-z0-9]+)*"
_USUAL = re.compile(rf"https?://{_LABEL}(?:\.{_LABEL})+/[!-%'-~]*")  # nothing to be mended
_HOST = re.compile(r"www\.[\w\-]+\.", re.IGNORECASE)
_ESCAPED = re.compile(r"&amp;", re.I)
_BREAK = re.compile(r"[^\S\n\x0b\x0c\r\x85\u2028\u2029]*+[\n\x0b\x0c\r\x85\u2028\u2029]\s*+")


def _address(written: str) -> tuple[str | None, list[str]]:
    """The address that was meant, and what about it was not as it should be.

    None when it is none that can be fetched: the configuration would refuse it.
    """
    changes: list[str] = []
    if len(written) < 250 and _USUAL.fullmatch(written):
        return written, changes
    url = written.strip().strip("\ufeff\u200b").strip()
    joined = _BREAK.sub("", url)
    if joined != url:
        changes.append("a line break stood in it")
    plain = "".join(c for c in joined if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    if plain != joined:
        changes.append("a control character stood in it")
    once = _ESCAPED.sub("&", plain)
    if once != plain:
        changes.append("its “&” were escaped twice")
    if "\ufffd" in once:
        return None, changes
    begun = straightened(f"http://{once}" if _HOST.match(once) else once)
    if begun != once:
        changes.append("its beginning was not that of an address")
    url = "".join(quote(c) if c.isspace() else c for c in web_address(begun))
    try:
        return read_url(url), changes
    except PydanticCustomError:
        return None, changes


def _categories(text: str) -> Iterator[str]:
    """`category`: words separated by commas; one that begins with a slash is a path of folders."""
    for part in text.split(","):
        names = part.strip().split("/") if part.strip().startswith("/") else [part]
        yield from (tag for name in names if (tag := _tag(name)))


def _tag(name: str) -> str:
    return one_line(name.replace(",", " "))[:MAX_TAG].strip()
