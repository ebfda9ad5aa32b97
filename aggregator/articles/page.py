"""A page as columns: one walk over the tree, then everything is arithmetic on positions.

Nodes are numbered in document order; the subtree of node `i` is `range(i, end[i])`. Sums of text
and of link text up to each node make "how much of this block is link" one subtraction, which
keeps the related-links rules linear in the size of the page.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from aggregator.articles.windows import clear_windows
from aggregator.markup.elements import names

MAX_NODES = 80_000  # of 106 pages of many publishers the largest had 5,600
MAX_LINKS = 10_000
MAX_URL = 2_000
MAX_DEPTH = 600

_SKIPPED = names("script style svg template select datalist textarea math object applet map head")
BLOCKS = names(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr li main nav ol p pre section summary "
    "table tbody td tfoot th thead tr ul noscript amp-accordion amp-carousel"
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Anchor:
    """One `<a href>`: where it is, where it leads, what it says."""

    node: int
    url: str  # absolute, without fragment
    key: str  # for "the same page": host without www, path, query without tracking
    text: str
    rel: frozenset[str]


@dataclass(slots=True)
class Page:
    """The columns. Text nodes have the tag `-text`; `text[i]` is "" for elements."""

    url: str
    tree: LexborHTMLParser
    tag: list[str] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # id and class, lower case
    text: list[str] = field(default_factory=list)
    chars: list[int] = field(default_factory=list)  # text before node i, white space collapsed
    link_chars: list[int] = field(default_factory=list)
    in_link: list[int] = field(default_factory=list)  # the enclosing <a href>, or -1
    blocks: list[int] = field(default_factory=list)  # the nearest block at or above
    anchors: list[Anchor] = field(default_factory=list)
    anchor_at: dict[int, Anchor] = field(default_factory=dict)
    attributes: dict[int, dict[str, str | None]] = field(default_factory=dict)
    node_of: dict[int, int] = field(default_factory=dict)  # selectolax mem_id → position
    depth: int = 0  # deepest element seen
    cleared: bool = False  # whether windows above the page were taken out of its tree

    @property
    def heavy(self) -> bool:
        """Too deep or too large for libraries that recurse, or copy the tree several times."""
        return self.depth > 200 or len(self.tag) >= MAX_NODES or self.chars[-1] > 1_000_000

    def size(self, node: int) -> int:
        """Characters of text in a subtree."""
        return self.chars[self.end[node]] - self.chars[node]

    def link_size(self, node: int) -> int:
        """Characters of text inside links in a subtree."""
        return self.link_chars[self.end[node]] - self.link_chars[node]

    def string(self, node: int, limit: int = 400) -> str:
        """The text of a subtree, white space collapsed, at most about `limit` characters."""
        parts: list[str] = []
        length = 0
        for i in range(node, self.end[node]):
            piece = self.text[i]
            if piece:
                parts.append(piece)
                length += len(piece)
                if length > limit:
                    break
            elif parts and (self.tag[i] in BLOCKS or self.tag[i] == "br"):
                parts.append(" ")
        return " ".join("".join(parts).split())

    def children(self, node: int) -> list[int]:
        """Positions of the child nodes."""
        found = []
        i = node + 1
        while i < self.end[node]:
            found.append(i)
            i = self.end[i]
        return found

    def ancestors(self, node: int) -> list[int]:
        """Positions from the parent up to the root."""
        found = []
        node = self.parent[node]
        while node >= 0:
            found.append(node)
            node = self.parent[node]
        return found

    def block(self, node: int) -> int:
        """The nearest block element at or above a node."""
        return self.blocks[node]

    def anchors_in(self, node: int) -> list[Anchor]:
        """The links of a subtree, in order."""
        first = bisect_left(self.anchors, node, key=lambda a: a.node)
        last = bisect_left(self.anchors, self.end[node], key=lambda a: a.node)
        return self.anchors[first:last]

    def positions(self, selector: str) -> list[int]:
        """Positions of what a CSS selector finds; nothing for an invalid selector."""
        try:
            found = self.tree.css(selector)
        except SelectolaxError:
            return []
        return [self.node_of[n.mem_id] for n in found if n.mem_id in self.node_of]


def read_page(html: str, url: str) -> Page:
    """Build the tree and walk it once. `html` has been through `guard.prepared`."""
    tree = LexborHTMLParser(html)
    page = Page(url, tree)
    page.cleared = clear_windows(tree)
    base = _base(tree, url)
    _walk(page, base)
    return page


_WHOLE = re.compile(r"https?://[a-z0-9.-]+\.[a-z]+(?:[/?#](?!.*/\.\.?/)|$)")


def absolute(base: str, href: str) -> str | None:
    """`href` as an absolute http(s) URL without fragment, or None if it is none."""
    href = href.strip()
    if not href or len(href) > MAX_URL or href[0] == "#":
        return None
    if _WHOLE.match(href) and not _SPACE.search(href):
        return href.partition("#")[0]  # most links: nothing to resolve
    try:
        joined = urljoin(base, href)
        parts = urlsplit(joined)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
    except ValueError:
        return None
    joined = joined.partition("#")[0]
    return _SPACE.sub("%20", joined)


_TRACKING = re.compile(
    r"^(?:utm_\w+|at_\w+|fbclid|gclid|dclid|igshid|mc_[ce]id|ref|refsrc|cmp(?:id)?|cid|icid|ito|"
    r"int_?\w*|source|src|spm|from|wt_\w+|ns_\w+|xtor|traffic_source|reco\w*|itm_\w+)$",
    re.I,
)


def page_key(url: str) -> str:
    """What two URLs of the same page usually share: enough to drop self-links and repeats."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    host = re.sub(r"^(?:www\d?|m|amp|mobile)\.", "", (parts.hostname or "").lower())
    path = re.sub(r"/(?:index|default)\.\w{3,5}$", "/", parts.path)
    path = path.rstrip("/").removesuffix("/amp") or "/"
    path = re.sub(r"(?<=\d{4})[_-]\d{1,2}(?=\.\w{3,5}$)", "", path)  # pages of one article
    query = "&".join(
        sorted(q for q in parts.query.split("&") if q and not _TRACKING.match(q.partition("=")[0]))
    )
    return f"{host}{path}?{query}" if query else f"{host}{path}"


