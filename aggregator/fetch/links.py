"""HTTP Link headers (RFC 8288), as WebSub discovery and paging need them."""

from __future__ import annotations

import re
from urllib.parse import urljoin

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s;,=<>\"]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_PARAMETER = re.compile(r";\s*([^\s;,=<>\"]+)(?:\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]*)))?")
_MAX_LINKS = 50


def parse_links(value: str, base: str) -> tuple[tuple[str, str], ...]:
    """(relation, absolute URL) pairs of a Link header, relations in lower case, in order.

    Links with an `anchor` speak about another resource and are left out (§3.2). At most 50.
    """
    found: list[tuple[str, str]] = []
    for reference, tail in _LINK.findall(value):
        parameters: dict[str, str] = {}
        for name, quoted, bare in _PARAMETER.findall(tail):
            parameters.setdefault(name.lower(), quoted or bare)
        if "anchor" in parameters:
            continue
        try:
            url = urljoin(base, reference.strip())
        except ValueError:
            continue
        for relation in parameters.get("rel", "").lower().split():
            if len(found) == _MAX_LINKS:
                return tuple(found)
            found.append((relation, url))
    return tuple(found)
