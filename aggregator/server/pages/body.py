"""A publisher's text within a page of ours: what is said of it to those who do not see it.

Publishers leave out words for pictures, names of links and levels of headings. Their text is kept
as it is stored and served; on a page it gets what the page needs to be read aloud (WCAG 2.2: 1.1.1,
2.4.4, 4.1.2; headings in order). Sanitised HTML has its attributes in double quotes.
"""

from __future__ import annotations

import re
from html import escape, unescape

from aggregator.urls.origin import split

_ATTRIBUTES = r'(?: [\w-]+(?:="[^"]*")?)*+'
_HEADING = re.compile(rf"<(/?)h([1-6])({_ATTRIBUTES})>")
_PICTURE = re.compile(rf"<img({_ATTRIBUTES})( /)?>")
_FRAME = re.compile(rf"<iframe({_ATTRIBUTES})></iframe>")
_WIDE = re.compile(rf"<(table|pre)({_ATTRIBUTES})>")
# A link around nothing but tags.
_WORDLESS = re.compile(rf"<a({_ATTRIBUTES})>((?:\s|<(?!/?a[ >])/?\w+{_ATTRIBUTES}(?: /)?>)*+)</a>")
_VALUE = re.compile(r' ([\w-]+)="([^"]*)"')
_FIRST = 2  # the level of the first heading below the title of the page


def spoken(html: str) -> str:
    """The text with alternatives of pictures, names of links, and headings in order.

    Frames become links; tables and code can be scrolled by keys.
    """
    html = _WORDLESS.sub(_named_link, html)
    html = _PICTURE.sub(_with_alternative, html)
    html = _WIDE.sub(_reachable, html)
    html = _FRAME.sub(_linked_frame, html)
    return _headings_in_order(html)


def _headings_in_order(html: str) -> str:
    """No level is left out on the way down; what stands on one level stays on one."""
    levels: list[tuple[int, int]] = []  # the publisher's and ours, of the headings around this one
    ours = _FIRST

    def placed(tag: re.Match[str]) -> str:
        nonlocal ours
        if not tag[1]:
            level = int(tag[2])
            while levels and levels[-1][0] >= level:
                levels.pop()
            ours = min(6, levels[-1][1] + 1 if levels else _FIRST)
            levels.append((level, ours))
        return f"<{tag[1]}h{ours}{tag[3]}>"

    return _HEADING.sub(placed, html)


def _with_alternative(tag: re.Match[str]) -> str:
    if " alt=" in tag[1] or tag[1].endswith(" alt"):
        return tag[0]
    return f'<img{tag[1]} alt=""{tag[2] or ""}>'  # nobody wrote what it shows


def _reachable(tag: re.Match[str]) -> str:
    """What may be wider than the page is scrolled by keys too."""
    return tag[0] if " tabindex=" in tag[2] else f'<{tag[1]}{tag[2]} tabindex="0">'


def _linked_frame(tag: re.Match[str]) -> str:
    """A player as a link: pages of ours show no frame of anybody (`frame-src`)."""
    values = dict(_VALUE.findall(tag[1]))
    if "src" not in values:
        return ""
    said = values.get("title", "").strip() or f"Embedded from {_host(values['src'])}"
    return f'<a href="{values["src"]}" rel="noreferrer">{said}</a>'


def _named_link(tag: re.Match[str]) -> str:
    spoken_inside = any(
        key in ("alt", "title") and value.strip() for key, value in _VALUE.findall(tag[2])
    )
    values = dict(_VALUE.findall(tag[1]))
    named = any(values.get(key, "").strip() for key in ("title", "aria-label"))
    if spoken_inside or named or "href" not in values:
        return tag[0]
    return f'<a{tag[1]} aria-label="Link to {_host(values["href"])}">{tag[2]}</a>'


def _host(address: str) -> str:
    """The host of an address, as an attribute holds it."""
    parts = split(unescape(address))
    return escape(parts.host) if parts is not None and parts.host else "another page"
