"""What the API can do: one table, of which the routes and the OpenAPI document are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aggregator.model.pages import SourceHealth
from aggregator.queries.parse import LONGEST

PREFIX = "/api/v1"
LARGEST_NUMBER = 2**63 - 1  # of an item


class Scope(StrEnum):
    """Which token an operation needs, where tokens are configured."""

    READ = "read"  # `service.token`, that of a view for what the view shows, or the admin token
    ADMIN = "admin"  # `service.admin_token`, always


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something in the path or the query; `kind` and `values` are JSON Schema's type and enum."""

    name: str
    said: str
    place: str = "query"
    kind: str = "string"
    values: tuple[str, ...] = ()
    required: bool = False
    longest: int | None = None  # characters


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path.

    `returns` names a schema of `openapi.SCHEMAS`; `errors` are statuses answered with a problem.
    `takes` is the JSON Schema of a body.
    """

    name: str
    method: str
    path: str
    said: str
    returns: str
    parameters: tuple[Parameter, ...] = ()
    scope: Scope = Scope.READ
    status: int = 200
    errors: tuple[int, ...] = (401, 503)
    takes: dict[str, Any] | None = None


def _in_path(name: str, said: str, kind: str = "string") -> Parameter:
    return Parameter(name, said, "path", kind, required=True)


_VIEW = _in_path("view", "The id of a view.")
_SOURCE = _in_path("source", "The id of a source.")
_NUMBER = _in_path("number", "The number of an item.", "integer")
_BEFORE = Parameter("before", "Goes on from a page: what its `next` says.")
_QUERY = Parameter("q", "The query, in the language of views.", required=True, longest=LONGEST)
_ASKED = (400, 401, 404, 503)
_NAMED = (401, 404, 503)
_CHANGED = (401, 404, 503)

OPERATIONS = (
    Operation("views", "GET", "/views", "The merged feeds that may be read.", "Views"),
    Operation("view", "GET", "/views/{view}", "One merged feed.", "View", (_VIEW,), errors=_NAMED),
    Operation(
        "view_items", "GET", "/views/{view}/items", "The items of a view, newest first.", "Items",
        (_VIEW, _BEFORE), errors=_NAMED,
    ),
    Operation(
        "sources", "GET", "/sources", "The sources by id, a hundred at a time.", "Sources",
        (
            Parameter("after", "Goes on after this id."),
            Parameter("state", "Those in this state only.", values=tuple(SourceHealth)),
        ),
        errors=(400, 401, 503),
    ),
    Operation(
        "source", "GET", "/sources/{source}", "One source, and the reasons for its state.",
        "SourceDetails", (_SOURCE,), errors=_NAMED,
    ),
    Operation(
        "source_polls", "GET", "/sources/{source}/polls", "Its last polls, the newest first.",
        "Polls", (_SOURCE,), errors=_NAMED,
    ),
    Operation(
        "source_items", "GET", "/sources/{source}/items", "Its latest items, the newest first.",
        "Items", (_SOURCE,), errors=_NAMED,
    ),
    Operation(
        "poll_source", "POST", "/sources/{source}/poll",
        "Poll a source now. What its host demands and the smallest time between two polls hold.",
        "Wish", (_SOURCE,), Scope.ADMIN, 202, _NAMED,
    ),
    Operation(
        "item", "GET", "/items/{number}", "One item with everything decided about it.",
        "ItemDetails", (_NUMBER,), errors=_NAMED,
    ),
    Operation(
        "item_story", "GET", "/items/{number}/story", "Other items about the same event.", "Story",
        (_NUMBER,), errors=_NAMED,
    ),
    Operation(
        "split_item", "POST", "/items/{number}/split",
        "Take an item out of its group of copies, for good.", "Done", (_NUMBER,), Scope.ADMIN,
        errors=_CHANGED,
    ),
    Operation(
        "merge_items", "POST", "/items/{number}/merge",
        "Make two items copies of each other, for good.", "Done", (_NUMBER,), Scope.ADMIN,
        errors=(400, *_CHANGED),
        takes={
            "type": "object",
            "properties": {"with": {"type": "integer", "minimum": 1, "maximum": LARGEST_NUMBER}},
            "required": ["with"],
        },
    ),
    Operation(
        "search", "GET", "/search", "What a query finds, newest first.", "Items",
        (_QUERY, _BEFORE),
        errors=(400, 401, 403, 404, 503),
    ),
    Operation("status", "GET", "/status", "Whether the service can do its work.", "Ready"),
)  # fmt: skip
