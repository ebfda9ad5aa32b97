"""What a kind of value is: a reader of what a person wrote, with its JSON Schema.

A reader is a function from what stands in the file (text, or a list or mapping where that is
wrong) to the value. What it raises says what was expected and never shows text that came from a
secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from aggregator.config.variables import Confidential

VARIABLE_PATTERN = r"\$\{"


def wrong(message: str, suggestion: str | None = None) -> PydanticCustomError:
    """What a value should have been. The message is final: nothing is filled in later."""
    return PydanticCustomError("setting", "{said}", {"said": message, "suggestion": suggestion})


def shown(value: Any) -> str:
    """A value as a message may show it: short, and never with a secret in it."""
    if isinstance(value, Confidential):
        return "the value of the variable"
    if isinstance(value, str):
        plain = re.sub(r"//[^/@\s]*@", "//***@", value)
        if "://" in plain:
            plain = plain.split("?", 1)[0]
        plain = "".join(c if c.isprintable() else "�" for c in plain)
        return f"“{plain[:60]}…”" if len(plain) > 60 else f"“{plain}”"
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else "a group of settings"


def as_text(value: Any, expected: str = "text") -> str:
    """The text that stands there; anything else is a mistake."""
    if isinstance(value, str):
        return value
    raise wrong(f"expected {expected}, not {shown(value)}")


def or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema`, or text with a `${…}` in it whose value is not known yet."""
    return {"anyOf": [schema, {"type": "string", "pattern": VARIABLE_PATTERN}]}


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity: a schema is a dict
class Kind:
    """A kind of value for pydantic: `read` makes it from what stands there, `schema` tells it."""

    read: Callable[[Any], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.schema
