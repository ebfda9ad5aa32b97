"""What works but is probably not meant so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.conftest import Load

CONTACT = "service: {contact: desk@example.org}\n"


@pytest.fixture
def warnings(load: Load, tmp_path: Path):
    """The warnings about a configuration with a contact, without the folder's name."""

    def lines(text: str, contact: str = CONTACT) -> list[str]:
        return [line.replace(f"{tmp_path}/", "") for line in load(contact + text).warnings]

    return lines


def test_a_configuration_without_doubts_has_no_warning(warnings) -> None:
    assert warnings("sources: [{id: a, url: 'https://example.org/a', poll: 15m}]\n") == []


def test_without_a_contact_nothing_is_followed(warnings) -> None:
    text = "sources: [{id: a, url: 'https://a.example/feed', follow_related: on}]\n"
    (line,) = warnings(text, contact="")
    assert "so no page is read and no related link followed" in line


def test_a_missing_contact_and_no_sources_at_all(warnings) -> None:
    assert warnings("sources: []\n", contact="") == [
        "aggregator.yaml: service.contact: is not set: publishers who see our requests cannot "
        "reach you; set it to a web or mail address",
        "aggregator.yaml: sources: there are none: nothing will be polled",
    ]


def test_polling_more_often_than_every_fifteen_minutes(warnings) -> None:
    assert warnings("sources: [{id: a, url: 'https://example.org/a', poll: 5m}]\n") == [
        "aggregator.yaml:2:55: sources[0].poll: "
        "more often than every 15 minutes is more than publishers like"
    ]


def test_a_password_over_plain_http(warnings) -> None:
    (said,) = warnings(
        "sources: [{id: a, url: 'http://example.org/a', auth: {username: u, password: p}}]\n"
        "views: [{id: v, token: 0123456789abcdef}]\n"
    )
    assert said.endswith("the password goes over the network unencrypted; use https")


def test_an_open_port_without_a_token_and_a_token_to_guess(warnings) -> None:
    text = "sources: [{id: a, url: 'https://example.org/a'}]\n"
    contact = "service: {contact: a@b.example, listen: '0.0.0.0:80'%s}\n"
    assert warnings(text, contact % "") == [
        "aggregator.yaml: service.token: is not set: "
        "everyone who reaches the port can read everything"
    ]
    assert warnings(text, contact % ", token: abc") == [
        "aggregator.yaml: service.token: has fewer than 16 characters and may be guessed"
    ]


PRIVATE = "sources: [{id: a, url: 'https://example.org/a', private: yes, tags: [x]}]\n"


def test_private_sources_in_a_view_without_token_will_not_appear(warnings) -> None:
    hidden = (
        "has no token, so items of the private source `a` do not appear in it; "
        "give the view a `token`, or the source `private: no`"
    )
    assert warnings(PRIVATE) == [f"aggregator.yaml: views: the view `all` {hidden}"]
    assert warnings(PRIVATE + "views:\n  - {id: v, tags: [x]}\n") == [
        f"aggregator.yaml:4:5: views[0]: the view `v` {hidden}"
    ]
    assert warnings(PRIVATE + "views: [{id: v, token: 0123456789abcdef}]\n") == []
    assert warnings(PRIVATE + "views: [{id: v, exclude_sources: a}]\n") == []
    guarded = "service: {contact: a@b.example, token: 0123456789abcdef}\n"
    assert warnings(PRIVATE, guarded) == []


def test_a_secret_in_the_address_made_the_source_private_unasked(warnings) -> None:
    said = warnings(
        "sources: [{id: a, url: 'https://example.org/a?token=x'}]\n"
        "views: [{id: v, token: 0123456789abcdef}]\n"
    )
    assert said == [
        "aggregator.yaml:2:24: sources[0].url: the address seems to hold a secret, so the source "
        "is private; say `private: yes` or `private: no`"
    ]


def test_a_view_of_a_tag_that_no_source_has(warnings) -> None:
    said = warnings(
        "sources: [{id: a, url: 'https://example.org/a', tags: [world]}]\n"
        "views: [{id: v, tags: [wrold]}]\n"
    )
    assert said == [
        "aggregator.yaml:3:24: views[0].tags[0]: no source has the tag `wrold`; "
        "did you mean `world`?"
    ]
