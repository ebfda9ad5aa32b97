"""A store of a million items of 10,000 sources, made by bulk inserts, and its configuration.

Everything that a page, a feed or a start reads is there: states, polls, items with texts and
entries, related links, copy groups. Texts are short, since nothing here compares them; the
indexes of copies and stories stay empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, update

from aggregator.config.load import load_settings
from aggregator.markup.sanitize import SANITIZER_VERSION
from aggregator.model.settings import Settings
from aggregator.pipeline.configure import apply_settings
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.migrate import migrate

END = datetime(2026, 3, 1, tzinfo=UTC)  # when the newest item came
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN = timedelta(days=400)
_AT_ONCE = 20_000
_WORDS = (
    "council", "market", "river", "harbour", "votes", "budget", "storm", "bridge", "court",
    "school",
)  # fmt: skip
_VIEWS = """\
views:
  - {id: all, title: All}
  - {id: whole, title: Whole, mode: articles}
  - {id: told, title: Told, mode: stories}
  - {id: tenth, title: A tenth, tags: [t3]}
  - {id: quiet, title: Quiet, tags: [quiet]}
  - {id: few, title: Few, tags: [few]}
"""


def configuration(folder: Path, url: str, sources: int, port: int = 8080) -> Path:
    """Write the configuration of such a store: views over all, a tenth, 100 quiet and 5 sources."""
    lines = [
        f"service: {{listen: 127.0.0.1:{port}}}", f"storage: {{url: {json.dumps(url)}}}",
        _VIEWS.rstrip(), "sources:",
    ]  # fmt: skip
    for number in range(sources):
        tags = [f"t{number % 10}"]
        if _is_quiet(number, sources):
            tags.append("quiet")
        if number % max(1, sources // 5) == 7:
            tags.append("few")
        address = f"https://h{number // 2}.example/{number}.xml"
        lines.append(f"  - {{id: s{number:05}, url: {json.dumps(address)}, tags: {tags}}}")
    path = folder / "config.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def _is_quiet(number: int, sources: int) -> bool:
    """Every hundredth brought its few items long ago, below a mountain of others' news."""
    return number % max(1, sources // 100) == 3


def make(path: Path, items: int) -> Settings:
    """Fill the database that the configuration names; its settings."""
    settings = load_settings(path)
    database = Database(settings.storage.url.reveal())
    migrate(database)
    with database.write() as connection:
        apply_settings(connection, settings, END)
        connection.execute(
            update(t.feed).values(
                last_polled_at=END, last_success_at=END, outcome="unchanged", status=200,
                next_poll_at=END + timedelta(days=3650), next_reason="rate",
            )
        )  # fmt: skip
        failing = [one.id for one in settings.sources[:: max(1, len(settings.sources) // 40)]]
        connection.execute(
            update(t.feed)
            .where(t.feed.c.source_id.in_(failing))
            .values(failures=3, error="HTTP 500")
        )
    quiet = {s.id for n, s in enumerate(settings.sources) if _is_quiet(n, len(settings.sources))}
    names = [one.id for one in settings.sources]
    for start in range(0, items, _AT_ONCE):
        rows = _rows(range(start, min(items, start + _AT_ONCE)), items, names, quiet)
        _insert(database, rows)
    _insert(database, {t.poll_log: _polls(names)})
    if not database.is_sqlite:  # nobody analyses an SQLite store in use
        engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as plain:
            plain.exec_driver_sql("VACUUM ANALYZE")
            for name in ("item", "entry", "poll_log"):
                last = f"(SELECT max(id) FROM {name})"
                plain.exec_driver_sql(f"SELECT setval('{name}_id_seq', {last})")
    database.close()
    return settings


def _rows(
    numbers: Iterable[int], items: int, names: Sequence[str], quiet: set[str]
) -> dict[Table, list[dict[str, Any]]]:
    made: dict[Table, list[dict[str, Any]]] = {
        t.item: [], t.item_text: [], t.entry: [], t.url_key: [], t.related_link: [],
    }  # fmt: skip
    step = _SPAN / max(1, items)
    for place in numbers:
        number = place + 1
        source = names[place * 7919 % len(names)]
        if source in quiet and place > items // 20:
            source = names[(place * 7919 + 1) % len(names)]
        at = END - _SPAN + step * number
        title = f"{_WORDS[number % 10]} {_WORDS[number // 10 % 10]} {number}".capitalize()
        link = f"https://{source}.example/{number}"
        text = f"{title}. " + " ".join(_WORDS[(number + k * k) % 10] for k in range(60))
        group = number - number % 10 if number % 10 == 3 else number
        made[t.item].append(
            {
                "id": number, "public_id": f"tag:bench.example,2026:{number}", "scope": "",
                "source_id": source, "entry_key": f"k{number}", "first_seen": at, "sort_at": at,
                "published": at, "updated": at, "changed_at": at, "title": title, "link": link,
                "categories": ["News"], "enclosures": [], "details": None,
                "source_ref": {
                    "title": f"Source {source}", "link": f"https://{source}.example/",
                    "feed_id": f"tag:bench.example,2026:{source}", "feed_url": None,
                    "updated": END.isoformat(),
                },
                "content_hash": f"c{number}", "revision": 0, "forgotten": False,
                "group_id": max(1, group), "story_id": max(1, group), "depth": 0,
            }
        )  # fmt: skip
        made[t.item_text].append(
            {
                "item_id": number, "html": f"<p>{text}</p>", "summary": None, "text": text,
                "sanitizer_version": SANITIZER_VERSION, "from_page": False,
            }
        )  # fmt: skip
        made[t.entry].append(
            {
                "id": number, "source_id": source, "key": f"k{number}", "item_id": number,
                "guid": f"g{number}", "alias": None, "url_key": f"u{number}", "title": title,
                "link": link, "published": at, "content_hash": f"c{number}", "why": "new",
                "first_seen": at, "last_seen": at, "sort_at": at, "joined": False, "reader": 1,
                "shown": "s", "shown_at": at, "passing": False,
            }
        )  # fmt: skip
        made[t.url_key].append({"scope": "", "key": f"u{number}", "item_id": number})
        if number % 20 == 0:
            made[t.related_link].append(
                {
                    "item_id": number, "key": f"r{number}", "url": f"{link}/more", "text": "More",
                    "heading": "Related", "rule": "heading", "position": 0, "state": "refused",
                    "reason": "off", "found_at": at,
                }
            )  # fmt: skip
    return made


def _polls(names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "id": number * 10 + k + 1, "source_id": name, "at": END - timedelta(hours=k),
            "status": 200, "outcome": "unchanged", "wire_bytes": 1, "decoded_bytes": 1,
            "entries": 20, "new_items": 0, "changed_items": 0,
        }
        for number, name in enumerate(names)
        for k in range(10)
    ]  # fmt: skip


def _insert(database: Database, tables: dict[Table, list[dict[str, Any]]]) -> None:
    """Rows into tables by the quickest way that each database has."""
    for table, rows in tables.items():
        if not rows:
            continue
        columns = list(rows[0])
        values = [tuple(_value(row[name]) for name in columns) for row in rows]
        listed = ", ".join(f'"{name}"' for name in columns)
        raw = database.engine.raw_connection()
        try:
            cursor = raw.cursor()
            if database.is_sqlite:
                marks = ", ".join("?" * len(columns))
                cursor.execute("PRAGMA foreign_keys=OFF")
                cursor.execute("BEGIN IMMEDIATE")
                cursor.executemany(f"INSERT INTO {table.name} ({listed}) VALUES ({marks})", values)
                cursor.execute("COMMIT")
                cursor.execute("PRAGMA foreign_keys=ON")
            else:
                with cursor.copy(f"COPY {table.name} ({listed}) FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
                raw.commit()
        finally:
            raw.close()


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return json.dumps(value) if isinstance(value, dict | list) else value
