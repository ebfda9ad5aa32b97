"""What a document's identification says about its source, kept and told in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aggregator.identity.entries import Identified
from aggregator.model.item import FeedState
from aggregator.model.noticed import Noticed, Tally, WeakerPolicy
from aggregator.model.states import EntryKind, Weakened

_MEANS = {
    "guid": "the ids that it gives them",
    "link": "their addresses",
    "link+date": "their addresses and dates",
    "link+title": "their addresses and headlines",
    "content": "their words",
}
_WHY = {
    Weakened.ALIKE: "by {} too many were alike or had none",
    Weakened.CHANGING: "by {} a whole document was new twice running, though its words were known",
    Weakened.REUSED: "an id was used again for another entry",
}
_TWICE = 2  # documents in a row that came again under other keys
_MOST_REUSED = 100  # addresses with editions of one source


def noted(
    noticed: Noticed,
    identified: Identified,
    now: datetime,
    *,
    before: str | None,
    policy: str,
) -> Noticed:
    """What was noticed so far, with what this document adds.

    Flips of ids, floods, single renames, dates that were put right, and a weaker identity policy
    (`before` is the one in force until now; None at the first document).
    """
    new = [intent for intent in identified.intents if intent.kind is EntryKind.NEW]
    dates = [intent.entry.published for intent in new]
    renamed = [intent for intent in identified.intents if intent.kind is EntryKind.RENAMED]
    found = replace(
        noticed,
        guid_flips=_more(noticed.guid_flips, int(identified.guid_flip), now),
        floods=_more(noticed.floods, int(identified.flood), now),
        renames=_more(noticed.renames, 0 if identified.guid_flip else len(renamed), now),
        future_dates=_more(
            noticed.future_dates, sum(1 for at in dates if at is not None and at > now), now
        ),
        no_dates=_more(noticed.no_dates, sum(1 for at in dates if at is None), now),
    )
    again = [i.url_key for i in new if i.withdraws_address and i.url_key]
    if again:
        reused = dict.fromkeys([*noticed.reused, *again])
        found = replace(found, reused=tuple(reused)[-_MOST_REUSED:])
    after = policy_after(noticed, identified, policy)
    if after != policy:
        why = Weakened.REUSED if _reuses_ids(identified) else Weakened.CHANGING
        found = replace(found, weaker_policy=WeakerPolicy(policy, now, why))
    elif before is not None and before != policy:
        found = replace(found, weaker_policy=WeakerPolicy(before, now))
    if not identified.intents:
        return found
    return replace(found, again=found.again + 1 if identified.again else 0)


def policy_after(noticed: Noticed, identified: Identified, policy: str) -> str:
    """The identity policy from the next document on, which is keyed by `policy` now.

    By addresses once an id was used again for another entry; by addresses, and if they do not last
    either by words, when a whole document came again under other keys, twice running.
    """
    if _reuses_ids(identified):
        return "link" if policy == "guid" else policy
    if not identified.again or noticed.again + 1 < _TWICE:
        return policy
    moved = [i for i in identified.intents if i.kind is EntryKind.RENAMED]
    by_address = sum(1 for i in moved if i.known is not None and i.url_key == i.known.url_key)
    if policy == "guid" and by_address * 2 > len(moved):
        return "link"
    return "content"


def _reuses_ids(identified: Identified) -> bool:
    return any(intent.reuses_id for intent in identified.intents)


def _more(tally: Tally | None, count: int, now: datetime) -> Tally | None:
    return (tally or Tally(0, now)).plus(count, now) if count else tally


def notes(state: FeedState) -> tuple[str, ...]:
    """Decisions about a source that an operator may ask about, one sentence each."""
    noticed, said = state.noticed, []
    if state.identity_policy:
        apart = told_apart(state)
        said.append(f"{apart[0].upper()}{apart[1:]}.")
    for tally, happened, meaning in (
        (noticed.guid_flips, "Its ids changed for known texts",
         "nothing was taken as new for that"),
        (noticed.floods, "It brought many old items at once",
         "they went to the archive, not on top"),
        (noticed.renames, "An entry came back under another id", "it stayed the item it was"),
        (noticed.future_dates, "It gave a date in the future",
         "the time of arrival is shown instead"),
        (noticed.no_dates, "It gave no date", "the time of arrival is shown instead"),
    ):  # fmt: skip
        if tally is not None:
            said.append(f"{happened} {_times(tally.count)}, last {tally.last:%Y-%m-%d}: {meaning}.")
    if state.effective_url:
        why = noticed.moved.why if noticed.moved else "redirected for good"
        said.append(
            f"The feed has moved ({why}); its new address is polled. See “aggregator moves”."
        )
    elif state.move_target:
        said.append(f"It redirects for good to another address, seen {len(state.move_seen)} times.")
    if noticed.reused:
        fixed = "a fixed address" if len(noticed.reused) == 1 else "fixed addresses"
        said.append(f"It brings new editions at {fixed}: there only the id tells items apart.")
    if noticed.duplicate_of:
        said.append(f"It is the same feed as {noticed.duplicate_of}, which is polled for both.")
    if noticed.dead:
        said.append("Its feed has ended; it is looked at once in a while.")
    for gap in noticed.gaps[-1:]:
        how = "and older pages closed the gap" if gap.filled else "items may have gone by"
        said.append(f"On {gap.at:%Y-%m-%d} all {gap.entries} entries were new, {how}.")
    return tuple(said)


def told_apart(state: FeedState) -> str:
    """By what the entries of a source are told apart, since when and why, for a sentence."""
    policy, weaker = state.identity_policy or "guid", state.noticed.weaker_policy
    said = f"its entries are told apart by {_MEANS.get(policy, policy)}"
    if weaker is None:
        return said
    before = _MEANS.get(weaker.before, weaker.before)
    return f"{said}, since {weaker.at:%Y-%m-%d}: {_WHY[weaker.why].format(before)}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
