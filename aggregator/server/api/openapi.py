"""The OpenAPI 3.1 document of the API (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aggregator import __version__
from aggregator.model.pages import SourceHealth
from aggregator.server.api.operations import (
    LARGEST_NUMBER,
    OPERATIONS,
    PREFIX,
    Operation,
    Parameter,
    Scope,
)
from aggregator.server.api.problems import MEDIA_TYPE

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_TIME = {"type": "string", "format": "date-time"}
_MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
_COUNT = {"type": "integer", "minimum": 0}
_MAYBE_COUNT = {"type": ["integer", "null"]}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNTED = {
    "items": _COUNT,
    "items_more": {"type": "boolean", "description": "There are more than `items` says."},
}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members)}


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_ITEM = {
    "type": "object",
    "description": "An item of JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/), and: its "
    "number, its page, the id of its source, and when it was first seen.",
    "properties": {
        "number": _COUNT,
        "page": {"type": "string", "format": "uri"},
        "source": _TEXT,
        "first_seen": _TIME,
        "id": _TEXT,
        "url": _TEXT,
        "title": _TEXT,
        "content_html": _TEXT,
        "content_text": _TEXT,
        "summary": _TEXT,
        "date_published": _TIME,
        "date_modified": _TIME,
    },
    "required": ["number", "page", "source", "first_seen", "id", "title", "date_published"],
}
_SOURCE = _object(
    id=_TEXT, title=_TEXT, state={"enum": [str(one) for one in SourceHealth]}, site=_MAYBE_TEXT,
    feed_url=_MAYBE_TEXT, tags=_TEXTS, private={"type": "boolean"}, **_COUNTED,
    last_polled_at=_MAYBE_TIME, last_success_at=_MAYBE_TIME, next_poll_at=_MAYBE_TIME,
    next_reason=_MAYBE_TEXT, next_detail=_MAYBE_TEXT, failures=_COUNT, status=_MAYBE_COUNT,
    error=_MAYBE_TEXT,
)  # fmt: skip

SCHEMAS: dict[str, dict[str, Any]] = {
    "Item": _ITEM,
    "Items": _object(items=_list_of("Item"), next=_MAYBE_TEXT),
    "Coverage": _object(url=_TEXT, title=_MAYBE_TEXT, id=_MAYBE_TEXT, number=_MAYBE_COUNT),
    "ItemDetails": {
        "allOf": [
            _ref("Item"),
            _object(
                views=_TEXTS,
                entries={
                    "type": "array",
                    "items": _object(
                        source=_TEXT, link=_MAYBE_TEXT, first_seen=_TIME, last_seen=_TIME
                    ),
                },
                related={
                    "type": "array",
                    "items": _object(
                        url=_TEXT, title=_MAYBE_TEXT, state=_TEXT, heading=_MAYBE_TEXT,
                        position=_MAYBE_COUNT, reason=_MAYBE_TEXT, number=_MAYBE_COUNT,
                    ),
                },
                revisions={
                    "type": "array",
                    "items": _object(
                        number=_COUNT, at=_TIME, title=_TEXT,
                        changes={
                            "type": "array",
                            "items": {
                                "type": "array",
                                "description": "`=`, `-` or `+`, and the words.",
                                "items": _TEXT,
                            },
                        },
                    ),
                },
                decisions={
                    "type": "array",
                    "items": _object(
                        kind=_TEXT, why=_TEXT, at=_MAYBE_TIME, other=_MAYBE_COUNT,
                        evidence={"type": "object", "additionalProperties": _TEXT},
                    ),
                },
                coverage=_list_of("Coverage"),
            ),
        ]
    },
    "Story": _object(item=_ref("Item"), coverage=_list_of("Coverage")),
    "View": _object(
        id=_TEXT, title=_TEXT, description=_MAYBE_TEXT, updated=_MAYBE_TIME, **_COUNTED,
        feeds={"type": "object", "additionalProperties": _TEXT},
    ),
    "Views": _object(views=_list_of("View")),
    "Source": _SOURCE,
    "Sources": _object(sources=_list_of("Source"), next=_MAYBE_TEXT),
    "SourceDetails": {
        "allOf": [
            _ref("Source"),
            _object(
                views=_TEXTS, notes=_TEXTS, not_before=_TEXTS,
                related={"type": "object", "additionalProperties": _COUNT},
            ),
        ]
    },
    "Poll": _object(
        at=_TIME, outcome=_TEXT, status=_MAYBE_COUNT, error=_MAYBE_TEXT, bytes=_COUNT,
        entries=_COUNT, new_items=_COUNT, changed_items=_COUNT, next_at=_MAYBE_TIME,
        reason=_MAYBE_TEXT,
    ),
    "Polls": _object(polls=_list_of("Poll")),
    "Wish": _object(said=_TEXT, at=_TIME),
    "Done": _object(said=_TEXT),
    "Ready": _object(
        ready={"type": "boolean"},
        checks={
            "type": "array",
            "items": _object(name=_TEXT, fine={"type": "boolean"}, detail=_TEXT),
        },
    ),
    "Problem": {
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "properties": {"type": _TEXT, "title": _TEXT, "status": _COUNT, "detail": _TEXT},
        "required": ["type", "title", "status"],
    },
}  # fmt: skip


def document(url: str) -> dict[str, Any]:
    """The whole document; `url` is the address of the service."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "aggregator",
            "version": __version__,
            "description": "What is stored, why, and the few things that may be changed by hand. "
            "Lists go on at the address in `next`. Within v1, members are added, never taken away.",
        },
        "servers": [{"url": url + PREFIX}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                str(Scope.READ): _bearer(
                    "`service.token`, or the token of a view for what it has."
                ),
                str(Scope.ADMIN): _bearer("`service.admin_token`."),
            },
        },
    }


def _bearer(said: str) -> dict[str, str]:
    return {"type": "http", "scheme": "bearer", "description": said}


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.said,
        "parameters": [_parameter(one) for one in operation.parameters],
        # An open service asks nobody for a token to read.
        "security": [{str(operation.scope): []}, *([{}] if operation.scope is Scope.READ else [])],
        "responses": {
            str(operation.status): {
                "description": "Done.",
                "content": {"application/json": {"schema": _ref(operation.returns)}},
            },
            **{str(status): _problem(status) for status in operation.errors},
        },
    }
    if operation.takes is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": operation.takes}},
        }
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.kind}
    if parameter.values:
        schema["enum"] = list(parameter.values)
    if parameter.kind == "integer":
        schema |= {"minimum": 0, "maximum": LARGEST_NUMBER}
    if parameter.longest is not None:
        schema |= {"minLength": 1, "maxLength": parameter.longest}
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.said,
        "schema": schema,
    }


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
    }
