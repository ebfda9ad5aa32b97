"""A response body within its bounds: bytes on the wire, bytes decoded, and their ratio.

Decompression asks zlib for at most one slice at a time, so that a bomb is refused after a slice
and never unfolds in memory. At most one coding is undone, and only codings that can be bounded
so (RFC 9110 §8.4); a name that is no coding is none.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum

from aggregator.fetch.failure import FetchFailed, UnaskedCoding
from aggregator.model.http import BodyLimits, FetchError

_SLICE = 64 * 1024  # decoded at a time
_BITE = 4 * 1024  # fed at a time, so that the ratio is judged by what was really used
_MAX_MEMBERS = 64  # gzip members in one body (RFC 1952 §2.2); honest servers send one
_GZIP = 31  # zlib's wbits for a gzip wrapper
_ZLIB = 15
_RAW = -15


class Coding(StrEnum):
    """What a Content-Encoding header says of a body."""

    IDENTITY = "identity"
    GZIP = "gzip"
    DEFLATE = "deflate"
    UNASKED = "unasked"  # a known coding whose decoder we cannot bound


# IANA HTTP Content Coding Registry (RFC 9110 §8.4.1, §16.6.1). Any other name is a server's
# mistake (`none`, `utf-8`, `aws-chunked`) and says nothing about the body.
_UNASKED = frozenset({"br", "zstd", "compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm"})
_GZIP_MARK = b"\x1f\x8b"


def coding_of(header: str | None) -> Coding:
    """The one coding that a Content-Encoding header names.

    Raises `FetchFailed(ENCODING)` for several.
    """
    named = [part.partition(";")[0].strip().lower() for part in (header or "").split(",")]
    known = [
        Coding.UNASKED if name in _UNASKED else Coding(name)
        for name in (name.removeprefix("x-") for name in named)
        if name in _UNASKED or name in ("gzip", "deflate")
    ]
    if len(known) > 1:
        raise FetchFailed(FetchError.ENCODING, f"{len(known)} content codings on one body")
    return known[0] if known else Coding.IDENTITY


class Decoder:
    """Undoes one content coding slice by slice. `used` counts the bytes fed so far.

    A body that begins with gzip's mark is gzip whatever its header says (RFC 1952 §2.3.1): files
    that are stored compressed are often sent so. Otherwise `UNASKED` is refused.
    """

    def __init__(self, coding: Coding) -> None:
        self.used = 0
        self.coding = coding
        self._start = b""  # bytes held until there are enough for the mark
        self._marked = False
        self._inflater: zlib._Decompress | None = None
        self._members = 0
        self._ended = coding is Coding.IDENTITY

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Slices of at most 64 KiB decoded from `chunk`.

        Raises `UnaskedCoding`, `FetchFailed(ENCODING)`.
        """
        if not self._marked:
            chunk = self._start + chunk
            if len(chunk) < len(_GZIP_MARK):
                self._start = chunk
                return
            self._look(chunk)
        yield from self._decode(chunk)

    def _look(self, start: bytes) -> None:
        self._marked, self._start = True, b""
        if start.startswith(_GZIP_MARK):
            self.coding, self._ended = Coding.GZIP, False
        if self.coding is Coding.UNASKED:
            raise UnaskedCoding

    def _decode(self, chunk: bytes) -> Iterator[bytes]:
        if self.coding is Coding.IDENTITY:
            yield chunk
            return
        for start in range(0, len(chunk), _BITE):
            bite = chunk[start : start + _BITE]
            self.used += len(bite)
            yield from self._inflate(bite)

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflater is None:
                if self._members and not data.startswith(b"\x1f"):
                    return  # padding after the last member: the checksum has been seen
                self._inflater = self._begin(data)
            try:
                part = self._inflater.decompress(data, _SLICE)
            except zlib.error as error:
                raise FetchFailed(FetchError.ENCODING, "damaged compressed body") from error
            if part:
                yield part
            if self._inflater.eof:
                data = self._inflater.unused_data
                self._inflater = None
                self._ended = True
            else:
                data = self._inflater.unconsumed_tail

    def finish(self) -> Iterator[bytes]:
        """The rest. Raises `FetchFailed(ENCODING)` unless the end of a compressed body was seen."""
        rest = self._start
        if rest and not self._marked:
            self._look(rest)
            yield from self._decode(rest)
        if not self._ended:
            raise FetchFailed(FetchError.ENCODING, "compressed body cut short")

    def _begin(self, data: bytes) -> zlib._Decompress:
        self._members += 1
        self._ended = False
        if self._members > _MAX_MEMBERS:
            raise FetchFailed(FetchError.ENCODING, "too many gzip members")
        if self.coding is Coding.GZIP:
            return zlib.decompressobj(_GZIP)
        # "deflate" is zlib's format (RFC 9110 §8.4.1.2); some servers send the bare stream.
        wrapped = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)
        return zlib.decompressobj(_ZLIB if wrapped else _RAW)


async def read_body(
    chunks: AsyncIterator[bytes],
    coding: Coding,
    limits: BodyLimits,
    *,
    declared: int | None,
    ratio: int,
    ratio_from: int,
) -> tuple[bytes, int]:
    """Read and decode a body: (decoded bytes, bytes on the wire).

    `declared` is the Content-Length; one over the cap is refused before a byte is read. The
    ratio of decoded to wire bytes is judged once `ratio_from` bytes are decoded. Raises
    `FetchFailed(TOO_LARGE)` or `FetchFailed(ENCODING)`, `UnaskedCoding` among them.
    """
    if declared is not None and declared > limits.wire and not limits.truncate:
        raise FetchFailed(
            FetchError.TOO_LARGE, f"{declared} bytes announced, {limits.wire} allowed"
        )
    decoder = Decoder(coding)
    parts: list[bytes] = []
    wire = decoded = 0

    def full(slices: Iterator[bytes]) -> bool:
        nonlocal decoded
        for part in slices:
            decoded += len(part)
            packed = decoder.coding is not Coding.IDENTITY
            if packed and decoded > max(ratio_from, ratio * decoder.used):
                detail = f"unfolds more than {ratio} times: {decoded} from {decoder.used} bytes"
                raise FetchFailed(FetchError.ENCODING, detail)
            if decoded > limits.decoded and not limits.truncate:
                raise FetchFailed(FetchError.TOO_LARGE, f"over {limits.decoded} bytes decoded")
            parts.append(part)
            if limits.truncate and decoded >= limits.decoded:
                return True
        return False

    async for chunk in chunks:
        wire += len(chunk)
        if wire > limits.wire and not limits.truncate:
            raise FetchFailed(FetchError.TOO_LARGE, f"over {limits.wire} bytes on the wire")
        if full(decoder.decode(chunk)) or (limits.truncate and wire >= limits.wire):
            return b"".join(parts)[: limits.decoded], wire
    full(decoder.finish())
    return b"".join(parts)[: limits.decoded], wire
