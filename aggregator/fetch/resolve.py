"""Names to addresses, off the event loop and checked by the guard before anybody dials them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.guard import AddressPolicy
from aggregator.model.http import FetchError

_THREADS = 8
_SILENT = frozenset({socket.EAI_AGAIN, socket.EAI_SYSTEM})  # nobody answered: no word on the name


class Resolver(Protocol):
    """Finds the addresses of a host."""

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """All addresses of the host as text, in the order to try them.

        Raises `FetchFailed(DNS)`; its `own_network` says that no resolver answered, which is no
        word about the host.
        """
        ...


class SystemResolver:
    """`getaddrinfo` in a few daemon threads of its own: a hanging DNS server must take neither
    the threads that the database needs nor the seconds in which the program is to end."""

    def __init__(self, limit: timedelta) -> None:
        self._limit = limit.total_seconds()
        self._free = asyncio.Semaphore(_THREADS)

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """See `Resolver.resolve`. Numeric hosts in every form of inet_aton cost no question."""
        literal = numeric_address(host)
        if literal is not None:
            return (literal,)
        try:
            async with asyncio.timeout(self._limit):
                found = await self._ask(host, port)
        except TimeoutError as error:
            raise FetchFailed(
                FetchError.DNS, f"no DNS answer for {host} in time", own_network=True
            ) from error
        except socket.gaierror as error:
            silent = error.errno in _SILENT
            said = f"no DNS answer for {host}" if silent else f"{host} has no address"
            raise FetchFailed(FetchError.DNS, said, own_network=silent) from error
        except (OSError, UnicodeError) as error:
            raise FetchFailed(FetchError.DNS, f"{host} has no address") from error
        if not found:
            raise FetchFailed(FetchError.DNS, f"{host} has no address")
        return found

    async def _ask(self, host: str, port: int) -> tuple[str, ...]:
        await self._free.acquire()  # given back when the thread ends, however long it hangs
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

        def ask() -> None:
            found: tuple[str, ...] | Exception
            try:
                found = _getaddrinfo(host, port)
            except (OSError, UnicodeError) as error:
                found = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(tell, found)

        def tell(found: tuple[str, ...] | Exception) -> None:
            self._free.release()
            if answer.done():
                return
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
        return await answer


@lru_cache(maxsize=4096)
def numeric_address(host: str) -> str | None:
    """The address that a numeric host stands for (`127.1`, `0x7f.1`, `2130706433`), or None."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return str(found[0][4][0])


async def locate(
    resolver: Resolver, host: str, port: int, policy: AddressPolicy
) -> tuple[str, ...]:
    """The addresses of a host, if every one of them may be dialled.

    One forbidden address among several refuses the host: a name that also points inside is not
    trusted to point outside. Raises `Blocked` or `FetchFailed(DNS)`.
    """
    addresses = await resolver.resolve(host, port)
    for address in addresses:
        policy.check(ip_address(address))
    return addresses


def _getaddrinfo(host: str, port: int) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
