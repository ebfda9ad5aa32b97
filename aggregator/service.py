"""A running process: starts and stops what its role does; signals and reload."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import resource
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from aggregator import __version__
from aggregator.config.checks import new_short_tokens
from aggregator.config.load import ConfigError, load_settings
from aggregator.model.errors import OperatorError, StorageTrouble
from aggregator.model.settings import Settings
from aggregator.model.states import Role
from aggregator.opening import open_parts
from aggregator.pipeline.configure import Applied, apply_settings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import websub
from aggregator.pipeline.upkeep import maintain
from aggregator.store.sources import claims
from aggregator.telemetry import metrics

if TYPE_CHECKING:
    import uvicorn

    from aggregator.pipeline.pushing.hub import Reply
    from aggregator.pipeline.showing.pages import Condition
    from aggregator.pipeline.showing.pictures import PictureProxy
    from aggregator.server.wire.streams import Streams

log = structlog.get_logger("aggregator")

_DRAIN = timedelta(seconds=6)  # of the 8 s that a stop may take
_AGAIN = 5.0  # seconds until a change that could not be stored is tried again
_OPEN_FILES = 8192  # wanted; the usual soft limit of 1024 is less than clients may hold open


class ServiceError(OperatorError):
    """The service cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What the server's WebSub callback asks, answered from the database."""

    parts: Parts

    @property
    def largest(self) -> int:
        """The most bytes of a delivery."""
        return self.parts.settings.fetching.max_body_bytes

    async def verify(self, token: str, asked: Mapping[str, str]) -> websub.Reply:
        """A hub asks whether we meant it, or denies."""
        parts = self.parts
        if not parts.settings.service.websub:
            return websub.Reply(404)
        # Asked without the writer first: anybody may come with made-up tokens.
        if await parts.database.run_read(websub.refuses, token) is websub.UNKNOWN:
            return websub.Reply(404, "nothing was asked for here")
        return await parts.database.run_write(websub.verify, token, asked, parts.clock.now())

    async def refuses(self, token: str) -> websub.Reply | None:
        """Why a delivery is not wanted, decided before its body is read."""
        parts = self.parts
        if not parts.settings.service.websub:
            return websub.Reply(410)
        return await parts.database.run_read(websub.refuses, token)

    async def deliver(
        self, token: str, signature: str | None, content_type: str | None, body: bytes
    ) -> websub.Reply:
        """A hub brings a document; it is queued."""
        parts = self.parts
        if not parts.settings.service.websub:
            return websub.Reply(410)
        return await parts.database.run_write(
            websub.deliver, token, signature, content_type, body, parts.clock.now()
        )


@dataclass(frozen=True, slots=True)
class OwnHub:
    """What the server's hub asks, answered from the database."""

    parts: Parts

    async def ask(self, form: Mapping[str, str]) -> Reply:
        """Take a request to subscribe or to unsubscribe."""
        from aggregator.pipeline.pushing import hub

        parts = self.parts
        return await parts.database.run_write(hub.ask, parts.settings, form, parts.clock.now())


class _Work(Protocol):
    """What a process does beside serving; it is stopped in the end."""

    def start(self) -> None: ...

    async def stop(self, grace: timedelta) -> None: ...


