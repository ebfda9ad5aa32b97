"""Metrics in Prometheus' exposition format. Every name here is described in docs/reference."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

POLLS = Counter(
    "aggregator_polls_total", "Polls finished, by outcome.", ["outcome"], registry=REGISTRY
)
ITEMS_NEW = Counter(
    "aggregator_items_new_total", "Items stored for the first time.", registry=REGISTRY
)
ITEMS_CHANGED = Counter(
    "aggregator_items_changed_total", "Items whose text changed materially.", registry=REGISTRY
)
BYTES_RECEIVED = Counter(
    "aggregator_received_bytes_total", "Bytes of response bodies on the wire.", registry=REGISTRY
)
POLL_SECONDS = Histogram(
    "aggregator_poll_seconds",
    "Time from claim to commit of one poll.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("aggregator_polls_in_flight", "Polls being done now.", registry=REGISTRY)
SOURCES = Gauge("aggregator_sources", "Configured sources, by state.", ["state"], registry=REGISTRY)
RENDERS = Counter(
    "aggregator_renders_total", "View pages rendered after a change.", ["format"], registry=REGISTRY
)
CONFIG_RELOADS = Counter(
    "aggregator_config_reloads_total",
    "Configuration changes noticed, by result.",
    ["result"],
    registry=REGISTRY,
)
LAST_TICK = Gauge(
    "aggregator_last_tick_timestamp_seconds",
    "When the scheduler last looked for due sources.",
    registry=REGISTRY,
)
WORKER_FAILURES = Counter(
    "aggregator_worker_failures_total",
    "Worker tasks ended by a limit or a crash, by kind.",
    ["kind"],
    registry=REGISTRY,
)


def exposition() -> bytes:
    """All metrics as text, format 0.0.4."""
    return generate_latest(REGISTRY)
