"""Why there is no usable answer, in words for an operator."""

from __future__ import annotations

from aggregator.model.http import FetchError


class FetchFailed(Exception):
    """A request ended without a usable body. `detail` is one line and never holds a secret."""

    def __init__(self, error: FetchError, detail: str, *, own_network: bool = False) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail
        self.own_network = own_network  # no route, or no resolver that answers: more likely ours
        self.allowed_by: str | None = None


class Blocked(FetchFailed):
    """The address guard refused an address or a port; `allowed_by` is what would allow it."""

    def __init__(self, detail: str, allowed_by: str | None = None) -> None:
        super().__init__(FetchError.BLOCKED, detail)
        self.allowed_by = allowed_by


class Lost(FetchFailed):
    """The connection ended before the answer did."""

    def __init__(self, detail: str = "the connection was lost") -> None:
        super().__init__(FetchError.PROTOCOL, detail)


class UnaskedCoding(FetchFailed):
    """The body has a content coding that was not offered and that nothing here can bound."""

    def __init__(self) -> None:
        super().__init__(FetchError.ENCODING, "a content coding that was not offered")
