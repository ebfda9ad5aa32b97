"""A tree of text against its model: every mistake, in words, at its place."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aggregator.config.document import ListAt, MappingAt
from aggregator.config.models import Auth, Copies, Document, Follow, Group, Related, Stories
from aggregator.config.problems import Place, Problem, did_you_mean
from aggregator.config.values.kinds import shown

G = TypeVar("G", bound=Group)

_INNER: dict[str, type[Group]] = {
    "auth": Auth,
    "copies": Copies,
    "follow_related": Follow,
    "related": Related,
    "stories": Stories,
}
_EXPECTED = {
    "model_type": "a group of settings",
    "dict_type": "a group of settings",
    "list_type": "a list",
    "tuple_type": "a list",
}


def validate(model: type[G], tree: Any, place: Place, path: str) -> tuple[G | None, list[Problem]]:
    """Check one group against its model.

    Args:
        model: what the group should be.
        tree: what stands there.
        place, path: where it stands.

    Returns:
        The group, or None and everything that is wrong with it.
    """
    try:
        return model.model_validate(tree), []
    except ValidationError as error:
        return None, [
            _problem(model, tree, place, path, detail) for detail in error.errors(include_url=False)
        ]


def locate(tree: Any, loc: tuple[int | str, ...], place: Place, path: str) -> tuple[Place, str]:
    """Where the value at `loc` stands, or the nearest value around it, and the path to it."""
    for part in loc:
        if isinstance(tree, MappingAt) and part in tree:
            place, tree = tree.values_at[str(part)], tree[str(part)]
            path = f"{path}.{part}" if path else str(part)
        elif isinstance(tree, ListAt) and isinstance(part, int) and part < len(tree):
            place, tree = tree.places[part], tree[part]
            path = f"{path}[{part}]"
        else:
            break
    return place, path


def _problem(
    model: type[Group], tree: Any, place: Place, path: str, detail: ErrorDetails
) -> Problem:
    loc, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return _unknown(model, tree, place, path, loc)
    place, path = locate(tree, loc, place, path)
    if kind == "missing":
        return Problem(place, path, f"“{loc[-1]}” is missing")
    if kind in _EXPECTED:
        said = f"expected {_EXPECTED[kind]}, not {shown(detail['input'])}"
        return Problem(place, path, said)
    return Problem(place, path, detail["msg"], detail.get("ctx", {}).get("suggestion"))


def _unknown(
    model: type[Group], tree: Any, place: Place, path: str, loc: tuple[int | str, ...]
) -> Problem:
    """A key that is no setting here: what was meant, or where it belongs, or what there is."""
    name = str(loc[-1])
    inner = str(loc[-2]) if len(loc) > 1 else ""
    known = list(_INNER.get(inner, model).model_fields)
    _, path = locate(tree, loc, place, path)
    for part in loc[:-1]:
        tree = tree[part]
    return Problem(
        tree.keys_at[name],
        path,
        "there is no such setting here",
        did_you_mean(name, known) or belongs(name) or f"there are {', '.join(known)}",
    )


def belongs(name: str) -> str | None:
    """Which top-level group has a setting of this name, as a sentence."""
    for group in ("service", "storage", "polling", "fetching", "dedup", "defaults"):
        if name in group_model(group).model_fields:
            return f"“{name}” belongs in “{group}:”"
    return None


def group_model(name: str) -> type[Group]:
    """The model of a top-level group by its name."""
    from aggregator.config import models

    found: type[Group] = getattr(models, name.capitalize())
    return found


TOP_LEVEL = tuple(Document.model_fields)
