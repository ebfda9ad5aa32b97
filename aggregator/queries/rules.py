"""What the rules of a view do to an item.

Of the rules that keep or drop, the first that holds decides; where none holds, the item stays.
Rules that set something all count, each on what the one before left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.model.settings import RuleAction
from aggregator.queries.matching import Circumstances, Record, matches
from aggregator.queries.tree import Node


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it is applied; items are set that are first seen after `since`."""

    action: RuleAction
    node: Node
    tag: str | None = None
    strip_prefix: str | None = None
    since: datetime | None = None  # None: all


def decider(rules: Sequence[Rule], record: Record, around: Circumstances) -> int | None:
    """Which rule decides whether the item is shown, by its place; None: none does."""
    for place, rule in enumerate(rules):
        if rule.action is not RuleAction.SET and matches(rule.node, record, around):
            return place
    return None


def is_hidden(rules: Sequence[Rule], record: Record, around: Circumstances) -> bool:
    """Whether the rules drop the item."""
    place = decider(rules, record, around)
    return place is not None and rules[place].action is RuleAction.DROP


def setters(
    rules: Sequence[Rule], record: Record, around: Circumstances, first_seen: datetime
) -> tuple[Rule, ...]:
    """The rules that set something of the item, first seen at this time."""
    return tuple(
        rule
        for rule in rules
        if rule.action is RuleAction.SET
        and (rule.since is None or first_seen > rule.since)
        and matches(rule.node, record, around)
    )


def retitled(rule: Rule, title: str) -> str:
    """A title without the prefix that the rule takes off, unless nothing would be left."""
    if rule.strip_prefix and title.startswith(rule.strip_prefix):
        return title[len(rule.strip_prefix) :].strip() or title
    return title


def tagged(rule: Rule, categories: tuple[str, ...]) -> tuple[str, ...]:
    """Categories with the rule's tag among them."""
    new = rule.tag is not None and rule.tag not in categories
    return (*categories, rule.tag) if new and rule.tag else categories
