"""`/api/v1`: every operation answers as documented, and shows no more than the pages do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from aggregator.queries.parse import LONGEST
from aggregator.server.api.openapi import SCHEMAS, document
from aggregator.server.api.operations import OPERATIONS, PREFIX, Operation, Scope
from tests.server.conftest import Serve
from tests.server.samples import PRIVATE_ITEM, SampleBackend, settings_of

TOKEN, ADMIN, DESK = "t" * 20, "a" * 20, "d" * 20
GOOD = {"view": "all", "source": "harbour", "number": "1"}
WRITES = [one for one in OPERATIONS if one.scope is Scope.ADMIN]


def path_of(operation: Operation, **values: str) -> str:
    path = PREFIX + operation.path.format(**GOOD | values)
    return path + "?q=ferry" if operation.name == "search" else path


def ask(
    client: httpx.Client, operation: Operation, token: str | None = ADMIN, **values: str
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"with": 2} if operation.takes else None
    return client.request(
        operation.method, path_of(operation, **values), headers=headers, json=body
    )


def checked(answer: httpx.Response, schema: str) -> Any:
    """The body, which fits the schema of that name."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": SCHEMAS}}
    jsonschema.Draft202012Validator(whole).validate(answer.json())
    return answer.json()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_each_operation_answers_as_its_document_says(serve: Serve, operation: Operation) -> None:
    with serve(settings=settings_of(token=TOKEN, admin=ADMIN)) as client:
        answer = ask(client, operation)
        assert answer.status_code == operation.status
        assert answer.headers["content-type"] == "application/json"
        checked(answer, operation.returns)
        for status in operation.errors:
            if status == 401:
                refused = ask(client, operation, None)
                assert refused.status_code == 401
                assert refused.headers["www-authenticate"].startswith("Bearer")
                assert refused.headers["content-type"] == "application/problem+json"
                checked(refused, "Problem")
            if status == 404 and operation.parameters and operation.name != "search":
                missing = ask(client, operation, view="none", source="none", number="999")
                assert missing.status_code == 404
                checked(missing, "Problem")


@pytest.mark.parametrize("operation", WRITES, ids=lambda one: one.name)
def test_changing_needs_the_admin_token_itself(serve: Serve, operation: Operation) -> None:
    backend = SampleBackend()
    with serve(backend, settings_of(token=TOKEN, admin=ADMIN)) as client:
        assert ask(client, operation, TOKEN).status_code == 401
        client.post("/login", data={"token": ADMIN, "next": "/"})
        assert client.cookies
        assert ask(client, operation, None).status_code == 401  # a cookie is not enough
        assert backend.overruled == []
        assert ask(client, operation).status_code == operation.status
    with serve(backend, settings_of()) as client:  # without an admin token nobody may
        assert ask(client, operation).status_code == 401
    assert len(backend.overruled) == 1


def test_lists_go_on_at_their_next_address(serve: Serve) -> None:
    with serve(settings=settings_of()) as client:
        seen: list[str] = []
        following: str | None = f"{PREFIX}/sources"
        while following:
            answer = client.get(following.removeprefix("http://news.example"))
            page = checked(answer, "Sources")
            seen += [one["id"] for one in page["sources"]]
            following = page["next"]
        assert len(seen) > 4
        assert seen == sorted(set(seen))
        older = checked(client.get(f"{PREFIX}/views/all/items"), "Items")["next"]
        assert older == "http://news.example/api/v1/views/all/items?before=a+b"
        page = checked(client.get(older.removeprefix("http://news.example")), "Items")
        assert page["next"] is None


