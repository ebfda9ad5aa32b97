"""Settings back into YAML: quoted so that they are read as they were, by us and by editors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

# What needs no quotes anywhere: begins with a letter or digit and holds nothing YAML reads.
_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./+ -]*(?<! )")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~/?&=%+@:-]*[A-Za-z0-9_~/=-]")
# What YAML 1.1 or 1.2 reads as something else than text, or an editor's schema might.
_NOT_TEXT = re.compile(
    r"y|n|yes|no|on|off|true|false|null|[-+]?[0-9._]*(e[-+]?[0-9]+)?|0[xob][0-9a-f_]+"
    r"|[0-9]+-[0-9]+-[0-9]+.*|[-+]?\.(inf|nan)",
    re.IGNORECASE,
)
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"}


def quote(text: str) -> str:
    """`text` as a YAML scalar that `load_settings` reads as `text`, on one line.

    A `${` in it is escaped, since it stands for itself here. Lone surrogates, which no file can
    hold, become U+FFFD.
    """
    if _PLAIN.fullmatch(text) and not _NOT_TEXT.fullmatch(text):
        return text
    if _ADDRESS.fullmatch(text):
        return text
    escaped = "".join(map(_escape, text.replace("${", "$${")))
    return f'"{escaped}"'


def _escape(character: str) -> str:
    known = _ESCAPES.get(character)
    if known is not None:
        return known
    code = ord(character)
    if 0xD800 <= code < 0xE000:
        return "\N{REPLACEMENT CHARACTER}"
    if character.isprintable():
        return character
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def scalar(value: str | bool | float | int) -> str:
    """A value that is text, a number, or yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return quote(value) if isinstance(value, str) else str(value)


def write_list(name: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """`name:` with a list of groups of settings, such as `sources`.

    Args:
        name: the group.
        entries: the settings of each; a value is text, a number, a bool, or a list of those.
            Empty lists and None are left out.
    """
    if not entries:
        return f"{name}: []\n"
    lines = [f"{name}:"]
    for entry in entries:
        written = [
            f"{key}: {_flow(value) if isinstance(value, list | tuple) else scalar(value)}"
            for key, value in entry.items()
            if value is not None and value not in ([], ())
        ]
        lines += [f"  {'-' if not index else ' '} {line}" for index, line in enumerate(written)]
    return "\n".join(lines) + "\n"


def _flow(values: Sequence[str | bool | float | int]) -> str:
    return f"[{', '.join(map(scalar, values))}]"
