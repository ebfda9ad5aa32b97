"""The committed schema, the example and the reference page follow the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from aggregator.config.load import load_settings
from aggregator.config.models import Document
from aggregator.config.schema import schema_text, setting_defaults, settings_schema
from aggregator.config.starter import SCHEMA_NAME, starter_text

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "aggregator.yaml"
REFERENCE = ROOT / "docs" / "reference" / "configuration.md"


def validator() -> Draft202012Validator:
    return Draft202012Validator(settings_schema())


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = (ROOT / "config" / SCHEMA_NAME).read_text(encoding="utf-8")
    assert committed == schema_text(), "run: aggregator schema > config/aggregator.schema.json"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(settings_schema())


def test_the_example_is_the_starter_and_loads_and_fits_the_schema() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text == starter_text()
    assert text.startswith(f"# yaml-language-server: $schema=./{SCHEMA_NAME}\n")
    validator().validate(yaml.safe_load(text))
    settings = load_settings(EXAMPLE, environ={})
    assert len(settings.sources) >= 5
    assert [warning for warning in settings.warnings if "contact" not in warning] == []


@pytest.mark.parametrize(
    "text",
    [
        "service: {listen: 8080, name: 1984, token: '${X}'}",
        "polling: {interval: 90, price: PT30M, min_refresh: 0, concurrency: '${N:-3}'}",
        "sources: [{id: 1a, url: 'https://x.example/f', poll: {cron: '5 * * * *'}, tags: a}]",
        "sources: [{id: a, url: 'https://x.example/f', follow_related: on, language: no}]",
        "defaults: {follow_related: {depth: 2}, private: '${P}'}",
        "views: [{id: a, limit: 100, tags: [1, no], token: x}]",
        "x-anchors: [1, 2]",
        "include: sources.d/*.yaml",
        "service:\nsources:\nviews:",
    ],
)
def test_an_editor_accepts_what_the_loader_accepts(text: str) -> None:
    validator().validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "srvice: {}",
        "service: {nme: x}",
        "polling: {interval: 12:30}",
        "polling: {concurrency: many}",
        "sources: [{id: A b, url: 'https://x.example/f'}]",
        "sources: [{id: a}]",
        "sources: [{id: a, url: x.example}]",
        "views: [{id: a, limit: 20}]",
        "views: [{id: a, mode: storys}]",
    ],
)
def test_an_editor_marks_what_the_loader_refuses(text: str) -> None:
    assert not validator().is_valid(yaml.load(text, Loader=yaml.BaseLoader))


def groups() -> dict[str, dict[str, Any]]:
    return {name: group["properties"] for name, group in settings_schema()["$defs"].items()}


def test_every_setting_is_described() -> None:
    for name, properties in groups().items():
        for setting, described in properties.items():
            assert described.get("description", "").endswith("."), f"{name}.{setting}"


# The heading of the reference page under which the settings of a model stand.
SECTIONS = {
    "Service": "service",
    "Storage": "storage",
    "Polling": "polling",
    "Fetching": "fetching",
    "Dedup": "dedup",
    "Copies": "dedup.copies",
    "Stories": "dedup.stories",
    "Defaults": "defaults",
    "Source": "sources",
    "Auth": "sources",
    "Follow": "follow_related",
    "Related": "related",
    "View": "views",
    "Rule": "rules",
    "Webhook": "webhooks",
}


def sections() -> dict[str, str]:
    """The reference page by its second-level headings."""
    found = {}
    for part in REFERENCE.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        found[heading.strip("` :")] = body
    return found


def test_every_setting_and_its_default_stand_in_the_reference() -> None:
    written = sections()
    missing = []
    for model, properties in groups().items():
        lines = written[SECTIONS[model]].splitlines()
        for setting in properties:
            row = next((line for line in lines if line.startswith(f"| `{setting}`")), None)
            if row is None and model in ("Defaults", "Auth"):
                row = next((line for line in lines if f"`{setting}`" in line), None)
            default = setting_defaults(model).get(setting)
            if row is None:
                missing.append(f"{model}.{setting}")
            elif default is not None and f"`{_as_yaml(default)}`" not in row:
                missing.append(f"{model}.{setting} = {_as_yaml(default)}")
    assert missing == []


def test_the_reference_names_no_setting_that_is_not_there() -> None:
    known: dict[str, set[str]] = {SECTIONS[model]: set() for model in groups()}
    for model, properties in groups().items():
        known[SECTIONS[model]] |= set(properties)
    for heading, body in sections().items():
        if heading not in known:
            continue
        rows = [line for line in body.splitlines() if line.startswith("| `")]
        assert {row.split("`")[1] for row in rows} - known[heading] == set(), heading


def test_every_top_level_group_and_override_stands_in_the_reference() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    for name in (
        *Document.model_fields,
        "AGGREGATOR_CONFIG",
        "AGGREGATOR_LISTEN",
        "AGGREGATOR_BASE_URL",
        "AGGREGATOR_STORAGE_URL",
        "AGGREGATOR_TOKEN",
    ):
        assert f"`{name}" in text, name


def _as_yaml(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return default if isinstance(default, str) else json.dumps(default)
