"""`doctor` as a person or a script runs it."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from aggregator.cli import examining
from tests import parts


def run(*args: str | Path) -> Result:
    app = typer.Typer()
    app.command()(examining.doctor)
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_it_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    config = tmp_path / "aggregator.yaml"
    config.write_text(
        f"service: {{listen: '127.0.0.1:{parts.free_port()}'}}\n"
        f"storage: {{url: 'sqlite:///{tmp_path / 'a.db'}'}}\n"
        "sources: [{id: a, url: 'https://a.example/feed'}]\n"
    )
    told = run("--offline", "--config", config)
    assert told.exit_code == 1
    assert "wrong service: does not answer" in told.output
    assert "start it: aggregator run" in told.output
    listed = run("--offline", "--config", config, "--json")
    findings = [json.loads(line) for line in listed.output.splitlines()]
    assert {one["about"] for one in findings if one["fine"]} == {"open files", "disk", "database"}
    config.write_text("sources: [")
    assert run("--config", config).exit_code == 2
