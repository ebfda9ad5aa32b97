"""TODO aggregator.pipeline.polling.noticed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aggregator.identity.entries import Identified
from aggregator.model.item import FeedState


def noted(
    extra: dict[str, Any],
    identified: Identified,
    now: datetime,
    *,
    before: str | None,
    policy: str,
) -> dict[str, Any]:
    """What a document's identification adds to a source's small facts.

    Flips of ids, floods, single renames, dates that were put right, and a weaker identity policy
    (`before` is the one in force until now; None at the first document).
    """
    new = [intent for intent in identified.intents if intent.kind == "new"]
    dates = [intent.entry.published for intent in new]
    renamed = [intent for intent in identified.intents if intent.kind == "renamed"]
    for name, count in (
        ("guid_flips", int(identified.guid_flip)),
        ("floods", int(identified.flood)),
        ("renames", 0 if identified.guid_flip else len(renamed)),
        ("future_dates", sum(1 for date in dates if date is not None and date > now)),
        ("no_dates", sum(1 for date in dates if date is None)),
    ):
        if count:
            so_far = extra.get(name, {"count": 0})["count"]
            extra = {**extra, name: {"count": so_far + count, "last": now.isoformat()}}
    if before is not None and before != policy:
        extra = {**extra, "weaker_policy": {"from": before, "at": now.isoformat()}}
    return extra


def notes(state: FeedState, *, subscription: str | None = None) -> tuple[str, ...]:
    """Decisions about a source that an operator may ask about, one sentence each."""
    extra, said = state.extra, []
    if state.identity_policy:
        said.append(_policy(state.identity_policy, extra.get("weaker_policy")))
    if flips := extra.get("guid_flips"):
        said.append(
            f"Its ids changed for known texts {_times(flips['count'])}, last "
            f"{_day(flips['last'])}: nothing was taken as new for that."
        )
    if floods := extra.get("floods"):
        said.append(
            f"It brought many old items at once {_times(floods['count'])}, last "
            f"{_day(floods['last'])}: they went to the archive, not on top."
        )
    if renames := extra.get("renames"):
        said.append(
            f"An entry came back under another id {_times(renames['count'])}, last "
            f"{_day(renames['last'])}: it stayed the item it was."
        )
    if future := extra.get("future_dates"):
        said.append(
            f"It gave a date in the future {_times(future['count'])}, last "
            f"{_day(future['last'])}: the time of arrival is shown instead."
        )
    if undated := extra.get("no_dates"):
        said.append(
            f"It gave no date {_times(undated['count'])}, last {_day(undated['last'])}: "
            "the time of arrival is shown instead."
        )
    if state.effective_url:
        why = extra.get("moved", {}).get("why", "redirected for good")
        said.append(
            f"The feed has moved ({why}); its new address is polled. See `aggregator moves`."
        )
    elif state.move_target:
        said.append(f"It redirects for good to another address, seen {len(state.move_seen)} times.")
    if other := extra.get("duplicate_of"):
        said.append(f"It is the same feed as {other}, which is polled for both.")
    if extra.get("dead"):
        said.append("Its feed has ended; it is looked at once in a while.")
    for gap in extra.get("gaps", ())[-1:]:
        how = "and older pages closed the gap" if gap["filled"] else "items may have gone by"
        said.append(f"On {_day(gap['at'])} all {gap['entries']} entries were new, {how}.")
    if subscription:
        said.append(subscription)
    return tuple(said)


def _policy(policy: str, weaker: dict[str, str] | None) -> str:
    said = f"Entries are told apart by {policy}"
    if weaker is None:
        return f"{said}."
    return (
        f"{said}, since {_day(weaker['at'])}: by {weaker['from']} too many were "
        "without one or shared one."
    )


def _day(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp):%Y-%m-%d}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
