"""Which group an item joins when it is stored, on both databases."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from sqlalchemy import select

from aggregator.identity.agreement import texts_agree
from aggregator.identity.hashing import content_hash
from aggregator.model.copies import CopyThresholds
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import EntryIntent, PreparedBody
from aggregator.model.states import EntryKind
from aggregator.store import schema as t
from aggregator.store.copies.boilerplate import known_boilerplate
from aggregator.store.copies.index import all_postings
from aggregator.store.copies.memory import Grouping
from aggregator.store.database import Database
from aggregator.store.decisions import overrules
from aggregator.store.items import writing
from aggregator.store.items.ingest import Ingest
from aggregator.store.migrate import migrate
from aggregator.store.sources import states
from aggregator.store.views import rendered
from tests.e2e.stories import stream as news
from tests.identity.shipped import prepare_text
from tests.identity.texts import ENGLISH, LANGUAGES, MARKET_REPORTS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Desk:
    """A database and the memory of one process; `take` stores what a poll brought."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        migrate(self.database)
        self.grouping = Grouping()
        self.now = NOON

    def take(
        self,
        source: str,
        *texts: str,
        scope: str = "",
        grouping: Grouping | None = None,
        title: str | None = None,
    ) -> list[int]:
        """Store texts of a source as new items in one transaction; returns their numbers."""
        self.now += timedelta(minutes=1)
        with self.database.write() as connection:
            boilerplate = known_boilerplate(connection, source, self.grouping.settings.copies)
            intents = [self._intent(source, text, boilerplate, title) for text in texts]
            ingest = Ingest(
                source, scope, self.now,
                {"title": source, "feed_id": "tag:f", "updated": NOON.isoformat()},
                lambda intent: (f"tag:{intent.key}", f"tag:2:{intent.key}"),
                texts_agree,
                grouping=grouping or self.grouping,
                boilerplate=boilerplate,
            )  # fmt: skip
            return writing.write_entries(connection, ingest, intents).new_items

    def _intent(
        self, source: str, text: str, boilerplate: frozenset[int], title: str | None
    ) -> EntryIntent:
        name = f"{source}-{self.now.timestamp()}-{content_hash(None, text)}"
        return EntryIntent(
            EntryKind.NEW, name, ParsedEntry(name, None, title or text[:40], published=self.now),
            content_hash(title, text),
            body=PreparedBody(f"<p>{text}</p>", text, sanitizer_version=1),
            prepared=prepare_text(text, boilerplate),
        )  # fmt: skip

    def groups(self) -> dict[int, int]:
        with self.database.read() as connection:
            rows = connection.execute(select(t.item.c.id, t.item.c.group_id))
            return {row.id: row.group_id for row in rows}

    def together(self, *numbers: int) -> bool:
        groups = self.groups()
        return len({groups[number] for number in numbers}) == 1

    def decisions(self, number: int) -> list[str]:
        with self.database.read() as connection:
            m = t.merge_log.c
            return list(
                connection.scalars(select(m.kind).where(m.item_id == number).order_by(m.id))
            )


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    made = Desk(database_url)
    with made.database.write() as connection:
        for name in ("alpha", "beta", "gamma", "hidden"):
            row = states.SourceRow(
                name, f"https://{name}.example/feed", name, "c", name.title(), (), name == "hidden",
                f"{name}.example", active=True,
            )  # fmt: skip
            states.put_source(connection, row, NOON, url_changed=False)
        rendered.put_view(
            connection, "all", feed_id="tag:v", config_hash="h",
            sources=["alpha", "beta", "gamma", "hidden"], now=NOON,
        )  # fmt: skip
    yield made
    made.database.close()


def trimmed(text: str) -> str:
    """The text without its last paragraph, under the line of another outlet."""
    lines = text.splitlines()
    return "\n".join(["From our correspondents", *lines[:-1]])


def other_story(number: int, length: int = 80) -> str:
    order = random.Random(number)
    return " ".join("".join(order.choices("bcdfglmnrstaeiou", k=6)) for _ in range(length))


def test_an_item_alone_is_its_own_group_and_story(desk: Desk) -> None:
    (number,) = desk.take("alpha", ENGLISH)
    assert desk.groups() == {number: number}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_trimmed_copy_joins_the_group_and_says_why(desk: Desk, language: str) -> None:
    (first,) = desk.take("alpha", LANGUAGES[language])
    (second,) = desk.take("beta", trimmed(LANGUAGES[language]))
    assert desk.together(first, second)
    with desk.database.read() as connection:
        row = connection.execute(select(t.merge_log).where(t.merge_log.c.item_id == second)).one()
    assert (row.kind, row.other_id, row.group_id) == ("copy", first, first)
    assert row.score > 0.65
    assert row.evidence["shared"] >= 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_reports_of_one_template_stay_apart_and_the_log_says_why(
    desk: Desk, language: str
) -> None:
    figures = [
        dict(zip("abcdefg", row.split(), strict=True))
        for row in ("4.2 1.7 310 18,240 92.5 1.0841 6", "9.8 3.1 455 17,013 88.1 1.1120 9")
    ]
    days = {"word": "rose", "day": "Monday"}, {"word": "fell", "day": "Friday"}
    texts = [
        MARKET_REPORTS[language].format_map(numbers | day)
        for numbers, day in zip(figures, days, strict=True)
    ]
    (first,) = desk.take("alpha", texts[0])
    (second,) = desk.take("beta", texts[1])
    assert not desk.together(first, second)


