"""Text, ids, tags, numbers, yes and no, choices, time zones and languages."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache, partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, WithJsonSchema

from aggregator.config.problems import did_you_mean, meant
from aggregator.config.values.kinds import Kind, as_text, or_variable, shown, wrong
from aggregator.config.variables import Confidential

_NOT_IN_LINE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def read_text(value: Any, most: int = 1000) -> str:
    """One line of text, without space around it."""
    text = read_optional_text(value, most)
    if text is None:
        raise wrong("expected text, not nothing")
    return text


def read_optional_text(value: Any, most: int = 1000) -> str | None:
    """One line of text, without space around it; None when nothing is left."""
    clean = as_text(value).strip()
    if len(clean) > most:
        raise wrong(f"longer than {most} characters")
    if _NOT_IN_LINE.search(clean):
        raise wrong("expected one line of text: a line break or control character stands in it")
    return clean or None


# An editor reads `1984` and `no` as something else than text; here they are text.
TEXT_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
Text = Annotated[str, Kind(read_text, TEXT_SCHEMA)]
OptionalText = Annotated[
    str | None, Kind(read_optional_text, {"type": ["string", "number", "boolean", "null"]})
]

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def slug(text: str) -> str:
    """`text` as an id: lower-case letters, digits and single hyphens; may come out empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:63].strip("-")


def read_id(value: Any) -> str:
    """An id: it stands in addresses and in the database, so it is short and plain."""
    text = as_text(value, "an id")
    if _SLUG.fullmatch(text):
        return str(text)
    better = slug(text)
    raise wrong(
        f"an id is made of a-z, 0-9, “-” and “_” and has at most 63 characters, not {shown(text)}",
        f"write “{better}”" if better and not isinstance(text, Confidential) else None,
    )


_ID_SCHEMA = or_variable({"type": ["string", "integer"], "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"})
Id = Annotated[str, Kind(read_id, _ID_SCHEMA)]


def read_tag(value: Any) -> str:
    """A tag: one line without a comma."""
    text = read_text(value, most=64)
    if "," in text:
        raise wrong("a tag has no comma in it", "write several tags as a list: “[a, b]”")
    return text


def split_at_commas(value: Any) -> Any:
    """`a, b` where several values may stand is short for a list of them."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, Confidential):
        return [Confidential(part, value.values) for part in parts]
    return parts


def as_list(value: Any) -> Any:
    """One value where several may stand is short for a list of it."""
    return [value] if isinstance(value, str) else value


Tag = Annotated[str, Kind(read_tag, TEXT_SCHEMA)]


def or_several(schema: dict[str, Any]) -> WithJsonSchema:
    """The JSON Schema of a list that may also be written as one value or as `a, b`."""
    return WithJsonSchema({"anyOf": [{"type": "array", "items": schema}, schema]})


Tags = Annotated[tuple[Tag, ...], BeforeValidator(split_at_commas), or_several(TEXT_SCHEMA)]
Ids = Annotated[tuple[Id, ...], BeforeValidator(split_at_commas), or_several(_ID_SCHEMA)]
Words = Annotated[tuple[Text, ...], BeforeValidator(split_at_commas), or_several(TEXT_SCHEMA)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(as_list), or_several(TEXT_SCHEMA)]


_TRUE = {"true", "yes", "on"}
_FALSE = {"false", "no", "off"}


def read_flag(value: Any) -> bool:
    """Yes or no, as YAML 1.1 and 1.2 write it."""
    word = as_text(value, "“yes” or “no”").strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise wrong(f"expected “yes” or “no”, not {shown(value)}")


_FLAG_SCHEMA = {"enum": [True, False, "yes", "no", "on", "off"]}
Flag = Annotated[bool, Kind(read_flag, or_variable(_FLAG_SCHEMA))]


def read_whole(value: Any, least: int, most: int, unit: str = "") -> int:
    """A whole number within bounds."""
    expected = f"a whole number from {least} to {most}{unit}"
    text = as_text(value, expected).strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise wrong(f"expected {expected}, not {shown(value)}")
    number = int(text)
    if not least <= number <= most:
        raise wrong(f"expected {expected}, not {shown(value)}")
    return number


def whole(least: int, most: int) -> Kind:
    """Whole numbers from `least` to `most`."""
    return Kind(
        partial(read_whole, least=least, most=most),
        or_variable({"type": "integer", "minimum": least, "maximum": most}),
    )


def read_number(value: Any, least: float, most: float) -> float:
    """A number within bounds, with a decimal point if need be."""
    expected = f"a number from {least:g} to {most:g}"
    text = as_text(value, expected).strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?", text):
        raise wrong(f"expected {expected}, not {shown(value)}")
    number = float(text)
    if not least <= number <= most:
        raise wrong(f"expected {expected}, not {shown(value)}")
    return number


def number(least: float, most: float) -> Kind:
    """Numbers from `least` to `most`."""
    return Kind(
        partial(read_number, least=least, most=most),
        or_variable({"type": "number", "minimum": least, "maximum": most}),
    )


def read_choice(value: Any, choices: tuple[str, ...]) -> str:
    """One of a few words."""
    expected = " or ".join(f"“{choice}”" for choice in choices)
    text = as_text(value, expected).strip()
    folded = text.casefold().replace("-", "_")
    if folded in choices:
        return folded
    hint = None if isinstance(value, Confidential) else did_you_mean(text, choices)
    raise wrong(f"expected {expected}, not {shown(value)}", hint)


def choice(*choices: str) -> Kind:
    """One word out of `choices`."""
    return Kind(partial(read_choice, choices=choices), or_variable({"enum": list(choices)}))


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def read_zone(value: Any) -> ZoneInfo:
    """A zone of the tz database such as `Europe/Berlin`."""
    text = as_text(value, "a time zone such as “Europe/Berlin”").strip()
    try:
        return _zone(text)
    except (KeyError, ValueError, OSError):
        zones = {zone.casefold(): zone for zone in available_timezones()}
        hint = None if isinstance(value, Confidential) else _near_zone(text, zones)
        raise wrong(
            f"expected a time zone such as “Europe/Berlin”, not {shown(value)}", hint
        ) from None


def _near_zone(text: str, zones: dict[str, str]) -> str | None:
    folded = text.casefold().replace(" ", "_")
    for name in (folded, *(name for name in zones if name.rpartition("/")[2] == folded)):
        if name in zones:
            return f"did you mean “{zones[name]}”?"
    found = meant(text, zones)
    return f"did you mean “{zones[found]}”?" if found else None


Zone = Annotated[ZoneInfo, Kind(read_zone, or_variable({"type": "string"}))]


def read_language(value: Any) -> str:
    """A language tag (BCP 47) such as `en` or `zh-Hans`."""
    text = as_text(value, "a language such as “en” or “pt-BR”").strip()
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", text):
        raise wrong(f"expected a language such as “en” or “pt-BR”, not {shown(value)}")
    return text.replace("_", "-")


# `no` is Norwegian here, and YAML 1.1 editors take it for a boolean.
_LANGUAGE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$"},
        {"type": "boolean"},
    ]
}
Language = Annotated[str, Kind(read_language, or_variable(_LANGUAGE_SCHEMA))]
Languages = Annotated[
    tuple[Language, ...], BeforeValidator(split_at_commas), or_several(_LANGUAGE_SCHEMA)
]
