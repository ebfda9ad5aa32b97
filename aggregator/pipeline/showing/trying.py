"""Try rules on what is stored: what they would do, said by the code that does it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from aggregator.model.pages import RuleLine, RulesPreview
from aggregator.model.settings import RuleAction, Settings, ViewSettings
from aggregator.pipeline.showing import queries
from aggregator.pipeline.showing.views import is_guarded, showing, shows_page_text
from aggregator.store.search import verdicts
from aggregator.store.views import rendered, selections, served

MOST = 5000  # items that are looked at


def preview(
    connection: Connection, settings: Settings, view: ViewSettings, since: datetime
) -> RulesPreview | None:
    """What the rules of `view` do to its items that came since a time.

    The rules need not be in force: this is how to see what they would do. A rule that sets
    something is tried on all of these items, whenever they were first seen.

    Args:
        connection: Of a transaction that reads.
        settings: Those in force.
        view: A view of these, with whatever rules.
        since: How far back; the newest 5,000 items at most.

    Returns:
        None while the view is not in the store.
    """
    state = rendered.view_state(connection, view.id)
    if state is None:
        return None
    plain = showing(replace(view, rules=()), settings, state.changed_at)
    rules = queries.rules(
        view, settings, state.changed_at, {},
        guarded=is_guarded(view, settings), page_text=shows_page_text(view, settings),
    )  # fmt: skip
    places = selections.newest(connection, plain.selection, MOST + 1)
    numbers = [place.number for place in places if place.sort_at >= since][:MOST]
    if rules is None:
        return RulesPreview(len(numbers), (), (), ())
    hidden = verdicts.hidden(connection, rules, numbers)
    items = served.served_items(connection, [n for n in numbers if n in hidden])
    counts = Counter(verdicts.deciders(connection, rules, numbers).values())
    left = served.served_items(connection, [n for n in numbers if n not in hidden])
    for place, rule in enumerate(rules.rules):
        if rule.action is RuleAction.SET:
            alone = replace(rules, rules=(rule,))
            after = verdicts.altered(connection, alone, left)
            counts[place] = sum(after[n] != left[n] for n in left)
    after = verdicts.altered(connection, rules, left)
    changed = [(left[n], after[n]) for n in numbers if n in left and after[n] != left[n]]
    return RulesPreview(
        total=len(numbers),
        rules=tuple(
            RuleLine(one.action, one.condition, counts[place])
            for place, one in enumerate(view.rules)
        ),
        hidden=tuple(items[n] for n in numbers if n in items),
        changed=tuple(changed),
        more=len(places) > MOST and places[MOST].sort_at >= since,
    )
