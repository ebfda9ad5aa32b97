"""Make tokens that stand in the path of a feed's address, and look them up.

A token is 256 random bits and is shown once; kept is its SHA-256, which is enough for what cannot
be guessed. Each opens one view, whatever guards that, until it is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Connection

from aggregator.store.views import tokens


def make(connection: Connection, view_id: str, note: str, now: datetime) -> tuple[int, str]:
    """A new token for a view: its number, and the token."""
    token = secrets.token_urlsafe(32)
    return tokens.add(connection, view_id, digest(token), note, now), token


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def address(base: str, view_id: str, token: str, fmt: str = "atom") -> str:
    """The address that a reader subscribes to."""
    return f"{base}/feeds/by/{token}/{view_id}.{fmt}"
