"""How pages are written: Jinja2 with escaping always on, and the few filters the templates use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.responses import HTMLResponse

from aggregator.model.http import FetchError
from aggregator.model.item import ServedItem
from aggregator.model.meanings import DECIDED, HEALTH, TOLD, meaning, sentence
from aggregator.model.pages import MoreThan, SourceHealth, SourceOverview
from aggregator.model.poll import PlanReason
from aggregator.model.settings import Settings
from aggregator.model.states import DecisionKind, ParseFault, PollWord, PushKind
from aggregator.publish.formats import FORMATS
from aggregator.publish.values import excerpt, language_tag, rfc3339, summary_text, web_url
from aggregator.server.access.auth import Access
from aggregator.telemetry.clock import SystemClock

_WEEK = 7 * 86_400  # seconds
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (0, ""))
_FORMAT_NAMES = {"atom": "Atom", "rss": "RSS", "json": "JSON"}


@pass_context
def _when(context: Context, moment: datetime | None) -> Markup:
    """A time in the service's zone, for people and for machines."""
    if moment is None:
        return Markup("never")
    shown = _full(moment, context["zone"])
    return Markup('<time dir="ltr" datetime="{}">{}</time>').format(rfc3339(moment), shown)


@pass_context
def _whenever(context: Context, moment: datetime) -> str:
    """A time in the service's zone, for where no element may stand."""
    return _full(moment, context["zone"])


@pass_context
def _ago(context: Context, moment: datetime) -> Markup:
    """How long ago a time was, within a week; the whole of it for those who point at it."""
    zone: tzinfo = context["zone"]
    seconds = (context["now"] - moment).total_seconds()
    if 0 <= seconds < _WEEK:
        size, unit = next((s, u) for s, u in _UNITS if seconds >= s)
        shown = f"{int(seconds // size)} {unit} ago" if unit else "just now"
    else:
        local = moment.astimezone(zone)
        this_year = local.year == context["now"].astimezone(zone).year
        shown = f"{local.day} {local:%b}" if this_year else f"{local.day} {local:%b %Y}"
    return Markup('<time class="ago" dir="ltr" datetime="{}" title="{}">{}</time>').format(
        rfc3339(moment), _full(moment, zone), shown
    )


def _full(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M} {local.tzname()}"


def _number(value: int) -> str:
    """A number with its thousands set apart; of a count that stopped, what it is more than."""
    return f"more than {value:,}" if isinstance(value, MoreThan) else f"{value:,}"


def _bytes(value: int) -> str:
    """A number of bytes with a unit that people know (powers of 1,000)."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= size:
            number = value / size
            return f"{number:,.1f} {unit}" if number < 10 else f"{number:,.0f} {unit}"
    return f"{value} bytes"


def _day(value: date) -> str:
    return f"{value.day} {value:%b}"


def _capital(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}"


def _told_whom(kind: PushKind) -> str:
    return TOLD[kind]


def _teaser(item: ServedItem) -> str:
    """The summary as text, else the first words."""
    return summary_text(item) or excerpt(item) or ""


def _polled(outcome: str) -> str:
    """How a poll ended, in words."""
    return meaning(outcome, PollWord, FetchError, ParseFault)


def _decided(kind: DecisionKind) -> str:
    """What was decided about two items, as the words on a badge."""
    return sentence(DECIDED[kind])[:-1]


def _planned(reason: str) -> str:
    """Why a source is polled then, as a sentence."""
    return sentence(meaning(reason, PlanReason))


def _rhythm(a_day: float) -> str:
    """How often something new comes, in words."""
    for number, span in ((a_day, "day"), (a_day * 7, "week"), (a_day * 30, "month")):
        if number >= 1.5:
            return f"about {number:,.0f} new a {span}"
    return "less than two new a month"


def _failed(source: SourceOverview) -> str:
    """What is wrong with a source, as a sentence, with what its server said."""
    kind = meaning(source.outcome, FetchError, ParseFault) if source.failures else ""
    # Logs and commands begin with the kind as a name; a page says it in words.
    said = (source.error or "").removeprefix(f"{source.outcome}: ").rstrip(".")
    if not kind or said.casefold().startswith(kind.casefold()):
        return sentence(said)
    return f"{sentence(kind)[:-1]}: {said}." if said else sentence(kind)


def _healthy(health: SourceHealth) -> str:
    """How a source is doing, in words."""
    return HEALTH[health]


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("aggregator.server"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["when"] = _when
    made.filters["ago"] = _ago
    made.filters["whenever"] = _whenever
    made.filters["number"] = _number
    made.filters["bytes"] = _bytes
    made.filters["day"] = _day
    made.filters["capital"] = _capital
    made.filters["told_whom"] = _told_whom
    made.filters["teaser"] = _teaser
    made.filters["polled"] = _polled
    made.filters["decided"] = _decided
    made.filters["planned"] = _planned
    made.filters["healthy"] = _healthy
    made.filters["rhythm"] = _rhythm
    made.filters["failed"] = _failed
    made.filters["web"] = web_url
    made.filters["lang"] = language_tag
    # Sanitised when it was taken in (invariant 10); the page's policy runs no script either way.
    made.filters["sanitised"] = Markup
    return made


_TEMPLATES = _environment()
_CLOCK = SystemClock()


def page(
    template: str,
    settings: Settings,
    access: Access | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page from a template.

    `root` begins links within the site, so that they work whatever host it is reached by;
    `public` (the configured base URL) begins those that people copy into a reader.
    """
    service = settings.service
    context.setdefault("pictured", lambda _: None)  # lists without pictures
    body = _TEMPLATES.get_template(template).render(
        name=service.name,
        root=service.root_path,
        public=service.public_url,
        zone=service.timezone,
        now=_CLOCK.now(),
        formats=_FORMAT_NAMES,
        types={name: fmt.content_type.partition(";")[0] for name, fmt in FORMATS.items()},
        searchable=bool(access and access.may_search),
        tokens=bool(access and access.guards),
        signed_in=bool(access and access.known_tokens()),
        **context,
    )
    return HTMLResponse(
        body, status_code=status, headers={"Cache-Control": "private, no-cache", **(headers or {})}
    )
