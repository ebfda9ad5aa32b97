"""The polling policy against fixed intervals and one-over-rate, on synthetic publishers.

    python -m bench.simulate [--feeds N] [--seeds N] [--plot docs/design/polling.svg]

It drives the production policy (`aggregator.schedule.policy.plan_next`), not a copy of it, on an
injected clock. Every comparison is made at equal requests: the fixed interval and the factor of
one-over-rate are chosen so that they send exactly as many.
The publishers are those of `bench.synthetic`.

Delay is the time from an item becoming visible in its feed to the poll that finds it. The first
14 of 42 days are not scored.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator.model.feed import FeedHints
from aggregator.model.http import Freshness
from aggregator.model.poll import PRICES, PollKind, PollOutcome, PollSettings
from aggregator.schedule.policy import plan_next
from aggregator.schedule.state import PolicyState
from aggregator.schedule.warm import document_span
from bench.synthetic import DAY, HOUR, MINUTE, START, Horizon, Publisher, generate


@dataclass(frozen=True)
class Score:
    """What a policy did with one feed, or with all."""

    requests: int
    delays: list[float]  # seconds, one an item
    lost: int
    useful: int = 0  # polls that brought something
    times: list[float] = field(default_factory=list)  # of the scored polls

    @property
    def mean(self) -> float:
        """Mean delay in minutes."""
        return statistics.fmean(self.delays) / MINUTE if self.delays else 0.0

    @property
    def p95(self) -> float:
        """95th percentile of the delay in minutes."""
        ordered = sorted(self.delays)
        return ordered[int(0.95 * (len(ordered) - 1))] / MINUTE if ordered else 0.0


# Policies ---------------------------------------------------------------------------------------


def run_policy(feed: Publisher, settings: PollSettings, horizon: Horizon) -> Score:
    """Poll one feed by the production policy."""
    visible, window = feed.visible, feed.window
    state = PolicyState()
    now, known = horizon.start, 0
    delays: list[float] = []
    times: list[float] = []
    lost = useful = 0
    done = bisect_left(visible, horizon.end)
    while now < horizon.end or known < done:
        present = bisect_right(visible, now)
        fresh = present - known
        first = now == horizon.start
        if not first:
            found = range(max(known, present - window), present)
            delays += [
                now - visible[k] for k in found if horizon.scored <= visible[k] < horizon.end
            ]
            missed = range(known, present - window)
            lost += sum(1 for k in missed if horizon.scored <= visible[k] < horizon.end)
        if horizon.scored <= now < horizon.end:
            times.append(now)
            useful += fresh > 0
        outcome = _outcome(feed, present, known, now, first=first)
        known = present
        state, plan = plan_next(state, outcome, settings, datetime.fromtimestamp(now, UTC), feed.id)
        now = plan.at.timestamp()
    return Score(len(times), delays, lost, useful, times)


def _outcome(feed: Publisher, present: int, known: int, now: float, *, first: bool) -> PollOutcome:
    freshness = Freshness(timedelta(seconds=feed.max_age) if feed.max_age else None)
    fresh = present - known
    if not fresh and not first:
        kind = PollKind.NOT_MODIFIED if feed.validators else PollKind.SAME_BODY
        return PollOutcome(
            kind,
            304 if feed.validators else 200,
            freshness=freshness,
            conditional=feed.validators,
            had_validators=feed.validators,
            body_bytes=0 if feed.validators else 60_000,
        )
    low = max(0, present - feed.window)
    dates = [datetime.fromtimestamp(stamp, UTC) for stamp in feed.published[low:present]]
    new = dates if first else dates[-min(fresh, feed.window) :]
    held = max(0, len(dates) - fresh)
    return PollOutcome(
        PollKind.OK,
        200,
        new_dates=tuple(new),
        entries=len(dates),
        overlap=None if first or not dates else held / len(dates),
        span=document_span(dates, datetime.fromtimestamp(now, UTC)),
        freshness=freshness,
        hints=FeedHints(),
        conditional=feed.validators and not first,
        had_validators=feed.validators,
        body_bytes=60_000,
    )


def soft_floor(feed: Publisher) -> float:
    """The least seconds between polls that the hints of a feed and the gate allow anyone."""
    floor = feed.max_age or 0.0
    if not feed.validators:
        return max(floor, 2 * HOUR)
    return max(floor, 0.0 if feed.rate >= 12 else HOUR)


def run_fixed(feed: Publisher, interval: float, horizon: Horizon) -> Score:
    """Poll one feed at a fixed interval (seconds), from a phase of its own."""
    phase = random.Random(feed.id).random() * interval
    low, high = (bisect_left(feed.visible, edge) for edge in (horizon.scored, horizon.end))
    delays, lost = [], 0
    polls: dict[int, int] = {}
    for item in feed.visible[low:high]:
        number = math.ceil((item - START - phase) / interval)
        delays.append(phase + number * interval - (item - START))
        polls[number] = polls.get(number, 0) + 1
    lost = sum(max(0, found - feed.window) for found in polls.values())
    requests = round((horizon.end - horizon.scored) / interval)
    return Score(requests, delays, lost, len(polls))


def run_one_over_rate(feed: Publisher, factor: float, floor: float, horizon: Horizon) -> Score:
    """Poll one feed at week / (items of the last week × factor), between 5 min and 24 h.

    The rule of Miniflux's entry frequency scheduler, without the tick that delays it further.
    """
    delays: list[float] = []
    requests = lost = useful = 0
    now, known = horizon.start, bisect_right(feed.visible, horizon.start)
    done = bisect_left(feed.visible, horizon.end)
    while now < horizon.end or known < done:
        present = bisect_right(feed.visible, now)
        for k in range(known, present):
            if horizon.scored <= feed.visible[k] < horizon.end:
                if k >= present - feed.window:
                    delays.append(now - feed.visible[k])
                else:
                    lost += 1
        if horizon.scored <= now < horizon.end:
            requests += 1
            useful += present > known
        known = present
        weekly = present - bisect_left(feed.visible, now - 7 * DAY, 0, present)
        wait = 7 * DAY / (weekly * factor) if weekly else DAY
        now += max(min(max(wait, 5 * MINUTE), DAY), floor)
    return Score(requests, delays, lost, useful)


# Comparisons at equal requests ------------------------------------------------------------------


def total(scores: Sequence[Score]) -> Score:
    """All feeds together."""
    return Score(
        sum(score.requests for score in scores),
        [delay for score in scores for delay in score.delays],
        sum(score.lost for score in scores),
        sum(score.useful for score in scores),
    )


def mean_of_feeds(scores: Sequence[Score]) -> float:
    """Mean over feeds of their mean delay, in minutes: what quiet feeds experience."""
    means = [score.mean for score in scores if score.delays]
    return statistics.fmean(means) if means else 0.0


def matched(
    run: Callable[[float], list[Score]], requests: int, low: float, high: float
) -> list[Score]:
    """Scores of the rule whose knob makes it send `requests`; more of the knob sends more."""
    best: list[Score] | None = None
    for _ in range(14):
        middle = math.sqrt(low * high)
        scores = run(middle)
        sent = sum(score.requests for score in scores)
        if best is None or abs(sent - requests) < abs(total(best).requests - requests):
            best = scores
        if abs(sent - requests) <= 0.002 * requests:
            break
        low, high = (middle, high) if sent < requests else (low, middle)
    assert best is not None
    return best


def fixed_at(
    feeds: Sequence[Publisher], requests: int, horizon: Horizon, *, floors: bool
) -> list[Score]:
    """Fixed intervals, under the same floors if asked, that send as many requests."""

    def run(polls_a_day: float) -> list[Score]:
        interval = DAY / polls_a_day
        least = [soft_floor(feed) if floors else 0.0 for feed in feeds]
        return [
            run_fixed(feed, max(interval, floor), horizon)
            for feed, floor in zip(feeds, least, strict=True)
        ]

    return matched(run, requests, 0.5, 400.0)


def one_over_rate_at(
    feeds: Sequence[Publisher], requests: int, horizon: Horizon, *, floors: bool
) -> list[Score]:
    """One-over-rate, under the same floors if asked, that sends as many requests."""

    def run(factor: float) -> list[Score]:
        return [
            run_one_over_rate(feed, factor, soft_floor(feed) if floors else 0.0, horizon)
            for feed in feeds
        ]

    return matched(run, requests, 0.05, 200.0)


@dataclass(frozen=True)
class Comparison:
    """One seed: the policy and its two rivals at equal requests."""

    feeds: int
    days: float
    ours: list[Score]
    fixed: list[Score]
    one_over_rate: list[Score]

    def row(self, scores: Sequence[Score]) -> dict[str, float]:
        """The numbers of one line of the table."""
        own, base = total(scores), total(self.fixed)
        return {
            "requests": own.requests / self.feeds / self.days,
            "mean": own.mean,
            "mean/fixed": own.mean / base.mean,
            "p95": own.p95,
            "p95/fixed": own.p95 / base.p95,
            "feeds/fixed": mean_of_feeds(scores) / mean_of_feeds(self.fixed),
            "useful": own.useful / max(1, own.requests),
            "lost": own.lost,
            "mean/1:rate": own.mean / total(self.one_over_rate).mean,
        }


def settings_for(feed: Publisher, price: timedelta, *, floors: bool) -> PollSettings:
    """Adaptive settings; without floors by waiving them as an explicit `poll:` does."""
    return PollSettings(price=price, zone=feed.zone, explicit=not floors)


def compare(
    seed: int, count: int, horizon: Horizon, *, floors: bool, price: timedelta = PRICES["normal"]
) -> Comparison:
    """Run the policy on one seed, and both rivals at the requests it needed."""
    feeds = generate(seed, count, horizon, hints=floors)
    ours = [run_policy(f, settings_for(f, price, floors=floors), horizon) for f in feeds]
    requests = sum(score.requests for score in ours)
    fixed = fixed_at(feeds, requests, horizon, floors=floors)
    rival = one_over_rate_at(feeds, requests, horizon, floors=floors)
    return Comparison(count, horizon.days, ours, fixed, rival)


def medians(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Median of each number over seeds; losses are summed."""
    result = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    result["lost"] = sum(row["lost"] for row in rows)
    return result


