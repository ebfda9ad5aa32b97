"""Read what WebSub hubs delivered, each document as if it had been polled."""

from __future__ import annotations

from dataclasses import replace

import structlog

from aggregator.model.poll import PollKind
from aggregator.model.settings import SourceSettings
from aggregator.model.states import PollWord
from aggregator.pipeline import policy
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import websub
from aggregator.pipeline.polling.document import understand
from aggregator.pipeline.polling.poll import report
from aggregator.pipeline.polling.store import store
from aggregator.pipeline.secrets import hide
from aggregator.store.sources import claims, states, subscriptions
from aggregator.telemetry import metrics

log = structlog.get_logger("aggregator.poll")


async def read_pushes(parts: Parts) -> int:
    """Read what WebSub hubs delivered, each like a poll; returns how many documents."""
    known_sources = {source.id: source for source in parts.settings.sources}
    done = 0
    for push in await parts.database.run_read(subscriptions.queued, websub.AT_ONCE):
        source = known_sources.get(push.source_id)
        if source is not None:
            now, lease = parts.clock.now(), policy.lease(parts.settings)
            claim = await parts.database.run_write(
                claims.claim_one, source.id, now, f"{parts.owner}/push", lease
            )
            if claim is None:
                continue  # being polled: next time
            await _read_push(parts, claim, source, push)
        await parts.database.run_write(subscriptions.read, push.number)
        metrics.PUSHES.labels(result="read").inc()
        done += 1
    return done


async def _read_push(
    parts: Parts, claim: claims.Claim, source: SourceSettings, push: subscriptions.Push
) -> None:
    started = parts.clock.now()
    state = await parts.database.run_read(states.feed_state, source.id)
    if state is None:
        return
    result = websub.as_result(push, state.effective_url or source.url)
    polled = await understand(parts, source, state, result, conditional=False)
    if polled.outcome.kind is PollKind.ERROR:  # the hub's fault: says nothing about the feed
        said = hide(polled.error, source)
        log.warning("a pushed document could not be read", source=source.id, error=said)
        await parts.database.run_write(claims.release, claim)
        return
    pushed = replace(polled.outcome, kind=PollKind.PUSH, push=True)
    polled = replace(polled, outcome=pushed, word=PollWord.PUSH)
    record = await store(parts, claim, source, polled, result, started)
    report(source, record, parts.clock.now())
