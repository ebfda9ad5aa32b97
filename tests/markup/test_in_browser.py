"""Thousands of generated vectors, sanitised and shown by a browser with no policy around them."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from aggregator.markup.sanitize import sanitize_html
from tests.markup.generated import generated
from tests.markup.vectors import VECTORS
from tests.origin import Origin
from tests.patience import PATIENCE

# What a vector could do in the end: a dialog, or a script that asks for something.
TRAP = (
    "<!doctype html><meta charset=utf-8><title>quiet</title><script>window.alert = window.confirm "
    "= window.prompt = window.print = () => { document.title = 'run'; fetch('/canary'); };"
    "addEventListener('load', () => { for (const one of document.querySelectorAll('a, button, "
    "summary, input')) { one.addEventListener('click', event => { if (!/^(javascript|data|vbscript)"
    ":/i.test(one.href || one.formAction || '')) event.preventDefault() }); one.focus(); "
    "one.click(); } });</script>"
)


def shown(chromium: Path, folder: Path, origin: Origin, bodies: Sequence[str]) -> str:
    """The title of a page with these bodies, after its scripts had their time."""
    page = TRAP + "".join(f"<div>{body}</div>" for body in bodies)
    origin.answer("/", body=page.encode("utf-8", "replace"), headers={"Content-Type": "text/html"})
    ran = subprocess.run(
        [
            str(chromium), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", "--dump-dom",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", origin.url("/"),
        ],
        capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    found = re.search("<title>(.*?)</title>", ran.stdout.decode(errors="replace"))
    return html.unescape(found[1]) if found else ""


@pytest.mark.required("chromium")
def test_nothing_generated_runs_once_it_is_sanitised(chromium: Path, tmp_path: Path) -> None:
    vectors = [*generated(), *VECTORS]
    assert len(vectors) > 8000
    safe = [sanitize_html(vector, "https://publisher.example/story") for vector in vectors]
    with Origin() as origin:
        assert shown(chromium, tmp_path, origin, safe) == "quiet"
        assert origin.requests("/canary") == []
        # Sanitised twice is what is served after an upgrade: it must be the same.
        assert [sanitize_html(body, "https://publisher.example/story") for body in safe] == safe
        # And the trap is one: a few of them as they are spring it.
        assert shown(chromium, tmp_path, origin, ["<img src=x onerror=alert(1)>"]) == "run"
        assert shown(chromium, tmp_path, origin, ["<a href=javascript:alert(1)>x</a>"]) == "run"
        assert origin.requests("/canary")
