"""The application behind a real uvicorn on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvicorn

from aggregator.model.settings import Settings
from aggregator.server.access.guesses import GuessPolicy
from aggregator.server.app import create_app
from aggregator.server.websub import Subscriber
from aggregator.server.wire.connections import LIMITS, ConnectionLimits, limited
from tests.patience import PATIENCE
from tests.server.samples import SampleBackend, settings_of

NO_WAIT = GuessPolicy(wait=timedelta(0), waiting=256, report=timedelta(seconds=10))
Serve = Callable[..., AbstractContextManager[httpx.Client]]


@contextmanager
def serving(
    backend: SampleBackend | None = None,
    settings: Settings | None = None,
    limits: ConnectionLimits = LIMITS,
    guesses: GuessPolicy = NO_WAIT,
    subscriber: Subscriber | None = None,
    **more: Any,
) -> Iterator[httpx.Client]:
    """Run the application on a free port; gives a client that follows no redirects."""
    in_force = settings or settings_of()
    app = create_app(
        backend or SampleBackend(),
        lambda: in_force,
        subscriber=subscriber,
        **more,
        guess_policy=guesses,
    )
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False,
        http=limited(limits), ws="none", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    started = threading.Event()
    original = server.startup

    async def startup(sockets: object = None) -> None:
        await original(sockets)  # type: ignore[arg-type]
        started.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(PATIENCE)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        base = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base, trust_env=False, timeout=PATIENCE) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def serve() -> Serve:
    """Starts the application with a given backend and settings."""
    return serving


@pytest.fixture(scope="module")
def open_site() -> Iterator[httpx.Client]:
    """A site without any token."""
    with serving() as client:
        yield client
