"""A program that owns a pool, prints the pids of its workers and waits to be killed."""

from __future__ import annotations

import asyncio
import sys

from aggregator.isolate import WorkerPool
from tests.isolate import tasks


async def own() -> None:
    pool = WorkerPool(2)
    pids = await asyncio.gather(pool.run(tasks.nap, 0.3), pool.run(tasks.nap, 0.3))
    busy = asyncio.ensure_future(pool.run(tasks.loop_in_python, timeout=100.0))
    await asyncio.sleep(0.3)
    print(*pids, flush=True)
    await busy


if __name__ == "__main__":
    sys.exit(asyncio.run(own()))
