"""No secret of a source in anything that the program says, answers, logs or keeps (invariant 12).

The secrets stand in the environment, in addresses, in userinfo and in headers; the origin repeats
them wherever a server can: in redirects, in a broken status line, in error pages, in the feeds.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.program import Program, wait_until
from tests.origin import Origin, Wire, reply

SECRETS = {
    "PATH_TOKEN": "pathWord/hidden-segment",
    "QUERY_TOKEN": "q7Zt0kenQ7Zt0kenQ7Zt0ken",
    "HEADER_KEY": "hK3yVal-hK3yVal-hK3yVal",
    "BEARER": "b34rer.b34rer.b34rer",
    "USER": "reader-u53r",
    "PASSWORD": "p@55 w0rd/&p@55",
    "VIEW_TOKEN": "v13w-token-v13w-token",
    "ADMIN_TOKEN": "adm1n-token-adm1n-token",
}
ROUTES = (
    *("/", "/about", "/opml", "/metrics", "/health/live", "/health/ready", "/robots.txt", "/login"),
    *(f"/feeds/{view}.{fmt}" for view in ("all", "desk") for fmt in ("atom", "rss", "json")),
    *("/views/all", "/views/desk", "/sources/none", "/items/99"),
)
NAMES = ("plain", "query", "headers", "userinfo", "path", "moved", "broken", "page", "loop", "told")


def spellings() -> set[str]:
    """How a secret may be written: as it is, percent-encoded, in Base64 as HTTP sends it."""
    written = set()
    for value in SECRETS.values():
        written |= {value, quote(value, safe=""), quote(value)}
    login = f"{SECRETS['USER']}:{SECRETS['PASSWORD']}"
    written.add(base64.b64encode(login.encode()).decode())
    return written | {SECRETS["PATH_TOKEN"].partition("/")[2]}


def leaks(text: str | bytes) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    return sorted(one for one in spellings() if one.encode() in data)


def feed(origin: Origin, name: str, target: str = "") -> bytes:
    """An Atom feed that repeats its own address as id and self link, as many do."""
    own = origin.url(target or f"/{name}").replace("&", "&amp;")
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Feed {name}</title><id>{own}</id>'
        f'<link rel="self" href="{own}"/><link rel="alternate" href="{own}"/>'
        "<updated>2026-03-01T10:00:00Z</updated>"
        f"<entry><id>tag:{name}.example,2026:1</id><title>Story of {name}</title>"
        f'<link href="https://{name}.example/2026/story"/><updated>2026-03-01T10:00:00Z</updated>'
        f"<content>What happened at {name}.</content></entry></feed>"
    ).encode()


@pytest.fixture
def told(origin: Origin) -> list[dict[str, Any]]:
    """Sources whose secrets stand everywhere a configuration can hold one."""
    path, query = SECRETS["PATH_TOKEN"], SECRETS["QUERY_TOKEN"]
    key = f"/key?token={query}"

    async def echo(wire: Wire) -> None:
        """A broken head that repeats what was sent, as one line."""
        sent = wire.request.headers
        said = f"HTTP/1.1 {sent['x-api-key']} {sent['authorization']} {wire.request.target}\r\n"
        await wire.send(said.encode())
        wire.close()

    def page(target: str) -> bytes:
        links = f'<link rel="alternate" type="application/rss+xml" href="{target}/feed">'
        return f"<html><head><title>x</title>{links}</head><body>{target}</body></html>".encode()

    origin.answer("/plain", body=feed(origin, "plain"))
    origin.answer("/key", body=feed(origin, "query", key))
    origin.answer("/open", body=feed(origin, "told", f"/open?token={query}"))
    origin.answer("/headers", body=feed(origin, "headers"))
    origin.answer("/userinfo", body=feed(origin, "userinfo"))
    origin.answer(f"/p/{path}/rss", body=feed(origin, "path", f"/p/{path}/rss"))
    origin.answer(f"/moved/{path}", 301, headers={"Location": f"/new/{path}?token={query}"})
    origin.answer(f"/new/{path}", body=feed(origin, "moved", f"/new/{path}?token={query}"))
    origin.route(f"/broken/{path}", echo)
    origin.answer(
        f"/page/{path}", body=page(f"/page/{path}"), headers={"Content-Type": "text/html"}
    )
    origin.answer(f"/loop/{path}", 302, headers={"Location": f"/loop/{path}?token={query}"})
    origin.script(f"/gone/{path}", reply(410, body=path.encode()))
    port = origin.port
    return [
        {"id": "plain", "url": origin.url("/plain"), "poll": "1s"},
        {"id": "query", "url": origin.url("/key?token=${QUERY_TOKEN}")},
        {
            "id": "headers",
            "url": origin.url("/headers"),
            "headers": {"X-Api-Key": "${HEADER_KEY}", "Authorization": "Bearer ${BEARER}"},
        },
        {
            "id": "userinfo",
            "url": f"http://{quote(SECRETS['USER'])}:{quote(SECRETS['PASSWORD'], safe='')}"
            f"@127.0.0.1:{port}/userinfo",
        },
        {"id": "path", "url": origin.url("/p/${PATH_TOKEN}/rss")},
        {"id": "moved", "url": origin.url("/moved/${PATH_TOKEN}")},
        {
            "id": "broken",
            "url": origin.url("/broken/${PATH_TOKEN}"),
            "headers": {"X-Api-Key": "${HEADER_KEY}", "Authorization": "Bearer ${BEARER}"},
            "private": False,
        },
        {"id": "page", "url": origin.url("/page/${PATH_TOKEN}"), "private": False},
        {"id": "loop", "url": origin.url("/loop/${PATH_TOKEN}"), "private": False},
        # Its items are for everybody, its address is not.
        {"id": "told", "url": origin.url("/open?token=${QUERY_TOKEN}"), "private": False},
    ]


@pytest.fixture
def speaking(
    program: Program, origin: Origin, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Program:
    """The program, with everything polled and everything logged."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    program.configure(
        told,
        [origin.port],
        service={"log_level": "debug", "admin_token": "${ADMIN_TOKEN}"},
        views=[
            {"id": "all", "title": "All"},
            {"id": "desk", "title": "Desk", "token": "${VIEW_TOKEN}"},
        ],
    )
    program.start()
    wait_until(
        lambda: all(line["last_poll"] for line in program.status().values()),
        "every source was polled",
    )
    return program


