"""Decoding within bounds, whatever the pieces in which a body arrives."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aggregator.fetch.body import Coding, coding_of, read_body
from aggregator.fetch.failure import FetchFailed
from aggregator.model.http import BodyLimits, FetchError
from tests.patience import PATIENCE

GZIP_MARK = b"\x1f\x8b"
ROOMY = BodyLimits(1 << 20, 1 << 20, timedelta(seconds=PATIENCE))


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def read(
    data: bytes, coding: str, limits: BodyLimits = ROOMY, size: int = 100
) -> tuple[bytes, int]:
    return asyncio.run(
        read_body(
            pieces(data, size), Coding(coding), limits, declared=None, ratio=200, ratio_from=1 << 20
        )
    )


@given(st.binary(max_size=20_000), st.sampled_from(sorted(PACK)), st.integers(1, 9000))
def test_any_body_in_any_pieces_comes_back_whole(data: bytes, coding: str, size: int) -> None:
    assume(not data.startswith(GZIP_MARK))
    packed = PACK[coding](data)
    assert read(packed, coding, size=size) == (data, len(packed))


@given(st.binary(min_size=1, max_size=5000), st.integers(2, 9000))
def test_deflate_without_its_wrapper_is_read_too(data: bytes, size: int) -> None:
    assert read(raw_deflate(data), "deflate", size=size)[0] == data


@given(st.binary(min_size=1, max_size=3000), st.sampled_from(["gzip", "deflate"]), st.data())
def test_every_true_prefix_of_a_compressed_body_is_refused(
    data: bytes, coding: str, draw: st.DataObject
) -> None:
    packed = PACK[coding](data)
    cut = draw.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(FetchFailed) as caught:
        read(packed[:cut], coding)
    assert caught.value.error is FetchError.ENCODING


@given(
    st.integers(0, 4000), st.integers(1, 3000), st.integers(1, 3000), st.sampled_from(sorted(PACK))
)
def test_no_more_than_the_caps_ever_comes_back(
    size: int, wire: int, decoded: int, coding: str
) -> None:
    limits = BodyLimits(wire, decoded, timedelta(seconds=PATIENCE))
    packed = PACK[coding](b"a" * size)
    if len(packed) <= wire and size <= decoded:
        assert read(packed, coding, limits)[0] == b"a" * size
        return
    with pytest.raises(FetchFailed) as caught:
        read(packed, coding, limits)
    assert caught.value.error is FetchError.TOO_LARGE


@given(st.integers(0, 9000), st.integers(1, 3000), st.sampled_from(sorted(PACK)))
def test_a_truncating_limit_gives_a_prefix(size: int, decoded: int, coding: str) -> None:
    limits = BodyLimits(1 << 20, decoded, timedelta(seconds=PATIENCE), truncate=True)
    body, _ = read(PACK[coding](b"a" * size), coding, limits)
    assert body == b"a" * min(size, decoded)


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("identity", "identity"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("identity, gzip", "gzip"),
        (" deflate ,", "deflate"),
        ("gzip;q=1", "gzip"),
        ("none", "identity"),
        ("utf-8", "identity"),
        ("UTF-8, gzip", "gzip"),
        ("aws-chunked", "identity"),
        ("gzip gzip", "identity"),
        ("br", "unasked"),
        ("x-compress", "unasked"),
        ("zstd", "unasked"),
    ],
)
def test_one_coding_is_recognised(header: str | None, coding: str) -> None:
    assert coding_of(header) == coding


@pytest.mark.parametrize("header", ["gzip, gzip", "gzip,deflate", "br, gzip", "gzip, none, gzip"])
def test_several_codings_are_refused(header: str) -> None:
    with pytest.raises(FetchFailed):
        coding_of(header)


@given(st.binary(max_size=5000), st.sampled_from(list(Coding)), st.integers(1, 9000))
def test_what_begins_with_gzips_mark_is_gzip_whatever_the_header_says(
    data: bytes, coding: Coding, size: int
) -> None:
    packed = gzip.compress(data)
    assert read(packed, coding, size=size) == (data, len(packed))


@given(st.binary(max_size=200), st.integers(1, 90))
def test_another_body_under_a_coding_that_cannot_be_bounded_is_refused(
    data: bytes, size: int
) -> None:
    assume(not data.startswith(GZIP_MARK))
    with pytest.raises(FetchFailed):
        read(data, Coding.UNASKED, size=size)