@dataclass(slots=True)
class Service:
    """A running process: what its role does, and the watch on its configuration.

    `listen` is where a scheduler or worker answers about its health; without it, nowhere.
    """

    path: Path
    load: Callable[[Path], Settings] = load_settings
    role: Role = Role.RUN
    listen: tuple[str, int] | None = None
    concurrency: int = 20
    queues: tuple[str, ...] = ()

    async def run(self, ready: Callable[[str], None] | None = None) -> None:
        """Run until SIGTERM or SIGINT.

        `ready` is called with the service's URL once it answers.

        Raises:
            ConfigError, DatabaseError, ServiceError: it cannot start.
        """
        settings = self.load(self.path)
        if self.role is not Role.RUN:
            _check_cluster(settings, self.role)
        _allow_open_files()
        listener = self._listener(settings)
        stop = asyncio.Event()
        reload = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        loop.add_signal_handler(signal.SIGHUP, reload.set)
        opening = open_parts(
            settings, owner=self._owner(settings), applies=self._applies,
            pages=self.role in (Role.RUN, Role.WORKER),
        )  # fmt: skip
        try:
            async with opening as parts:
                if self._applies:
                    await parts.database.run_write(claims.release_owned, parts.owner)
                    again = await maintain.sanitize_again(parts)  # before any of it is served
                    if again:
                        log.info("sanitised again", items=again)
                await self._live(parts, listener, stop, reload, ready)
        finally:
            if listener is not None:
                listener.close()

    @property
    def _applies(self) -> bool:
        """Whether this process makes the tables and applies the configuration."""
        return self.role in (Role.RUN, Role.SCHEDULE)

    def _owner(self, settings: Settings) -> str:
        if self.role is Role.RUN:
            return _instance_owner(settings)
        return f"{self.role}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"

    def _listener(self, settings: Settings) -> socket.socket | None:
        if self.role in (Role.RUN, Role.SERVE):
            return _bind(settings.service.listen_host, settings.service.listen_port)
        return _bind(*self.listen) if self.listen else None

    async def _live(
        self,
        parts: Parts,
        listener: socket.socket | None,
        stop: asyncio.Event,
        reload: asyncio.Event,
        ready: Callable[[str], None] | None,
    ) -> None:
        # What only the running service needs is loaded here, not for every command.
        from aggregator.pipeline.showing.pages import Condition
        from aggregator.pipeline.showing.pictures import PictureProxy, signing_key
        from aggregator.server.wire.streams import LIMITS as STREAM_LIMITS
        from aggregator.server.wire.streams import Streams

        condition = Condition(role=self.role)
        streams = Streams(STREAM_LIMITS)
        async with self._work(parts, condition) as work:
            server = None
            if listener is not None:
                pictures = PictureProxy(parts, await signing_key(parts))
                server = _server(parts, condition, streams, pictures)
            watching = asyncio.create_task(self._watch(parts, reload), name="watch")
            reloading = asyncio.create_task(self._reloads(parts, condition, reload), name="reload")
            stopping = asyncio.create_task(stop.wait(), name="stop")
            serving = asyncio.create_task(_serve_quietly(server, listener), name="server")
            if work is not None:
                work.start()
            for warning in parts.settings.warnings:
                log.warning(warning)
            log.info("started", role=self.role, url=parts.settings.service.public_url,
                     version=__version__, sources=len(parts.settings.sources),
                     views=len(parts.settings.views))  # fmt: skip
            if ready is not None:
                ready(parts.settings.service.public_url)
            ends: set[asyncio.Task[Any]] = {stopping, serving} if server else {stopping}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            log.info("stopping")
            for task in (watching, reloading, stopping):
                task.cancel()
            streams.close()
            if work is not None:
                await work.stop(_DRAIN)
            if server is not None:
                server.should_exit = True
            await serving
            for task in (watching, reloading, stopping):
                with suppress(asyncio.CancelledError):
                    await task
        log.info("stopped")

    @asynccontextmanager
    async def _work(self, parts: Parts, condition: Condition) -> AsyncIterator[_Work | None]:
        """What this role does beside serving."""
        from aggregator.work.tick import Ticker

        if self.role is Role.SERVE:
            yield None
        elif self.role is Role.RUN:
            yield Ticker(parts, condition)
        elif self.role is Role.WORKER:
            from aggregator.work.queue import Queue
            from aggregator.work.worker import Asked, Worker

            queues = [Queue(name) for name in self.queues] or list(Queue)
            yield Worker(parts, condition, Asked(self.concurrency, queues, _DRAIN))
        else:
            from aggregator.work import queue
            from aggregator.work.queued import Queued

            await parts.database.run_write(queue.prepare)
            opened = queue.job_queue(parts.database, connections=2)
            async with opened.app.open_async():
                yield Ticker(parts, condition, Queued(parts, opened.jobs))

    async def _watch(self, parts: Parts, reload: asyncio.Event) -> None:
        """Notice changed files; the set of files follows the configuration."""
        from aggregator.config.watch import changed_files

        while True:
            files = [Path(name) for name in parts.settings.files] or [self.path]
            try:
                async for _ in changed_files(files):
                    reload.set()
                    break
            except OSError as error:
                log.error("cannot watch the configuration; send SIGHUP instead", error=str(error))
                return
            await asyncio.sleep(0.2)

    async def _reloads(self, parts: Parts, condition: Condition, reload: asyncio.Event) -> None:
        while True:
            await reload.wait()
            reload.clear()
            try:
                await self._reload(parts, condition)
            except StorageTrouble:  # told by the tick; the change is applied when that is over
                await asyncio.sleep(_AGAIN)
                reload.set()

    async def _reload(self, parts: Parts, condition: Condition) -> None:
        """Apply a changed configuration; a broken one changes nothing and is said loudly."""
        try:
            settings = await asyncio.to_thread(self.load, self.path)
            short = new_short_tokens(parts.settings, settings)
            if short:
                raise ServiceError(f"{', '.join(short)}: a new token needs at least 16 characters")
        except (ConfigError, ServiceError) as error:
            condition.problem = _in_full(error)
            metrics.CONFIG_RELOADS.labels(result="refused").inc()
            log.error("the changed configuration is broken: the old one stays", problem=str(error))
            return
        old = parts.settings
        applied = Applied()
        if self._applies:
            applied = await parts.database.run_write(apply_settings, settings, parts.clock.now())
        parts.settings = settings
        condition.problem = None
        metrics.CONFIG_RELOADS.labels(result="applied").inc()
        log.info("configuration applied", added=len(applied.added), changed=len(applied.changed),
                 removed=len(applied.removed))  # fmt: skip
        if _needs_restart(old, settings):
            log.warning("listen, storage, fetching limits and worker settings change at a restart")


