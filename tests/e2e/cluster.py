"""An installation of several processes on one PostgreSQL, and what it holds in the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import httpx
import psycopg
from lxml import etree

from aggregator.store.types import Utc
from tests.e2e.program import Program

# What a process that was killed would hold until its leases end, let go at once: time passes.
_BURY = (
    "UPDATE feed SET lease_until = 0 WHERE lease_owner LIKE %(owner)s",
    "UPDATE host_slot SET lease_until = 0 WHERE owner LIKE %(owner)s",
    "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'",
)


@dataclass
class Cluster:
    """Processes of one installation, each by its role."""

    program: Program
    stack: ExitStack
    running: list[tuple[str, Program]] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)  # the address of the database, by role

    def start(self, role: str, *options: str, ready: bool = True) -> Program:
        """Start a further process of a role."""
        one = self.stack.enter_context(self.program.beside())
        one.storage = self.users.get(role, "")
        one.start(role, *options, ready=ready)
        self.running.append((role, one))
        return one

    def of(self, role: str) -> list[Program]:
        """The processes of a role that run."""
        return [one for known, one in self.running if known == role]

    def kill(self, one: Program) -> None:
        """`kill -9`."""
        one.kill()
        self.running = [(role, other) for role, other in self.running if other is not one]

    def bury(self, one: Program) -> None:
        """Let the time pass in which leases and heartbeats of a killed process run out."""
        assert one.process is not None
        with psycopg.connect(self.program.database_url, autocommit=True) as connection:
            for statement in _BURY:
                connection.execute(statement, {"owner": f"worker-%-{one.process.pid}-%"})

    def stop(self) -> list[int]:
        """SIGTERM to all; returns the exit codes."""
        codes = [one.stop() for _, one in self.running]
        self.running = []
        return codes

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.program.database_url, connect_timeout=5) as connection:
            return connection.execute(statement, values).fetchall()

    def jobs(self) -> list[tuple[Any, ...]]:
        """The jobs there are, by queue and state."""
        return self.ask("SELECT queue_name, status::text FROM procrastinate_jobs")

    def cut_connections(self) -> None:
        """End every connection to the database, as a broken network would."""
        self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip

    def polled_since(self, moment: datetime) -> bool:
        """Whether every source was polled well since a moment."""
        waiting = self.ask(
            "SELECT count(*) FROM feed WHERE active AND (last_success_at IS NULL "
            "OR last_success_at < %s)",
            _stored(moment),
        )
        return waiting == [(0,)]

    def make_due(self, moment: datetime) -> None:
        """Let every source be due."""
        with psycopg.connect(self.program.database_url, autocommit=True) as connection:
            connection.execute("UPDATE feed SET next_poll_at = %s", [_stored(moment)])

    def stored(self) -> dict[str, Sequence[str]]:
        """By source, the titles of its items."""
        found: dict[str, Sequence[str]] = {}
        rows = self.ask(
            "SELECT e.source_id, array_agg(i.title) FROM entry e JOIN item i ON i.id = e.item_id "
            "GROUP BY e.source_id"
        )
        found.update(rows)
        return found


def _stored(moment: datetime) -> int:
    """A time as the store keeps it."""
    value = Utc().process_bind_param(moment, None)  # type: ignore[arg-type]
    assert isinstance(value, int)
    return value


@dataclass
class Readers:
    """Asks servers for documents and looks whether each is whole, and the same under one tag."""

    known: dict[tuple[str, str], str] = field(default_factory=dict)  # hash by path and tag
    good: int = 0
    broken: list[str] = field(default_factory=list)

    def read(self, server: Program, path: str) -> None:
        """One document; a server that is not there is no fault of the document's."""
        try:
            answer = httpx.get(f"{server.url}{path}", timeout=20)
        except httpx.HTTPError:
            return
        if answer.status_code != 200:
            if answer.status_code < 500:
                self.broken.append(f"{path}: {answer.status_code}")
            return
        try:
            json.loads(answer.content) if path.endswith(".json") else etree.fromstring(
                answer.content
            )
        except ValueError as error:
            self.broken.append(f"{path}: {error}")
            return
        self.good += 1
        said = sha256(answer.content).hexdigest()
        before = self.known.setdefault((path, answer.headers["etag"]), said)
        if before != said:
            self.broken.append(f"{path}: two documents under one ETag")
