"""`aggregator report`: one file about a source, without any secret of the installation."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import typer
from typer.testing import CliRunner, Result

from aggregator.cli import polling, reporting
from aggregator.model.settings import Secret, ServiceSettings, Settings
from aggregator.pipeline.secrets import Scrubber
from tests.origin import Origin

SECRETS = {
    "PATH_TOKEN": "pathWord/hidden-segment",
    "QUERY_TOKEN": "q7Zt0kenQ7Zt0kenQ7Zt0ken",
    "HEADER_KEY": "hK3yVal-hK3yVal-hK3yVal",
    "USER": "reader-u53r",
    "PASSWORD": "p@55 w0rd/&p@55",
    "VIEW_TOKEN": "v13w-token-v13w-token",
    "ADMIN_TOKEN": "adm1n-token-adm1n-token",
    "HOOK": "h00k-secret-h00k-secret",
    "AGENT": "agent-only-we-know",
}
LITERAL = "literal-in-the-file"  # a token that stands in the configuration itself
BEARER = "b34rer-in-the-file.b34rer"  # the same, in a header
FILED = "from-a-f1le-of-secrets"  # a secret file's
CONFIG = """\
storage: {{url: "sqlite:///{folder}/a.db", keep_raw: 1MB}}
service: {{token: "${{ADMIN_TOKEN}}"}}
polling: {{host_gap: 0s, min_refresh: 0s}}
fetching: {{allow_networks: [127.0.0.1/32], allow_ports: [{port}]}}
sources:
  - {{id: told, url: "{base}/told", private: no, user_agent: "${{AGENT}}"}}
  - id: query
    url: "{base}/query?token=${{QUERY_TOKEN}}"
    headers:
      X-Api-Key: "${{HEADER_KEY}}"
      Authorization: "Bearer {bearer}"
      X-Filed: "${{file:secret.txt}}"
  - id: path
    url: "{base}/p/${{PATH_TOKEN}}/rss?key={literal}"
    auth: {{username: "${{USER}}", password: "${{PASSWORD}}"}}
views:
  - id: all
    token: "${{VIEW_TOKEN}}"
    webhooks: [{{url: "https://hook.example/${{HOOK}}"}}]
"""


def spellings() -> Iterator[str]:
    """Each secret as it is, percent-encoded, in JSON and markup, and as HTTP sends it."""
    for value in (*SECRETS.values(), LITERAL, BEARER, FILED):
        yield from (value, quote(value, safe=""), json.dumps(value)[1:-1])
        yield value.replace("&", "&amp;")
    yield base64.b64encode(f"{SECRETS['USER']}:{SECRETS['PASSWORD']}".encode()).decode()
    yield SECRETS["PATH_TOKEN"].partition("/")[2]


def feed(origin: Origin) -> bytes:
    """A feed that repeats all of them wherever text may stand."""
    words = " ".join(spellings()).replace("&", "&amp;").replace("<", "&lt;")
    links = (
        f"https://u:pw-of-somebody@files.example/a?x=1&amp;token=s1gned-{n}&amp;page=2"
        for n in range(2)
    )
    items = "".join(
        f"<item><guid>{n}-{words}</guid><title>Bridge {n} {words}</title><link>{link}</link>"
        f"<description>{words} {link}</description></item>"
        for n, link in enumerate(links)
    )
    return f'<rss version="2.0"><channel><title>{words}</title>{items}</channel></rss>'.encode()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation with secrets wherever one can be said, polled once."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with Origin() as origin:
        path = tmp_path / "aggregator.yaml"
        (tmp_path / "secret.txt").write_text(f"{FILED}\n")
        path.write_text(
            CONFIG.format(
                folder=tmp_path,
                port=origin.port,
                base=origin.url("").rstrip("/"),
                literal=LITERAL,
                bearer=BEARER,
            )
        )
        for target in ("/told", "/query", f"/p/{SECRETS['PATH_TOKEN']}/rss"):
            origin.answer(target, body=feed(origin))
        polled = run(polling.poll, "--all", "-c", path)
        assert polled.exit_code == 0, polled.output
        yield path


def run(command: object, *args: str | Path) -> Result:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    return CliRunner().invoke(app, [str(arg) for arg in args])


def parts(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_no_secret_of_any_kind_stands_in_a_report(config: Path, tmp_path: Path) -> None:
    for source in ("told", "query", "path"):
        file = tmp_path / f"{source}.zip"
        made = run(reporting.report, source, "--include-private", "-o", file, "-c", config)
        assert made.exit_code == 0, made.output
        assert file.stat().st_mode & 0o777 == 0o600
        found = parts(file)
        for name, data in found.items():
            leaked = [one for one in spellings() if one.encode() in data]
            assert leaked == [], f"{source}: {name}"
        assert b"pw-of-somebody" not in b"".join(found.values())
        assert b"s1gned" not in b"".join(found.values())
        # It is of use all the same.
        assert found["document"].count(b"<item>") == 2
        assert b"page=2" in found["document"]
        assert len(json.loads(found["read.json"])["feed"]["entries"]) == 2
        assert len(json.loads(found["entries.json"])) == 2
        assert json.loads(found["polls.json"])[0]["outcome"] == "new"
        assert json.loads(found["versions.json"])["libraries"]["feedparser"]
        assert json.loads(found["state.json"])["plan"]["reason"]


def test_what_a_private_source_brought_is_left_out_unless_it_is_asked_for(config: Path) -> None:
    assert run(reporting.report, "query", "-c", config).exit_code == 0
    found = parts(Path("aggregator-report-query.zip"))
    assert set(found) == {
        "README.txt", "versions.json", "source.json", "state.json", "polls.json"
    }  # fmt: skip
    assert b"Bridge" not in b"".join(found.values())


def test_a_file_that_is_there_stays(config: Path) -> None:
    there = Path("aggregator-report-told.zip")
    there.write_text("mine")
    assert run(reporting.report, "told", "-c", config).exit_code == 2
    assert there.read_text() == "mine"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32", "latin-1"])
def test_secrets_are_found_in_a_document_of_any_encoding(encoding: str) -> None:
    scrubber = Scrubber(Settings(service=ServiceSettings(token=Secret("pässwörd-1"))), [])
    document = "<rss>pässwörd-1 and https://a.example/?token=abc&amp;x=1</rss>"
    if encoding == "latin-1":
        document = document.replace("pässwörd-1", "")
    found = scrubber.document(document.encode(encoding)).decode(encoding)
    assert "wörd" not in found
    assert "token=***&amp;x=1</rss>" in found


def test_bytes_of_no_encoding_stay_as_they_are() -> None:
    body = b"<rss>\xff\xfe\x80 caf\xe9</rss>"
    assert Scrubber(Settings(), []).document(body) == body
