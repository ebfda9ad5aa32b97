"""Hosts, origins, registrable domains and relative references."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.urls.origin import (
    host,
    is_http,
    origin,
    registrable_domain,
    resolve,
    same_origin,
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Example.ORG:443/x", "https://example.org"),
        ("http://example.org:8080/x", "http://example.org:8080"),
        ("http://user:pw@bücher.example/x", "http://xn--bcher-kva.example"),
        ("http://[2001:DB8::0:1]:81/", "http://[2001:db8::1]:81"),
        ("http://127.0.0.1/", "http://127.0.0.1"),
        ("mailto:x@example.org", None),
        ("http://[::1", None),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: str | None) -> None:
    assert origin(url) == expected


def test_same_origin_minds_the_scheme_and_the_port() -> None:
    assert same_origin("https://example.org/a", "https://EXAMPLE.org:443/b")
    assert not same_origin("http://example.org/", "https://example.org/")
    assert not same_origin("nonsense", "nonsense")


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.example.org", "example.org"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("someone.github.io", "someone.github.io"),
        ("example.org", "example.org"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("co.uk", "co.uk"),
        ("deep.down.internal", "down.internal"),
    ],
)
def test_the_registrable_domain_is_one_label_below_the_public_suffix(
    name: str, domain: str
) -> None:
    assert registrable_domain(name) == domain


@pytest.mark.parametrize(
    ("base", "href", "expected"),
    [
        ("https://example.org/a/b", "../c?d#e", "https://example.org/c?d#e"),
        ("https://example.org/a", "//other.example/x", "https://other.example/x"),
        ("https://example.org/a", " /b\n", "https://example.org/b"),
        (None, "https://example.org/a", "https://example.org/a"),
        ("https://example.org/a", "javascript:alert(1)", None),
        ("https://example.org/a", "data:text/html,x", None),
        ("https://example.org/a", "http://[", None),
        ("https://example.org/a", "", None),
        (None, "/b", None),
    ],
)
def test_references_resolve_to_http_urls_only(
    base: str | None, href: str, expected: str | None
) -> None:
    assert resolve(base, href) == expected


def test_a_host_is_lower_case_ascii_without_its_port() -> None:
    assert host("https://WWW.Example.org.:81/") == "www.example.org"
    assert host("https://exa mple.org/") is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_string_raises(one: str, other: str) -> None:
    for text in (one, f"http://{one}", f"https://a.example/{one}"):
        host(text)
        origin(text)
        is_http(text)
        resolve(text, other)
    registrable_domain(one)


@pytest.mark.parametrize(
    "name",
    [
        "a" * 64 + ".example", "xn--zz\u00fc.example", "a..b", "256.1.1.1", "1.1.1.1.1",
        "0x1ffffffff",
        "08.1.1.1", "[fe80::1%25eth0]", "[fe80::1%eth0]", "\ufe00.example", "a\u200db.example",
        "9" * 250, "-a.example", "xn--", ".", "..", "\ud800.example", "a" * 63 + ".\u00fc" * 60,
    ],
)  # fmt: skip
def test_a_host_that_cannot_exist_is_no_host(name: str) -> None:
    assert host(f"https://{name}/a") is None


@pytest.mark.parametrize(
    "name",
    ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "a" * 63 + ".example", "1.example", "4u.de"],
)
def test_addresses_as_they_may_be_written_and_odd_names_are_hosts(name: str) -> None:
    assert host(f"https://{name}/a") == name
