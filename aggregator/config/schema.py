"""The JSON Schema of the configuration, for editors: made from the models, never by hand."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any

from aggregator.config.models import Document
from aggregator.config.values.durations import spell
from aggregator.model.copies import CopyThresholds, StoryThresholds
from aggregator.model.settings import (
    DedupSettings,
    FetchingSettings,
    FollowSettings,
    PollingSettings,
    PollWhen,
    Secret,
    ServiceSettings,
    SourceSettings,
    StorageSettings,
    ViewSettings,
)

_SETTINGS: dict[str, type] = {
    "Service": ServiceSettings,
    "Storage": StorageSettings,
    "Polling": PollingSettings,
    "Fetching": FetchingSettings,
    "Dedup": DedupSettings,
    "Copies": CopyThresholds,
    "Stories": StoryThresholds,
    "Follow": FollowSettings,
    "Source": SourceSettings,
    "View": ViewSettings,
}
_DECIDED = ("private", "place", "url_is_secret")  # follow from other settings, or are none
_SIZES = ("max_wire_bytes", "max_body_bytes", "parse_memory", "max_document", "keep_raw")


def settings_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) that an editor completes and checks a configuration with.

    It allows what `load_settings` allows of single values; what takes more than one value to see
    (ids that stand twice, views that name unknown sources) only `aggregator check` finds. A
    `${…}` is allowed wherever its value may be right.
    """
    schema = Document.model_json_schema()
    for name, group in schema["$defs"].items():
        defaults = setting_defaults(name)
        for setting, described in group["properties"].items():
            described.pop("default", None)
            described.pop("title", None)
            if setting in defaults:
                described["default"] = defaults[setting]
        group.pop("title", None)
        group.pop("description", None)
    for described in schema["properties"].values():
        described.pop("default", None)
        described.pop("title", None)
    for group in ("Source", "Defaults"):
        described = schema["$defs"][group]["properties"]["follow_related"]
        described["anyOf"].append({"enum": [True, False, "yes", "no", "on", "off"]})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Configuration of aggregator",
        "patternProperties": {"^x-": {"description": "Ignored: a place for anchors."}},
    }


def setting_defaults(group: str) -> dict[str, Any]:
    """The defaults of a model's settings as written in YAML, without those that are nothing.

    Args:
        group: the name of a model, such as `Polling`.
    """
    settings = _SETTINGS.get(group)
    if settings is None:
        return {}
    written = {}
    for one in fields(settings):
        value = one.default
        if value is MISSING and one.default_factory is not MISSING:
            value = one.default_factory()
        text = _written(one.name, value)
        if text is not None:
            written[one.name] = text
    if group == "Service":
        written["listen"] = f"{written.pop('listen_host')}:{written.pop('listen_port')}"
    if group == "Source":
        written["follow_related"] = "off"
    return written


def _written(name: str, value: Any) -> Any:
    """A default as YAML has it; None when it is nothing, or is decided case by case."""
    if value is MISSING or value is None or value in ((), {}) or name in _DECIDED:
        return None
    if isinstance(value, timedelta):
        return spell(value)
    if isinstance(value, PollWhen):
        return "adaptive"
    if isinstance(value, Secret):
        return value.reveal()  # the default of a secret is none
    if name in _SIZES:
        return f"{value // 2**20} MiB"
    if isinstance(value, StrEnum):
        return value.value
    return value if isinstance(value, int | float | str) else None


def schema_text() -> str:
    """The schema as the committed file has it."""
    return json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"
