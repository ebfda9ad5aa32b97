"""Numbers that look random and depend on nothing but a source and its own count of polls.

A plan must be the same when it is made twice and must not move when other sources come or go.
"""

from __future__ import annotations

from hashlib import blake2b

_STEPS = float(1 << 64)


def uniform(source_id: str, count: int, purpose: str, low: float = 0.0, high: float = 1.0) -> float:
    """A number in [low, high), fixed by the source, its `count` and what the number is for."""
    seed = f"{source_id}\0{count}\0{purpose}".encode()
    draw = int.from_bytes(blake2b(seed, digest_size=8).digest()) / _STEPS
    return low + (high - low) * draw
