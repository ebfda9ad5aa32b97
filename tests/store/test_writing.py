"""What one poll writes: once, whole, and never less than before. On both databases."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import delete, func, select, update

from aggregator.identity import keys
from aggregator.identity.agreement import texts_agree
from aggregator.identity.entries import Known, Reading, identify
from aggregator.identity.hashing import digest
from aggregator.identity.keys import key_entries
from aggregator.identity.naming import Mint
from aggregator.model.feed import Chapters, Episode, ParsedEntry, Picture, Transcript
from aggregator.model.item import EntryIntent, PreparedBody
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.decisions import forgotten
from aggregator.store.items import entries as stored_entries
from aggregator.store.items import items, writing
from aggregator.store.items.ingest import Ingest
from aggregator.store.migrations import versions
from aggregator.store.migrations.frozen.r0012.key import url_key as former_key
from aggregator.store.sources import states
from aggregator.store.views import rendered, selections, served
from aggregator.urls.key import UrlKey, url_key

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINT = Mint("example.org", "2026-03-01")


@pytest.fixture
def database(database: Database) -> Database:
    """With three sources and a view of them."""
    with database.write() as connection:
        for name in ("alpha", "beta", "hidden"):
            row = states.SourceRow(
                name, f"https://{name}.example/feed", name, "c", name.title(), (), name == "hidden",
                f"{name}.example", active=True,
            )  # fmt: skip
            states.put_source(connection, row, NOON, url_changed=False)
        rendered.put_view(
            connection, "all", feed_id="tag:v", config_hash="h",
            sources=["alpha", "beta", "hidden"], now=NOON,
        )  # fmt: skip
    return database


def entry(number: int, site: str = "alpha", **fields: object) -> ParsedEntry:
    words = f"The harbour of town {number} reopened after a long winter of repairs. " * 3
    defaults: dict[str, object] = {
        "id": f"https://{site}.example/?p={number}",
        "link": f"https://news.example/2026/03/harbour-{number}",
        "title": f"Harbour {number} reopens",
        "content": f"<p>{words}</p>",
        "published": NOON - timedelta(hours=1),
    }
    return ParsedEntry(**(defaults | fields))  # type: ignore[arg-type]


def ingest(source_id: str, now: datetime = NOON, scope: str = "") -> Ingest:
    def public_id(intent: EntryIntent) -> tuple[str, str]:
        minted = MINT.item(source_id, intent.key)
        return intent.guid or minted, minted

    return Ingest(
        source_id, scope, now,
        {"title": source_id, "feed_id": "tag:f", "updated": NOON.isoformat()},
        public_id, texts_agree,
    )  # fmt: skip


def body(one: ParsedEntry) -> PreparedBody:
    html = one.content or ""
    return PreparedBody(html, html.replace("<p>", "").replace("</p>", ""), sanitizer_version=1)


def store(
    database: Database, source_id: str, entries: list[ParsedEntry], now: datetime = NOON,
    scope: str = "", policy: str = "guid",
) -> writing.Written:  # fmt: skip
    """Identify and write one document, as a poll does."""
    keyed = key_entries(entries, policy)
    with database.read() as connection:
        newest, empty = stored_entries.newest_published(connection, source_id)
        names = [key for one in keyed for key in (one.key, *one.candidates)]
        what = Known(
            stored_entries.entries_by_key(connection, source_id, names),
            stored_entries.entries_by_alias(
                connection, source_id, [o.alias for o in keyed if o.alias]
            ),
            stored_entries.entries_by_url_key(
                connection, source_id, [o.url_key for o in keyed if o.url_key]
            ),
            newest,
            empty,
        )
    intents = [
        replace(i, body=body(i.entry)) if i.kind in ("new", "changed") else i
        for i in identify(keyed, what, Reading(now, 0)).intents
    ]
    with database.write() as connection:
        return writing.write_entries(connection, ingest(source_id, now, scope), intents)


def count(database: Database, table: object) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def version(database: Database) -> int:
    with database.read() as connection:
        state = rendered.view_state(connection, "all")
        assert state is not None
        return state.version


def test_a_document_is_stored_once(database: Database) -> None:
    document = [entry(n) for n in range(5)]
    first = store(database, "alpha", document)
    again = store(database, "alpha", document, NOON + timedelta(hours=1))
    assert len(first.new_items) == 5
    assert again == writing.Written()
    assert count(database, t.item) == count(database, t.entry) == 5


def test_a_pass_that_changes_nothing_leaves_the_view_alone(database: Database) -> None:
    store(database, "alpha", [entry(1)])
    before = version(database)
    store(database, "alpha", [entry(1)])
    assert version(database) == before
    store(database, "alpha", [entry(1), entry(2)])
    assert version(database) == before + 1


def test_two_workers_with_one_document_store_it_once(database: Database) -> None:
    keyed = key_entries([entry(n) for n in range(20)], "guid")
    intents = [
        replace(i, body=body(i.entry))
        for i in identify(keyed, Known({}, {}, {}, None, empty=True), Reading(NOON, 1)).intents
    ]
    barrier = threading.Barrier(2)
    stored: list[int] = []

    def work() -> None:
        barrier.wait()
        with database.write() as connection:
            written = writing.write_entries(connection, ingest("alpha"), intents)
        stored.append(len(written.new_items))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(stored) == [0, 20]
    assert count(database, t.item) == count(database, t.entry) == 20


def test_one_address_with_one_text_in_two_sources_is_one_item_with_two_entries(
    database: Database,
) -> None:
    store(database, "alpha", [entry(1)])
    second = store(database, "beta", [entry(1, "beta", link=entry(1).link + "?utm_source=x")])  # type: ignore[operator]
    assert second.new_items == []
    assert len(second.joined_items) == 1
    assert (count(database, t.item), count(database, t.entry)) == (1, 2)


def test_one_address_with_another_text_in_two_sources_is_two_items(database: Database) -> None:
    store(database, "alpha", [entry(1)])
    comment = "<p>" + "What I make of it, having read much about docks and cranes lately. " * 9
    store(database, "beta", [entry(1, "beta", title="My weekend links", content=comment)])
    assert (count(database, t.item), count(database, t.entry)) == (2, 2)


def test_a_teaser_joins_its_article(database: Database) -> None:
    store(database, "alpha", [entry(1)])
    store(database, "beta", [entry(1, "beta", content="<p>Ships are back.</p>")])
    assert count(database, t.item) == 1


def test_a_private_source_never_joins_a_public_item(database: Database) -> None:
    store(database, "hidden", [entry(1, "hidden")], scope="hidden")
    store(database, "alpha", [entry(1)])
    with database.read() as connection:
        public = selections.newest(connection, selections.Selection(None), 10)
        both = selections.newest(connection, selections.Selection(None, ("hidden",)), 10)
    assert (len(public), len(both)) == (1, 2)


def test_a_source_that_becomes_private_takes_its_items_along(database: Database) -> None:
    store(database, "alpha", [entry(1)])
    with database.write() as connection:
        states.make_private(connection, "alpha")
    with database.read() as connection:
        assert selections.newest(connection, selections.Selection(None), 10) == []


def test_a_changed_text_is_a_revision_under_the_same_public_id(database: Database) -> None:
    store(database, "alpha", [entry(1)])
    later = NOON + timedelta(hours=2)
    changed = store(database, "alpha", [entry(1, content="<p>The harbour stays shut.</p>")], later)
    (number,) = changed.changed_items
    with database.read() as connection:
        item = served.served_items(connection, [number])[number]
        earlier = items.revisions_of(connection, number)
    assert item.public_id == entry(1).id
    assert (item.first_seen, item.updated, item.revision) == (NOON, later, 1)
    assert item.html == "<p>The harbour stays shut.</p>"
    assert [("reopened" in (row.text or ""), row.number) for row in earlier] == [(True, 0)]


def test_a_date_only_edit_is_no_revision(database: Database) -> None:
    store(database, "alpha", [entry(1)])
    again = store(database, "alpha", [entry(1, published=NOON)], NOON + timedelta(hours=1))
    assert again.changed_items == []


def test_an_id_held_by_another_item_is_not_used_twice(database: Database) -> None:
    store(database, "alpha", [entry(1)])
    other = entry(9, "beta", id=entry(1).id, link="https://beta.example/opinion/other")
    store(database, "beta", [replace(other, title="Other", content="<p>Quite other words.</p>")])
    with database.read() as connection:
        ids = list(connection.scalars(select(t.item.c.public_id).order_by(t.item.c.id)))
    assert ids[0] == entry(1).id
    assert ids[1].startswith("tag:example.org,2026-03-01:item/")


def test_a_purged_item_is_a_tombstone_and_never_new_again(database: Database) -> None:
    store(database, "alpha", [entry(1)])
    store(database, "beta", [entry(2, "beta")])
    later = NOON + timedelta(days=100)
    with database.write() as connection:
        assert len(forgotten.purge_text(connection, later, 100, 5000)) == 2
    assert count(database, t.item_text) == 0
    assert store(database, "alpha", [entry(1)], later) == writing.Written()
    with database.write() as connection:
        forgotten.mark(connection, [1])
    changed = entry(1, content="<p>Words that were never there before.</p>")
    assert store(database, "alpha", [changed], later) == writing.Written()  # a person's word holds
    joined = store(database, "beta", [entry(1, "beta", content="<p>x</p>")], later)
    assert joined.new_items == []
    with database.read() as connection:
        assert selections.newest(connection, selections.Selection(None), 10) == []
        left = connection.execute(select(t.item.c.title, t.item.c.link)).all()
    assert set(left) == {(None, None)}


def test_a_renamed_entry_keeps_its_item_and_its_old_id_is_remembered(database: Database) -> None:
    (number,) = store(database, "alpha", [entry(1, id="old")]).new_items
    store(database, "alpha", [entry(1, id="new")], NOON + timedelta(hours=1))
    assert store(database, "alpha", [entry(1, id="old")], NOON + timedelta(hours=2)).new_items == []
    assert count(database, t.item) == 1
    with database.read() as connection:
        assert [e.source_id for e in items.entries_of(connection, number)] == ["alpha"]


def test_better_url_keys_make_nothing_new_and_are_taken_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that knows more about links reads what an older one stored."""
    document = [entry(n, id=None) for n in range(6)]
    store(database, "alpha", document)

    def better(url: str, **given: tuple[str, ...]) -> UrlKey | None:
        found = url_key(url, **given)  # type: ignore[arg-type]
        return found and replace(found, key=f"better/{found.key}")

    monkeypatch.setattr(keys, "url_key", better)
    assert store(database, "alpha", document, NOON + timedelta(hours=1)) == writing.Written()
    assert len(store(database, "beta", [entry(1, "beta")]).joined_items) == 1
    assert count(database, t.item) == 6


