"""`aggregator extract` and `related`, alone and on a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.articles.pages import MARKUPS, RELATED, english_story
from tests.patience import PATIENCE

FIELDS = [
    "url", "title", "authors", "editor", "publisher", "source_line", "place", "published",
    "modified", "language", "image", "text", "html", "links",
]  # fmt: skip


@pytest.fixture
def pages(tmp_path: Path) -> list[dict[str, str]]:
    """The English story in every markup, as lines for --jsonl."""
    story = english_story(RELATED)
    lines = []
    for number, build in enumerate(MARKUPS.values()):
        file = tmp_path / f"{number}.html"
        file.write_text(build(story), encoding="utf-8")
        lines.append({"file": str(file), "url": story.url})
    return lines


def run(*words: str, lines: str = "", code: int = 0) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-m", "aggregator", *words],
        input=lines, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ran.returncode == code, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_many_pages_on_a_pipe_give_a_line_each_in_their_order(pages: list[dict[str, str]]) -> None:
    asked = pages * 3
    read = run("extract", "--jsonl", lines="".join(json.dumps(p) + "\n" for p in asked))
    assert len(read) == len(asked)
    for line in read:
        assert list(line)[: len(FIELDS)] == FIELDS
        assert line["url"] == english_story().url
        assert line["editor"]
        assert line["title"] == english_story().title
        assert line["image"]["caption"]
        assert line["place"] is None
        assert [link["text"] for link in line["links"]] == [title for title, _ in RELATED]


def test_related_links_come_with_heading_rule_and_position(pages: list[dict[str, str]]) -> None:
    (line,) = run("related", "--jsonl", lines=json.dumps(pages[0]))
    assert set(line) == {"url", "links"}
    assert [link["position"] for link in line["links"]] == [0, 1, 2]
    assert {link["heading"] for link in line["links"]} == {"Related News"}
    assert {link["rule"] for link in line["links"]} == {"heading"}


def test_what_cannot_be_read_gives_a_line_with_its_error_and_the_rest_go_on(
    pages: list[dict[str, str]],
) -> None:
    lines = [json.dumps({"file": "missing.html"}), "no json", "[]", "{}", json.dumps(pages[0])]
    read = run("related", "--jsonl", lines="\n".join(lines), code=1)
    assert [bool(line.get("error")) for line in read] == [True, True, True, True, False]
    assert all(line["links"] == [] for line in read[:4])


def test_a_file_without_an_address_is_read_under_its_own(pages: list[dict[str, str]]) -> None:
    read = [run("related", "--json", page["file"])[0] for page in pages]
    assert {line["url"] for line in read} <= {None, english_story().url}
    assert english_story().url in {line["url"] for line in read}


def test_wrong_usage_is_said() -> None:
    assert run("extract", code=2) == []
    assert run("related", "--jsonl", "file.html", code=2) == []


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_reader_that_goes_away_ends_it_quietly(
    pages: list[dict[str, str]], options: tuple[str, ...]
) -> None:
    """`aggregator related … | head`: nobody reads on, and that is no error to tell about."""
    files = [page["file"] for page in pages] * 40
    process = subprocess.Popen(
        [sys.executable, "-m", "aggregator", "related", *files, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=PATIENCE) == 1
    assert said == b""
