"""Take the pictures of the README: `python -m demo.screenshots`, of the demo's own news alone.

It starts the sample news and a service, waits until everything has arrived, and writes PNG files
into `docs/images`. Needs Chromium and the packages of `make venv`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from demo.__main__ import ROOT, check_port, configuration, end, start, wait_for

PATIENCE = 300.0  # seconds until the demo's copies, related news and stories are there
WIDTH, HEIGHT = 1000, 760
_COPIED = "Shared drills sharpen mountain rescue"


def items(service: str, view: str = "all") -> list[dict[str, Any]]:
    """What a merged feed holds."""
    address = f"{service}/feeds/{view}.json"
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - ours, on loopback
        found: list[dict[str, Any]] = json.load(answer)["items"]
    return found


def arrived(service: str) -> bool:
    """Whether a text of two outlets is one item and related news was followed."""
    shown = {item["title"]: item["_aggregator"] for item in items(service)}
    followed = [more for more in shown.values() if "via" in more]
    copied = bool(shown.get(_COPIED, {}).get("also_in"))
    told = any(item["_aggregator"]["related"] for item in items(service, "events"))
    return copied and told and len(followed) >= 3


def take(page: Page, service: str, folder: Path) -> None:
    """Each page as a file, from where it is worth to be looked at."""
    page.goto(f"{service}/views/local")
    _keep(page, folder / "view.png")
    page.goto(f"{service}/views/events")
    page.click("text=The whole story >> nth=0")
    _keep(page, folder / "story.png")
    page.goto(f"{service}/views/all")
    page.click(f"text={_COPIED} >> nth=0")
    page.evaluate("document.querySelector('#why').scrollIntoView()")
    _keep(page, folder / "copies.png")
    page.goto(f"{service}/sources")
    _keep(page, folder / "sources.png")


def _keep(page: Page, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)


def main() -> None:
    """Start both, take the pictures, end both."""
    parser = argparse.ArgumentParser(prog="python -m demo.screenshots", description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images")
    folder: Path = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    origin_port, port = check_port(0, "--origin-port"), check_port(0, "--port")
    service = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as made:
        config = configuration(Path(made), origin_port)
        processes = [start(["demo.origin", "--port", str(origin_port)], {})]
        try:
            wait_for(f"http://127.0.0.1:{origin_port}/", processes[0])
            words = ["aggregator", "run", "--config", str(config)]
            processes.append(start(words, {"AGGREGATOR_LISTEN": f"127.0.0.1:{port}"}))
            wait_for(f"{service}/health/ready", processes[1])
            until = time.monotonic() + PATIENCE
            while not arrived(service):
                if time.monotonic() > until:
                    raise SystemExit("the sample news has not arrived in time")
                time.sleep(1)
            with sync_playwright() as playwright:
                flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
                browser = playwright.chromium.launch(executable_path=program, args=flags)
                size = {"width": WIDTH, "height": HEIGHT}
                take(browser.new_page(viewport=size), service, folder)
                browser.close()
        finally:
            end(processes)


if __name__ == "__main__":
    main()
