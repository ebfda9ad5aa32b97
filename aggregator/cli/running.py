"""`aggregator run`: the service in the foreground."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption


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
    import asyncio

    from aggregator.cli.output import told
    from aggregator.config.load import load_settings
    from aggregator.service import Service
    from aggregator.telemetry.log import configure_logging

    with told():
        service = load_settings(config).service
        configure_logging(
            json=(LOGGING.format or service.log_format) == "json",
            level="debug" if LOGGING.verbose > 1 else service.log_level,
        )
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(Service(config).run())


def _loop_factory() -> Callable[[], AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
