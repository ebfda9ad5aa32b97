"""Namespaces of feeds, and the short names by which the reader knows their elements.

An element is known as `prefix:local`, lower case; RSS, whatever its version declares, has no
prefix. Publishers miswrite namespace URIs (case, `https`, a slash more or less), so they are
compared in a normal form.
"""

from __future__ import annotations

from lxml import etree

_URIS = {
    "": (
        "http://purl.org/rss/1.0/",
        "http://my.netscape.com/rdf/simple/0.9/",
        "http://my.netscape.com/publish/formats/rss-0.91.dtd",
        "http://backend.userland.com/rss",
        "http://backend.userland.com/rss2",
        "http://backend.userland.com/rss091",
        "http://blogs.law.harvard.edu/tech/rss",
        "http://channel.netscape.com/rdf/simple/0.9/",
        "http://purl.org/net/rss1.1#",
    ),
    "atom": (
        "http://www.w3.org/2005/Atom",
        "http://purl.org/atom/ns#",
        "http://www.w3.org/1999/atom",
    ),
    "rdf": ("http://www.w3.org/1999/02/22-rdf-syntax-ns#",),
    "dc": ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/elements/1.0/"),
    "dcterms": ("http://purl.org/dc/terms/",),
    "content": ("http://purl.org/rss/1.0/modules/content/",),
    "media": ("http://search.yahoo.com/mrss/", "http://video.search.yahoo.com/mrss"),
    "itunes": (
        "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    ),
    "podcast": (
        "https://podcastindex.org/namespace/1.0",
        "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
    ),
    "sy": ("http://purl.org/rss/1.0/modules/syndication/",),
    "fh": ("http://purl.org/syndication/history/1.0",),
    "at": ("http://purl.org/atompub/tombstones/1.0",),
    "feedburner": ("http://rssnamespace.org/feedburner/ext/1.0",),
    "pheedo": ("http://www.pheedo.com/namespace/pheedo",),
    "xhtml": ("http://www.w3.org/1999/xhtml",),
    "slash": ("http://purl.org/rss/1.0/modules/slash/",),
    "wfw": ("http://wellformedweb.org/CommentAPI/",),
    "thr": ("http://purl.org/syndication/thread/1.0",),
    "georss": ("http://www.georss.org/georss",),
    "creativecommons": ("http://backend.userland.com/creativeCommonsRssModule",),
    "excerpt": ("http://wordpress.org/export/1.2/excerpt/",),
    "yandex": ("http://news.yandex.ru",),
    "googleplay": ("http://www.google.com/schemas/play-podcasts/1.0",),
}
ATOM = _URIS["atom"][0]
# What a prefix most likely meant that is not declared, or declared as something nobody knows.
WELL_KNOWN_PREFIXES = {
    **{prefix: uris[0] for prefix, uris in _URIS.items() if prefix},
    "rss": _URIS[""][0],
    "a10": ATOM,
    "dct": _URIS["dcterms"][0],
    "trackback": "http://madskills.com/public/xml/rss/module/trackback/",
    "xlink": "http://www.w3.org/1999/xlink",
}


def _normal(uri: str) -> str:
    uri = uri.strip().lower().removeprefix("http://").removeprefix("https://")
    return uri.rstrip("/#")


_PREFIX_OF = {_normal(uri): prefix for prefix, uris in _URIS.items() for uri in uris}
UNKNOWN = "?"
# What only RSS has, also where it stands in the namespace of Atom or XHTML.
_RSS_ONLY = frozenset((
    "channel", "item", "description", "pubdate", "guid", "enclosure", "comments", "image", "ttl",
    "lastbuilddate", "language", "managingeditor", "webmaster", "skiphours", "skipdays", "encoded",
))  # fmt: skip


class Names:
    """Short names of the tags of one document, remembered (`{uri}Local` → `prefix:local`)."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._adopted: dict[str, str] = {}

    def adopt(self, namespace: str, prefix: str) -> None:
        """Take an unknown namespace for the one that `prefix` stands for.

        Some publishers put a namespace of their own invention on the root of an RSS document.
        """
        if self.meaning_of(namespace) is None:
            self._adopted[namespace] = prefix
            self._known.clear()

    def learn(self, element: etree._Element) -> None:
        """Adopt the unknown namespaces that `element` binds to well-known prefixes."""
        for prefix, namespace in element.nsmap.items():
            well_known = WELL_KNOWN_PREFIXES.get((prefix or "").lower())
            if well_known is not None:
                self.adopt(namespace, self.meaning_of(well_known) or "")

    def meaning_of(self, namespace: str) -> str | None:
        """The prefix that stands for a namespace here, empty for RSS; None if it is unknown."""
        adopted = self._adopted.get(namespace)
        return _PREFIX_OF.get(_normal(namespace)) if adopted is None else adopted

    def of(self, tag: object) -> str:
        """The short name of an lxml tag; empty for comments and processing instructions."""
        if not isinstance(tag, str):
            return ""
        short = self._known.get(tag)
        if short is None:
            short = self._known[tag] = self._short(tag)
        return short

    def written(self, element: etree._Element) -> str:
        """The name of an element as its publisher wrote it, whatever its prefix is bound to."""
        local = etree.QName(element).localname.lower()
        return f"{element.prefix.lower()}:{local}" if element.prefix else local

    def _short(self, tag: str) -> str:
        if tag[0] != "{":
            return tag.lower()
        namespace, _, local = tag[1:].partition("}")
        local = local.lower()
        prefix = self.meaning_of(namespace)
        if prefix is None:
            prefix = UNKNOWN
        elif prefix in ("atom", "xhtml") and local in _RSS_ONLY:
            return "content:encoded" if local == "encoded" else local
        return f"{prefix}:{local}" if prefix else local
