"""What a command loads: nothing that it has no use for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# Loaded by each and used by none of them: the readers of documents and pages are for the workers,
# the server for the service, and of the database's dialects only the one in use is needed.
PARSERS = ("lxml", "selectolax", "feedparser", "dateparser", "trafilatura")
SERVING = ("uvicorn", "starlette", "jinja2", "apscheduler.schedulers", "aggregator.server")
DISPLAY = ("rich", "pygments", "click", "httpx._main")
DATABASE = ("sqlalchemy", "alembic", "psycopg")
OTHERS = ("pebble", "aggregator.pipeline.showing", "aggregator.articles")

UNWANTED = {
    "--version": (*PARSERS, *SERVING, *DISPLAY, *DATABASE, *OTHERS, "typer", "pydantic", "httpx"),
    "check": (*PARSERS, *SERVING, *DATABASE, *OTHERS, "pygments", "click", "httpx"),
    "poll": (
        *PARSERS, *SERVING, *DISPLAY, *OTHERS, "alembic", "psycopg", "sqlalchemy.orm",
        "sqlalchemy.dialects.postgresql",
    ),
}  # fmt: skip
PROGRAM = """
import json, sys
from aggregator.cli import main
try:
    main()
except SystemExit:
    pass
print("\\n" + json.dumps([name for name, module in sys.modules.items() if module is not None]))
"""


def loaded(*words: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize("command", UNWANTED)
def test_a_command_loads_nothing_that_it_has_no_use_for(command: str, tmp_path: Path) -> None:
    config = tmp_path / "aggregator.yaml"
    config.write_text(f"storage: {{url: 'sqlite:///{tmp_path}/aggregator.db'}}\nsources: []\n")
    words = {
        "--version": ["--version"],
        "check": ["check", "--json", "--config", str(config)],
        "poll": ["poll", "--json", "--config", str(config)],
    }[command]
    if command == "poll":
        loaded(*words)  # makes the database, with alembic
    found = loaded(*words)
    unwanted = {
        name
        for name in found
        for one in UNWANTED[command]
        if name == one or name.startswith(f"{one}.")
    }
    assert not unwanted


def test_the_commands_of_a_line_are_the_one_it_names_or_all() -> None:
    from aggregator.cli.app import COMMANDS, build

    def names(*words: str) -> set[str | None]:
        built = build(words)
        groups = {one.name for one in built.registered_groups}
        return groups | {one.name for one in built.registered_commands}

    assert names("-v", "poll", "--all") == {"poll"}
    assert names("--log-format", "json", "poll") == set(COMMANDS)
    assert names("polll") == names() == set(COMMANDS)
