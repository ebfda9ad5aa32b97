"""The canonical key of a page: equal keys are the same page, whatever link led there.

The key is for comparing only: it is never fetched and never shown as a link; the original URL is
kept untouched beside it. Syntax-based normalisation follows RFC 3986 §6.2.2, the rest is what
publishers really do (AMP and mobile twins, campaign tags, index files, redirectors).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import quote, unquote_to_bytes

from aggregator.urls.decoration import is_strong_number, names_and_numbers, undecorated
from aggregator.urls.grade import not_identity
from aggregator.urls.origin import SplitUrl, registrable_domain, split
from aggregator.urls.parameters import data_lines, is_tracking, may_pick_alone, picks
from aggregator.urls.unwrap import unwrap

_FOLDED = ("doi.org/",)  # names without regard to case: DOI Handbook §2.4
_MAX_LAYERS = 5  # redirector in redirector; a loop of them ends here
_MAX_SETTLING = 8
# Hosts for small screens, slow lines, resale: the same pages, drawn otherwise.
_TWIN_LABEL = re.compile(r"www|www-m|m\d?|mobile?\d?|amp\d?|wap\d?|touch|sp?|lite|text|syndication")
# Hosts for a kind of text: what an address with an article's name below them is elsewhere, too.
_KIND_LABELS = frozenset({"blog", "blogs", "news", "social", "rss", "feeds"})
_TWIN_LABEL_OF_LANGUAGE = re.compile(r"(?:m|amp|mobile)-(?=[a-z]{2}$)")  # m-en.example.org
_TWIN_FIRST_SEGMENTS = frozenset({"mobile", "_mobile"})
_AMP_SEGMENTS = frozenset({"amp", "_amp", ".amp", "amphtml", "google-amp", "alt=amp.html"})
# The mark inside a directory's name: /amp-story/…, /article_amp/…, /ampArticle/….
_AMP_INSIDE = re.compile(
    r"amp[-_](?=[a-z]+$)|(?<=[a-z])(?:[-_]amp|Amp)$|^amp(?=[A-Z][a-z]+$)"
    r"|^amp(?=(?:news|story|stories|articles?)$)"
)
# Some publishers put `amp` or `sp` (smartphone) where the page itself has one of these.
_FILLERS = frozenset({"article", "articles", "artikel", "-"})
_DISTINCTIVE = re.compile(r"(?=.*\d{6}).+|.{20,}")  # a last segment that stands for itself
_AMP_PARENTS = frozenset({"platform", "api", "google"})  # /platform/amp/…, /api/amp/…
# A slug may end in the word: of `-amp` alone a number must stand before.
_AMP_ENDING = re.compile(
    r"(?<=[^.])(?:\.(?:print|single)|[.~!]amp(?:\.html?)?|[-_]amp\.html?|(?:(?<=\d)|(?<=[0-9a-f]{12}))[-_]amp|\.amphtml"
    r"|[-_]amp(?=\.\w{2,5}$))$"
)
_LONG_ID = 9  # figures
_LONG_NUMBER = re.compile(r"\d[\d.]{6}")
_SLUG_LENGTH, _SLUG_WORDS, _ESCAPES = 18, 4, 24  # characters, words, escaped bytes
_SCRIPT = re.compile(r".*\.(?:php\d?|aspx?|jsp|jhtml|cgi|cfm|do|pl|dll|action)", re.IGNORECASE)
_DATED = re.compile(
    r"/(?:19|20)\d\d/(?:\d{1,2}|[a-z]{3})(?:/\d{1,2})?/(?=[^/]*[-_%\d])[^/]{6,}(?:/[^/]+)?"
)
_DAY = re.compile(r"(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?:\.\w+)?")
_ALL_PAGES = frozenset({"all", "komplettansicht", "single", "full"})
_PRINTED = frozenset(
    {"print", "printable", "(print)", "pdf-print", "drucken", "druckversion", "imprimir", "stampa"}
)
_NUMBERED = re.compile(r".*(?:\d{3}|[-_]).*")
_COMMENT_PAGE = re.compile(r"comment-page-\d+")
_PAGE_ENDING = re.compile(r"(?<=[^.])\.(?:html?|xhtml|shtml|stm)$", re.IGNORECASE)
_AMP_BEFORE_ENDING = re.compile(r"(?<=[^.])[-_.~]amp(?=\.(?:html?|php|aspx?)$)", re.IGNORECASE)
_INDEX_FILE = re.compile(r"index|default|(?i:index|default)\.[A-Za-z]{2,5}")
_SESSION_PARAMETER = re.compile(
    r";(?:jsessionid|phpsessid|sid)=[^/;]*|/\(S\(\w{24}\)\)", re.IGNORECASE
)
_GARBAGE_END = re.compile(
    r"(?:</?[a-z]*/?>?|[\"'<>\\`&]|%22|%3c|%3e|(?:%3f|\?)amp)$", re.IGNORECASE
)
_MOST_GARBAGE = 40  # pieces; taken off one by one, for one expression of all has exponential cases
_ROUTED = ("!", "/")  # fragments that a script turns into the page: #!…, #/…
# So it does where the path is no article's, and the fragment more than the name of a paragraph.
_PLACE = re.compile(r"(?!:~:)[^/]*/|[?{]|%7b", re.IGNORECASE)
_PATH_SAFE = "!$&'()*+,;=:@~"
_QUERY_SAFE = "!$'()*,:@~/?"


@dataclass(frozen=True, slots=True)
class UrlKey:
    """The key of a URL.

    `key` is `host[:port]/path[?query][#fragment]`, at most 2,000 characters. `identity` says
    whether it may identify an item; `reasons` says why not. `steps` names what was changed.
    """

    key: str
    identity: bool
    reasons: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


def url_key(
    url: str, *, extra_parameters: Sequence[str] = (), keep_fragment: bool = False
) -> UrlKey | None:
    """The canonical key of an http(s) URL; None where `url` is none. Never raises.

    Args:
        url: The link as its publisher wrote it.
        extra_parameters: Further tracking parameters, `*` for any run of characters.
        keep_fragment: Keep the fragment: for a document whose items differ by nothing else.
    """
    return _url_key(url, tuple(extra_parameters), keep_fragment)


@lru_cache(maxsize=4096)  # a document that changed lists the same addresses again, but for a few
def _url_key(url: str, extra_parameters: tuple[str, ...], keep_fragment: bool) -> UrlKey | None:
    steps: list[str] = []
    parts = _split_clean(url, steps)
    for _ in range(_MAX_LAYERS):
        target = unwrap(parts) if parts else None
        inner = _split_clean(target, steps) if target else None
        if inner is None:
            break
        steps.append("unwrapped")
        parts = inner
    if parts is None:
        return None
    host = _host(parts.host, steps)
    path = _path(parts.path, steps)
    named = _path_names_article(path) or _path_names_article(undecorated(path))
    pairs = _query(parts.query, host, extra_parameters, steps, path=path, named=named)
    routed = not named and (
        _PLACE.match(parts.fragment) is not None or (not path and "=" in parts.fragment)
    )
    fragment = _fragment(parts.fragment, host, extra_parameters, keep_fragment or routed, steps)
    pairs, fragment = _escaped_fragment(pairs, fragment)
    if parts.port not in (None, 80, 443):
        host = f"{host}:{parts.port}"
    key = f"{host}{path or '/'}"
    if pairs:
        key += "?" + "&".join(name if value is None else f"{name}={value}" for name, value in pairs)
    mapped = _site_rule(key)
    if mapped != key:
        steps.append("site rule")
    key, bare = _undecorated(mapped), mapped
    if key != bare:
        steps.append("words that pick nothing")
    if key.startswith(_FOLDED):
        key = key.lower()
    if fragment:
        key += f"#{fragment}"
    names = frozenset(name.casefold() for name, _ in pairs)
    reason = None if fragment else not_identity(host, path, names)
    if len(key) > 2000:
        reason = "longer than any article's address"
        key = key[:2000]
    return UrlKey(key, reason is None, (reason,) if reason else (), tuple(dict.fromkeys(steps)))


def _undecorated(key: str) -> str:
    address, mark, query = key.partition("?")
    host, slash, path = address.partition("/")
    shown = undecorated(slash + path)
    label, _, above = host.partition(".")
    if label in _KIND_LABELS and above == registrable_domain(host) and _names_by_words(shown):
        host = above
    return f"{host}{shown}{mark}{query}"


def _names_by_words(path: str) -> bool:
    return any(map(_names_article, path.split("/")[-1:])) and "-" in path.rpartition("/")[2]


def _split_clean(url: str, steps: list[str]) -> SplitUrl | None:
    """Split a link after repairing what pages do to it: HTML escapes, markup at the end."""
    if "&" in url:
        unescaped = url
        for escape in ("&amp;", "&#038;", "&#38;", "&AMP;"):
            unescaped = unescaped.replace(escape, "&")
        if unescaped != url:
            steps.append("HTML escapes")
            url = unescaped
    if url.startswith("//"):
        url = f"http:{url}"
    return split(html.unescape(url) if "&quot;" in url else url)


@lru_cache(maxsize=8192)
def _twin_free(host: str) -> str:
    """`host` without labels that only mark a rendering: www., m., amp., en.m.wikipedia.org."""
    if host.startswith("[") or "." not in host:
        return host
    owned = registrable_domain(host)
    if not host.endswith(owned) or host == owned:
        return host
    below = host[: -len(owned) - 1].split(".")
    kept = [
        _TWIN_LABEL_OF_LANGUAGE.sub("", label)
        for label in below
        if not _TWIN_LABEL.fullmatch(label)
    ]
    return ".".join([*kept, owned])


def _host(host: str, steps: list[str]) -> str:
    bare = _twin_free(host)
    if bare != host:
        steps.append("host twin")
    return bare


def _without_garbage(text: str) -> str:
    """Without the markup that pages leave at the end of a link."""
    for _ in range(_MOST_GARBAGE):
        found = _GARBAGE_END.search(text, max(0, len(text) - 64))
        if found is None:
            break
        text = text[: found.start()]
    return text


def _recode(raw: bytes, safe: str) -> str:
    """Percent-encode decoded bytes one way: NFC where they are UTF-8, as they are elsewhere."""
    try:
        return quote(unicodedata.normalize("NFC", raw.decode("utf-8")), safe=safe)
    except UnicodeDecodeError:
        return quote(raw, safe=safe)


def _path(path: str, steps: list[str]) -> str:
    """Canonical path: no trailing slash, dot segments, AMP and mobile marks, index file, ending."""
    cleaned = _without_garbage(_SESSION_PARAMETER.sub("", path))
    segments = [_recode(unquote_to_bytes(s), _PATH_SAFE) for s in cleaned.split("/") if s]
    for _ in range(_MAX_SETTLING):
        settled = _settle(_without_dots(segments))
        if settled == segments:
            break
        segments = settled
    result = "".join(f"/{segment}" for segment in segments)
    if result != path.rstrip("/"):
        steps.append("path")
    return result


def _without_dots(segments: Sequence[str]) -> list[str]:
    """RFC 3986 §5.2.4 over whole segments."""
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    return kept


def _names_article(segment: str) -> bool:
    """Whether a part of a path is an article's own name: four words, a long number, many escapes.

    What else the query says then is how a reader came there (`picks` has the exceptions).
    """
    words = segment.replace("_", "-").split("-")
    named = sum(1 for word in words if word and not word.isdecimal())
    return (
        (len(segment) >= _SLUG_LENGTH and named >= _SLUG_WORDS)
        or _LONG_NUMBER.search(segment) is not None
        or segment.count("%") >= _ESCAPES
    )


def _path_names_article(path: str) -> bool:
    """Whether one of the last two parts of a path does, and no script that has to be told more."""
    *before, last = path.split("/")[-2:]
    if _SCRIPT.fullmatch(last):
        return _names_article(last.rpartition(".")[0])
    if _names_article(last) and not _DAY.fullmatch(last):
        return True
    if any(_names_article(part) for part in before if not part.isdecimal()):
        return True
    return _DATED.search(path) is not None


def _settle(segments: list[str]) -> list[str]:
    """One round of taking off what marks a rendering and not a page."""
    kept: list[str] = []
    for place, segment in enumerate(segments):
        if segment == "AMP" and not _path_names_article("/" + "/".join(segments)):
            kept.append(segment)  # a share's name at an exchange
            continue
        if segment.casefold() in _AMP_SEGMENTS and len(segments) > 1:
            if len(kept) == 1 and kept[0] in _AMP_PARENTS:
                kept.pop()
            continue
        if (
            place < len(segments) - 1
            and "amp" in segment.casefold()
            and _path_names_article("/" + "/".join(segments))
        ):
            segment = _AMP_INSIDE.sub("", segment, count=1)  # noqa: PLW2901
        kept.append(segment)
    if len(kept) > 1 and (
        kept[0] in _TWIN_FIRST_SEGMENTS
        or (kept[0] == "sp" and kept[1] in _FILLERS)
        or (kept[0] == "m" and len(kept) > 2 and _names_article(kept[-1]))
    ):
        kept = kept[1:]
    if len(kept) > 1 and _names_article(kept[-2]):
        last = kept[-1].casefold()
        if last in _ALL_PAGES or _COMMENT_PAGE.fullmatch(last):
            kept = kept[:-1]
    if len(kept) > 1 and kept[-1] == "mobile" and is_strong_number(kept[-2]):
        kept = kept[:-1]
    if len(kept) > 1 and kept[-1].casefold() in _PRINTED and _NUMBERED.fullmatch(kept[-2]):
        kept = kept[:-1]
    if len(kept) > 1 and _DISTINCTIVE.fullmatch(kept[-1]):
        kept = [segment for segment in kept[:-1] if segment not in _FILLERS] + kept[-1:]
    if kept:
        last = _AMP_BEFORE_ENDING.sub("", kept[-1])
        last = _PAGE_ENDING.sub("", _AMP_ENDING.sub("", last))
        last = _without_garbage(last)
        is_index = any(map(_INDEX_FILE.fullmatch, (kept[-1], last)))
        kept[-1:] = [] if is_index or not last else [last]
    return kept


def _pairs(query: str) -> list[tuple[str, str | None]]:
    """The parameters of a query, encoded one way; a value is None where there is no `=`."""
    pairs: list[tuple[str, str | None]] = []
    for written in query.split("&"):
        piece = written.removeprefix("amp;")
        if not piece:
            continue
        name, equals, value = piece.partition("=")
        name = _recode(unquote_to_bytes(name.replace("+", " ")), _QUERY_SAFE)
        coded = _recode(unquote_to_bytes(value.replace("+", " ")), _QUERY_SAFE) if equals else None
        pairs.append((name, coded))
    return pairs


def _has_its_number(path: str) -> bool:
    """Whether the last part of a path is, or has, the number of the page: no id beside it picks."""
    last = undecorated(path).rpartition("/")[2]
    return names_and_numbers(last) or (len(last) >= _LONG_ID and is_strong_number(last))


def _kept(
    query: str, host: str, extra: Sequence[str], *, numbered: bool = False, named: bool = False
) -> list[tuple[str, str | None]]:
    return [
        (name, value)
        for name, value in _pairs(query)
        if value != ""
        and not is_tracking(name, value or "", host, extra)
        and (not named or picks(name, value or "", numbered=numbered))
    ]


def _query(
    query: str, host: str, extra: Sequence[str], steps: list[str], *, path: str, named: bool
) -> list[tuple[str, str | None]]:
    """What is left of the query, sorted: an order means nothing to any server we know.

    `named` says that the path names an article by itself. Where it does not and nothing else is
    left, a parameter counts whose name is also a tracker's, and one without a value.
    """
    if not query:
        return []
    query = _without_garbage(query)
    kept = _kept(query, host, extra, numbered=_has_its_number(path), named=named)
    if not kept and not named:
        pairs = _pairs(query)
        kept = [
            (name, value)
            for name, value in pairs
            if (value and may_pick_alone(name, value, host, path, extra))
            or (value == "" and len(pairs) == 1 and not is_tracking(name, "", host, extra))
        ]
    if len(kept) < sum(1 for piece in query.split("&") if piece):
        steps.append("parameters")
    return sorted(set(kept), key=lambda pair: (pair[0], pair[1] or ""))


def _fragment(fragment: str, host: str, extra: Sequence[str], keep: bool, steps: list[str]) -> str:
    """The fragment where it can be the page: routed by a script, or asked for."""
    if not fragment:
        return ""
    if not keep and not fragment.startswith(_ROUTED):
        steps.append("fragment")
        return ""
    if "=" in fragment and not fragment.startswith(_ROUTED):
        kept = _kept(fragment, host, extra)
        return "&".join(name if value is None else f"{name}={value}" for name, value in kept)
    return _recode(unquote_to_bytes(fragment), _PATH_SAFE + "/?").rstrip("/")


def _escaped_fragment(
    pairs: list[tuple[str, str | None]], fragment: str
) -> tuple[list[tuple[str, str | None]], str]:
    """`?_escaped_fragment_=x` is how crawlers asked for `#!x`."""
    for pair in pairs:
        if pair[0] == "_escaped_fragment_" and pair[1]:
            rest = [other for other in pairs if other != pair]
            return rest, fragment or "!" + _recode(unquote_to_bytes(pair[1]), _PATH_SAFE + "/?")
    return pairs, fragment


@cache
def _site_rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    rules = (line.split(" => ") for line in data_lines("sites.txt"))
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rules)


@cache
def _any_site_rule() -> re.Pattern[str]:
    """One pattern for all, since hardly any address meets a rule."""
    joined = "|".join(f"(?:{pattern.pattern})" for pattern, _ in _site_rules())
    return re.compile(joined)


def _site_rule(key: str) -> str:
    if _any_site_rule().fullmatch(key) is None:
        return key
    for pattern, replacement in _site_rules():
        found = pattern.fullmatch(key)
        if found:
            return found.expand(replacement)
    return key
