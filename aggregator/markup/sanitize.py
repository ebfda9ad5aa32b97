"""HTML of strangers made fit to be shown: an allow-list, absolute links, nothing that runs.

nh3 (html5ever with ammonia's allow-list) does the parsing; the schemes of URLs are checked here
once more, because a link is what most attacks need. `SANITIZER_VERSION` is stored with every body;
bodies of an older version are sanitised again before they are served.
"""

from __future__ import annotations

import html as _html
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from urllib.parse import unquote, urljoin, urlsplit

import nh3

from aggregator.markup.elements import ALLOWED, REMOVED
from aggregator.markup.tangle import is_tangled, strip_tags
from aggregator.markup.text import clean, one_line

SANITIZER_VERSION = 2

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "ftp", "magnet"})
MEDIA_SCHEMES = frozenset({"http", "https"})

_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "lang", "title"},
    "a": {"href", "hreflang"},
    "audio": {"src"},
    "blockquote": set(),
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"datetime"},
    "details": {"open"},
    "iframe": {"src", "width", "height"},
    "img": {
        *("src", "srcset", "sizes", "alt", "width", "height"),
        *("style", "data-src", "data-original", "data-lazy-src"),  # read below, never written
    },
    "ins": {"datetime"},
    "ol": {"start", "reversed", "type"},
    "source": {"src", "srcset", "type", "media", "sizes"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope", "abbr"},
    "time": {"datetime"},
    "track": {"src", "srclang", "label", "kind"},
    "video": {"src", "poster", "width", "height"},
}
_LAZY = ("data-src", "data-original", "data-lazy-src")
_LINKS = frozenset({"href"})
_MEDIA = frozenset({"src", "poster", *_LAZY})
_NUMBERS = frozenset({"width", "height", "colspan", "rowspan", "span", "start"})

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
# Browsers drop these from a URL before they read its scheme (WHATWG URL §4.4).
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BLANK = re.compile(r"\s")
_DATA_IMAGE = re.compile(
    r"data:image/(?:png|jpe?g|gif|webp|avif);base64,[A-Za-z0-9+/=%\s]*\Z", re.IGNORECASE
)
_NUMBER = re.compile(r"\s*+(\d{1,5})(?:\.\d*+)?\s*+(?:px\s*+)?\Z")
_UNSEEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden"
    r"|(?<![\w-])(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|\Z)",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r'\s([a-z\-]+)="([^"]*)"')
_NOSCRIPT = re.compile(r"</?noscript[^<>]*>", re.IGNORECASE)
# What the cleaner wrote escapes `<` and `>` everywhere but inside a frame, which is raw text.
_SPECIAL_TAG = re.compile(
    r"<(img|source|track|audio|video)\b([^<>]*+)>"
    r"|<iframe\b([^<>]*+)>[^<]*+(?:<(?!/iframe>)[^<]*+)*+(?:</iframe>|\Z)"
)
_DESCRIPTOR = re.compile(r"[0-9.]{1,16}[wxh]")
_MOST_SRCSET = 32 * 1024  # characters
_MOST_CANDIDATES = 64
# Written by the serialiser itself into every frame that leaves, whatever stands around it.
_FRAME = {
    "loading": "lazy",
    "referrerpolicy": "no-referrer",
    "sandbox": "allow-scripts allow-same-origin allow-popups allow-presentation",
}
_MOST_ENCODED = 4  # times; a path encoded more often is no player's


