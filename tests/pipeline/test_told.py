"""What the start page tells of the configuration, and whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aggregator.model.pages import Overview
from aggregator.model.settings import Secret, ServiceSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from tests.pipeline.conftest import House

PROBLEM = "news.yaml:3:5: sources[0].poll: is no duration"
WARNINGS = (
    "news.yaml:9:5: sources[1]: is long",
    "news.yaml:12:5: sources[2]: is long",
    "news.yaml: service.contact: is not set",
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, True),
        ({"listen_host": "::1"}, True),
        ({"listen_host": "0.0.0.0"}, False),
        ({"listen_host": "0.0.0.0", "token": Secret("a long enough token")}, True),
        ({"base_url": "https://news.example"}, False),
        ({"trusted_proxies": ("127.0.0.1",)}, False),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_mistakes_and_warnings_are_told_in_full_to_whoever_may_see_them(
    house: House, changes: dict[str, Any], told: bool
) -> None:
    service = replace(ServiceSettings(), **changes)
    settings = replace(house.settings, service=service, warnings=WARNINGS)

    async def look(parts: Parts) -> Overview:
        publisher = Publisher(parts.database, parts.clock, lambda: settings)
        condition = Condition(problem=PROBLEM)
        pages = Pages(parts.database, publisher, parts.clock, lambda: settings, condition)
        return await pages.overview(private=True)

    shown = house.run(look)
    assert (shown.problem == PROBLEM) is told
    assert shown.warnings == (
        (f"{WARNINGS[0]} (and 1 more like it)", WARNINGS[2])
        if told
        else ("The configuration has 3 warnings: “aggregator check” lists them.",)
    )
