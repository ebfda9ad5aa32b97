"""Traces: what a poll, a rendering and a delivery are made of, and nothing where nobody asks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from aggregator.telemetry import traces
from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss

pytest.importorskip("opentelemetry.sdk.trace", reason="the extra `traces` is not installed")

SECRET = "s3cret-w0rd-of-ours"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Where spans go, in memory."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(traces, "tracer", lambda: provider.get_tracer("aggregator"))
    yield kept
    provider.shutdown()


def told(spans: Any) -> dict[str, dict[str, Any]]:
    """The attributes of each span by its name, and the name of the one it is below."""
    finished = spans.get_finished_spans()
    names = {one.context.span_id: one.name for one in finished}
    return {
        one.name: {key.removeprefix("aggregator."): value for key, value in one.attributes.items()}
        | {"below": names.get(one.parent.span_id) if one.parent else None}
        for one in finished
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_poll_is_a_trace_of_its_steps(house: House, origin: Origin, spans: Any) -> None:
    origin.answer("/alpha", body=rss(1, 2))
    house.poll("alpha")
    found = told(spans)
    assert found["poll"] == {
        "source": "alpha", "outcome": "new", "status": 200, "entries": 2, "new": 2, "changed": 0,
        "below": None,
    }  # fmt: skip
    assert [found[step]["below"] for step in ("fetch", "read", "store")] == ["poll"] * 3
    assert found["fetch"]["status"] == 200
    assert found["fetch"]["bytes"] == len(rss(1, 2))
    house.feed()
    assert told(spans)["render"] == {"view": "all", "format": "atom", "below": None}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_poll_that_fails_is_an_error_and_repeats_nothing_of_what_the_server_said(
    house: House, origin: Origin, spans: Any
) -> None:
    origin.script("/alpha", reply(500, {"X-Said": SECRET}, SECRET.encode()))
    house.poll("alpha")
    poll = next(one for one in spans.get_finished_spans() if one.name == "poll")
    assert poll.status.status_code.name == "ERROR"
    assert SECRET not in "".join(one.to_json() for one in spans.get_finished_spans())
    assert origin.url("/alpha") not in "".join(s.to_json() for s in spans.get_finished_spans())


def test_an_error_of_ours_is_told_by_its_name_alone(spans: Any) -> None:
    with pytest.raises(ValueError, match=SECRET), traces.span("poll"):
        raise ValueError(SECRET)
    (one,) = spans.get_finished_spans()
    assert one.attributes["aggregator.error"] == "ValueError"
    assert SECRET not in one.to_json()


_PROGRAM = """
import sys
from aggregator.telemetry import traces
with traces.span("poll", source="a") as one:
    one.tell(new=1)
print(sorted(name for name in sys.modules if name.startswith("opentelemetry")))
"""


def run(**environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_nothing_is_loaded_where_nobody_wants_traces() -> None:
    assert run().strip() == "[]"


def test_traces_go_where_the_environment_says(origin: Origin) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    origin.answer("/v1/traces", body=b"")
    assert "opentelemetry" in run(OTEL_EXPORTER_OTLP_ENDPOINT=origin.url("").rstrip("/"))
    (sent,) = origin.requests("/v1/traces")
    assert sent.method == "POST"
    assert sent.headers["content-type"] == "application/x-protobuf"
