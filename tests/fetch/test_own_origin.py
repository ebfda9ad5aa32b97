"""What belongs to a source's own origin never leaves it, whatever is asked for and however.

Own is the origin of the configured address: not of the request, which may be for an older page or
an adopted move, and not of where redirects lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from aggregator.model.http import CONTENT, Access, FetchError, RequestKind
from tests.fetch.conftest import USER_AGENT, Client, Names
from tests.origin import Origin, Seen

SECRETS = {"authorization", "x-api-key", "cookie"}
HTML = {"Content-Type": "text/html"}


@dataclass
class Web:
    """Our own origin and three that are foreign by one part each."""

    own: Origin
    other_port: Origin
    secure: Origin
    client: Client

    def home(self, path: str) -> str:
        """A URL at the configured origin."""
        return self.own.url(path, host="feeds.example")

    def elsewhere(self) -> dict[str, tuple[Origin, str]]:
        """Where requests must carry nothing: by host, port and scheme."""
        return {
            "host": (self.own, self.own.url("/away", host="other.example")),
            "port": (self.other_port, self.other_port.url("/away", host="feeds.example")),
            "scheme": (self.secure, self.secure.url("/away", host="feeds.example")),
        }

    def access(self) -> Access:
        """A source with everything a source can have."""
        return Access(
            configured=self.home("/feed"),
            headers={"X-Api-Key": "k", "Cookie": "session=1"},
            auth=("me", "pass"),
            user_agent="Mozilla/5.0",
        )


@pytest.fixture
def web(origin: Origin, secure: Origin, tls_client: Callable[..., Client]) -> Iterator[Web]:
    with Origin("127.0.0.1") as other:
        client = tls_client(
            allow_ports=[origin.port, other.port, secure.port],
            resolver=Names(feeds_example=["127.0.0.1"], other_example=["127.0.0.1"]),
        )
        for server in (origin, other, secure):
            server.answer("/away", 200, HTML, b"x")
        yield Web(origin, other, secure, client)


def assert_bare(seen: Seen) -> None:
    """A request carries nothing of the source's own, and our name."""
    assert set(seen.headers) & (SECRETS | {"referer"}) == set()
    assert seen.headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize("part", ["host", "port", "scheme"])
@pytest.mark.parametrize("kind", list(RequestKind))
@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_out_of_the_origin_carries_nothing(
    web: Web, kind: RequestKind, part: str, status: int
) -> None:
    server, away = web.elsewhere()[part]
    web.own.answer("/feed", status, {"Location": away})
    result = web.client.get(web.home("/feed"), web.access(), kind=kind)
    assert (result.status, result.withheld_from) == (200, away)
    assert set(web.own.requests("/feed")[0].headers) >= SECRETS
    assert_bare(server.requests("/away")[0])


@pytest.mark.parametrize("part", ["host", "port", "scheme"])
@pytest.mark.parametrize("kind", list(RequestKind))
def test_a_request_that_starts_elsewhere_carries_nothing_and_gets_it_back_home(
    web: Web, kind: RequestKind, part: str
) -> None:
    """An older page named by a document of another origin; an adopted move."""
    server, away = web.elsewhere()[part]
    server.answer("/away", 302, {"Location": web.home("/page")})
    web.own.answer("/page", 200, HTML, b"x")
    access = Access(
        configured=web.home("/feed"), headers=web.access().headers, auth=web.access().auth
    )
    result = web.client.get(away, access, kind=kind)
    assert_bare(server.requests("/away")[0])
    assert result.withheld_from == away
    if part != "scheme":  # from https back to http is no way that is gone
        assert set(web.own.requests("/page")[0].headers) >= SECRETS


@pytest.mark.parametrize("part", ["host", "port", "scheme"])
def test_a_form_and_a_head_carry_nothing_either(web: Web, part: str) -> None:
    server, away = web.elsewhere()[part]
    web.own.answer("/hub", 308, {"Location": away})
    server.answer("/away", 200, HTML, b"")
    access = web.access()
    web.client.get(web.home("/hub"), access, kind=RequestKind.HUB, form={"a": "b"})
    web.client.get(web.home("/hub"), access, kind=RequestKind.ARTICLE, head=True)
    assert [seen.method for seen in server.requests("/away")] == ["POST", "HEAD"]
    for seen in server.requests("/away"):
        assert_bare(seen)


def test_a_chain_that_comes_home_is_given_its_own_there_only(web: Web) -> None:
    _, away = web.elsewhere()["port"]
    web.own.answer("/feed", 302, {"Location": away})
    web.other_port.answer("/away", 302, {"Location": web.home("/new")})
    web.own.answer("/new", body=b"x")
    assert web.client.get(web.home("/feed"), web.access()).body == b"x"
    assert_bare(web.other_port.requests("/away")[0])
    assert set(web.own.requests("/new")[0].headers) >= SECRETS


