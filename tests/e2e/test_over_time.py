"""Three weeks of scripted feeds, by the real program under a clock that is moved."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import func, or_, select

from aggregator.model.states import PollWord
from aggregator.store import schema as t
from aggregator.store.database import Database
from tests.e2e.over_time import page
from tests.e2e.over_time.cases import CASES
from tests.e2e.over_time.script import AHEAD_AT, BEGIN, HOURS, Case, answered
from tests.e2e.program import Program
from tests.origin import Origin
from tests.patience import PATIENCE

AHEAD, JOBS = timedelta(days=3), timedelta(minutes=90)
_NEWS = re.compile(r"[1-9]\d*(~\d+)?|0~[1-9]\d*")
_TICK = "aggregator_last_tick_timestamp_seconds"
_LOOKS = int(PATIENCE / 30)  # of a quarter of a second, for each that is served otherwise


class Weeks:
    """The program, its origins and the clock of both."""

    def __init__(self, program: Program, origins: dict[str, Origin]) -> None:
        self.program = program
        self.origins = origins
        self.database = Database(program.database_url)
        self.told = 0  # the last row of the log of polls
        self.set_by = timedelta(0)
        self.http = httpx.Client(timeout=PATIENCE)
        self._passed = timedelta(0)

    def now(self) -> datetime:
        """The true time."""
        return datetime.now(UTC) + self._passed

    def be(self, at: datetime) -> None:
        self._passed = at - datetime.now(UTC)
        self.program.move_clock(passed=self._passed, set_by=self.set_by)

    def send(self, hours: int) -> None:
        for case in CASES:
            sent = case.at(hours)
            if sent is not None and sent.answer is not None:
                handler = answered(case.site, sent.answer, self.now)
                self.origins[case.site].route(f"/{case.site}", handler)

    def is_quiet(self) -> bool:
        """Whether nothing is due and nothing under way."""
        f, at = t.feed.c, self.now() + self.set_by - timedelta(seconds=2)
        with self.database.read() as connection:
            busy = or_(f.next_poll_at <= at, f.lease_owner.is_not(None))
            return not connection.scalar(select(func.count()).where(f.active, busy))

    def has_ticked(self) -> bool:
        """Whether the program has seen the time that it is: the jobs that are due were begun."""
        at = (self.now() + self.set_by - JOBS / 2).timestamp()
        told = self.program.get("/metrics").text.partition(f"\n{_TICK} ")[2].split(maxsplit=1)
        return bool(told) and float(told[0]) >= at

    def wait_for(self, case: Case, served: str) -> None:
        """Let jobs end that move a view."""
        for _ in range(_LOOKS):
            if self.served(case) == served:
                return
            time.sleep(0.25)

    def stored(self) -> dict[str, str]:
        """By source, what came of its polls since the last look."""
        log = t.poll_log.c
        with self.database.read() as connection:
            rows = connection.execute(
                select(t.poll_log).where(log.id > self.told).order_by(log.id)
            ).all()
        found: dict[str, list[str]] = {}
        for row in rows:
            self.told = row.id
            found.setdefault(row.source_id, []).append(_said(row))
        return {name: ", ".join(said) for name, said in found.items()}

    def served(self, case: Case) -> str:
        address = f"{self.program.url}/feeds/{case.site}.json"
        return case.look(self.http.get(address).json()["items"])


def brought_something(stored: str) -> bool:
    return any(one != "304" and _NEWS.fullmatch(one) for one in stored.split(", "))


def _said(row: Any) -> str:
    if row.outcome == PollWord.NOT_MODIFIED:
        return "304"
    if row.outcome in (PollWord.NEW, PollWord.UNCHANGED):
        return f"{row.new_items}~{row.changed_items}".removesuffix("~0")
    return f"{row.outcome} {row.status or ''}".strip()


@contextmanager
def weeks(program: Program) -> Iterator[Weeks]:
    with ExitStack() as stack:
        common = stack.enter_context(Origin())
        alone = [case for case in CASES if case.alone]
        origins = {case.site: common for case in CASES} | {
            case.site: stack.enter_context(Origin(f"127.0.7.{n}"))
            for n, case in enumerate(alone, 1)
        }
        made = Weeks(program, origins)
        stack.callback(made.database.close)
        stack.callback(made.http.close)
        program.configure(
            [
                {
                    "id": case.site, "url": origins[case.site].url(f"/{case.site}"), "poll": "5h",
                    **case.source,
                }
                for case in CASES
            ],
            sorted({origin.port for origin in origins.values()}),
            polling={"requests_per_second": 1000},
            fetching={"allow_networks": ["127.0.0.1/32", "127.0.7.0/24"]},
            storage={"keep_text": "10d"},
            views=[
                {"id": case.site, "title": case.name, "sources": [case.site], "mode": "articles"}
                for case in CASES
            ],
        )  # fmt: skip
        yield made


def test_the_cases_are_told_apart_and_stand_in_the_page() -> None:
    assert len({case.site for case in CASES}) == len(CASES) >= 65
    assert all(set(case.polls) <= set(HOURS) and 0 in case.polls for case in CASES)
    assert page.written() == page.table(), "run python -m tests.e2e.over_time.page"


def test_three_weeks_of_scripted_feeds(either_program: Program) -> None:
    program = either_program
    wrong: list[str] = []
    with weeks(program) as over:
        expected: dict[str, str] = {}
        for hours in HOURS:
            right_again = bool(over.set_by)
            over.set_by = AHEAD if hours == AHEAD_AT else timedelta(0)
            over.send(hours)
            over.be(BEGIN + timedelta(hours=hours))
            if not hours:
                program.start()
            if right_again:
                program.wait(lambda: "were brought back" in program.log(), "noticed")
            program.wait(over.is_quiet, "all are polled")
            over.be(BEGIN + timedelta(hours=hours) + JOBS)
            program.wait(over.has_ticked, "the jobs of the hour are begun")
            came, last = over.stored(), hours == HOURS[-1]
            for case in CASES:
                sent, stored = case.at(hours), came.get(case.site, "–")
                if sent is not None:
                    expected[case.site] = sent.served
                    if stored != sent.stored:
                        wrong.append(f"{case.name}, {hours} h: stored {stored}, not {sent.stored}")
                elif brought_something(stored):
                    wrong.append(f"{case.name}, {hours} h, nothing new was sent: stored {stored}")
                if sent is not None or last:
                    over.wait_for(case, expected[case.site])
                    served = over.served(case)
                    if served != expected[case.site]:
                        wrong.append(
                            f"{case.name}, {hours} h: served {served}, not {expected[case.site]}"
                        )
        assert "Traceback" not in program.log()
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong)
