"""`aggregator replay` as a person or a script runs it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from aggregator.cli import replaying
from aggregator.config.load import load_settings
from aggregator.pipeline.configure import apply_settings
from aggregator.store.database import Database
from aggregator.store.migrate import migrate
from aggregator.store.sources import documents

FEED = b"""<rss version="2.0"><channel><title>A</title><item><guid>https://example.org/1</guid>
<title>Bridge opens</title><link>https://example.org/1</link></item></channel></rss>"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """One source, of which a document is kept that was never read."""
    path = tmp_path / "aggregator.yaml"
    path.write_text(
        f'storage: {{url: "sqlite:///{tmp_path}/a.db", keep_raw: 1MB}}\n'
        'sources: [{id: a, url: "https://example.org/a"}]\n'
    )
    settings, now = load_settings(path), datetime(2026, 3, 1, tzinfo=UTC)
    database = Database(settings.storage.url.reveal())
    migrate(database)
    with database.write() as connection:
        apply_settings(connection, settings, now)
        packed = documents.pack(FEED)
        documents.put(
            connection, documents.Document("a", "h", now, False, True, None, None, packed)
        )
    database.close()
    return path


def run(*args: str | Path) -> Result:
    app = typer.Typer()
    app.command()(replaying.replay)
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_what_was_missed_is_told_and_added_when_wanted(config: Path) -> None:
    told = run("a", "-c", config)
    assert told.exit_code == 0, told.output
    assert "not read before: Bridge opens" in told.stdout
    assert "--apply --new adds them" in told.stdout
    added = run("--apply", "--new", "--json", "-c", config)
    (one,) = [json.loads(line) for line in added.stdout.splitlines()]
    assert (one["source"], one["documents"], len(one["missed"])) == ("a", 1, 1)
    assert json.loads(run("--json", "-c", config).stdout)["missed"] == []


def test_a_change_is_shown_where_it_begins() -> None:
    long = "The harbour of the town reopened after repairs. " * 3
    before, after = replaying._excerpts(long + "Old end", long + "New end, and more")
    assert before.startswith("…")
    assert (before.endswith("Old end"), "New end" in after) == (True, True)


def test_new_needs_apply_and_sources_are_known(config: Path) -> None:
    assert run("--new", "-c", config).exit_code == 2
    assert run("b", "-c", config).exit_code == 2
