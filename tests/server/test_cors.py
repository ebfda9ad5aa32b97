"""Pages of other sites: what their scripts may read (CORS, Fetch §3.2)."""

from __future__ import annotations

from dataclasses import replace

import httpx

from aggregator.model.settings import Settings
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend, settings_of

READER = "https://reader.example"


def allowing(*origins: str) -> Settings:
    settings = settings_of()
    return replace(settings, service=replace(settings.service, cors=origins))


def get(client: httpx.Client, origin: str | None, path: str = "/feeds/all.json") -> httpx.Headers:
    return client.get(path, headers={"origin": origin} if origin else {}).headers


def test_without_the_setting_no_other_site_reads_anything(open_site: httpx.Client) -> None:
    assert "access-control-allow-origin" not in get(open_site, READER)


def test_an_origin_that_is_configured_reads_feeds_and_nothing_else(serve: Serve) -> None:
    with serve(SampleBackend().in_memory(), allowing(READER)) as client:
        told = get(client, READER)
        assert told["access-control-allow-origin"] == READER
        assert "ETag" in told["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in told
        for other in ("https://other.example", None):
            told = get(client, other)
            assert "access-control-allow-origin" not in told
            assert "Origin" in told["vary"]
        assert "access-control-allow-origin" not in get(client, READER, "/views/all")


def test_what_a_browser_asks_beforehand_is_answered_to_that_origin_alone(serve: Serve) -> None:
    with serve(SampleBackend(), allowing(READER)) as client:
        for origin, status in ((READER, 204), ("https://other.example", 405)):
            headers = {"origin": origin, "access-control-request-method": "GET"}
            answer = client.options("/feeds/all.json", headers=headers)
            assert answer.status_code == status
        assert (
            "Authorization"
            in client.options(
                "/feeds/all.json",
                headers={"origin": READER, "access-control-request-method": "GET"},
            ).headers["access-control-allow-headers"]
        )


def test_any_origin_may_be_allowed(serve: Serve) -> None:
    with serve(SampleBackend(), allowing("*")) as client:
        assert get(client, "https://other.example")["access-control-allow-origin"] == "*"
