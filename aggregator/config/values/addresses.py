"""Addresses: of feeds, of our own, of networks, of the database and of a proxy."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from aggregator.config.problems import did_you_mean
from aggregator.config.values.kinds import Kind, as_text, or_variable, shown, wrong
from aggregator.config.values.plain import (
    or_several,
    read_optional_text,
    read_text,
    split_at_commas,
    whole,
)
from aggregator.config.variables import Confidential
from aggregator.model.settings import Network, Secret
from aggregator.urls.origin import split, web_address

_NOT_IN_URL = re.compile(r"[\s\x00-\x20\x7f]")


def read_url(value: Any) -> str:
    """An http or https address, byte for byte as written (a `Confidential` stays one)."""
    text = as_text(value, "the address of a feed")
    if _NOT_IN_URL.search(text):
        raise wrong(f"an address has no space in it: {shown(value)}")
    scheme, separator, rest = text.partition("://")
    if scheme.casefold() == "feed" and separator:
        raise wrong(
            "“feed://” is no way to fetch anything", f"write {_better('https', rest, value)}"
        )
    if text.casefold().startswith(("feed:http:", "feed:https:")):
        raise wrong("“feed:” is no way to fetch anything", "leave out “feed:”")
    if web_address(text) != text:
        better = None if isinstance(value, Confidential) else f"write {shown(web_address(text))}"
        raise wrong(f"“{text.partition(':')[0]}:” is no way to fetch anything", better)
    if not separator:
        looks_like_a_host = "." in text.split("/")[0] and not text.startswith("/")
        raise wrong(
            f"an address begins with “https://” or “http://”, not {shown(value)}",
            f"write {_better('https', text, value)}" if looks_like_a_host else None,
        )
    if scheme.casefold() not in ("http", "https"):
        hint = did_you_mean(scheme, ("https", "http"))
        raise wrong(f"an address begins with “https://” or “http://”, not {shown(value)}", hint)
    if split(text) is None:
        raise wrong(f"is no address: {shown(value)}")
    return text


def _better(scheme: str, rest: str, value: Any) -> str:
    return (
        "the address with “https://”"
        if isinstance(value, Confidential)
        else shown(f"{scheme}://{rest}")
    )


Url = Annotated[
    str,
    Kind(read_url, or_variable({"type": "string", "pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/]"})),
]


def read_base_url(value: Any) -> str | None:
    """Our own public address: no query, no fragment, no user, no slash at its end."""
    if not as_text(value, "an address").strip():
        return None
    parts = urlsplit(read_url(value))
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise wrong("expected our own address without user, “?” and “#”")
    return str(value).rstrip("/")


BaseUrl = Annotated[
    str | None,
    Kind(read_base_url, or_variable({"type": "string", "pattern": "^(https?://[^?#@]+)?$"})),
]


def read_origin(value: Any) -> str:
    """An origin as browsers send it (RFC 6454 §6.2): scheme, host and maybe a port; or `*`."""
    text = read_text(value).lower()
    if text == "*":
        return text
    parts = split(text)
    if parts is None or text != f"{parts.scheme}://{text.partition('://')[2].partition('/')[0]}":
        raise wrong(f"expected an origin, not {shown(value)}", "write it as https://reader.example")
    return text


Origins = Annotated[
    tuple[Annotated[str, Kind(read_origin, {"type": "string"})], ...],
    BeforeValidator(split_at_commas),
    or_several({"type": "string"}),
]


def read_listen(value: Any) -> tuple[str, int]:
    """`127.0.0.1:8080`, `[::1]:8080`, `:8080` (every interface) or `8080` (this machine only)."""
    expected = "an address and a port such as “127.0.0.1:8080”"
    text = as_text(value, expected).strip()
    host, colon, port = text.rpartition(":")
    if not colon:
        host = "127.0.0.1"
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise wrong(
            f"expected {expected}, not {shown(value)}",
            "an IPv6 address stands in brackets: “[::1]:8080”",
        )
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise wrong(f"expected {expected}, not {shown(value)}")
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"  # noqa: S104
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", host):
        raise wrong(f"expected {expected}, not {shown(value)}")
    return host, int(port)


Listen = Annotated[
    tuple[str, int],
    Kind(
        read_listen,
        or_variable(
            {
                "anyOf": [
                    {"type": "string", "pattern": r"^(\S*:)?[0-9]{1,5}$"},
                    {"type": "integer", "minimum": 0, "maximum": 65535},
                ]
            }
        ),
    ),
]


def read_contact(value: Any) -> str | None:
    """Who to write to: an address of a web page or of a mailbox."""
    text = read_optional_text(value, most=200)
    if text is None:
        return None
    if re.fullmatch(r"https?://[^\s()<>]+|(mailto:)?[^\s@()<>,;]+@[^\s@()<>,;]+", text):
        return text
    raise wrong(
        f"expected a web address or a mail address that publishers can write to, not {shown(value)}"
    )


Contact = Annotated[str | None, Kind(read_contact, {"type": "string"})]


def read_network(value: Any) -> Network:
    """A network in CIDR form, or one address."""
    text = as_text(value, "a network such as “10.0.0.0/8”").strip()
    try:
        return ip_network(text)
    except ValueError:
        try:
            whole_net = ip_network(text, strict=False)
        except ValueError:
            raise wrong(f"expected a network such as “10.0.0.0/8”, not {shown(value)}") from None
        raise wrong(
            f"{shown(value)} has bits set behind the prefix", f"write “{whole_net}”"
        ) from None


Networks = Annotated[
    tuple[Annotated[Any, Kind(read_network, {"type": "string"})], ...],
    BeforeValidator(split_at_commas),
    or_several({"type": "string"}),
]
_PORT = whole(1, 65535)
Ports = Annotated[
    tuple[Annotated[int, _PORT], ...], BeforeValidator(split_at_commas), or_several(_PORT.schema)
]


def read_database_url(value: Any) -> Secret:
    """A database: SQLite in a file, or PostgreSQL."""
    text = as_text(value, "the address of a database").strip()
    scheme = text.partition(":")[0].casefold()
    if scheme == "postgres":
        raise wrong("the scheme is spelled “postgresql://”", "write “postgresql://…”")
    if not re.match(r"(sqlite|postgresql)(\+[a-z0-9]+)?://", text):
        raise wrong(
            "expected the address of a database: “sqlite:///path/to/file.db” or "
            "“postgresql://user@host/name”"
        )
    return Secret(text)


DatabaseUrl = Annotated[
    Secret,
    Kind(
        read_database_url,
        or_variable({"type": "string", "pattern": r"^(sqlite|postgresql)(\+[a-z0-9]+)?://"}),
    ),
]


def read_proxy(value: Any) -> Secret | None:
    """A proxy's address; user and password may stand in it."""
    text = as_text(value, "the address of a proxy").strip()
    if not text:
        return None
    if not re.match(r"https?://[^\s/]", text):
        raise wrong("expected the address of a proxy such as “http://proxy.example:3128”")
    return Secret(text)


Proxy = Annotated[Secret | None, Kind(read_proxy, {"type": "string"})]
