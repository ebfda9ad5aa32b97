"""A publisher's id is served only where it is a valid IRI of its scheme."""

from __future__ import annotations

import pytest

from aggregator.identity.naming import is_lasting_iri


@pytest.mark.parametrize(
    "identifier",
    [
        "https://example.org/?p=1",
        "http://example.org/2026/ä",
        "tag:example.org,2026:1",
        "tag:staff@example.org,2026-03:news/1",
        "tag:example.org,2026-03-01:/a#b",
        "urn:uuid:9dbd6b3c-0d5b-4f1c-9a07-7f0e6a3f8a11",
        "acct:mara@example.org",
        "doi:10.1000/182",
    ],
)
def test_a_valid_one_is_kept(identifier: str) -> None:
    assert is_lasting_iri(identifier)


@pytest.mark.parametrize(
    "identifier",
    [
        None,
        "",
        "1234",
        "/relative",
        "tag:https://example.org/1",
        "tag:example.org:1",
        "tag:example.org,03-2026:1",
        "urn:x",
        "urn:-bad:1",
        "http:///no-host",
        "http://host-without-dot/1",
        "doi:11.1000/1",
        "javascript:alert(1)",
        "https://example.org/a b",
        "unknown:scheme/1",
    ],
)
def test_one_that_is_not_is_replaced_by_ours(identifier: str | None) -> None:
    assert not is_lasting_iri(identifier)