def _base(tree: LexborHTMLParser, url: str) -> str:
    found = tree.css_first("base[href]")
    if found is not None:
        href = found.attributes.get("href") or ""
        return absolute(url, href) or url
    return url


def _walk(page: Page, base: str) -> None:
    tag, parent, end, text = page.tag, page.parent, page.end, page.text
    chars, link_chars, in_link = page.chars, page.link_chars, page.in_link
    blocks = page.blocks
    total = linked = 0
    stack: list[tuple[LexborNode, int, int]] = []  # node, position, enclosing link
    node: LexborNode | None = page.tree.root
    up, link = -1, -1
    while node is not None:
        position = -1
        descend = False
        if len(tag) >= MAX_NODES:
            break
        if node.is_text_node:
            piece = node.text_content or ""
            collapsed = " ".join(piece.split())
            size = len(collapsed)
            if collapsed or (piece and _parts_words(node)):
                if piece[0].isspace():
                    collapsed = " " + collapsed
                if size and piece[-1].isspace():
                    collapsed += " "
                position = len(tag)
                tag.append("-text")
                page.names.append("")
                text.append(collapsed)
                parent.append(up)
                end.append(position + 1)
                chars.append(total)
                link_chars.append(linked)
                in_link.append(link)
                blocks.append(blocks[up] if up >= 0 else position)
                total += size
                if link >= 0:
                    linked += size
        elif node.is_element_node:
            name = node.tag
            if name is not None and name not in _SKIPPED:
                position = len(tag)
                attributes = node.attributes
                tag.append(name)
                page.names.append(
                    f"{attributes.get('id') or ''} {attributes.get('class') or ''}"[:300].lower()
                    if attributes
                    else ""
                )
                text.append("")
                parent.append(up)
                end.append(position + 1)
                chars.append(total)
                link_chars.append(linked)
                inner = link
                if name == "a" and len(page.anchors) < MAX_LINKS:
                    href = absolute(base, attributes.get("href") or "")
                    if href is not None:
                        rel = frozenset((attributes.get("rel") or "").lower().split()[:8])
                        anchor = Anchor(position, href, page_key(href), "", rel)
                        page.anchors.append(anchor)
                        page.anchor_at[position] = anchor
                        inner = position
                in_link.append(inner)
                blocks.append(position if name in BLOCKS or up < 0 else blocks[up])
                if attributes:
                    page.attributes[position] = attributes
                page.node_of[node.mem_id] = position
                descend = len(stack) < MAX_DEPTH
        if descend and (child := node.child) is not None:
            stack.append((node, position, link))
            page.depth = max(page.depth, len(stack))
            node, up, link = child, position, in_link[position]
            continue
        while True:
            following = node.next
            if following is not None:
                node = following
                break
            if not stack:
                node = None
                break
            node, closed, link = stack.pop()
            end[closed] = len(tag)
            up = stack[-1][1] if stack else -1
    for _, open_position, _ in stack:
        end[open_position] = len(tag)
    chars.append(total)
    link_chars.append(linked)
    for anchor in page.anchors:
        anchor.text = _anchor_text(page, anchor.node)


def _parts_words(blank: LexborNode) -> bool:
    """Whether white space stands between two inline elements, and is all that parts their words."""
    before, after = blank.prev, blank.next
    return (
        before is not None
        and after is not None
        and before.is_element_node
        and after.is_element_node
        and before.tag not in BLOCKS
        and after.tag not in BLOCKS
    )


def _anchor_text(page: Page, node: int) -> str:
    said = page.string(node)
    if said:
        return said
    attributes = page.attributes.get(node, {})
    said = attributes.get("aria-label") or attributes.get("title") or ""
    if not said:
        for i in range(node + 1, page.end[node]):
            if page.tag[i] in ("img", "amp-img"):
                said = page.attributes.get(i, {}).get("alt") or ""
                break
    return " ".join(said.split())[:400]
