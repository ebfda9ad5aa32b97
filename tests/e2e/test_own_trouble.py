"""Trouble of our own, by the real program: it is told, serving goes on, polling waits."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Origin


def polling(program: Program, origin: Origin) -> None:
    origin.answer("/north", body=rss("north", range(5)))
    program.configure([{"id": "north", "url": origin.url("/north"), "poll": "1s"}], [origin.port])
    program.start()
    wait_until(lambda: len(program.items()) == 5, "items arrive")


def feed(program: Program, fmt: str = "atom") -> int:
    return program.get(f"/feeds/all.{fmt}").status_code


def is_unready(program: Program) -> bool:
    return program.get("/health/ready").status_code == 503


def goes_on(program: Program, origin: Origin) -> None:
    wait_until(lambda: program.get("/health/ready").status_code == 200, "it is ready again")
    asked = len(origin.requests("/north"))
    wait_until(lambda: len(origin.requests("/north")) > asked, "polling goes on by itself")
    assert "Traceback" not in program.log()


def test_a_locked_database_is_told_and_waited_for(program: Program, origin: Origin) -> None:
    polling(program, origin)
    path = program.database_url.removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert is_unready(program)
    # One that was rendered, and one that cannot be stored.
    assert [feed(program, fmt) for fmt in ("atom", "rss", "json")] == [200, 200, 200]
    assert "polling waits" in program.get("/").text
    wait_until(
        lambda: "aggregator_storage_trouble 1.0" in program.get("/metrics").text, "the metric says"
    )
    said = program.run("status")
    assert said.returncode == 1
    assert "is locked by another process" in said.stderr
    said = program.run("poll", "north")
    assert said.returncode == 2
    assert "is locked by another process" in said.stderr
    assert "Traceback" not in said.stderr
    assert "pysqlite" not in said.stderr
    wait_until(lambda: "storage cannot be written" in program.log(), "the log says so")
    asked = len(origin.requests("/north"))
    assert is_unready(program)
    assert len(origin.requests("/north")) == asked
    other.execute("ROLLBACK")
    other.close()
    goes_on(program, origin)
    assert program.log().count("storage cannot be written") <= 2


@pytest.mark.parametrize("replaced", [False, True])
def test_a_database_file_that_is_removed_or_replaced_ends_polling(
    program: Program, origin: Origin, replaced: bool
) -> None:
    polling(program, origin)
    path = Path(program.database_url.removeprefix("sqlite:///"))
    path.rename(path.with_name("away.db"))
    if replaced:
        path.touch()
    assert is_unready(program)
    assert feed(program) == 200
    wait_until(lambda: "was removed or replaced" in program.log(), "the log says so")
    asked = len(origin.requests("/north"))
    assert is_unready(program)
    assert len(origin.requests("/north")) == asked
    path.with_name("away.db").replace(path)
    goes_on(program, origin)


def test_postgresql_that_is_gone_is_told_and_waited_for(
    tmp_path: Path, postgres_url: str, origin: Origin
) -> None:
    server, _, name = postgres_url.rpartition("/")

    def allow(connections: str) -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {connections}')
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )

    with Program(tmp_path, postgres_url) as program:
        polling(program, origin)
        assert feed(program) == 200
        allow("false")
        assert is_unready(program)
        assert feed(program) == 200
        page = program.get("/")
        assert (page.status_code, page.headers["retry-after"]) == (503, "30")
        assert program.get("/metrics").status_code == 200
        said = program.run("status")
        assert said.returncode == 2
        assert said.stderr.startswith("error: PostgreSQL (postgresql://")
        allow("true")
        goes_on(program, origin)
        assert program.log().count("storage cannot be written") <= 2


def test_a_clock_that_was_days_ahead_silences_nothing(program: Program, origin: Origin) -> None:
    polling(program, origin)
    program.stop()
    ahead = int((datetime.now(UTC) + timedelta(days=3)).timestamp() * 1e6)
    with sqlite3.connect(program.database_url.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE feed SET last_polled_at = ?, next_poll_at = ?", (ahead, ahead + 1))
        database.execute("UPDATE item SET sort_at = ?, first_seen = ?", (ahead, ahead))
        database.execute("UPDATE view SET changed_at = ?", (ahead,))
    database.close()
    asked = len(origin.requests("/north"))
    program.start(ready=False)
    program.wait(lambda: len(origin.requests("/north")) > asked, "it is asked")
    assert "before what is stored" in program.log()
    program.wait(lambda: "were brought back" in program.log(), "the log says so")
    program.wait(program.is_ready, "it is ready")
    assert len(program.items()) == 5


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB of its own, where this system lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "aggregator-test", place],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path) -> Path:
    """Take the last byte of a file system."""
    filler = place / "filler"
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return filler


def assert_told_and_served(program: Program, origin: Origin, says: str) -> None:
    """What holds while nothing can be stored, however long it lasts."""
    assert is_unready(program)
    program.wait(lambda: says in program.log(), "the log says why")
    # One that was rendered, and two that cannot be stored.
    assert [feed(program, fmt) for fmt in ("atom", "rss", "json")] == [200, 200, 200]
    assert "polling waits" in program.get("/").text
    said = program.run("status")
    assert (said.returncode, "Traceback" in said.stderr) == (1, False)
    assert says in said.stderr + said.stdout
    asked = len(origin.requests("/north"))
    assert is_unready(program)
    assert len(origin.requests("/north")) == asked
    assert {program.get(path).status_code for path in ("/", "/sources/north", "/opml")} == {200}


def test_a_full_disk_is_told_and_waited_for(disk: Path, origin: Origin) -> None:
    with Program(disk.parent, f"sqlite:///{disk}/aggregator.db") as program:
        polling(program, origin)
        assert feed(program) == 200
        filler = fill(disk)
        origin.answer("/north", body=rss("north", range(9)))
        assert_told_and_served(program, origin, "has no space left on its disk")
        filler.unlink()
        goes_on(program, origin)
        wait_until(lambda: len(program.items()) == 9, "what came meanwhile is read")
        assert program.log().count("storage cannot be written") <= 2
        assert " 500" not in program.log()
        assert program.stop() == 0
        # On one that is read-only from the begin it does not start, and says why.
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        said = program.run("run")
        assert said.returncode == 2
        assert "check that its folder is there and that this user may write to it" in said.stderr
        assert "Traceback" not in said.stderr
