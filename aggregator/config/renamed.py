"""Settings that have another name now: the old one is understood, and a warning says the new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aggregator.config.document import MappingAt
from aggregator.config.problems import Problem

RENAMED = {
    ("dedup", "copies", "revision_window"): "correction_window",
}
"""The new name of a setting, by the path to the old one. Released names stay here."""


def take_new_names(group: str, tree: Any) -> Iterator[Problem]:
    """Give the settings of a top-level group their new names, in place; a warning for each.

    A setting that stands there under both names is left: the old one is a mistake then.
    """
    for (top, *inner, old), new in RENAMED.items():
        at = tree if top == group else None
        for name in inner:
            at = at.get(name) if isinstance(at, MappingAt) else None
        if not isinstance(at, MappingAt) or old not in at or new in at:
            continue
        place = at.keys_at.pop(old)
        at[new], at.keys_at[new] = at.pop(old), place
        at.values_at[new] = at.values_at.pop(old)
        yield Problem(place, ".".join([top, *inner, old]), f"is called “{new}” now", None)
