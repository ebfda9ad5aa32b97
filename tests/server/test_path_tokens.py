"""Tokens in the path of a feed: they open one view, end at a word, and are written nowhere."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest
from lxml import etree
from sqlalchemy import select
from typer.testing import CliRunner

from aggregator.cli.app import build
from aggregator.pipeline.showing import tokens
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.views import tokens as stored
from tests.server.conftest import Serve
from tests.server.samples import NOON, SampleBackend, settings_of

TOKENS = {"token": "service-token-0123", "desk_token": "desk-token-0123456"}
ADDRESS = "/feeds/by/path-token-of-the-desk"


def test_an_address_with_a_token_opens_its_view_and_no_other(serve: Serve) -> None:
    with serve(SampleBackend(), settings_of(**TOKENS)) as client:
        answer = client.get(f"{ADDRESS}/desk.rss")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, max-age=60"
        tag = answer.headers["etag"]
        again = client.get(f"{ADDRESS}/desk.rss", headers={"if-none-match": tag})
        assert again.status_code == 304
        for path in (f"{ADDRESS}/all.atom", f"{ADDRESS}/desk.txt", "/feeds/by/other/desk.atom"):
            assert client.get(path).status_code == 401, path


def test_what_stands_in_the_path_is_not_written_to_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(SampleBackend(), settings_of(**TOKENS)) as client:
        client.get("/feeds/by/nearly-the-right-one/desk.atom")
        answer: httpx.Response = client.get(f"{ADDRESS}/desk.atom")
        assert answer.headers["referrer-policy"] == "no-referrer"
        metrics = client.get("/metrics", headers={"authorization": f"Bearer {TOKENS['token']}"})
    told = capsys.readouterr()
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    written = "\n".join(ours) + told.out + told.err + metrics.text
    assert "a wrong token was given" in written
    assert "nearly-the-right-one" not in written
    assert "path-token" not in written


def test_a_token_is_kept_as_a_hash_until_it_is_revoked(database: Database) -> None:
    with database.write() as connection:
        number, token = tokens.make(connection, "desk", "for a clock radio", NOON)
        other, _ = tokens.make(connection, "all", "", NOON)
    with database.read() as connection:
        row = connection.execute(select(t.feed_token).where(t.feed_token.c.id == number)).one()
        assert token not in repr(row)
        assert stored.view_of(connection, tokens.digest(token)) == "desk"
        assert [one.note for one in stored.every(connection)] == ["for a clock radio", ""]
    with database.write() as connection:
        assert stored.revoke(connection, number)
        assert not stored.revoke(connection, number)
        assert stored.view_of(connection, tokens.digest(token)) is None
        assert [one.number for one in stored.every(connection)] == [other]


def test_the_list_of_feeds_has_those_that_the_token_given_opens(serve: Serve) -> None:
    with serve(SampleBackend(), settings_of(**TOKENS)) as client:
        assert client.get("/opml/views").status_code == 401
        for token, views in (("desk_token", ["desk"]), ("token", ["all", "desk"])):
            answer = client.get("/opml/views", headers={"authorization": f"Bearer {TOKENS[token]}"})
            found = etree.fromstring(answer.content).iter("outline")
            feeds = [f"http://news.example/feeds/{view}.atom" for view in views]
            assert [one.get("xmlUrl") for one in found] == feeds
            assert TOKENS[token] not in answer.text


def test_a_command_makes_lists_and_ends_addresses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"storage: {{url: sqlite:///{tmp_path}/a.db}}\n"
        "views: [{id: all, title: All}]\n"
        "sources: [{id: a, url: https://a.example/feed}]\n"
    )

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(build(), ["token", *words, "--config", str(config)])
        return result.exit_code, result.output

    status, told = run("add", "all", "--note", "clock radio")
    assert status == 0
    assert "/feeds/by/" in told
    assert "clock radio" in run("list")[1]
    assert run("add", "none")[0] != 0
    assert run("revoke", "1")[0] == 0
    assert run("revoke", "1")[0] != 0
    assert "clock radio" not in run("list")[1]
