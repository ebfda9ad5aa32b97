"""What only shows when everything is read: things twice, names that lead nowhere, and warnings.

A warning is about a configuration that works but probably not as meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Generic, TypeGuard, TypeVar

from aggregator.config.build import feed_key
from aggregator.config.document import MappingAt
from aggregator.config.problems import Place, Problem
from aggregator.config.validate import locate
from aggregator.config.values.kinds import shown
from aggregator.config.values.plain import split_at_commas
from aggregator.config.variables import Confidential
from aggregator.model.settings import (
    FetchingSettings,
    FullText,
    Network,
    Secret,
    ServiceSettings,
    Settings,
    SourceSettings,
    ViewSettings,
)
from aggregator.queries.parse import parse
from aggregator.queries.tree import Source, Tag, leaves
from aggregator.urls.origin import host, split
from aggregator.urls.redact import strip_userinfo

M = TypeVar("M", SourceSettings, ViewSettings)

_POLITE = timedelta(minutes=15)
_SHORT_TOKEN = 16
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")


@dataclass(frozen=True, slots=True)
class Placed(Generic[M]):
    """A source or view with the tree it was made from."""

    made: M
    tree: MappingAt
    path: str

    def at(self, *loc: int | str) -> tuple[Place, str]:
        """The place and path of a value in it."""
        return locate(self.tree, loc, self.tree.place, self.path)


def same_ids(trees: Iterable[tuple[MappingAt, str]]) -> Iterator[Problem]:
    """Every id that stands a second time; also among entries with other mistakes."""
    first: dict[str, Place] = {}
    for tree, path in trees:
        name = tree.get("id")
        if not isinstance(name, str):
            continue
        place, at = locate(tree, ("id",), tree.place, path)
        if name in first:
            said = f"the id “{name}” is taken already, at {first[name]}"
            yield Problem(place, at, said, "give each its own id")
        else:
            first[name] = place


def same_urls(trees: Iterable[tuple[MappingAt, str]]) -> Iterator[Problem]:
    """Every address that a second source has; also among sources with other mistakes.

    Other credentials may get another feed.
    """
    first: dict[tuple[object, ...], tuple[str, Place]] = {}
    for tree, path in trees:
        url = tree.get("url")
        if not isinstance(url, str) or split(url) is None:
            continue
        bare, userinfo = strip_userinfo(str(url))
        auth, headers = tree.get("auth"), tree.get("headers")
        pair = userinfo or (
            (auth.get("username"), auth.get("password")) if isinstance(auth, dict) else None
        )
        sent = frozenset(headers.items()) if _is_flat(headers) else repr(headers)
        key = (feed_key(bare), repr(pair), sent)
        place, at = locate(tree, ("url",), tree.place, path)
        if key not in first:
            name = tree.get("id")
            named = f"the source “{name}”" if isinstance(name, str) else "another source"
            first[key] = (named, place)
            continue
        named, earlier = first[key]
        said = f"{named} at {earlier} has the same address: one poll serves all views"
        yield Problem(place, at, said, "remove one of the two, and give the other both tags")


def _is_flat(headers: object) -> TypeGuard[dict[str, str]]:
    return isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values())


def unknown_sources(
    views: Iterable[tuple[MappingAt, str]], known: Sequence[str]
) -> Iterator[Problem]:
    """Every source that a view names and that does not exist; also in views with other mistakes."""
    ids = set(known)
    for tree, path in views:
        for field in ("sources", "exclude_sources"):
            names = split_at_commas(tree.get(field))
            for index, name in enumerate(names if isinstance(names, list) else ()):
                if isinstance(name, str) and name not in ids:
                    place, at = locate(tree, (field, index), tree.place, path)
                    hint = None if isinstance(name, Confidential) else near(name, known)
                    yield Problem(place, at, f"there is no source {shown(name)}", hint)


def near(word: str, known: Sequence[str]) -> str | None:
    """A name that `word` was probably meant to be, as a sentence; names keep their hyphens."""
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean “{found[0]}”?" if found else None


_RESERVED = frozenset({"search", "source", "tag"})


def reserved_names(views: Iterable[Placed[ViewSettings]]) -> Iterator[Problem]:
    """Views under a name that the service's own feeds begin with."""
    for one in views:
        if one.made.id in _RESERVED:
            place, at = one.at("id")
            said = f"“{one.made.id}” is reserved: feeds of single sources and tags stand below it"
            yield Problem(place, at, said, "give the view another id")


