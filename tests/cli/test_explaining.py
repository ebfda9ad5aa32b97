"""`plan`, `why` and `moves` as a person or a script runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from aggregator.cli import explaining
from aggregator.opening import open_parts  # noqa: F401 - built once, not inside the first test

CONFIG = """\
storage: {{url: "sqlite:///{folder}/a.db"}}
sources:
  - {{id: a, url: "https://example.org/a"}}
  - {{id: b, url: "https://example.org/b?token=t0k3n"}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "aggregator.yaml"
    path.write_text(CONFIG.format(folder=tmp_path))
    return path


@pytest.fixture
def applied(config: Path) -> Path:
    """A configuration that is in its database, with `a` moved."""
    from datetime import UTC, datetime

    from aggregator.config.load import load_settings
    from aggregator.pipeline.configure import apply_settings
    from aggregator.store import schema as t
    from aggregator.store.database import Database
    from aggregator.store.migrate import migrate

    settings = load_settings(config)
    database = Database(settings.storage.url.reveal())
    migrate(database)
    with database.write() as connection:
        apply_settings(connection, settings, datetime(2026, 3, 1, tzinfo=UTC))
        connection.execute(
            t.feed.update()
            .where(t.feed.c.source_id == "a")
            .values(effective_url="https://example.org/new", extra={"moved": {"why": "so it says"}})
        )
    database.close()
    return config


def run(*args: str | Path) -> Result:
    app = typer.Typer()
    app.command()(explaining.plan)
    app.command()(explaining.why)
    app.command()(explaining.moves)
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_plan_prints_what_is_next(applied: Path) -> None:
    found = run("plan", "--config", applied)
    assert found.exit_code == 0
    assert "requests an hour" in found.output
    parsed = json.loads(run("plan", "--json", "--config", applied).output)
    assert [one["source"] for one in parsed["polls"]] == ["a", "b"]
    assert parsed["slowdown"] == 1.0


def test_why_explains_a_source_and_knows_no_other(applied: Path) -> None:
    parsed = json.loads(run("why", "a", "--json", "--config", applied).output)
    assert (parsed["source"], parsed["host"]) == ("a", "example.org")
    assert parsed["polls"] == []
    assert "example.org" in run("why", "a", "--config", applied).output
    assert run("why", "nothing", "--config", applied).exit_code == 2


def test_moves_prints_a_patch_and_writes_nothing(applied: Path) -> None:
    before = applied.read_text()
    printed = run("moves", "--config", applied).output
    assert '+  - {id: a, url: "https://example.org/new"}' in printed
    assert "so it says" in printed
    assert applied.read_text() == before
    assert json.loads(run("moves", "--json", "--config", applied).output)["source"] == "a"


def test_no_command_prints_a_secret(applied: Path) -> None:
    for words in (("plan",), ("why", "b"), ("moves",), ("plan", "--json"), ("why", "b", "--json")):
        assert "t0k3n" not in run(*words, "--config", applied).output
