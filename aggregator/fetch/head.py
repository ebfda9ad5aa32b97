"""The head of an answer before any parser sees it: cleaned, and its framing decided.

RFC 9112 §2.2, §4 to §6. Servers send lines that are no fields; curl and browsers ignore them, a
strict parser loses the whole answer over them. So a line that is no field is dropped, a blank
before a colon and a line break inside a value are removed, and the connection of a head that had
to be repaired is not used again. What says where the body ends is never guessed: a damaged,
repeated or contradictory Content-Length or Transfer-Encoding is an error.

Pure functions over bytes, linear in their length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aggregator.fetch.failure import FetchFailed
from aggregator.model.http import FetchError

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_VALUE = rb"[\t\x20-\x7e\x80-\xff]"
_WELL_FORMED = re.compile(
    rb"HTTP/1\.[01] [1-9][0-9]{2} "
    + _VALUE
    + rb"*+\r\n(?:"
    + _TOKEN
    + rb"++:"
    + _VALUE
    + rb"*+\r\n)*+\r\n"
)
_STATUS = re.compile(rb"HTTP/1\.([01])[ \t]++([1-9][0-9]{2})(?:[ \t].*)?", re.DOTALL)
_FIELD = re.compile(rb"(" + _TOKEN + rb"++)[ \t]*+:(" + _VALUE + rb"*+)")
_CONTINUED = re.compile(rb"[ \t]++(" + _VALUE + rb"*+)")
_FRAMING = re.compile(rb"content-length|transfer-encoding", re.IGNORECASE)
_MAX_LENGTH = 18  # digits; more is no length of anything

END = re.compile(rb"\n\r?\n")
"""Where a head ends, bare line feeds included (RFC 9112 §2.2)."""


@dataclass(frozen=True, slots=True)
class CleanHead:
    """A head that every parser reads the same way. `repaired`: not as the server sent it."""

    raw: bytes
    repaired: bool


@dataclass(frozen=True, slots=True)
class Framing:
    """Where a body ends: after `length` bytes, after the last chunk, or with the connection.

    `keep` says that the connection may be used again afterwards (RFC 9112 §9.3).
    """

    length: int | None = None
    chunked: bool = False
    keep: bool = False


def clean_head(head: bytes) -> CleanHead:
    """The head with what is no field left out; `head` ends with its empty line.

    Raises `FetchFailed(PROTOCOL)` for a status line of no HTTP/1.x answer, and for a dropped line
    that spoke of the body's framing.
    """
    if _WELL_FORMED.fullmatch(head):
        return CleanHead(head, repaired=False)
    first, *lines = head.split(b"\n")
    status = _STATUS.fullmatch(first.rstrip(b"\r"))
    if status is None:
        raise _bad("the answer is no HTTP/1.1")
    fields, dropped = _fields(line[:-1] if line.endswith(b"\r") else line for line in lines)
    for line in dropped:
        if _FRAMING.search(line):
            raise _bad("a damaged header says where the body ends")
    start = b"HTTP/1.%b %b \r\n" % (status[1], status[2])
    return CleanHead(
        start + b"".join(b"%b: %b\r\n" % field for field in fields) + b"\r\n", repaired=True
    )


def _fields(lines: Iterable[bytes]) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Fields as (name, value), and the lines that are none."""
    fields: list[tuple[bytes, list[bytes]]] = []
    dropped: list[bytes] = []
    open_field = False  # whether the line before was one, so that it may go on
    for line in lines:
        if not line:
            continue
        more = _CONTINUED.fullmatch(line)
        if more is not None and open_field:
            fields[-1][1].append(more[1].strip())  # RFC 9112 §5.2
            continue
        field = _FIELD.fullmatch(line)
        open_field = field is not None
        if field is None:
            dropped.append(line)
        else:
            fields.append((field[1], [field[2].strip()]))
    return [(name, b" ".join(values)) for name, values in fields], dropped


def framing_of(status: int, version: bytes, fields: Iterable[tuple[bytes, bytes]]) -> Framing:
    """Where the body of an answer with these fields ends (RFC 9112 §6.3); names in any case.

    `version` is `1.0` or `1.1`. The caller knows of answers to HEAD. Raises
    `FetchFailed(PROTOCOL)` where the fields do not say it clearly.
    """
    lengths: list[bytes] = []
    codings: list[bytes] = []
    persistent = version != b"1.0"
    for name, value in fields:
        lower = name.lower()
        if lower == b"content-length":
            lengths.append(value.strip())
        elif lower == b"transfer-encoding":
            codings.append(value.strip().lower())
        elif lower == b"connection":
            options = [option.strip() for option in value.lower().split(b",")]
            persistent = b"close" not in options and (persistent or b"keep-alive" in options)
    if len(lengths) > 1 or len(codings) > 1:
        raise _bad("a repeated header says where the body ends")
    if lengths and not (lengths[0].isdigit() and len(lengths[0]) <= _MAX_LENGTH):
        raise _bad("a damaged Content-Length")
    if codings and codings[0] != b"chunked":
        raise _bad("a transfer coding that was not offered")
    if lengths and codings:
        raise _bad("Content-Length and Transfer-Encoding contradict each other")
    if status < 200 or status in (204, 304):
        return Framing(length=0, keep=persistent)
    if codings:
        # RFC 9112 §6.1: of a 1.0 server's chunks nobody knows what stood between us.
        return Framing(chunked=True, keep=persistent and version != b"1.0")
    length = int(lengths[0]) if lengths else None
    return Framing(length=length, keep=persistent and length is not None)


def _bad(detail: str) -> FetchFailed:
    return FetchFailed(FetchError.PROTOCOL, detail)
