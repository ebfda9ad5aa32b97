"""The lead picture of an article, its caption and its credit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.articles.body_span import BodySpan
from aggregator.articles.page import BLOCKS, HEADINGS, Page, absolute
from aggregator.articles.size import title_size
from aggregator.model.article import LeadImage

_CREDIT_END = re.compile(
    r"[(\[（【]\s*+((?:photos?|image|picture|pic|foto|bild|photograph|credit|source|file photo|"
    r"courtesy|xinhua|reuters|(?-i:AP|AFP|EPA|EFE)\b|getty|dpa|ansa|crédit|фото|摄影|图片来源|图源|"
    r"摄|图)[^)\]）】]{0,120})[)\]）】]?\s*+(?:[.。]\s*+)?$",
    re.I,
)
_CREDIT_TAIL = re.compile(
    r"(?:^|[\s.。!?|/])((?:photo(?:graph)?(?: credit| by|:)|image(?: credit|:)|picture(?: by|:)|"
    r"credit:|fotos?\s*:|bild:|crédits?(?: photo)?\s*:|©|\(c\)|фото:|图片来源[:：]|图源[:：])"
    r"\s*[^.]{2,120})$",
    re.I,
)
_CREDIT_ZH = re.compile(r"[\s。](\S{0,12}?[记記]者?\s*\S{2,4}\s*[摄攝])\s*$")
_CREDIT_WORD = re.compile(
    r"^(?:photo(?:graph)?s?|image|picture|pic|foto|bild|credits?|source|crédits?(?: photo)?|фото|"
    r"图片来源|图源)?\s*(?:credit|courtesy of|by|from|von|de|di)?\s*[:：]?\s*",
    re.I,
)
NO_STORY_PICTURE = re.compile(  # pictures that are no picture of the story
    r"(?:^|[\W_])(?:logo|icon|avatar|pixel|spacer|blank|share|sprite|qr|qr-?code|ewm|erweima|"
    r"weixin|wechat)\d*(?:[\W_]|$)|二维码|扫一扫",
    re.I,
)
_NAMED_CAPTION = re.compile(
    r"caption|cutline|legend|bildunterschrift|photo-?(?:desc|text|info)|img-?(?:desc|text|info)|"
    r"pic-?(?:desc|text|info)|imgnote|tuzhu|zhaiyao|wp-caption-text|desc"
)
_NAMED_CREDIT = re.compile(r"credit|copyright|photographer|source|fotograf|urheber|autor")
_MOST_SAID = 600  # letters of class, address and alternative text that are looked at
_MOST_UNMARKED = 300  # letters; a longer text beside a picture is a paragraph unless in a figure


@dataclass(slots=True)
class Pictures:
    """The lead image and all caption texts of the body, which are no paragraphs."""

    lead: LeadImage | None = None
    captions: tuple[str, ...] = ()


def read_pictures(page: Page, body: BodySpan, named: Sequence[str]) -> Pictures:
    """Find the lead picture.

    Args:
        named: image URLs from JSON-LD and OpenGraph, best first.
    """
    base = page.url
    captions: list[str] = []
    lead: tuple[str, str | None, str | None] | None = None
    zone = _zone(page, body)
    wanted = [_stem(u) for u in named]
    for node in zone:
        url = _source(page, node, base)
        if url is None or _tiny(page, node):
            continue
        caption, credit = _caption(page, body, node)
        if caption and title_size(caption) < 15 and not credit:
            caption = None
        if caption:
            captions.append(caption)
        if credit:
            captions.append(credit)
        early = body.first < 0 or node < _early(body)
        if _stem(url) in wanted:
            if lead is None or lead[1] is None:
                lead = (url, caption, credit)
        elif lead is None and (early or not named):
            lead = (url, caption, credit)
    text, credit = _split(lead[1], lead[2]) if lead else (None, None)
    if named:
        same = lead is not None and (_stem(lead[0]) in wanted or text is not None)
        image = LeadImage(named[0], text if same else None, credit if same else None)
    elif lead:
        image = LeadImage(lead[0], text, credit)
    else:
        return Pictures(None, tuple(captions))
    return Pictures(image, tuple(captions))


def _early(body: BodySpan) -> int:
    """The second paragraph: pictures above it belong to the head of the article."""
    return body.paragraphs[1] if len(body.paragraphs) > 1 else body.reach


def _zone(page: Page, body: BodySpan) -> list[int]:
    """Image nodes between the headline and the end of the text."""
    start = next((i for i, tag in enumerate(page.tag) if tag == "h1" and page.size(i)), -1)
    up = start
    while up >= 0 and not up <= body.root < page.end[up]:
        up = page.parent[up]
    if start > body.first >= 0 or up < 0 or page.tag[up] in ("body", "html"):
        start = body.root  # no headline, or one that has nothing to do with the text's block
    stop = page.end[body.root] if body.root >= 0 else 0
    return [
        i
        for i in range(max(start, 0), stop)
        if (page.tag[i] in ("img", "amp-img") and page.in_link[i] < 0) or _enlarges(page, i)
    ][:60]


def _enlarges(page: Page, node: int) -> bool:
    """A picture whose link is the picture again, or that stands in a figure with a caption."""
    if page.tag[node] not in ("img", "amp-img"):
        return False
    link = page.in_link[node]
    if link < 0:
        return True
    if page.attributes.get(link, {}).get("href", "") and re.search(
        r"\.(?:jpe?g|png|webp|gif)(?:\?|$)", page.anchor_at[link].url, re.I
    ):
        return True
    return any(page.tag[n] == "figure" for n in page.ancestors(node)[:4])


def _source(page: Page, node: int, base: str) -> str | None:
    attributes = page.attributes.get(node, {})
    for name in ("data-src", "data-original", "data-lazy-src", "src"):
        value = attributes.get(name) or ""
        if value and not value.startswith("data:"):
            return absolute(base, value)
    srcset = (attributes.get("srcset") or "").split(",")[0].split()
    return absolute(base, srcset[0]) if srcset else None


def _tiny(page: Page, node: int) -> bool:
    attributes = page.attributes.get(node, {})
    for name in ("width", "height"):
        value = (attributes.get(name) or "").removesuffix("px")
        if value.isdigit() and int(value) < 80:
            return True
    said = f"{page.names[node]} {attributes.get('src') or ''} {attributes.get('alt') or ''}"
    return bool(NO_STORY_PICTURE.search(said[:_MOST_SAID]))


def _caption(page: Page, body: BodySpan, node: int) -> tuple[str | None, str | None]:
    """Caption and separately marked credit of one image."""
    up = node
    for _ in range(6):
        up = page.parent[up]
        if up < 0 or page.tag[up] in ("body", "main", "article"):
            break
        if page.tag[up] == "figure" or _NAMED_CAPTION.search(page.names[up].replace("desc", "")):
            return _figure(page, up)
        if page.size(up) > 700:
            break
        for i in range(node, page.end[up]):
            if (
                page.names[i]
                and _NAMED_CAPTION.search(page.names[i])
                and page.size(i) > 0
                and title_size(page.string(i, 700)) <= _MOST_UNMARKED
            ):
                return page.string(i, 700), _inner_credit(page, i)
    return _beside(page, body, node), None


def _figure(page: Page, figure: int) -> tuple[str | None, str | None]:
    for i in range(figure, page.end[figure]):
        if page.tag[i] == "figcaption" and page.size(i):
            return page.string(i, 700), _inner_credit(page, i)
    return (
        (page.string(figure, 700), _inner_credit(page, figure))
        if page.size(figure)
        else (None, None)
    )


def _inner_credit(page: Page, node: int) -> str | None:
    for i in range(node + 1, page.end[node]):
        if page.names[i] and _NAMED_CREDIT.search(page.names[i]) and page.size(i):
            return page.string(i, 200)
    return None


def _beside(page: Page, body: BodySpan, node: int) -> str | None:
    """The block after an image in plain markup: centred, small, emphasised, or with a credit."""
    block = page.block(node)
    following = page.end[node]
    own = page.string(block, 700)
    if (
        own
        and page.size(block) < 600
        and page.tag[block] not in ("div", "article", "td", "section")
    ):
        return own if _captionlike(page, body, block, own) else None
    for _ in range(8):
        if following >= len(page.tag):
            return None
        if page.size(following) and page.tag[following] not in HEADINGS:
            break
        following = page.end[following] if not page.size(following) else following + 1
    else:
        return None
    while (
        page.tag[following] not in BLOCKS
        and page.tag[following] != "-text"
        and page.size(following) == page.size(following + 1)
    ):
        following += 1
    text = page.string(following, 700)
    if not 0 < len(text) <= 600:
        return None
    return text if _captionlike(page, body, following, text) else None


def _captionlike(page: Page, body: BodySpan, node: int, text: str) -> bool:
    """Whether a block looks unlike the text: a credit ends it, or it is centred or emphasised."""
    if title_size(text) > _MOST_UNMARKED or page.tag[node] in ("li", "blockquote"):
        return False
    if any(page.tag[n] in ("li", "blockquote") for n in page.ancestors(node)[:2]):
        return False
    last = bool(body.paragraphs) and node == body.paragraphs[-1]
    if not last and (
        _CREDIT_END.search(text) or _CREDIT_TAIL.search(text) or _CREDIT_ZH.search(text)
    ):
        return True  # the last paragraph ends in the agency's name
    if not _dressed_up(page, node):
        return False
    alike = sum(_dressed_up(page, n) for n in body.paragraphs[:20])
    return alike * 2 <= len(body.paragraphs[:20])


def _dressed_up(page: Page, node: int) -> bool:
    """Centred, or emphasised as a whole."""
    if page.tag[node] == "center" or any(page.tag[n] == "center" for n in page.ancestors(node)[:2]):
        return True
    attributes = page.attributes.get(node, {})
    style = f"{attributes.get('align') or ''} {attributes.get('style') or ''}".lower()
    if "center" in style:
        return True
    own = {page.tag[i] for i in range(node, page.end[node])} - {"-text", page.tag[node], "br"}
    return (
        bool(own)
        and own <= {"em", "i", "small", "font", "span"}
        and bool(own & {"em", "i", "small"})
    )


def _split(caption: str | None, credit: str | None) -> tuple[str | None, str | None]:
    """Caption without its credit, and the credit without the words around it."""
    if caption is None:
        return None, _bare_credit(credit)
    text = caption
    if credit:
        text = text.replace(credit, " ").strip()
    for pattern in (_CREDIT_END, _CREDIT_TAIL, _CREDIT_ZH):
        if found := pattern.search(text):
            credit = credit or found[1]
            text = text[: found.start(1)].rstrip(" ([（【")
            break
    text = " ".join(text.split()).strip(" |/")
    return text or None, _bare_credit(credit)


def _bare_credit(credit: str | None) -> str | None:
    if not credit:
        return None
    bare = " ".join(credit.split()).strip(" ()[]（）【】/|")
    bare = _CREDIT_WORD.sub("", bare, count=1).lstrip("©").strip(" /:：") or bare
    return bare[:200] or None


def _stem(url: str) -> str:
    """The file name of an image without size marks, to recognise it in another rendition."""
    name = url.rsplit("?", 1)[0].rstrip("/").rsplit("/", 1)[-1].lower()
    return (
        re.sub(r"[-_@]?(?:\d{2,4}x\d{2,4}|\d{1,6}w|x2|\d{2,4})?(?:\.\w{3,4})?$", "", name) or name
    )
