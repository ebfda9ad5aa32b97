"""Keep the index of words up: what was written or changed is indexed in bulk, a little later.

What was stored before there was an index follows in slices, the newest first.
"""

from __future__ import annotations

from collections.abc import Callable

from aggregator.pipeline.parts import Parts
from aggregator.queries.document import VERSION, Document, make_document
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
        await database.run_write(index.put_documents, documents, mine)
        done += len(numbers)
    return done


def _documents(texts: list[Texts]) -> dict[int, Document | None]:
    return {
        one.item_id: make_document(one.title, one.author, one.text, one.page)
        if one.shown else None
        for one in texts
    }  # fmt: skip
