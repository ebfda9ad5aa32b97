"""Whether a form was sent from a page of ours (Fetch Metadata; RFC 6454 §7).

Browsers say so themselves: `Sec-Fetch-Site` on https and localhost, `Origin` everywhere. Programs
say neither and are let through: nobody can make them send a form in a person's name.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from aggregator.model.settings import Settings
from aggregator.urls.origin import split

_OURS = frozenset({"same-origin", "none"})  # `none`: typed, or a bookmark


def is_from_elsewhere(request: Request, settings: Settings) -> bool:
    """Whether a browser says that another site sent this request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site.strip().lower() not in _OURS
    stated = request.headers.get("origin")
    if stated is None:
        return False
    # The scheme is left out: a proxy that ends TLS need not be declared.
    ours = (settings.service.public_url, f"http://{request.headers.get('host', '')}")
    return _authority(stated) not in {_authority(one) for one in ours} - {None}


def refuse_other_sites(request: Request, settings: Settings) -> None:
    """Raises 403 for a form that another site's page sent."""
    if is_from_elsewhere(request, settings):
        raise HTTPException(403, "This form was sent from another site: open our page again.")


def _authority(url: str) -> tuple[str, int | None] | None:
    parts = split(url)
    return None if parts is None else (parts.host, parts.port)