@pytest.mark.parametrize("policy", ["guid", "link+date", "link+title"])
def test_an_upgrade_gives_entries_without_ids_their_lasting_key(
    database: Database, policy: str
) -> None:
    document = [entry(n, id="same" if n > 3 else None) for n in range(6)]
    store(database, "alpha", document, policy=policy)
    at = int((NOON - timedelta(hours=1)).timestamp())
    with database.write() as connection:  # as the version before wrote them
        for row in connection.execute(select(t.entry)).all():
            link = row.url_key
            key = {
                "guid": digest(digest("guid", "same"), link) if row.guid else digest("link", link),
                "link+date": digest("link+date", f"{link} {at}"),
                "link+title": digest("link+title", f"{link} {row.title}"),
            }[policy]
            assert key != row.key
            connection.execute(update(t.entry).where(t.entry.c.id == row.id).values(key=key))
        step = import_module(f"{versions.__name__}.0012_keys_of_entries_by_lasting_links")
        with Operations.context(MigrationContext.configure(connection)):
            step.upgrade()
    again = store(database, "alpha", document, NOON + timedelta(hours=1), policy=policy)
    assert again == writing.Written()
    assert count(database, t.entry_alias) == 0


def test_an_upgrade_makes_keys_of_addresses_anew_and_joins_nothing(database: Database) -> None:
    addresses = [
        "https://news.example/706332/ferry-sinks-off-cape",
        "https://news.example/706332/a-ferry-sank-off-the-cape",  # the same page, to the new rules
        "https://news.example/world/bridge-opens-in-our-town",
    ]
    document = [entry(number, link=link) for number, link in enumerate(addresses)]
    store(database, "alpha", document)
    former = {link: digest("url", former_key(link).key) for link in addresses}  # type: ignore[union-attr]
    with database.write() as connection:  # as the version before wrote them
        connection.execute(delete(t.url_key))
        for row in connection.execute(select(t.entry.c.id, t.entry.c.item_id, t.entry.c.link)):
            key = former[row.link]
            connection.execute(update(t.entry).where(t.entry.c.id == row.id).values(url_key=key))
            held = {"scope": "", "key": key, "item_id": row.item_id}
            connection.execute(t.url_key.insert(), [held])
    before = count(database, t.item)
    with database.write() as connection:
        step = import_module(f"{versions.__name__}.0017_better_keys_of_addresses")
        with Operations.context(MigrationContext.configure(connection)):
            step.upgrade()
    assert count(database, t.item) == before
    with database.read() as connection:
        held = {row.key: row.item_id for row in connection.execute(select(t.url_key))}
        own = {row.link: row for row in connection.execute(select(t.entry))}
    new = digest("url", "news.example/706332")
    two = [own[link].item_id for link in addresses[:2]]
    assert held[new] == min(two)  # the first; both keep what they had
    assert [held[former[link]] for link in addresses[:2]] == two
    assert own[addresses[0]].url_key == own[addresses[1]].url_key == new
    assert own[addresses[2]].item_id == held[former[addresses[2]]]
    again = store(database, "alpha", document, NOON + timedelta(hours=1))
    assert not again.new_items


