"""What somebody who looks into a mistake with a source has to know, without any secret.

Parts by name, all of them text that a person reads before it is handed to others.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from aggregator import __version__
from aggregator.config.variables import values_in
from aggregator.feeds.version import READER
from aggregator.isolate.pool import WorkerError
from aggregator.markup.sanitize import SANITIZER_VERSION
from aggregator.model.settings import Secret, Settings, SourceSettings
from aggregator.pipeline import policy
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.reading import read_document
from aggregator.pipeline.secrets import Scrubber
from aggregator.pipeline.showing import explain
from aggregator.store import schema as t
from aggregator.store.migrate import current_revision
from aggregator.store.sources import documents, subscriptions

_POLLS = 50
_LINES = 100  # of entries, and of decisions
_LIBRARIES = (
    "feedparser", "httpx", "lxml", "SQLAlchemy", "APScheduler", "trafilatura", "starlette",
    "uvicorn", "psycopg", "procrastinate",
)  # fmt: skip
_README = """\
A report about the source {source!r} of an installation of aggregator {version}, made at {at}.

Passwords, tokens, headers, values of variables, and whatever in an address looks like one of them
are replaced by ***. Read it before you hand it to others: you know best what else is nobody's
business.

versions.json   this program, its libraries, the database
source.json     how the source is configured, and what holds for all sources
state.json      what is remembered of it, its plan, and what was noticed
polls.json      its last polls with their reasons, newest first
{more}"""
_TEXTS = """\
entries.json    its last entries: how each was told apart
decisions.json  the last decisions about its items: copies, stories, corrections
document        what the source answered with last, where storage.keep_raw kept it, and
document.json   when it came, and as what
read.json       what we read from it
"""
_NO_TEXTS = """\
The source is private: what it brought is left out (--include-private puts it in).
"""


async def report(
    parts: Parts, source: SourceSettings, *, include_private: bool
) -> dict[str, bytes]:
    """The parts of a report about a source, by name.

    Args:
        parts: what it is made with.
        source: about which.
        include_private: whether what a private source brought goes in too.
    """
    settings, now = parts.settings, parts.clock.now()
    further = await parts.database.run_read(_tokens)
    scrubber = Scrubber(settings, further | variables(settings))
    told = await parts.database.run_read(_told, settings, source, now)
    texts = include_private or not source.private
    found: dict[str, Any] = {
        "versions.json": await parts.database.run_read(_versions),
        "source.json": _configured(settings, source),
        **told,
    }
    raw: bytes | None = None
    if texts:
        found |= await parts.database.run_read(_decided, source)
        kept = await parts.database.run_read(_last, source.id)
        if kept is not None:
            raw = kept.body
            found["document.json"] = {
                "at": kept.at, "url": kept.url, "content_type": kept.content_type,
                "part": kept.part, "readable": kept.readable, "bytes": len(raw),
                "hash": kept.body_hash,
            }  # fmt: skip
            found["read.json"] = await _read(parts, source, kept)
    readme = _README.format(
        source=source.id, version=__version__, at=now.isoformat(timespec="seconds"),
        more=_TEXTS if texts else _NO_TEXTS,
    )  # fmt: skip
    made = {"README.txt": readme.encode()}
    for name, value in found.items():
        text = json.dumps(plain(value), ensure_ascii=False, indent=1)
        made[name] = scrubber.text(text).encode("utf-8", "replace") + b"\n"
    if raw is not None:
        made["document"] = scrubber.document(raw)
    return made


def variables(settings: Settings) -> set[str]:
    """What the variables in the files of a configuration stand for."""
    found: set[str] = set()
    for file in map(Path, settings.files):
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            found |= values_in(text, os.environ, file.parent)
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it: settings and records by their fields, secrets as `***`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)  # a `Secret` prints as ***


def _tokens(connection: Connection) -> set[str]:
    """What our subscriptions are known by to hubs, and what subscribers of ours told us."""
    s, p = t.subscription.c, t.push_target.c
    rows = connection.execute(select(s.token, s.old_token, s.secret)).all()
    theirs = connection.execute(select(p.secret, p.asked_secret, p.address)).all()
    return {value for row in (*rows, *theirs) for value in row if value}


def _versions(connection: Connection) -> dict[str, Any]:
    server = connection.dialect.server_version_info or ()
    return {
        "aggregator": __version__,
        "reader": READER,
        "sanitizer": SANITIZER_VERSION,
        "schema": current_revision(connection),
        "database": f"{connection.dialect.name} {'.'.join(map(str, server))}",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _configured(settings: Settings, source: SourceSettings) -> dict[str, Any]:
    shown: dict[str, Any] = plain(source)
    if source.url_is_secret:
        shown["url"] = str(Secret(source.url))
    return {
        "source": shown,
        "polling": settings.polling,
        "fetching": settings.fetching,
        "dedup": settings.dedup,
        "keep_raw": settings.storage.keep_raw,
        "keep_text": settings.storage.keep_text / timedelta(days=1),
    }


def _told(
    connection: Connection, settings: Settings, source: SourceSettings, now: datetime
) -> dict[str, Any]:
    found = explain.reasons(connection, settings, source, now, _POLLS)
    if found is None:
        return {"state.json": None, "polls.json": []}
    subscribed = subscriptions.of_source(connection, source.id)
    state: dict[str, Any] = {
        "feed": found.state, "host": found.host, "plan": found.plan, "notices": found.notes,
        "subscription": subscribed.state if subscribed else None,
    }  # fmt: skip
    return {"state.json": state, "polls.json": found.polls}


def _decided(connection: Connection, source: SourceSettings) -> dict[str, Any]:
    e, m, i = t.entry.c, t.merge_log.c, t.item.c
    entries = connection.execute(
        select(
            e.id, e.item_id, e.key, e.guid, e.link, e.title, e.published, e.first_seen,
            e.last_seen, e.joined, e.reader, e.why,
        )
        .where(e.source_id == source.id)
        .order_by(e.id.desc())
        .limit(_LINES)
    )  # fmt: skip
    decisions = connection.execute(
        select(m.at, m.kind, m.item_id, m.other_id, m.score, m.reason)
        .join(t.item, i.id == m.item_id)
        .where(i.source_id == source.id)
        .order_by(m.id.desc())
        .limit(_LINES)
    )
    return {
        "entries.json": [row._mapping for row in entries],
        "decisions.json": [row._mapping for row in decisions],
    }


def _last(connection: Connection, source_id: str) -> documents.Document | None:
    for body_hash in documents.hashes(connection, source_id)[:1]:
        return documents.document(connection, source_id, body_hash)
    return None


async def _read(parts: Parts, source: SourceSettings, kept: documents.Document) -> Any:
    """What we read from a document, or why we cannot."""
    fetching = parts.settings.fetching
    try:
        read = await parts.workers.run(
            read_document, kept.body, kept.content_type, kept.url or source.url, None,
            parts.settings.dedup.tracking_parameters, policy.timezone(source),
            policy.parse_limits(fetching), timeout=fetching.parse_timeout.total_seconds(),
            share=source.id,
        )  # fmt: skip
    except WorkerError as error:
        return {"error": str(error)}
    return {"told_apart_by": read.policy, "feed": read.feed}
