"""Attack a started program on loopback and report what another client notices.

    python -m bench.attack [--clients 1000] [--mib 8]

Starts the service of this tree with one source, sets one horde or stream after the other on it
(`bench.attackers`), and asks for a feed, a page and health all the while, from the attackers'
address and from another. Prints a table: the slowest answer, refused and lost answers, the
service's CPU seconds and the growth of its memory. Wall-clock times are for people to read; the
tests in `tests/e2e/test_attacks.py` assert that answers come.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from bench.attackers import HORDES, STREAMS, pour

ATTACKER, OTHER = "127.0.0.1", "127.0.0.2"
_ROUTES = ("/feeds/all.atom", "/", "/health/live", "/health/ready")
_PATIENCE = 20.0
_MIB = 1024 * 1024


@dataclass
class Noticed:
    """What a client that means well noticed."""

    answers: int = 0
    refused: int = 0  # 4xx and 5xx
    lost: int = 0  # no answer in time, or none at all
    slowest: float = 0.0


def ask(port: int, address: str, route: str, noticed: Noticed) -> None:
    """One request on a connection of its own."""
    begun = time.monotonic()
    client = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=_PATIENCE, source_address=(address, 0)
    )
    try:
        client.request("GET", route)
        answer = client.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        noticed.lost += 1
    else:
        noticed.answers += 1
        noticed.refused += answer.status >= 400
    finally:
        client.close()
    noticed.slowest = max(noticed.slowest, time.monotonic() - begun)


def watch(port: int, seconds: float) -> Noticed:
    """Ask for everything, from both addresses in turn, for some seconds."""
    noticed = Noticed()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for address in (ATTACKER, OTHER):
            for route in _ROUTES:
                ask(port, address, route, noticed)
        time.sleep(0.05)
    return noticed


class _Feed(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        items = "".join(
            f"<item><guid>{n}</guid><title>Bridge {n} opens</title><description>"
            f"{f'The desk writes that bridge {n} opened. ' * 60}</description></item>"
            for n in range(100)
        )
        body = f'<rss version="2.0"><channel><title>Desk</title>{items}</channel></rss>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def service() -> Iterator[tuple[psutil.Process, int]]:
    """The program with one source that holds a hundred items."""
    origin = ThreadingHTTPServer(("127.0.0.1", 0), _Feed)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    port = _free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "aggregator.yaml").write_text(
            f"service: {{listen: 127.0.0.1:{port}}}\n"
            f"storage: {{url: 'sqlite:///{folder}/a.db'}}\n"
            "fetching: {allow_networks: [127.0.0.1/32], "
            f"allow_ports: [{origin.server_port}]}}\n"
            f"sources:\n  - {{id: desk, url: 'http://127.0.0.1:{origin.server_port}/feed'}}\n"
        )
        with (folder / "log").open("wb") as log:
            run = [sys.executable, "-m", "aggregator", "run", "--config"]
            process = subprocess.Popen(
                [*run, str(folder / "aggregator.yaml")], stdout=log, stderr=log, env=os.environ
            )
        try:
            for _ in range(600):
                time.sleep(0.1)
                noticed = Noticed()
                ask(port, OTHER, "/health/ready", noticed)
                if noticed.answers and not noticed.refused:
                    break
            time.sleep(4)  # the feed is read
            yield psutil.Process(process.pid), port
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
            origin.shutdown()


def report(name: str, process: psutil.Process, before: tuple[float, int], seen: Noticed) -> None:
    """One line of the table."""
    times = process.cpu_times()
    cpu = times.user + times.system - before[0]
    grown = (process.memory_info().rss - before[1]) / _MIB
    print(
        f"| {name} | {seen.answers} | {seen.refused} | {seen.lost} | {seen.slowest:.2f} s "
        f"| {cpu:.1f} s | {grown:+.0f} MiB |",
        flush=True,
    )


def state(process: psutil.Process) -> tuple[float, int]:
    """CPU seconds and resident bytes so far."""
    times = process.cpu_times()
    return times.user + times.system, process.memory_info().rss


def main() -> None:
    """Run every attack on a program of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--mib", type=int, default=8, help="the most that a stream sends")
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    print("| attack | answers | refused | lost | slowest | CPU | memory |")
    print("|---|---|---|---|---|---|---|")
    with service() as (process, port):
        if "nobody".startswith(chosen.only):
            begun = state(process)
            report("nobody", process, begun, watch(port, chosen.seconds))
    for name, horde in HORDES.items():
        if chosen.only in name:
            with service() as (process, port):
                begun = state(process)
                with horde(port, ATTACKER, chosen.clients):
                    seen = watch(port, chosen.seconds)
                    report(f"{chosen.clients} clients: {name}", process, begun, seen)
    for name, chunks in STREAMS.items():
        if chosen.only in name:
            with service() as (process, port):
                begun = state(process)
                attack = threading.Thread(
                    target=pour, args=(port, ATTACKER, chunks(), chosen.mib * _MIB), daemon=True
                )
                attack.start()
                time.sleep(0.2)
                seen = watch(port, chosen.seconds)
                report(f"one connection: {name}", process, begun, seen)


if __name__ == "__main__":
    main()
