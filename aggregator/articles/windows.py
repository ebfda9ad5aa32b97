"""Windows above a page: consent, sign-up and settings dialogs, which readers see before the text.

Their text is long and well written, so that extractors take it for the article. The roles are
those of WAI-ARIA 1.2 (`dialog`, `alertdialog`, `aria-modal`) and the element `dialog` of HTML;
builders of pages that state no role name the element a modal or a popup.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

_STATED = "dialog, [role=dialog], [role=alertdialog], [aria-modal=true]"
_NAMED = "[class*=modal i], [class*=popup i]"
_NAME = re.compile(r"(?:[a-z0-9]+[-_]{1,2}){0,3}(?:modal|popup)", re.I)
_MOST = 400  # elements that are looked at
_LEAST = 300  # letters of a window that only its name tells; a shorter one misleads nobody
_PAGES = frozenset({"html", "body", "main", "article"})
_OPENS = frozenset({"a", "button"})  # what opens a window is named for it too


def clear_windows(tree: LexborHTMLParser) -> bool:
    """Take the windows out of a page; True where there were some.

    What holds the page's only `h1`, or half of its text, is the page itself: an application may
    show its articles in a dialog.
    """
    body = tree.body
    if body is None:
        return False
    found = tree.css(_STATED)[:_MOST]
    found += [
        n for n in tree.css(_NAMED)[:_MOST] if _is_named(n) and len(n.text(deep=True)) >= _LEAST
    ]
    windows = {n.mem_id: n for n in found if n.tag not in _PAGES and n.tag not in _OPENS}
    outermost = [n for n in windows.values() if not _within(n, windows)]
    if not outermost:
        return False
    whole = len(body.text(deep=True))
    heads = len(tree.css("h1"))
    cleared = False
    for window in outermost:
        own, size = len(window.css("h1")), len(window.text(deep=True))
        if 2 * size < whole and (not own or own < heads):
            window.decompose()
            cleared = True
    return cleared


def _is_named(node: LexborNode) -> bool:
    return any(_NAME.fullmatch(token) for token in (node.attributes.get("class") or "").split())


def _within(node: LexborNode, windows: dict[int, LexborNode]) -> bool:
    up = node.parent
    while up is not None:
        if up.mem_id in windows:
            return True
        up = up.parent
    return False
