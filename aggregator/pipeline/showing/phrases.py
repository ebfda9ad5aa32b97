"""Sentences about plans, pages and subscriptions; `model.meanings` has their words."""

from __future__ import annotations

from aggregator.model.meanings import PLANNED, REFUSED, SUBSCRIBED, meaning, sentence
from aggregator.model.poll import Floor, PlanReason
from aggregator.model.states import Refused, SubscriptionState
from aggregator.store.sources.subscriptions import Subscription


def floor(one: Floor) -> str:
    """A time before which a source is not asked, and why."""
    return f"Until {one.until:%Y-%m-%d %H:%M} UTC: {PLANNED[one.name]}."


def plan(reason: str | None) -> str:
    """Why a source is polled when it is, as one sentence."""
    return sentence(meaning(reason, PlanReason))


def refusal(reason: str | None, detail: str | None) -> str:
    """Why a link is not followed or a page not read, as one sentence."""
    said = sentence(meaning(reason, Refused) if reason else REFUSED[Refused.FAILED])
    return f"{said[:-1]}: {detail.rstrip('.')}." if detail else said


def subscription(one: Subscription) -> str:
    """Where our subscription at the hub of a source stands, as one sentence."""
    said = f"Its hub {one.hub} can tell us at once what is new: {SUBSCRIBED[one.state]}"
    if one.detail:
        said += f" ({one.detail})"
    if one.state is SubscriptionState.ACTIVE and one.lease_until:
        said += f", until {one.lease_until:%Y-%m-%d %H:%M} UTC; {one.pushes} deliveries so far"
    return f"{said}."
