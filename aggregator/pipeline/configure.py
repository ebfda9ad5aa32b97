"""Apply a configuration to the database: what is polled, what stops, what the views select."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection

from aggregator import __version__
from aggregator.identity.hashing import digest
from aggregator.identity.naming import Mint
from aggregator.model.settings import (
    RuleAction,
    RuleSettings,
    Settings,
    SourceSettings,
    ViewSettings,
)
from aggregator.pipeline import access
from aggregator.rules.select import find_view, followed_sources, is_implied, view_sources
from aggregator.store import facts
from aggregator.store.sources import states as rows
from aggregator.store.transfer import check_usable
from aggregator.store.views import rendered
from aggregator.urls.origin import host_key

_RULES = "rules of view "
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

# A view that nobody is served: its version moves with anything in the store, private items too.
EVERYTHING = ViewSettings("_search", "Everything")


@dataclass(frozen=True, slots=True)
class Applied:
    """What a configuration changed."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def apply_settings(connection: Connection, settings: Settings, now: datetime) -> Applied:
    """Bring the database in line with a configuration, in one transaction.

    New sources are due at once, removed ones stop and keep their items, a changed URL or access
    clears the validators. Applying the same configuration again changes nothing, and costs little:
    what was applied last is a fact of the store.

    Raises `DatabaseUnusable` for a store that was moved away, or is not whole yet.
    """
    check_usable(connection)
    whole = _whole(settings)
    if facts.fact(connection, facts.APPLIED) == whole:
        return Applied()
    known = rows.config_hashes(connection)
    added: list[str] = []
    changed: list[str] = []
    for source in settings.sources:
        row = _row(source)
        old = known.get(source.id)
        if old is None:
            added.append(source.id)
        elif old[:2] == (row.config_hash, row.url_hash) and not old[2]:
            continue
        else:
            changed.append(source.id)
        rows.put_source(
            connection, row, now, url_changed=old is not None and old[1] != row.url_hash
        )
        if old is not None and source.private and not old[3]:
            rows.make_private(connection, source.id)
    configured = {source.id for source in settings.sources}
    removed = [name for name, old in known.items() if name not in configured and not old[2]]
    rows.remove_sources(connection, removed, now)
    for view in (*settings.views, EVERYTHING):
        put_view(connection, view, settings, now)
    for name in rendered.view_states(connection):
        implied = find_view(settings, name) if is_implied(name) else None
        if implied is not None:
            put_view(connection, implied, settings, now)
    facts.set_fact(connection, facts.APPLIED, whole)
    return Applied(tuple(added), tuple(changed), tuple(removed))


def put_view(connection: Connection, view: ViewSettings, settings: Settings, now: datetime) -> None:
    """Keep a view with what it selects; its version moves where that or its looks changed."""
    _put_rules(connection, view, now)
    rendered.put_view(
        connection,
        view.id,
        feed_id=installation(connection, settings, now).view(view.id),
        config_hash=view_hash(view, settings),
        sources=view_sources(view, settings.sources) + followed_sources(view, settings.sources),
        now=now,
    )


def rule_key(rule: RuleSettings) -> str:
    """What a rule is known by while its words stay the same."""
    return digest("rule", *map(str, dataclasses.astuple(rule)))


def rule_times(connection: Connection, view_id: str) -> dict[str, datetime]:
    """By key, since when each rule of a view that sets something is in force."""
    known = json.loads(facts.fact(connection, _RULES + view_id) or "{}")
    return {key: datetime.fromisoformat(at) for key, at in known.items()}


def _put_rules(connection: Connection, view: ViewSettings, now: datetime) -> None:
    """Remember since when rules are in force: nobody was served anything of a new view."""
    setting = [rule_key(rule) for rule in view.rules if rule.action is RuleAction.SET]
    known = rule_times(connection, view.id)
    if setting or known:
        first = _ALWAYS if rendered.view_state(connection, view.id) is None else now
        times = {key: known.get(key, first).isoformat() for key in setting}
        facts.set_fact(connection, _RULES + view.id, json.dumps(times, sort_keys=True))


def installation(connection: Connection, settings: Settings, now: datetime) -> Mint:
    """The tag authority and date of this installation: minted at the first start, then kept."""
    host = urlsplit(settings.service.public_url).hostname or ""
    # RFC 4151 wants a DNS name or mail address that was ours on that date.
    named = "." in host and not host.replace(".", "").isdigit() and ":" not in host
    minted = host if named else f"aggregator-{secrets.token_hex(6)}.invalid"
    authority = facts.set_fact_once(connection, "tag authority", minted)
    date = facts.set_fact_once(connection, "tag date", now.date().isoformat())
    return Mint(authority, date)


def _whole(settings: Settings) -> str:
    """Changes with all that a configuration puts into the database; secrets count by their hash."""
    said = [__version__, repr(settings.service), repr(settings.views)]
    for source in settings.sources:
        said += (access.access_hash(source), repr(source))
    return digest("\n".join(said))


def _row(source: SourceSettings) -> rows.SourceRow:
    shown = {
        "title": source.title,
        "tags": source.tags,
        "enabled": source.enabled,
        "private": source.private,
        "poll": [str(source.poll.interval), source.poll.cron],
    }
    return rows.SourceRow(
        id=source.id,
        url=source.shown_url,
        url_hash=access.access_hash(source),
        config_hash=_hash(shown),
        title=source.title,
        tags=source.tags,
        private=source.private,
        host=host_key(source.url),
        active=source.enabled,
    )


def view_hash(view: ViewSettings, settings: Settings) -> str:
    """Changes with everything that shows in the rendered bytes of a view."""
    return _hash(
        {
            "title": view.title,
            "description": view.description,
            "limit": view.limit,
            "mode": view.mode,
            "byline": view.byline,
            "bounds": [settings.service.max_document, settings.service.max_entries],
            "followed": [view.followed, str(view.followed_max_age)],
            "sources": sorted(view_sources(view, settings.sources)),
            "followed sources": sorted(followed_sources(view, settings.sources)),
            "page text": settings.service.page_text,
            "rules": [dataclasses.astuple(rule) for rule in view.rules],
            "query": [
                view.query,
                _names(settings) if view.query or view.rules or view == EVERYTHING else None,
            ],
            "everything": not (
                view.tags or view.sources or view.exclude_tags or view.exclude_sources
            ),
            "private": view.token is not None or settings.service.token is not None,
            "private sources": sorted(one.id for one in settings.sources if one.private),
            "standings": [
                (one.id, one.aggregator, one.preference, one.paywalled)
                for one in sorted(settings.sources, key=lambda one: one.id)
                if one.aggregator or one.preference or one.paywalled
            ],
            "base": settings.service.public_url,
            "name": settings.service.name,
            "hub": settings.service.hub,
            "version": __version__,  # an upgrade renders anew
        }
    )


def _names(settings: Settings) -> list[tuple[str, ...]]:
    """What the names in a query may stand for."""
    return sorted((one.id, *one.tags, "/", *one.follow.tags) for one in settings.sources)


def _hash(value: Mapping[str, object]) -> str:
    return digest(json.dumps(value, sort_keys=True, default=str))
