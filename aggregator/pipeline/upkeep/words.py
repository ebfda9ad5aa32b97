"""Keep the index of words up: what was written or changed is indexed in bulk, a little later.

What was stored before there was an index follows in slices, the newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from aggregator.pipeline.configure import EVERYTHING
from aggregator.pipeline.parts import Parts
from aggregator.queries.document import VERSION, Document, make_document
from aggregator.queries.parse import parse
from aggregator.queries.tree import asks_for_words
from aggregator.store.changed import show_anew
from aggregator.store.search import index
from aggregator.store.search.index import Texts

_AT_ONCE = 100  # items read into tokens in one worker task
_MARKS = 900  # an item may have several
_SLICE = 600  # marked at once of what was stored before


def _never() -> bool:
    return False


async def index_words(parts: Parts, stopping: Callable[[], bool] = _never) -> int:
    """Index whatever waits, until `stopping`; returns how many items were read.

    In small transactions, so that polls go on beside it.
    """
    database = parts.database
    done = 0
    while not stopping():
        marks = await database.run_read(index.pending, _MARKS)
        if not marks:
            if not await database.run_write(index.mark_more, VERSION, _SLICE):
                return done
            continue
        numbers = list(marks)[:_AT_ONCE]
        texts = await database.run_read(index.texts_of, numbers)
        documents = await parts.workers.run(_documents, texts, timeout=60.0, share="upkeep")
        mine = {number: marks[number] for number in numbers}
        await database.run_write(_put, documents, mine, _asking(parts), parts.clock.now())
        done += len(numbers)
    return done


def _asking(parts: Parts) -> list[str]:
    """The views that ask for words."""
    queries = {view.id: view.query for view in parts.settings.views if view.query}
    return [
        EVERYTHING.id,
        *(name for name, query in queries.items() if asks_for_words(parse(query))),
    ]


def _put(
    connection: Connection,
    documents: Mapping[int, Document | None],
    marks: Mapping[int, Sequence[int]],
    views: Collection[str],
    now: datetime,
) -> None:
    """Index items; the views that ask for words show them from now on."""
    done = index.put_documents(connection, documents, marks)
    show_anew(connection, now, items=done, views=views)


def _documents(texts: list[Texts]) -> dict[int, Document | None]:
    return {
        one.item_id: make_document(one.title, one.author, one.text, one.page)
        if one.shown else None
        for one in texts
    }  # fmt: skip