def test_private_things_stay_private(serve: Serve) -> None:
    with serve(settings=settings_of(token=TOKEN, desk_token=DESK)) as client:
        private = f"{PREFIX}/items/{PRIVATE_ITEM}"
        assert client.get(private).status_code == 401
        for token in (DESK, TOKEN):
            headers = {"Authorization": f"Bearer {token}"}
            assert client.get(private, headers=headers).status_code == 200
        listed = client.get(f"{PREFIX}/views", headers={"Authorization": f"Bearer {DESK}"})
        assert listed.status_code == 401  # the token of a view opens that view alone
    with serve(settings=settings_of(desk_token=DESK)) as client:
        views = client.get(f"{PREFIX}/views").json()["views"]
        assert [one["id"] for one in views] == ["all"]
        assert client.get(f"{PREFIX}/views/desk/items").status_code == 401
        listed = client.get(f"{PREFIX}/sources?state=ok").json()["sources"]
        assert not any(one["private"] for one in listed)
        entries = client.get(f"{PREFIX}/items/1").json()["entries"]
        assert [one["source"] for one in entries] == ["harbour"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/items/0", 404),
        ("/items/-1", 404),
        ("/items/१", 404),
        ("/items/99999999999999999999999", 404),
        ("/items/1e3/story", 404),
        ("/sources?state=fine", 400),
        ("/search?q=tag:", 400),
        ("/search?q=", 400),
        ("/search", 400),
        ("/views/all/items?before=nowhere", 404),
        ("/nothing", 404),
        ("/views/..%2fall", 404),
    ],
)
def test_what_cannot_be_answered_is_a_problem(serve: Serve, address: str, status: int) -> None:
    with serve(settings=settings_of(token=TOKEN)) as client:
        answer = client.get(PREFIX + address, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == status
        checked(answer, "Problem")
        assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"with": "2"}', b'{"with": true}', b'{"with": 0}',
             b"{" * 2000, b'{"with": 2}' + b" " * 5000, b"\xff"],
)  # fmt: skip
def test_a_body_that_is_not_what_it_should_be_changes_nothing(serve: Serve, body: bytes) -> None:
    backend = SampleBackend()
    with serve(backend, settings_of(admin=ADMIN)) as client:
        answer = client.post(
            f"{PREFIX}/items/1/merge", content=body, headers={"Authorization": f"Bearer {ADMIN}"}
        )
        assert answer.status_code == 400
        checked(answer, "Problem")
    assert backend.overruled == []


def test_another_method_and_a_broken_store_are_problems(serve: Serve) -> None:
    with serve(settings=settings_of()) as client:
        answer = client.delete(f"{PREFIX}/items/1")
        assert answer.status_code == 405
        checked(answer, "Problem")
    with serve(SampleBackend(broken=True), settings_of()) as client:
        answer = client.get(f"{PREFIX}/views")
        assert answer.status_code == 500
        checked(answer, "Problem")
        assert "secret" not in answer.text


def test_the_document_is_open_and_names_every_route(serve: Serve) -> None:
    with serve(settings=settings_of(token=TOKEN)) as client:
        answer = client.get(f"{PREFIX}/openapi.json")
        assert answer.status_code == 200
        assert answer.json() == document("http://news.example")
    described = document("http://news.example")
    named = {(path, method) for path, methods in described["paths"].items() for method in methods}
    assert named == {(one.path, one.method.lower()) for one in OPERATIONS}


def test_the_document_tells_the_bounds_of_what_is_taken() -> None:
    paths = document("http://news.example")["paths"]
    query, _ = paths["/search"]["get"]["parameters"]
    assert (query["schema"]["minLength"], query["schema"]["maxLength"]) == (1, LONGEST)
    body = paths["/items/{number}/merge"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"]["with"]["maximum"] == 2**63 - 1


def test_poll_now_stands_on_the_page_of_a_source_for_the_admin(serve: Serve) -> None:
    backend = SampleBackend()
    with serve(backend, settings_of(admin=ADMIN)) as client:
        assert "/sources/harbour/poll" not in client.get("/sources/harbour").text
        client.post("/login", data={"token": ADMIN, "next": "/"})
        page = client.get("/sources/harbour").text
        assert 'action="/sources/harbour/poll"' in page
        proof = page.split('name="proof" value="')[1].split('"')[0]
        assert client.post("/sources/harbour/poll").status_code == 403
        assert client.post("/sources/wire/poll", data={"proof": proof}).status_code == 403
        answer = client.post("/sources/harbour/poll", data={"proof": proof})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sources/harbour")
    assert backend.overruled == [("poll", "harbour")]


def test_the_reference_lists_every_operation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text("utf-8")
    for one in OPERATIONS:
        assert f"| `{one.method} {PREFIX}{one.path}` | {one.said}" in text
        assert all(f"`{p.name}`" in text for p in one.parameters if p.place == "query")
