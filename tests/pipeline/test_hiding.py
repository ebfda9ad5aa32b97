"""What a server says back is kept without the secrets of the source (invariant 12)."""

from __future__ import annotations

import pytest

from aggregator.model.settings import Secret, SourceSettings
from aggregator.pipeline.secrets import hide, unless_secret

SOURCE = SourceSettings(
    "s",
    "https://news.example/feed/k3y-in-the-path/rss?token=abc%20def",
    url_is_secret=True,
    headers={"Authorization": Secret("Bearer h34der")},
    auth=(Secret("reader"), Secret("pass word")),
)


@pytest.mark.parametrize(
    "said",
    [
        "moved to http://other.example/feed/k3y-in-the-path/new",
        "illegal status line: h34der",
        "unknown user reader",
        "wrong: cmVhZGVyOnBhc3Mgd29yZA==",
        "wrong: pass%20word",
        "token abc def has expired",
        "token abc%20def has expired",
        "no such file: /feed/k3y-in-the-path/rss",
    ],
)
def test_an_error_repeats_no_secret_in_any_spelling(said: str) -> None:
    kept = hide(said, SOURCE) or ""
    secrets = ("k3y-in", "h34der", "reader", "cmVhZG", "pass word", "pass%20word", "abc")
    assert not [one for one in secrets if one in kept]
    assert "***" in kept


def test_an_error_stays_readable() -> None:
    assert hide("the document is no feed", SOURCE) == "the document is no feed"
    plain = SourceSettings("p", "https://news.example/feed/2026")
    assert hide("moved to https://news.example/feed/2026/x", plain) == (
        "moved to https://news.example/feed/2026/x"
    )


def test_a_feeds_own_id_counts_only_without_the_secret() -> None:
    assert unless_secret(SOURCE.url, SOURCE) is None
    assert unless_secret("tag:news.example,2026:feed", SOURCE) == "tag:news.example,2026:feed"
    assert unless_secret(None, SOURCE) is None