def unknown_tags(
    views: Iterable[Placed[ViewSettings]], sources: Iterable[SourceSettings]
) -> Iterator[Problem]:
    """Every tag of a view that no source has."""
    tags = {tag for one in sources for tag in (*one.tags, *one.follow.tags)}
    for one in views:
        for field, names in (("tags", one.made.tags), ("exclude_tags", one.made.exclude_tags)):
            for index, name in enumerate(names):
                if name not in tags:
                    place, at = one.at(field, index)
                    yield Problem(place, at, f"no source has the tag “{name}”", near(name, [*tags]))


def unknown_in_queries(
    views: Iterable[Placed[ViewSettings]], sources: Sequence[SourceSettings]
) -> Iterator[Problem]:
    """Every tag and source that a query names and that nothing has."""
    tags = {tag.casefold() for one in sources for tag in (*one.tags, *one.follow.tags)}
    ids = {one.id for one in sources}
    for one in views:
        place, at = one.at("query")
        for leaf in leaves(parse(one.made.query)) if one.made.query else ():
            if isinstance(leaf, Tag) and leaf.name not in tags:
                said = f"no source has the tag “{leaf.name}”"
                yield Problem(place, at, said, near(leaf.name, [*tags]))
            if isinstance(leaf, Source) and leaf.id not in ids:
                said = f"there is no source “{leaf.id}”"
                yield Problem(place, at, said, near(leaf.id, [*ids]))


def selected(view: ViewSettings, sources: Iterable[SourceSettings]) -> list[SourceSettings]:
    """The sources whose items a view may show, whether or not it has a token."""
    return [
        one
        for one in sources
        if (
            not (view.tags or view.sources)
            or one.id in view.sources
            or not set(view.tags).isdisjoint(one.tags)
        )
        and one.id not in view.exclude_sources
        and set(view.exclude_tags).isdisjoint(one.tags)
    ]


def unreachable_callback(service: ServiceSettings, place: Place) -> Iterator[Problem]:
    """WebSub without a public https address: no hub could deliver."""
    if service.websub and not (service.base_url or "").startswith("https://"):
        yield Problem(
            place,
            "service.websub",
            "hubs deliver to “base_url”, which must be a public https address",
            "set “service.base_url”, or leave “websub” out",
        )


def hidden_sources(
    views: Iterable[tuple[ViewSettings, Place, str]],
    sources: Sequence[SourceSettings],
    service: ServiceSettings,
) -> Iterator[Problem]:
    """Views without a token that select private sources: their items will not be there."""
    if service.token is not None:
        return
    for view, place, path in views:
        names = [one.id for one in selected(view, sources) if one.private]
        if names and view.token is None:
            listed = ", ".join(f"“{name}”" for name in names[:5]) + (" …" if names[5:] else "")
            yield Problem(
                place,
                path,
                f"the view “{view.id}” has no token, so items of the private "
                f"{'sources' if len(names) > 1 else 'source'} {listed} do not appear in it",
                "give the view a “token”, or the source “private: no”",
            )


def doubts(
    settings: Settings,
    sources: Sequence[Placed[SourceSettings]],
    place: Place,
    broken: Collection[str],
) -> Iterator[Problem]:
    """What works but is probably not meant so, about the service and single sources.

    `broken` are the groups that have mistakes: what they would say is not known.
    """
    if "service" not in broken:
        yield from _doubts_of_service(settings, place)
    if "polling" not in broken and settings.polling.min_interval > settings.polling.max_interval:
        yield Problem(place, "polling.min_interval", "is longer than “max_interval”")
    if "fetching" not in broken:
        for one in sources:
            yield from _doubts_of(one, settings)


