"""A corrected article under a new id is an update of the item it was; a bulletin is a new item."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from typing import Any

from sqlalchemy import func, select

from aggregator.model.copies import CopyThresholds
from aggregator.model.settings import ViewSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing import decisions
from aggregator.store import schema as t
from aggregator.store.copies.index import all_postings
from aggregator.store.decisions import overrules
from aggregator.store.items import items
from tests.identity.texts import ENGLISH, GERMAN, MARKET_REPORTS
from tests.origin import Origin
from tests.pipeline.conftest import House

Story = tuple[str, str, str]  # id, title, text
CORRECTED = ENGLISH + "\nCorrection: the mayor's name was misspelt in an earlier version."
FERRY, FERRY_CORRECTED = (
    ("f1", "Ferry crews return", ENGLISH),
    ("f2", "Ferry crews return", CORRECTED),
)
TREES = (
    "t1", "Lime trees planted",
    "The council of Northfield voted on Tuesday to plant four hundred lime trees along the old "
    "tram road. Work begins in April and will take two summers, said the head gardener.",
)  # fmt: skip


def report(number: str, day: str, **changed: float) -> Story:
    figures = {"a": 101, "b": 2, "c": 37, "d": 4.5, "e": 55, "f": 66, "g": 78} | changed
    return number, "Closing report", MARKET_REPORTS["en"].format(**figures, word="up", day=day)


def feed(*stories: Story, complete: bool = False) -> bytes:
    """A feed, newest first; the address of an article is made of its id."""
    entries = "".join(
        f"<item><guid isPermaLink='false'>{number}</guid><title>{escape(title)}</title>"
        f"<link>https://alpha.example/2026/story-{number}</link><description>"
        + escape("".join(f"<p>{escape(line)}</p>" for line in text.splitlines()))
        + "</description></item>"
        for number, title, text in stories
    )
    history = "xmlns:fh='http://purl.org/syndication/history/1.0'"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel {history}>'
        f"{'<fh:complete/>' if complete else ''}<title>alpha</title>"
        f"<link>https://alpha.example/</link><description>d</description>{entries}"
        "</channel></rss>"
    ).encode()


def publish(
    house: House, origin: Origin, *stories: Story, hours: float = 0.5, complete: bool = False
) -> Any:
    """Alpha publishes and is polled, half an hour later than what came before."""
    house.clock.move(hours=hours)
    origin.answer("/alpha", body=feed(*stories, complete=complete))
    (record,) = house.poll("alpha")
    return record


def read(house: House, query: Any, *what: Any) -> Any:
    async def work(parts: Parts) -> Any:
        return await parts.database.run_read(query, *what)

    return house.run(work)


def count(house: House, table: Any) -> int:
    found: int = read(house, lambda c: c.scalar(select(func.count()).select_from(table)))
    return found


def test_a_corrected_article_under_a_new_id_is_one_item_with_its_earlier_version(
    house: House, origin: Origin
) -> None:
    publish(house, origin, FERRY, TREES)
    before = {item["title"]: item for item in house.articles()}
    etag = house.feed("atom").etag
    record = publish(house, origin, FERRY_CORRECTED, TREES)
    assert (record.new_items, record.changed_items) == (0, 1)
    after = {item["title"]: item for item in house.articles()}
    was, now = before["Ferry crews return"], after["Ferry crews return"]
    assert len(after) == 2
    assert now["id"] == was["id"]
    assert now["_aggregator"]["revision"] == 1
    assert now["date_modified"] > was["date_published"]
    assert now["url"] == "https://alpha.example/2026/story-f2"
    assert "misspelt" in now["content_html"]
    assert house.feed("atom").etag != etag
    number = read(house, items.number_of, now["url"])
    (earlier,) = read(house, items.revisions_of, number)
    assert earlier.text is not None
    assert "misspelt" not in earlier.text


def test_polled_again_and_after_a_restart_it_stays_that_one_item(
    house: House, origin: Origin
) -> None:
    publish(house, origin, FERRY, TREES)
    publish(house, origin, FERRY_CORRECTED, TREES)
    first = house.articles()
    for _ in range(2):  # each poll opens the program anew
        publish(house, origin, FERRY_CORRECTED, TREES, ("n", "Other news", GERMAN))
    assert [i for i in house.articles() if i["title"] != "Other news"] == first
    publish(house, origin, FERRY, TREES)  # the old id again: an alias, and an edit back
    assert len(house.articles()) == 3
    assert (count(house, t.item), count(house, t.entry)) == (3, 3)


def test_why_says_so_in_plain_words(house: House, origin: Origin) -> None:
    publish(house, origin, FERRY, TREES)
    publish(house, origin, FERRY_CORRECTED, TREES)
    found = read(house, decisions.reasons, "https://alpha.example/2026/story-f2", CopyThresholds())
    ((source, why),) = found.entries
    assert source == "alpha"
    assert why.startswith("its publisher sent it again under another id")
    (line,) = [one for one in found.decisions if one.kind == "revision"]
    assert line.why == (
        "An update, not a second item: its publisher sent it again under another id, with the same "
        "headline; the earlier id is gone, 100% of the shorter text is in the other, and no figure "
        "speaks against it."
    )
    labels = dict(line.evidence)
    assert labels["Shared"] == "100%, from 80% on two texts are one"
    assert labels["Figures only here"] == "none"


def test_a_recurring_bulletin_with_other_figures_is_two_items(house: House, origin: Origin) -> None:
    publish(house, origin, report("m1", "March 1"), TREES)
    later = report("m2", "March 1", a=107, b=9, c=31, d=4.9, e=52, f=61, g=70)
    publish(house, origin, later, TREES)
    assert len(house.articles()) == 3


def test_one_changed_figure_of_few_makes_two_items(house: House, origin: Origin) -> None:
    told = ENGLISH + "\nThe ferry carried 212 people and 40 cars."
    publish(house, origin, ("f1", "Ferry crews return", told), TREES)
    publish(house, origin, ("f2", "Ferry crews return", told.replace("212", "219")), TREES)
    assert len(house.articles()) == 3


def test_while_the_first_is_still_listed_both_are_items(house: House, origin: Origin) -> None:
    publish(house, origin, FERRY, TREES)
    publish(house, origin, FERRY_CORRECTED, FERRY, TREES)
    assert len(house.articles()) == 3
    publish(house, origin, FERRY_CORRECTED, TREES)  # what was told apart stays so
    publish(house, origin, ("f3", "Ferry crews return", CORRECTED + " It was Jansen."), TREES)
    assert len(house.articles()) == 4  # two items bore the headline: it recurs


def test_another_headline_is_another_item(house: House, origin: Origin) -> None:
    publish(house, origin, FERRY, TREES)
    publish(house, origin, ("f2", "Ships sail again", CORRECTED), TREES)
    assert len(house.articles()) == 3


def test_another_headline_at_the_same_address_is_an_update(house: House, origin: Origin) -> None:
    publish(house, origin, FERRY, TREES)
    house.clock.move(days=2)
    body = feed(("f2", "Ships sail again", CORRECTED), TREES).replace(b"story-f2", b"story-f1")
    origin.answer("/alpha", body=body)
    house.poll("alpha")
    shown = {item["title"]: item for item in house.articles()}
    assert set(shown) == {"Ships sail again", "Lime trees planted"}
    assert shown["Ships sail again"]["_aggregator"]["revision"] == 1


def test_later_than_the_window_only_an_entry_that_was_taken_out_is_updated(
    house: House, origin: Origin
) -> None:
    older = [(f"o{n}", f"Older news {n}", f"{n} {GERMAN[n * 40 :]}") for n in range(3)]
    publish(house, origin, *older)
    publish(house, origin, FERRY, *older)
    publish(house, origin, FERRY_CORRECTED, *older, hours=30)
    assert len(house.articles()) == 4
    newer = ("n1", "Newer news", GERMAN)
    again = ("f3", "Ferry crews return", CORRECTED + " Its crew were thanked.")
    publish(
        house, origin, again, newer, hours=30
    )  # the older ones are gone: it may have fallen off
    assert len(house.articles()) == 6


def test_a_document_read_in_part_and_a_push_say_nothing_by_an_absence(
    house: House, origin: Origin
) -> None:
    publish(house, origin, FERRY, TREES)
    house.clock.move(minutes=5)
    origin.answer("/alpha", body=feed(FERRY_CORRECTED, TREES)[:-40])
    house.poll("alpha")
    assert len(house.articles()) == 3


def test_a_correction_is_listed_where_the_feed_says_it_is_complete(
    house: House, origin: Origin
) -> None:
    publish(house, origin, FERRY, TREES, complete=True)
    publish(house, origin, FERRY_CORRECTED, TREES, complete=True)
    assert not [i for i in house.articles() if i["_aggregator"].get("withdrawn")]
    assert len(house.articles()) == 2


def test_what_an_operator_split_is_no_state_of_each_other_s_items(
    house: House, origin: Origin
) -> None:
    publish(house, origin, FERRY, ("g1", "The crews' return", ENGLISH), TREES)

    async def split(parts: Parts) -> str:
        def write(connection: Any) -> str:
            one, other = (
                items.number_of(connection, f"https://alpha.example/2026/story-{n}")
                for n in ("f1", "g1")
            )
            overrules.merge_items(connection, [one or 0, other or 0], house.clock.now())
            return decisions.split(connection, one or 0, house.clock.now(), CopyThresholds())

        return await parts.database.run_write(write)

    assert "on its own" in house.run(split)
    publish(house, origin, FERRY_CORRECTED, ("g1", "The crews' return", ENGLISH), TREES)
    assert len(house.articles()) == 4


def test_another_source_with_the_new_address_meets_the_same_item(
    house: House, origin: Origin
) -> None:
    publish(house, origin, FERRY, TREES)
    publish(house, origin, FERRY_CORRECTED, TREES)
    origin.answer("/beta", body=feed(FERRY_CORRECTED))
    house.poll("beta")
    assert len(house.articles()) == 2


def test_the_window_of_the_configuration_counts(house: House, origin: Origin) -> None:
    dedup = house.settings.dedup
    wide = replace(dedup.copies, correction_window=dedup.copies.correction_window * 10)
    house.configure(dedup=replace(dedup, copies=wide))
    publish(house, origin, FERRY, TREES)
    publish(house, origin, FERRY_CORRECTED, TREES, hours=30)
    assert len(house.articles()) == 2


# -- taken back by an operator --------------------------------------------------------------------


def split(house: House, name: str) -> str:
    async def work(parts: Parts) -> str:
        def write(connection: Any) -> str:
            number = decisions.number_of(connection, name)
            return decisions.split(connection, number, house.clock.now(), CopyThresholds())

        return await parts.database.run_write(write)

    return house.run(work)


def test_an_operator_makes_an_update_an_item_of_its_own_and_it_stays_so(
    house: House, origin: Origin
) -> None:
    publish(house, origin, FERRY, TREES)
    (was,) = [item for item in house.articles() if item["title"] == FERRY[1]]
    publish(house, origin, FERRY_CORRECTED, TREES)
    house.clock.move(minutes=5)
    assert "is an item of its own now" in split(house, was["id"])
    first, second = sorted(
        (item for item in house.articles() if item["title"] == FERRY[1]), key=lambda i: i["url"]
    )
    assert (first["id"], first["url"]) == (was["id"], was["url"])
    assert "misspelt" not in first["content_html"]
    assert second["url"].endswith("story-f2")
    assert "misspelt" in second["content_html"]
    assert second["id"] != first["id"]
    house.configure(views=(ViewSettings("all", "Everything"),))
    assert len(json.loads(house.feed("json").body)["items"]) == 3  # no copies of each other either
    for document in ((FERRY_CORRECTED, TREES), (FERRY, TREES), (FERRY, FERRY_CORRECTED, TREES)):
        publish(house, origin, *document)  # each poll opens the program anew
        again = [item for item in house.articles() if item["title"] == FERRY[1]]
        assert sorted(again, key=lambda i: i["url"]) == [first, second]
    publish(house, origin, ("f3", FERRY[1], CORRECTED + " It was Jansen."), TREES)
    assert len(house.articles()) == 4


def test_of_several_updates_the_last_is_taken_back_first(house: House, origin: Origin) -> None:
    publish(house, origin, FERRY, TREES)
    publish(house, origin, FERRY_CORRECTED, TREES)
    third = ("f3", FERRY[1], CORRECTED + " It was Jansen.")
    publish(house, origin, third, TREES)
    (now,) = [item for item in house.articles() if item["title"] == FERRY[1]]
    assert now["_aggregator"]["revision"] == 2
    for left in (1, 0):
        house.clock.move(minutes=5)
        split(house, now["id"])
        found = read(house, decisions.reasons, now["id"], CopyThresholds())
        assert len([one for one in found.decisions if one.kind == "revision"]) == left
    texts = {i["url"][-2:]: i["content_html"] for i in house.articles() if i["title"] == FERRY[1]}
    assert sorted(texts) == ["f1", "f2", "f3"]
    assert "Correction" not in texts["f1"]
    assert "Correction" in texts["f2"]
    assert "Jansen" not in texts["f2"]
    assert "Jansen" in texts["f3"]
    assert "nothing to split" in split(house, now["id"])


def test_a_split_update_is_found_as_a_copy_by_others(house: House, origin: Origin) -> None:
    publish(house, origin, FERRY, TREES)
    publish(house, origin, FERRY_CORRECTED, TREES)
    split(house, "https://alpha.example/2026/story-f2")
    assert read(house, lambda c: len({number for _, number in all_postings(c)})) == 3
