"""Documents answered from memory: exactly the answer that the application gives, or its own."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import httpx
import pytest

from tests.server.conftest import serving
from tests.server.samples import SampleBackend, rendered_of, settings_of

ETAG = rendered_of("atom", SampleBackend().items, None)
TOKENS = {"token": "service-token-0123", "desk_token": "desk-token-0123456"}


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"reader:{password}".encode()).decode()


@dataclass(frozen=True)
class Asked:
    """A request, and whether memory alone answers it."""

    what: str
    path: str = "/feeds/all.atom"
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    from_memory: bool = True


def sent(what: str, *, from_memory: bool = True, path: str = "/feeds/all.atom", **h: str) -> Asked:
    headers = {name.replace("_", "-"): value for name, value in h.items()}
    return Asked(what, path, "GET", headers, from_memory)


OPEN = [
    sent("plainly"),
    Asked("by HEAD", method="HEAD"),
    sent("with gzip", accept_encoding="gzip, br"),
    sent("with gzip refused", accept_encoding="gzip;q=0"),
    sent("with its tag", if_none_match=ETAG.etag),
    sent("with a weak tag in a list", if_none_match=f'"x", W/{ETAG.etag}'),
    sent("with the tag of the other coding", if_none_match=ETAG.gzip_etag),
    sent("with gzip and its tag", accept_encoding="gzip", if_none_match=ETAG.gzip_etag),
    sent("since its change", if_modified_since="Sun, 01 Mar 2026 12:03:00 GMT"),
    sent("since before", if_modified_since="Sun, 01 Mar 2026 12:02:59 GMT"),
    sent("since no date", if_modified_since="yesterday"),
    sent("in RSS", path="/feeds/all.rss"),
    sent("in no format", path="/feeds/all.txt", from_memory=False),
    sent("for no view", path="/feeds/none.atom", from_memory=False),
    sent("for an older page", path="/feeds/all.atom?page=old", from_memory=False),
    sent("with a cookie", cookie="aggregator_access=x", from_memory=False),
    Asked("by POST", method="POST", from_memory=False),
]
GUARDED = [
    sent("without a token", from_memory=False),
    sent("with a password", authorization=basic(TOKENS["token"])),
    sent("with a bearer token", authorization=f"Bearer {TOKENS['token']}"),
    sent("with a wrong token", authorization="Bearer wrong-token", from_memory=False),
    sent("with another view's", authorization=f"Bearer {TOKENS['desk_token']}", from_memory=False),
    sent("of the desk", path="/feeds/desk.atom", authorization=basic(TOKENS["desk_token"])),
    sent("of the desk by all's", path="/feeds/desk.atom", authorization=basic(TOKENS["token"])),
    sent("with ?token=", path=f"/feeds/all.atom?token={TOKENS['token']}", from_memory=False),
]


def ask(client: httpx.Client, asked: Asked) -> tuple[int, list[tuple[str, str]], bytes]:
    client.headers.clear()
    answer = client.request(asked.method, asked.path, headers=asked.headers)
    headers = sorted((k, v) for k, v in answer.headers.multi_items() if k != "date")
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize(
    ("requests", "tokens", "base"),
    [
        (OPEN, {}, "http://news.example"),
        (GUARDED, TOKENS, "http://news.example"),
        (OPEN[:3], {}, "http://news.example/sub"),
    ],
    ids=["open", "guarded", "below a path"],
)
def test_what_memory_answers_is_what_the_application_answers(
    requests: list[Asked], tokens: dict[str, str], base: str
) -> None:
    settings = settings_of(base_url=base, **tokens)
    away, near = SampleBackend(), SampleBackend().in_memory()
    with serving(away, settings) as slow, serving(near, settings) as quick:
        for asked in requests:
            near.asked.clear()
            assert ask(quick, asked) == ask(slow, asked), asked.what
            if asked.from_memory:
                assert not near.asked, asked.what


def test_a_document_that_changed_is_prepared_anew() -> None:
    backend = SampleBackend().in_memory()
    with serving(backend) as client:
        before = client.get("/feeds/all.atom")
        backend.memory["all", "atom"] = rendered_of("atom", backend.items[:2], None)
        after = client.get("/feeds/all.atom")
        assert after.headers["etag"] != before.headers["etag"]
        assert after.content == backend.memory["all", "atom"].body