def test_items_of_one_document_are_compared_with_each_other(desk: Desk) -> None:
    first, second = desk.take("alpha", ENGLISH, ENGLISH + " It is so.", title="Ferry sinks")
    assert desk.together(first, second)


def test_what_one_source_publishes_as_two_items_stays_two(desk: Desk) -> None:
    first, second = desk.take("alpha", ENGLISH, trimmed(ENGLISH))
    assert not desk.together(first, second)
    with desk.database.read() as connection:
        row = connection.execute(select(t.merge_log).where(t.merge_log.c.kind == "apart")).one()
    assert row.evidence["vetoes"] == ["source"]
    assert "one source publishes them as two items" in row.reason


def test_two_items_of_one_source_meet_through_another_s_copy(desk: Desk) -> None:
    first, second = desk.take("alpha", ENGLISH, trimmed(ENGLISH))
    (third,) = desk.take("beta", ENGLISH + " It is so.")
    assert desk.together(first, second, third)


def test_a_text_that_matches_two_groups_joins_them_and_views_move(desk: Desk) -> None:
    left, right = other_story(1, 120), other_story(2, 120)
    (first,) = desk.take("alpha", left)
    (second,) = desk.take("beta", right)
    (third,) = desk.take("gamma", f"{left} {right}")
    assert desk.together(first, second, third)
    assert desk.decisions(third) == ["copy", "joined"]


