"""What may be shown of a URL: userinfo and secret-looking parameters are hidden.

For logs, pages and error messages (invariant: what a source is configured with never leaves).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from aggregator.urls.origin import clean

HIDDEN = "***"

_AUTHORITY = re.compile(r"^([a-z][a-z0-9+.-]*:)?//([^/?#]*)", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"(?:^|[._-])(?:key|apikey|token|auth|authorization|pass|passwd|password|pwd|secret|sig|sign|"
    r"signature|session|sid|jwt|credential|credentials|hash|hmac|user|login|email|private|"
    r"accesstoken|authtoken|feedtoken|rsskey|hdnea|policy|expires)(?:$|[._-])",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_~.+=-]{20,}")
# The same in running text, JSON (`\\/`), and markup (`&amp;`).
_USER_IN_TEXT = re.compile(r"((?:/|\\/){2})[^/?#\s@\"'<>\\]+@")
_PAIR_IN_TEXT = re.compile(r"(?<=[?&;#])([\w.~%\[\]-]{1,100})=([^&;#\s\"'<>\\]+)")
_WORDS = re.compile(r"[a-z]+(?:[-_.][a-z0-9]+)+", re.IGNORECASE)


def strip_userinfo(url: str) -> tuple[str, tuple[str, str] | None]:
    """Split `https://user:password@host/…` into the bare URL and the decoded pair.

    Returns:
        The URL without userinfo and `(user, password)`, or the URL as it came and None.
    """
    found = _AUTHORITY.match(url)
    if found is None or "@" not in found[2]:
        return url, None
    userinfo, _, rest = found[2].rpartition("@")
    bare = url[: found.start(2)] + rest + url[found.end(2) :]
    user, _, password = userinfo.partition(":")
    if not user and not password:
        return bare, None
    return bare, (unquote(user), unquote(password))


def redact(url: str) -> str:
    """`url` with userinfo, secret-looking parameters and token-like values replaced by `***`.

    Any string is accepted; one that is no URL loses whatever stands before an `@`.
    """
    url = clean(url)
    found = _AUTHORITY.match(url)
    if found is None:
        head, at, tail = url.rpartition("@")
        return f"{HIDDEN}@{tail}" if at and head else url
    userinfo, at, rest = found[2].rpartition("@")
    shown = f"{HIDDEN}@{rest}" if at and userinfo else rest
    head = url[: found.start(2)] + shown
    body, hash_mark, fragment = url[found.end(2) :].partition("#")
    path, question, query = body.partition("?")
    if question:
        path += "?" + _redact_parameters(query)
    if hash_mark:
        path += "#" + (_redact_parameters(fragment) if "=" in fragment else fragment)
    return head + path


def redact_text(text: str) -> str:
    """`redact` for every address in a text, whatever stands around it."""
    text = _USER_IN_TEXT.sub(rf"\1{HIDDEN}@", text)
    return _PAIR_IN_TEXT.sub(lambda pair: _redact_parameter(pair[0]), text)


def _redact_parameters(query: str) -> str:
    """Hide the values of parameters whose name or look says secret."""
    return "&".join(_redact_parameter(pair) for pair in query.split("&"))


def _redact_parameter(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if equals and value and (_SECRET_NAME.search(unquote(name)) or _looks_random(unquote(value))):
        return f"{name}={HIDDEN}"
    return pair if equals or not _looks_random(unquote(pair)) else HIDDEN


def _looks_random(value: str) -> bool:
    """A long run of letters and digits that is no slug of words."""
    return bool(_SECRET_VALUE.fullmatch(value)) and not _WORDS.fullmatch(value)
