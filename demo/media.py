"""Pictures and sounds of the sample news, made here: hills under a sky, and a chord that fades."""

from __future__ import annotations

import io
import math
import struct
import wave
import zlib
from functools import cache

WIDTH, HEIGHT = 640, 360
RATE = 8000  # samples a second


@cache
def picture(name: str) -> bytes:
    """A PNG of hills (W3C PNG, third edition); the same name gives the same hills."""
    seed = zlib.crc32(name.encode())
    hue = seed % 360
    sky, far, near = _colour(hue, 0.9), _colour(hue + 25, 0.6), _colour(hue + 50, 0.35)
    ridges = [_ridge(seed, HEIGHT * 0.45), _ridge(seed >> 7, HEIGHT * 0.7)]
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)  # no filter
        for x in range(WIDTH):
            rows += near if y > ridges[1][x] else far if y > ridges[0][x] else sky
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


@cache
def sound(name: str, seconds: int) -> bytes:
    """A WAV file of so many seconds, one channel of eight bits."""
    root = 180 + zlib.crc32(name.encode()) % 80
    samples = bytearray()
    for n in range(RATE * seconds):
        at = n / RATE
        chord = sum(math.sin(2 * math.pi * root * part * at) for part in (1, 1.25, 1.5)) / 3
        samples.append(128 + round(90 * chord * (1 - at / seconds)))
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(1)
        made.setframerate(RATE)
        made.writeframes(bytes(samples))
    return file.getvalue()


def _ridge(seed: int, height: float) -> list[float]:
    """How far down the ridge is at each column."""
    swings = [(seed >> shift) % 40 / 10 + 1 for shift in (1, 9, 17)]
    waves = list(enumerate(swings, 1))
    return [
        height + sum(18 / k * math.sin(x / WIDTH * swing * 6 + k) for k, swing in waves)
        for x in range(WIDTH)
    ]


def _colour(hue: float, light: float) -> bytes:
    """A quiet colour as three bytes."""
    parts = ((hue + turn) % 360 for turn in (0, 120, 240))
    return bytes(round(255 * light * (0.8 + 0.2 * math.cos(math.radians(part)))) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
