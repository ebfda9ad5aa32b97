"""Hostile article pages: bounded, nothing dialled that they name, nothing run in a browser."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.e2e.program import Program, wait_until
from tests.markup.vectors import VECTORS
from tests.origin import Origin, Wire
from tests.patience import PATIENCE

HTML = {"Content-Type": "text/html; charset=utf-8"}
TEXT = "".join(
    f"<p>The harbour council met on Monday and heard part {part} of the engineers' plan for the "
    "quay, which would close the northern pier for two seasons, as the mayor explained.</p>"
    for part in range(4)
)
PER_PAGE = 130  # vectors in one article


def page(title: str, body: str) -> bytes:
    return (
        f"<!doctype html><html lang=en><head><title>{title}</title>"
        "<meta property=og:type content=article></head>"
        f"<body><article><h1>{title}</h1>{body}</article></body></html>"
    ).encode("utf-8", "surrogatepass")


def feed(origin: Origin, entries: dict[str, str]) -> bytes:
    """Items by path, with their descriptions."""
    now = format_datetime(datetime.now(UTC))
    items = "".join(
        f"<item><guid isPermaLink='false'>{path}</guid><title>Quay story {path}</title>"
        f"<link>{origin.url(path)}</link><pubDate>{now}</pubDate>"
        f"<description>{html.escape(_xml_safe(body))}</description></item>"
        for path, body in entries.items()
    )
    return f"<rss version='2.0'><channel><title>Quay</title>{items}</channel></rss>".encode()


def _xml_safe(text: str) -> str:
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", text)


@pytest.fixture
def canary() -> Iterator[Origin]:
    """An address that nobody may dial: our own network, but not the allowed part of it."""
    with Origin("127.0.0.2") as made:
        yield made


def start(program: Program, origin: Origin, **source: object) -> None:
    program.configure(
        [
            {"id": "quay", "url": origin.url("/feed"), **source},
            {"id": "bodies", "url": origin.url("/bodies")},
        ],
        [origin.port],
        polling={"host_gap": "0.01s", "article_gap": "0.01s"},
        service={"page_text": "everywhere"},
        views=[{"id": "all", "title": "All", "mode": "articles"}],
    )
    program.start()


def outcomes(program: Program) -> list[str]:
    return re.findall(r"outcome=(\S+) url=", program.log())


def test_deep_huge_and_lying_pages_cost_little_and_their_links_are_never_dialled(
    program: Program, origin: Origin, canary: Origin
) -> None:
    traps = [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://example.org/x",
        canary.url("/news/2026/inside-our-network.html"),
        "http://169.254.169.254/latest/meta-data/quay-story-of-the-day",
        "http://[::1]/news/2026/quay-story-of-the-day", f"http://2130706434:{canary.port}/news/a-b-c",
        f"http://127.2:{canary.port}/news/2026/quay-story-of-the-day.html",
        f"http://[::ffff:127.0.0.2]:{canary.port}/news/2026/quay-story-of-the-day.html",
    ]  # fmt: skip
    listed = "".join(f"<li><a href='{url}'>A quay story of the day</a></li>" for url in traps)
    origin.answer(
        "/traps",
        body=page("Traps", f"{TEXT}</article><h3>Related News</h3><ul>{listed}</ul>"),
        headers=HTML,
    )
    origin.answer("/deep", body=page("Deep", "<div>" * 100_000 + TEXT), headers=HTML)
    origin.answer(
        "/links",
        body=page(
            "Links",
            TEXT
            + "<h3>Related News</h3><ul>"
            + "".join(
                f"<li><a href='/news/2026/quay-story-{n}.html'>Quay story number {n}</a></li>"
                for n in range(10_000)
            )
            + "</ul>",
        ),
        headers=HTML,
    )
    origin.answer(
        "/attributes",
        body=page("Attributes", f"<p {'onclick=alert(1) ' * 20_000}>x</p>{TEXT}"),
        headers=HTML,
    )

    async def huge(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body>")
        for _ in range(50):
            await wire.send(b"<p>" + b"x" * (1 << 20))
        wire.close()

    origin.route("/huge", huge)
    paths = ("/huge", "/deep", "/links", "/attributes", "/traps")
    origin.answer("/feed", body=feed(origin, dict.fromkeys(paths, "A story…")))
    origin.answer("/robots.txt", 404)
    start(
        program, origin, full_text="always",
        follow_related={"hosts": "any", "links_per_article": 20, "pages_per_host_and_day": 30},
    )  # fmt: skip
    before, _ = program.memory()
    wait_until(
        lambda: {"/deep", "/links", "/attributes", "/traps", "/huge"}
        <= {seen.path for seen in origin.requests()} and len(outcomes(program)) > 20,
        "every hostile page was read",
    )  # fmt: skip
    own, _ = program.memory()
    assert own - before < 60 * 1024 * 1024
    assert canary.connections == 0
    assert "unreadable" in outcomes(program)  # the page of 50 MB
    assert len(program.items()) == len(paths)
    assert program.stop() == 0


@pytest.mark.required("chromium")
def test_no_vector_runs_in_a_browser_from_an_article_s_body(
    program: Program, origin: Origin, chromium: Path, tmp_path: Path
) -> None:
    groups = [VECTORS[i : i + PER_PAGE] for i in range(0, len(VECTORS), PER_PAGE)]
    pages = {f"/news/2026/page-{n}.html": group for n, group in enumerate(groups)}
    for path, group in pages.items():
        body = TEXT + "".join(f"<div>{vector}</div>{TEXT}" for vector in group)
        origin.answer(path, body=page("Vectors", body), headers=HTML)
    bodies = {f"/v/2026/{n}": vector for n, vector in enumerate(VECTORS)}
    origin.answer("/feed", body=feed(origin, dict.fromkeys(pages, "…")))
    origin.answer("/bodies", body=feed(origin, bodies))
    origin.answer("/robots.txt", 404)
    start(program, origin, full_text="when_truncated")
    with_text = len(pages)
    wait_until(
        lambda: sum(word == "read" for word in outcomes(program)) >= with_text, "pages are read"
    )
    wait_until(lambda: len(program.items()) >= len(pages) + len(VECTORS) - 5, "every body is kept")
    items = program.items()

    # Without any policy of ours around it: what is served does nothing by itself.
    trap = "document.title = 'run'; fetch('/canary')"
    harness = (
        f"<!doctype html><meta charset=utf-8><title>quiet</title><script>window.alert = "
        f"window.confirm = window.prompt = window.print = () => {{ {trap} }}</script>"
        + "".join(f"<div>{item.get('content_html', '')}</div>" for item in items)
    )
    origin.answer("/harness", body=harness.encode("utf-8", "replace"), headers=HTML)
    dom, _ = _open(chromium, tmp_path, origin.url("/harness"))
    assert "<title>quiet</title>" in dom
    assert origin.requests("/canary") == []

    shown = [item for item in items if "Quay story /news" in item["title"]]
    assert len(shown) == len(pages)
    assert sum("engineers" in json.dumps(item) for item in shown) == len(pages)
    numbers: list[str] = re.findall(
        r'href="/items/(\d+)[?"][^>]*>Quay story /news', _listing(program)
    )
    assert numbers
    for number in numbers[:3]:
        dom, console = _open(chromium, tmp_path, f"{program.url}/items/{number}")
        assert "<title>Quay story /news" in dom
        assert "engineers" in dom
        assert not re.search(r"CONSOLE.*(?:alert|Uncaught|inline script)", console)
    assert program.stop() == 0


def _listing(program: Program) -> str:
    """The pages of the view, as HTML."""
    text, url = "", "/views/all"
    for _ in range(60):
        got = program.get(url).text
        text += got
        older = re.search(r'href="(/views/all\?before=[^"]+)"', got)
        if older is None:
            break
        url = html.unescape(older[1])
    return text


def _open(chromium: Path, folder: Path, url: str) -> tuple[str, str]:
    """The document after its scripts had their time, and what the browser logged."""
    ran = subprocess.run(
        [
            str(chromium), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            "--disable-dev-shm-usage", f"--user-data-dir={folder / 'profile'}",
            "--virtual-time-budget=4000", "--dump-dom", url,
        ],
        capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace")
