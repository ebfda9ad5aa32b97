"""A clock that is set wrong and right again, under the real program: nothing is silenced."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.e2e.feeds import rss
from tests.e2e.program import Program
from tests.origin import Origin, Wire, reply

AHEAD, NONE = timedelta(days=3), timedelta(0)


def polling(program: Program, origin: Origin, *, set_by: timedelta, trust: bool = False) -> None:
    """A program that polled once under a clock that is set by so much."""

    async def north(wire: Wire) -> None:
        said = {"Date": format_datetime(datetime.now(UTC), usegmt=True)}
        await wire.send(reply(200, said, rss("north", range(5))))

    origin.route("/north", north)
    program.configure(
        [{"id": "north", "url": origin.url("/north"), "poll": "5s"}], [origin.port],
        polling={"trust_clock": trust},
    )  # fmt: skip
    program.move_clock(set_by=set_by)
    program.start()
    program.wait(lambda: len(program.items()) == 5, "items arrive")


def polls(program: Program) -> int:
    path = program.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM poll_log").fetchone()[0])


def goes_on(program: Program, before: int) -> None:
    program.wait(lambda: polls(program) > before + 1, "polling goes on")


@pytest.mark.parametrize("restart", [False, True])
def test_after_a_clock_ahead_was_put_right_polling_goes_on(
    program: Program, origin: Origin, restart: bool
) -> None:
    polling(program, origin, set_by=AHEAD)
    if restart:
        assert program.stop() == 0
    program.move_clock(set_by=NONE)
    before = polls(program)
    if restart:
        program.start(ready=False)
    program.wait(lambda: polls(program) > before + 1, "it is polled again and again")
    program.wait(program.is_ready, "it is ready")
    now = datetime.now(UTC).isoformat()
    assert all(item["date_modified"] <= now for item in program.items())
    assert program.log().count("were brought back") == 1


def test_a_clock_that_is_set_to_and_fro_stops_nothing(program: Program, origin: Origin) -> None:
    polling(program, origin, set_by=NONE)
    for set_by in (AHEAD, 2 * AHEAD, NONE):
        program.move_clock(set_by=set_by)
        goes_on(program, polls(program))
    program.wait(program.is_ready, "it is ready")


@pytest.mark.parametrize("trusted", [False, True])
def test_a_clock_that_is_behind_is_told_and_polling_waits_unless_it_is_trusted(
    program: Program, origin: Origin, trusted: bool
) -> None:
    polling(program, origin, set_by=NONE, trust=trusted)
    assert program.stop() == 0
    before = polls(program)
    program.move_clock(set_by=-AHEAD)
    program.start(ready=False)
    if trusted:
        program.wait(lambda: polls(program) > before, "it is polled whatever the clock says")
        return
    asked = len(origin.requests("/north"))
    program.wait(lambda: len(origin.requests("/north")) > asked, "the server is asked for the time")
    program.wait(lambda: "before what is stored" in program.log(), "the log says it")
    # Time passes, and the server is asked again: no poll came of it, nor of the time.
    program.move_clock(passed=timedelta(minutes=10), set_by=-AHEAD)
    program.wait(lambda: len(origin.requests("/north")) > asked + 1, "it is asked once more")
    assert polls(program) == before
    assert program.get("/health/ready").status_code == 503
    said = program.run("status")
    assert (said.returncode, "before what is stored" in said.stdout + said.stderr) == (1, True)
    assert "polling waits" in program.get("/").text
    # It is set right.
    program.move_clock()
    program.wait(lambda: polls(program) > before, "polling goes on by itself")
    program.wait(program.is_ready, "it is ready")
