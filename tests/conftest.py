"""Fixtures that every room may use: real parts, and a fresh database of either kind."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import aggregator.isolate.pool
from aggregator.store.database import Database
from aggregator.store.migrate import migrate
from tests import parts
from tests.patience import PATIENCE

# How long an example takes says how busy the machine is.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_NOT_INSTALLED = " is not installed"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes of tests for each core: tests of the whole program mostly wait."""
    return 2 * len(os.sched_getaffinity(0))


def _program(part: str) -> Path:
    """The program of a part; else the test is skipped, or fails where parts are required."""
    if found := parts.find(part):
        return found
    reason = f"{part}{_NOT_INSTALLED}; `{parts.INSTALL}` installs it on Debian"
    if parts.required():
        pytest.fail(f"{reason} ({parts.REQUIRE} is set)", pytrace=False)
    pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Check `@pytest.mark.required(part)` before the test starts."""
    for mark in item.iter_markers("required"):
        for part in mark.args:
            _program(part)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where parts are required, whatever was skipped is a failure: it did not run at all."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not parts.required():  # a process of tests has none
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(
            f"{len(skipped)} skipped ({parts.REQUIRE} is set): {skipped[0].nodeid}", red=True
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud which parts were missing: a silent skip looks like a pass.

    Counted from the reports, because the tests may have run in other processes (pytest-xdist).
    """
    reports = [
        r for kind in ("skipped", "failed", "error") for r in terminalreporter.stats.get(kind, ())
    ]
    reasons = [str(report.longrepr) for report in reports]
    missing = {
        part: count
        for part in parts.PARTS
        if (count := sum(f"{part}{_NOT_INSTALLED}" in reason for reason in reasons))
    }
    for part, tests in sorted(missing.items()):
        terminalreporter.write_line(
            f"MISSING PART: {part}: {tests} test(s) did not run. Install it with {parts.INSTALL}.",
            yellow=True,
            bold=True,
        )


@pytest.fixture(scope="session", autouse=True)
def _patient_pools() -> Iterator[None]:
    """Let a process of a pool take its time to begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregator.isolate.pool, "_START_GRACE", PATIENCE)
        yield


@pytest.fixture(scope="module")
def one_lane() -> Iterator[None]:
    """No task of a pool is begun again because it was slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregator.isolate.pool, "_SLICE", PATIENCE)
        yield


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of the tests."""
    for name in ("AGGREGATOR_CONFIG", "AGGREGATOR_LISTEN", "AGGREGATOR_STORAGE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_closed_logs() -> None:
    """Drop log handlers that a command run by an earlier test left on a stream that is closed."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if getattr(getattr(handler, "stream", None), "closed", False):
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[parts.Postgres]:
    """A private PostgreSQL server, started when the first test asks for it."""
    server = parts.Postgres(_program("postgres"))
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres: parts.Postgres) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that is dropped after the test."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'aggregator.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database without tables: every test that asks for it runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def _sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with today's tables: migrating a new one costs a quarter of a second."""
    file = tmp_path_factory.mktemp("tables") / "tables.db"
    _make_tables(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def _postgres_tables(postgres: parts.Postgres) -> str:
    """The name of a database with today's tables, of which others are made."""
    name = postgres.create()
    _make_tables(postgres.url(name))
    return name


def _make_tables(url: str) -> None:
    made = Database(url)
    migrate(made)
    made.close()


@pytest.fixture
def sqlite_with_tables_url(_sqlite_tables: Path, tmp_path: Path) -> str:
    """The URL of an SQLite database with today's tables, and nothing in them."""
    file = tmp_path / "aggregator.db"
    shutil.copyfile(_sqlite_tables, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_with_tables_url(postgres: parts.Postgres, _postgres_tables: str) -> Iterator[str]:
    """The URL of a PostgreSQL database with today's tables; it is dropped after the test."""
    name = postgres.create(_postgres_tables)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with today's tables: tests that ask for it run on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_with_tables_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with today's tables, and nothing in them."""
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def new_postgres_url(postgres: parts.Postgres) -> Iterator[Callable[[], str]]:
    """Makes further empty PostgreSQL databases within one test (property tests, many runs)."""
    made: list[str] = []

    def create() -> str:
        made.append(postgres.create())
        return postgres.url(made[-1])

    yield create
    for name in made:
        postgres.drop(name)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program."""
    return _program("chromium")


@pytest.fixture(scope="session")
def newsboat() -> Path:
    """The feed reader newsboat's program."""
    return _program("newsboat")


@pytest.fixture(scope="session")
def sfeed() -> Path:
    """The feed parser sfeed's program: a feed on stdin, tab-separated items on stdout."""
    return _program("sfeed")
