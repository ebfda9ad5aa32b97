"""The feed of our health over HTTP: guarded as the start page, private sources by a token."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from aggregator.model.pages import Rendered
from aggregator.model.settings import Secret
from tests.server.conftest import Serve
from tests.server.samples import settings_of


class Documents:
    """Says in its body what it was asked for."""

    async def document(self, fmt: str, *, private: bool) -> Rendered:
        body = f"{fmt} private={private}".encode()
        return Rendered(
            body, body, f'"{fmt}{private}"', '"gzip"', datetime(2026, 3, 1, tzinfo=UTC), "a/b"
        )


def test_an_open_site_shows_public_sources_and_answers_304_by_tag(serve: Serve) -> None:
    settings = settings_of()
    service = replace(settings.service, token=None, admin_token=Secret("of the admin"))
    with serve(settings=replace(settings, service=service), health=Documents()) as client:
        client.headers["accept-encoding"] = "identity"
        answer = client.get("/feeds/_health.atom")
        assert (answer.status_code, answer.text) == (200, "atom private=False")
        tag = answer.headers["etag"]
        assert client.get("/feeds/_health.atom", headers={"If-None-Match": tag}).status_code == 304
        opened = client.get("/feeds/_health.json?token=of%20the%20admin")
        assert opened.text == "json private=True"
        assert opened.headers["cache-control"].startswith("private")
        assert client.get("/feeds/_health.txt").status_code == 404


def test_a_guarded_site_asks_for_the_token_of_the_service(serve: Serve) -> None:
    settings = settings_of()
    service = replace(settings.service, token=Secret("of the service"))
    with serve(settings=replace(settings, service=service), health=Documents()) as client:
        assert client.get("/feeds/_health.rss").status_code == 401
        client.headers["accept-encoding"] = "identity"
        client.headers["authorization"] = "Bearer of the service"
        assert client.get("/feeds/_health.rss").status_code == 200
