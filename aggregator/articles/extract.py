"""An article from a page: the one function that puts the parts of this room together."""

from __future__ import annotations

import re
from datetime import datetime

from aggregator.articles.body_span import find_body
from aggregator.articles.guard import prepared
from aggregator.articles.page import Page, read_page
from aggregator.articles.reading.body import Body, read_body
from aggregator.articles.reading.metadata import Metadata, read_metadata
from aggregator.articles.reading.picture import read_pictures
from aggregator.articles.reading.printed import dateline, read_printed
from aggregator.articles.related.found import related_of
from aggregator.articles.related.survey import survey_of
from aggregator.articles.size import title_size
from aggregator.articles.structured import read_structured
from aggregator.markup.text import clean, one_line
from aggregator.model.article import Article, LeadImage
from aggregator.model.settings import RelatedOverride

_ENOUGH = 400  # letters of text without a statement that the page is an article
_LEAST = 120  # with one
_ERROR = re.compile(
    r"^\W*(?:404|403|410|500|503)\b|page not found|not found|access denied|forbidden|just a moment|"
    r"are you a (?:robot|human)|captcha|attention required|seite nicht gefunden|page introuvable|"
    r"页面不存在|页面未找到|ページが見つかりません",
    re.I,
)


def extract_article(
    html: bytes | str,
    url: str,
    *,
    now: datetime,
    content_type: str | None = None,
    feed_title: str | None = None,
    overrides: RelatedOverride | None = None,
) -> Article:
    """Read one page.

    Args:
        html: the body as received; any bytes at all. At most 3 MiB are looked at.
        url: where it was found, after redirects; relative links resolve against it.
        now: the time of reading; a date more than a day later is none.
        content_type: the HTTP header, for its charset.
        feed_title: the title under which a feed or a link announced the page; it decides between
            title candidates that disagree.
        overrides: per-source rules for related links.

    Returns:
        What could be read; `is_article` is False, with a reason, for anything that is no article.
    """
    source = prepared(html, content_type)
    page = read_page(source, url)
    if page.cleared:
        source = page.tree.html or source
    span = find_body(page)
    said = read_structured(page)
    printed = read_printed(page, span)
    facts = read_metadata(source, page, span, said, printed, feed_title, now)
    pictures = read_pictures(page, span, facts.images)
    survey = survey_of(page, facts.titles[:3], span, said)
    links = related_of(survey, overrides or RelatedOverride())
    people = (facts.publisher, facts.source_line, facts.editor, *facts.authors)
    noise = {*printed.lines, *pictures.captions, *(link.text for link in links)}
    noise.update(name for name in people if name)
    body = read_body(source, page, span, noise, facts)
    is_article, reason = _judge(page, facts, body)
    place = facts.place or (dateline(body.paragraphs[0]) if body.paragraphs else None)
    return Article(
        url=url,
        title=_line(facts.titles[0]) if facts.titles else None,
        titles=tuple(one_line(t) for t in facts.titles),
        authors=tuple(one_line(a) for a in facts.authors),
        editor=_line(facts.editor),
        publisher=_line(facts.publisher),
        source_line=_line(facts.source_line),
        place=_line(place),
        published=facts.published,
        modified=facts.modified,
        language=facts.language,
        image=_image(pictures.lead),
        text=body.text,
        html=body.html,
        links=links,
        canonical=facts.canonical,
        amp_url=facts.amp_url,
        og_url=facts.og_url,
        robots=facts.robots,
        paywalled=facts.paywalled,
        is_article=is_article,
        reason=reason,
    )


def _line(text: str | None) -> str | None:
    return one_line(text) or None if text else None


def _image(image: LeadImage | None) -> LeadImage | None:
    if image is None:
        return None
    return LeadImage(clean(image.url), _line(image.caption), _line(image.credit))


def _judge(page: Page, facts: Metadata, body: Body) -> tuple[bool, str]:
    """Whether this is an article, and why (not)."""
    size = title_size(body.text)
    title = facts.titles[0] if facts.titles else ""
    if not title:
        return False, "no title"
    if _ERROR.search(title) and size < 1_000:
        return False, f"error page: {title[:80]}"
    if facts.says_article and size >= _LEAST:
        return True, f"says it is an article, {size} letters of text"
    if size < _ENOUGH:
        return False, f"too little text ({size} letters)"
    links = page.link_chars[-1]
    if links > 3 * len(body.text) and len(page.anchors) > 60 and len(body.paragraphs) < 4:
        return False, f"a list: {len(page.anchors)} links around {len(body.paragraphs)} paragraphs"
    return True, f"{size} letters of text in {len(body.paragraphs)} paragraphs"
