"""An entry that cannot be read loses itself, not its feed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from aggregator.feeds.parse import parse_document
from aggregator.feeds.prepare import prepare_body
from aggregator.isolate import WorkerBusy, WorkerCrashed, WorkerError, WorkerMemory, WorkerTimeout
from aggregator.model.feed import ParsedEntry
from aggregator.model.settings import SourceSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import document
from aggregator.pipeline.polling.reading import Unread, prepare_bodies
from tests.e2e.feeds import rss
from tests.origin import Origin
from tests.pipeline.conftest import House

SOURCE = SourceSettings(id="desk", url="https://desk.example/feed")


@dataclass
class Poisoned:
    """Workers that some entries end: the fault that no test may have a real parser for."""

    poison: set[str]
    error: type[WorkerError]
    tasks: int = 0

    async def run(self, fn: Callable[..., Any], *args: Any, timeout: float, share: str) -> Any:
        self.tasks += 1
        entries: Sequence[ParsedEntry] = args[0]
        if any(entry.id in self.poison for entry in entries):
            raise self.error("ended")
        return fn(*args)


@dataclass
class Some:
    workers: Poisoned
    settings: Any = field(default=None)


def bodies(workers: Poisoned, numbers: int, allowed: int) -> list[Any]:
    entries = parse_document(rss("desk", range(numbers))).entries
    parts = cast(Parts, Some(workers))
    return asyncio.run(document._bodies(parts, SOURCE, entries, frozenset(), 10.0, allowed))


@pytest.mark.parametrize("error", [WorkerTimeout, WorkerCrashed, WorkerMemory])
def test_entries_that_end_their_worker_are_left_out_and_the_others_kept(
    error: type[WorkerError],
) -> None:
    workers = Poisoned({"desk-3", "desk-7"}, error)
    texts = bodies(workers, 12, allowed=10)
    lost = [11 - place for place, text in enumerate(texts) if isinstance(text, Unread)]
    assert sorted(lost) == [3, 7]
    assert Unread(f"{error.__name__}: ended") in texts


def test_a_document_full_of_them_is_not_read() -> None:
    workers = Poisoned({f"desk-{n}" for n in range(12)}, WorkerTimeout)
    with pytest.raises(WorkerTimeout):
        bodies(workers, 12, allowed=3)
    assert workers.tasks == 5  # all at once, three that are given up, and the one too many


def test_no_entry_is_lost_because_others_keep_the_workers_busy() -> None:
    with pytest.raises(WorkerBusy):
        bodies(Poisoned({"desk-3"}, WorkerBusy), 12, allowed=10)


def test_an_entry_that_raises_says_why_among_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.feeds import prepare as preparing

    honest = prepare_body

    def prepare(entry: ParsedEntry) -> Any:
        if entry.id == "desk-1":
            raise RecursionError("too deep")
        return honest(entry)

    monkeypatch.setattr(preparing, "prepare_body", prepare)
    texts = prepare_bodies(parse_document(rss("desk", range(3))).entries, frozenset())
    assert [isinstance(text, Unread) for text in texts] == [False, True, False]
    assert texts[1] == Unread("RecursionError: too deep")


@pytest.mark.parametrize(("blamed", "word", "failures"), [(False, "busy", 0), (True, "limit", 1)])
def test_what_a_busy_machine_does_not_read_is_no_failure_of_its_source(
    house: House, origin: Origin, *, blamed: bool, word: str, failures: int
) -> None:
    """Unless the source made tasks run out of time before."""

    class Overloaded:
        async def run(self, *_: object, **__: object) -> object:
            raise WorkerBusy("others wait already", blamed=blamed)

    origin.answer("/alpha", body=rss("alpha", [1]), headers={"ETag": '"1"'})
    reading, house.workers = house.workers, Overloaded()  # type: ignore[assignment]
    (record,) = house.poll("alpha")
    assert record.outcome == word
    assert house.state("alpha").failures == failures
    house.workers = reading
    if not blamed:
        assert record.next_at is not None
        assert record.next_at - house.clock.now() < timedelta(minutes=3)
        house.clock.at = record.next_at
        assert house.poll("alpha")[0].new_items == 1  # asked without a validator for what was lost
