"""Traces for OpenTelemetry: poll → fetch, read, store; render; push.

They are made where `newsroom-aggregator[traces]` is installed and the environment says where they
go (`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, as
https://opentelemetry.io/docs/specs/otel/protocol/exporter/ has it), or where whoever embeds this
has set a tracer provider. Else a span is nothing, and costs as much.

Attributes are never addresses, which may hold secrets: the ids of sources and views, hosts, counts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aggregator import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_WANTED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

Value = str | int | float | bool


class Span:
    """A span that goes nowhere."""

    __slots__ = ()

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def tell(self, *, failed: bool = False, **attributes: Value | None) -> None:
        """Add what came of it; None is left out."""


_NOTHING = Span()


class _Told(Span):
    __slots__ = ("_span",)

    def __init__(self, span: Any) -> None:
        self._span = span

    def tell(self, *, failed: bool = False, **attributes: Value | None) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attributes(_named(attributes))
        if failed:
            self._span.set_status(StatusCode.ERROR)


def _named(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {f"aggregator.{n}": value for n, value in attributes.items() if value is not None}


def span(name: str, **attributes: Value | None) -> AbstractContextManager[Span]:
    """What happens inside, as a span below the one it happens in."""
    found = tracer()
    return _NOTHING if found is None else _spanned(found, name, attributes)


@contextmanager
def _spanned(found: Tracer, name: str, attributes: dict[str, Value | None]) -> Iterator[Span]:
    # No text of an exception: it may hold what a server said.
    with found.start_as_current_span(
        name, attributes=_named(attributes), record_exception=False, set_status_on_exception=False
    ) as current:
        told = _Told(current)
        try:
            yield told
        except BaseException as error:
            told.tell(failed=True, error=type(error).__name__)
            raise


@lru_cache(maxsize=1)
def tracer() -> Tracer | None:
    """Who makes our spans; None where nobody wants any. Decided at the first span."""
    wanted = any(os.environ.get(name) for name in _WANTED)
    if not wanted and "opentelemetry.trace" not in sys.modules:
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
    except ImportError:
        return None
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        if not wanted:
            return None
        trace.set_tracer_provider(_exporting())
    found: Tracer = trace.get_tracer("aggregator", __version__)
    return found


def _exporting() -> Any:
    """A provider that sends spans in the background, and the last of them when we end."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "aggregator")
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
