"""A scripted origin, a canary nobody may reach, and fetches in one call."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme

from aggregator.fetch.client import Fetcher
from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.resolve import numeric_address
from aggregator.model.http import (
    Access,
    BodyLimits,
    FetchError,
    FetchLimits,
    FetchRequest,
    FetchResult,
    HostBusy,
    RequestKind,
    Slot,
)
from tests.origin import Origin
from tests.patience import PATIENCE

T = TypeVar("T")
OWN = ip_network("127.0.0.1/32")
USER_AGENT = "aggregator/0.1 (+https://contact.example/)"


class Names:
    """A resolver with answers of our own: a name may answer differently each time."""

    def __init__(self, **names: Sequence[str] | Sequence[Sequence[str]]) -> None:
        self._names = {name.replace("_", "."): list(found) for name, found in names.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The next answer for this name."""
        literal = numeric_address(host)
        if literal is not None:
            return (literal,)
        self.asked.append(host)
        answers = self._names.get(host)
        if not answers:
            raise FetchFailed(FetchError.DNS, f"{host} has no address")
        if isinstance(answers[0], str):
            return tuple(str(address) for address in answers)
        return tuple(answers.pop(0) if len(answers) > 1 else answers[0])


class Slots:
    """Host budgets in memory: what was taken and given back, in order."""

    def __init__(self, busy: HostBusy | None = None) -> None:
        self.events: list[tuple[str, str]] = []
        self.held: list[Slot] = []
        self._busy = busy

    async def acquire(
        self,
        host: str,
        kind: RequestKind,
        *,
        address: str | None = None,
        gap: timedelta | None = None,
    ) -> Slot:
        """Take a slot, or find the host busy."""
        if self._busy is not None and self._busy.host == host:
            raise self._busy
        slot = Slot(host=host, address=None, owner=str(len(self.events)))
        self.events.append(("acquire", host))
        self.held.append(slot)
        return slot

    async def release(self, slot: Slot) -> None:
        """Give it back."""
        await asyncio.sleep(0)
        self.events.append(("release", slot.host))
        self.held.remove(slot)


def limits(total: float = PATIENCE, **changes: Any) -> FetchLimits:
    """The usual limits, with one total time for every kind and `changes`."""
    base = FetchLimits()
    span = timedelta(seconds=total)

    def of(body: BodyLimits) -> BodyLimits:
        return replace(body, total=span)

    timed = replace(
        base,
        feed=of(base.feed),
        article=of(base.article),
        page=of(base.page),
        robots=of(base.robots),
        hub=of(base.hub),
        push=of(base.push),
    )
    return replace(timed, **changes)


def asking(url: str, access: Access | None = None, **request: Any) -> FetchRequest:
    """A request for an address that a person configured; what `Access` holds may be given too."""
    given = {
        name: request.pop(name)
        for name in ("headers", "auth", "user_agent", "allow_private")
        if name in request
    }
    return FetchRequest(url, access or Access(configured=url, **given), **request)


class Client:
    """Fetches from a test that is no coroutine; one event loop and one `Fetcher`."""

    def __init__(self, **options: Any) -> None:
        self._runner = asyncio.Runner(loop_factory=options.pop("loop", None))
        options.setdefault("slots", None)
        options.setdefault("allow_networks", [OWN])
        options.setdefault("user_agent", USER_AGENT)
        bounds = options.pop("limits", None) or limits()
        self.fetcher = self._runner.run(self._make(bounds, options))

    @staticmethod
    async def _make(bounds: FetchLimits, options: dict[str, Any]) -> Fetcher:
        return Fetcher(bounds, **options)

    def get(self, url: str, access: Access | None = None, **request: Any) -> FetchResult:
        """One fetch; of a configured address unless `access` says otherwise."""
        return self.run(self.fetcher.fetch(asking(url, access, **request)))

    def all(self, *requests: FetchRequest) -> list[FetchResult]:
        """Several fetches at once."""

        async def together() -> list[FetchResult]:
            return list(await asyncio.gather(*map(self.fetcher.fetch, requests)))

        return self.run(together())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Any coroutine on the client's loop."""
        return self._runner.run(work)

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop run until something holds; fails when it never does."""

        async def wait() -> None:
            async with asyncio.timeout(PATIENCE):
                while not condition():  # noqa: ASYNC110 - another thread's state
                    await asyncio.sleep(0.01)

        self.run(wait())

    def close(self) -> None:
        """Close the fetcher and its loop."""
        self._runner.run(self.fetcher.aclose())
        self._runner.close()


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A scripted origin whose address the client may dial."""
    with Origin("127.0.0.1") as server:
        yield server


@pytest.fixture
def canary() -> Iterator[Origin]:
    """A server inside, at an address that no test allows: it must never be reached."""
    with Origin("127.0.0.2") as server:
        server.answer("/", body=b"secret")
        yield server
        assert server.connections == 0, "the canary was reached"


@pytest.fixture
def clients() -> Iterator[Callable[..., Client]]:
    """Makes clients with options of their own."""
    made: list[Client] = []

    def make(**options: Any) -> Client:
        made.append(Client(**options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(clients: Callable[..., Client]) -> Client:
    """A client with the usual limits."""
    return clients()


@contextmanager
def reached(origin: Origin) -> Iterator[list[int]]:
    """Counts the requests an origin saw inside the block."""
    before = len(origin.log)
    counted = [0]
    yield counted
    counted[0] = len(origin.log) - before


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Origin]:
    """An origin that speaks TLS as feeds.example."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("feeds.example").configure_cert(context)
    with Origin("127.0.0.1", tls=context) as server:
        yield server


@pytest.fixture
def tls_client(
    clients: Callable[..., Client], authority: trustme.CA, tmp_path: Path
) -> Callable[..., Client]:
    """Makes clients that trust our authority and find feeds.example here."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))

    def make(**options: Any) -> Client:
        options.setdefault("resolver", Names(feeds_example=["127.0.0.1"]))
        return clients(ca_bundle=str(bundle), **options)

    return make
