"""Namespaces of feeds, and the short names by which the reader knows their elements.

An element is known as `prefix:local`, lower case; RSS, whatever its version declares, has no
prefix. Publishers miswrite namespace URIs (case, `https`, a slash more or less), so they are
compared in a normal form.
"""

from __future__ import annotations

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
    "feedburner": ("http://rssnamespace.org/feedburner/ext/1.0",),
    "pheedo": ("http://www.pheedo.com/namespace/pheedo",),
    "xhtml": ("http://www.w3.org/1999/xhtml",),
    "slash": ("http://purl.org/rss/1.0/modules/slash/",),
    "wfw": ("http://wellformedweb.org/CommentAPI/",),
    "thr": ("http://purl.org/syndication/thread/1.0",),
    "georss": ("http://www.georss.org/georss",),
    "creativecommons": ("http://backend.userland.com/creativeCommonsRssModule",),
    "googleplay": ("http://www.google.com/schemas/play-podcasts/1.0",),
}
# What an undeclared prefix most likely meant.
WELL_KNOWN_PREFIXES = {
    **{prefix: uris[0] for prefix, uris in _URIS.items() if prefix},
    "a10": "http://www.w3.org/2005/Atom",
    "trackback": "http://madskills.com/public/xml/rss/module/trackback/",
    "xlink": "http://www.w3.org/1999/xlink",
}


def _normal(uri: str) -> str:
    uri = uri.strip().lower().removeprefix("http://").removeprefix("https://")
    return uri.rstrip("/#")


_PREFIX_OF = {_normal(uri): prefix for prefix, uris in _URIS.items() for uri in uris}
UNKNOWN = "?"


class Names:
    """Short names of the tags of one document, remembered (`{uri}Local` → `prefix:local`)."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._adopted: dict[str, str] = {}

    def adopt(self, tag: object, prefix: str) -> None:
        """Take the unknown namespace of `tag` for the one that `prefix` stands for.

        Some publishers put a namespace of their own invention on the root of an RSS document.
        """
        if isinstance(tag, str) and tag[0] == "{" and self.of(tag).startswith(UNKNOWN):
            self._adopted[tag[1:].partition("}")[0]] = prefix
            self._known.clear()

    def of(self, tag: object) -> str:
        """The short name of an lxml tag; empty for comments and processing instructions."""
        if not isinstance(tag, str):
            return ""
        short = self._known.get(tag)
        if short is None:
            short = self._known[tag] = self._short(tag)
        return short

    def _short(self, tag: str) -> str:
        if tag[0] != "{":
            return tag.lower()
        uri, _, local = tag[1:].partition("}")
        prefix = self._adopted.get(uri)
        if prefix is None:
            prefix = _PREFIX_OF.get(_normal(uri), UNKNOWN)
        return f"{prefix}:{local.lower()}" if prefix else local.lower()
