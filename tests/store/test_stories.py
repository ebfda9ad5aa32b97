"""Which story an item joins when it is stored: found through the database, on both of them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations

import pytest
from sqlalchemy import func, select

from aggregator.identity.texts.stories import story_item
from aggregator.store import schema as t
from aggregator.store.copies import index, stories
from aggregator.store.copies.memory import Grouping
from aggregator.store.database import Database
from tests.identity.headlines import OTHERS, STAGE
from tests.identity.shipped import STORIES, comparable
from tests.store.test_copies import NOON, Desk

FIRE = (
    "Wagon burns in Kettelberg tunnel",
    "A freight wagon caught fire in the Kettelberg tunnel; trains were halted at both ends.",
)
BLAME = (
    "Axle blamed for blaze under the mountain",
    "Experts think that a hot axle set the wagon alight that closed the Kettelberg for days.",
)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    made = Desk(database_url)
    for number, news in enumerate(OTHERS):
        take(made, f"other{number}", news)
    yield made
    made.database.close()


def take(desk: Desk, source: str, news: tuple[str, str], grouping: Grouping | None = None) -> int:
    (number,) = desk.take(source, news[1], title=news[0], grouping=grouping)
    return number


def story_of(desk: Desk, number: int) -> int:
    with desk.database.read() as connection:
        return connection.scalar(select(t.item.c.story_id).where(t.item.c.id == number)) or 0


def test_two_tellings_share_a_story_whoever_stored_them(desk: Desk) -> None:
    first = take(desk, "alpha", FIRE)
    second = take(desk, "beta", BLAME, grouping=Grouping())  # another process
    assert story_of(desk, second) == story_of(desk, first) == first
    assert desk.decisions(second) == ["story"]


def test_items_of_one_document_meet_each_other(desk: Desk) -> None:
    with desk.database.read() as connection:
        before = connection.scalar(select(func.count()).select_from(t.item_terms)) or 0
    numbers = desk.take(
        "alpha",
        "The Kettelberg is closed: a freight wagon burns there, firemen from Orlund say.",
        "A hot axle of the wagon is blamed by firemen from Orlund; the Kettelberg stays closed.",
        title="Around the mountains",
    )
    assert len({story_of(desk, number) for number in numbers}) == 1
    with desk.database.read() as connection:
        after = connection.scalar(select(func.count()).select_from(t.item_terms))
    assert after == before + 2


def test_items_far_apart_in_a_long_document_meet_each_other(desk: Desk) -> None:
    order = random.Random(5)
    between = [
        " ".join("".join(order.choices("bcdfglmnrstaeiou", k=7)) for _ in range(12))
        for _ in range(70)
    ]
    fire = "The Kettelberg is closed: a freight wagon burns there, firemen from Orlund say."
    blame = "A hot axle of the wagon is blamed by firemen from Orlund; the Kettelberg stays closed."
    numbers = desk.take("alpha", fire, *between, blame)
    stories_of = [story_of(desk, number) for number in numbers]
    assert stories_of[0] == stories_of[-1]
    assert len(set(stories_of)) > 1


def test_an_item_of_two_stories_makes_them_one(desk: Desk) -> None:
    one, two = take(desk, "alpha", STAGE[0]), take(desk, "beta", STAGE[1])
    assert story_of(desk, one) != story_of(desk, two)
    three = take(desk, "gamma", STAGE[2])
    assert story_of(desk, one) == story_of(desk, two) == story_of(desk, three)


@pytest.mark.parametrize("seed", range(4))
def test_items_once_in_one_story_stay_in_one_whatever_comes(desk: Desk, seed: int) -> None:
    """They may have been served together; only an operator parts them."""
    news = [FIRE, BLAME, *STAGE, *OTHERS]
    order = random.Random(seed).sample(news * 2, 2 * len(news))
    together: set[tuple[int, int]] = set()
    for number, (title, text) in enumerate(order):
        take(desk, f"source{number % 3}", (title, f"{text} {order[number - 1][0]}."))
        with desk.database.read() as connection:
            rows = connection.execute(select(t.item.c.id, t.item.c.story_id)).all()
        members: defaultdict[int, list[int]] = defaultdict(list)
        for row in sorted(rows):
            members[row.story_id].append(row.id)
        now = {pair for story in members.values() for pair in combinations(story, 2)}
        assert together <= now
        together = now
    assert together


def test_stories_that_an_operator_keeps_apart_stay_apart(desk: Desk) -> None:
    one, two = take(desk, "alpha", STAGE[0]), take(desk, "beta", STAGE[1])
    with desk.database.write() as connection:
        row = {"low_id": one, "high_id": two, "together": False, "at": desk.now}
        connection.execute(t.override.insert(), [row])
    take(desk, "gamma", STAGE[2])
    assert story_of(desk, one) != story_of(desk, two)


def test_a_transaction_that_is_undone_leaves_nothing_behind(desk: Desk) -> None:
    first = take(desk, "alpha", FIRE)

    def fail() -> None:
        with desk.database.write() as connection:
            connection.execute(t.item_terms.delete())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert story_of(desk, take(desk, "beta", BLAME)) == first


def test_an_event_older_than_the_window_is_another_story(desk: Desk) -> None:
    take(desk, "alpha", FIRE)
    desk.now += timedelta(hours=73)
    second = take(desk, "beta", BLAME)
    assert story_of(desk, second) == second


def test_a_word_that_everybody_uses_takes_a_bounded_number_of_postings(desk: Desk) -> None:
    order = random.Random(3)
    words = [f"word{number}" for number in range(60)]
    for start in range(0, 200, 20):
        texts = [" ".join(order.choices(words, k=30)) for _ in range(20)]
        desk.take(f"source{start}", *texts)
    with desk.database.read() as connection:
        held = Counter(v for v, _ in index.all_postings(connection, t.term_posting_list))
    assert held
    assert max(held.values()) <= 64


def test_what_is_older_than_the_window_is_dropped(desk: Desk) -> None:
    take(desk, "alpha", FIRE)
    with desk.database.write() as connection:
        stories.drop_terms(connection, NOON + timedelta(days=9), STORIES.window)
        index.drop(connection, 10**6, 0, 1, t.term_posting_list)
    with desk.database.read() as connection:
        assert not list(index.all_postings(connection, t.term_posting_list))
        assert not connection.scalar(select(func.count()).select_from(t.item_terms))


def test_where_little_comes_a_rare_word_is_remembered_for_weeks(desk: Desk) -> None:
    """A source that sends little would have its own subject for news each time."""
    take(desk, "alpha", FIRE)
    window = STORIES.window
    for now, kept in ((NOON + 9 * window, True), (NOON + 11 * window, False)):
        with desk.database.write() as connection:
            stories.drop_terms(connection, now, window)
            counted = connection.scalar(select(func.count()).select_from(t.term_count)) or 0
        assert bool(counted) is kept


def test_items_of_the_days_before_an_upgrade_are_read_into_the_index(desk: Desk) -> None:
    first = take(desk, "alpha", FIRE)
    with desk.database.write() as connection:
        stories.forget_terms(connection)
    with desk.database.read() as connection:
        rows = stories.without_terms(connection, 0, 100)
    told = [
        story_item(
            row.id, stories.shown_at(row), row.title, comparable(row.text), STORIES,
            source=row.source_id, story=row.story_id,
        )
        for row in rows
    ]  # fmt: skip
    with desk.database.write() as connection:
        stories.remember(connection, told, desk.grouping.settings, desk.now)
        assert not stories.without_terms(connection, 0, 100)
    assert story_of(desk, take(desk, "beta", BLAME)) == first


def test_counts_fade(desk: Desk) -> None:
    assert isinstance(desk.database, Database)
    with desk.database.read() as connection:
        counted = connection.scalar(
            select(t.term_count.c.documents).where(t.term_count.c.term == 0)
        )
    assert counted == pytest.approx(len(OTHERS), abs=0.1)
    desk.now += timedelta(hours=720)
    take(desk, "alpha", FIRE)
    with desk.database.read() as connection:
        counted = connection.scalar(
            select(t.term_count.c.documents).where(t.term_count.c.term == 0)
        )
    assert counted == pytest.approx(1 + len(OTHERS) / 2.718, abs=0.1)
