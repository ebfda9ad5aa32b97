"""The one exception of this room: why there is no usable answer, in words for an operator."""

from __future__ import annotations

import httpx

from aggregator.model.http import FetchError


class FetchFailed(httpx.TransportError):
    """A request ended without a usable body. `detail` is one line and never holds a secret."""

    def __init__(self, error: FetchError, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail


class Blocked(FetchFailed):
    """The address guard refused an address or a port."""

    def __init__(self, detail: str) -> None:
        super().__init__(FetchError.BLOCKED, detail)
