"""A cron line where the clocks are changed: no date is lost, none has two polls too many."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.model.poll import PollMode, PollSettings
from aggregator.schedule.cron import next_cron
from aggregator.schedule.policy import plan_next
from tests.schedule.polls import DAY, subscribed, unchanged


def fires(expression: str, zone: str, first: str, last: str) -> list[str]:
    """All times of a line between two local dates (at 00:00 UTC), as `dd HH:MM±offset`."""
    at = datetime.fromisoformat(first).replace(tzinfo=UTC)
    end = datetime.fromisoformat(last).replace(tzinfo=UTC)
    found = []
    while (time := next_cron(expression, zone, at)) is not None and time < end:
        local = time.astimezone(ZoneInfo(zone))
        found.append(f"{local:%d %H:%M}{local:%z}"[:-2])
        at = time
    return found


BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
HAVANA, CASABLANCA = "America/Havana", "Africa/Casablanca"


@pytest.mark.parametrize(
    ("expression", "zone", "first", "last", "expected"),
    [
        # Left out: at once after the gap.
        ("30 2 * * *", BERLIN, "2026-03-28", "2026-03-31",
         ["28 02:30+01", "29 03:00+02", "30 02:30+02"]),
        ("30 2 * * *", NEW_YORK, "2026-03-07T05:00", "2026-03-09T12:00",
         ["07 02:30-05", "08 03:00-04", "09 02:30-04"]),
        ("0 0 * * *", HAVANA, "2026-03-07T04:00", "2026-03-09T12:00",
         ["07 00:00-05", "08 01:00-04", "09 00:00-04"]),
        ("15 2 * * *", LORD_HOWE, "2026-10-02T15:00", "2026-10-05T00:00",
         ["03 02:15+10", "04 02:30+11", "05 02:15+11"]),
        ("30 2 * * *", CASABLANCA, "2026-03-21T00:00", "2026-03-24T00:00",
         ["21 02:30+00", "22 03:00+01", "23 02:30+01"]),
        # Twice: the first time only.
        ("30 2 * * *", BERLIN, "2026-10-24", "2026-10-27",
         ["24 02:30+02", "25 02:30+02", "26 02:30+01"]),
        ("30 1 * * *", NEW_YORK, "2026-10-31T04:00", "2026-11-02T12:00",
         ["31 01:30-04", "01 01:30-04", "02 01:30-05"]),
        ("0 0 * * *", HAVANA, "2026-10-31T00:00", "2026-11-02T12:00",
         ["31 00:00-04", "01 00:00-04", "02 00:00-05"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-03T12:00", "2026-04-06T00:00",
         ["04 01:45+11", "05 01:45+11", "06 01:45+10"]),
        ("30 2 * * *", CASABLANCA, "2026-02-14T00:00", "2026-02-17T00:00",
         ["14 02:30+01", "15 02:30+01", "16 02:30+00"]),
        # Several that are left out are one.
        ("*/10 2 * * *", BERLIN, "2026-03-29", "2026-03-29T12:00", ["29 03:00+02"]),
        ("0 2,3 * * *", BERLIN, "2026-03-29", "2026-03-29T12:00", ["29 03:00+02"]),
        ("0 */12 * * *", HAVANA, "2026-03-07T16:00", "2026-03-08T20:00",
         ["07 12:00-05", "08 01:00-04", "08 12:00-04"]),
        ("*/30 2 * * *", BERLIN, "2026-10-25", "2026-10-25T12:00", ["25 02:30+02"]),
        ("*/30 2 * * *", BERLIN, "2026-10-24T22:00", "2026-10-25T12:00",
         ["25 02:00+02", "25 02:30+02"]),
        ("30 2 * * sun", BERLIN, "2026-03-23", "2026-04-06",
         ["29 03:00+02", "05 02:30+02"]),
        ("30 2 29 3 *", BERLIN, "2026-01-01", "2028-01-01", ["29 03:00+02", "29 02:30+02"]),
        ("0 0 * * *", "Africa/Cairo", "2026-04-22T12:00", "2026-04-25T12:00",
         ["23 00:00+02", "24 01:00+03", "25 00:00+03"]),
        ("0 0 * * *", "Atlantic/Azores", "2026-10-24T12:00", "2026-10-26T12:00",
         ["25 00:00+00", "26 00:00-01"]),
        ("59 23 * * *", "America/Scoresbysund", "2026-03-27T12:00", "2026-03-30T12:00",
         ["27 23:59-02", "29 00:00-01", "29 23:59-01"]),
        ("0 0,12 * * *", HAVANA, "2026-11-01T00:00", "2026-11-02T06:00",
         ["01 00:00-04", "01 12:00-05", "02 00:00-05"]),
        # A date that is left out whole.
        ("0 9 * * *", "Pacific/Apia", "2011-12-29T00:00", "2011-12-30T20:00",
         ["29 09:00-10", "31 00:00+14", "31 09:00+14"]),
        # Wildcards and steps go on in elapsed time.
        ("15 * * * *", BERLIN, "2026-03-29", "2026-03-29T03:00",
         ["29 01:15+01", "29 03:15+02", "29 04:15+02"]),
        ("15 * * * *", BERLIN, "2026-10-24T23:30", "2026-10-25T03:00",
         ["25 02:15+02", "25 02:15+01", "25 03:15+01"]),
        ("0 */2 * * *", BERLIN, "2026-03-28T22:30", "2026-03-29T05:00",
         ["29 00:00+01", "29 03:00+02", "29 04:00+02", "29 06:00+02"]),
        ("*/20 * * * *", LORD_HOWE, "2026-04-04T14:20", "2026-04-04T16:00",
         ["05 01:40+11", "05 01:40+10", "05 02:00+10", "05 02:20+10"]),
    ],
)  # fmt: skip
def test_a_line_fires_where_the_clocks_are_changed(
    expression: str, zone: str, first: str, last: str, expected: list[str]
) -> None:
    assert fires(expression, zone, first, last) == expected


@pytest.mark.parametrize(
    "zone",
    [
        BERLIN,
        NEW_YORK,
        LORD_HOWE,
        HAVANA,
        CASABLANCA,
        "Africa/Cairo",
        "Asia/Beirut",
        "America/Santiago",
        "Atlantic/Azores",
        "Antarctica/Troll",
    ],
)
@pytest.mark.parametrize("time_of_day", ["0 0", "30 0", "59 23", "30 2"])
def test_a_fixed_time_fires_once_on_each_date_of_a_year(zone: str, time_of_day: str) -> None:
    at = datetime(2026, 1, 2, 12, tzinfo=UTC)
    dates: list[date] = []
    while len(dates) < 365:
        time = next_cron(f"{time_of_day} * * *", zone, at)
        assert time is not None
        dates.append(time.astimezone(ZoneInfo(zone)).date())
        at = time
    assert dates == [dates[0] + timedelta(days=n) for n in range(365)]


@pytest.mark.parametrize("away", [timedelta(hours=7), timedelta(days=3)])
@pytest.mark.parametrize(
    ("expression", "expected"),
    [("0 * * * *", "29 12:00"), ("0 */6 * * *", "29 12:00"), ("30 2 * * *", "30 02:30")],
)
def test_however_many_times_were_missed_they_are_one_poll(
    expression: str, expected: str, away: timedelta
) -> None:
    """A service that was away while the clocks were changed polls once, and goes on from there."""
    zone = ZoneInfo(BERLIN)
    back = datetime(2026, 3, 29, 11, 30, tzinfo=zone).astimezone(UTC)
    settings = PollSettings(
        PollMode.CRON, cron=expression, zone=BERLIN, explicit=True, jitter=False
    )
    state, plan = subscribed(DAY / 40, settings)
    state = replace(state, polled_at=(back - away).timestamp())
    assert plan.at is not None
    _, plan = plan_next(state, unchanged(), settings, back, "source")
    assert plan.at.astimezone(zone).strftime("%d %H:%M") == expected


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, HAVANA, CASABLANCA])
@pytest.mark.parametrize("month", [2, 3, 10, 11])
def test_an_hourly_line_fires_once_in_each_hour_that_passes(zone: str, month: int) -> None:
    at = datetime(2026, month, 1, 0, 15, tzinfo=UTC)
    while at.month == month:
        time = next_cron("15 * * * *", zone, at)
        assert time == at + timedelta(hours=1)
        at = time
