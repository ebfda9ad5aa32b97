"""Reading one robots.txt for one product token (RFC 9309 §2.2). Pure and picklable.

protego decides; before it sees anything, the lines of our own group are picked out here in one
pass. A hostile file of half a megabyte then costs one pass, and a group named `a` cannot pass
for `aggregator`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from protego import Protego

MAX_BYTES = 512 * 1024  # RFC 9309 §2.5 asks for at least 500 KiB
MAX_RULES = 2000  # for our group; where there are more, or longer ones, we stay away:
MAX_RULE_CHARACTERS = 128 * 1024  # a question to 2,000 long wildcard rules takes 37 ms, to these 10

SHORTEST_GAP = timedelta(seconds=2)
LONGEST_GAP = timedelta(seconds=60)

_AGENT_KEYS = frozenset({"user-agent", "useragent", "user agent"})
_SITE_KEYS = frozenset({"sitemap", "sitemaps", "site-map", "host"})
_TOKEN = re.compile(r"[A-Za-z0-9._-]+|\*")  # the RFC has no digits and dots, robots have
_ALL = "*"


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules that apply to us. `rules` is a robots.txt of one group; None: too many to read."""

    rules: str | None
    crawl_delay: timedelta | None = None  # as asked for, not clamped


def read_robots(body: bytes, token: str) -> Robots:
    """Pick our rules out of a robots.txt: of all groups naming `token`, else of all naming `*`."""
    text = body[:MAX_BYTES].decode("utf-8-sig", "replace")
    groups: dict[str, list[str]] = {token.lower(): [], _ALL: []}
    named: set[str] = set()
    current: set[str] = set()
    heading = False  # the line before was a user-agent line
    for raw in re.split(r"[\r\n]+", text):
        line = raw.partition("#")[0].strip()
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not colon or key in _SITE_KEYS:
            continue
        if key not in _AGENT_KEYS:
            heading = False
            for agent in current:
                groups[agent].append(line)
            continue
        if not heading:
            current = set()
            heading = True
        match = _TOKEN.match(value.strip())
        agent = match[0].lower() if match else ""
        if agent in groups:
            current.add(agent)
            named.add(agent)
    lines = groups[token.lower()] if token.lower() in named else groups[_ALL]
    rules = "\n".join(["User-agent: *", *lines])
    if len(lines) > MAX_RULES or len(rules) > MAX_RULE_CHARACTERS:
        return Robots(rules=None)
    return Robots(rules=rules, crawl_delay=_gap(Protego.parse(rules)))


def _gap(rules: Protego) -> timedelta | None:
    seconds = rules.crawl_delay(_ALL) or 0.0
    rate = rules.request_rate(_ALL)
    if rate is not None and rate.requests > 0:
        seconds = max(seconds, rate.seconds / rate.requests)
    if not 0 < seconds < float("inf"):
        return None
    return timedelta(seconds=min(seconds, 86400.0))
