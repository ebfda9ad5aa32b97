"""Every setting is read by something: a documented setting that does nothing is a defect."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.feeds.limits import DEFAULT_LIMITS
from aggregator.model import copies, settings
from aggregator.model.settings import FetchingSettings, PollingSettings, Settings, SourceSettings
from aggregator.pipeline import policy

MODEL = Path(settings.__file__)
PACKAGE = MODEL.parent.parent
OWN = {"self": "service"}  # the only group with properties of its own, besides `Settings`
# Under which names code holds a group of settings. A name is the last of `parts.settings.polling`.
OWNERS = {
    settings.Settings: {"settings", "old", "new"},
    settings.ServiceSettings: {"service"},
    settings.StorageSettings: {"storage"},
    settings.PollingSettings: {"polling", "_polling"},
    settings.FetchingSettings: {"fetching"},
    settings.DedupSettings: {"dedup", "settings"},
    settings.SourceSettings: {"source", "one", "shown"},
    settings.ViewSettings: {"view", "one", "wanted"},
    settings.RuleSettings: {"rule", "one"},
    settings.WebhookSettings: {"hook"},
    settings.FollowSettings: {"follow", "policy"},
    settings.RelatedOverride: {"related", "overrides", "override"},
    settings.PollWhen: {"poll"},
    copies.CopyThresholds: {"limits", "thresholds", "copies", "_limits"},
    copies.StoryThresholds: {"limits", "thresholds", "stories", "_limits"},
}
NOT_POLICY = {"files", "warnings", "place"}  # what reading the files found out


def _reads() -> set[tuple[str, str]]:
    """`(owner, attribute)` of every attribute read outside `config/` and `model/`."""
    found: set[tuple[str, str]] = set()
    for path in PACKAGE.rglob("*.py"):
        if not {"config", "model", "migrations"} & set(path.relative_to(PACKAGE).parts):
            found |= set(_attributes(path))
    # A property of the settings themselves answers for the group that it reads.
    return found | {(OWN.get(owner, owner), name) for owner, name in _attributes(MODEL)}


def _attributes(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            inner = node.value
            if isinstance(inner, ast.Attribute):
                yield inner.attr, node.attr
            elif isinstance(inner, ast.Name):
                yield inner.id, node.attr


def _leaves() -> Iterator[tuple[type, str]]:
    for group in OWNERS:
        for field in dataclasses.fields(group):
            if field.name not in NOT_POLICY:
                yield group, field.name


def test_every_group_of_settings_is_looked_at() -> None:
    groups = {
        value
        for module in (settings, copies)
        for value in vars(module).values()
        if dataclasses.is_dataclass(value) and isinstance(value, type)
        if value.__module__ == module.__name__
        and value.__name__.endswith(("Settings", "Thresholds", "Override", "When"))
    }
    assert groups == set(OWNERS)


def test_every_setting_is_read_outside_the_rooms_that_fill_it() -> None:
    reads = _reads()
    unread = [
        f"{group.__name__}.{name}"
        for group, name in _leaves()
        if not any((owner, name) in reads for owner in OWNERS[group])
    ]
    assert unread == []


def test_a_document_is_read_up_to_the_size_and_number_that_are_configured() -> None:
    limits = policy.parse_limits(FetchingSettings(max_body_bytes=50_000_000, max_items=7))
    assert (limits.document, limits.entries) == (50_000_000, 7)
    assert limits.title == DEFAULT_LIMITS.title


@pytest.mark.parametrize("seconds", [5, 30, 120])
def test_no_read_ends_before_the_configured_time(seconds: int) -> None:
    allowed = timedelta(seconds=seconds)
    limits = policy.fetch_limits(Settings(fetching=FetchingSettings(timeout=allowed)))
    assert limits.read >= allowed
    assert limits.feed.total == allowed


@pytest.mark.parametrize("seconds", [30, 120, 600])
def test_a_lease_outlasts_the_longest_allowed_poll(seconds: int) -> None:
    fetching = FetchingSettings(timeout=timedelta(seconds=seconds))
    lease = policy.lease(Settings(fetching=fetching, polling=PollingSettings()))
    assert lease > fetching.timeout + fetching.parse_timeout


def test_a_declared_language_goes_before_the_configured_one() -> None:
    source = SourceSettings("a", "https://a.example/", language="de")
    assert policy.language(source, "fr") == "fr"
    assert policy.language(source, None) == "de"
