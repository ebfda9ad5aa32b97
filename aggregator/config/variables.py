"""`${NAME}`, `${NAME:-default}` and `${file:/path}` in values, and the memory of what came so.

A value with a variable in it becomes `Confidential`: it may be a secret, so no message shows it,
and a source whose address holds one is private unless the operator says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from aggregator.config.problems import Place, Problem, meant
from aggregator.config.regular_file import read_regular

MAX_SECRET_BYTES = 64 * 1024

_VARIABLE = re.compile(r"\$(\$?)\{([^}]*)(\}?)")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class Confidential(str):
    """Text in which `values` came from the environment or a file."""

    values: tuple[str, ...]

    def __new__(cls, text: str, values: tuple[str, ...]) -> Confidential:
        made = super().__new__(cls, text)
        made.values = values
        return made


def expander(
    environ: Mapping[str, str],
    folder: Path,
    problems: list[Problem],
    files: list[str],
) -> Callable[[str, Place, str], str]:
    """A function that fills in the variables of one scalar: `(text, place, path) -> text`.

    Args:
        environ: where names are looked up.
        folder: what `${file:…}` is relative to.
        problems: an unset name or unreadable file is added here; its value is then empty.
        files: every secret file that was read is added here, for watching.
    """

    def expand(text: str, place: Place, path: str) -> str:
        values: list[str] = []

        def fill(match: re.Match[str]) -> str:
            escaped, inner, closed = match.groups()
            if escaped:
                return match.group(0)[1:]
            value, problem, suggestion = _look_up(inner, closed, environ, folder, files)
            if problem is not None:
                problems.append(Problem(place, path, problem, suggestion))
            values.append(value)
            return value

        filled = _VARIABLE.sub(fill, text)
        return Confidential(filled, tuple(values)) if values else filled

    return expand


def values_in(text: str, environ: Mapping[str, str], folder: Path) -> set[str]:
    """What the variables in the text of a configuration file stand for, found by `expander`'s rule.

    Args:
        text: the file's, comments and all.
        environ: where names are looked up.
        folder: what `${file:…}` is relative to.
    """
    found = (
        _look_up(inner, closed, environ, folder, [])[0]
        for escaped, inner, closed in _VARIABLE.findall(text)
        if not escaped
    )
    return {value for value in found if value}


def _look_up(
    inner: str, closed: str, environ: Mapping[str, str], folder: Path, files: list[str]
) -> tuple[str, str | None, str | None]:
    """The value of one variable, and what is wrong with it, and what would help."""
    if not closed:
        return "", "“${” is not closed by “}”", "write “$${” for the two characters themselves"
    if inner.startswith("file:"):
        return *_read_secret(folder / inner.removeprefix("file:"), files), None
    match = _NAME.fullmatch(inner)
    if match is None:
        return (
            "",
            "“${…}” takes the name of an environment variable or “file:” and a path",
            "write “$${” for the two characters themselves",
        )
    name, default = match.groups()
    value = environ.get(name, "")
    if value or (name in environ and default is None):
        return value, None, None
    if default is not None:
        return default, None, None
    return (
        "",
        f"the environment variable “{name}” is not set",
        did_you_mean_variable(name, environ) or f"“${{{name}:-…}}” gives a default",
    )


def did_you_mean_variable(name: str, environ: Mapping[str, str]) -> str | None:
    """A variable that is set and that `name` was probably meant to be, as a sentence."""
    folded = {other.casefold(): other for other in environ}
    near = meant(name, folded)
    return f"did you mean “{folded[near]}”?" if near else None


def _read_secret(path: Path, files: list[str]) -> tuple[str, str | None]:
    """A secret file's text without the line end that editors and `echo` add."""
    files.append(str(path))
    try:
        data = read_regular(path, MAX_SECRET_BYTES + 1)
    except OSError as error:
        return "", f"cannot read the file “{path}”: {error.strerror}"
    if len(data) > MAX_SECRET_BYTES:
        return "", f"the file “{path}” is larger than {MAX_SECRET_BYTES // 1024} KiB"
    try:
        return data.decode("utf-8-sig").rstrip("\r\n"), None
    except UnicodeDecodeError:
        return "", f"the file “{path}” is not UTF-8 text"
