"""Schedulers, workers and servers on one PostgreSQL: the same news as of one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.e2e.feeds import rss
from tests.e2e.program import Program
from tests.origin import Origin

pytestmark = pytest.mark.required("postgres")


@dataclass
class Cluster:
    """Processes of one installation, each by its role."""

    program: Program
    stack: ExitStack

    def start(self, role: str, *options: str) -> Program:
        return self.stack.enter_context(self.program.beside()).start(role, *options)

    def jobs(self) -> list[tuple[str, str]]:
        """The jobs there are, by queue and state."""
        with psycopg.connect(self.program.database_url) as connection:
            found = connection.execute("SELECT queue_name, status::text FROM procrastinate_jobs")
            return [(row[0], row[1]) for row in found]


@pytest.fixture
def cluster(tmp_path: Path, postgres_url: str) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(Program(tmp_path, postgres_url), stack)


def test_what_is_due_goes_from_a_scheduler_over_a_worker_to_a_server(
    cluster: Cluster, origin: Origin
) -> None:
    for number in range(6):
        origin.answer(f"/{number}", body=rss(f"paper{number}", range(3)))
    sources = [{"id": f"paper{n}", "url": origin.url(f"/{n}")} for n in range(6)]
    cluster.program.configure(
        sources, [origin.port], service={"base_url": "https://news.example.org/"}
    )
    scheduler = cluster.start("schedule")
    worker = cluster.start("worker", "--concurrency", "4")
    server = cluster.start("serve")

    server.wait(lambda: len(server.items()) == 18, "every item is served")

    assert len(origin.requests("/0")) == 1
    worker.wait(lambda: cluster.jobs() == [], "jobs that are done are gone")
    assert [scheduler.stop(), worker.stop(), server.stop()] == [0, 0, 0]
    assert "Traceback" not in cluster.program.log()