# The report -------------------------------------------------------------------------------------

COLUMNS = (
    ("requests", "req/feed/day", ".1f"),
    ("mean", "mean min", ".1f"),
    ("mean/fixed", "vs fixed", ".2f"),
    ("mean/1:rate", "vs 1/rate", ".2f"),
    ("p95", "p95 min", ".0f"),
    ("p95/fixed", "p95 vs fixed", ".2f"),
    ("feeds/fixed", "feeds vs fixed", ".2f"),
    ("useful", "useful", ".2f"),
    ("lost", "lost", ".0f"),
)
# What must be seen: (number of the row, with hints?, largest value allowed)
LIMITS = (
    ("mean/fixed", False, 0.45),
    ("mean/1:rate", False, 0.55),
    ("p95/fixed", False, 0.75),
    ("lost", False, 0.0),
    ("mean/fixed", True, 0.60),
    ("lost", True, 0.0),
)


def table(title: str, rows: Sequence[tuple[str, dict[str, float]]]) -> str:
    """Lines of a Markdown table."""
    lines = [
        f"### {title}",
        "",
        "| policy | " + " | ".join(head for _, head, _ in COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for name, row in rows:
        cells = [format(row[key], form) for key, _, form in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def report(count: int, seeds: int, horizon: Horizon) -> tuple[str, list[str], list[Curve]]:
    """The tables, the limits that were missed, and the points of the plot."""
    parts, missed, curves = [], [], []
    for floors in (False, True):
        rows: list[tuple[str, dict[str, float]]] = []
        curve = Curve("with hints" if floors else "without floors")
        for name, price in PRICES.items():
            runs = [compare(s, count, horizon, floors=floors, price=price) for s in range(seeds)]
            ours = medians([run.row(run.ours) for run in runs])
            fixed = medians([run.row(run.fixed) for run in runs])
            rival = medians([run.row(run.one_over_rate) for run in runs])
            rows += [(name, ours), ("– fixed", fixed), ("– 1/rate", rival)]
            curve.add(ours, fixed, rival)
            if name == "normal":
                missed += [
                    f"{curve.title}: {key} is {ours[key]:.2f}, at most {limit} allowed"
                    for key, with_hints, limit in LIMITS
                    if with_hints == floors and ours[key] > limit
                ]
        parts.append(table(f"{curve.title[0].upper()}{curve.title[1:]}", rows))
        curves.append(curve)
    return "\n\n".join(parts), missed, curves


@dataclass
class Curve:
    """Delay against requests for the policy and its rivals."""

    title: str
    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, ours: dict[str, float], fixed: dict[str, float], rival: dict[str, float]) -> None:
        """One price: a point for each rule."""
        names = ("this policy", "fixed interval", "one over rate")
        for name, row in zip(names, (ours, fixed, rival), strict=True):
            self.points.setdefault(name, []).append((row["requests"], row["mean"]))


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Delay against requests as an SVG (or PNG) file; needs matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "aggregator"  # the same drawing is the same file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(9, 3.6), sharey=True)
    styles = {"this policy": "o-", "fixed interval": "s--", "one over rate": "^:"}
    for axis, curve in zip(axes, curves, strict=True):
        for name, points in curve.points.items():
            ordered = sorted(points)
            axis.plot(*zip(*ordered, strict=True), styles[name], label=name)
        axis.set_title(curve.title)
        axis.set_xlabel("requests per feed and day")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("mean delay of an item, minutes")
    axes[0].legend()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 when something that must be seen is not."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulate", description=__doc__)
    parser.add_argument("--feeds", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--days", type=float, default=42.0)
    parser.add_argument("--warm-up", type=float, default=14.0, help="days that are not scored")
    parser.add_argument("--plot", type=Path, help="draw delay against requests into this file")
    options = parser.parse_args(arguments)
    began = time.process_time()
    horizon = Horizon.of(options.days, options.warm_up)
    text, missed, curves = report(options.feeds, options.seeds, horizon)
    print(text)
    print(f"\n{options.feeds} feeds, {options.seeds} seeds, medians; ", end="")
    print(f"{time.process_time() - began:.0f} CPU seconds")
    if options.plot:
        draw(curves, options.plot)
    for line in missed:
        print(f"MISSED {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
