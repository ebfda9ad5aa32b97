"""Why there is no usable answer, in words for an operator."""

from __future__ import annotations

import httpx

from aggregator.model.http import FetchError


class FetchFailed(httpx.TransportError):
    """A request ended without a usable body. `detail` is one line and never holds a secret."""

    def __init__(self, error: FetchError, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail
        self.allowed_by: str | None = None


class Blocked(FetchFailed):
    """The address guard refused an address or a port; `allowed_by` is what would allow it."""

    def __init__(self, detail: str, allowed_by: str | None = None) -> None:
        super().__init__(FetchError.BLOCKED, detail)
        self.allowed_by = allowed_by


def classify(error: Exception) -> tuple[FetchError, str]:
    """An error of the wire in our words. A message of ours never quotes a request."""
    match error:
        case httpx.ConnectTimeout():
            return FetchError.CONNECT, "connect timed out"
        case httpx.TimeoutException():
            return FetchError.TIMEOUT, str(error) or "timed out"
        case httpx.ProxyError():
            return FetchError.CONNECT, "the proxy refused"
        case httpx.ConnectError():
            return FetchError.CONNECT, "connect failed"
        case httpx.LocalProtocolError():
            return FetchError.PROTOCOL, "the request cannot be written: check headers and URL"
        case httpx.RemoteProtocolError():
            return FetchError.PROTOCOL, _printable(str(error))
        case httpx.InvalidURL():
            return FetchError.BAD_URL, "the URL cannot be requested"
        case _:
            return FetchError.PROTOCOL, "the connection was lost"


def _printable(text: str) -> str:
    """A server's words on one short line."""
    return "".join(char if char.isprintable() else " " for char in text)[:200]