def _in_full(error: ConfigError | ServiceError) -> str:
    """Every mistake with its place, and the warnings of what could be understood."""
    warnings = error.warnings if isinstance(error, ConfigError) else ()
    return "\n".join([str(error), *(f"warning: {warning}" for warning in warnings)])


def _needs_restart(old: Settings, new: Settings) -> bool:
    listen = ("listen_host", "listen_port", "trusted_proxies")
    return (
        old.storage.url != new.storage.url
        or old.fetching != new.fetching
        or any(getattr(old.service, n) != getattr(new.service, n) for n in listen)
    )


def _instance_owner(settings: Settings) -> str:
    """Names the service of this host and port in leases: after a kill it takes its own back."""
    return f"service-{socket.gethostname()}-{settings.service.listen_port}"


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _check_cluster(settings: Settings, role: Role) -> None:
    """Roles meet in PostgreSQL, and need its queue where they use it."""
    if not settings.storage.url.reveal().startswith(("postgresql:", "postgres:", "postgresql+")):
        raise ServiceError(
            f"“aggregator {role}” needs PostgreSQL (storage.url): on SQLite “aggregator run” does "
            "everything in one process"
        )
    if role is not Role.SERVE and importlib.util.find_spec("procrastinate") is None:
        raise ServiceError(
            f"“aggregator {role}” needs the queue: pip install 'newsroom-aggregator[cluster]'"
        )


def _server(
    parts: Parts, condition: Condition, streams: Streams, pictures: PictureProxy
) -> uvicorn.Server:
    """The web server of a process: pages and feeds, or what tells of a worker's health."""
    import uvicorn

    from aggregator.pipeline.pushing.health import HealthDocuments
    from aggregator.pipeline.pushing.streaming import Newsroom
    from aggregator.pipeline.showing.pages import Pages
    from aggregator.pipeline.showing.views import Publisher
    from aggregator.server.access.guesses import POLICY
    from aggregator.server.app import create_app, create_health_app
    from aggregator.server.wire.connections import LIMITS, limited

    publisher = Publisher(parts.database, parts.clock, lambda: parts.settings)
    pages = Pages(parts.database, publisher, parts.clock, lambda: parts.settings, condition)
    app = (
        create_app(
            pages, lambda: parts.settings, subscriber=Subscriber(parts), hub=OwnHub(parts),
            newsroom=Newsroom(parts), streams=streams, health=HealthDocuments(parts),
            pictures=pictures, guess_policy=POLICY,
        )
        if condition.role in (Role.RUN, Role.SERVE)
        else create_health_app(pages, lambda: parts.settings)
    )  # fmt: skip
    trusted = parts.settings.service.trusted_proxies
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(trusted),
            forwarded_allow_ips=list(trusted),
            timeout_graceful_shutdown=2,
            http=limited(LIMITS),
            ws="none",
        )
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"cannot listen on {host}:{port}: {error.strerror}; set service.listen to a free "
            "address, for example 127.0.0.1:8081"
        ) from error
    listener.set_inheritable(False)
    return listener


async def _serve_quietly(server: uvicorn.Server | None, listener: socket.socket | None) -> None:
    """Uvicorn without its own signal handlers: ours decide when to stop."""
    if server is None or listener is None:
        return
    config = server.config
    if not config.loaded:
        config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    if not server.should_exit:
        await server.main_loop()
    await server.shutdown(sockets=[listener])
