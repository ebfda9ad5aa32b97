"""The configuration file and everything it includes, read into trees."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aggregator.config.document import MAX_BYTES, ListAt, MappingAt, read_document
from aggregator.config.problems import ConfigError, Place, Problem
from aggregator.config.regular_file import read_regular
from aggregator.config.validate import locate
from aggregator.config.values.kinds import shown
from aggregator.config.variables import Confidential, expander

MAX_FILES = 1000
_HANDED_OVER = (("/", "dev"), ("/", "proc"))  # `--config <(…)`, a pipe that the shell holds open


@dataclass
class FilesRead:
    """What was read: a tree for each file in the order of reading, and what was found on the way.

    `watch` holds every file that counts (secret files too) and every folder where a file that a
    pattern of `include:` names may appear.
    """

    trees: list[MappingAt] = field(default_factory=list)
    watch: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def read_files(path: Path, environ: Mapping[str, str]) -> FilesRead:
    """Read `path` and, depth first, what it includes. Never raises: see `FilesRead.problems`."""
    read = FilesRead()
    tree = _read(path, Place(str(path)), "", read, environ, ())
    if tree is None and not read.problems:
        read.problems.append(
            Problem(
                Place(str(path)),
                "",
                "the file is empty",
                "“aggregator init” writes one to start from",
            )
        )
    return read


def _read(
    path: Path,
    asked_at: Place,
    asked_by: str,
    read: FilesRead,
    environ: Mapping[str, str],
    above: tuple[Path, ...],
) -> MappingAt | None:
    """One file and what it includes. `above` are the files being read, the outermost first."""
    read.watch.append(str(path))
    data = _bytes(path, asked_at, asked_by, read.problems)
    if data is None:
        return None
    expand = expander(environ, path.parent, read.problems, read.watch)
    try:
        tree = read_document(data, str(path), expand, read.problems)
    except ConfigError as error:
        read.problems.extend(error.problems)
        return None
    if tree is None:
        return None
    read.trees.append(tree)
    for pattern, place, at in _patterns(tree, read.problems):
        for found in _matches(path, pattern, place, at, read):
            _include(found, place, at, read, environ, (*above, path.resolve()))
    return tree


def _include(
    path: Path,
    place: Place,
    at: str,
    read: FilesRead,
    environ: Mapping[str, str],
    above: tuple[Path, ...],
) -> None:
    real = path.resolve()
    if real in above:
        chain = " includes ".join(str(p.name) for p in (*above[above.index(real) :], real))
        read.problems.append(Problem(place, at, f"files include each other in a circle: {chain}"))
    elif str(path) in read.watch:
        return  # reached before by another way: its sources are there already
    elif len(read.watch) >= MAX_FILES:
        read.problems.append(Problem(place, at, f"more than {MAX_FILES} files"))
    elif _read(path, place, at, read, environ, above) is None and not read.problems:
        read.warnings.append(Problem(Place(str(path)), "", "the included file is empty"))


def _bytes(path: Path, place: Place, at: str, problems: list[Problem]) -> bytes | None:
    """The bytes of a file; at most one more than are allowed, so that a device cannot fill us."""
    try:
        if not at and path.parts[:2] in _HANDED_OVER:
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        return read_regular(path, MAX_BYTES + 1)
    except FileNotFoundError:
        said, help_ = "there is no such file", "“aggregator init” writes one to start from"
    except IsADirectoryError:
        said, help_ = "is a folder, not a file", "name the file in it"
    except PermissionError:
        said, help_ = "may not be read by this user", "check its owner and permissions"
    except OSError as error:
        said, help_ = f"cannot be read: {error.strerror}", ""
    if at:
        problems.append(Problem(place, at, f"“{path}”: {said}"))
    else:
        problems.append(Problem(place, at, said, help_ or None))
    return None


def _patterns(tree: MappingAt, problems: list[Problem]) -> list[tuple[str, Place, str]]:
    """What `include:` says: pattern, place and path of each."""
    given: Any = tree.get("include")
    if given is None:
        return []
    wanted: list[tuple[Any, tuple[int | str, ...]]] = (
        [(one, ("include", index)) for index, one in enumerate(given)]
        if isinstance(given, ListAt)
        else [(given, ("include",))]
    )
    patterns = []
    for pattern, loc in wanted:
        place, at = locate(tree, loc, tree.place, "")
        if isinstance(pattern, Confidential):  # the names of files are shown, on pages too
            problems.append(Problem(place, at, "the name of a file takes no variables"))
        elif isinstance(pattern, str) and pattern.strip():
            patterns.append((pattern.strip(), place, at))
        else:
            said = f"expected the name of a file or a pattern, not {shown(pattern)}"
            problems.append(Problem(place, at, said))
    return patterns


def _matches(path: Path, pattern: str, place: Place, at: str, read: FilesRead) -> list[Path]:
    """The files that `pattern` names, relative to the folder of `path`, in order of their names."""
    folder = path.parent
    if not glob.has_magic(pattern):
        return [folder / pattern]
    for base in _folders(folder, pattern):
        if str(base) not in read.watch:
            read.watch.append(str(base))
    names = sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207
    found = [folder / name for name in names if (folder / name).is_file()]
    if not found:
        read.warnings.append(Problem(place, at, f"no file matches “{pattern}”"))
    return found


def _folders(folder: Path, pattern: str) -> list[Path]:
    """The existing folders in which a file matching `pattern` may appear."""
    parent = str(Path(pattern).parent)
    if not glob.has_magic(parent):
        return [folder / parent] if (folder / parent).is_dir() else []
    matched = sorted(glob.glob(parent, root_dir=folder, recursive=True))  # noqa: PTH207
    return [folder / name for name in matched if (folder / name).is_dir()]
