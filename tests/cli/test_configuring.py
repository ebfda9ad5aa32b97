"""`init`, `import`, `export` and `schema` as a person or a script runs them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from aggregator.cli import configuring
from aggregator.config.load import load_settings
from aggregator.config.schema import settings_schema

OPML = (
    '<opml><body><outline text="News"><outline text="Éa: b" xmlUrl="https://example.org/f"/>'
    '</outline><outline text="Note"/></body></opml>'
)
CONFIG = """\
sources:
  - {id: a, url: "https://example.org/a", tags: [x]}
  - {id: b, url: "https://example.org/b?token=t0k3n"}
  - {id: c, url: "https://me:pw@example.org/c"}
"""


def run(*args: str | Path, given: str | None = None) -> Result:
    app = typer.Typer()
    app.command()(configuring.init)
    app.command("import")(configuring.import_opml)
    app.command()(configuring.export)
    app.command()(configuring.schema)
    return CliRunner().invoke(app, [str(arg) for arg in args], input=given)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "aggregator.yaml"
    path.write_text(CONFIG)
    return path


def test_init_writes_a_configuration_that_loads_and_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "new" / "aggregator.yaml"
    result = run("init", "--config", path, "--json")
    assert result.exit_code == 0
    schema = path.with_name("aggregator.schema.json")
    assert json.loads(result.stdout) == {"written": [str(path), str(schema)]}
    assert load_settings(path, environ={}).sources
    assert json.loads(schema.read_text()) == settings_schema()


def test_init_overwrites_only_when_told_to(config: Path) -> None:
    result = run("init", "--config", config)
    assert result.exit_code == 2
    assert "there already; --force overwrites" in " ".join(result.stderr.split())
    assert config.read_text() == CONFIG
    assert run("init", "--config", config, "--force").exit_code == 0
    assert config.read_text() != CONFIG


def test_import_prints_yaml_and_says_what_was_left_out(tmp_path: Path) -> None:
    opml = tmp_path / "feeds.opml"
    opml.write_text(OPML)
    result = run("import", opml, "--config", tmp_path / "none.yaml")
    assert result.exit_code == 0
    assert result.stdout == (
        "# `Note` has no feed address: left out\n"
        "sources:\n"
        "  - id: ea-b\n"
        "    url: https://example.org/f\n"
        '    title: "Éa: b"\n'
        "    tags: [News]\n"
    )
    assert "`Note` has no feed address: left out" in result.stderr


def test_import_into_a_file_that_the_configuration_can_include(
    tmp_path: Path, config: Path
) -> None:
    into = tmp_path / "imported.yaml"
    assert run("import", "-", "--into", into, "--config", config, given=OPML).exit_code == 0
    config.write_text("include: imported.yaml\n" + CONFIG)
    assert [s.id for s in load_settings(config, environ={}).sources] == ["a", "b", "c", "ea-b"]
    again = run("import", "-", "--into", into, "--config", config, given=OPML)
    assert again.exit_code == 2
    twice = run("import", "-", "--json", "--config", config, given=OPML)
    assert json.loads(twice.stdout) == {
        "sources": [],
        "notes": [
            "`Note` has no feed address: left out",
            "https://example.org/f is configured already: left out",
        ],
    }


def test_import_of_something_else_or_of_nothing_is_a_mistake(tmp_path: Path, config: Path) -> None:
    result = run("import", config, "--config", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert "it is no OPML file" in result.stderr
    assert run("import", tmp_path / "no.opml", "--config", config).exit_code == 2
    config.write_text("sorces: []\n")
    broken = run("import", "-", "--config", config, given=OPML)
    assert broken.exit_code == 2
    assert "did you mean `sources`?" in " ".join(broken.stderr.split())


def test_export_leaves_secrets_out_unless_asked_for_them(config: Path, tmp_path: Path) -> None:
    result = run("export", "--config", config)
    assert result.exit_code == 0
    assert "https://example.org/a" in result.stdout
    assert "https://example.org/c" in result.stdout
    assert "t0k3n" not in result.output
    assert "pw@" not in result.output
    assert "1 left out" in result.stderr
    everything = run("export", "--config", config, "--with-secrets", "--json")
    assert [one["url"] for one in json.loads(everything.stdout)["sources"]] == [
        "https://example.org/a",
        "https://example.org/b?token=t0k3n",
        "https://me:pw@example.org/c",
    ]
    output = tmp_path / "out.opml"
    assert run("export", "--config", config, "--with-secrets", "-o", output).exit_code == 0
    assert "me:pw@" in output.read_text()
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_schema_is_printed() -> None:
    assert json.loads(run("schema").stdout) == settings_schema()
