"""Every state and reason has its words, and no words need the documents to be understood."""

from __future__ import annotations

import importlib
import pkgutil
import re
from enum import StrEnum

import pytest

import aggregator.model
from aggregator.model import http, pages, poll, settings, states
from aggregator.model.meanings import MEANINGS, meaning, sentence
from aggregator.model.poll import PlanReason
from aggregator.model.states import Refused

# What only programs see, and what an operator writes into the configuration himself.
UNSAID: set[type[StrEnum]] = {
    http.RequestKind, http.RobotsOutcome, poll.PollKind, poll.PollMode,
    pages.SourceOrder,  # on one page alone
    settings.Byline, settings.FullText, settings.PictureMode, settings.RuleAction,
    settings.ViewMode, states.Mark, states.Role,
    states.Weakened,  # a clause with the source's policy in it: `pipeline.polling.noticed`
}  # fmt: skip


def kinds() -> list[type[StrEnum]]:
    """Every StrEnum of `aggregator.model`."""
    modules = [
        importlib.import_module(f"aggregator.model.{found.name}")
        for found in pkgutil.iter_modules(aggregator.model.__path__)
    ]
    return sorted(
        {
            kind
            for module in modules
            for kind in vars(module).values()
            if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum
        },
        key=lambda kind: kind.__name__,
    )


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_each_state_and_reason_has_words(kind: type[StrEnum]) -> None:
    if kind in UNSAID:
        assert kind not in MEANINGS
        return
    assert set(MEANINGS[kind]) == set(kind)
    for member, said in MEANINGS[kind].items():
        assert said == said.strip(), member
        assert not re.search(r"[_`.]$|_|`", said), f"{member}: {said}"


def test_a_value_of_another_release_is_told_as_it_stands() -> None:
    assert meaning("too_old", Refused) == "it is too old"
    assert meaning("brand_new-word", Refused, PlanReason) == "brand new word"
    assert meaning(None, PlanReason) == ""
    assert sentence("it is gone") == "It is gone."
    assert sentence("") == ""
