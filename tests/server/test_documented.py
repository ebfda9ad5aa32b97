"""The reference names every route."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Mount, Route

from aggregator.server.access.guesses import POLICY
from aggregator.server.app import create_app
from tests.server.samples import SampleBackend, settings_of

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"


def test_every_route_stands_in_the_reference() -> None:
    text = REFERENCE.read_text("utf-8")
    front = create_app(SampleBackend(), settings_of, guess_policy=POLICY)
    routes = front.app.routes
    paths = {r.path for r in routes if isinstance(r, Route | Mount)}
    assert {"/", "/opml", "/static"} <= paths
    # Parameters are named for people there: compare what stands before them.
    fixed = {path.split("{")[0] for path in paths}
    assert not {path for path in fixed if f"`{path}" not in text}
