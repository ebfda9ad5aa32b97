"""The running service's store is backed up and moved; readers notice nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.feeds import rss
from tests.e2e.program import Program
from tests.origin import Origin, Wire, reply


@pytest.mark.required("postgres")
def test_a_service_moves_to_postgresql_under_load_and_nobody_notices(
    program: Program, origin: Origin, postgres_url: str, tmp_path: Path
) -> None:
    """A feed grows by an item at every request; each is served once, before and after."""
    served = [5]

    async def growing(wire: Wire) -> None:
        served[0] += 1
        await wire.send(reply(200, {}, rss("site", range(max(0, served[0] - 40), served[0]))))

    origin.route("/feed", growing)
    sources = [{"id": "s", "url": origin.url("/feed"), "poll": "1s"}]
    program.configure(sources, [origin.port])
    program.start()
    program.wait(lambda: len(program.items()) > 8, "items arrive")

    backup = tmp_path / "backup.db"
    kept = json.loads(program.command("backup", str(backup), "--json"))
    assert kept["rows"]["item"] >= 9
    moved = json.loads(program.command("migrate-store", "--to", postgres_url, "--json"))
    ids = {item["id"] for item in program.items()}
    assert len(ids) == moved["rows"]["item"]
    program.wait(lambda: not program.is_ready(), "the old store is told as moved")
    last, etag = served[0], program.get("/feeds/all.atom").headers["etag"]
    told = program.run("status")
    assert told.returncode == 1
    assert "was moved to" in told.stderr
    assert program.stop() == 0

    program.database_url = postgres_url
    program.configure(sources, [origin.port], polling={"requests_per_second": 0.01})
    program.start()
    assert program.get("/feeds/all.atom").headers["etag"] == etag
    program.configure(sources, [origin.port])
    program.wait(lambda: len(program.items()) > len(ids) + 2, "new items arrive")
    titles = [item["title"] for item in program.items()]
    assert len(titles) == len(set(titles))
    assert set(titles) >= {f"site reports on bridge {n}" for n in range(last)}
    assert program.stop() == 0