def test_a_link_that_changes_with_every_poll_is_no_further_address(database: Database) -> None:
    for turn in range(3):
        document = [entry(n, link=f"https://news.example/{n}?turn={turn}") for n in range(4)]
        store(database, "alpha", document)
    assert count(database, t.item) == count(database, t.url_key) == 4


def test_a_future_date_is_clamped_and_shown_no_later_than_first_seen(database: Database) -> None:
    (number,) = store(database, "alpha", [entry(1, published=NOON + timedelta(days=400))]).new_items
    with database.read() as connection:
        assert served.served_items(connection, [number])[number].published == NOON


@pytest.mark.parametrize("published", [None, NOON - timedelta(days=1)])
def test_an_update_in_the_future_is_served_as_of_first_sight(
    database: Database, published: datetime | None
) -> None:
    ahead = entry(1, published=published, updated=NOON + timedelta(days=400))
    (number,) = store(database, "alpha", [ahead]).new_items
    with database.read() as connection:
        assert served.served_items(connection, [number])[number].updated == NOON


def test_the_order_of_a_view_never_changes_and_pages_cover_everything(database: Database) -> None:
    for hour in range(6):
        document = [entry(hour * 10 + n) for n in range(10)]
        store(database, "alpha", document, NOON + timedelta(hours=hour))
    for chosen in (selections.Selection(None), selections.Selection(("alpha", "beta"))):
        with database.read() as connection:
            whole = selections.newest(connection, chosen, 100)
            paged = selections.newest(connection, chosen, 7)
            while page := selections.before(connection, chosen, paged[-1], 7):
                paged += page
        assert paged == whole
        assert len(set(paged)) == 60
        assert whole == sorted(whole, key=lambda p: (p.sort_at, p.number), reverse=True)


