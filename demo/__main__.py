"""Start the sample news and a service that reads them: `python -m demo`, Ctrl-C ends both."""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from demo.origin import PORT as ORIGIN_PORT
from demo.stories import made_id

ROOT = Path(__file__).parent.parent
SERVICE_PORT = 8080
TOKEN = "sample-token-of-the-desk"  # noqa: S105 - of the private view, as in `aggregator.yaml`
PATIENCE = 600.0  # seconds until either part must answer, however busy the machine
_PR_SET_PDEATHSIG = 1
_prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux has it; looked up before any fork


def check_port(port: int, option: str) -> int:
    """The loopback port, as it is where it is free; SystemExit says what to do where it is not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SystemExit(
                f"demo: cannot listen on 127.0.0.1:{port}: {error.strerror}; name a free port: "
                f'make demo ARGS="{option} {port + 1}"'
            ) from error
        taken: int = probe.getsockname()[1]
        return taken


def configuration(folder: Path, origin_port: int, sources: int = 0) -> Path:
    """Write the demo's configuration into `folder`, for the origin's port and with its database.

    Where it has fewer than `sources`, made ones are added.
    """
    text = (ROOT / "demo" / "aggregator.yaml").read_text(encoding="utf-8")
    text = text.replace(str(ORIGIN_PORT), str(origin_port))
    text = text.replace("sqlite:///.demo/", f"sqlite:///{folder}/")
    text = text.replace("$schema=../config/", f"$schema={ROOT}/config/")
    path = folder / "aggregator.yaml"
    more = "".join(
        f"  - id: {made_id(number)}\n"
        f"    url: http://127.0.0.1:{origin_port}/{made_id(number)}/atom.xml\n"
        "    tags: [couriers]\n"
        "    follow_related: off\n"
        for number in range(1, missing(sources) + 1)
    )
    text = text.replace("\nviews:\n", f"{more}\nviews:\n")
    path.write_text(text, encoding="utf-8")
    return path


def missing(sources: int) -> int:
    """How many sources have to be made so that there are so many."""
    text = (ROOT / "demo" / "aggregator.yaml").read_text(encoding="utf-8")
    return max(0, sources - text.count("\n  - id: ", 0, text.index("\nviews:\n")))


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until `url` answers 200; SystemExit when the process ends first or takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"the process for {url} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - ours, on loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def start(words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a module of ours. In its own session: a Ctrl-C reaches us, and we end it in order.

    Where the system can, it ends with us even when we are killed.
    """
    ours = os.getpid()

    def follow() -> None:
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != ours:
                os._exit(1)

    return subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=os.environ | environment,
        start_new_session=True,
        preexec_fn=follow,  # noqa: PLW1509 - we have one thread
    )


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask processes to end, the last one first, and see that they do."""
    for process in reversed(processes):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def heed(action: Any) -> None:
    """What SIGTERM, SIGINT and SIGHUP do from here on."""
    # SIGINT too: a script's background job starts with it ignored, and Python then leaves it so.
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, action)


def show(service: str, origin: str) -> None:
    """Print where to look."""
    print(
        f"""
  Start page        {service}/
  Everything, Atom  {service}/feeds/all.atom
  Everything, RSS   {service}/feeds/all.rss
  Sources, OPML     {service}/opml
  A private view    {service}/feeds/desk.atom?token={TOKEN}
  The sample news   {origin}/

  A story is corrected in about a minute, another one arrives soon after, and one source fails on
  purpose. Ctrl-C ends both.
""",
        flush=True,
    )


def main(ready: Callable[[str, str], None] = show) -> None:
    """Run the origin and the service until interrupted or until either ends."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=main.__doc__)
    parser.add_argument("--port", type=int, default=SERVICE_PORT, help="of the service")
    parser.add_argument("--origin-port", type=int, default=ORIGIN_PORT, help="of the sample news")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".demo", help="of the database, emptied at start"
    )
    parser.add_argument(
        "--sources", type=int, default=0, help="as many sources at least, such as 50"
    )
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    origin_port = check_port(options.origin_port, "--origin-port")
    port = check_port(options.port, "--port")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    more = str(missing(options.sources))
    config = configuration(folder, origin_port, options.sources)
    origin_url, service_url = f"http://127.0.0.1:{origin_port}", f"http://127.0.0.1:{port}"

    heed(signal.default_int_handler)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.append(start(["demo.origin", "--port", str(origin_port), "--more", more], {}))
        wait_for(f"{origin_url}/", processes[0])
        processes.append(
            start(
                ["aggregator", "run", "--config", str(config)],
                {"AGGREGATOR_LISTEN": f"127.0.0.1:{port}"},
            )
        )
        wait_for(f"{service_url}/health/ready", processes[1])
        ready(service_url, origin_url)
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
        raise SystemExit("one of the two ended by itself; its messages are above")
    except KeyboardInterrupt:
        heed(signal.SIG_IGN)  # `timeout make demo` and some terminals say it twice
        print("Ending both …", flush=True)
    finally:
        heed(signal.SIG_IGN)
        end(processes)


if __name__ == "__main__":
    main()
