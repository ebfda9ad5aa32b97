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
COPIES = Counter(
    "aggregator_copies_total",
    "Items of polls that were found to be copies of others.",
    registry=REGISTRY,
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
FETCH_SECONDS = Histogram(
    "aggregator_fetch_seconds",
    "Time from request to last byte of one poll.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("aggregator_polls_in_flight", "Polls being done now.", registry=REGISTRY)
SOURCES = Gauge("aggregator_sources", "Configured sources, by state.", ["state"], registry=REGISTRY)
RENDERS = Counter(
    "aggregator_renders_total", "View pages rendered after a change.", ["format"], registry=REGISTRY
)
RENDER_SECONDS = Histogram(
    "aggregator_render_seconds",
    "Time to render a page of a view, its items read included.",
    ["format"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "aggregator_request_seconds",
    "Time from a client's request to the head of its answer, by what was asked for.",
    ["kind"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)
ANSWERS = Counter(
    "aggregator_answers_total",
    "Answers to clients, by what was asked for and status.",
    ["kind", "status"],
    registry=REGISTRY,
)
LAG = Gauge(
    "aggregator_lag_seconds",
    "How long the longest overdue source has been due; 0 when none is.",
    registry=REGISTRY,
)
WAITING = Gauge(
    "aggregator_waiting",
    "What is due and not being done, by kind of work; counted up to 10,000.",
    ["work"],
    registry=REGISTRY,
)
WAITING_SECONDS = Gauge(
    "aggregator_waiting_seconds",
    "How long the longest waiting of these has been due.",
    ["work"],
    registry=REGISTRY,
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
SLOTS_REFUSED = Counter(
    "aggregator_host_slots_refused_total",
    "Requests put off because of a host's budget, by reason.",
    ["why"],
    registry=REGISTRY,
)
HOST_BLOCKS = Counter(
    "aggregator_host_blocks_total",
    "Hosts left alone for a time, by reason.",
    ["reason"],
    registry=REGISTRY,
)
HOSTS_BLOCKED = Gauge(
    "aggregator_hosts_blocked", "Hosts that are not to be contacted now.", registry=REGISTRY
)
BREAKERS_OPEN = Gauge(
    "aggregator_breakers_open",
    "Hosts whose circuit breaker is open: several of their sources failed.",
    registry=REGISTRY,
)
OWN_OUTAGE = Gauge(
    "aggregator_own_outage", "1 while our own network seems to be gone.", registry=REGISTRY
)
STORAGE_TROUBLE = Gauge(
    "aggregator_storage_trouble",
    "1 while storage cannot be written and polling waits.",
    registry=REGISTRY,
)
CLOCK_TROUBLE = Gauge(
    "aggregator_clock_trouble",
    "1 while the clock cannot be right and polling waits.",
    registry=REGISTRY,
)
FORGIVEN = Counter(
    "aggregator_failures_forgiven_total",
    "Failures taken back because they were our own outage's.",
    registry=REGISTRY,
)
PLANNED_PER_HOUR = Gauge(
    "aggregator_requests_planned_per_hour",
    "Requests an hour that the plans of all sources add up to.",
    registry=REGISTRY,
)
PRICE_SECONDS = Gauge(
    "aggregator_poll_price_seconds",
    "The interval of a source with four items a day: the price times the slowdown.",
    registry=REGISTRY,
)
SLOWDOWN = Gauge(
    "aggregator_poll_slowdown",
    "The factor on all intervals that keeps requests under the hourly cap.",
    registry=REGISTRY,
)
MOVES = Counter(
    "aggregator_feeds_moved_total",
    "Permanent redirects adopted as a feed's address.",
    registry=REGISTRY,
)
GAPS = Counter(
    "aggregator_gaps_total",
    "Polls that found every item new, by what became of the gap.",
    ["result"],
    registry=REGISTRY,
)
PUSHES = Counter(
    "aggregator_pushes_total",
    "Deliveries of WebSub hubs, by result.",
    ["result"],
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "aggregator_deliveries_total",
    "Deliveries to subscribers of our hub and to webhooks, by kind and result.",
    ["kind", "result"],
    registry=REGISTRY,
)
HEALTH_EVENTS = Counter(
    "aggregator_health_events_total",
    "What became of sources and of ourselves, by kind.",
    ["kind"],
    registry=REGISTRY,
)
SUBSCRIPTIONS = Gauge(
    "aggregator_subscriptions", "WebSub subscriptions, by state.", ["state"], registry=REGISTRY
)
PAGES = Counter(
    "aggregator_pages_total", "Visits to article pages, by outcome.", ["outcome"], registry=REGISTRY
)
CONNECTIONS_ENDED = Counter(
    "aggregator_connections_ended_total",
    "Connections of clients that a limit ended, by reason.",
    ["reason"],
    registry=REGISTRY,
)
WRONG_TOKENS = Counter(
    "aggregator_wrong_tokens_total", "Requests refused with a token of theirs.", registry=REGISTRY
)

JOBS = Gauge(
    "aggregator_jobs",
    "Jobs for workers, by queue and state.",
    ["queue", "state"],
    registry=REGISTRY,
)
JOBS_DONE = Counter(
    "aggregator_jobs_done_total",
    "Jobs that this worker has done, by queue.",
    ["queue"],
    registry=REGISTRY,
)
JOBS_STALLED = Counter(
    "aggregator_jobs_stalled_total",
    "Jobs of workers that are gone, given to others.",
    registry=REGISTRY,
)


def exposition() -> bytes:
    """All metrics as text, format 0.0.4."""
    return generate_latest(REGISTRY)
