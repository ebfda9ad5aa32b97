"""What an address asks for: a query, a mode; and the address of the same, or of less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from starlette.requests import Request

from aggregator.model.item import ServedItem
from aggregator.model.pages import Asked
from aggregator.model.settings import Settings, SourceSettings, ViewMode, ViewSettings
from aggregator.publish.formats import FORMATS
from aggregator.publish.values import language_tag
from aggregator.queries.canonical import text_of
from aggregator.queries.parse import LONGEST, QueryError, parse
from aggregator.queries.tree import And, Node

OFF = (
    "Searching is off: it is on where service.token guards everything, or with "
    "service.search: everywhere."
)
_MODES = {
    ViewMode.ARTICLES: ("Articles", "Every article by itself, copies too"),
    ViewMode.UNIQUE: ("Texts", "Copies of one text are one item"),
    ViewMode.STORIES: ("Stories", "All tellings of one event are one item"),
}
_OFFERED = 8  # values of one kind
_ONE_AT_A_TIME = ("source:", "lang:")  # an item is hardly ever of two


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes what is shown; `on`: it holds now, and the link takes it back."""

    label: str
    href: str
    on: bool = False
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """The values of one kind that the items shown have."""

    name: str
    choices: tuple[Choice, ...]


def read_asked(request: Request, view: ViewSettings) -> Asked:
    """What of a view a request asks for. Raises QueryError, and ValueError for another mode."""
    text = request.query_params.get("q", "").strip()
    query = text_of(parse(text)) if text else None
    return Asked(view.id, query, read_mode(request, view.mode), usual=view.mode)


def read_mode(request: Request, usual: ViewMode) -> ViewMode:
    """The mode that is asked for, else the usual one. Raises ValueError for any other word."""
    given = request.query_params.get("mode", usual)
    if given not in list(ViewMode):
        raise ValueError(f"mode is one of {', '.join(ViewMode)}, not {given[:100]!r}")
    return ViewMode(given)


def page_path(name: str) -> str:
    """Where the page of a view, a source, a tag or a search is."""
    kind, _, rest = name.partition("/")
    if not rest:
        return "/search" if name == "search" else f"/views/{name}"
    return f"/tags/{quote(rest)}" if kind == "tag" else f"/sources/{rest}/items"


def page_address(root: str, asked: Asked, before: str | None = None) -> str:
    """The address of a page of what is asked for."""
    further = urlencode(asked.parameters | ({"before": before} if before else {}))
    return f"{root}{page_path(asked.name)}{'?' if further else ''}{further}"


def feed_addresses(public: str, asked: Asked) -> dict[str, str]:
    """Exactly what is asked for as feeds, by format."""
    further = urlencode(asked.parameters)
    base = f"{public}/feeds/{quote(asked.name)}"
    return {fmt: f"{base}.{fmt}{'?' if further else ''}{further}" for fmt in FORMATS}


def modes(root: str, asked: Asked) -> tuple[Choice, ...]:
    """The switch between articles, texts and stories."""
    return tuple(
        Choice(label, page_address(root, replace(asked, mode=mode)), mode is asked.mode, title)
        for mode, (label, title) in _MODES.items()
    )


class Filters:
    """Links that narrow what is shown, by what the items shown have."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._sources: dict[str, SourceSettings] = {}

    def of(
        self, root: str, asked: Asked, items: Sequence[ServedItem], settings: Settings
    ) -> tuple[Filter, ...]:
        """Filters by media, tag, language and source; one that holds can be taken back."""
        if self._settings is not settings:
            self._sources = {source.id: source for source in settings.sources}
            self._settings = settings
        held = _conditions(asked.query)
        titles = {item.source.id: item.source.title for item in items}
        tags = (tag for item in items for tag in self._tags(item))
        kinds = (
            ("Media", [(f"has:{kind}", kind) for kind in _most(_media(items))]),
            ("Tag", [(_condition("tag", tag), tag) for tag in _most(tags)]),
            ("Language", [(f"lang:{lang}", lang) for lang in _most(_languages(items))]),
            (
                "Source",
                [
                    (_condition("source", name), titles[name])
                    for name in _most(item.source.id for item in items)
                ],
            ),
        )
        found = []
        for name, offered in kinds:
            choices = [
                Choice(label, page_address(root, wanted), condition in held)
                for condition, label in offered
                if (wanted := _changed(asked, held, condition)) is not None
            ]
            if any(one.on for one in choices) or len(choices) > (0 if name == "Media" else 1):
                found.append(Filter(name, tuple(choices)))
        return tuple(found)

    def held(self, root: str, asked: Asked) -> tuple[Choice, ...]:
        """What has to hold, each with the address without it."""
        held = _conditions(asked.query)
        return tuple(
            Choice(one, page_address(root, replace(asked, query=_joined(held, without=one))), True)
            for one in held
        )

    def _tags(self, item: ServedItem) -> tuple[str, ...]:
        source = self._sources.get(item.source.id)
        return source.tags if source else ()


def _changed(asked: Asked, held: Sequence[str], condition: str) -> Asked | None:
    """The same with the condition, or without it where it holds; None where that is too long."""
    if not condition:
        return None
    if condition in held:
        return replace(asked, query=_joined(held, without=condition))
    kind = next((one for one in _ONE_AT_A_TIME if condition.startswith(one)), None)
    kept = [one for one in held if kind is None or not one.startswith(kind)]
    try:
        query = text_of(parse(" ".join([*(f"({one})" for one in kept), condition])))
    except QueryError:
        return None
    return replace(asked, query=query) if len(query) <= LONGEST else None


def _conditions(query: str | None) -> list[str]:
    """What has to hold all at once, each as canonical text."""
    if query is None:
        return []
    tree = parse(query)
    nodes: Iterable[Node] = tree.nodes if isinstance(tree, And) else (tree,)
    return [text_of(node) for node in nodes]


def _joined(held: Sequence[str], *, without: str) -> str | None:
    kept = " ".join(f"({one})" for one in held if one != without)
    return text_of(parse(kept)) if kept else None


def _condition(field: str, value: str) -> str:
    try:
        return text_of(parse(f'{field}:"{value}"'))
    except QueryError:  # a name that the language cannot say
        return ""


def _media(items: Sequence[ServedItem]) -> Iterable[str]:
    for item in items:
        if item.image:
            yield "image"
        yield from {
            kind
            for file in item.enclosures
            if (kind := (file.type or "").partition("/")[0]) in ("audio", "video")
        }


def _languages(items: Sequence[ServedItem]) -> Iterable[str]:
    for item in items:
        if tag := language_tag(item.language):
            yield tag.partition("-")[0].lower()


def _most(values: Iterable[str]) -> list[str]:
    return [value for value, _ in Counter(values).most_common(_OFFERED)]
