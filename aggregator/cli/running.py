"""`aggregator run`, `schedule`, `worker`, `serve`: the service or a part of it."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption
from aggregator.model.states import Role

HealthOption = Annotated[
    str | None,
    typer.Option("--listen", help="Where to tell of health and metrics, as 127.0.0.1:8081."),
]
_QUEUES = ("feeds", "articles", "push")


@dataclass(slots=True)
class _Logging:
    """What the command line said about logging; it wins over the configuration."""

    verbose: int = 0
    format: str | None = None


LOGGING = _Logging()


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Poll the configured sources and serve the merged feeds until SIGTERM or Ctrl-C.

    SIGHUP, or saving the file, applies a changed configuration.
    """
    _start(config, Role.RUN)


def schedule(listen: HealthOption = None, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Queue what is due for workers (PostgreSQL alone); any number of processes may.

    It makes the tables and applies the configuration. SIGHUP, or saving the file, applies a changed
    one.
    """
    _start(config, Role.SCHEDULE, listen=listen)


def worker(
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=1000, help="How many jobs at once.")
    ] = 20,
    queues: Annotated[
        str, typer.Option("--queues", help="Which queues, with commas: feeds, articles, push.")
    ] = "feeds,articles,push",
    listen: HealthOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Poll, read and deliver what is queued (PostgreSQL alone); any number, on any machine."""
    from aggregator.cli.output import fail

    chosen = tuple(name.strip() for name in queues.split(",") if name.strip())
    if not chosen or not set(chosen) <= set(_QUEUES):
        fail(f"--queues takes {', '.join(_QUEUES)}, not {queues!r}")
    _start(config, Role.WORKER, listen=listen, concurrency=concurrency, queues=chosen)


def serve(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Serve the merged feeds and pages of a store that others fill (PostgreSQL alone)."""
    _start(config, Role.SERVE)


def _start(config: Path, role: Role, *, listen: str | None = None, **options: Any) -> None:
    """Run a role in the foreground until it is told to stop."""
    import asyncio

    from aggregator.cli.output import fail, told
    from aggregator.config.load import load_settings
    from aggregator.config.values.addresses import read_listen
    from aggregator.service import Service
    from aggregator.telemetry.log import configure_logging

    with told():
        service = load_settings(config).service
        configure_logging(
            json=(LOGGING.format or service.log_format) == "json",
            level="debug" if LOGGING.verbose > 1 else service.log_level,
        )
        try:
            address = read_listen(listen) if listen else None
        except ValueError as error:
            fail(f"--listen: {error}")
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(Service(config, role=role, listen=address, **options).run())


def _loop_factory() -> Callable[[], AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
