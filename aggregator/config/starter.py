"""The configuration that a newcomer starts from; `config/aggregator.yaml` is the same file."""

from __future__ import annotations

from importlib.resources import files

SCHEMA_NAME = "aggregator.schema.json"  # named in the first line of the starter


def starter_text() -> str:
    """A runnable, commented configuration with a handful of public feeds."""
    return (files("aggregator.config") / "starter.yaml").read_text(encoding="utf-8")
