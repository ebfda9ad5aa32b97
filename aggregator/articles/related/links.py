"""Whether a link may lead to an article, by its URL and its text."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from aggregator.articles.lists import word_list
from aggregator.articles.page import Anchor
from aggregator.articles.size import title_size
from aggregator.urls.origin import registrable_domain

_FILES = re.compile(
    r"\.(?:jpe?g|png|gif|webp|svg|mp3|mp4|pdf|zip|xml|rss|ics|css|js|exe|apk)$", re.I
)
_SERVICES = re.compile(
    r"(?:^|\.)(?:facebook|twitter|x|linkedin|pinterest|reddit|instagram|tiktok|youtube|youtu|t|"
    r"whatsapp|telegram|vk|ok|weibo|tumblr|flipboard|threads|bsky|line|getpocket|mastodon|"
    r"outbrain|taboola|doubleclick|googleadservices|googlesyndication|google|apple|spotify|deezer|"
    r"amazon|amzn|shopping|awin1|zenaps|tradedoubler|adform|criteo|adservice|wa|fb|discord|twitch|"
    r"revcontent|mgid|plista|ligatus|teads|zergnet|viber|messenger|disqus|addtoany|sharethis)"
    r"\.(?:com|net|org|me|be|ru|de|fr|es|it|cn|gg|tv|app|social|ly|gl|eu|at|nl|co\.uk|co\.jp|jp)$"
)
_PROMOTION = re.compile(
    r"newsletter|subscri(?:be|ption)|/(?:apps?|print|drucken|imprimir)[-/.]|/print$|"
    r"privacy[-_]policy|terms[-_](?:of|and)|cookie[-_]policy",
    re.I,
)
_SLUG = re.compile(r"(?:[^\W\d_]{2,}[-_]+){3,}|\d{6,}|[-_/][0-9a-f]{8,}", re.I)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]")
_GENERIC = re.compile(
    r"^\W*(?:read more|more|mehr|weiterlesen|lire la suite|leer más|leggi|continua|details|"
    r"(?:\d+|no|keine)\s+(?:comments?|kommentare?|comentarios?|commentaires?|commenti)|comments?|"
    r"kommentare?|share|teilen|print|drucken|by\s.+|von\s.+|阅读全文|全文|详细|详情|更多|続きを読む)\W*$",
    re.I,
)


def leads_to_article(anchor: Anchor) -> bool:
    """Whether the URL may be an article's: no home page, list, person, service or file."""
    try:
        parts = urlsplit(anchor.url)
    except ValueError:
        return False
    if "sponsored" in anchor.rel or "author" in anchor.rel or "tag" in anchor.rel:
        return False
    host = (parts.hostname or "").lower()
    if _SERVICES.search(host) or any(
        label in word_list("list_segments") for label in host.split(".")[:-2]
    ):
        return False
    if _FILES.search(parts.path) or _FILES.search(parts.query):
        return False
    if _PROMOTION.search(parts.path) or "print=" in parts.query:
        return False
    path = unquote(parts.path)
    segments = [s for s in path.lower().split("/") if s]
    if not segments or (
        segments[-1].startswith(("index.", "default.", "home.")) and len(segments) == 1
    ):
        return bool(re.search(r"\d{3,}|[?&]p=", "?" + parts.query))
    slug = bool(_SLUG.search(segments[-1])) or bool(_SLUG.search(path.rsplit("/", 2)[-1]))
    listed = any(s in word_list("list_segments") for s in segments)
    if listed:
        return (
            slug
            and segments[-1] not in word_list("list_segments")
            and len(segments) >= 3
            and not _person(segments)
        )
    return True


def _person(segments: list[str]) -> bool:
    """`/authors/jane-doe-1234`: the segment after the list's name is the last one."""
    return len(segments) >= 2 and segments[-2] in word_list("list_segments")


def is_title(text: str, least: int = 14) -> bool:
    """Whether a link's text may be a headline and not a category, a name or "read more"."""
    if title_size(text) < least or _GENERIC.match(text):
        return False
    return bool(_CJK.search(text)) or len(text.split()) >= 2


def looks_listed(url: str, text: str, own_url: str) -> bool:
    """Whether a link leads to a list, judged against the shape of the article's own URL.

    Where articles have slugs or numbers, a section's page has neither, and its name is short.
    """
    try:
        theirs, own = urlsplit(url), urlsplit(own_url)
    except ValueError:
        return True
    if theirs.hostname != own.hostname or not _telling(own.path + "?" + own.query):
        return False
    if _telling(theirs.path + "?" + theirs.query):
        return False
    segments = [s for s in theirs.path.split("/") if s]
    if len(segments) == 1 and segments[0].count("-") + segments[0].count("_") <= 1:
        return True
    return len(text.split()) <= 3 and title_size(text) < 30


def _telling(path: str) -> bool:
    return bool(_SLUG.search(path)) or bool(re.search(r"\d{3,}", path))


def site_of(url: str) -> str:
    """A publisher's name as its hosts share it: `bbc` of www.bbc.com and news.bbc.co.uk."""
    try:
        return _name_of(urlsplit(url).hostname or "")
    except ValueError:
        return ""


@lru_cache(maxsize=4_096)
def _name_of(host: str) -> str:
    return registrable_domain(host).partition(".")[0]
