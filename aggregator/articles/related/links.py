"""Whether a link may lead to an article, by its URL and its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
_SLUG = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]{2,}+[-_]++){3}|\d{6,}|[-_/][0-9a-f]{8,}", re.I)
_NUMBER = re.compile(r"\d{3,}")
_HEADLINE = re.compile(
    r"(?<![^\W\d_])(?:[^\W\d_]{2,}+[-_]++){4}"
)  # five words: no person, no topic
_WORDS = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]")
_GENERIC = re.compile(
    r"^\W*(?:read more|more|mehr|weiterlesen|lire la suite|leer más|leggi|continua|details|"
    r"(?:\d+|no|keine)\s+(?:comments?|kommentare?|comentarios?|commentaires?|commenti)|comments?|"
    r"kommentare?|share|teilen|print|drucken|by\s.+|von\s.+|阅读全文|全文|详细|详情|更多|続きを読む)\W*$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Own:
    """The address of the page under search, and what it tells about addresses here."""

    url: str
    domain: str  # registrable
    form: tuple[str, ...]  # () when it tells nothing
    telling: bool  # whether it has a slug or a number: then articles here have one
    numbered: bool  # whether it has a number of three digits or more
    stem: str  # its host and path without suffix, to know its own further pages by

    def leads_to_article(self, anchor: Anchor) -> bool:
        """Whether the URL may be an article's: no home page, list, person, service or file.

        An address of the same form as this page's is one, whatever words stand in it.
        """
        try:
            parts = urlsplit(anchor.url)
        except ValueError:
            return False
        if not anchor.rel.isdisjoint(("sponsored", "author", "tag", "prev", "next")):
            return False
        host = (parts.hostname or "").lower()
        if _SERVICES.search(host) or _FILES.search(parts.path) or _FILES.search(parts.query):
            return False
        if _PROMOTION.search(parts.path) or "print=" in parts.query:
            return False
        domain = registrable_domain(host)
        path = unquote(parts.path)
        if self.telling and self.stem and (host + path).startswith(self.stem + "/"):
            return False  # a page of this article: its pictures, its comments, more like it
        segments = [s for s in path.lower().split("/") if s]
        if self.form and domain == self.domain and form_of(path, parts.query) == self.form:
            return True
        if not segments or (
            segments[-1].startswith(("index.", "default.", "home.")) and len(segments) == 1
        ):
            return bool(re.search(r"\d{3,}|[?&]p=", "?" + parts.query))
        lists = word_list("list_segments")
        if any(label in lists for label in host.removesuffix(domain).split(".")):
            return False
        if not any(s in lists for s in segments):
            return True
        if segments[-1] in lists:
            return False
        if _HEADLINE.search(segments[-1]):
            return True
        slug = bool(_SLUG.search(segments[-1])) or bool(_SLUG.search(path.rsplit("/", 2)[-1]))
        return slug and len(segments) >= 3 and segments[-2] not in lists  # `/authors/jane-doe-1234`

    def is_here(self, url: str) -> bool:
        """Whether a URL is of this page's site, or of one that shares its name."""
        return site_of(url) == site_of(self.url)

    def resembles(self, url: str) -> bool:
        """Whether an address has what tells articles apart here: numbers, or else slugs."""
        parts = urlsplit(url)
        said = unquote(parts.path) + "?" + parts.query
        if self.numbered:
            return bool(_NUMBER.search(said))
        return not self.telling or _telling(said)

    def looks_listed(self, url: str, text: str) -> bool:
        """Whether a link leads to a list, judged against the shape of the page's own URL.

        Where articles have slugs or numbers, a section's page has neither, and its name is short.
        """
        try:
            theirs = urlsplit(url)
        except ValueError:
            return True
        if not self.telling or _telling(theirs.path + "?" + theirs.query):
            return False
        if registrable_domain(theirs.hostname or "") != self.domain:
            return False
        segments = [s for s in theirs.path.split("/") if s]
        if len(segments) == 1 and segments[0].count("-") + segments[0].count("_") <= 1:
            return True
        return len(text.split()) <= 3 and title_size(text) < 40


def own_address(url: str) -> Own:
    """What the address of the page under search tells."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return Own(url, "", (), False, False, "")
    path = unquote(parts.path)
    host = (parts.hostname or "").lower()
    said = path if _telling(path) else path + "?" + parts.query  # else the query is but tracking
    return Own(
        url,
        registrable_domain(host),
        form_of(path, parts.query),
        _telling(said),
        bool(_NUMBER.search(said)),
        host + re.sub(r"\.\w{2,5}$", "", path.rstrip("/")) if _telling(path) else "",
    )


def form_of(path: str, query: str) -> tuple[str, ...]:
    """The form of an address: what stands in each segment, and the names of its parameters.

    Numbers, slugs and identifiers count as such; words under which sites keep lists count as
    themselves and all other words as words. () when the last part is none that tells pages apart.
    """
    segments = [s for s in path.lower().split("/") if s]
    form = [_kind_of(s) for s in segments]
    parameters = sorted(p.partition("=")[::2] for p in query.split("&") if "=" in p)
    named = [f"{name}={_kind_of(value)}" for name, value in parameters if re.search(r"\d", value)]
    if named:
        return (*form, *named)
    return tuple(form) if form and form[-1][:1] in "9#-" else ()


def _kind_of(segment: str) -> str:
    """`9` a number, `#` an identifier, `-` a slug, else the word itself or `w`; and the suffix."""
    stem, dot, suffix = segment.rpartition(".")
    if not dot or len(suffix) > 5:
        stem, suffix = segment, ""
    if stem.isdigit():
        kind = "9"
    elif len(_WORDS.findall(stem)) >= 3:
        kind = "-"
    elif re.search(r"\d", stem) and len(stem) >= 5:
        kind = "#"
    else:
        kind = stem if stem in word_list("list_segments") else "w"
    return f"{kind}.{suffix}" if suffix else kind


def is_title(text: str, least: int = 14) -> bool:
    """Whether a link's text may be a headline and not a category, a name or "read more"."""
    if title_size(text) < least or _GENERIC.match(text):
        return False
    return bool(_CJK.search(text)) or len(text.split()) >= 2


def _telling(path: str) -> bool:
    return bool(_SLUG.search(path)) or bool(_NUMBER.search(path))


def site_of(url: str) -> str:
    """A publisher's name as its hosts share it: `bbc` of www.bbc.com and news.bbc.co.uk."""
    try:
        return _name_of(urlsplit(url).hostname or "")
    except ValueError:
        return ""


@lru_cache(maxsize=4_096)
def _name_of(host: str) -> str:
    return registrable_domain(host).partition(".")[0]