def of_many(*names: str) -> selections.Selection:
    """The same sources among more than are walked one by one."""
    return selections.Selection((*names, *(f"silent-{n}" for n in range(60))))


@pytest.mark.parametrize(
    "chosen", [lambda *n: selections.Selection(n), of_many], ids=["few", "many"]
)
def test_an_item_of_a_further_source_is_on_top_for_those_who_read_only_this_one(
    database: Database, chosen: Callable[..., selections.Selection]
) -> None:
    link = "https://news.example/2026/03/harbour-1"
    (known_one,) = store(database, "alpha", [entry(1, link=link)]).new_items
    (other,) = store(database, "beta", [entry(2, "beta")], NOON + timedelta(days=1)).new_items
    later = NOON + timedelta(days=3)
    with database.read() as connection:
        both_before = selections.newest(connection, chosen("alpha", "beta"), 10)
    done = store(database, "beta", [entry(1, "beta", link=link)], later)
    assert done.joined_items == [known_one]
    with database.read() as connection:
        both = selections.newest(connection, chosen("alpha", "beta"), 10)
        alone = selections.newest(connection, chosen("beta"), 10)
        everything = selections.newest(connection, selections.Selection(None), 10)
        second = selections.before(connection, chosen("beta"), alone[0], 10)
    assert [place.number for place in alone] == [known_one, other]
    assert alone[0].sort_at == later
    assert second == alone[1:]
    assert both == both_before == everything  # nobody's order moves


