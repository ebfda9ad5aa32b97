"""`url-key`, `compare`, `split`, `merge` and `dedup --dry-run` as their user sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aggregator.cli.app import build
from tests.identity.texts import ENGLISH, GERMAN
from tests.store.test_copies import Desk, other_story, trimmed

RUNNER = CliRunner()


def run(*words: str, given: str | None = None, code: int = 0) -> str:
    result = RUNNER.invoke(build(), list(words), input=given)
    assert result.exit_code == code, result.output
    return result.stdout


def test_a_key_for_each_url_in_order() -> None:
    printed = run(
        "url-key", "https://www.news.example/a/b.html?utm_source=x", "http://m.news.example/a/b/"
    )
    assert printed == "news.example/a/b\n" * 2


def test_keys_for_the_lines_of_standard_input() -> None:
    printed = run("url-key", given="https://news.example/a\nno address\n", code=1)
    assert printed == "news.example/a\n\n"


def test_a_key_as_json_says_whether_it_identifies() -> None:
    (line,) = run("url-key", "--json", "https://news.example/").splitlines()
    assert json.loads(line)["identity"] is False


def test_pairs_from_standard_input_get_a_decision_each() -> None:
    same = {"a": {"title": "x", "text": ENGLISH}, "b": {"title": "y", "text": trimmed(ENGLISH)}}
    other = {"a": {"title": "x", "text": ENGLISH}, "b": {"title": "x", "text": GERMAN}}
    given = "".join(json.dumps(pair) + "\n" for pair in (same, other))
    said = [json.loads(line) for line in run("compare", "--jsonl", given=given).splitlines()]
    assert [one["same"] for one in said] == [True, False]
    assert said[0]["score"] > 0.9
    assert "of the shorter text" in said[1]["reason"]


def test_a_line_that_is_no_pair_is_said_and_the_rest_goes_on() -> None:
    given = '{"a": 1}\n' + json.dumps({"a": {"text": ENGLISH}, "b": {"text": ENGLISH}}) + "\n"
    first, second = run("compare", "--jsonl", given=given, code=1).splitlines()
    assert "error" in json.loads(first)
    assert json.loads(second)["same"] is True


def test_two_files_are_compared(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(ENGLISH, encoding="utf-8")
    (tmp_path / "b").write_text(trimmed(ENGLISH), encoding="utf-8")
    assert run("compare", str(tmp_path / "a"), str(tmp_path / "b")).startswith("the same text")


@pytest.fixture
def stored(sqlite_url: str) -> Iterator[Desk]:
    desk = Desk(sqlite_url)
    yield desk
    desk.database.close()


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str) -> str:
    path = tmp_path / "aggregator.yaml"
    path.write_text(f"storage:\n  url: {sqlite_url}\nsources: []\n", encoding="utf-8")
    return str(path)


def test_split_and_merge_by_number_and_by_id(stored: Desk, config: str) -> None:
    (first,) = stored.take("alpha", ENGLISH)
    (second,) = stored.take("beta", trimmed(ENGLISH))
    run("split", str(second), "--config", config)
    assert not stored.together(first, second)
    run("merge", str(first), str(second), "--config", config)
    assert stored.together(first, second)


def test_an_unknown_item_is_said(stored: Desk, config: str) -> None:
    run("split", "77", "--config", config, code=2)
    run("merge", "77", "--config", config, code=2)


def test_why_explains_an_item_with_its_evidence(stored: Desk, config: str) -> None:
    (first,) = stored.take("alpha", ENGLISH)
    (second,) = stored.take("beta", trimmed(ENGLISH))
    said = json.loads(run("why", str(second), "--json", "--config", config))
    assert said["copies"] == [first]
    (decision,) = said["decisions"]
    assert (decision["kind"], decision["other"]) == ("copy", first)
    assert len(" ".join(decision["passages"])) > 0.8 * len(trimmed(ENGLISH))
    assert "one text with items" in run("why", str(first), "--config", config)
    run("why", "nothing-like-this", "--config", config, code=2)


def test_a_dry_run_shows_what_a_threshold_would_change(stored: Desk, config: str) -> None:
    from datetime import UTC, datetime

    stored.now = datetime.now(UTC)
    stored.take("alpha", ENGLISH)
    stored.take("beta", f"{trimmed(ENGLISH)}\n{other_story(1)}")
    strict = ["--set", "containment=0.99"]
    printed = run("dedup", "--dry-run", *strict, "--json", "--config", config)
    (pair,) = map(json.loads, printed.splitlines())
    assert pair["change"] == "parted"
    assert run("dedup", "--dry-run", "--json", "--config", config) == ""
    run("dedup", "--dry-run", "--set", "nonsense=1", "--config", config, code=2)


def test_changed_thresholds_are_applied_to_the_last_days(stored: Desk, config: str) -> None:
    from datetime import UTC, datetime

    stored.now = datetime.now(UTC)
    (first,) = stored.take("alpha", ENGLISH)
    (second,) = stored.take("beta", f"{trimmed(ENGLISH)}\n{other_story(1)}")
    assert "nothing changed" in run("dedup", "--config", config)
    run("dedup", "--set", "containment=0.99", "--config", config, code=2)
    with Path(config).open("a", encoding="utf-8") as file:
        file.write("dedup: {copies: {containment: 0.99}}\n")
    assert "would be two texts" in run("dedup", "--config", config, given="n\n", code=1)
    assert stored.together(first, second)
    printed = run("dedup", "--json", "--config", config, given="n\n", code=1)
    assert printed.strip() == "n"  # what was typed; the question is on standard error
    assert stored.together(first, second)
    run("dedup", "--days", "3651", "--config", config, code=2)
    assert "are two texts" in run("dedup", "--yes", "--config", config)
    assert not stored.together(first, second)
