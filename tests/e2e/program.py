"""The real program as its user runs it: a process, a configuration file, signals and HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil
import yaml

from tests import parts
from tests.patience import PATIENCE


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fail with its name when it never does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


@dataclass
class Program:
    """One installation: its folder, its configuration, and the process when it runs."""

    folder: Path
    database_url: str
    port: int = field(default_factory=parts.free_port)
    process: subprocess.Popen[bytes] | None = None
    runs: int = 0
    storage: str = ""  # another address of the database than that of the configuration
    clocks: Path | None = None  # says what `tests.e2e.moved_clock` shows, once they were moved

    @property
    def config(self) -> Path:
        return self.folder / "aggregator.yaml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(
        self,
        sources: Sequence[Mapping[str, Any]],
        origin_ports: list[int],
        *,
        service: Mapping[str, Any] | None = None,
        polling: Mapping[str, Any] | None = None,
        fetching: Mapping[str, Any] | None = None,
        storage: Mapping[str, Any] | None = None,
        views: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Write the configuration file; the guard is opened for loopback origins alone."""
        document: dict[str, Any] = {
            "service": {
                "listen": f"127.0.0.1:{self.port}",
                "contact": "https://example.org/about",
                **(service or {}),
            },
            "storage": {"url": self.database_url, **(storage or {})},
            "polling": {"min_refresh": "0s", "host_gap": "0s", **(polling or {})},
            "fetching": {
                "allow_networks": ["127.0.0.1/32"],
                "allow_ports": origin_ports,
                **(fetching or {}),
            },
            "sources": [dict(source) for source in sources],
        }
        if views is not None:
            document["views"] = [dict(view) for view in views]
        temporary = self.folder / "new.yaml"
        temporary.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
        temporary.rename(self.config)

    def start(self, role: str = "run", *options: str, ready: bool = True) -> Program:
        """Start the service, or one role of it; by default wait until it says that it is ready."""
        log = (self.folder / "log.txt").open("ab")
        if role in ("schedule", "worker"):
            options = (*options, "--listen", f"127.0.0.1:{self.port}")
        self.process = subprocess.Popen(
            [sys.executable, *self._module(), role, *options, "--config", str(self.config)],
            stdout=log,
            stderr=log,
            env=self.environment(),
        )
        self.runs += 1
        log.close()
        if ready:
            self.wait(self.is_ready, "the service is ready")
        return self

    def move_clock(
        self, passed: timedelta = timedelta(0), set_by: timedelta = timedelta(0)
    ) -> None:
        """Let so much time have passed since the test began, and the wall clock be set by so much.

        Holds for a program that is started from now on; one that was started so follows at once.
        """
        self.clocks = self.folder / "clocks"
        temporary = self.folder / "clocks.new"
        temporary.write_text(f"{passed.total_seconds()} {set_by.total_seconds()}")
        temporary.rename(self.clocks)

    def _module(self) -> list[str]:
        if self.clocks is None:
            return ["-m", "aggregator"]
        return ["-m", "tests.e2e.moved_clock", str(self.clocks)]

    def wait(self, true: Callable[[], bool], what: str) -> None:
        """`wait_until`; where the service has ended, fail at once with what its log says."""

        def checked() -> bool:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"the service ended: {self.log()[-3000:]}")
            return true()

        wait_until(checked, what)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AGGREGATOR_")}
        listen = f"127.0.0.1:{self.port}"
        storage = {"AGGREGATOR_STORAGE_URL": self.storage} if self.storage else {}
        return kept | storage | {"PYTHONUNBUFFERED": "1", "AGGREGATOR_LISTEN": listen}

    def beside(self) -> Program:
        """Another process of the same installation: one configuration, one database."""
        return Program(self.folder, self.database_url)

    def log(self) -> str:
        path = self.folder / "log.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self) -> None:
        """`kill -9`, as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=PATIENCE, **options)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the program, whatever comes of it."""
        return subprocess.run(
            [sys.executable, *self._module(), *words, "--config", str(self.config)],
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=PATIENCE,
            check=False,
        )

    def command(self, *words: str, code: int | None = 0) -> str:
        """Run a command of the program; returns what it printed."""
        ran = self.run(*words)
        if code is not None:
            assert ran.returncode == code, f"exit code {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def status(self) -> dict[str, dict[str, Any]]:
        """`aggregator status --json`, by source."""
        lines = self.command("status", "--json", code=None).splitlines()
        return {line["source"]: line for line in map(json.loads, lines)}

    def items(self, view: str = "all") -> list[dict[str, Any]]:
        """Every item of a view's JSON Feed, all pages."""
        items: list[dict[str, Any]] = []
        url: str | None = f"{self.url}/feeds/{view}.json"
        while url:
            page = httpx.get(url, timeout=PATIENCE).json()
            items += page["items"]
            following = page.get("next_url")  # at `service.base_url`, where nobody listens
            url = following and self.url + httpx.URL(following).raw_path.decode()
        return items

    def memory(self) -> tuple[int, int]:
        """Resident bytes of the main process and of its whole tree."""
        assert self.process is not None
        main = psutil.Process(self.process.pid)
        own = main.memory_info().rss
        tree = own
        for child in main.children(recursive=True):
            try:
                tree += child.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return own, tree

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        print(self.log()[-10_000:])  # shown for a test that fails
        if self.process is not None and self.process.poll() is None:
            self.stop()
