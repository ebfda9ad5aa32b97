"""Pictures through us: by addresses that our pages signed, for who may see something here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
from lxml import html

from aggregator.model.errors import PictureLater
from aggregator.model.pages import Picture
from aggregator.model.settings import PictureMode, Settings
from aggregator.server.pages.pictures import Pictures
from tests.server.conftest import serving
from tests.server.samples import SampleBackend, served, settings_of
from tests.trees import elements, strings

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
FERRY = "https://harbour.example/ferry.jpg?w=800&h=600"


@dataclass
class Shelf:
    """Pictures by address."""

    key: bytes = b"k" * 32
    held: dict[str, Picture] = field(default_factory=lambda: {FERRY: Picture(PNG, "image/png")})
    asked: list[str] = field(default_factory=list)

    async def picture(self, url: str) -> Picture | None:
        self.asked.append(url)
        if "later" in url:
            raise PictureLater
        return self.held.get(url)


def proxied(**more: str) -> Settings:
    settings = settings_of(**more)
    return replace(settings, service=replace(settings.service, pictures=PictureMode.PROXY))


@contextmanager
def site(shelf: Shelf, settings: Settings, *bodies: str) -> Iterator[httpx.Client]:
    items = [served(1, image=FERRY), served(2, image="https://harbour.example/later.png")]
    items += [served(n, html=body) for n, body in enumerate(bodies, 3)]
    with serving(SampleBackend(items=tuple(items)), settings, pictures=shelf) as client:
        yield client


def test_a_page_names_our_own_address_and_gets_the_picture_there() -> None:
    shelf = Shelf()
    with site(shelf, proxied()) as client:
        for path in ("/views/all", "/items/1"):
            page = client.get(path)
            assert "img-src 'self';" in page.headers["content-security-policy"]
            assert "https://harbour.example/ferry" not in page.text
            source = strings(html.fromstring(page.text), "//img/@src")[0]
            sent = client.get(source)
            assert (sent.status_code, sent.content) == (200, PNG)
            assert sent.headers["content-type"] == "image/png"
            assert sent.headers["cache-control"].startswith("private, max-age=")
            assert sent.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert set(shelf.asked) == {FERRY}


def test_nothing_is_fetched_that_no_page_of_ours_named() -> None:
    shelf = Shelf()
    with site(shelf, proxied()) as client:
        (first, later) = strings(html.fromstring(client.get("/views/all").text), "//img/@src")
        _, _, signature, address = first.split("/")
        for path in (
            f"/pictures/{signature}/{later.split('/')[-1]}",
            f"/pictures/x{signature[1:]}/{address}",
            f"/pictures/{signature}/aHR0cDovLzEyNy4wLjAuMS8",
            "/pictures/ü/ü",
        ):
            assert client.get(path).status_code == 404
        assert shelf.asked == []
        told = client.get(later)
        assert (told.status_code, told.headers["retry-after"]) == (503, "10")
        shelf.held.clear()
        assert client.get(first).status_code == 404
    with site(Shelf(key=b"other" * 8), proxied()) as client:
        assert client.get(first).status_code == 404  # signed by another installation
    with site(shelf, settings_of()) as client:
        assert client.get(first).status_code == 404  # nobody switched it on


def test_pictures_need_a_token_where_pages_do() -> None:
    known = {"Authorization": "Bearer sesame-sesame-sesame"}
    with site(Shelf(), proxied(token="sesame-sesame-sesame", desk_token="desk")) as client:
        page = client.get("/views/all", headers=known).text
        address = strings(html.fromstring(page), "//img/@src")[0]
        assert client.get(address).status_code == 401
        assert client.get(address, headers=known).status_code == 200
        assert client.get(address, headers={"Authorization": "Bearer desk"}).status_code == 200


def test_a_text_shows_no_picture_of_a_publisher_itself() -> None:
    body = (
        f'<p>A > B</p><img src="{FERRY.replace("&", "&amp;")}" srcset="https://x.example/2 2x" '
        'alt="a &quot;boat&quot; > a raft" width="8"><picture><source srcset="https://x.example/3" '
        'media="(min-width: 9px)"><img src="data:image/png;base64,AAAA" alt=""></picture>'
        '<video src="https://x.example/f.mp4" poster="https://x.example/p.jpg"></video>'
    )
    shelf = Shelf()
    with site(shelf, proxied(), body) as client:
        page = client.get("/items/3").text
        tree = html.fromstring(page)
        first, second = elements(tree, "//*[@class='body']//img")
        assert first.get("alt") == 'a "boat" > a raft'
        assert client.get(first.get("src", "")).content == PNG
        assert second.get("src") is None
        assert not strings(tree, "//@srcset")
        assert strings(tree, "//video/@poster")[0].startswith("/pictures/")
        assert strings(tree, "//video/@src") == ["https://x.example/f.mp4"]


@pytest.mark.parametrize("mode", [PictureMode.OFF, PictureMode.DIRECT])
def test_without_the_setting_texts_stay_as_they_are(mode: PictureMode) -> None:
    settings = settings_of()
    settings = replace(settings, service=replace(settings.service, pictures=mode))
    pictures = Pictures(Shelf(), lambda: settings)
    text = '<p><img src="https://x.example/1" alt="a boat"></p>'
    assert pictures.in_text(text) == text
    assert pictures.on_page(FERRY) == FERRY
    assert pictures.in_list(FERRY) == (FERRY if mode is PictureMode.DIRECT else None)
