"""What was noticed about a source over its polls: small facts that an operator may ask about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aggregator.model.poll import Asking
from aggregator.model.states import Weakened

_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTED = ("guid_flips", "floods", "renames", "future_dates", "no_dates")


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened, and when last."""

    count: int
    last: datetime

    def plus(self, count: int, now: datetime) -> Tally:
        """The tally after it happened `count` times more."""
        return Tally(self.count + count, now)


@dataclass(frozen=True, slots=True)
class WeakerPolicy:
    """Since when entries are told apart by less, and by what they were before."""

    before: str
    at: datetime
    why: Weakened = Weakened.ALIKE


@dataclass(frozen=True, slots=True)
class Moved:
    """When and why another address was adopted, and whether another source was looked for there.

    The configured address was last asked at `home_at`.
    """

    at: datetime
    why: str
    looked: bool = False
    home_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A poll in which every entry was new, and whether older pages closed the gap."""

    at: datetime
    entries: int
    pages: int
    filled: bool


@dataclass(frozen=True, slots=True)
class Noticed:
    """Facts about one source; None and False where nothing of the kind was seen.

    Stored as JSON under the names of the fields; what an older release wrote is read.
    """

    reader: int = 0  # the version of our reading that its last document was read under
    asking: Asking = Asking.CONDITIONAL  # how the next poll asks
    dead: bool = False  # the feed has ended; it is looked at once in a while
    guid_flips: Tally | None = None  # ids of known texts changed
    floods: Tally | None = None  # many old items at once
    renames: Tally | None = None  # an entry came back under another id
    future_dates: Tally | None = None
    no_dates: Tally | None = None
    weaker_policy: WeakerPolicy | None = None
    again: int = 0  # documents in a row that came again under other keys
    moved: Moved | None = None
    duplicate_of: str | None = None  # the source that is polled at the same address
    reused: tuple[str, ...] = ()  # URL keys under which new editions appear again and again
    gaps: tuple[Gap, ...] = ()  # the last ones, oldest first

    def to_json(self) -> dict[str, Any]:
        """As it is stored: only what was seen."""
        found: dict[str, Any] = {"reader": self.reader} if self.reader else {}
        if self.asking is not Asking.CONDITIONAL:
            found["asking"] = self.asking.value
        if self.dead:
            found["dead"] = True
        for name in _COUNTED:
            tally: Tally | None = getattr(self, name)
            if tally is not None:
                found[name] = {"count": tally.count, "last": tally.last.isoformat()}
        if self.weaker_policy is not None:
            weaker = self.weaker_policy
            found["weaker_policy"] = {
                "from": weaker.before, "at": weaker.at.isoformat(), "why": weaker.why.value,
            }  # fmt: skip
        if self.again:
            found["again"] = self.again
        if self.moved is not None:
            found["moved"] = {"at": self.moved.at.isoformat(), "why": self.moved.why}
            if self.moved.looked:
                found["moved"]["looked"] = True
            if self.moved.home_at is not None:
                found["moved"]["home_at"] = self.moved.home_at.isoformat()
        if self.duplicate_of is not None:
            found["duplicate_of"] = self.duplicate_of
        if self.reused:
            found["reused"] = list(self.reused)
        if self.gaps:
            found["gaps"] = [
                {"at": g.at.isoformat(), "entries": g.entries, "pages": g.pages, "filled": g.filled}
                for g in self.gaps
            ]
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Noticed:
        """What `to_json` wrote; a time that is missing or no time is read as 1970."""
        stored = stored or {}
        at = _moment
        weaker, moved = stored.get("weaker_policy"), stored.get("moved")
        return cls(
            reader=int(stored.get("reader", 0)),
            asking=_asking(stored),
            dead=bool(stored.get("dead")),
            **{
                name: Tally(stored[name]["count"], at(stored[name].get("last")))
                for name in _COUNTED
                if name in stored
            },
            weaker_policy=_weaker(weaker) if weaker else None,
            again=int(stored.get("again", 0)),
            moved=_moved(moved) if moved else None,
            duplicate_of=stored.get("duplicate_of"),
            reused=tuple(stored.get("reused", ())),
            gaps=tuple(
                Gap(at(g.get("at")), g["entries"], g["pages"], g["filled"])
                for g in stored.get("gaps", ())
            ),
        )


def _weaker(stored: Mapping[str, Any]) -> WeakerPolicy:
    try:
        why = Weakened(stored.get("why", Weakened.ALIKE))
    except ValueError:
        why = Weakened.ALIKE
    return WeakerPolicy(stored["from"], _moment(stored.get("at")), why)


def _moved(stored: Mapping[str, Any]) -> Moved:
    home_at = stored.get("home_at")
    return Moved(
        at=_moment(stored.get("at")),
        why=stored["why"],
        looked=bool(stored.get("looked")),
        home_at=_moment(home_at) if home_at else None,
    )


def _asking(stored: Mapping[str, Any]) -> Asking:
    if stored.get("unconditional"):  # of an older release
        return Asking.LOOK
    try:
        return Asking(stored.get("asking", Asking.CONDITIONAL))
    except ValueError:
        return Asking.CONDITIONAL


def _moment(written: object) -> datetime:
    try:
        return datetime.fromisoformat(str(written))
    except ValueError:
        return _UNKNOWN
