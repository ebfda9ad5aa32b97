"""`aggregator search`: what is found, and mistakes at their place."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from aggregator.cli.app import build

CONFIG = """
storage: {url: "sqlite:///%s"}
sources: [{id: a, url: "https://example.org/feed"}]
"""


def run(tmp_path: Path, *words: str) -> tuple[int, str, str]:
    file = tmp_path / "aggregator.yaml"
    file.write_text(CONFIG % (tmp_path / "a.db"))
    done = CliRunner().invoke(build(), ["search", *words, "--config", str(file)])
    return done.exit_code, done.stdout, done.stderr


def test_a_mistake_is_shown_at_its_place(tmp_path: Path) -> None:
    code, out, said = run(tmp_path, "storm", "(north")
    assert (code, out) == (2, "")
    assert "it ends too early: expected “)” (column 13)\nstorm (north\n            ^" in said


def test_without_a_store_nothing_is_found(tmp_path: Path) -> None:
    code, out, said = run(tmp_path, "storm")
    assert (code, out) == (2, "")
    assert "nothing is stored yet" in said