@lru_cache(maxsize=1)
def _embeds() -> tuple[tuple[str, str], ...]:
    """Hosts and path prefixes of the players that may be framed."""
    lines = files("aggregator.markup").joinpath("data/embeds.txt").read_text("utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return tuple((host, path) for host, path in pairs)


def safe_url(
    value: str, base_url: str | None, schemes: frozenset[str] = LINK_SCHEMES
) -> str | None:
    """`value` as an absolute URL with an allowed scheme, or None.

    Control characters are dropped before the scheme is read, as browsers do; blanks are
    percent-encoded; a relative reference without a base is refused.
    """
    value = _BLANK.sub("%20", _INVISIBLE.sub("", value).strip())
    if not value:
        return None
    try:
        if _SCHEME.match(value) is None:
            if base_url is None:
                return None
            value = urljoin(base_url, value)
        found = _SCHEME.match(value)
        if found is None or found.group(1).lower() not in schemes:
            return None
        if found.group(1).lower() in MEDIA_SCHEMES and not urlsplit(value).hostname:
            return None
    except ValueError:  # such as an unclosed IPv6 bracket
        return None
    return value


def sanitize_html(html: str, base_url: str | None) -> str:
    """Safe HTML of an HTML fragment; sanitising its result again changes nothing.

    Links and media become absolute against `base_url` (dropped when relative and there is none),
    links get `rel="noopener noreferrer nofollow"`, images are lazy, one-pixel and invisible images
    go, frames stay only for the players of `data/embeds.txt`. No style, class, id, event handler,
    form or script survives. The result is XML-safe text. HTML that would take a parser forever
    (see `tangle`) is reduced to its text.
    """
    html = clean(html)
    if is_tangled(html):
        return f"<p>{_html.escape(one_line(strip_tags(html)), quote=False)}</p>"
    if "<" not in html and "&" not in html:
        return html.replace(">", "&gt;")

    # html5ever reads the inside of noscript as text; feeds put their images there.
    html = _NOSCRIPT.sub("", html)
    return clean(_SPECIAL_TAG.sub(_rewrite, _cleaner(base_url).clean(html)))


@lru_cache(maxsize=64)
def _cleaner(base_url: str | None) -> nh3.Cleaner:
    """The configured cleaner for one base; making one costs more than a short body does."""

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name in _LINKS:
            return safe_url(value, base_url)
        if name in _MEDIA:
            return _media(tag, value, base_url)
        if name == "srcset":
            return _srcset(value, base_url)
        if name == "style":
            return "unseen" if _UNSEEN.search(value) else None
        if name in _NUMBERS:
            number = _NUMBER.match(value)
            return number.group(1) if number else None
        return value

    return nh3.Cleaner(
        tags=set(ALLOWED),
        clean_content_tags=set(REMOVED),
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        url_schemes=set(LINK_SCHEMES | {"data"}),
        set_tag_attribute_values={"iframe": dict(_FRAME)},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _media(tag: str, value: str, base_url: str | None) -> str | None:
    if tag == "img" and value[:5].lower() == "data:":
        return value if _DATA_IMAGE.match(value) else None
    url = safe_url(value, base_url, MEDIA_SCHEMES)
    if url is not None and tag == "iframe":
        return url if _is_player(url) else None
    return url


def _is_player(url: str) -> bool:
    parts = urlsplit(url)
    try:
        plain = parts.port in (None, 80, 443) and not parts.username
    except ValueError:
        return False
    return (
        plain
        and _stays_below(parts.path)
        and any(parts.hostname == host and _is_below(parts.path, at) for host, at in _embeds())
    )


def _is_below(path: str, place: str) -> bool:
    """Whether `path` is what `place` names: all below it where that ends at a slash, else it."""
    return path.startswith(place) if place.endswith("/") else path == place


def _stays_below(path: str) -> bool:
    """Whether no browser and no server makes another path of this one.

    Browsers take out dot segments and turn backslashes over (WHATWG URL §4.4), also where the
    dots are encoded; servers decode once more, some twice.
    """
    for _ in range(_MOST_ENCODED):
        segments = path.replace("\\", "/\\/").split("/")
        if any(part.partition(";")[0] in (".", "..", "\\") for part in segments):
            return False
        decoded = unquote(path)
        if decoded == path:
            return _INVISIBLE.search(path) is None
        path = decoded
    return False


def _srcset(value: str, base_url: str | None) -> str | None:
    """The candidates of a `srcset` that are http(s), absolute (WHATWG HTML §4.8.4.2.1)."""
    if len(value) > _MOST_SRCSET:
        return None
    kept = []
    for written, descriptor in _candidates(_INVISIBLE.sub(" ", value)):
        url = safe_url(written, base_url, MEDIA_SCHEMES)
        if url is not None:
            kept.append(f"{url.replace(',', '%2C')} {descriptor}".strip())
        if len(kept) == _MOST_CANDIDATES:
            break
    return ", ".join(kept) or None


def _candidates(value: str) -> Iterator[tuple[str, str]]:
    """Addresses with their descriptors, as browsers split them: word by word, so linear.

    An address may hold commas but neither begin nor end with one; the comma that ends it ends the
    candidate. Candidates with a descriptor that is none, or several, are left out.
    """
    url = ""
    descriptors: list[str] = []
    for word in value.split():
        if not url:
            begun = word.lstrip(",")
            url = begun.rstrip(",")
            if len(url) < len(begun):
                yield url, ""
                url = ""
            continue
        first, *others = word.split(",")
        descriptors += [first] if first else []
        if not others:
            continue
        if all(map(_DESCRIPTOR.fullmatch, descriptors)) and len(descriptors) < 2:
            yield url, "".join(descriptors)
        # `1x,b.png`: what follows the comma begins the next candidate.
        rest = ",".join(others).lstrip(",")
        url, descriptors = rest.rstrip(","), []
        if len(url) < len(rest):
            yield url, ""
            url = ""
    if url and all(map(_DESCRIPTOR.fullmatch, descriptors)) and len(descriptors) < 2:
        yield url, "".join(descriptors)


def _rewrite(match: re.Match[str]) -> str:
    """What follows from an element's attributes taken together; `match` is sanitised already."""
    tag = match.group(1) or "iframe"
    attributes = dict(_ATTRIBUTE.findall(match.group(2) or match.group(3) or ""))
    if tag == "iframe":
        return _frame(attributes)
    if tag in ("audio", "video"):
        return _open_tag(tag, attributes | {"controls": "", "preload": "none"})
    if tag != "img":
        return match.group() if "src" in attributes or "srcset" in attributes else ""
    return _image(attributes)


def _image(attributes: dict[str, str]) -> str:
    lazy = next((attributes[name] for name in _LAZY if attributes.get(name)), None)
    if lazy and not attributes.get("src", "").startswith("http"):
        attributes["src"] = lazy  # scripts would have put it there
    if "src" not in attributes and "srcset" not in attributes:
        return attributes.get("alt", "")
    if attributes.get("style") or _is_pixel(attributes):
        return ""
    for name in ("style", *_LAZY):
        attributes.pop(name, None)
    attributes["loading"] = "lazy"
    return _open_tag("img", attributes)


def _is_pixel(attributes: dict[str, str]) -> bool:
    """A tracking pixel: an image that nobody can see."""
    return attributes.get("width") in ("0", "1") or attributes.get("height") in ("0", "1")


def _frame(attributes: dict[str, str]) -> str:
    if "src" not in attributes:
        return ""
    # The serialiser writes its own attributes in any order, another one in every process.
    own = {name: value for name, value in attributes.items() if name not in _FRAME}
    return _open_tag("iframe", own | _FRAME) + "</iframe>"


def _open_tag(tag: str, attributes: dict[str, str]) -> str:
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{written}>"
