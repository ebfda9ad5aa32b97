"""The formats a view is served in, by the name that ends its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aggregator.model.item import FeedPage
from aggregator.publish import atom, jsonfeed, rss


@dataclass(frozen=True, slots=True)
class Format:
    """How a page becomes a document, and the media type it is sent as."""

    content_type: str
    render: Callable[[FeedPage], bytes]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "atom": Format(atom.CONTENT_TYPE, atom.render_atom),
        "rss": Format(rss.CONTENT_TYPE, rss.render_rss),
        "json": Format(jsonfeed.CONTENT_TYPE, jsonfeed.render_json),
    }
)
