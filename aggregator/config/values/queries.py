"""Queries and templates, read with the configuration, so that a mistake in one has its place."""

from __future__ import annotations

from typing import Annotated, Any

from aggregator.config.values.kinds import Kind, as_text, wrong
from aggregator.config.values.plain import TEXT_SCHEMA
from aggregator.publish.template import BadTemplate, parse_template
from aggregator.queries.canonical import text_of
from aggregator.queries.parse import QueryError, Use, parse

_LONGEST_TEMPLATE = 4000  # characters


def _read(value: Any, use: Use) -> str:
    """The canonical text of a query."""
    try:
        return text_of(parse(as_text(value, "a query"), use))
    except QueryError as error:
        raise wrong(f"{error.message}, at column {error.column} of the query") from error


def read_query(value: Any) -> str:
    """A query that an index answers."""
    return _read(value, Use.SEARCH)


def read_condition(value: Any) -> str:
    """A query of a rule, which may ask for regular expressions, links and categories."""
    return _read(value, Use.RULE)


def read_prefix(value: Any) -> str:
    """The beginning of a title, with the space that ends it."""
    text = as_text(value)
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise wrong("expected the beginning of a title: one line, at most 200 characters")
    return str(text)


def read_template(value: Any) -> str:
    """A template of a webhook: JSON whose strings may hold placeholders."""
    text = as_text(value, "a template").strip()
    if len(text) > _LONGEST_TEMPLATE:
        raise wrong(f"longer than {_LONGEST_TEMPLATE} characters")
    try:
        parse_template(text)
    except BadTemplate as error:
        raise wrong(
            str(error), 'write JSON in single quotes: \'{"text": "{title} {link}"}\''
        ) from None
    return str(text)


Prefix = Annotated[str, Kind(read_prefix, TEXT_SCHEMA)]
Query = Annotated[str, Kind(read_query, TEXT_SCHEMA)]
Condition = Annotated[str, Kind(read_condition, TEXT_SCHEMA)]
Template = Annotated[str, Kind(read_template, {"type": "string"})]
