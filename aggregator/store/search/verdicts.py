"""What the rules of a view say of stored items: the same for what is served and for a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from aggregator.model.item import ServedItem
from aggregator.model.settings import RuleAction
from aggregator.queries.rules import Rule, decider, is_hidden, retitled, setters, tagged
from aggregator.queries.tree import asks_for_words
from aggregator.store.search.condition import Query
from aggregator.store.search.records import circumstances, records


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules with what their conditions need to know; `query.node` is all of these in one."""

    rules: tuple[Rule, ...]
    query: Query

    @property
    def hide(self) -> bool:
        """Whether any of them can hide an item."""
        return any(rule.action is RuleAction.DROP for rule in self.rules)


def hidden(connection: Connection, rules: Rules | None, numbers: Sequence[int]) -> set[int]:
    """Which of these items the rules drop."""
    if rules is None or not rules.hide or not numbers:
        return set()
    words = asks_for_words(rules.query.node)
    found = records(connection, numbers, rules.query, words=words)
    around = circumstances(connection, rules.query)
    return {n for n, record in found.items() if is_hidden(rules.rules, record, around)}


def deciders(connection: Connection, rules: Rules, numbers: Sequence[int]) -> dict[int, int]:
    """By item, the place of the rule that keeps or drops it; those that none does are left out."""
    found = records(connection, numbers, rules.query)
    around = circumstances(connection, rules.query)
    places = {n: decider(rules.rules, record, around) for n, record in found.items()}
    return {n: place for n, place in places.items() if place is not None}


def altered(
    connection: Connection, rules: Rules | None, items: Mapping[int, ServedItem]
) -> dict[int, ServedItem]:
    """The items with what the rules set of them."""
    made = dict(items)
    if rules is None or all(rule.action is not RuleAction.SET for rule in rules.rules):
        return made
    found = records(connection, list(items), rules.query)
    around = circumstances(connection, rules.query)
    for number, record in found.items():
        item = made[number]
        for rule in setters(rules.rules, record, around, item.first_seen):
            item = replace(
                item,
                title=retitled(rule, item.title),
                categories=tagged(rule, item.categories),
            )
        made[number] = item
    return made
