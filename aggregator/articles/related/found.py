"""A publisher's related-news links, found by structure.

The rules, each leaving its name on what it finds:

* `heading` — a known heading ("Related News") and the list that belongs to it: the smallest block
  that begins with the heading, or the link blocks right after it, up to the next heading;
* `topic`, `read_more` — headings that count only when they share the article's subject;
* `marker` — "READ ALSO: …" before or inside a link;
* `card` — a block inside the running text that consists of links to articles;
* `named` — a block whose class, id or `aria-label` says related, if its titles share the subject;
* `link_rel`, `json_ld`, `select` — stated in the head, for machines, or by an operator's CSS.

Phrases are data (`data/*.txt`). No publisher's name or class appears in a rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from aggregator.articles.guard import prepared
from aggregator.articles.headings import Kind, normalised
from aggregator.articles.page import Page, absolute, read_page
from aggregator.articles.related.cards import read_cards, read_markers, read_named, read_stated
from aggregator.articles.related.labels import find_labels, level_of, rule_of
from aggregator.articles.related.listing import links_of
from aggregator.articles.related.survey import MAX_RELATED, Label, Survey, survey_of
from aggregator.model.article import RelatedLink
from aggregator.model.feed import FeedLink
from aggregator.model.settings import RelatedOverride
from aggregator.model.states import LinkRule

_MAX_LABELS = 60


def related_links(
    html: bytes | str, url: str, overrides: RelatedOverride | None = None
) -> tuple[RelatedLink, ...]:
    """Related links of one article page, in page order.

    Args:
        html: the page as received; any bytes at all.
        url: where it was found; relative links resolve against it.
        overrides: extra headings, and CSS that adds or removes links.

    Returns:
        Links with absolute URLs, each URL once. Empty for a page without any, or an empty shell.
    """
    survey = survey_of(read_page(prepared(html), url))
    return related_of(survey, overrides or RelatedOverride())


def related_of(survey: Survey, overrides: RelatedOverride) -> tuple[RelatedLink, ...]:
    """The same for a page already surveyed."""
    page = survey.page
    excluded = _covered(page, overrides.exclude)
    for start, _ in _covered(page, overrides.select):
        for anchor in page.anchors_in(start)[:MAX_RELATED]:
            survey.add(anchor, survey.text(anchor), None, LinkRule.SELECT)
    find_labels(survey, frozenset(normalised(h) for h in overrides.headings))
    announcing = [n for n in survey.labels if n.reading.kind is not Kind.ELSEWHERE]
    for label in announcing[:_MAX_LABELS]:
        _read_list(survey, label)
    read_named(survey)
    read_markers(survey)
    read_stated(survey)
    read_cards(survey)
    found = sorted(survey.found.values(), key=lambda f: f.anchor.node)
    kept = [f for f in found if not any(a <= f.anchor.node < b for a, b in excluded)]
    return tuple(
        RelatedLink(f.anchor.url, f.text[:300], f.heading, f.rule, i, "nofollow" in f.anchor.rel)
        for i, f in enumerate(kept[:MAX_RELATED])
    )


def related_of_entry(links: Iterable[FeedLink]) -> tuple[RelatedLink, ...]:
    """The `rel=related` links of a feed entry (RFC 4287 §4.2.7.2)."""
    found = dict.fromkeys(
        (url, link.title or "")
        for link in links
        if link.rel == "related" and (url := absolute(link.href, link.href)) is not None
    )
    return tuple(
        RelatedLink(url, text[:300], None, LinkRule.LINK_REL, i)
        for i, (url, text) in enumerate(list(found)[:MAX_RELATED])
    )


def _covered(page: Page, selectors: Iterable[str]) -> list[tuple[int, int]]:
    return [(n, page.end[n]) for s in selectors for n in page.positions(s)]


def _read_list(survey: Survey, label: Label) -> None:
    rule = rule_of(survey, label)
    page = survey.page
    if rule is None or (survey.is_apart(label.node) and not _ends_article(survey, label, rule)):
        return
    inside = page.in_link[label.node]
    if inside >= 0 and page.size(inside) > page.size(label.node) + 3:
        if rule is LinkRule.HEADING and page.chars[label.node] == page.chars[inside]:
            anchor = page.anchor_at[inside]  # a marker at the head of a card that is one link
            if survey.counts(anchor):
                survey.add(anchor, survey.text(anchor), label.text, LinkRule.MARKER)
        return
    if inside >= 0 and not level_of(page, label.node) and survey.leads(page.anchor_at[inside]):
        return  # a link that says "to the article"
    links = links_of(survey, label)
    below_or_in_text = survey.body.holds(label.node) or label.node >= survey.body.last
    if (
        rule is LinkRule.READ_MORE
        and label.text.rstrip().endswith((":", "："))
        and below_or_in_text
    ):
        block = page.block(label.node)
        links = [a for a in links if block < a.node < page.end[block]] or links[:1]
        rule = LinkRule.MARKER
    if rule is LinkRule.READ_MORE and 2 * survey.shares_subject(links) < len(links):
        return
    for anchor in links:
        survey.add(anchor, survey.text(anchor), label.text, rule)


def _ends_article(survey: Survey, label: Label, rule: LinkRule) -> bool:
    """Whether a heading in a footer below the text ends the article, and not the page.

    A page's footer may say "Related links" too: what is there must share the article's subject.
    """
    tags = [survey.page.tag[n] for n in survey.page.ancestors(label.node)]
    if rule is not LinkRule.HEADING or "nav" in tags or label.node < survey.body.last:
        return False
    links = links_of(survey, label)
    return 2 * survey.shares_subject(links) > len(links)
