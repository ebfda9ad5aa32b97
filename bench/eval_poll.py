"""Poll real feed documents from loopback and compare what is stored with what feedparser counts.

    python -m bench.eval_poll [DIR]

DIR (or AGGREGATOR_EVAL_DATA, else ../shared/data) holds feeds/manifest.jsonl and gzipped documents.
Every document becomes a source of its own on a loopback origin. Two passes: the first must store
each document's items, the second must store and read nothing. feedparser reads no JSON Feed; we
keep one of entries that a document repeats word for word: the differences that remain.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
import tempfile
from collections import Counter
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import feedparser

from aggregator.model.item import PollRecord
from aggregator.model.settings import (
    FetchingSettings,
    PollingSettings,
    Secret,
    Settings,
    SourceSettings,
    StorageSettings,
    ViewSettings,
)
from aggregator.opening import open_parts
from aggregator.pipeline.polling.refresh import refresh
from tests.origin import Origin, Wire, reply


def data_directory(arguments: list[str]) -> Path:
    """Where the documents are; SystemExit with a clear message when they are not there."""
    default = Path(__file__).parents[2] / "shared" / "data"
    named = arguments[0] if arguments else os.environ.get("AGGREGATOR_EVAL_DATA", "")
    folder = (Path(named) if named else default) / "feeds"
    if not (folder / "manifest.jsonl").exists():
        print(f"no feeds/manifest.jsonl under {folder.parent}: nothing to measure")
        raise SystemExit(0)
    return folder


def serve(origin: Origin, path: str, body: bytes) -> None:
    """Serve a document with an entity tag, as a decent origin does."""
    tag = f'"{len(body)}"'

    async def handler(wire: Wire) -> None:
        if wire.request.headers.get("if-none-match") == tag:
            await wire.send(reply(304, {"ETag": tag}))
        else:
            await wire.send(reply(200, {"ETag": tag}, body))

    origin.route(path, handler)


async def measure(settings: Settings) -> tuple[list[PollRecord], list[PollRecord]]:
    """Two passes over all sources."""
    async with open_parts(settings) as parts:
        first = await refresh(parts, settings.sources)
        second = await refresh(parts, settings.sources)
    return first, second


def main(arguments: list[str]) -> int:
    folder = data_directory(arguments)
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    expected: dict[str, int] = {}
    places: dict[str, str] = {}
    with Origin() as origin, tempfile.TemporaryDirectory() as home:
        for number, row in enumerate(rows):
            body = gzip.decompress((folder / row["file"]).read_bytes())
            name = f"d{number:03}"
            serve(origin, f"/{name}", body)
            expected[name] = len(feedparser.parse(body, sanitize_html=False).entries)
            places[name] = f"{row['repo']}/{row['path']}"
        settings = Settings(
            storage=StorageSettings(Secret(f"sqlite:///{home}/eval.db")),
            polling=PollingSettings(host_gap=timedelta(0), min_refresh=timedelta(0)),
            fetching=FetchingSettings(
                allow_networks=(ip_network("127.0.0.1/32"),), allow_ports=(origin.port,)
            ),
            sources=tuple(SourceSettings(name, origin.url(f"/{name}")) for name in expected),
            views=(ViewSettings("all", "all"),),
        )
        first, second = asyncio.run(measure(settings))
    print("first pass ", dict(Counter(record.outcome for record in first)))
    print("second pass", dict(Counter(record.outcome for record in second)))
    differing = [r for r in first if r.entries != expected[r.source_id]]
    read, stored = sum(r.entries for r in first), sum(r.new_items for r in first)
    print(f"{len(first)} documents, {stored} items stored, {read} entries read")
    print(f"feedparser counts {sum(expected.values())}; {len(differing)} documents differ:")
    for record in differing:
        counts = f"{record.entries:5} : {expected[record.source_id]:5}"
        print(f"  {counts}  {places[record.source_id]}  {record.error or ''}"[:200])
    bad = [r for r in second if r.new_items or r.outcome in ("new", "unchanged")]
    for record in bad:
        print("  read again:", places[record.source_id], record.outcome, record.new_items)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
