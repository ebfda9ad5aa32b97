"""Topics of our hub: the `self` addresses of configured views, guarded ones with their token."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from aggregator.identity.hashing import digest
from aggregator.model.settings import Settings, ViewSettings
from aggregator.pipeline.showing.views import is_guarded
from aggregator.publish.formats import FORMATS


@dataclass(frozen=True, slots=True)
class Topic:
    """A view in a format; `opener` is the digest of the token in a guarded one's address."""

    view: ViewSettings
    format: str
    opener: str = ""


def find_topic(settings: Settings, address: str) -> Topic | None:
    """The topic of an address; None for one that is not ours, or does not hold its token."""
    for view in settings.views:
        for fmt in FORMATS:
            plain = _plain(settings, view.id, fmt)
            if not address.startswith(plain):
                continue
            for opener, whole in _openings(settings, view, plain):
                if address == whole:
                    return Topic(view, fmt, opener)
    return None


def address_of(settings: Settings, view_id: str, fmt: str, opener: str) -> str | None:
    """The address of a topic as it was subscribed to.

    None where the view is gone, or the token that opened it opens it no more.
    """
    view = next((one for one in settings.views if one.id == view_id), None)
    if view is None:
        return None
    openings = dict(_openings(settings, view, _plain(settings, view_id, fmt)))
    return openings.get(opener)


def _plain(settings: Settings, view_id: str, fmt: str) -> str:
    return f"{settings.service.public_url}/feeds/{quote(view_id, safe='/')}.{fmt}"


def _openings(settings: Settings, view: ViewSettings, plain: str) -> list[tuple[str, str]]:
    """By opener, the addresses that open a view."""
    if not is_guarded(view, settings):
        return [("", plain)]
    service = settings.service
    tokens = [one.reveal() for one in (view.token, service.token, service.admin_token) if one]
    return [(digest("opener", one), f"{plain}?token={quote(one, safe='')}") for one in tokens]
