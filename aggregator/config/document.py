"""One YAML file as plain text values in lists and mappings that know where they stand.

PyYAML's C composer gives nodes with marks. Scalars stay text: `no`, `12:30` and `0x1F` mean what
stands there until a setting says which kind of value it wants. Only an empty value, `~` and
`null` are None. A configuration may be written by somebody else, so size, depth and the growth
through aliases are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml

from aggregator.config.problems import ConfigError, Place, Problem

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40
MAX_ALIASED = 20_000  # nodes reached again through an alias, besides as many as the file has

_PREFIX = "tag:yaml.org,2002:"
_NULL, _MERGE = _PREFIX + "null", _PREFIX + "merge"
_PLAIN_TAGS = {
    _PREFIX + name
    for name in ("str", "null", "merge", "int", "float", "bool", "timestamp", "value", "map", "seq")
}


class MappingAt(dict[str, Any]):
    """A mapping that remembers where it, its keys and its values stand."""

    __slots__ = ("keys_at", "place", "values_at")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.keys_at: dict[str, Place] = {}
        self.values_at: dict[str, Place] = {}


class ListAt(list[Any]):
    """A list that remembers where it and its elements stand."""

    __slots__ = ("place", "places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []


class _TooDeep(yaml.MarkedYAMLError):
    """More levels than any configuration has."""


class _Composer(yaml.CSafeLoader):
    """Composes nodes, resolving only nulls and merge keys, and refuses to go too deep.

    The composer is recursive C code: a hundred thousand `[` would end the process. It tells its
    resolver about every step down and up, and that is where the depth is counted.
    """

    _depth = 0

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:  # noqa: ARG002
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = current_node.start_mark if current_node is not None else None
            raise _TooDeep(None, None, f"nested more than {MAX_DEPTH} levels deep", mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


# For each first character, only the resolvers of null and `<<`.
_Composer.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    if (kept := [(tag, pattern) for tag, pattern in resolvers if tag in (_NULL, _MERGE)])
}


def decode(data: bytes, file: str) -> str:
    """The text of a configuration file, without its byte order mark.

    Raises:
        ConfigError: when it is too large or no UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise _refusal(Place(file), f"larger than {MAX_BYTES // 2**20} MiB", None)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refusal(Place(file, 1, 1), "is UTF-16", "save the file as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        raise _refusal(
            Place(file, line, column), "is not UTF-8 here", "save the file as UTF-8"
        ) from None


def read_document(
    data: bytes, file: str, expand: Callable[[str, Place, str], str], problems: list[Problem]
) -> MappingAt | None:
    """Read one file into a tree of `MappingAt`, `ListAt`, `str` and None.

    Args:
        data: the file's bytes.
        file: its name in messages.
        expand: gives the text of a scalar with its variables filled in (text, place, path).
        problems: mistakes that leave the rest readable (duplicate keys ...) are added here.

    Returns:
        The top mapping, None when the file holds no value at all.

    Raises:
        ConfigError: when the file is no YAML or no mapping.
    """
    text = decode(data, file)
    try:
        node = yaml.compose(text, Loader=_Composer)
    except yaml.YAMLError as error:
        raise ConfigError([explain(error, file, text)]) from None
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == _NULL):
        return None
    if not isinstance(node, yaml.MappingNode):
        raise _refusal(
            _place(node, file),
            "the file must hold settings such as “sources:”, not a "
            + ("list" if isinstance(node, yaml.SequenceNode) else "single value"),
            "put “sources:” above the list" if isinstance(node, yaml.SequenceNode) else None,
        )
    reader = _Reader(file, expand, problems)
    return reader.mapping(node, "")


