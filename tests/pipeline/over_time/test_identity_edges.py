"""No news is lost and nothing comes twice, whatever origins do to ids, links, words and dates."""

from __future__ import annotations

import json

from aggregator.model.item import PollRecord
from aggregator.model.settings import SourceSettings, ViewMode, ViewSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.noticed import notes
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.showing.views import Publisher
from aggregator.store import schema as t
from tests.origin import Origin
from tests.pipeline.conftest import House, claimed
from tests.pipeline.over_time.documents import rss, stories
from tests.pipeline.over_time.edges import EDGES
from tests.pipeline.test_over_time import rows


def told(record: PollRecord) -> str:
    """A poll as the table writes it."""
    return f"{record.new_items}~{record.changed_items}".removesuffix("~0")


def test_the_edges_have_names_of_their_own() -> None:
    assert len({edge.site for edge in EDGES}) == len(EDGES) >= 60
    assert {len(edge.sent) for edge in EDGES} == {4}


def test_no_edge_loses_news_or_brings_it_twice(house: House, origin: Origin) -> None:
    house.configure(
        sources=tuple(SourceSettings(e.site, origin.url(f"/{e.site}")) for e in EDGES),
        views=tuple(
            ViewSettings(e.site, e.name, sources=(e.site,), mode=ViewMode.ARTICLES) for e in EDGES
        ),
    )

    async def all_polls(parts: Parts) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        stored: dict[str, list[str]] = {edge.site: [] for edge in EDGES}
        for poll in range(4):
            for edge, source in zip(EDGES, house.settings.sources, strict=True):
                origin.answer(f"/{edge.site}", body=edge.body(poll))
                claim = await claimed(parts, source)
                stored[edge.site].append(told(await poll_source(parts, source, claim)))
            house.clock.move(hours=6)
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        served = {}
        for edge in EDGES:
            view = await publisher.rendered(edge.site, "json", None)
            items = json.loads(view.body)["items"] if view else []
            served[edge.site] = sorted(item.get("title") or "" for item in items)
        return stored, served

    stored, served = house.run(all_polls)
    wrong = []
    for edge in EDGES:
        came = " ".join(stored[edge.site])
        if came != edge.stored or served[edge.site] != edge.headlines():
            wrong.append(f"{edge.name}: stored {came}, not {edge.stored};"
                         f" served {served[edge.site]}")  # fmt: skip
    assert not wrong, f"{len(wrong)} of {len(EDGES)} edges:\n" + "\n".join(wrong)


def test_a_source_whose_whole_document_is_new_twice_running_is_told_apart_by_words(
    house: House, origin: Origin
) -> None:
    details = []
    for poll in range(1, 7):
        made = f"{{site}}/{poll}x{{n}}"
        entries = stories(5, 4, 3, 2, 1, guid=made, link=f"https://{made}", text=None, date=None)
        origin.answer("/alpha", body=rss("alpha.example", entries))
        (record,) = house.poll("alpha")
        assert record.new_items == (5 if poll == 1 else 0)
        details.append(record.reason_detail or "")
        house.clock.move(hours=30)
    said = (
        "are told apart by their words, since 2026-03-04: by the ids that it gives them a whole "
        "document was new twice running, though its words were known"
    )
    assert [said in detail for detail in details] == [False, False, True, False, False, False]
    assert any(said in note for note in notes(house.state("alpha")))
    # Once it is known for that, each entry has one key: no further names are kept of it.
    assert len(rows(house, t.entry_alias.c.key)) == 5 * 3
