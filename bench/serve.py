"""What serving a rendered feed costs, beside nginx and a bare ASGI answer. CPU for a request.

    python -m bench.serve [--seconds 4] [--rounds 3]

The service runs as a user runs it, over a view of some 240 kB; nginx sends the same bytes as a file
(and as a `.gz` beside it); the bare answer is an ASGI function of two lines in the same uvicorn.
wrk, or threads where it is not installed, asks each of them in turns over eight connections that
stay open; counted are the CPU seconds of the whole tree of processes, divided by the answers.
Without nginx it says so and ends.
"""

from __future__ import annotations

import argparse
import gzip
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from bench import large_store
from tests.parts import free_port

ITEMS, SOURCES = 3_000, 40
_NGINX = """\
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  sendfile on;
  types {{ application/atom+xml atom; }}
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ root {folder}/www; gzip_static on; }}
  }}
}}
"""
_BARE = """\
import sys
import uvicorn

BODY = open(sys.argv[2], "rb").read()
HEADERS = [(b"content-type", b"application/atom+xml"), (b"etag", b'"0123456789"')]
LENGTH = (b"content-length", str(len(BODY)).encode())


async def app(scope, receive, send):
    known = any(name == b"if-none-match" for name, _ in scope["headers"])
    headers = HEADERS if known else [*HEADERS, LENGTH]
    status = 304 if known else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if known else BODY})


uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", lifespan="off",
            access_log=False, log_level="warning", ws="none")
"""


@contextmanager
def running(command: list[str], url: str) -> Iterator[psutil.Process]:
    """A server, once it answers at its address."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 120
        while True:
            try:
                httpx.get(url, trust_env=False, timeout=60)
                break
            except httpx.TransportError:
                if time.monotonic() > end or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def spent(process: psutil.Process) -> float:
    """CPU seconds of a process and its children so far."""
    tree = [process, *process.children(recursive=True)]
    return sum(one.cpu_times().user + one.cpu_times().system for one in tree)


def ask(process: psutil.Process, url: str, seconds: int, *headers: str) -> float:
    """CPU microseconds for an answer."""
    before = spent(process)
    count = (
        _by_wrk(url, seconds, headers) if shutil.which("wrk") else _by_hand(url, seconds, headers)
    )
    return (spent(process) - before) / max(1, count) * 1e6


def _by_wrk(url: str, seconds: int, headers: Iterable[str]) -> int:
    """How many answers came."""
    command = ["wrk", "-t", "1", "-c", "8", "-d", f"{seconds}s"]
    for header in headers:
        command += ["-H", header]
    said = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said and not any("If-None-Match" in header for header in headers):
        raise RuntimeError(f"{url} answered with errors:\n{said}")
    found = re.search(r"(\d+) requests in", said)
    assert found is not None
    return int(found.group(1))


def _by_hand(url: str, seconds: int, headers: Iterable[str]) -> int:
    """The same by eight threads of this process, which ask for less a second but pay themselves."""
    at = urlsplit(url)
    sent = dict(header.split(": ", 1) for header in headers) | {"Connection": "keep-alive"}
    wanted = 304 if "If-None-Match" in sent else 200
    end = time.monotonic() + seconds

    def ask_on(_: int) -> int:
        connection = HTTPConnection(at.hostname or "", at.port, timeout=60)
        count = 0
        while time.monotonic() < end:
            connection.request("GET", at.path, headers=sent)
            answer = connection.getresponse()
            answer.read()
            if answer.status != wanted:
                raise RuntimeError(f"{url} answered {answer.status}")
            count += 1
        connection.close()
        return count

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(ask_on, range(8)))


def main() -> None:
    """Start the three, ask them in turns, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        print("SKIPPED: nginx is not installed", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        folder = Path(made)
        folder.chmod(0o755)
        print(_measured(folder, nginx, stack, given.seconds, given.rounds))


def _measured(folder: Path, nginx: str, stack: ExitStack, seconds: int, rounds: int) -> str:
    port, other, third = free_port(), free_port(), free_port()
    url = f"sqlite:///{folder}/aggregator.db"
    path = large_store.configuration(folder, url, SOURCES, port)
    text = path.read_text().replace("id: whole,", "id: whole, limit: 230,")
    path.write_text(text)
    large_store.make(path, ITEMS)
    at = f"http://127.0.0.1:{port}/feeds/whole.atom"
    command = [sys.executable, "-m", "aggregator", "run", "--config", str(path)]
    ours = stack.enter_context(running(command, f"http://127.0.0.1:{port}/health/live"))
    answer = httpx.get(at, headers={"Accept-Encoding": "identity"}, trust_env=False, timeout=120)
    packed = httpx.get(at, headers={"Accept-Encoding": "gzip"}, trust_env=False, timeout=120)
    www = folder / "www"
    www.mkdir()
    (www / "whole.atom").write_bytes(answer.content)
    (www / "whole.atom.gz").write_bytes(gzip.compress(answer.content, 6))
    conf = folder / "nginx.conf"
    conf.write_text(_NGINX.format(folder=folder, port=other))
    beside = f"http://127.0.0.1:{other}/whole.atom"
    theirs = stack.enter_context(running([nginx, "-c", str(conf)], beside))
    script = folder / "bare.py"
    script.write_text(_BARE)
    plainly = f"http://127.0.0.1:{third}/"
    bare = stack.enter_context(
        running([sys.executable, str(script), str(third), str(www / "whole.atom")], plainly)
    )
    plain = {"Accept-Encoding": "identity"}  # the packed file has another tag
    tag = httpx.get(beside, headers=plain, trust_env=False).headers["etag"]
    kinds = {
        "200 plain": ((), (), ()),
        "200 gzip": (("Accept-Encoding: gzip",), ("Accept-Encoding: gzip",), None),
        "304": (
            (f"If-None-Match: {answer.headers['etag']}",), (f"If-None-Match: {tag}",),
            ("If-None-Match: x",),
        ),
    }  # fmt: skip
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for kind, headers in kinds.items():
            contenders = (("ours", ours, at), ("nginx", theirs, beside), ("bare", bare, plainly))
            for (name, process, where), sent in zip(contenders, headers, strict=True):
                if sent is not None:
                    cost = ask(process, where, seconds, *sent)
                    found.setdefault((kind, name), []).append(cost)
    assert packed.headers["content-encoding"] == "gzip"
    return _table(len(answer.content), kinds, found)


def _table(size: int, kinds: Iterable[str], found: dict[tuple[str, str], list[float]]) -> str:
    lines = [
        f"A view of {size / 1000:.0f} kB; CPU of a request, and ours as a multiple of the others'.",
        "",
        "| | ours µs | of nginx | of a bare answer |",
        "|---|---:|---:|---:|",
    ]
    for kind in kinds:
        cost = {
            name: statistics.median(found[kind, name])
            for name in ("ours", "nginx", "bare")
            if (kind, name) in found
        }
        bare = f"{cost['ours'] / cost['bare']:.1f}" if "bare" in cost else ""
        lines.append(
            f"| {kind} | {cost['ours']:.0f} | {cost['ours'] / cost['nginx']:.1f} | {bare} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
