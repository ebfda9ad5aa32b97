"""A program that owns a pool, prints the pids of its workers and waits to be killed."""

from __future__ import annotations

import asyncio
import sys

import aggregator.isolate.pool
from aggregator.isolate import WorkerPool
from tests.isolate import tasks
from tests.patience import PATIENCE


async def own() -> None:
    setattr(aggregator.isolate.pool, "_SLICE", PATIENCE)  # noqa: B010 - the busy one is not begun again
    pool = WorkerPool(2, idle=60)
    pids = await asyncio.gather(pool.run(tasks.nap, 0.3), pool.run(tasks.nap, 0.3))
    busy = asyncio.ensure_future(pool.run(tasks.loop_in_python, timeout=PATIENCE))
    await asyncio.sleep(0.3)
    print(*pids, flush=True)
    await busy


if __name__ == "__main__":
    sys.exit(asyncio.run(own()))
