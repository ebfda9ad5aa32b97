"""What may be wrong with an installation, looked at from outside: each finding with its remedy."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sqlite3
import stat
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection

from aggregator.fetch.failure import Blocked, FetchFailed
from aggregator.fetch.guard import AddressPolicy
from aggregator.fetch.resolve import SystemResolver, locate
from aggregator.model.errors import OperatorError
from aggregator.model.settings import Settings, SourceSettings
from aggregator.pipeline import policy
from aggregator.pipeline.budgets import outage
from aggregator.schedule.clock import doubt
from aggregator.store import transfer
from aggregator.store.database import Database
from aggregator.store.migrate import current_revision, revisions
from aggregator.store.sources import claims, clock, turns

_LATE = timedelta(minutes=10)  # a source overdue by more waits for something
_NO_SCHEDULER = timedelta(minutes=2)  # since one looked last: there is none
_SCHEDULERS = "schedulers"
_SHOWN = 5  # names in one finding
_HOSTS = 200  # looked up
_DNS = timedelta(seconds=5)
_ROOM = 1 << 30  # bytes that should be free
_OPEN_FILES = 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, and what to do where it is not well."""

    about: str
    fine: bool
    said: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What is known outside the store: the time, and whether the service answers."""

    now: datetime
    serving: Callable[[], Awaitable[bool]]


async def examine(settings: Settings, around: Around, *, online: bool) -> list[Finding]:
    """Look at the configuration, files, database, clock, disk, names and queue; nothing is changed.

    Args:
        settings: the configuration, which was read without a mistake.
        around: the time, and how to ask whether the service answers.
        online: whether names may be looked up.
    """
    serving = await around.serving()
    stored = await asyncio.to_thread(_stored, settings, around.now, serving=serving)
    apart = any(one.about == _SCHEDULERS for one in stored)
    found = [_configuration(settings), *_permissions(settings)]
    found += [_service(settings, serving, apart=apart), _open_files(), *stored]
    if online:
        found += await _names(settings)
    return found


def _configuration(settings: Settings) -> Finding:
    sources, views = len(settings.sources), len(settings.views)
    if not settings.warnings:
        return Finding("configuration", True, f"{sources} sources, {views} views, no warning")
    count = len(settings.warnings)
    some = settings.warnings[0] if count == 1 else f"{settings.warnings[0]} (and {count - 1} more)"
    return Finding("configuration", False, some, "read every warning with: aggregator check")


def _permissions(settings: Settings) -> Iterator[Finding]:
    """Files with a password in them, as it stands, that others may read."""
    others = stat.S_IRGRP | stat.S_IROTH
    secrets = [value for value in _secrets(settings) if value]
    for file in map(Path, settings.files):
        if not file.is_file() or not file.stat().st_mode & others:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if any(value in text for value in secrets):
            yield Finding(
                "permissions", False, f"{file} holds a password or token, and others may read it",
                f"chmod 600 {file}, or take it from the environment: ${{NAME}}",
            )  # fmt: skip


def _secrets(settings: Settings) -> Iterator[str]:
    service = settings.service
    given = [service.token, service.admin_token, *(view.token for view in settings.views)]
    for source in settings.sources:
        given += [*source.headers.values(), *((source.auth or ())[1:])]
    yield from (secret.reveal() for secret in given if secret is not None)


def _open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fine = hard == resource.RLIM_INFINITY or hard >= _OPEN_FILES
    return Finding(
        "open files", fine, f"a limit of {soft}, which may be raised to {hard}",
        "" if fine else f"raise the limit to {_OPEN_FILES} or more (systemd: LimitNOFILE)",
    )  # fmt: skip


def _stored(settings: Settings, now: datetime, *, serving: bool) -> list[Finding]:
    """What the database says, and where it lies."""
    try:
        database = Database(settings.storage.url.reveal())
    except OperatorError as error:
        return [Finding("database", False, str(error), "mend storage.url, or what it names")]
    found: list[Finding] = []
    try:
        if database.is_sqlite:
            file = Path(str(database.url.database))
            found += [*_disk(file), *_file(file)]
            if not file.exists():
                made = "is made at the first start"
                return [*found, Finding("database", True, f"{file} is not there yet; it {made}")]
        database.probe(now.isoformat())
        with database.read() as connection:
            schema = _schema(connection)
            found.append(schema)
            if schema.fine:
                found += _contents(connection, settings, now, serving=serving)
    except OperatorError as error:
        found.append(Finding("database", False, str(error), "see what it says"))
    finally:
        database.close()
    return found


def _disk(file: Path) -> Iterator[Finding]:
    folder = file.resolve().parent
    free = shutil.disk_usage(folder).free
    wanted = max(_ROOM, file.stat().st_size // 4 if file.exists() else 0)
    said = f"{free / 1e9:.1f} GB are free beside the database"
    remedy = f"free some space: {wanted / 1e9:.1f} GB should be there; storage.keep_text keeps less"
    yield Finding("disk", free >= wanted, said, "" if free >= wanted else remedy)
    if not os.access(folder, os.W_OK):
        yield Finding(
            "permissions", False, f"this user may not write to {folder}",
            f"give it to the user that runs the service: chown USER {folder}",
        )  # fmt: skip


def _file(file: Path) -> Iterator[Finding]:
    if not file.exists():
        return
    if file.stat().st_mode & stat.S_IROTH:
        yield Finding(
            "permissions", False, f"{file} may be read by everybody, private items included",
            f"chmod o= {file}",
        )  # fmt: skip
    try:
        opened = sqlite3.connect(f"file:{file.resolve()}?mode=ro", uri=True)
        try:
            said = opened.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            opened.close()
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        yield Finding(
            "database", False, f"{file} is damaged: {said}",
            "stop the service, then: aggregator restore BACKUP --replace",
        )  # fmt: skip


def _schema(connection: Connection) -> Finding:
    known, current = revisions(), current_revision(connection)
    if current is None or current == known[-1]:
        return Finding("database", True, "answers, can be written, and has this version's tables")
    if current in known:
        said = f"has the tables of an earlier version ({current}, this one has {known[-1]})"
        return Finding("database", False, said, "they are brought up to date at the next start")
    return Finding("database", False, f"was written by a newer version ({current})",
                   "upgrade aggregator, or restore a backup made before")  # fmt: skip


def _contents(
    connection: Connection, settings: Settings, now: datetime, *, serving: bool
) -> Iterator[Finding]:
    if current_revision(connection) is None:
        return
    try:
        transfer.check_usable(connection)
    except OperatorError as error:
        yield Finding("database", False, str(error), "let storage.url name the store in use")
    yield _time(clock.newest(connection), now)
    since = outage.since(connection)
    if since is not None:
        yield Finding(
            "network", False, f"our own network seems to be down since {since:%Y-%m-%d %H:%M} UTC",
            "see that this machine reaches the internet and its resolver",
        )  # fmt: skip
    looked = turns.last(connection)
    if looked is not None and not serving:
        yield _schedulers(looked, now)
    late = claims.overdue(connection, now - _LATE, _SHOWN + 1)
    if late and serving:
        yield Finding(
            "queue", False,
            f"{_names_of([name for name, _ in late])} should have been polled by "
            f"{late[0][1]:%Y-%m-%d %H:%M} UTC",
            "ask why, for each: aggregator plan SOURCE. Raise polling.requests_per_second or "
            "polling.concurrency where many wait",
        )  # fmt: skip
    else:
        yield Finding(
            "queue", True, "no source is overdue" if not late else "waits for the service"
        )
    stuck = clock.leases_too_long(connection, now, policy.furthest(settings))
    if stuck:
        yield Finding(
            "leases", False, f"{stuck} polls or pages are held for longer than they can ever be",
            "start the service: it gives them back within a minute",
        )  # fmt: skip


def _time(newest: datetime | None, now: datetime) -> Finding:
    said = doubt(now, newest)
    if said is not None:
        return Finding(
            "clock", False, said,
            "set the clock of this machine, and keep it by NTP; where it is right, "
            "polling.trust_clock: yes",
        )  # fmt: skip
    return Finding("clock", True, f"it is {now:%Y-%m-%d %H:%M:%S} UTC")


def _schedulers(looked: datetime, now: datetime) -> Finding:
    """Whether the schedulers of an installation of several processes look for what is due."""
    said = f"a scheduler looked for due sources last at {looked:%Y-%m-%d %H:%M:%S} UTC"
    late = now - looked > _NO_SCHEDULER
    return Finding(_SCHEDULERS, not late, said, "start one: aggregator schedule" if late else "")


def _service(settings: Settings, serving: bool, *, apart: bool) -> Finding:
    """Whether it answers here; in an installation of several processes it need not."""
    host, port = settings.service.listen_host, settings.service.listen_port
    if serving:
        return Finding("service", True, f"answers on port {port}")
    if apart:
        return Finding("service", True, "no server runs on this machine")
    return Finding("service", False, f"does not answer at {host or '*'}:{port}",
                   "start it: aggregator run")  # fmt: skip


async def _names(settings: Settings) -> list[Finding]:
    """Whether the hosts of sources have addresses, and such as may be asked."""
    resolver = SystemResolver(_DNS)
    hosts: dict[str, SourceSettings] = {}
    for source in settings.sources:
        if source.enabled and (host := urlsplit(source.url).hostname):
            hosts.setdefault(host, source)
    looked = list(hosts.items())[:_HOSTS]
    answers = await asyncio.gather(
        *(_look_up(resolver, settings, host, source) for host, source in looked)
    )
    failed = {host: error for (host, _), error in zip(looked, answers, strict=True) if error}
    lost = [error for error in failed.values() if not isinstance(error, Blocked)]
    if looked and len(lost) == len(looked) and (len(looked) > 1 or lost[0].own_network):
        return [
            Finding("names", False, "no host of any source has an address",
                    "see that this machine has a network, and /etc/resolv.conf")
        ]  # fmt: skip
    found = [
        Finding("guard", False, f"{host} is not asked: {error.detail}",
                f"where this host is meant: {error.allowed_by}")
        for host, error in failed.items()
        if isinstance(error, Blocked)
    ]  # fmt: skip
    unknown = [host for host, error in failed.items() if not isinstance(error, Blocked)]
    if unknown:
        found.append(
            Finding("names", False, f"{_names_of(unknown)}: no address was found",
                    "correct the url of these sources, or remove them")
        )  # fmt: skip
    if looked and not failed:
        found.append(Finding("names", True, f"all {len(looked)} hosts of sources have addresses"))
    return found


async def _look_up(
    resolver: SystemResolver, settings: Settings, host: str, source: SourceSettings
) -> FetchFailed | None:
    """Why a host cannot be asked, None where it can."""
    networks = settings.fetching.allow_networks
    try:
        await locate(
            resolver, host, 443, AddressPolicy(networks, allow_private=source.allow_private)
        )
    except FetchFailed as error:
        return error
    return None


def _names_of(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and more" if len(names) > _SHOWN else shown
