"""The outlet made visible: no feed reader tried shows Atom's or RSS' `source`.

Deduplication never sees it: it is added when a view is rendered.
"""

from __future__ import annotations

from dataclasses import replace

from aggregator.model.item import ServedItem
from aggregator.model.settings import Byline
from aggregator.publish.values import authors


def with_byline(item: ServedItem, byline: Byline) -> ServedItem:
    """The item with its outlet beside the author, or before the headline."""
    outlet = item.source.title
    if byline is Byline.SOURCE:
        who = ", ".join(authors(item))
        said = outlet if not who or outlet in who else f"{who} – {outlet}"
        return replace(item, author=said, authors=(said,))
    if byline is Byline.TITLE_PREFIX and not item.title.startswith(outlet):
        return replace(item, title=f"{outlet}: {item.title}")
    return item
