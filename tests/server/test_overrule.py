"""Split and merge by a button: for the admin token, from our own page alone."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import pytest

from aggregator.model.pages import DecisionLine, ItemPage
from aggregator.model.states import DecisionKind
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend, settings_of

ADMIN = "the-admin-token"


def signed_in(client: httpx.Client, token: str) -> None:
    answer = client.post("/login", data={"token": token, "next": "/"})
    assert answer.status_code == 303


def proof_on(client: httpx.Client, number: int = 1) -> str:
    found = re.search(r'name="proof" value="(\w+)"', client.get(f"/items/{number}").text)
    assert found
    return found[1]


def test_the_buttons_are_for_the_administrator_alone(serve: Serve) -> None:
    with serve(settings=settings_of(admin=ADMIN)) as client:
        assert 'method="post" action="/items/1/' not in client.get("/items/1").text
        signed_in(client, ADMIN)
        assert 'action="/items/1/split"' in client.get("/items/1").text


def test_a_button_overrules_and_leads_back(serve: Serve) -> None:
    backend = SampleBackend()
    with serve(backend, settings_of(admin=ADMIN)) as client:
        signed_in(client, ADMIN)
        proof = proof_on(client)
        answer = client.post("/items/1/split", data={"proof": proof})
        assert (answer.status_code, answer.headers["location"]) == (303, "/items/1#why")
        client.post("/items/1/merge", data={"proof": proof, "with": "2"})
    assert backend.overruled == [("split", 1), ("merge", 1, 2)]


@pytest.mark.parametrize("fields", [{}, {"proof": ""}, {"proof": "0" * 64}, {"proof": "ü"}])
def test_a_form_of_another_site_changes_nothing(serve: Serve, fields: dict[str, str]) -> None:
    backend = SampleBackend()
    with serve(backend, settings_of(admin=ADMIN)) as client:
        signed_in(client, ADMIN)
        assert client.post("/items/1/split", data=fields).status_code == 403
        other = proof_on(client, 1)
        assert client.post("/items/2/split", data={"proof": other}).status_code == 403
    assert backend.overruled == []


@pytest.mark.parametrize("admin", [None, ADMIN])
def test_nobody_overrules_without_the_admin_token(serve: Serve, admin: str | None) -> None:
    backend = SampleBackend()
    with serve(backend, settings_of(admin=admin)) as client:
        for token in ("x", "wrong"):
            headers = {"Authorization": f"Bearer {token}"}
            for number in (1, 12345):
                refused = client.post(f"/items/{number}/split", headers=headers)
                assert refused.status_code == 401
                assert refused.headers["www-authenticate"]
    assert backend.overruled == []


def test_a_wrong_bearer_token_beside_a_cookie_is_no_program(serve: Serve) -> None:
    backend = SampleBackend()
    with serve(backend, settings_of(admin=ADMIN)) as client:
        signed_in(client, ADMIN)
        for value in ("Bearer wrong", "Bearer", "Basic eDp4"):
            answer = client.post("/items/1/split", headers={"Authorization": value})
            assert answer.status_code == 403
    assert backend.overruled == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://news.example.evil.example"},
    ],
)
def test_forms_of_another_site_are_refused_by_what_the_browser_says(
    serve: Serve, headers: dict[str, str]
) -> None:
    backend = SampleBackend()
    with serve(backend, settings_of(admin=ADMIN)) as client:
        signed_in(client, ADMIN)
        proof = proof_on(client)
        for path, fields in (
            ("/items/1/split", {"proof": proof}),
            ("/login", {"token": ADMIN}),
            ("/logout", {}),
        ):
            answer = client.post(path, data=fields, headers=headers)
            assert answer.status_code == 403, path
            assert "set-cookie" not in answer.headers
    assert backend.overruled == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": "http://news.example"},  # the configured address
        {"Origin": "https://news.example"},  # of it, through a proxy that ends TLS
        {},
    ],
)
def test_our_own_forms_are_taken(serve: Serve, headers: dict[str, str]) -> None:
    with serve(settings=settings_of(admin=ADMIN)) as client:
        answer = client.post("/login", data={"token": ADMIN}, headers=headers)
        assert answer.status_code == 303
        here = {"Origin": str(client.base_url).rstrip("/")}
        assert client.post("/logout", headers=here).status_code == 303


def test_a_program_shows_the_token_and_needs_no_form(serve: Serve) -> None:
    backend = SampleBackend()
    headers = {"Authorization": f"Bearer {ADMIN}"}
    with serve(backend, settings_of(admin=ADMIN)) as client:
        assert client.post("/items/1/split", headers=headers).status_code == 303
        assert client.post("/items/77/split", headers=headers).status_code == 404
        wrong = client.post("/items/1/merge", headers=headers, data={"with": "x"})
        assert wrong.status_code == 400
    assert backend.overruled == [("split", 1)]


class Updated(SampleBackend):
    """Its first item has no copies; it was updated by an entry under another id."""

    async def item_page(self, number: int) -> ItemPage | None:
        page = await super().item_page(number)
        line = DecisionLine(DecisionKind.CORRECTION, "An update, not a second item: sent again.")
        return page and replace(page, has_copies=False, decisions=(line,))


def test_an_update_under_another_id_is_told_and_can_be_taken_back(serve: Serve) -> None:
    backend = Updated()
    with serve(backend, settings_of(admin=ADMIN)) as client:
        text = client.get("/items/1").text
        assert "An update, not a second item: sent again." in text
        assert "/items/1/split" not in text
        signed_in(client, ADMIN)
        assert "make it an item of its own" in client.get("/items/1").text
        client.post("/items/1/split", data={"proof": proof_on(client)})
    assert backend.overruled == [("split", 1)]
