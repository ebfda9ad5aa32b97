"""Connections: only to addresses that the guard has passed, to the first of them that answers.

RFC 8305 ("Happy Eyeballs"): the two families of addresses alternate, and the next attempt starts
when the last has failed or after a quarter of a second, while the earlier ones go on.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Sequence
from ipaddress import ip_address
from itertools import chain, zip_longest

from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.guard import AddressPolicy
from aggregator.fetch.stream import Stream
from aggregator.model.http import FetchError

ATTEMPT_DELAY = 0.25  # seconds (RFC 8305 §5)
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH})
_MAX_ADDRESSES = 64  # in five seconds twenty are begun at most, unless they refuse at once


def interleaved(addresses: Sequence[str]) -> list[str]:
    """The addresses with the families taking turns, the first one's family first (RFC 8305 §4)."""
    if not addresses:
        return []
    six = ":" in addresses[0]
    first = [one for one in addresses if (":" in one) == six]
    second = [one for one in addresses if (":" in one) != six]
    return [one for one in chain.from_iterable(zip_longest(first, second)) if one is not None]


async def dial(
    host: str,
    addresses: Sequence[str],
    port: int,
    policy: AddressPolicy | None,
    *,
    ends: float,
    read_timeout: float,
) -> Stream:
    """Connect to the first address of `host` that answers before the monotonic time `ends`.

    `policy` judges every address here once more; None is for a proxy that the operator named and
    trusts. Raises `Blocked` and `FetchFailed(CONNECT)`; where there was no route to any of the
    addresses, IPv4 among them, the failure is told as our own network's. A machine without IPv6
    has no route to a host with nothing else either, and that is no outage.
    """
    tries = interleaved(addresses)[:_MAX_ADDRESSES]
    if policy is not None:
        for address in tries:
            policy.check(ip_address(address))
    try:
        async with asyncio.timeout(max(ends - time.monotonic(), 0.01)):
            if len(tries) == 1:
                return await _connect(tries[0], port, read_timeout)
            return await _race(tries, port, read_timeout)
    except TimeoutError as error:
        raise FetchFailed(FetchError.CONNECT, f"{host}: connect timed out") from error
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "connect failed"
        ours = error.errno in _NO_ROUTE and any(":" not in one for one in tries)
        raise FetchFailed(FetchError.CONNECT, f"{host}: {reason}", own_network=ours) from error


async def _race(addresses: Sequence[str], port: int, read_timeout: float) -> Stream:
    """The first stream that opens; else raises the last `OSError`, one with a route if any had."""
    waiting = list(reversed(addresses))
    under_way: set[asyncio.Task[Stream]] = set()
    failure: OSError = OSError("no address answers")
    try:
        while waiting or under_way:
            if waiting:
                under_way.add(asyncio.create_task(_connect(waiting.pop(), port, read_timeout)))
            done, under_way = await asyncio.wait(
                under_way,
                timeout=ATTEMPT_DELAY if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            won: Stream | None = None
            for task in done:
                error = task.exception()
                if isinstance(error, OSError):
                    if error.errno not in _NO_ROUTE or failure.errno in (None, *_NO_ROUTE):
                        failure = error
                elif error is not None:
                    raise error
                elif won is None:
                    won = task.result()
                else:
                    task.result().abort()
            if won is not None:
                return won
    finally:
        for task in under_way:
            task.add_done_callback(_discard)
            task.cancel()
    raise failure


def _discard(task: asyncio.Task[Stream]) -> None:
    """Close what a cancelled attempt has opened all the same."""
    if not task.cancelled() and task.exception() is None:
        task.result().abort()


async def _connect(address: str, port: int, read_timeout: float) -> Stream:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(raw, (address, port))
        _, stream = await loop.create_connection(
            lambda: Stream(address, raw, read_timeout), sock=raw
        )
    except BaseException:
        raw.close()
        raise
    return stream
