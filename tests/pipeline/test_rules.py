"""Rules of a view: what they hide and set, and that a preview says exactly that."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from aggregator.model.pages import RulesPreview
from aggregator.model.settings import RuleAction, RuleSettings, ViewMode, ViewSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.trying import preview
from aggregator.queries.canonical import text_of
from aggregator.queries.parse import Use, parse
from tests.origin import Origin
from tests.pipeline.conftest import NOON, House, rss

KEEP, DROP, SET = RuleAction


def rule(action: RuleAction, condition: str, **more: Any) -> RuleSettings:
    return RuleSettings(action, text_of(parse(condition, Use.RULE)), **more)


def ruled(house: House, *rules: RuleSettings, mode: ViewMode = ViewMode.ARTICLES) -> ViewSettings:
    view = ViewSettings("all", "Everything", mode=mode, rules=rules)
    house.configure(views=(view,))
    return view


def shown(house: House) -> list[tuple[str, str]]:
    items = json.loads(house.feed("json").body)["items"]
    return [(item["id"], item["title"]) for item in items]


def previewed(house: House, view: ViewSettings) -> RulesPreview:
    async def look(parts: Parts) -> RulesPreview | None:
        since = NOON - timedelta(days=1)
        return await parts.database.run_read(preview, house.settings, view, since)

    found = house.run(look)
    assert found is not None
    return found


@pytest.fixture
def filled(house: House, origin: Origin) -> House:
    origin.answer("/alpha", body=rss(1, 2, 3))
    origin.answer("/beta", body=rss(3, 4, site="beta", text="was closed"))
    house.poll()
    return house


def test_a_preview_says_exactly_what_the_rules_then_do(filled: House) -> None:
    ruled(filled)
    before = shown(filled)
    assert len(before) == 5
    for rules in (
        (rule(DROP, "closed"),),
        (rule(DROP, "title:/[34] opens$/"),),
        (rule(KEEP, "source:beta"), rule(DROP, "title:/[34] opens$/ or text:\"number 1\"")),
        (rule(DROP, "link:/beta/ title:4"), rule(KEEP, "bridge"), rule(DROP, "opened")),
        (rule(DROP, "-title:4"),),
    ):  # fmt: skip
        for mode in ViewMode:
            ruled(filled, mode=mode)
            plain = shown(filled)
            view = ViewSettings("all", "Everything", mode=mode, rules=rules)
            told = previewed(filled, view)
            ruled(filled, *rules, mode=mode)
            hidden = {item.public_id for item in told.hidden}
            assert told.total == 5
            assert shown(filled) == [one for one in plain if one[0] not in hidden]
            assert 0 < len(hidden) < 5
    ruled(filled)
    assert shown(filled) == before  # the store keeps everything


def test_of_copies_the_next_one_leads_where_the_lead_is_dropped(
    house: House, origin: Origin
) -> None:
    text = " ".join(f"Word{n} of the very same long report about bridge repairs" for n in range(60))
    origin.answer("/alpha", body=rss(1, text=text))
    origin.answer("/beta", body=rss(1, site="alpha", text=text).replace(b"alpha.ex", b"beta.ex"))
    house.poll()
    ruled(house, mode=ViewMode.UNIQUE)
    (lead,) = shown(house)
    source = "alpha" if "alpha.example" in lead[0] else "beta"
    ruled(house, rule(DROP, f"source:{source}"), mode=ViewMode.UNIQUE)
    (other,) = shown(house)
    assert other[0] != lead[0]


def test_what_a_rule_sets_holds_for_what_is_seen_afterwards(filled: House, origin: Origin) -> None:
    ruled(filled)
    before = shown(filled)
    title = {"strip_prefix": "Bridge ", "tag": "bridges"}
    view = ruled(filled, rule(SET, "title:/^Bridge/", **title))
    assert shown(filled) == before
    assert len(previewed(filled, view).changed) == 5
    filled.clock.move(hours=1)
    origin.answer("/alpha", body=rss(1, 2, 3, 7))
    filled.poll("alpha")
    assert shown(filled) == [shown(filled)[0], *before]
    newest = json.loads(filled.feed("json").body)["items"][0]
    assert (newest["title"], newest["tags"]) == ("7 opens", ["bridges"])
    ruled(filled, rule(SET, "title:/^Bridge/", past=True, **title))
    assert [title for _, title in shown(filled)] == ["7 opens", *(t[7:] for _, t in before)]
