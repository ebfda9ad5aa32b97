"""Feeds that moved for good: seen often enough, kept as the effective URL, offered as a patch.

A permanent redirect (301, 308 on an unbroken run of hops, RFC 9110 §15.4) to a valid feed is
adopted after three sightings over three days; an upgrade to https at once. The configured address
is asked again once a week: where it no longer leads there, it is polled itself. The configuration
is never written: `aggregator moves` prints what to change.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.http import FetchResult, Validators
from aggregator.model.item import FeedState
from aggregator.model.noticed import Moved
from aggregator.model.poll import PlanReason
from aggregator.model.settings import Secret, SourceSettings
from aggregator.pipeline import access
from aggregator.store.sources import states
from aggregator.urls.origin import split

SIGHTINGS = 3
OVER = timedelta(days=3)
LOOK_HOME = timedelta(days=7)  # between two looks at the configured address after a move
GIVE_UP = 3  # failures in a row at an adopted address before the configured one is asked again
_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class Move:
    """A source whose feed is somewhere else than its configuration says."""

    source_id: str
    old: str
    new: str
    why: str
    secrets: tuple[Secret, ...] = ()  # of the source: no line that holds one is printed


def after_poll(
    state: FeedState,
    source: SourceSettings,
    result: FetchResult,
    now: datetime,
    *,
    fine: bool,
    settled: bool,
) -> FeedState:
    """The state with this poll's redirects taken into account; `fine`: it ended in a valid feed.

    Nothing is adopted while the clock is not `settled`: three days may be a minute.

    A source whose address is secret keeps it: the new one would have to be stored in the clear.
    """
    if not fine:
        return _given_up(state)
    target = result.permanent_target
    if state.effective_url is not None and result.url != state.effective_url:
        if result.final_url == state.effective_url:  # it was looked at, and still leads there
            return state
        state = _at_home(state)
    if target is None or target == result.url or source.url_is_secret:
        return replace(state, move_target=None, move_seen=())
    if not access.may_move_to(source, target):
        return replace(state, move_target=target, move_seen=())
    if settled and access.is_https_upgrade(result.url, target):
        return _adopted(state, source, target, now, "it is the same address over https")
    seen = (
        (*state.move_seen, now.isoformat()) if state.move_target == target else (now.isoformat(),)
    )
    since = datetime.fromisoformat(seen[0])
    if settled and len(seen) >= SIGHTINGS and now - since >= OVER:
        days = (now - since).days
        why = f"redirected for good {len(seen)} times in {days} days"
        return _adopted(state, source, target, now, why)
    return replace(state, move_target=target, move_seen=(seen[0], *seen[1:][-_REMEMBERED + 1 :]))


def is_look_due(state: FeedState, now: datetime) -> bool:
    """Whether a source that is polled elsewhere is asked at its configured address this time."""
    moved = state.noticed.moved
    if state.effective_url is None or moved is None:
        return False
    return now - (moved.home_at or moved.at) >= LOOK_HOME


def looked_home(state: FeedState, now: datetime) -> FeedState:
    """The state after the configured address was asked, whatever it said."""
    moved = state.noticed.moved
    if moved is None:
        return state
    return replace(state, noticed=replace(state.noticed, moved=replace(moved, home_at=now)))


def _at_home(state: FeedState) -> FeedState:
    """The configured address no longer leads to the adopted one: it is polled itself again."""
    kept = replace(state.noticed, moved=None, duplicate_of=None)
    return replace(state, effective_url=None, noticed=kept, move_target=None, move_seen=())


def advice(source: SourceSettings, result: FetchResult) -> str:
    """What only a person can do about a move; empty where there is nothing.

    Credentials are not sent to a new origin, so a source that has some stays where it is.
    """
    withheld, target = result.withheld_from, result.permanent_target
    if withheld is None:
        return ""
    if _is_secured(source.url, withheld):
        target = withheld
    elif target is None or access.may_move_to(source, target):
        return ""
    return f"moved to {'another address' if source.url_is_secret else target}: change “url”"


def _is_secured(old: str, new: str) -> bool:
    first, second = split(old), split(new)
    if first is None or second is None:
        return False
    return (first.scheme, second.scheme) == ("http", "https") and first.host == second.host


def _given_up(state: FeedState) -> FeedState:
    """An adopted address that keeps failing: ask the configured one again."""
    if state.effective_url is None or state.failures + 1 < GIVE_UP:
        return state
    kept = replace(state.noticed, moved=None, duplicate_of=None)
    return replace(state, effective_url=None, noticed=kept, validators=Validators())


def _adopted(
    state: FeedState, source: SourceSettings, target: str, now: datetime, why: str
) -> FeedState:
    home = target == source.url
    kept = replace(state.noticed, moved=None if home else Moved(now, why))
    return replace(
        state,
        effective_url=None if home else target,
        move_target=None,
        move_seen=(),
        noticed=kept,
    )


def flag_duplicate(connection: Connection, state: FeedState, now: datetime) -> FeedState:
    """Note when another source is polled at the address this one moved to.

    The one configured there, or the one that moved there first, is polled; this one only looked
    at once a week.
    """
    other = None
    moved, before = state.noticed.moved, state.noticed.duplicate_of
    fresh = moved is not None and not moved.looked
    if state.effective_url is not None and (fresh or before is not None):
        other = states.polled_at(connection, state.effective_url, state.source_id)
    elif before is None:
        return state
    looked = replace(moved, looked=True) if moved is not None else None
    kept = replace(state.noticed, moved=looked, duplicate_of=other)
    if other is None:
        return replace(state, noticed=kept)
    at = now + timedelta(days=7)
    detail = f"it moved to the address of {other}, which is polled for both: looked at once a week"
    if state.next_poll_at is not None:
        at = max(at, state.next_poll_at)
    return replace(
        state, noticed=kept, next_poll_at=at, next_reason=PlanReason.DUPLICATE, next_detail=detail
    )


def moves(configured: Sequence[SourceSettings], states: Iterable[FeedState]) -> list[Move]:
    """Every source whose effective address is another than the configured one."""
    by_id = {state.source_id: state for state in states}
    found = []
    for source in configured:
        state = by_id.get(source.id)
        if state is None or state.effective_url is None or source.url_is_secret:
            continue
        moved, other = state.noticed.moved, state.noticed.duplicate_of
        why = moved.why if moved else "redirected for good"
        if other:
            why += f"; {other} is polled there already: remove one of the two"
        secrets = access.secrets_of(source)
        found.append(Move(source.id, source.url, state.effective_url, why, secrets))
    return found


def patch(moved: Sequence[Move], files: Iterable[tuple[str, str]]) -> str:
    """A unified diff of the configuration files, given as `(name, text)`, that follows the moves.

    There are no lines of context, as those may hold secrets of other sources. Addresses that
    stand in no file as they are (environment, OPML) are left out.
    """
    diffs: list[str] = []
    for name, text in files:
        lines = text.splitlines(keepends=True)
        changed = [_with_moves(line, moved) for line in lines]
        diffs += difflib.unified_diff(lines, changed, f"a/{name}", f"b/{name}", n=0)
    return "".join(line if line.endswith("\n") else line + "\n" for line in diffs)


def _with_moves(line: str, moved: Sequence[Move]) -> str:
    for move in moved:
        start = line.find(move.old)
        after = line[start + len(move.old) :][:1]
        if any(secret.reveal() in line for secret in move.secrets):
            continue
        if start >= 0 and (not after or after in "\"' \t\r\n,}#"):
            return line.replace(move.old, move.new, 1)
    return line
