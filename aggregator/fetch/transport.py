"""httpx's transport over our connections: requests and responses are httpx's, the wire is ours.

The client asks with `httpx.Request` and gets an `httpx.Response` whose body is still unread. What
httpx's own transport would do beneath it is done by `connections`: the guard at the dial, bounded
heads, HTTP/1.1 read by httptools. httpx's client object is not used: it would follow redirects,
keep cookies and decode bodies, each without the bounds that a poller needs.

https://www.python-httpx.org/advanced/transports/
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import lru_cache

import httpx

from aggregator.fetch.connections import Asked, Connections
from aggregator.fetch.exchange import Answer, Fields
from aggregator.fetch.guard import AddressPolicy
from aggregator.fetch.stream import Exchange
from aggregator.fetch.target import Target


def request_for(
    method: str,
    target: Target,
    fields: Fields,
    *,
    policy: AddressPolicy,
    exchange: Exchange,
    most: int,
    body: bytes = b"",
) -> httpx.Request:
    """A request as the transport takes it.

    Args:
        method: GET, HEAD or POST.
        target: Where it goes; its path is sent byte for byte, past httpx's own normalising.
        fields: All header fields, in order.
        policy: Which addresses may be dialled.
        exchange: Takes notes of what happens.
        most: Bytes of the answer's body on the wire, framing included.
        body: What is sent.
    """
    return httpx.Request(
        method,
        _origin(target.base),
        headers=list(fields),
        content=body or None,
        extensions={"target": target, "policy": policy, "exchange": exchange, "most": most},
    )


@lru_cache(maxsize=1024)
def _origin(base: str) -> httpx.URL:
    return httpx.URL(base)


class Transport(httpx.AsyncBaseTransport):
    """Sends requests made by `request_for`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, its body unread; `aclose` it, however much was wanted.

        Raises:
            FetchFailed: there is no answer, or none that can be read.
        """
        said = request.extensions
        answer = await self._connections.send(
            Asked(
                method=request.method.encode("ascii"),
                target=said["target"],
                fields=request.headers.raw,
                policy=said["policy"],
                exchange=said["exchange"],
                body=request.content,
            )
        )
        return httpx.Response(
            answer.status,
            headers=list(answer.fields),
            stream=_Body(answer, said["most"]),
            request=request,
        )

    async def aclose(self) -> None:
        """Close what is idle."""
        self._connections.close()


class _Body(httpx.AsyncByteStream):
    """The bytes of an answer as they come from the wire, not decoded."""

    def __init__(self, answer: Answer, most: int) -> None:
        self._answer = answer
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.chunks(self._most):
            yield chunk

    async def aclose(self) -> None:
        """Keep the connection if its exchange is complete, else close it."""
        self._answer.close()
