"""Related links that no heading announces: markers, cards in the text, named blocks, statements."""

from __future__ import annotations

import re

from aggregator.articles.headings import Kind, read_heading, read_marker
from aggregator.articles.page import BLOCKS, Anchor, absolute, page_key
from aggregator.articles.related.labels import rule_of
from aggregator.articles.related.links import leads_to_article, site_of
from aggregator.articles.related.listing import links_between
from aggregator.articles.related.survey import MAX_RELATED, Survey, stands_apart
from aggregator.articles.size import title_size

_CROWD = 40  # links: more, and the block is a list of its own, no card


def read_markers(survey: Survey) -> None:
    """ "READ ALSO: title", with the marker in the link's own text."""
    page = survey.page
    for anchor in page.anchors:
        reading = read_marker(anchor.text)
        if reading is None or not survey.counts(anchor) or survey.is_apart(anchor.node):
            continue
        if reading.kind is Kind.READ_MORE and not survey.body.holds(anchor.node):
            continue
        survey.add(anchor, anchor.text, anchor.text[:40], "marker")


def read_cards(survey: Survey) -> None:
    """Blocks of links inside the running text."""
    page, body = survey.page, survey.body
    site = site_of(page.url)
    for anchor in page.anchors:
        if not body.first < anchor.node < body.reach or anchor.key in survey.found:
            continue
        if site_of(anchor.url) != site or not survey.counts(anchor):
            continue
        block = _card(survey, anchor)
        if block is None:
            continue
        if not body.holds(anchor.node) and not _right_below(survey, block):
            continue
        survey.add(anchor, survey.text(anchor), None, "card")


def _right_below(survey: Survey, block: int) -> bool:
    """Whether a block follows the last paragraph at once, with one link or on its subject."""
    page = survey.page
    if page.chars[block] != page.chars[page.end[survey.body.last]]:
        return False
    links = {a.key: a for a in page.anchors_in(block)}
    if len(links) == 1:
        return True
    return len(links) <= 4 and 2 * survey.shares_subject(list(links.values())) > len(links)


def _card(survey: Survey, anchor: Anchor) -> int | None:
    """The block of its own that a link in the body stands in, or None for a link in prose."""
    page, body = survey.page, survey.body
    top = anchor.node
    while page.parent[top] != body.root:
        up = page.parent[top]
        if up < 0 or up in body.spine or body.paragraphs_in(up):
            break
        top = up
    if page.tag[top] not in BLOCKS or body.paragraphs_in(top):
        return None
    if any(stands_apart(page, n) for n in (top, *page.ancestors(anchor.node))):
        return None
    pictured = any(
        page.tag[n] in ("figure", "figcaption") for n in page.ancestors(anchor.node) if n >= top
    )
    if pictured and any(page.tag[i] == "figcaption" for i in range(top, page.end[top])):
        return None  # a picture's own link
    block = page.block(anchor.node)
    beside = page.size(block) - page.link_size(block)
    if page.tag[block] in ("p", "li") and beside > max(20, page.link_size(block) // 4):
        return None
    links = page.anchors_in(top)
    if len(links) > _CROWD:
        return None
    articles = {a.key for a in links if survey.counts(a)}
    others = {a.key for a in links} - articles
    if len(articles) > 6 or len(others) > len(articles) + 2:
        return None
    for i in range(top, page.end[top]):
        label = survey.label_at.get(i)
        if label is None or page.in_link[i] >= 0 or rule_of(survey, label) == "heading":
            continue
        if label.reading.kind is not Kind.READ_MORE or len(articles) > 1:
            return None  # "Read more" is also what a card of one article ends with
    if page.size(top) > 500 * len(articles) or title_size(survey.text(anchor)) < 24:
        return None
    return top


_NAMED_RELATED = re.compile(
    r"(?:^|[\s_-])(?:related(?!-?(?:topic|tag|keyword|search|product|author|term|job|event))|"
    r"relate|relacionad[oa]s?|correlat[ie]|verwandt\w*|readalso|read-also|also-read|seealso|"
    r"see-also|more-on|moreon|lireaussi|lire-aussi|leggianche|leggi-anche|xgxw|xiangguan|relnews|"
    r"kanren)"
)


def read_named(survey: Survey) -> None:
    """Lists whose block is only named related (a class, an id, an `aria-label`).

    Names lie (`latestlist related`), so at least half of the titles must share the subject.
    """
    page = survey.page
    skip_until = 0
    for i, names in enumerate(page.names):
        if i < skip_until:
            continue
        attributes = page.attributes.get(i)
        if attributes is None or page.tag[i] in ("body", "html", "a", "link", "meta"):
            continue
        spoken = read_heading(attributes.get("aria-label") or "")
        told = spoken is not None and spoken.kind is Kind.RELATED
        if not told and not _NAMED_RELATED.search(names):
            continue
        if i in survey.body.spine or survey.body.paragraphs_in(i) or survey.is_apart(i):
            continue
        skip_until = page.end[i]
        if any(
            survey.label_at[j].reading.kind is Kind.ELSEWHERE and page.in_link[j] < 0
            for j in range(i, page.end[i])
            if j in survey.label_at
        ):
            continue
        links = links_between(survey, i, page.end[i], None)
        if told or (links and 2 * survey.shares_subject(links) >= len(links)):
            for anchor in links:
                survey.add(anchor, survey.text(anchor), None, "named")


def read_stated(survey: Survey) -> None:
    """`<link rel=related>` and schema.org `relatedLink`, which carry no text of their own."""
    page = survey.page
    stated = [
        (node.attributes.get("href") or "", node.attributes.get("title") or "", "link_rel")
        for node in page.tree.css('link[rel~="related"]')[:MAX_RELATED]
    ]
    stated += [(url, "", "json_ld") for url in survey.stated]
    for href, text, rule in stated[:MAX_RELATED]:
        url = absolute(page.url, href)
        if url is None:
            continue
        anchor = Anchor(len(page.tag), url, page_key(url), text, frozenset())
        if leads_to_article(anchor):
            seen = next((a for a in page.anchors if a.key == anchor.key and a.text), None)
            survey.add(anchor, text or (seen.text if seen else ""), None, rule)
