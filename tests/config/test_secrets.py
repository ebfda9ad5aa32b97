"""Secrets come from the environment or a file, and leave in no message (invariant 12)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aggregator.config.load import load_settings
from aggregator.config.problems import ConfigError
from aggregator.model.settings import Secret, SourceSettings
from tests.config.conftest import Load, Mistakes

SECRET = "hunter2-S3CRET"


def source(load: Load, settings: str, environ: dict[str, str] | None = None) -> SourceSettings:
    text = f"sources:\n  - {{id: a, {settings}}}\n"
    return load(text, {"PW": SECRET} if environ is None else environ).sources[0]


def test_variables_defaults_and_escapes_are_filled_in(load: Load) -> None:
    made = source(load, 'url: "https://example.org/f", title: "${A} ${B:-two} $${C} $D ${E:-}!"',
                  {"A": "one", "B": ""})  # fmt: skip
    assert made.title == "one two ${C} $D !"


def test_a_secret_file_is_read_without_its_line_end_and_watched(load: Load, tmp_path: Path) -> None:
    settings = load("service: {token: '${file:token.txt}'}\n", files={"token.txt": SECRET + "\n"})
    assert settings.service.token == Secret(SECRET)
    assert str(tmp_path / "token.txt") in settings.files


def test_a_secret_file_that_cannot_be_read_is_named(mistakes: Mistakes) -> None:
    assert mistakes("service:\n  token: ${file:no.txt}\n") == [
        "aggregator.yaml:2:10: service.token: cannot read the file “no.txt”: "
        "No such file or directory"
    ]


def test_a_mistyped_variable_is_recognised(mistakes: Mistakes) -> None:
    assert mistakes("service:\n  name: ${NEWS_NAM}\n", {"NEWS_NAME": SECRET}) == [
        "aggregator.yaml:2:9: service.name: the environment variable “NEWS_NAM” is not set; "
        "did you mean “NEWS_NAME”?"
    ]
    assert mistakes("service:\n  name: ${not a name}\n") == [
        "aggregator.yaml:2:9: service.name: “${…}” takes the name of an environment variable or "
        "“file:” and a path; write “$${” for the two characters themselves"
    ]


def test_a_secret_prints_as_stars(load: Load) -> None:
    settings = load(
        """\
        service: {token: "${PW}", admin_token: "${PW}"}
        storage: {url: "postgresql://u:${PW}@db/x"}
        fetching: {proxy: "http://u:${PW}@proxy.example:3128", proxy_trusted: yes}
        sources:
          - id: a
            url: https://u:${PW}@example.org/feed
            headers: {X-Api-Key: "${PW}"}
        views: [{id: v, token: "${PW}"}]
        """,
        {"PW": SECRET},
    )
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert SECRET not in "".join(settings.warnings)


def test_userinfo_moves_from_the_address_into_auth(load: Load) -> None:
    made = source(load, 'url: "https://me%40x:${PW}@example.org/feed?a=b"')
    assert made.url == "https://example.org/feed?a=b"
    assert made.auth == (Secret("me@x"), Secret(SECRET))
    assert made.private
    assert made.shown_url == "https://example.org/feed?a=b"


@pytest.mark.parametrize(
    "settings",
    [
        'url: "https://example.org/feed", auth: {username: me, password: "${PW}"}',
        'url: "https://example.org/feed", headers: {X-Whatever: "${PW}"}',
        'url: "https://example.org/feed", headers: {X-Api-Key: plain}',
        'url: "https://example.org/feed", headers: {Cookie: a=b}',
        'url: "https://example.org/${PW}/feed"',
        'url: "https://example.org/feed?token=abc"',
        'url: "https://example.org/feed?x=1&api_key=abc"',
    ],
)
def test_a_source_with_a_secret_is_private_unless_it_says_otherwise(
    settings: str, load: Load
) -> None:
    assert source(load, settings).private
    assert not source(load, settings + ", private: no").private


@pytest.mark.parametrize(
    "settings",
    [
        'url: "https://example.org/feed?channel_id=UCabcdefghijklmnopqrstuv"',
        'url: "https://example.org/feed?keyword=x&monkey=1"',
        'url: "https://example.org/feed", headers: {Accept-Language: de}',
        'url: "https://example.org/feed", title: "${PW}"',
    ],
)
def test_a_source_without_a_secret_is_public(settings: str, load: Load) -> None:
    made = source(load, settings)
    assert not made.private
    assert made.shown_url == made.url


def test_an_address_with_a_secret_is_never_shown(load: Load) -> None:
    for settings in (
        'url: "https://example.org/${PW}/feed"',
        'url: "https://example.org/${PW}/feed", private: no',
        'url: "https://example.org/feed?token=abc", private: no',
        'url: "https://example.org/k7dh2/feed", private: yes',  # a token only its owner can tell
    ):
        assert source(load, settings).shown_url is None


BROKEN_WITH_SECRETS = (
    'service: {token: "${PW}\\nx"}',
    "service: {listen: '${PW}'}",
    "service: {contact: '${PW}'}",
    "service: {log_level: '${PW}'}",
    "service: {base_url: '${PW}'}",
    "storage: {url: '${PW}'}",
    "storage: {keep_text: '${PW}'}",
    "polling: {price: '${PW}', concurrency: '${PW}', requests_per_second: '${PW}'}",
    "fetching: {proxy: '${PW}', allow_networks: '${PW}', max_body_bytes: '${PW}'}",
    "fetching: {allow_networks: ['${PW}'], allow_ports: ['${PW}']}",
    "defaults: {timezone: '${PW}', language: '${PW}', poll: '${PW}', private: '${PW}'}",
    "sources: [{id: '${PW}', url: 'ftp://${PW}@example.org'}]",
    "sources: [{id: a, url: '${PW}'}]",
    "sources: [{id: a, url: 'https://example.org/ ${PW}'}]",
    "sources: [{id: a, url: 'ftp://u:hunter2-S3CRET@example.org/'}]",
    "sources: [{id: a, url: 'htps://example.org/?token=hunter2-S3CRET'}]",
    "sources: [{id: a, url: 'https://example.org/x', headers: {'x y': '${PW}'}}]",
    "sources: [{id: a, url: 'https://example.org/x', auth: '${PW}'}]",
    "sources: [{id: a, url: 'https://u:${PW}@example.org/x', auth: {username: a, password: b}}]",
    "sources: [{id: a, url: 'https://example.org/${PW}'}, {id: b, url: 'https://example.org/${PW}'}]",
    "views: [{id: a, sources: ['${PW}'], mode: '${PW}'}]",
    "defaults: {poll: 'cron: ${PW} * * * *'}",
    "defaults: {poll: {cron: '* * * * ${PW}'}}",
    "views: ['${PW}']",
    "sources: '${PW}'",
    "include: '${PW}/x'",
)


@pytest.mark.parametrize("text", BROKEN_WITH_SECRETS)
def test_no_message_shows_a_secret(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ={"PW": SECRET})
    said = f"{caught.value} {caught.value!r} {caught.value.problems}"
    assert SECRET not in said
    assert SECRET.casefold() not in said.casefold()


def test_an_empty_secret_guards_nothing_and_is_refused(mistakes: Mistakes) -> None:
    assert mistakes("service:\n  token: ${TOKEN:-}\n") == [
        "aggregator.yaml:2:10: service.token: a secret must not be empty; "
        "leave the setting out to do without"
    ]


def test_headers_that_the_program_sets_itself_are_refused(mistakes: Mistakes) -> None:
    said = mistakes(
        """\
        sources:
          - id: a
            url: https://example.org/feed
            headers: {User-Agent: x, If-None-Match: x, "bad name": x, X: "a\\nb"}
        """
    )
    assert [line.split(": ", 1)[1] for line in said] == [
        "sources[0].headers.User-Agent: the header “User-Agent” is set by the program itself; "
        "say who you are with “service.contact”, or set the source's “user_agent”",
        "sources[0].headers.If-None-Match: the header “If-None-Match” is set by the program itself",
        "sources[0].headers.bad name: is no name of a header",
        "sources[0].headers.X: the value of a header is one line of text",
    ]


def test_a_pipe_or_device_is_no_secret_file_and_holds_nobody_up(load: Load, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, what in (("pipe", "a pipe"), ("/dev/zero", "a device"), (".", "a folder")):
        with pytest.raises(ConfigError) as caught:
            load(f"service: {{contact: a@b.example, token: '${{file:{name}}}'}}\n")
        assert f"is {what}, not a file" in str(caught.value)


def test_a_pipe_is_no_included_file(load: Load, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for written in ("pipe.yaml", "[pipe.yaml]"):
        with pytest.raises(ConfigError, match="is a pipe, not a file"):
            load(f"include: {written}\n")
    with pytest.raises(ConfigError, match="is a pipe, not a file"):
        load_settings(tmp_path / "pipe.yaml", environ={})
    with pytest.raises(ConfigError, match="there is no file"):
        load("fetching: {ca_bundle: pipe.yaml}\n")