def test_every_selection_has_each_item_once_in_one_order_however_it_is_paged(
    database: Database,
) -> None:
    """Items come to three sources in any order, some in two of them or twice in one."""
    chance = random.Random(5)
    names = ("alpha", "beta", "gamma")
    for hour in range(40):
        name = chance.choice(names)
        numbers = {chance.randrange(30) for _ in range(3)}
        document = [entry(n, chance.choice((name, f"{name}-2"))) for n in numbers]
        store(database, name, document, NOON + timedelta(hours=hour))
    seen: dict[tuple[str, ...], list[selections.Place]] = {}
    with database.read() as connection:
        for few in [("alpha",), ("beta", "gamma"), ("gamma", "alpha"), names]:
            for selection in (selections.Selection(few), of_many(*few)):
                whole = selections.newest(connection, selection, 1000)
                paged = selections.newest(connection, selection, 4)
                while page := selections.before(connection, selection, paged[-1], 4):
                    paged += page
                assert paged == whole == seen.setdefault(few, whole)
                assert len({place.number for place in whole}) == len(whole)
                assert len(whole) == selections.count(connection, selection)
        assert (connection.scalar(select(func.count()).where(t.entry.c.joined)) or 0) > 10


def test_a_source_of_which_only_followed_items_are_shown_gives_no_place_to_others(
    database: Database,
) -> None:
    link = "https://news.example/2026/03/harbour-1"
    (number,) = store(database, "alpha", [entry(1, link=link)]).new_items
    later = NOON + timedelta(days=3)
    store(database, "beta", [entry(9, "beta")], NOON)
    store(database, "beta", [entry(1, "beta", link=link)], later)
    for some in (("alpha", "beta"), of_many("alpha", "beta").sources):
        with database.read() as connection:
            selection = selections.Selection(some, followed_only=("alpha",))
            top, *_ = selections.newest(connection, selection, 5)
            assert top == selections.Place(later, number)


def test_a_view_holds_everything_of_two_days_beyond_its_limit(database: Database) -> None:
    store(database, "alpha", [entry(0)], NOON - timedelta(days=5))
    for hour in range(4):
        document = [entry(100 + hour * 10 + n) for n in range(10)]
        store(database, "alpha", document, NOON + timedelta(hours=hour))
    with database.read() as connection:
        places = selections.newest(connection, selections.Selection(None), 5, NOON)
    assert len(places) == 40


PLAYED = Episode(
    duration=3723, number=7.5, season=2, kind="full", explicit=False, image="https://a.example/c",
    transcripts=(Transcript("https://a.example/t", "text/vtt", "en", "captions"),
                 Transcript("https://a.example/u")),
    chapters=Chapters("https://a.example/k", "application/json+chapters"),
)  # fmt: skip


def test_authors_pictures_episodes_and_terms_are_kept_and_served(database: Database) -> None:
    pictures = (Picture("https://a.example/1", "A ferry", 8, 6), Picture("https://a.example/2"))
    one = entry(
        1, author="Ida Berg, Per Lund", authors=("Ida Berg", "Per Lund"),
        image="https://a.example/1", pictures=pictures, episode=PLAYED,
        categories=("The sea",), terms=(("The sea", "sea"),),
    )  # fmt: skip
    plain = entry(2, author="Ida", authors=("Ida",), image="https://a.example/1",
                  pictures=(Picture("https://a.example/1"),))  # fmt: skip
    written = store(database, "alpha", [one, plain])
    with database.read() as connection:
        items_served = served.served_items(connection, written.new_items)
        stored = connection.scalars(select(t.item.c.details).where(t.item.c.details.is_(None)))
        assert len(stored.all()) == 1  # what the other columns say already takes no room
    shown = {item.author: item for item in items_served.values()}
    first = shown["Ida Berg, Per Lund"]
    assert (first.authors, first.pictures, first.episode) == (one.authors, pictures, PLAYED)
    assert first.terms == (("The sea", "sea"),)
    assert (shown["Ida"].authors, shown["Ida"].pictures, shown["Ida"].episode) == ((), (), None)


def test_a_revision_replaces_what_an_item_shows_and_a_purge_takes_it(database: Database) -> None:
    (number,) = store(database, "alpha", [entry(1, episode=PLAYED)]).new_items
    later = entry(1, content="<p>Something else entirely is told of the harbour.</p>",
                  authors=("Ida Berg", "Per Lund"))  # fmt: skip
    store(database, "alpha", [later], NOON + timedelta(hours=1))
    with database.read() as connection:
        shown = served.served_items(connection, [number])[number]
    assert (shown.episode, shown.authors) == (None, ("Ida Berg", "Per Lund"))
    with database.write() as connection:
        forgotten.forget(connection, [number], NOON)
    with database.read() as connection:
        assert connection.scalar(select(t.item.c.details).where(t.item.c.id == number)) is None
