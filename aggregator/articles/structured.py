"""What a page says about itself for machines: JSON-LD, OpenGraph, `<meta>`, microdata.

Sources: schema.org `Article` (https://schema.org/Article), the Open Graph protocol
(https://ogp.me/), Dublin Core meta names, HTML microdata (WHATWG HTML §5).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aggregator.articles.page import Page, absolute, page_key
from aggregator.markup.elements import names

_MAX_SCRIPT = 512 * 1024
_MAX_SCRIPTS = 20
_MAX_OBJECTS = 2_000
_ARTICLE_TYPES = re.compile(
    r"(?:Article|BlogPosting|Posting|NewsItem|Report|Review|Recipe|PressRelease)$"
)
_CONTROL = re.compile(r"[\x00-\x1f]")
_WRAPPING = re.compile(r"^\s*(?:/\*.*?\*/|//[^\n]*\n|<!--|<!\[CDATA\[)*\s*", re.S)


@dataclass(slots=True)
class Structured:
    """The machine-readable part of a page, as found."""

    article: Mapping[str, Any] = field(default_factory=dict)  # the page's JSON-LD article
    by_id: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # JSON-LD nodes by @id
    meta: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # lower-case name → values
    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # itemprop → values
    organisations: frozenset[str] = frozenset()  # names that JSON-LD gives to no person

    def first(self, *names: str) -> str | None:
        """The first non-empty meta value under any of these names, in that order."""
        for name in names:
            for value in self.meta.get(name, ()):
                if value:
                    return value
        return None

    def resolved(self, value: object) -> object:
        """A JSON-LD value, its `@id` reference followed once."""
        if isinstance(value, Mapping) and "name" not in value:
            identifier = value.get("@id")
            if isinstance(identifier, str) and identifier in self.by_id:
                return self.by_id[identifier]
        return value


def read_structured(page: Page) -> Structured:
    """Collect meta names, microdata and the JSON-LD object that describes this page."""
    objects = list(_objects(page))
    by_id = {o["@id"]: o for o in objects if isinstance(o.get("@id"), str) and len(o) > 1}
    organisations = frozenset(
        plain(name)
        for o in (*objects, *_authors_among(objects))
        if isinstance(name := o.get("name"), str)
        and any(kind.endswith("Organization") for kind in _types(o))
    )
    return Structured(_own_article(page, objects), by_id, _meta(page), _items(page), organisations)


def _authors_among(objects: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    values = [o.get("author") for o in objects]
    listed = [part for v in values for part in (v if isinstance(v, list) else [v])]
    return [part for part in listed if isinstance(part, Mapping)]


def strings(value: object, key: str = "name", limit: int = 20) -> list[str]:
    """Texts of a JSON-LD value: a string, an object with `key`, or a list of these."""
    found: list[str] = []
    queue = [value]
    while queue and len(found) < limit:
        item = queue.pop(0)
        if isinstance(item, str):
            found.append(plain(item))
        elif isinstance(item, Mapping):
            queue.insert(0, item.get(key))
        elif isinstance(item, list):
            queue[:0] = item[:limit]
    return [text for text in found if text]


def plain(text: str, limit: int = 1_000) -> str:
    """One line of text; character references that JSON-LD writers leave in are decoded."""
    text = text[: 4 * limit]
    if "&" in text:
        text = html.unescape(html.unescape(text))
    return " ".join(_CONTROL.sub(" ", re.sub(r"<[^>]{0,200}>", "", text)).split())[:limit]


def _objects(page: Page) -> Iterator[Mapping[str, Any]]:
    count = 0
    for script in page.tree.css('script[type*="ld+json"]')[:_MAX_SCRIPTS]:
        text = script.text(deep=True) or ""
        if len(text) > _MAX_SCRIPT:
            continue
        queue: list[Any] = [_loaded(text)]
        while queue and count < _MAX_OBJECTS:
            value = queue.pop(0)
            count += 1
            if isinstance(value, list):
                queue.extend(value[:200])
            elif isinstance(value, Mapping):
                yield value
                for name in ("@graph", "mainEntity", "mainEntityOfPage", "itemReviewed"):
                    if isinstance(value.get(name), list | Mapping):
                        queue.append(value[name])


def _loaded(text: str) -> Any:
    text = _WRAPPING.sub("", text, count=1).strip().rstrip(";").removesuffix("-->").strip()
    for attempt in (text, re.sub(r",\s*([}\]])", r"\1", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _types(value: Mapping[str, Any]) -> list[str]:
    kind = value.get("@type")
    return [k for k in (kind if isinstance(kind, list) else [kind]) if isinstance(k, str)]


def _own_article(page: Page, objects: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The article object about this page: by URL, else the first with a headline."""
    articles = [o for o in objects if any(_ARTICLE_TYPES.search(t) for t in _types(o))]
    here = page_key(page.url)
    for candidate in articles:
        named = [candidate.get("url"), candidate.get("@id"), candidate.get("mainEntityOfPage")]
        for value in named:
            target = value.get("@id") if isinstance(value, Mapping) else value
            if isinstance(target, str):
                url = absolute(page.url, target)
                if url is not None and page_key(url) == here:
                    return candidate
    return next((a for a in articles if a.get("headline") or a.get("datePublished")), {})


def _meta(page: Page) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for node in page.tree.css("meta[content]")[:400]:
        attributes = node.attributes
        name = attributes.get("property") or attributes.get("name") or attributes.get("http-equiv")
        value = plain(attributes.get("content") or "", 2_000)
        if name and value:
            found.setdefault(name.strip().lower()[:80], []).append(value)
    return {name: tuple(values[:10]) for name, values in found.items()}


_PROPERTIES = names(
    "headline author datePublished dateModified dateCreated editor publisher name image "
    "alternativeHeadline articleSection copyrightHolder contentLocation"
)


def _items(page: Page) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for node in page.tree.css("[itemprop]")[:400]:
        attributes = node.attributes
        for name in (attributes.get("itemprop") or "").split()[:3]:
            if name not in _PROPERTIES or not _of_article(node):
                continue
            value = attributes.get("content") or attributes.get("datetime") or ""
            if not value and name == "image":
                value = attributes.get("src") or attributes.get("href") or ""
            if not value and name in ("author", "publisher", "editor", "copyrightHolder"):
                inner = node.css_first('[itemprop="name"]')
                if inner is not None:
                    value = inner.attributes.get("content") or inner.text(deep=True) or ""
            value = plain(value or node.text(deep=True) or "", 400)
            if value:
                found.setdefault(name, []).append(value)
    return {name: tuple(values[:10]) for name, values in found.items()}


def _of_article(node: Any) -> bool:
    """Whether the nearest item around a property is an article (or there is none)."""
    up = node.parent
    for _ in range(40):
        if up is None or not up.is_element_node:
            return True
        if "itemscope" in up.attributes:
            kind = up.attributes.get("itemtype") or ""
            return bool(_ARTICLE_TYPES.search(kind.strip())) or kind.endswith("WebPage")
        up = up.parent
    return True