def test_a_private_copy_is_grouped_and_stays_in_its_scope(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    (second,) = desk.take("hidden", ENGLISH + "\nFor members.", scope="hidden")
    assert desk.together(first, second)
    with desk.database.read() as connection:
        scopes = connection.execute(select(t.item.c.id, t.item.c.scope)).all()
    assert dict(map(tuple, scopes)) == {first: "", second: "hidden"}


def test_a_copy_moves_the_views_of_every_member(desk: Desk) -> None:
    with desk.database.write() as connection:
        rendered.put_view(
            connection, "only-alpha", feed_id="tag:w", config_hash="h", sources=["alpha"], now=NOON
        )
    desk.take("alpha", ENGLISH)
    before = version(desk, "only-alpha")
    desk.take("beta", other_story(3))
    assert version(desk, "only-alpha") == before
    desk.take("beta", trimmed(ENGLISH))
    assert version(desk, "only-alpha") == before + 1


def version(desk: Desk, view: str) -> int:
    with desk.database.read() as connection:
        state = rendered.view_state(connection, view)
    assert state is not None
    return state.version


def test_nothing_older_than_the_window_is_a_candidate(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    desk.now += timedelta(days=15)
    (second,) = desk.take("beta", ENGLISH + "\nAgain.")
    assert not desk.together(first, second)


def test_a_fingerprint_that_everybody_has_costs_a_bounded_number_of_rows(desk: Desk) -> None:
    ending = other_story(9, 40)
    for number in range(70):
        desk.take("alpha", f"{other_story(100 + number)} {ending}")
    with desk.database.read() as connection:
        most = max(Counter(value for value, _ in all_postings(connection)).values())
    assert most == desk.grouping.settings.copies.max_postings + 1


def test_what_a_source_repeats_in_three_groups_is_no_text_of_its_own(desk: Desk) -> None:
    repeated = other_story(5, 50)
    for number in range(3):
        desk.take("alpha", f"{other_story(20 + number)}\n{repeated}")
    with desk.database.read() as connection:
        boilerplate = known_boilerplate(connection, "alpha", desk.grouping.settings.copies)
    assert len(boilerplate) == 1
    first, second = desk.take(
        "alpha", f"{other_story(31, 20)}\n{repeated}", f"{other_story(32, 20)}\n{repeated}"
    )
    assert not desk.together(first, second)


def test_a_story_sent_three_times_is_not_its_own_boilerplate(desk: Desk) -> None:
    for _ in range(4):
        desk.take("alpha", ENGLISH)
    with desk.database.read() as connection:
        assert not known_boilerplate(connection, "alpha", desk.grouping.settings.copies)


def test_a_memory_that_starts_empty_gives_the_same_groups_and_stories(
    desk: Desk, sqlite_url: str
) -> None:
    texts = stream()
    for source, text in texts:
        desk.take(source, text)
    other = Desk(sqlite_url.replace("aggregator.db", "other.db"))
    for source, text in texts:
        other.take(source, text, grouping=Grouping())
    assert partition(desk) == partition(other)
    assert partition(desk, "story_id") == partition(other, "story_id")
    other.database.close()


class Broken(Exception):
    """Something that undoes a transaction."""


def store_and_break(desk: Desk) -> None:
    intent = desk._intent("beta", trimmed(ENGLISH), frozenset(), None)
    ingest = Ingest(
        "beta", "", desk.now,
        {"title": "b", "feed_id": "tag:f", "updated": NOON.isoformat()},
        lambda one: (one.key, one.key), texts_agree, grouping=desk.grouping,
    )  # fmt: skip
    with desk.database.write() as connection:
        writing.write_entries(connection, ingest, [intent])
        raise Broken


def test_a_transaction_that_is_undone_leaves_nothing_in_memory(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)

    with pytest.raises(Broken):
        store_and_break(desk)
    (second,) = desk.take("gamma", other_story(77))
    (third,) = desk.take("beta", trimmed(ENGLISH))
    assert desk.together(first, third)
    assert not desk.together(first, second)


def stream(stories: int = 12, seed: int = 7) -> list[tuple[str, str]]:
    order = random.Random(seed)
    made = []
    for number in range(stories):
        text = other_story(1000 + number, 90)
        half = " ".join(text.split()[:60])
        made += [("alpha", text), ("beta", half), ("gamma", f"Update {text}")]
    order.shuffle(made)
    return made


def partition(desk: Desk, column: str = "group_id") -> set[frozenset[str]]:
    with desk.database.read() as connection:
        rows = connection.execute(
            select(t.item.c[column], t.item.c.source_id, t.item_text.c.text).join(
                t.item_text, t.item_text.c.item_id == t.item.c.id
            )
        ).all()
    found: dict[int, set[str]] = {}
    for group, source, text in rows:
        found.setdefault(group, set()).add(f"{source} {text}")
    return {frozenset(members) for members in found.values()}


def test_a_split_sticks_when_the_next_copy_arrives(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    (second,) = desk.take("beta", trimmed(ENGLISH))
    split(desk, second)
    assert not desk.together(first, second)
    (third,) = desk.take("gamma", ENGLISH + "\nThat is all.")
    groups = desk.groups()
    assert groups[first] != groups[second]
    assert groups[third] in (groups[first], groups[second])


def test_a_founder_that_is_split_off_leaves_the_others_together(desk: Desk) -> None:
    numbers = [desk.take(name, ENGLISH)[0] for name in ("alpha", "beta", "gamma")]
    split(desk, numbers[0])
    assert desk.together(*numbers[1:])
    assert desk.groups()[numbers[0]] == numbers[0]


def test_a_merge_by_hand_joins_what_no_rule_would_and_undoes_a_split(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    (second,) = desk.take("beta", other_story(6))
    merge(desk, first, second)
    assert desk.together(first, second)
    split(desk, second)
    assert not desk.together(first, second)
    merge(desk, second, first)
    assert desk.together(first, second)


def split(desk: Desk, number: int) -> None:
    with desk.database.write() as connection:
        overrules.split_item(connection, number, desk.now, CopyThresholds())


def merge(desk: Desk, *numbers: int) -> None:
    with desk.database.write() as connection:
        overrules.merge_items(connection, numbers, desk.now)


def test_commit_order_alone_decides_the_groups(desk: Desk, sqlite_url: str) -> None:
    """The same texts in the same order, each by another process's memory."""
    memories: Sequence[Grouping] = [Grouping() for _ in range(4)]
    texts = stream(seed=11)
    for place, (source, text) in enumerate(texts):
        desk.take(source, text, grouping=memories[place % 4])
    other = Desk(sqlite_url.replace("aggregator.db", "single.db"))
    for source, text in texts:
        other.take(source, text)
    assert partition(desk) == partition(other)
    assert partition(desk, "story_id") == partition(other, "story_id")
    other.database.close()


def test_two_orders_of_arrival_agree_on_practically_all_pairs(tmp_path: Path) -> None:
    stories = int(os.environ.get("AGGREGATOR_STREAM_STORIES", "40"))
    pieces = news(stories, 40 if stories >= 600 else 20)
    pairs: list[set[frozenset[str]]] = []
    for seed in (1, 2):
        desk = Desk(f"sqlite:///{tmp_path}/order{seed}.db")
        named = {}
        for piece in random.Random(seed).sample(pieces, len(pieces)):
            (number,) = desk.take(f"s{piece.source}", piece.text, title=piece.title)
            named[number] = piece.link
        groups = desk.groups()
        desk.database.close()
        pairs.append(
            {
                frozenset((named[a], named[b]))
                for a, b in combinations(sorted(groups), 2)
                if groups[a] == groups[b]
            }
        )
    differing = pairs[0] ^ pairs[1]
    print(f"{len(pairs[0] | pairs[1])} pairs, {len(differing)} differ:", *map(sorted, differing))
    assert len(pairs[0] | pairs[1]) >= 5 * stories
    assert len(differing) <= 0.01 * len(pairs[0] | pairs[1]), differing
