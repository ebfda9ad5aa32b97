"""The licences of what is shipped, each with its texts.

    python packaging/licences.py [FILE] [--brief] [--into PATH]

FILE is a locked requirements file that says which distributions count; without it all that are
installed do. Needs nothing but the standard library: the image's build runs it. Ends with 1, and
writes nothing, where a distribution comes without the text of its licence.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

_TEXT = re.compile(r"(?:licen[cs]es?|copying|notice)(?![a-z])", re.IGNORECASE)
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)


@dataclass(frozen=True)
class Licence:
    """What a distribution says of its licence; `texts` by the name of their file."""

    name: str
    version: str
    says: str
    texts: dict[str, str]


def required(locked: str) -> set[str]:
    """The names that a locked requirements file pins, in one spelling (PEP 503)."""
    return {_spelled(name) for name in _NAME.findall(locked)}


def licences(names: set[str] | None) -> list[Licence]:
    """Of the installed distributions with these names, of all without."""
    found = {_spelled(one.name): one for one in distributions()}
    return [_licence(found[name]) for name in sorted(found) if names is None or name in names]


def document(found: list[Licence], *, brief: bool) -> str:
    """A line for each, and the texts after them unless it is to be brief."""
    lines = [f"{one.name} {one.version}: {one.says}" for one in found]
    if not brief:
        for one in found:
            for name, text in one.texts.items():
                lines += ["", "=" * 80, f"{one.name} {one.version}: {name}", "=" * 80, "", text]
    return "\n".join(lines) + "\n"


def _licence(one: Distribution) -> Licence:
    told = one.metadata
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in told.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    free = (told.get("License") or "").strip()
    free = free if len(free.splitlines()) == 1 else ""  # some put the whole text there
    says = told.get("License-Expression") or free or ", ".join(classifiers) or "see its text"
    texts = {}
    for file in one.files or ():
        path = Path(str(one.locate_file(file)))
        if _TEXT.match(file.name) and file.suffix not in (".py", ".pyc") and path.is_file():
            texts[str(file)] = path.read_text("utf-8", errors="replace").rstrip()
    return Licence(one.name, one.version, says, texts)


def _spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Print or write the list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--brief", action="store_true", help="without the texts")
    parser.add_argument("--into", type=Path, help="a file instead of the screen")
    asked = parser.parse_args()
    found = licences(required(asked.file.read_text("utf-8")) if asked.file else None)
    without = [one.name for one in found if not one.texts]
    if without:
        print(f"no licence text comes with: {', '.join(without)}", file=sys.stderr)
        return 1
    written = document(found, brief=asked.brief)
    if asked.into:
        asked.into.parent.mkdir(parents=True, exist_ok=True)
        asked.into.write_text(written, "utf-8")
    else:
        sys.stdout.write(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
