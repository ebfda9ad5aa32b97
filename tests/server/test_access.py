"""Tokens: who may read what, by which means, and what the cookie gives away."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from aggregator.server.access.guesses import GuessPolicy
from tests.patience import PATIENCE
from tests.server.conftest import Serve, serving
from tests.server.samples import PRIVATE_ITEM, settings_of

GUARDED = [
    "/",
    "/views/all",
    "/views/none",
    "/sources/harbour",
    "/sources/none",
    "/items/1",
    "/items/12345",
    "/feeds/all.atom",
    "/feeds/none.atom",
    "/opml",
    "/metrics",
]
OPEN = ["/health/live", "/health/ready", "/robots.txt", "/static/style.css", "/favicon.ico"]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def guarded_site() -> Iterator[httpx.Client]:
    with serving(settings=settings_of(token="sesame", desk_token="früh", admin="key")) as client:
        yield client


@pytest.fixture(scope="module")
def desk_site() -> Iterator[httpx.Client]:
    with serving(settings=settings_of(desk_token="desk")) as client:
        yield client


@pytest.mark.parametrize("path", GUARDED)
def test_the_service_token_guards_everything_known_or_not(
    guarded_site: httpx.Client, path: str
) -> None:
    answer = guarded_site.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"]
    assert "Ferry" not in answer.text


@pytest.mark.parametrize("path", OPEN)
def test_health_and_what_a_browser_needs_for_the_form_stay_open(
    guarded_site: httpx.Client, path: str
) -> None:
    assert guarded_site.get(path).status_code == 200


@pytest.mark.parametrize("token", ["sesame", "key"])
@pytest.mark.parametrize(
    "means", [lambda t: f"Bearer {t}", lambda t: f"bearer {t}", lambda t: basic("anyone", t)]
)
def test_a_token_opens_as_bearer_or_as_password_of_any_user(
    guarded_site: httpx.Client, means: Callable[[str], str], token: str
) -> None:
    for path in ("/feeds/all.atom", "/", "/metrics", "/items/1"):
        answer = guarded_site.get(path, headers={"authorization": means(token)})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer wrong", "Bearer", "Basic !!!", "Basic " + "A" * 9, "Digest x", basic("sesame", "")],
)
def test_anything_else_opens_nothing(guarded_site: httpx.Client, header: str) -> None:
    answer = guarded_site.get("/feeds/all.atom", headers={"authorization": header})
    assert answer.status_code == 401
    assert 'Basic realm="aggregator"' in answer.headers["www-authenticate"]


def test_a_feed_takes_the_token_in_its_address_and_is_cached_privately(
    guarded_site: httpx.Client,
) -> None:
    answer = guarded_site.get("/feeds/all.atom?token=sesame")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, max-age=60"
    assert b"sesame" not in answer.content


def test_the_token_of_a_view_opens_that_view_alone(guarded_site: httpx.Client) -> None:
    assert guarded_site.get("/feeds/desk.rss", params={"token": "früh"}).status_code == 200
    assert guarded_site.get("/feeds/all.rss", params={"token": "früh"}).status_code == 401
    assert guarded_site.get("/metrics", params={"token": "früh"}).status_code == 401


def test_a_view_with_a_token_is_guarded_on_an_open_site(desk_site: httpx.Client) -> None:
    assert desk_site.get("/feeds/desk.atom").status_code == 401
    assert desk_site.get("/views/desk").status_code == 401
    assert desk_site.get("/feeds/all.atom").headers["cache-control"].startswith("public")
    assert (
        desk_site.get("/feeds/desk.atom?token=desk").headers["cache-control"].startswith("private")
    )
    start = desk_site.get("/").text
    assert "Needs a token" in start
    assert "Transport and weather" not in start


def test_private_sources_and_items_need_a_token_even_on_an_open_site(
    desk_site: httpx.Client,
) -> None:
    assert "Members" not in desk_site.get("/").text
    assert "1 private source is not shown" in desk_site.get("/").text
    for path in ("/sources/letters", f"/items/{PRIVATE_ITEM}"):
        assert desk_site.get(path).status_code == 401
        opened = desk_site.get(path, headers={"authorization": "Bearer desk"})
        assert opened.status_code == 200
        assert "embers" in opened.text


def test_a_public_page_leaves_out_what_private_sources_say(
    desk_site: httpx.Client, guarded_site: httpx.Client
) -> None:
    public = desk_site.get("/items/1").text
    trusted = guarded_site.get("/items/1", headers={"authorization": "Bearer sesame"}).text
    for words in ("Members", "secret reason", "A private neighbour"):
        assert words not in public
        assert words in trusted


def sign_in(client: httpx.Client, token: str, following: str = "/views/all") -> httpx.Response:
    return client.post("/login", data={"token": token, "next": following})


def test_a_person_signs_in_by_form_and_is_led_back(serve: Serve) -> None:
    with serve(settings=settings_of(token="sesame")) as client:
        asked = client.get("/views/all?before=a+b")
        assert asked.status_code == 401
        assert "Basic" not in asked.headers["www-authenticate"]  # else browsers open a dialog
        assert 'name="next" value="/views/all?before=a+b"' in asked.text
        done = sign_in(client, "sesame", "/views/all?before=a+b")
        assert done.status_code == 303
        assert done.headers["location"] == "/views/all?before=a+b"
        assert client.get("/").status_code == 200
        assert client.get("/feeds/all.atom").status_code == 200
        client.post("/logout")
        assert client.get("/").status_code == 401


def test_the_cookie_is_strict_and_holds_no_token(serve: Serve) -> None:
    settings = settings_of(token="sesame", base_url="https://news.example/sub")
    with serve(settings=settings) as client:
        cookie = sign_in(client, "sesame").headers["set-cookie"]
        for attribute in ("HttpOnly", "SameSite=strict", "Secure", "Path=/sub"):
            assert attribute in cookie
        assert "sesame" not in cookie
        value = cookie.split("=", 1)[1].split(";")[0]
    with serve(settings=settings_of(token="changed")) as client:
        stale = client.get("/", headers={"cookie": f"aggregator_access={value}"})
        assert stale.status_code == 401


def test_a_second_token_joins_the_first_in_the_cookie(serve: Serve) -> None:
    with serve(settings=settings_of(token="sesame", desk_token="desk")) as client:
        sign_in(client, "desk")
        assert client.get("/").status_code == 401
        assert client.get("/views/desk").status_code == 200
        sign_in(client, "sesame")
        assert client.get("/").status_code == 200
        assert client.get("/views/desk").status_code == 200


def test_a_wrong_token_sets_no_cookie(serve: Serve) -> None:
    with serve(settings=settings_of(token="sesame")) as client:
        for token in ("", "wrong", "x" * 100_000):
            refused = sign_in(client, token)
            assert refused.status_code == 401
            assert "set-cookie" not in refused.headers
            assert "opens nothing here" in refused.text
        many = client.post("/login", content="&".join(f"a{n}=1" for n in range(50)))
        assert many.status_code == 401


@pytest.mark.parametrize(
    "following",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x", "", "/a\r\nb"],
)
def test_signing_in_leads_nowhere_else(serve: Serve, following: str) -> None:
    with serve(settings=settings_of(token="sesame")) as client:
        assert sign_in(client, "sesame", following).headers["location"] == "/"


def test_a_page_opened_with_a_token_keeps_it_out_of_the_address(serve: Serve) -> None:
    with serve(settings=settings_of(token="sesame")) as client:
        answer = client.get("/views/all?token=sesame&before=a+b")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/views/all?before=a+b"
        assert client.get("/views/all?before=a+b").status_code == 200


@pytest.mark.parametrize("path", ["/feeds/{}.atom", "/views/{}", "/sources/{}"])
def test_what_is_unknown_is_answered_like_what_is_closed(
    desk_site: httpx.Client, path: str
) -> None:
    closed = desk_site.get(path.format("letters" if "sources" in path else "desk"))
    unknown = desk_site.get(path.format("nothing"))
    assert (closed.status_code, unknown.status_code) == (401, 401)
    assert closed.headers["www-authenticate"] == unknown.headers["www-authenticate"]


def test_a_site_that_keeps_nothing_says_what_it_does_not_have(open_site: httpx.Client) -> None:
    assert open_site.get("/views/nothing").status_code == 404
    assert open_site.get("/feeds/nothing.atom").status_code == 404


LONG = GuessPolicy(wait=timedelta(hours=1), waiting=2, report=timedelta(seconds=10))


def test_wrong_tokens_wait_and_right_ones_do_not(serve: Serve) -> None:
    with serve(settings=settings_of(token="sesame"), guesses=LONG) as client:
        wrong = {"authorization": "Bearer wrong"}
        client.timeout = 1
        with pytest.raises(httpx.ReadTimeout):
            client.get("/feeds/all.atom", headers=wrong)
        with pytest.raises(httpx.ReadTimeout):
            sign_in(client, "wrong")
        client.timeout = PATIENCE
        # Two wait: whoever tries more is turned away at once, and nobody else.
        assert client.get("/feeds/all.atom", headers=wrong).status_code == 429
        right = {"authorization": "Bearer sesame"}
        assert client.get("/feeds/all.atom", headers=right).status_code == 200
        assert client.get("/feeds/all.atom").status_code == 401
        assert client.get("/health/live", headers=wrong).status_code == 200
        assert sign_in(client, "sesame").status_code == 303


def test_a_guess_by_cookie_or_beside_a_right_token_waits_too(serve: Serve) -> None:
    settings = settings_of(token="sesame", desk_token="desk")
    with serve(settings=settings, guesses=LONG) as client:
        for headers in (
            {"cookie": "aggregator_access=" + "0" * 64},
            {"authorization": "Bearer desk"},  # opens another thing than what is asked for
        ):
            with pytest.raises(httpx.ReadTimeout):
                client.get("/feeds/all.atom", headers=headers, timeout=1)


def test_a_cookie_that_proves_nothing_any_more_is_taken_back(serve: Serve) -> None:
    with serve(settings=settings_of(token="sesame")) as client:
        answer = client.get("/", headers={"cookie": "aggregator_access=" + "0" * 64})
        assert 'aggregator_access=""; ' in answer.headers["set-cookie"]
    with serve() as client:  # there is no token to guess
        answer = client.get("/", headers={"authorization": "Basic eDp4"})
        assert answer.status_code == 200
