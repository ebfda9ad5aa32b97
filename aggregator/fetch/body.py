"""A response body within its bounds: bytes on the wire, bytes decoded, and their ratio.

Decompression asks zlib for at most one slice at a time, so that a bomb is refused after a slice
and never unfolds in memory. At most one coding is undone, and only codings that can be bounded
so (RFC 9110 §8.4).
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

from aggregator.fetch.failure import FetchFailed
from aggregator.model.http import BodyLimits, FetchError

_SLICE = 64 * 1024  # decoded at a time
_BITE = 4 * 1024  # fed at a time, so that the ratio is judged by what was really used
_MAX_MEMBERS = 64  # gzip members in one body (RFC 1952 §2.2); honest servers send one
_GZIP = 31  # zlib's wbits for a gzip wrapper
_ZLIB = 15
_RAW = -15


def coding_of(header: str | None) -> str:
    """`identity`, `gzip` or `deflate` from a Content-Encoding header.

    Raises `FetchFailed(ENCODING)` for several codings and for ones that were not offered.
    """
    named = [part.strip().lower() for part in (header or "").split(",") if part.strip()]
    codings = [name.removeprefix("x-") for name in named if name != "identity"]
    if not codings:
        return "identity"
    if len(codings) > 1:
        raise FetchFailed(FetchError.ENCODING, f"{len(codings)} content codings on one body")
    if codings[0] not in ("gzip", "deflate"):
        raise FetchFailed(FetchError.ENCODING, "a content coding that was not offered")
    return codings[0]


class Decoder:
    """Undoes one content coding slice by slice. `used` counts the bytes fed so far."""

    def __init__(self, coding: str) -> None:
        self.used = 0
        self._coding = coding
        self._inflater: zlib._Decompress | None = None
        self._members = 0
        self._ended = coding == "identity"

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Slices of at most 64 KiB decoded from `chunk`. Raises `FetchFailed(ENCODING)`."""
        if self._coding == "identity":
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

    def finish(self) -> None:
        """Raise `FetchFailed(ENCODING)` unless the end of the compressed body was seen."""
        if not self._ended:
            raise FetchFailed(FetchError.ENCODING, "compressed body cut short")

    def _begin(self, data: bytes) -> zlib._Decompress:
        self._members += 1
        self._ended = False
        if self._members > _MAX_MEMBERS:
            raise FetchFailed(FetchError.ENCODING, "too many gzip members")
        if self._coding == "gzip":
            return zlib.decompressobj(_GZIP)
        # "deflate" is zlib's format (RFC 9110 §8.4.1.2); some servers send the bare stream.
        wrapped = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)
        return zlib.decompressobj(_ZLIB if wrapped else _RAW)


async def read_body(
    chunks: AsyncIterator[bytes],
    coding: str,
    limits: BodyLimits,
    *,
    declared: int | None,
    ratio: int,
    ratio_from: int,
) -> tuple[bytes, int]:
    """Read and decode a body: (decoded bytes, bytes on the wire).

    `declared` is the Content-Length; one over the cap is refused before a byte is read. The
    ratio of decoded to wire bytes is judged once `ratio_from` bytes are decoded. Raises
    `FetchFailed(TOO_LARGE)` or `FetchFailed(ENCODING)`.
    """
    if declared is not None and declared > limits.wire and not limits.truncate:
        raise FetchFailed(
            FetchError.TOO_LARGE, f"{declared} bytes announced, {limits.wire} allowed"
        )
    decoder = Decoder(coding)
    parts: list[bytes] = []
    wire = decoded = 0
    async for chunk in chunks:
        wire += len(chunk)
        if wire > limits.wire and not limits.truncate:
            raise FetchFailed(FetchError.TOO_LARGE, f"over {limits.wire} bytes on the wire")
        for part in decoder.decode(chunk):
            decoded += len(part)
            if coding != "identity" and decoded > max(ratio_from, ratio * decoder.used):
                detail = f"unfolds more than {ratio} times: {decoded} from {decoder.used} bytes"
                raise FetchFailed(FetchError.ENCODING, detail)
            if decoded > limits.decoded and not limits.truncate:
                raise FetchFailed(FetchError.TOO_LARGE, f"over {limits.decoded} bytes decoded")
            parts.append(part)
            if limits.truncate and decoded >= limits.decoded:
                return b"".join(parts)[: limits.decoded], wire
        if limits.truncate and wire >= limits.wire:
            return b"".join(parts)[: limits.decoded], wire
    decoder.finish()
    return b"".join(parts), wire
