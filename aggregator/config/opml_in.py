"""OPML in: another reader's subscriptions as sources in YAML (OPML 2.0, http://opml.org/spec2.opml).

The file may come from anywhere, so entities are refused and nothing outside it is read. Readers
write OPML in many ways: attribute names in any case, folders as outlines around outlines or as
`category`, titles in `text` or in `title`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from lxml import etree

from aggregator.config.build import feed_key
from aggregator.config.values import slug
from aggregator.config.write import write_list
from aggregator.markup.text import one_line
from aggregator.urls.origin import clean, host, split
from aggregator.urls.redact import redact

MAX_BYTES = 16 * 1024 * 1024
MAX_TITLE = 300
MAX_TAG = 64


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
    """What was read, and in `notes` what was left out or is not as it was, for people."""

    sources: tuple[ImportedSource, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Found:
    title: str
    url: str
    tags: list[str] = field(default_factory=list)


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
    notes: list[str] = []
    body = _body(data, notes)
    taken = {feed_key(url) for url in existing_urls}
    found: dict[str, _Found] = {}
    for one in _outlines(body, notes):
        key = feed_key(one.url)
        if key in taken:
            notes.append(f"{redact(one.url)} is configured already: left out")
        elif key in found:
            earlier = found[key]
            new = [tag for tag in one.tags if tag not in earlier.tags]
            earlier.tags += new
            also = f", with the tags {', '.join(new)} added" if new else ""
            notes.append(f"{redact(one.url)} is there more than once: kept once{also}")
        else:
            found[key] = one
    ids = set(existing_ids)
    sources = []
    for one in found.values():
        name = _free_id(one, ids)
        ids.add(name)
        sources.append(ImportedSource(name, one.url, one.title or None, tuple(one.tags)))
    return Imported(tuple(sources), tuple(notes))


def opml_to_yaml(
    data: bytes, existing_ids: Collection[str] = (), existing_urls: Collection[str] = ()
) -> str:
    """The subscriptions of an OPML file as a YAML file with `sources:`; notes become comments.

    Raises:
        OpmlError: when it is no OPML.
    """
    return imported_yaml(read_opml(data, existing_ids, existing_urls))


def imported_yaml(read: Imported) -> str:
    """What `read_opml` read, as YAML."""
    comments = "".join(f"# {one_line(note)}\n" for note in read.notes)
    entries = [
        {"id": one.id, "url": one.url, "title": one.title, "tags": one.tags} for one in read.sources
    ]
    return comments + write_list("sources", entries)


def _body(data: bytes, notes: list[str]) -> etree._Element:
    if len(data) > MAX_BYTES:
        raise OpmlError(f"larger than {MAX_BYTES // 2**20} MiB")
    if b"<!ENTITY" in data.replace(b"\0", b"").upper():  # also in UTF-16
        raise OpmlError("it declares entities, which no OPML file needs")
    root = _parse(data, recover=False)
    if root is None:
        root = _parse(data, recover=True)
        notes.append("the file is no well-formed XML: what could be read was taken")
    if root is None or etree.QName(root).localname.casefold() != "opml":
        raise OpmlError("it is no OPML file")
    for child in root:
        if isinstance(child.tag, str) and etree.QName(child).localname.casefold() == "body":
            return child
    raise OpmlError("it has no `body`")


def _parse(data: bytes, recover: bool) -> etree._Element | None:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _outlines(body: etree._Element, notes: list[str]) -> list[_Found]:
    """Every subscription in the order of the file."""
    found = []
    waiting: list[tuple[etree._Element, tuple[str, ...]]] = [(body, ())]
    while waiting:
        element, folders = waiting.pop()
        attributes = {str(name).casefold(): str(text) for name, text in element.attrib.items()}
        title = one_line(attributes.get("title") or attributes.get("text") or "")[:MAX_TITLE]
        url = _url(attributes.get("xmlurl", ""))
        if url:
            tags = [*folders, *_categories(attributes.get("category", ""))]
            if split(url) is None:
                notes.append(f"`{title or redact(url)}` has no http address: left out")
            else:
                found.append(_Found(title, url, list(dict.fromkeys(tags))))
            inner = folders
        elif element is body:
            inner = folders
        else:
            folder = _tag(title)
            inner = (*folders, folder) if folder else folders
            if not len(element):
                notes.append(f"`{title}` has no feed address: left out")
        waiting += [(child, inner) for child in reversed(element) if isinstance(child.tag, str)]
    return found


def _url(text: str) -> str:
    """A feed's address without what readers put before it (`feed:https://…`, `feed://…`)."""
    url = clean(text).replace(" ", "%20")
    folded = url.casefold()
    if folded.startswith(("feed:http://", "feed:https://")):
        return url[5:]
    if folded.startswith("feed://"):
        return "http" + url[4:]
    return url


def _categories(text: str) -> list[str]:
    """`category`: words separated by commas; one that begins with a slash is a path of folders."""
    tags = []
    for part in text.split(","):
        names = part.strip().split("/") if part.strip().startswith("/") else [part]
        tags += [tag for name in names if (tag := _tag(name))]
    return tags


def _tag(name: str) -> str:
    return one_line(name.replace(",", " "))[:MAX_TAG].strip()


def _free_id(one: _Found, taken: Collection[str]) -> str:
    """An id made of the title, or of the host where the title has no letters of ours."""
    name = slug(one.title) or slug(host(one.url) or "") or "feed"
    tried, count = name, 1
    while tried in taken:
        count += 1
        tried = f"{name[: 62 - len(str(count))]}-{count}"
    return tried
