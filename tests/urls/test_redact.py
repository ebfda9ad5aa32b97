"""What may be shown of a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.urls.redact import redact, strip_userinfo


def test_userinfo_leaves_the_url_decoded() -> None:
    assert strip_userinfo("https://ann:p%40ss@example.org/x?y") == (
        "https://example.org/x?y",
        ("ann", "p@ss"),
    )
    assert strip_userinfo("https://example.org/@ann") == ("https://example.org/@ann", None)
    assert strip_userinfo("https://@example.org/") == ("https://example.org/", None)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:secret@example.org/f", "https://***@example.org/f"),
        ("https://example.org/f?token=abc&n=2", "https://example.org/f?token=***&n=2"),
        ("https://example.org/f?api_key=abc", "https://example.org/f?api_key=***"),
        ("https://example.org/f?X-Amz-Signature=1f", "https://example.org/f?X-Amz-Signature=***"),
        (
            "https://example.org/f?u=9f86d081884c7d659a2feaa0c55ad015",
            "https://example.org/f?u=***",
        ),
        ("https://example.org/f?9f86d081884c7d659a2feaa0c55ad015", "https://example.org/f?***"),
        ("https://example.org/f#access_token=abc", "https://example.org/f#access_token=***"),
        ("https://example.org/f?page=2&q=two+words", "https://example.org/f?page=2&q=two+words"),
        ("https://example.org/f?tokens", "https://example.org/f?tokens"),
        ("ann:secret@example.org", "***@example.org"),
        ("no url", "no url"),
    ],
)
def test_secrets_do_not_show(url: str, shown: str) -> None:
    assert redact(url) == shown


@given(st.text(max_size=60))
def test_no_string_raises_and_hiding_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)
    strip_userinfo(text)


@given(st.text("abcdefXYZ0123456789%40", min_size=3, max_size=20))
def test_a_password_never_shows(password: str) -> None:
    marked = f"q{password}q"
    assert marked not in redact(f"https://ann:{marked}@example.org/feed?x=1")
