"""`init`, `import`, `export` and `schema` as a person or a script runs them."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
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
        "# 1 subscription read, 1 left out.\n"
        "# line 1: “Note” has no feed address: left out\n"
        "sources:\n"
        "  - id: ea-b\n"
        "    url: https://example.org/f\n"
        '    title: "Éa: b"\n'
        "    tags: [News]\n"
    )
    assert "line 1: “Note” has no feed address: left out" in result.stderr
    assert "1 subscription read, 1 left out." in result.stderr


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
            "line 1: “Note” has no feed address: left out",
            "line 1: https://example.org/f is configured already: left out",
        ],
        "read": 0,
        "left_out": 1,
        "repeated": 0,
        "configured": 1,
    }


def test_import_of_something_else_or_of_nothing_is_a_mistake(tmp_path: Path, config: Path) -> None:
    result = run("import", config, "--config", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert "it is no OPML file" in result.stderr
    assert run("import", tmp_path / "no.opml", "--config", config).exit_code == 2
    config.write_text("sorces: []\n")
    broken = run("import", "-", "--config", config, given=OPML)
    assert broken.exit_code == 2
    assert "did you mean “sources”?" in " ".join(broken.stderr.split())


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
    output.chmod(0o644)
    assert run("export", "--config", config, "--with-secrets", "-o", output).exit_code == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


SECRET_OPML = OPML.replace("https://example.org/f", "https://me:s3cret@example.org/f")


def test_a_list_with_passwords_goes_into_no_file_that_others_can_read(
    tmp_path: Path, config: Path
) -> None:
    opml, into, out = tmp_path / "in.opml", tmp_path / "into.yaml", tmp_path / "out.yaml"
    opml.write_text(SECRET_OPML)
    assert run("import", opml, "--into", into, "--config", config).exit_code == 0
    assert "s3cret" in into.read_text()
    assert stat.S_IMODE(into.stat().st_mode) == 0o600
    for words in (["import", opml], ["import", opml, "--json"], ["export", "--with-secrets"]):
        program = [sys.executable, "-m", "aggregator", *map(str, words), "--config", str(config)]
        for mode, code in ((0o644, 2), (0o600, 0)):
            out.write_bytes(b"")
            out.chmod(mode)
            with out.open("wb") as file:
                ran = subprocess.run(program, stdout=file, stderr=subprocess.PIPE, check=False)
            assert ran.returncode == code, ran.stderr
            assert bool(out.read_bytes()) is (code == 0)
            assert b"s3cret" not in ran.stderr


def test_schema_is_printed() -> None:
    assert json.loads(run("schema").stdout) == settings_schema()
