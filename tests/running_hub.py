"""A WebSub hub in a process of its own, and its levers for tests."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import trustme

from tests.e2e.program import wait_until
from tests.patience import PATIENCE

BASE = "https://news.example"  # the subscriber's public address


class RunningHub:
    """The hub's process and its levers."""

    def __init__(self, folder: Path, authority: trustme.CA, deliver: str) -> None:
        certificate = folder / "hub.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            str(certificate)
        )
        port_file = folder / "hub.port"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.hub", str(port_file), str(certificate), BASE, deliver]
        )
        wait_until(lambda: port_file.exists() and port_file.read_text() != "", "the hub listens")
        self.port = int(port_file.read_text())
        context = ssl.create_default_context()
        authority.configure_trust(context)
        self.client = httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}", verify=context, timeout=PATIENCE
        )

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/"

    def post(self, path: str, **order: Any) -> Any:
        answer = self.client.post(path, content=json.dumps(order))
        return answer.json() if answer.content else None

    def log(self, what: str) -> list[dict[str, Any]]:
        return [one for one in self.client.get("/log").json()["log"] if one["what"] == what]

    def stop(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(10)
