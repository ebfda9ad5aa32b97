"""Pictures fetched for readers: each once, raster only, within size and guard, behind the feeds."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from aggregator.model.errors import PictureLater
from aggregator.model.settings import FetchingSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing import pictures
from aggregator.pipeline.showing.pictures import PictureProxy, signing_key
from aggregator.store.sources import hosts
from tests.origin import Origin
from tests.pipeline.conftest import House

PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)


def test_a_picture_is_fetched_once_however_many_ask(house: House, origin: Origin) -> None:
    origin.answer("/a.png", body=PNG, headers={"Content-Type": "text/html"})

    async def work(parts: Parts) -> None:
        proxy = PictureProxy(parts, b"")
        url = origin.url("/a.png")
        first = await asyncio.gather(*(proxy.picture(url) for _ in range(5)))
        assert {one.media_type for one in first if one} == {"image/png"}
        assert await proxy.picture(url) is first[0]

    house.run(work)
    assert len(origin.requests("/a.png")) == 1


def test_what_is_no_picture_is_too_large_or_is_gone_is_not_asked_for_again_at_once(
    house: House, origin: Origin
) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"
    origin.answer("/a.svg", body=svg, headers={"Content-Type": "image/svg+xml"})
    origin.answer("/large.png", body=PNG[:8] + bytes(5 * 1024 * 1024))
    origin.answer("/gone.png", 404)
    paths = ("/a.svg", "/large.png", "/gone.png")

    async def work(parts: Parts) -> None:
        proxy = PictureProxy(parts, b"")
        for _ in range(2):
            for path in paths:
                assert await proxy.picture(origin.url(path)) is None
        assert [len(origin.requests(path)) for path in paths] == [1, 1, 1]
        house.clock.move(minutes=11)
        assert await proxy.picture(origin.url("/gone.png")) is None

    house.run(work)
    assert len(origin.requests("/gone.png")) == 2


def test_a_picture_at_an_address_that_the_guard_refuses_is_not_asked_for(
    house: House, origin: Origin
) -> None:
    origin.answer("/a.png", body=PNG)
    house.settings = replace(house.settings, fetching=FetchingSettings())

    async def work(parts: Parts) -> None:
        assert await PictureProxy(parts, b"").picture(origin.url("/a.png")) is None

    house.run(work)
    assert origin.log == []


def test_a_host_that_is_left_alone_is_left_alone_for_pictures_too(
    house: House, origin: Origin
) -> None:
    origin.answer("/a.png", body=PNG)

    async def work(parts: Parts) -> None:
        proxy = PictureProxy(parts, b"")
        later = house.clock.now() + 2 * pictures._PATIENCE
        await parts.database.run_write(hosts.block_host, "127.0.0.1", later, "throttled")
        with pytest.raises(PictureLater):
            await proxy.picture(origin.url("/a.png"))
        house.clock.move(minutes=5)
        assert await proxy.picture(origin.url("/a.png")) is not None  # that was no failure

    house.run(work)
    assert len(origin.requests("/a.png")) == 1


def test_only_so_many_bytes_are_kept_and_the_oldest_go_first(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_KEPT_BYTES", 3 * len(PNG))
    for n in range(4):
        origin.answer(f"/{n}.png", body=PNG)

    async def work(parts: Parts) -> None:
        proxy = PictureProxy(parts, b"")
        for n in (0, 1, 2, 0, 3, 0, 1):
            assert await proxy.picture(origin.url(f"/{n}.png")) is not None

    house.run(work)
    assert [len(origin.requests(f"/{n}.png")) for n in range(4)] == [1, 2, 1, 1]


def test_the_key_of_an_installation_stays(house: House) -> None:
    assert house.run(signing_key) == house.run(signing_key)
    assert len(house.run(signing_key)) == 32
