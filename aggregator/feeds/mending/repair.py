"""Mend what breaks well-formedness most often, without guessing at content.

Seen on 3 % of real feeds: blanks or a warning before the declaration, undeclared entities, control
characters, bare `&` and `<`, something appended after the root, a prefix nobody declared, a
document cut off in the middle. Every step is linear in the document.
"""

from __future__ import annotations

import html
import re
from collections import deque
from html.entities import html5

from aggregator.feeds.mending.references import number_of
from aggregator.feeds.mending.sections import close_sections, spell_sections
from aggregator.feeds.names import WELL_KNOWN_PREFIXES
from aggregator.markup.text import clean

_START = re.compile(
    r"<!--.*?(?:-->|\Z)|(?P<start><(?:\?xml\s|rss[\s>]|feed[\s>]|channel[\s>]|rdf:RDF[\s>]"
    r"|(?:[\w.\-]{1,20}:)?(?:rss|feed|RDF)[\s>]))",
    re.IGNORECASE | re.DOTALL,
)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^\[>]*+(\[)?", re.IGNORECASE)
_SUBSET_END = re.compile(r"\]\s*>")
_OWN_ENTITY = re.compile(
    r"<!ENTITY\s+([A-Za-z_][\w.\-]{0,63})\s+(?:\"([^\"<%]{0,512})\"|'([^'<%]{0,512})')\s*>"
)
# CDATA, comments and instructions are skipped; where they do not end they reach to the end.
_TOKEN = re.compile(
    r"(?P<opaque><!\[CDATA\[(?:(?!\]\]>).)*+(?:\]\]>|\Z)|<!--(?:(?!-->).)*+(?:-->|\Z)|<\?(?:(?!\?>).)*+(?:\?>|\Z))"
    r"|&(?:#(?P<number>[0-9]{1,12}+|[xX][0-9a-fA-F]{1,12}+);?|(?P<name>[A-Za-z][A-Za-z0-9]{0,31});)?"
    # An end mark of CDATA that nothing began; blanks, addresses and mail in angle brackets.
    r"|\]\]>(?P<strayed>(?=</))?|<(?:(?![A-Za-z_/!?])|(?=(?:https?|mailto):|[\w.+\-]{1,64}@))",
    re.DOTALL,
)
_ROOT_END = re.compile(r"</(?:rss|feed|rdf:RDF|[\w.\-]{1,20}:(?:rss|feed|RDF))\s*>", re.IGNORECASE)
_PREFIXED = re.compile(r"[<\s/]([A-Za-z_][\w.\-]{0,40}):[A-Za-z_]")
_DECLARED = re.compile(r"xmlns:([A-Za-z_][\w.\-]{0,40})\s*=")
_ROOT_TAG = re.compile(r"<(?:[\w.\-]+:)?(?:rss|feed|RDF|channel)\b", re.IGNORECASE)
_ENTRY_END = re.compile(r"</((?:[\w.\-]{1,20}:)?(?:item|entry))\s*>")
_EMPTY_NAMESPACE = re.compile(r"\sxmlns:[A-Za-z_][\w.\-]{0,40}\s*=\s*(?:\"\"|'')")
# Elements that hold text or nothing, and what may follow one that was not closed.
_LEAF = (
    r"title|link|guid|pubDate|category|comments|language|lastBuildDate|id|updated|published|email|uri"
    r"|ttl|managingEditor|webMaster|copyright|generator|docs|enclosure|url|width|height"
    r"|(?:dc|dcterms|slash|wfw|sy):[A-Za-z]{1,40}|atom:(?:link|id|title|updated|published)"
    r"|itunes:(?:author|image|duration|explicit|subtitle|summary|keywords|episode|season|title|block)"
    r"|feedburner:origLink|media:thumbnail"
)
_UNCLOSED = re.compile(
    r"(?P<opaque><!\[CDATA\[(?:(?!\]\]>).)*+(?:\]\]>|\Z)|<!--(?:(?!-->).)*+(?:-->|\Z))"
    rf"|<(?P<name>{_LEAF})(?P<attributes>\s[^<>]*+)?(?<!/)>"
    r"(?P<text>(?:[^<]|<!\[CDATA\[(?:(?!\]\]>).)*+\]\]>)*+)"
    rf"(?=<(?:/?(?:item|entry|channel|image|feed|rss)|{_LEAF}|description|summary|author|source"
    r"|content|content:encoded|media:[a-z]+|dc:[a-z]+)[\s/>])",
    re.DOTALL | re.IGNORECASE,
)
# `<title>…</titel>`: the only end that can stand there.
_MISSPELT = re.compile(
    rf"(?P<start><(?P<name>{_LEAF})(?:\s[^<>]*+)?(?<!/)>[^<]*+)</(?!(?P=name)\s*>)"
    r"(?!(?:item|entry|channel|image|feed|rss|author|source)\s*>)[\w:.\-]++\s*>",
    re.IGNORECASE,
)
_NUMERIC = re.compile(r"&#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});")

_XML = frozenset(("amp", "lt", "gt", "quot", "apos"))
_MOST_MENDED = 500_000  # references and stray characters; some 0.4 s
_MOST_GROWTH = 1024 * 1024  # characters that a document's own entities may add


class BeyondRepair(Exception):
    """The document has too many faults."""


class Doctype:
    """A document without its type declaration, and the simple entities it declared."""

    __slots__ = ("entities", "text")

    def __init__(self, text: str, entities: dict[str, str]) -> None:
        self.text = text
        self.entities = entities


def drop_doctype(text: str) -> Doctype:
    """Remove the document type declaration, internal subset included (entity bombs live there).

    Entities whose value is plain text without further references are remembered for `repair`.
    """
    root = _ROOT_TAG.search(text, 0, 65_536)
    match = _DOCTYPE.search(text, 0, root.start() if root is not None else 65_536)
    if match is None:
        return Doctype(text, {})
    if match.group(1) is None:
        end = text.find(">", match.end())
        return Doctype(text[: match.start()] + text[end + 1 :] if end >= 0 else text, {})
    end_match = _SUBSET_END.search(text, match.end())
    if end_match is None:
        return Doctype(text, {})
    subset = text[match.end() : min(end_match.start(), match.end() + 65_536)]
    entities: dict[str, str] = {}
    for found in _OWN_ENTITY.finditer(subset):
        value = found.group(2) or found.group(3) or ""
        if "&" not in _NUMERIC.sub("", value):
            entities.setdefault(found.group(1), html.unescape(value))
    return Doctype(text[: match.start()] + text[end_match.end() :], entities)


def strip_declaration(text: str) -> str:
    """`text` without its XML declaration: it is decoded already."""
    declaration = _DECLARATION.match(text)
    return text[declaration.end() :] if declaration is not None else text


def repair(text: str, entities: dict[str, str]) -> str:
    """The document with its usual faults mended; `entities` are those it declared itself.

    Raises:
        BeyondRepair: there are too many.
    """
    text = _trim(close_sections(spell_sections(clean(text))))
    text = _EMPTY_NAMESPACE.sub("", _mend_tokens(text, entities))
    return _declare_prefixes(_close_leaves(text))


def _trim(text: str) -> str:
    """Drop what stands before the document and after its root; entries after it go into it."""
    starts = _START.finditer(text, 0, 65_536)
    start = next((match.start() for match in starts if match.group("start") is not None), 0)
    text = strip_declaration(text[start:])
    end = _last(_ROOT_END, text, 0)
    if end is None:
        return text
    if _ENTRY_END.search(text, end.end()) is not None:
        return text[: end.start()] + text[end.end() :] + end.group()
    return text[: end.end()]


def _last(pattern: re.Pattern[str], text: str, start: int) -> re.Match[str] | None:
    found = deque(pattern.finditer(text, start), maxlen=1)
    return found[0] if found else None


def _mend_tokens(text: str, entities: dict[str, str]) -> str:
    growth = mended = 0

    def mend(match: re.Match[str]) -> str:
        nonlocal growth, mended
        mended += 1
        if mended > _MOST_MENDED:
            raise BeyondRepair("more faults than are worth mending")
        if match.group("opaque") is not None:
            return _close_opaque(match.group())
        if match.group() == "<":
            return "&lt;"
        if match.group() == "]]>":
            return "]]&gt;" if match.group("strayed") is None else ""
        name = match.group("name")
        if name is not None:
            if name in _XML:
                return match.group()
            if name in entities:
                growth += len(entities[name])
                if growth > _MOST_GROWTH:
                    return ""
                return html.escape(entities[name])
            known = html5.get(f"{name};")
            return html.escape(known) if known is not None else f"&amp;{name};"
        number = match.group("number")
        if number is None:
            return "&amp;"
        # As HTML understands numbers (§13.2.5.80), also without `;`; the impossible goes.
        character = html.unescape(f"&#{number};") if number_of(number) <= 0x10FFFF else ""
        return html.escape(clean(character)) if character != "\ufffd" else ""

    return _TOKEN.sub(mend, text)


def _close_leaves(text: str) -> str:
    """Close elements that hold no others where the next element begins: `<link>https://…<guid>`."""

    def close(match: re.Match[str]) -> str:
        name = match.group("name")
        return match.group() if name is None else f"{match.group()}</{name}>"

    return _MISSPELT.sub(r"\g<start></\g<name>>", _UNCLOSED.sub(close, text))


def _close_opaque(section: str) -> str:
    if section.startswith("<![CDATA["):
        return section if section.endswith("]]>") else html.escape(section[9:], quote=False)
    if section.startswith("<!--"):
        return ""  # a comment may hold `--`, which XML forbids
    return ""  # processing instructions say nothing to us


def _declare_prefixes(text: str) -> str:
    """Declare on the root the prefixes that are used and declared nowhere."""
    used = set(_PREFIXED.findall(text)) - {"xml", "xmlns", "http", "https"}
    missing = sorted(used - set(_DECLARED.findall(text)))[:64]
    root = _ROOT_TAG.search(text)
    if not missing or root is None:
        return text
    declarations = "".join(
        f' xmlns:{p}="{WELL_KNOWN_PREFIXES.get(p.lower(), f"urn:undeclared:{p}")}"' for p in missing
    )
    return text[: root.end()] + declarations + text[root.end() :]