class _Reader:
    """Turns nodes into the tree; knows the file and what has been visited."""

    def __init__(
        self, file: str, expand: Callable[[str, Place, str], str], problems: list[Problem]
    ) -> None:
        self._file = file
        self._expand = expand
        self._problems = problems
        self._open: set[int] = set()  # collections being read: an alias to one is a circle
        self._seen: set[int] = set()
        self._again = 0

    def value(self, node: yaml.Node, path: str) -> Any:
        if node.tag not in _PLAIN_TAGS:
            self._say(node, path, f"the YAML tag “{_tag(node.tag)}” is not supported", None)
            return None
        if isinstance(node, yaml.ScalarNode):
            if node.tag == _NULL:
                return None
            text = node.value
            return self._expand(text, _place(node, self._file), path) if "$" in text else text
        self._count(node)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        return self._list(node, path)

    def mapping(self, node: yaml.MappingNode, path: str) -> MappingAt:
        self._enter(node)
        tree = MappingAt(_place(node, self._file))
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged.append(value_node)
                continue
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _NULL:
                self._say(key_node, path, "the name of a setting must be plain text", None)
                continue
            key: str = key_node.value
            below = f"{path}.{key}" if path else key
            place = _place(key_node, self._file)
            if key in tree.keys_at:
                first = tree.keys_at[key]
                self._say(
                    key_node, below, f"“{key}” stands twice in one place, first in {first}", None
                )
                continue
            tree.keys_at[key] = place
            tree.values_at[key] = _place(value_node, self._file)
            tree[key] = self.value(value_node, below)
        for value_node in merged:
            self._merge(tree, value_node, path)
        self._open.discard(id(node))
        return tree

    def _merge(self, tree: MappingAt, node: yaml.Node, path: str) -> None:
        """`<<`: fill in what the mapping does not say itself; the earlier of several wins."""
        given = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for one in given:
            if not isinstance(one, yaml.MappingNode):
                self._say(one, path, "“<<” takes a mapping, or a list of mappings", None)
                continue
            self._count(one)
            other = self.mapping(one, path)
            for key, value in other.items():
                if key not in tree:
                    tree[key] = value
                    tree.keys_at[key] = other.keys_at[key]
                    tree.values_at[key] = other.values_at[key]

    def _list(self, node: yaml.Node, path: str) -> ListAt:
        self._enter(node)
        tree = ListAt(_place(node, self._file))
        for index, child in enumerate(node.value):
            tree.append(self.value(child, f"{path}[{index}]"))
            tree.places.append(_place(child, self._file))
        self._open.discard(id(node))
        return tree

    def _enter(self, node: yaml.Node) -> None:
        if id(node) in self._open:
            raise _refusal(_place(node, self._file), "an alias (“*”) contains itself", None)
        if len(self._open) >= MAX_DEPTH:  # aliases of aliases go deeper than the text
            raise _refusal(
                _place(node, self._file), f"nested more than {MAX_DEPTH} levels deep", None
            )
        self._open.add(id(node))

    def _count(self, node: yaml.Node) -> None:
        """Bound what aliases multiply to: ten lines can ask for a thousand million nodes."""
        if id(node) not in self._seen:
            self._seen.add(id(node))
            return
        self._again += 1 + len(node.value)
        if self._again > MAX_ALIASED + 10 * len(self._seen):
            raise _refusal(
                _place(node, self._file), "aliases (“*”) multiply to too many values", None
            )

    def _say(self, node: yaml.Node, path: str, message: str, suggestion: str | None) -> None:
        self._problems.append(Problem(_place(node, self._file), path, message, suggestion))


def _place(node: yaml.Node, file: str) -> Place:
    mark = node.start_mark
    return Place(file, mark.line + 1, mark.column + 1)


def _tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag


def _refusal(place: Place, message: str, suggestion: str | None) -> ConfigError:
    return ConfigError([Problem(place, "", message, suggestion)])


# What libyaml says, what that means, and what usually helps.
_EXPLANATIONS = (
    (
        "mapping values are not allowed",
        "a “:” stands where no setting can begin",
        "put quotes around a value that contains “: ”, or check the indentation",
    ),
    (
        "expected alphabetic or numeric",
        "“*” and “&” begin an alias or an anchor",
        "put quotes around a value that begins with “*” or “&”",
    ),
    (
        "undefined alias",
        "no anchor (“&”) of this name stands above",
        "put quotes around a value that begins with “*”",
    ),
    ("scanning a quoted scalar", "a quotation mark is not closed", None),
    ("unknown escape", "“\\” begins an escape here", "use single quotes around the value"),
    (
        "single document",
        "a second document (“---”) begins here",
        "keep one document a file; “include:” joins several files",
    ),
    ("parsing a flow sequence", "“[” is not closed before this", None),
    (
        "parsing a flow mapping",
        "“{” is not closed before this",
        "put quotes around a “${…}” that stands within “{ }”",
    ),
    (
        "parsing a block",
        "the indentation does not fit what stands above",
        "begin the settings of one group in the same column",
    ),
    ("could not find expected ':'", "a “:” is missing after the name of a setting", None),
    ("duplicate anchor", "an anchor (“&”) of this name stands above already", None),
)


def explain(error: yaml.YAMLError, file: str, text: str) -> Problem:
    """A YAML error in words for a person, at the place where the file goes wrong."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: int(error.position)]
        place = Place(file, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)
        return Problem(place, "", "a control character stands here", "remove it")
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(Place(file), "", f"is no YAML ({error})")
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark is not None else Place(file)
    said = f"{error.context or ''} {error.problem or ''}".strip()
    if isinstance(error, _TooDeep):
        return Problem(place, "", said)
    if "cannot start any token" in said:
        return _bad_start(place, text)
    for words, message, suggestion in _EXPLANATIONS:
        if words in said:
            if words == "scanning a quoted scalar" and error.context_mark is not None:
                opened = error.context_mark  # where it opened says more than the end of the file
                place = Place(file, opened.line + 1, opened.column + 1)
            return Problem(place, "", message, suggestion)
    return Problem(place, "", f"is no YAML: {said}")


def _bad_start(place: Place, text: str) -> Problem:
    lines: Iterator[str] = (
        line for number, line in enumerate(text.split("\n"), 1) if number == place.line
    )
    character = next(lines, "")[place.column - 1 : place.column]
    if character == "\t":
        return Problem(
            place, "", "a tab stands here", "YAML is indented with spaces only: replace the tabs"
        )
    return Problem(
        place,
        "",
        f"no value can begin with “{character}”",
        "put quotes around the value",
    )
