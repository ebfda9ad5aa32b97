"""Secrets and the headers that carry them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from aggregator.config.values.kinds import Kind, as_text, wrong
from aggregator.config.values.plain import TEXT_SCHEMA
from aggregator.config.variables import Confidential
from aggregator.model.settings import Secret


def read_secret(value: Any) -> Secret:
    """A secret; it is never empty, for an empty one would guard nothing."""
    text = as_text(value, "a secret")
    if not text.strip():
        raise wrong("a secret must not be empty", "leave the setting out to do without")
    if "\n" in text or "\r" in text or "\0" in text:
        raise wrong("a secret is one line of text")
    return Secret(str(text))


SecretText = Annotated[Secret, Kind(read_secret, TEXT_SCHEMA)]

# What we set ourselves: another value would break conditional requests, framing or honesty.
OUR_HEADERS = frozenset(
    {
        *("a-im", "accept-encoding", "connection", "content-length", "expect", "host"),
        *("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"),
        *("keep-alive", "proxy-authorization", "range", "te", "trailer", "transfer-encoding"),
        *("upgrade", "user-agent"),
    }
)


def read_header_name(value: Any) -> str:
    """The name of a request header that an operator may set (RFC 9110 §5.1)."""
    text = as_text(value, "the name of a header")
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", text):
        raise wrong("is no name of a header")
    if text.casefold() in OUR_HEADERS:
        hint = None
        if text.casefold() == "user-agent":
            hint = "say who you are with “service.contact”, or set the source's “user_agent”"
        raise wrong(f"the header “{text}” is set by the program itself", hint)
    return text


def read_header_value(value: Any) -> tuple[Secret, bool]:
    """A header's value, and whether it came from a variable."""
    text = as_text(value, "the value of a header")
    if any((ord(c) < 32 and c != "\t") or ord(c) == 127 for c in text):
        raise wrong("the value of a header is one line of text")
    return Secret(str(text)), isinstance(value, Confidential)


HeaderName = Annotated[str, Kind(read_header_name, {"type": "string"})]
HeaderValue = Annotated[tuple[Secret, bool], Kind(read_header_value, TEXT_SCHEMA)]
