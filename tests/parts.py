"""The real parts that some tests need: PostgreSQL, a browser, feed readers.

A part is found, never faked. Where it is missing the test is skipped with a reason that the end of
the run repeats aloud; with AGGREGATOR_REQUIRE_PARTS=1 (set by `.ci/run`) it fails instead.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tests.patience import PATIENCE

REQUIRE = "AGGREGATOR_REQUIRE_PARTS"
INSTALL = "scripts/parts.sh"

_PR_SET_PDEATHSIG = 1
_prctl = getattr(ctypes.CDLL(None), "prctl", None)  # Linux has it; looked up before any fork
_NAMES = {
    "postgres": ("postgres",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "newsboat": ("newsboat",),
    "sfeed": ("sfeed",),
}
PARTS = tuple(_NAMES)


def find(part: str) -> Path | None:
    """The program of a part, or None. PostgreSQL's server is not on Debian's PATH: newest wins."""
    for name in _NAMES[part]:
        if found := shutil.which(name):
            return Path(found).resolve() if part == "postgres" else Path(found)
    if part == "postgres":
        servers = Path("/usr/lib/postgresql").glob("*/bin/postgres")
        return max(servers, key=lambda path: int(path.parts[-3]), default=None)
    return None


def required() -> bool:
    """Whether a missing part is a failure."""
    return os.environ.get(REQUIRE, "") not in ("", "0")


# Below the ports that systems give to outgoing connections (Linux from 32768, RFC 6335 from 49152):
# one of those would hold the port of a service that a test has killed and starts again.
_PORTS = range(20_000, 32_000)
_WORKERS = 8  # of xdist at the most; each takes ports of its own


def free_port() -> int:
    """A loopback TCP port that nothing listens on, and that no connection or other worker takes."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = _PORTS[worker % _WORKERS :: _WORKERS]
    for port in random.SystemRandom().sample(ports, len(ports)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise RuntimeError(f"every port from {_PORTS.start} to {_PORTS.stop} is taken")


@dataclass(frozen=True, slots=True)
class _Account:
    """Whom the server runs as: PostgreSQL refuses root."""

    uid: int
    gid: int

    @classmethod
    def unprivileged(cls) -> _Account | None:
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise RuntimeError("PostgreSQL refuses root, and there is no account to run it as")


class Postgres:
    """A private PostgreSQL server on loopback, with its data in a directory that goes with it."""

    def __init__(self, server: Path) -> None:
        self._bin = server.parent
        self._account = _Account.unprivileged()
        self._home = Path(tempfile.mkdtemp(prefix="aggregator-pg-", dir="/tmp"))
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        if self._account:
            os.chown(self._home, self._account.uid, self._account.gid)
        try:
            self._create()
            self._start()
        except BaseException:
            self.stop()
            raise

    def _popen(self, *command: str | Path) -> subprocess.Popen[bytes]:
        account = self._account
        with (self._home / "log").open("ab") as log:
            return subprocess.Popen(
                [str(word) for word in command],
                cwd=self._home,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, nothing imported
                start_new_session=True,  # a Ctrl-C at the tests must not end it before us
            )

    def _create(self) -> None:
        options = ("--auth=trust", "--username=aggregator", "--encoding=UTF8", "--no-sync")
        initdb = self._popen(self._bin / "initdb", "-D", self._home / "data", *options)
        if initdb.wait(timeout=PATIENCE) != 0:
            raise RuntimeError(f"initdb failed:\n{self._log()}")

    def _start(self) -> None:
        """Start the server; another program may take the free port first, so try a few."""
        for _ in range(5):
            self.port = free_port()
            if self._started():
                return
        raise RuntimeError(f"PostgreSQL does not start:\n{self._log()}")

    def restart(self, *, crash: bool = False) -> None:
        """End the server and start it again at its port; with `crash` it has no time for anything.

        After a crash the last commits may be gone, unless `synchronous_commit` is on.
        """
        assert self._process
        self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
        self._process.wait(timeout=PATIENCE)
        if not self._started():
            raise RuntimeError(f"PostgreSQL does not start again:\n{self._log()}")

    @property
    def pid(self) -> int:
        """The process that all of the server's others belong to."""
        assert self._process
        return self._process.pid

    def _started(self) -> bool:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._home,
            "max_connections": 200,
            "fsync": "off",  # only the machine's crash could need it, not our program's
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "shared_buffers": "32MB",
        }
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self._process = self._popen(self._bin / "postgres", "-D", self._home / "data", *words)
        return self._answers()

    def _answers(self) -> bool:
        assert self._process
        end = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < end:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        self._end()
        return False

    def _log(self) -> str:
        return (self._home / "log").read_text(errors="replace")[-4000:]

    def url(self, database: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://aggregator@127.0.0.1:{self.port}/{database}"

    def create(self, like: str = "template0") -> str:
        """Create a database, empty or like one that nobody uses just now; returns its name."""
        name = f"test_{next(self._names)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(like)))
        return name

    def drop(self, name: str) -> None:
        """Drop a database and whoever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _end(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                self._process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(timeout=PATIENCE)

    def stop(self) -> None:
        """End the server and remove its data."""
        self._end()
        shutil.rmtree(self._home, ignore_errors=True)


def _die_with_parent() -> None:
    """Have the kernel end this child when the tests are killed, lest servers pile up."""
    if _prctl:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
