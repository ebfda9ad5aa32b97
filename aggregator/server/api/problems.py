"""Errors for programs: problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """An answer that says what is wrong.

    Args:
        status: the HTTP status.
        detail: what is wrong with this request, in a sentence.
        headers: further headers, as a challenge or `Retry-After`.
        members: extension members, as the place of a mistake.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
    }
    if detail:
        body["detail"] = detail
    return JSONResponse(
        body | members,
        status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type=MEDIA_TYPE,
    )
