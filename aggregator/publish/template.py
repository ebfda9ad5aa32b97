"""Templates of webhooks: JSON whose strings hold placeholders, and nothing that runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any

PLACEHOLDERS = (
    *("title", "link", "text", "source", "author", "published", "image", "id", "view", "delivery"),
)
_PLACEHOLDER = re.compile(r"\{(html:)?([a-z_]+)\}")


class BadTemplate(ValueError):
    """A template that is no JSON, or names what there is not; the message says which."""


def parse_template(text: str) -> Any:
    """A template as a value, its placeholders known. Raises BadTemplate."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadTemplate(f"is no JSON: {error}") from error
    for one in _strings(value):
        for found in _PLACEHOLDER.finditer(one):
            if found[2] not in PLACEHOLDERS:
                known = ", ".join(PLACEHOLDERS)
                raise BadTemplate(
                    f"there is no “{found[0]}”, but {known}; each also as “{{html:…}}”"
                )
    return value


def fill(text: str, values: Mapping[str, str]) -> Any:
    """The template with these values in its strings.

    A value cannot leave its string: it adds no member, and a placeholder in it is text. `{html:…}`
    has its `&`, `<` and `>` escaped, for receivers that read markup.

    Args:
        text: a template that `parse_template` takes.
        values: one for each of `PLACEHOLDERS`.
    """
    return _filled(parse_template(text), values)


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    def said(found: re.Match[str]) -> str:
        plain = values[found[2]]
        return escape(plain, quote=False) if found[1] else plain

    if isinstance(value, str):
        return _PLACEHOLDER.sub(said, value)
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if isinstance(value, dict):
        return {name: _filled(one, values) for name, one in value.items()}
    return value


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _strings(one)]
