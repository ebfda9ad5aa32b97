"""Identity within a source: what a document's entries are to what is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.identity import entries as identity
from aggregator.identity.entries import Identified, Known, Reading
from aggregator.identity.keys import KeyedEntry, choose_policy, key_entries, lasting_link
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import KnownEntry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTHING = Known({}, {}, {}, None, empty=True)
VERSION = 7


def identify(keyed: list[KeyedEntry], known: Known, **how: object) -> Identified:
    """`identify`, three days later and under the version that read what is known."""
    reading: dict[str, object] = {"now": NOON + timedelta(days=3), "version": VERSION} | how
    return identity.identify(keyed, known, Reading(**reading))  # type: ignore[arg-type]


def entry(number: int, **fields: object) -> ParsedEntry:
    """An entry as a decent publisher writes it."""
    defaults: dict[str, object] = {
        "id": f"https://example.org/?p={number}",
        "link": f"https://example.org/2026/harbour-{number}",
        "title": f"Harbour report number {number}",
        "summary": f"<p>The harbour of town {number} reopened after repairs.</p>",
        "published": NOON + timedelta(minutes=number),
    }
    return ParsedEntry(**(defaults | fields))  # type: ignore[arg-type]


def known_after(entries: list[ParsedEntry], policy: str = "guid") -> Known:
    """What the store knows once these entries were stored."""
    keyed = key_entries(entries, policy)
    rows = [remembered(number, one) for number, one in enumerate(keyed, 1)]
    return Known(
        by_key={row.key: row for row in rows},
        by_alias={row.alias: row for row in rows if row.alias},
        by_url_key={row.url_key: row for row in rows if row.url_key},
        newest_published=max((e.published for e in entries if e.published), default=None),
        empty=not rows,
    )


def remembered(number: int, one: KeyedEntry) -> KnownEntry:
    return KnownEntry(
        entry_id=number,
        item_id=number,
        key=one.key,
        content_hash=one.content_hash,
        guid=one.entry.id,
        alias=one.alias,
        url_key=one.url_key,
        title=one.entry.title,
        reader=VERSION,
        shown=one.shown,
        shown_at=NOON,
    )


def kinds(found: Identified) -> list[str]:
    return [intent.kind for intent in found.intents]


def test_entries_of_a_new_source_are_new_and_oldest_comes_first() -> None:
    found = identify(key_entries([entry(3), entry(1), entry(2)], "guid"), NOTHING)
    assert kinds(found) == ["new"] * 3
    assert [i.entry.title for i in found.intents] == [
        f"Harbour report number {n}" for n in (1, 2, 3)
    ]


def test_of_a_first_document_only_what_is_younger_than_48_hours_comes_on_top() -> None:
    document = [*(entry(n) for n in range(30)), entry(40, published=None, updated=None)]
    now = NOON + timedelta(hours=48, minutes=20)
    found = identify(key_entries(document, "guid"), NOTHING, now=now)
    on_top = {i.entry.id for i in found.intents if not i.archived}
    assert on_top == {f"https://example.org/?p={n}" for n in range(20, 30)}


def test_a_later_entry_of_a_known_source_is_news_however_it_is_dated() -> None:
    known = known_after([entry(n) for n in range(1000, 1010)])
    late = [entry(1, published=NOON - timedelta(days=400)), entry(2, published=None)]
    found = identify(key_entries(late, "guid"), known)
    assert not any(i.archived for i in found.intents)


def test_what_only_older_pages_list_stands_by_its_date() -> None:
    known = known_after([entry(n) for n in range(1000, 1010)])
    keyed = key_entries([entry(1), entry(2)], "guid")
    found = identify(keyed, known, older=frozenset({keyed[0].key}))
    assert [i.archived for i in found.intents] == [True, False]


def test_the_same_document_again_is_touched_only() -> None:
    entries = [entry(n) for n in range(5)]
    assert set(kinds(identify(key_entries(entries, "guid"), known_after(entries)))) == {"touched"}


def test_a_changed_text_is_a_change_and_a_changed_date_is_none() -> None:
    known = known_after([entry(1), entry(2)])
    document = [
        entry(1, summary="<p>The harbour stays closed.</p>"),
        entry(2, published=NOON + timedelta(days=1)),
    ]
    found = identify(key_entries(document, "guid"), known)
    assert sorted(kinds(found)) == ["changed", "touched"]


def test_changed_markup_alone_is_shown_without_a_revision() -> None:
    known = known_after([entry(1)])
    document = [
        entry(1, summary='<div class="x">The harbour of town 1 reopened after repairs.</div>')
    ]
    assert kinds(identify(key_entries(document, "guid"), known)) == ["replaced"]


def test_a_guid_that_moves_to_https_is_a_rename() -> None:
    known = known_after([entry(1, id="http://example.org/?p=1")])
    found = identify(key_entries([entry(1, id="https://example.org/?p=1")], "guid"), known)
    assert kinds(found) == ["renamed"]


def test_a_slug_edit_with_the_same_headline_is_a_rename() -> None:
    known = known_after([entry(1, id="old-slug")])
    found = identify(key_entries([entry(1, id="new-slug")], "guid"), known)
    assert kinds(found) == ["renamed"]


def test_a_recurring_headline_at_a_fixed_address_is_new_while_the_old_id_is_still_there() -> None:
    page = "https://example.org/briefing"
    monday = entry(1, id="monday", link=page, title="Morning briefing")
    tuesday = entry(2, id="tuesday", link=page, title="Morning briefing")
    found = identify(key_entries([tuesday, monday], "guid"), known_after([monday]))
    assert sorted(kinds(found)) == ["new", "touched"]


def test_an_id_repeated_from_one_day_to_the_next_overwrites_nothing() -> None:
    monday, tuesday = entry(1, id="daily"), entry(2, id="daily")
    others = [entry(n) for n in range(10, 50)]
    known = known_after([monday, *others])
    found = identify(key_entries([tuesday, monday, *others], "guid"), known)
    assert kinds(found).count("new") == 1
    assert "changed" not in kinds(found)


def test_when_every_id_flips_all_entries_are_remapped_and_none_floods() -> None:
    before = [entry(n, id=f"old-{n}") for n in range(20)]
    after = [entry(n, id=f"new-{n}", title=f"Rewritten headline {n}") for n in range(20)]
    found = identify(key_entries(after, "guid"), known_after(before))
    assert found.guid_flip
    assert set(kinds(found)) == {"renamed"}


def test_a_flood_of_old_entries_goes_to_the_archive_and_a_fresh_one_on_top() -> None:
    known = known_after([entry(n) for n in range(1000, 1010)])
    document = [entry(n) for n in range(20)] + [entry(2000)]
    found = identify(key_entries(document, "guid"), known)
    assert found.flood
    assert [i.entry.id for i in found.intents if not i.archived] == ["https://example.org/?p=2000"]


def test_a_document_that_repeats_its_ids_degrades_the_policy() -> None:
    entries = [entry(n, id="N/A") for n in range(10)]
    assert choose_policy(entries, None) == "link"


def test_one_missing_id_does_not_degrade_the_policy() -> None:
    entries = [entry(n) for n in range(10)] + [entry(11, id=None)]
    assert choose_policy(entries, None) == "guid"


def test_entries_repeated_word_for_word_say_nothing_against_their_ids() -> None:
    entries = [entry(n) for n in range(20)]
    assert choose_policy(entries + entries[:9], None) == "guid"


def test_where_no_policy_is_good_the_least_bad_is_taken_before_the_content() -> None:
    page = "https://example.org/live"
    repeated = [entry(n, id="live", link=page, title="Live", published=None) for n in range(3)]
    assert choose_policy([entry(n) for n in range(10)] + repeated, None) == "guid"
    hopeless = [entry(n, id=None, link=None, title="Live") for n in range(10)]
    assert choose_policy(hopeless, None) == "content"


def test_a_degraded_policy_stays() -> None:
    assert choose_policy([entry(n) for n in range(10)], "link") == "link"


def test_items_that_share_one_link_are_told_apart() -> None:
    page = "https://example.org/status"
    entries = [entry(n, id=None, link=page) for n in range(99)]
    policy = choose_policy(entries, None)
    keyed = key_entries(entries, policy)
    assert len({one.key for one in keyed}) == 99
    assert not any(one.url_is_identity for one in keyed)


def test_entries_known_by_guid_are_found_again_after_the_policy_degraded() -> None:
    entries = [entry(n) for n in range(10)]
    known = known_after(entries, "guid")
    assert set(kinds(identify(key_entries(entries, "link"), known))) == {"touched"}


def test_a_word_for_word_repeat_within_a_document_counts_once() -> None:
    assert len(key_entries([entry(1), entry(1)], "guid")) == 1


def test_a_purged_entry_that_is_still_listed_is_never_new_again() -> None:
    known = known_after([entry(1)])
    key, row = next(iter(known.by_key.items()))
    gone = KnownEntry(row.entry_id, row.item_id, key, row.content_hash, None, row.alias,
                      row.url_key, None, tombstone=True)  # fmt: skip
    again = Known({key: gone}, {}, {}, known.newest_published, empty=False)
    found = identify(key_entries([entry(1, summary="<p>Another text.</p>")], "guid"), again)
    assert kinds(found) == ["touched"]


def test_a_link_blog_entry_never_claims_the_address_it_points_to() -> None:
    link = "https://elsewhere.example/story-of-the-year"
    keyed = key_entries([entry(1, link=link, external_url=link)], "guid")
    assert not keyed[0].url_is_identity


hostile = st.text(max_size=40) | st.none()
entries_of_any_kind = st.lists(
    st.builds(ParsedEntry, id=hostile, link=hostile, title=hostile, summary=hostile), max_size=12
)


@settings(max_examples=150)
@given(entries_of_any_kind)
def test_any_document_is_keyed_without_a_clash_and_known_the_second_time(
    document: list[ParsedEntry],
) -> None:
    policy = choose_policy(document, None)
    keyed = key_entries(document, policy)
    assert len({one.key for one in keyed}) == len(keyed)
    again = identify(key_entries(document, policy), known_after(document, policy))
    assert "new" not in kinds(again)


def test_sessions_and_campaigns_are_no_part_of_a_link_that_is_an_entry_s_key() -> None:
    def keys(*links: str) -> set[str]:
        return {one.key for link in links for one in key_entries([entry(1, link=link)], "link")}

    assert (
        len(
            keys(
                "https://www.example.org/a/?id=1",
                "http://example.org/a?id=1&utm_source=rss",
                "http://example.org/a;jsessionid=AB12.node1?id=1",
                "http://example.org/a?PHPSESSID=0123&id=1",
                f"http://example.org/a?id=1&sid={'0a' * 16}",
            )
        )
        == 1
    )
    assert len(keys("https://example.org/a?id=1", "https://example.org/a?id=2")) == 2
    # Stored in every database: another result here makes what was seen long ago new again.
    assert lasting_link("https://www.Example.org:81/A/?b=2&a=1&#x") == "example.org:81/A?b=2&a=1"
    assert len(keys("https://example.org/#!/a", "https://example.org/#!/b")) == 2


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({"summary": "It sails."}, {"content": "<p>It sails.</p>"}, "replaced"),
        ({"content": "It sails."}, {"summary": "It sails."}, "replaced"),
        ({"summary": "It sails."}, {"summary": "It sails.", "content": "It sails."}, "replaced"),
        ({"summary": "It sails.", "content": "It sails."}, {"content": "It sails."}, "replaced"),
        ({"summary": "It sails."}, {"content": "It sails no more."}, "changed"),
        ({"summary": "It sails."}, {"summary": "It sails.", "content": "And returns."}, "changed"),
    ],
)
def test_words_that_stand_in_another_element_are_the_same_words(
    before: dict[str, Any], after: dict[str, Any], kind: str
) -> None:
    was, now = (
        key_entries([ParsedEntry(id="a", link=None, title="Ferry", **text)], "guid")[0]
        for text in (before, after)
    )
    hit = KnownEntry(
        1, 1, was.key, was.content_hash, "a", was.alias, was.url_key, "Ferry", reader=1,
        shown=was.shown, shown_at=NOON,
    )  # fmt: skip
    known = Known({was.key: hit}, {}, {}, NOON, empty=False)
    found = identity.identify([now], known, Reading(NOON, 1))
    assert found.intents[0].kind == kind
