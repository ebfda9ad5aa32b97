"""What works but is probably not meant so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.config.checks import new_short_tokens
from aggregator.config.load import ConfigError, load_settings
from aggregator.model.settings import Secret, ServiceSettings, Settings
from tests.config.conftest import Load, Mistakes

Warnings = Callable[..., list[str]]
CONTACT = "service: {contact: desk@example.org}\n"


@pytest.fixture
def warnings(load: Load, tmp_path: Path) -> Warnings:
    """The warnings about a configuration with a contact, without the folder's name."""

    def lines(text: str, contact: str = CONTACT) -> list[str]:
        return [line.replace(f"{tmp_path}/", "") for line in load(contact + text).warnings]

    return lines


def test_a_configuration_without_doubts_has_no_warning(warnings: Warnings) -> None:
    assert warnings("sources: [{id: a, url: 'https://example.org/a', poll: 15m}]\n") == []


def test_without_a_contact_nothing_is_followed(warnings: Warnings) -> None:
    text = "sources: [{id: a, url: 'https://a.example/feed', follow_related: on}]\n"
    (line,) = warnings(text, contact="")
    assert "so no page is read and no related link followed" in line


def test_a_missing_contact_and_no_sources_at_all(warnings: Warnings) -> None:
    assert warnings("sources: []\n", contact="") == [
        "aggregator.yaml: service.contact: is not set: publishers who see our requests cannot "
        "reach you; set it to a web or mail address",
        "aggregator.yaml: sources: there are none: nothing will be polled",
    ]


def test_polling_more_often_than_every_fifteen_minutes(warnings: Warnings) -> None:
    assert warnings("sources: [{id: a, url: 'https://example.org/a', poll: 5m}]\n") == [
        "aggregator.yaml:2:55: sources[0].poll: "
        "more often than every 15 minutes is more than publishers like"
    ]


def test_without_validators_thirty_minutes_are_the_least(warnings: Warnings) -> None:
    source = "sources: [{id: a, url: 'https://example.org/a', poll: 29m, validators: off}]\n"
    (said,) = warnings(source)
    assert "more often than every 30 minutes, without validators," in said
    assert warnings(source.replace("29m", "30m")) == []


@pytest.mark.parametrize("name", ["Mozilla/5.0", "aggregator/1 (+desk@example.com)"])
def test_a_name_that_hides_our_contact(warnings: Warnings, name: str) -> None:
    text = f"sources: [{{id: a, url: 'https://example.org/a', user_agent: '{name}'}}]\n"
    assert warnings(text) == [
        "aggregator.yaml:2:61: sources[0].user_agent: hides our contact from the publisher, who "
        "cannot tell who asks; put “+desk@example.org” into it"
    ]
    assert warnings(text.replace(name, "Mozilla/5.0 (+desk@example.org)")) == []


def test_a_password_over_plain_http(warnings: Warnings) -> None:
    (said,) = warnings(
        "sources: [{id: a, url: 'http://example.org/a', auth: {username: u, password: p}}]\n"
        "views: [{id: v, token: 0123456789abcdef}]\n"
    )
    assert said.endswith("the password goes over the network unencrypted; use https")


def test_an_open_port_without_a_token_and_a_token_to_guess(warnings: Warnings) -> None:
    text = "sources: [{id: a, url: 'https://example.org/a'}]\n"
    contact = "service: {contact: a@b.example, listen: '0.0.0.0:80'%s}\n"
    assert warnings(text, contact % "") == [
        "aggregator.yaml: service.token: is not set: "
        "everyone who reaches the port can read everything"
    ]
    assert warnings(text, contact % ", token: abc") == [
        "aggregator.yaml: service.token: has fewer than 16 characters and may be guessed; "
        "make it longer: the next release will refuse it"
    ]


PRIVATE = "sources: [{id: a, url: 'https://example.org/a', private: yes, tags: [x]}]\n"


def test_private_sources_in_a_view_without_token_will_not_appear(warnings: Warnings) -> None:
    hidden = (
        "has no token, so items of the private source “a” do not appear in it; "
        "give the view a “token”, or the source “private: no”"
    )
    assert warnings(PRIVATE) == [f"aggregator.yaml: views: the view “all” {hidden}"]
    assert warnings(PRIVATE + "views:\n  - {id: v, tags: [x]}\n") == [
        f"aggregator.yaml:4:5: views[0]: the view “v” {hidden}"
    ]
    assert warnings(PRIVATE + "views: [{id: v, token: 0123456789abcdef}]\n") == []
    assert warnings(PRIVATE + "views: [{id: v, exclude_sources: a}]\n") == []
    guarded = "service: {contact: a@b.example, token: 0123456789abcdef}\n"
    assert warnings(PRIVATE, guarded) == []


