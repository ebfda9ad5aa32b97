"""How a source is asked, and what is secret about that: the one place that knows.

A source's address, headers, user and password are its access. From it follow the request, what may
be kept or named to others, which items are private, and what a change of it invalidates. What a
server says back is cleaned of it by `pipeline.secrets`.
"""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import Connection

from aggregator.feeds.version import READER
from aggregator.identity.hashing import digest
from aggregator.model.http import Access, FetchRequest, Validators
from aggregator.model.item import FeedState
from aggregator.model.poll import Asking
from aggregator.model.settings import Secret, SourceSettings
from aggregator.store.sources import states
from aggregator.urls.origin import same_origin, split


def access_of(source: SourceSettings) -> Access:
    """What a source's requests may carry and reach, bound to its configured address."""
    return Access(
        configured=source.url,
        headers={name: value.reveal() for name, value in source.headers.items()},
        auth=(source.auth[0].reveal(), source.auth[1].reveal()) if source.auth else None,
        user_agent=source.user_agent,
        allow_private=source.allow_private,
    )


def request(source: SourceSettings) -> FetchRequest:
    """An unconditional request for a source's configured address, with its credentials."""
    return FetchRequest(source.url, access_of(source))


def secrets_of(source: SourceSettings) -> tuple[Secret, ...]:
    """The values that a source is asked with and that nobody is shown."""
    return (*source.headers.values(), *(source.auth or ()))


def scope(source: SourceSettings) -> str:
    """Whose eyes its items are for: empty for everybody's, else the private source's id."""
    return source.id if source.private else ""


def is_open(source: SourceSettings) -> bool:
    """Whether others, such as a hub, may be told that this source is read."""
    return not (source.private or source.url_is_secret or secrets_of(source))


def may_move_to(source: SourceSettings, target: str) -> bool:
    """Whether a permanent redirect may become the address that is polled.

    Credentials belong to the configured origin: a source that has some moves only within it, not
    even to https, where they would not be sent. A secret address is kept: the new one would have
    to be stored in the clear.
    """
    if source.url_is_secret:
        return False
    return not secrets_of(source) or same_origin(source.url, target)


def is_https_upgrade(old: str, new: str) -> bool:
    """Whether two addresses differ in nothing but that the new one is https."""
    a, b = split(old), split(new)
    if a is None or b is None or (a.scheme, b.scheme) != ("http", "https"):
        return False
    return a.host == b.host and old.split("://", 1)[1] == new.split("://", 1)[1]


def storable(validators: Validators, source: SourceSettings) -> Validators:
    """Validators as they are stored: never with a secret address, whose own need not name it."""
    if not source.url_is_secret:
        return validators
    own = validators.url in (None, source.url.partition("#")[0])
    return Validators(validators.etag, validators.last_modified) if own else Validators()


def access_hash(source: SourceSettings) -> str:
    """Changes with the address, headers, user or password: what was learned with them is void."""
    access = {
        "url": source.url,
        "headers": {name: value.reveal() for name, value in sorted(source.headers.items())},
        "auth": [part.reveal() for part in source.auth] if source.auth else None,
    }
    return digest(json.dumps(access, sort_keys=True, default=str))


def is_in_force(connection: Connection, source: SourceSettings) -> bool:
    """Whether the database knows a source as it is configured here; it stays so to the commit.

    A poll under way when its source's address, access or privacy changes must store nothing.
    """
    known = states.address_in_force(connection, source.id)
    return known == (access_hash(source), source.private)


def poll_request(source: SourceSettings, state: FeedState) -> FetchRequest:
    """What is asked for when a source is polled: conditional where its state has validators."""
    validators = _validators_to_send(source, state)
    return replace(
        request(source),
        url=state.effective_url or source.url,
        validators=validators,
        delta=bool(validators),
    )


def home_request(source: SourceSettings, state: FeedState) -> FetchRequest:
    """The same at the configured address of a source that is polled elsewhere."""
    return poll_request(source, replace(state, effective_url=None))


def _validators_to_send(source: SourceSettings, state: FeedState) -> Validators:
    """What is held of the last document, as far as this server can be trusted with it."""
    if not source.validators:
        return Validators()
    if state.noticed.reader != READER:
        # A new release reads every document once more, also one that has not changed since.
        return Validators()
    match state.noticed.asking:
        case Asking.LOOK | Asking.WHOLE:
            return Validators()
        case Asking.BY_ETAG:
            return replace(state.validators, last_modified=None)
    return state.validators