def _doubts_of_service(settings: Settings, place: Place) -> Iterator[Problem]:
    service = settings.service
    if service.contact is None:
        said = "is not set: publishers who see our requests cannot reach you"
        if any(_reads_pages(one) for one in settings.sources):
            said += ", so no page is read and no related link followed"
        yield Problem(place, "service.contact", said, "set it to a web or mail address")
    if service.listen_host not in ("127.0.0.1", "::1", "localhost") and service.token is None:
        yield Problem(
            place, "service.token", "is not set: everyone who reaches the port can read everything"
        )
    for name, token in _tokens(settings).items():
        if len(token.reveal()) < _SHORT_TOKEN:
            said = f"has fewer than {_SHORT_TOKEN} characters and may be guessed"
            yield Problem(place, name, said, "make it longer: the next release will refuse it")


def unused_proxy(fetching: FetchingSettings, environ: Mapping[str, str]) -> Iterator[Problem]:
    """A proxy that the environment names: no request goes through it."""
    if fetching.proxy is not None:
        return
    for name in _PROXIES:
        if environ.get(name, "").strip():
            said = "is set, but a proxy of the environment is not used"
            hint = "set “fetching.proxy” (and “proxy_trusted: yes”) where requests need it"
            yield Problem(Place("environment"), name, said, hint)
            return


def new_short_tokens(old: Settings, new: Settings) -> list[str]:
    """Where tokens stand that are shorter than a new one may be; those in force are left."""
    known = set(_tokens(old).values())
    return [
        name
        for name, token in _tokens(new).items()
        if len(token.reveal()) < _SHORT_TOKEN and token not in known
    ]


def _tokens(settings: Settings) -> dict[str, Secret]:
    """What opens something, by its place in the configuration."""
    service = settings.service
    named = {"service.token": service.token, "service.admin_token": service.admin_token}
    named |= {f"views[{n}].token": view.token for n, view in enumerate(settings.views)}
    return {name: token for name, token in named.items() if token is not None}


def _reads_pages(source: SourceSettings) -> bool:
    """Whether a source asks for article pages, for related links or for text."""
    return source.follow.enabled or source.full_text is not FullText.NEVER


def _doubts_of(one: Placed[SourceSettings], settings: Settings) -> Iterator[Problem]:
    made, contact = one.made, settings.service.contact
    polite = _POLITE if made.validators else 2 * _POLITE
    often = made.poll.interval is not None and made.poll.interval < polite
    if often and not _is_within(made.url, settings.fetching.allow_networks):
        place, at = one.at("poll")
        minutes = polite // timedelta(minutes=1)
        without = "" if made.validators else ", without validators,"
        said = f"more often than every {minutes} minutes{without} is more than publishers like"
        yield Problem(place, at, said)
    if made.user_agent is not None and (contact is None or contact not in made.user_agent):
        place, at = one.at("user_agent")
        said = "hides our contact from the publisher, who cannot tell who asks"
        yield Problem(place, at, said, f"put “+{contact}” into it" if contact else None)
    if made.auth is not None and made.url.casefold().startswith("http:"):
        place, at = one.at("url")
        yield Problem(place, at, "the password goes over the network unencrypted", "use https")
    if made.private and "private" not in one.tree and not made.auth and made.url_is_secret:
        place, at = one.at("url")
        said = "the address seems to hold a secret, so the source is private"
        yield Problem(place, at, said, "say “private: yes” or “private: no”")


def _is_within(url: str, networks: Sequence[Network]) -> bool:
    """Whether the URL's host is an address in a network that the operator opened: their own."""
    try:
        address = ip_address((host(url) or "").strip("[]"))
    except ValueError:
        return False
    return any(address in network for network in networks)
