"""`check`, `discover`, `parse`, `poll` and `status` as a person or a script uses them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from aggregator import __version__
from aggregator.cli.app import build
from aggregator.cli.checking import entry_json
from aggregator.model.feed import Enclosure, Episode, FeedLink, ParsedEntry, Picture
from aggregator.model.states import PushKind, PushState
from aggregator.store.database import Database
from aggregator.store.pushing import targets
from aggregator.store.pushing.targets import Target
from tests.e2e.feeds import rss
from tests.origin import Origin, reply

PAGE = (
    b"<html><head><title>Hello</title>"
    b'<link rel="alternate" type="application/rss+xml" title="News" href="/good"></head></html>'
)
Run = Callable[..., Result]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as made:
        tag = {"ETag": '"1"'}
        made.script("/good", reply(200, tag, rss("good", range(3))), reply(304, tag))
        made.answer("/page", body=PAGE, headers={"Content-Type": "text/html"})
        made.answer("/broken", 500)
        yield made


@pytest.fixture
def config(tmp_path: Path, origin: Origin) -> Path:
    path = tmp_path / "aggregator.yaml"
    document = {
        "service": {"contact": "https://example.org/"},
        "storage": {"url": f"sqlite:///{tmp_path}/x.db"},
        "polling": {"min_refresh": "0s", "host_gap": "0s"},
        "fetching": {"allow_networks": ["127.0.0.1/32"], "allow_ports": [origin.port]},
        "sources": [
            {"id": name, "url": origin.url(f"/{name}")} for name in ("good", "page", "broken")
        ],
    }
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def run(config: Path) -> Run:
    """Run a command with that configuration."""

    def call(*words: str, **options: Any) -> Result:
        return CliRunner().invoke(build(), [*words, "--config", str(config)], **options)

    return call


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(build(), ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"aggregator {__version__}\n")


def test_check_says_what_is_configured_and_fetches_nothing(run: Run, origin: Origin) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert "3 sources, 1 views, no mistakes" in result.stdout
    assert origin.requests() == []


def test_check_of_a_broken_file_ends_with_2_and_names_every_place(run: Run, config: Path) -> None:
    config.write_text("sources:\n  - id: a\n    ulr: x\nviws: []\n")
    result = run("check")
    assert result.exit_code == 2
    assert f"{config}:3:5" in result.stderr
    assert "“url”" in result.stderr
    assert f"{config}:4:1" in result.stderr


def test_check_online_reads_every_source_and_offers_the_feeds_of_a_page(run: Run) -> None:
    result = run("check", "--online", "--json")
    seen = {line["source"]: line for line in lines(result)}
    assert result.exit_code == 1
    assert (seen["good"]["ok"], seen["good"]["entries"], seen["good"]["format"]) == (True, 3, "rss")
    assert "/good" in seen["page"]["error"]
    assert "500" in seen["broken"]["error"]


def test_discover_lists_the_feeds_of_a_page(run: Run, origin: Origin) -> None:
    result = run("discover", origin.url("/page"), "--json")
    assert result.exit_code == 0
    assert lines(result)[0] == [  # type: ignore[comparison-overlap]
        {"url": origin.url("/good"), "title": "News", "type": "application/rss+xml"}
    ]


def test_discover_prints_yaml_that_can_be_pasted(run: Run, origin: Origin, config: Path) -> None:
    page = b'<link rel=alternate type=application/rss+xml title="Good" href="/more">' + PAGE
    origin.answer("/both", body=page, headers={"Content-Type": "text/html"})
    result = run("discover", origin.url("/both"))
    assert result.exit_code == 0, result.stderr
    assert yaml.safe_load(result.stdout) == {
        "sources": [{"id": "good-2", "url": origin.url("/more"), "title": "Good"}]
    }
    assert "/good is configured already, as “good”" in " ".join(result.stderr.split())
    config.write_text(config.read_text() + "include: more.yaml\n")
    (config.parent / "more.yaml").write_text(result.stdout)
    assert run("check").exit_code == 0


@pytest.mark.parametrize("prefix", ["", "//", "feed://", " "])
def test_discover_needs_no_scheme(run: Run, origin: Origin, prefix: str) -> None:
    address = prefix + origin.url("/page").removeprefix("http://")
    result = run("discover", address, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)[0]["url"] == origin.url("/good")


def test_a_refused_address_says_which_setting_would_allow_it(run: Run, config: Path) -> None:
    config.unlink()
    result = run("discover", "http://127.0.0.1:1/feed")
    said = " ".join(result.stderr.split())
    assert result.exit_code == 1
    assert "“fetching.allow_networks: [127.0.0.1]”" in said
    assert "“allow_private: yes”" in said
    assert "link-local" not in said
    linked = " ".join(run("discover", "http://169.254.169.254/").stderr.split())
    assert "“fetching.allow_networks: [169.254.169.254]” would allow it" in linked


def test_a_proxy_of_the_environment_that_is_not_used_is_hinted_at(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cret@proxy.example:3128")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        result = run("discover", f"http://127.0.0.1:{port}/feed")
    assert result.exit_code == 1
    assert "HTTPS_PROXY is set" in result.stderr
    assert "“fetching.proxy”" in result.stderr
    checked = run("check")
    assert checked.exit_code == 0
    assert "HTTPS_PROXY" in checked.stderr
    assert "s3cret" not in result.stderr + checked.stderr


def test_check_tells_mistakes_and_warnings_in_one_run(run: Run, config: Path) -> None:
    config.write_text(
        "sources:\n"
        "  - {id: a, url: 'https://example.org/f', pol: 1h}\n"
        "  - {id: b, url: 'http://www.example.org/f/'}\n"
    )
    result = run("check")
    said = " ".join(result.stderr.split())
    assert result.exit_code == 2
    assert "did you mean “poll”?" in said
    assert "the same address" in said
    assert "warning:" in said
    assert "service.contact" in said
    (told,) = lines(run("check", "--json"))
    assert (told["ok"], len(told["problems"]), len(told["warnings"])) == (False, 2, 1)


def test_discover_of_what_cannot_be_fetched_says_why(run: Run, origin: Origin) -> None:
    result = run("discover", origin.url("/broken"))
    assert result.exit_code == 1
    assert "500" in result.stderr


def test_poll_and_status_tell_each_source_s_outcome(run: Run) -> None:
    polled = run("poll", "--all", "--json")
    assert polled.exit_code == 1
    outcomes = {line["source"]: (line["outcome"], line["new"]) for line in lines(polled)}
    assert outcomes == {"good": ("new", 3), "page": ("html", 0), "broken": ("http", 0)}
    again = run("poll", "good", "--json")
    assert (again.exit_code, lines(again)[0]["outcome"]) == (0, "not_modified")
    status = run("status", "--json")
    states = {line["source"]: line for line in lines(status)}
    assert status.exit_code == 1
    assert (states["good"]["state"], states["good"]["items"]) == ("ok", 3)
    assert states["broken"]["state"] == "failing"
    assert states["broken"]["next_poll"] > states["broken"]["last_poll"]


def test_status_tells_of_deliveries_that_nobody_took(run: Run, tmp_path: Path) -> None:
    run("status")
    database = Database(f"sqlite:///{tmp_path}/x.db")
    at = datetime(2026, 3, 1, tzinfo=UTC)
    with database.write() as connection:
        targets.add(
            connection,
            Target(
                "k", PushKind.WEBHOOK, "all", "hooks.example", PushState.PARKED, at, at,
                address="https://hooks.example/let-me-in", tries=16, detail="HTTP 500",
            ),
        )  # fmt: skip
    database.close()
    (told,) = [line for line in lines(run("status", "--json")) if "delivery" in line]
    assert told == {
        "delivery": "webhook", "view": "all", "host": "hooks.example", "state": "parked",
        "tries": 16, "detail": "HTTP 500", "next_try": "2026-03-01T00:00:00Z", "last_taken": None,
    }  # fmt: skip
    said = run("status").stdout
    assert "at hooks.example takes nothing (HTTP 500): parked" in said
    assert "let-me-in" not in said


def test_poll_without_names_polls_what_is_due(run: Run, origin: Origin) -> None:
    run("poll")
    asked = len(origin.log)
    result = run("poll")
    assert (result.exit_code, len(origin.log)) == (0, asked)
    assert "nothing is due" in result.stdout


def test_poll_of_an_unknown_source_suggests_the_right_one(run: Run) -> None:
    result = run("poll", "goood")
    assert result.exit_code == 2
    assert "did you mean 'good'" in result.stderr


def test_parse_prints_one_object_a_document(run: Run, tmp_path: Path) -> None:
    feed, junk = tmp_path / "feed.xml", tmp_path / "junk.xml"
    feed.write_bytes(rss("alpha", range(2)))
    junk.write_bytes(b"no feed at all")
    result = run("parse", "--json", str(feed), str(junk), str(tmp_path / "missing.xml"))
    read, bad, missing = lines(result)
    assert result.exit_code == 1
    assert read["error"] is None
    assert read["feed"]["title"] == "The alpha"
    first = read["entries"][0]
    assert first == first | {
        "id": "alpha-1",
        "link": "https://alpha.example/2026/bridge-1",
        "title": "alpha reports on bridge 1",
        "published": "2026-03-01T00:00:01Z",
        "updated": None,
        "author": None,
        "summary": "<p>The alpha desk writes that bridge 1 opened.</p>",
        "content": None,
        "enclosures": [],
        "categories": [],
        "authors": [],
        "media": [],
        "image": None,
        "duration": None,
        "episode": None,
        "language": None,
        "comments": None,
        "related": [],
    }
    assert bad["error"]
    assert "cannot read" in missing["error"]


def test_parse_shows_all_that_is_read(run: Run) -> None:
    document = b"""<rss xmlns:media="http://search.yahoo.com/mrss/"
    xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
    <channel><title>c</title><item><title>t</title><comments>https://a.example/talk</comments>
    <dc:creator>Ida Berg</dc:creator><dc:creator>Per Lund</dc:creator>
    <dc:language>da</dc:language><itunes:duration>1:30</itunes:duration>
    <itunes:season>2</itunes:season><enclosure url="https://a.example/e.mp3" type="audio/mpeg"/>
    <atom:link rel="related" href="https://a.example/2" title="More"/>
    <media:content url="https://a.example/1.jpg"><media:description>A ferry</media:description>
    </media:content></item></channel></rss>"""
    (entry,) = lines(run("parse", "--json", "-", input=document))[0]["entries"]
    assert entry["authors"] == ["Ida Berg", "Per Lund"]
    assert (entry["language"], entry["comments"]) == ("da", "https://a.example/talk")
    assert entry["related"] == ["https://a.example/2"]
    assert entry["links"] == [
        {"rel": "related", "href": "https://a.example/2", "type": None, "title": "More"}
    ]
    assert entry["image"] == "https://a.example/1.jpg"
    told = [(one["medium"], one["url"], one.get("alt")) for one in entry["media"]]
    assert told == [
        ("image", "https://a.example/1.jpg", "A ferry"),
        ("audio", "https://a.example/e.mp3", None),
    ]
    assert (entry["duration"], entry["episode"]["season"]) == (90, 2)
    assert entry["enclosures"][0]["duration"] == 90


OTHERWISE: dict[str, object] = {
    "date_only": True,
    "date_inferred": True,
    "guid_is_permalink": True,
    "published": datetime(2026, 3, 1, tzinfo=UTC),
    "updated": datetime(2026, 3, 1, tzinfo=UTC),
    "authors": ("Ida Berg",),
    "categories": ("The sea", "ports"),
    "terms": (("The sea", "sea"),),
    "enclosures": (Enclosure("https://a.example/e.mp3"),),
    "pictures": (Picture("https://a.example/1.jpg"),),
    "episode": Episode(season=2),
    "links": (FeedLink("related", "https://a.example/2"),),
}


@pytest.mark.parametrize("field", [field.name for field in fields(ParsedEntry)])
def test_whatever_is_read_of_an_entry_is_shown(field: str) -> None:
    one = ParsedEntry("1", "https://a.example/", "t", categories=("The sea",))
    other = replace(one, **{field: OTHERWISE.get(field, "otherwise")})  # type: ignore[arg-type]
    assert entry_json(other) != entry_json(one)


def test_parse_sanitises_what_it_prints(run: Run) -> None:
    document = rss("alpha", range(1)).replace(
        b"opened.", b"opened.&lt;script&gt;x()&lt;/script&gt;"
    )
    result = run("parse", "--json", "-", input=document)
    assert "script" not in lines(result)[0]["entries"][0]["summary"]
