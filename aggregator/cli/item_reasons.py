"""The part of `aggregator why` about an item: where it is from, what it is one with, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aggregator.cli.output import escape, iso, print_json, stdout

if TYPE_CHECKING:
    from aggregator.model.pages import DecisionLine
    from aggregator.pipeline.showing.decisions import ItemReasons

_PASSAGE = 240  # characters shown of a shared passage; the item's page has it whole


def print_item(found: ItemReasons, *, json: bool) -> None:
    """Print the reasons for people, or as one JSON object."""
    if json:
        print_json(_item_json(found))
        return
    text = found.text
    stdout.print(f"[bold]item {text.number}[/] {escape(text.title or '(untitled)')}")
    stdout.print(f"  from {escape(text.source_title)}, {escape(text.link or 'without a link')}")
    for source_id, why in found.entries:
        stdout.print(f"  {escape(source_id)}: {escape(why)}")
    for note in found.notes:
        stdout.print(f"  {escape(note)}")
    if found.members:
        numbers = ", ".join(str(number) for number in found.members)
        stdout.print(f"  one text with items {numbers}")
    if not found.decisions:
        stdout.print("  no other text came near it")
    for decision in found.decisions:
        _print_decision(decision)


def _print_decision(decision: DecisionLine) -> None:
    from aggregator.model.meanings import DECIDED

    other = f"item {decision.other_number}" if decision.other_number is not None else ""
    stdout.print(f"[bold]{DECIDED[decision.kind]}[/] {other} {escape(decision.other_title or '')}")
    at = f" ({iso(decision.at)})" if decision.at else ""
    stdout.print(f"  {escape(decision.why)}{at}")
    for label, value in decision.evidence:
        stdout.print(f"    {label}: {escape(value)}")
    for run, shared in decision.sides[0].runs if decision.sides else ():
        if shared:
            passage = " ".join(run.split())
            if len(passage) > _PASSAGE:
                passage = passage[:_PASSAGE] + " …"
            stdout.print(f"    [green]“{escape(passage)}”[/]")


def _item_json(found: ItemReasons) -> dict[str, Any]:
    text = found.text
    return {
        "item": text.number,
        "title": text.title,
        "link": text.link,
        "source": text.source_id,
        "entries": [{"source": source_id, "why": why} for source_id, why in found.entries],
        "notes": list(found.notes),
        "copies": list(found.members),
        "decisions": [
            {
                "kind": one.kind,
                "why": one.why,
                "at": iso(one.at) if one.at else None,
                "other": one.other_number,
                "other_title": one.other_title,
                "evidence": dict(one.evidence),
                "passages": [r for r, shared in one.sides[0].runs if shared] if one.sides else [],
            }
            for one in found.decisions
        ],
    }