def read(program: Program, path: str, **options: Any) -> str:
    answer = program.get(path, follow_redirects=False, **options)
    heads = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{answer.status_code}\n{heads}\n\n{answer.text}"


def test_no_answer_command_log_or_file_holds_a_secret_of_a_source(
    speaking: Program, origin: Origin
) -> None:
    program = speaking
    assert len(origin.requests("/headers")) >= 1
    assert origin.requests("/headers")[0].headers["x-api-key"] == SECRETS["HEADER_KEY"]
    found: dict[str, list[str]] = {}
    trusted = {"Authorization": f"Bearer {SECRETS['ADMIN_TOKEN']}"}
    numbers = [f"/items/{n}" for n in range(1, 12)]
    for path in (*ROUTES, *(f"/sources/{name}" for name in NAMES), *numbers):
        found[f"GET {path}"] = leaks(read(program, path))
        found[f"GET {path} by the administrator"] = leaks(read(program, path, headers=trusted))
    for words in commands():
        ran = program.run(*words)
        found[" ".join(words)] = leaks(ran.stdout + ran.stderr)
    assert program.stop() == 0
    found["the log"] = leaks(program.log())
    for file in sorted(program.folder.glob("aggregator.db*")):
        found[file.name] = leaks(file.read_bytes())
    assert [where for where, what in found.items() if what] == []


def commands() -> list[tuple[str, ...]]:
    """Every command that reads the configuration, the database or a source."""
    said = [
        *(("check",), ("check", "--online", "--json"), ("status", "--json"), ("plan",)),
        *(("moves",), ("export",), ("-vv", "poll", "--all", "--json")),
    ]
    return said + [("why", name) for name in ("path", "page", "broken")]


def test_items_of_private_sources_are_only_where_a_token_is_asked_for(speaking: Program) -> None:
    program = speaking
    token = {"Authorization": f"Bearer {SECRETS['VIEW_TOKEN']}"}
    hidden = {f"Story of {n}" for n in ("query", "headers", "userinfo", "path", "moved")}
    told = {"Story of plain", "Story of told"}
    for fmt in ("atom", "rss", "json"):
        shown = program.get(f"/feeds/all.{fmt}").text
        assert {title for title in hidden | told if title in shown} == told
        guarded = program.get(f"/feeds/desk.{fmt}", headers=token).text
        assert {title for title in hidden | told if title in guarded} == hidden | told
        assert program.get(f"/feeds/desk.{fmt}").status_code == 401
    for path in ("/", "/opml", "/views/all", *(f"/items/{n}" for n in range(1, 12))):
        text = program.get(path, follow_redirects=False).text
        assert not re.search(r"(Story|Feed) of? ?(query|headers|userinfo|path|moved)\b", text), path
