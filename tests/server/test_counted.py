"""Answers are counted and timed by what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from aggregator.server.wire.counted import kind_of
from aggregator.telemetry import metrics
from tests.server.conftest import serving
from tests.server.samples import SampleBackend


def counted(kind: str, status: int) -> tuple[float, float]:
    """Answers of a kind with a status, and all that were timed of the kind."""
    value: Any = metrics.REGISTRY.get_sample_value
    labels = {"kind": kind, "status": str(status)}
    answers = value("aggregator_answers_total", labels) or 0.0
    return answers, value("aggregator_request_seconds_count", {"kind": kind}) or 0.0


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/feeds/all.atom", "feeds", 200),
        ("/feeds/none.atom", "feeds", 404),
        ("/", "pages", 200),
        ("/static/style.css", "files", 200),
        ("/health/live", "health", 200),
        ("/api/v1/none", "api", 404),
    ],
)
def test_an_answer_is_counted_once(path: str, kind: str, status: int) -> None:
    with serving(SampleBackend()) as client:
        before = counted(kind, status)
        assert client.get(path).status_code == status
        assert counted(kind, status) == (before[0] + 1, before[1] + 1)


def test_what_memory_answers_is_counted_too() -> None:
    with serving(SampleBackend().in_memory()) as client:
        before = counted("feeds", 200)
        assert client.get("/feeds/all.atom").status_code == 200
        assert counted("feeds", 200) == (before[0] + 1, before[1] + 1)


def test_a_path_prefix_is_no_part_of_what_is_asked_for() -> None:
    assert kind_of("/news/feeds/all.atom", "/news") == "feeds"
    assert kind_of("/news/views/all", "/news") == "pages"
