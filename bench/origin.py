"""`bench.publisher` in a process of its own, and what it is asked beside the feeds."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """A running origin: its address and how many feeds it has."""

    base: str
    feeds: int

    @property
    def urls(self) -> list[str]:
        """The addresses of all feeds."""
        return [f"{self.base}/feed/{number}.xml" for number in range(self.feeds)]


def ask(base: str, target: str) -> bytes:
    """A control request to the origin."""
    with urllib.request.urlopen(base + target, timeout=60) as answer:
        body: bytes = answer.read()
        return body


@contextmanager
def origin(feeds: int, documents: Path | None = None, port: int = 0) -> Iterator[Origin]:
    """An origin of so many made feeds, or of the documents of a folder (0: all of them)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        port = probe.getsockname()[1]
    if documents is not None:
        there = len(list(documents.glob("*.gz")))
        feeds = min(feeds or there, there)
    words = [str(port), str(feeds), *([str(documents)] if documents else [])]
    process = subprocess.Popen([sys.executable, "-m", "bench.publisher", *words])
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                ask(base, "/counts")
                break
            except OSError:
                time.sleep(0.1)
        yield Origin(base, feeds)
    finally:
        process.terminate()
        process.wait()