def test_userinfo_belongs_to_the_configured_address_alone(web: Web) -> None:
    own, away = web.home("/feed"), web.home("/page").replace("//", "//eve:evil@")
    web.own.answer("/page", body=b"x")
    web.client.get(away, Access(configured=own))
    assert "authorization" not in web.own.requests("/page")[0].headers
    web.client.get(web.home("/page"), Access(configured=own.replace("//", "//me:p@")))
    assert "authorization" in web.own.requests("/page")[1].headers


@pytest.mark.parametrize("kind", list(RequestKind))
def test_a_link_from_content_carries_nothing(web: Web, kind: RequestKind) -> None:
    web.client.get(web.home("/away"), CONTENT, kind=kind)
    assert_bare(web.own.requests("/away")[0])


@pytest.mark.parametrize("kind", list(RequestKind))
def test_a_sources_own_name_is_for_its_feed_only(web: Web, kind: RequestKind) -> None:
    web.client.get(web.home("/away"), web.access(), kind=kind)
    name = "Mozilla/5.0" if kind is RequestKind.FEED else USER_AGENT
    assert web.own.requests("/away")[0].headers["user-agent"] == name


def test_a_source_without_secrets_withholds_nothing(web: Web) -> None:
    _, away = web.elsewhere()["host"]
    web.own.answer("/feed", 302, {"Location": away})
    result = web.client.get(web.home("/feed"), Access(configured=web.home("/feed")))
    assert (result.body, result.withheld_from) == (b"x", None)


# -- private addresses


@pytest.fixture
def inside(clients: Callable[..., Client]) -> Client:
    """127.0.0.1 is private here, 127.0.0.3 stands for the public web."""
    names = Names(
        nas_example=["127.0.0.1"], alias_example=["127.0.0.1"],
        inner_example=["127.0.0.2"], public_example=["127.0.0.3"],
    )  # fmt: skip
    return clients(
        allow_networks=[ip_network("127.0.0.3")],
        allow_ports=range(1024, 65536),
        resolver=names,
    )


def test_allow_private_holds_for_the_configured_host_alone(
    origin: Origin, canary: Origin, inside: Client
) -> None:
    own = origin.url("/feed", host="nas.example")
    origin.answer("/feed", body=b"x")
    access = Access(configured=own, allow_private=True)
    assert inside.get(own, access).body == b"x"
    for url in (canary.url("/"), canary.url("/", host="inner.example")):
        assert inside.get(url, access).error is FetchError.BLOCKED
    assert inside.get(own, Access(configured=own)).error is FetchError.BLOCKED
    assert inside.get(own, CONTENT).error is FetchError.BLOCKED


def test_a_private_host_leads_to_itself_by_another_name_and_to_no_other_private_one(
    origin: Origin, canary: Origin, inside: Client
) -> None:
    own = origin.url("/feed", host="nas.example")
    access = Access(configured=own, allow_private=True)
    origin.answer("/new", body=b"x")
    origin.answer("/feed", 302, {"Location": origin.url("/new", host="alias.example")})
    assert inside.get(own, access).body == b"x"
    for url in (canary.url("/"), canary.url("/", host="inner.example")):
        origin.answer("/feed", 302, {"Location": url})
        assert inside.get(own, access).error is FetchError.BLOCKED


def test_a_public_host_that_redirects_to_a_private_one_is_refused(
    origin: Origin, inside: Client
) -> None:
    with Origin("127.0.0.3") as public:
        own = public.url("/feed", host="public.example")
        private = origin.url("/new", host="nas.example")
        origin.answer("/new", body=b"x")
        public.answer("/feed", 302, {"Location": private})
        access = Access(configured=own, allow_private=True)
        assert inside.get(own, access).error is FetchError.BLOCKED
        origin.answer("/feed", 302, {"Location": own})
        access = Access(configured=origin.url("/feed", host="nas.example"), allow_private=True)
        assert inside.get(access.configured or "", access).error is FetchError.BLOCKED
        assert origin.requests("/new") == []


def test_behind_a_proxy_a_private_host_leads_to_itself_and_not_on(
    clients: Callable[..., Client],
) -> None:
    with Origin("127.0.0.3") as proxy:
        client = clients(proxy=proxy.url(""), proxy_trusted=True, allow_networks=[])
        own = "http://10.0.0.1/feed"
        proxy.answer(own, 302, {"Location": "/new"})
        proxy.answer("http://10.0.0.1/new", body=b"x")
        access = Access(configured=own, allow_private=True)
        assert client.get(own, access).body == b"x"
        proxy.answer(own, 302, {"Location": "http://10.0.0.2/"})
        assert client.get(own, access).error is FetchError.BLOCKED