def test_a_secret_in_the_address_made_the_source_private_unasked(warnings: Warnings) -> None:
    said = warnings(
        "sources: [{id: a, url: 'https://example.org/a?token=x'}]\n"
        "views: [{id: v, token: 0123456789abcdef}]\n"
    )
    assert said == [
        "aggregator.yaml:2:24: sources[0].url: the address seems to hold a secret, so the source "
        "is private; say “private: yes” or “private: no”"
    ]


def test_a_view_of_a_tag_that_no_source_has(warnings: Warnings) -> None:
    said = warnings(
        "sources: [{id: a, url: 'https://example.org/a', tags: [world]}]\n"
        "views: [{id: v, tags: [wrold]}]\n"
    )
    assert said == [
        "aggregator.yaml:3:24: views[0].tags[0]: no source has the tag “wrold”; "
        "did you mean “world”?"
    ]


def test_mistakes_and_warnings_are_told_in_one_run(tmp_path: Path) -> None:
    path = tmp_path / "aggregator.yaml"
    path.write_text(
        "polling: {min_interval: 2h, max_interval: 1h}\n"
        "sources:\n"
        "  - {id: a, url: https://example.org/f, pol: 1h}\n"
        "  - {id: b, url: http://www.example.org/f/, colour: red}\n"
        "  - {id: c, url: https://example.com/f, poll: 5m}\n"
        "views:\n"
        "  - {id: v, tags: [nowhere], sources: [z]}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ={})
    told = [str(problem) for problem in caught.value.problems]
    assert [line.removeprefix(f"{path}:").split(":")[0] for line in told] == ["3", "4", "4", "7"]
    assert f"the source “a” at {path}:3:18 has the same address" in "\n".join(told)
    warned = [warning.path for warning in caught.value.warnings]
    assert "polling.min_interval" in warned
    assert "service.contact" in warned
    assert "sources[2].poll" in warned
    assert not any("views" in path for path in warned)  # the tag may be of a broken source


def test_what_a_broken_group_would_say_is_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "aggregator.yaml"
    path.write_text("service: {contact: me, token: 123}\nsources: [{id: a, url: x}]\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ={})
    assert len(caught.value.problems) == 2
    assert caught.value.warnings == ()


def test_two_sources_of_one_address_with_other_passwords_are_two(load: Load) -> None:
    settings = load(
        "sources:\n"
        "  - {id: a, url: 'https://me:one@example.org/f'}\n"
        "  - {id: b, url: 'https://me:two@example.org/f'}\n"
        "  - {id: c, url: 'https://example.org/f', headers: {X-Key: three}}\n"
        "  - {id: d, url: 'https://example.org/f', auth: {username: me, password: three}}\n"
    )
    assert len(settings.sources) == 4


def test_the_token_of_a_view_may_be_guessed_too(warnings: Warnings) -> None:
    text = "sources: [{id: a, url: 'https://example.org/a'}]\nviews: [{id: v, token: short}]\n"
    (line,) = warnings(text)
    assert "views[0].token: has fewer than 16 characters" in line


def test_a_short_token_in_force_stays_and_a_new_one_is_refused() -> None:
    def with_token(token: str) -> Settings:
        return Settings(service=ServiceSettings(token=Secret(token)))

    assert new_short_tokens(with_token("short"), with_token("short")) == []
    assert new_short_tokens(with_token("short"), with_token("shorter")) == ["service.token"]
    assert new_short_tokens(with_token("short"), with_token("s" * 16)) == []


def test_a_setting_that_was_renamed_is_understood_under_its_old_name(
    load: Load, warnings: Warnings, mistakes: Mistakes
) -> None:
    old = "dedup: {copies: {revision_window: 3h}}\nsources: [{id: a, url: 'https://a.example/'}]\n"
    assert load(old).dedup.copies.correction_window == timedelta(hours=3)
    assert warnings(old) == [
        "aggregator.yaml:2:18: dedup.copies.revision_window: is called “correction_window” now"
    ]
    both = old.replace("{revision", "{correction_window: 2h, revision")
    (said,) = mistakes(both)
    assert said.endswith("there is no such setting here; did you mean “correction_window”?")
