"""The dashboard, the alert rules and the log's reference name what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from structlog.testing import capture_logs

from aggregator.model.item import PollRecord
from aggregator.model.settings import SourceSettings
from aggregator.pipeline.polling.poll import report
from aggregator.telemetry import metrics

DOCS = Path(__file__).parent.parent / "docs"
RULES = yaml.safe_load((DOCS / "monitoring" / "alerts.yaml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((DOCS / "monitoring" / "dashboard.json").read_text(encoding="utf-8"))
_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")


def series() -> dict[str, set[str]]:
    """Every name that `/metrics` can tell, with its labels."""
    found: dict[str, set[str]] = {}
    for metric in metrics.REGISTRY._collector_to_names:
        labels = set(metric._labelnames)  # type: ignore[attr-defined]
        name, kind = metric._name, metric._type  # type: ignore[attr-defined]
        if kind == "counter":
            found[f"{name}_total"] = labels
        elif kind == "histogram":
            found |= {name + end: labels | {"le"} for end in _OF_A_HISTOGRAM}
        else:
            found[name] = labels
    return found


def expressions() -> Iterator[Any]:
    for rule in RULES["groups"][0]["rules"]:
        yield pytest.param(rule["expr"], id=rule["alert"])
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_metric_and_label_of_a_rule_or_panel_exists(expression: str) -> None:
    known = series()
    named = re.findall(r"\b(aggregator_[a-z_]+)", expression)
    assert named or expression.startswith("up{")
    assert set(named) <= set(known)
    labels = {label for name in named for label in known[name]}
    chosen = re.findall(r"[{,]([a-z]+)(?:=~|!~|!=|=)\"", expression)
    grouped = [
        name.strip()
        for group in re.findall(r"\bby \(([^)]*)\)", expression)
        for name in group.split(",")
    ]
    assert {*chosen, *grouped} <= labels | {"job"}


def test_every_rule_says_what_is_wrong_and_stands_in_the_how_to() -> None:
    text = (DOCS / "how-to" / "monitor.md").read_text(encoding="utf-8")
    rules = RULES["groups"][0]["rules"]
    assert set(re.findall(r"^\| `(\w+)`", text, flags=re.M)) == {rule["alert"] for rule in rules}
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert taken.isdisjoint(cells), panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_the_event_of_a_poll_has_the_documented_fields_and_no_other() -> None:
    text = (DOCS / "reference" / "logs.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)`", text, flags=re.M)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with capture_logs() as said:
        report(SourceSettings("a", "https://a.example/"), PollRecord("a", now, 200, "new"), now)
    (event,) = said
    assert (event.pop("event"), event.pop("log_level")) == ("polled", "info")
    assert list(event) == documented
