"""The started program under attack: whoever means well is answered while the attackers hang.

Attackers come from the victim's address and from another: behind a proxy, a NAT or a container's
bridge all readers share one. `python -m bench.attack` reports times; here only answers count.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import psutil
import pytest

from bench.attackers import HORDES, STREAMS, pour
from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Origin, reply
from tests.patience import PATIENCE

VICTIM, OTHER = "127.0.0.1", "127.0.0.2"
CLIENTS = 1000  # more than the service keeps without a request
MIB = 1024 * 1024
ROUTES = ("/health/live", "/health/ready", "/", "/feeds/all.atom", "/feeds/all.json", "/metrics")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program with one source that was read; it outlives every attack of this module."""
    folder: Path = tmp_path_factory.mktemp("attacked")
    with Origin() as origin, Program(folder, f"sqlite:///{folder}/a.db") as program:
        origin.script("/desk", reply(200, {}, rss("desk", range(50))))
        program.configure(
            [{"id": "desk", "url": origin.url("/desk")}],
            [origin.port],
            service={"websub": True, "base_url": "https://news.example"},
        )
        program.start()
        wait_until(lambda: len(program.items()) == 50, "the source is read")
        yield program


def answers(program: Program) -> dict[str, int]:
    """What a client that means well is answered, on connections of its own."""
    transport = httpx.HTTPTransport(local_address=VICTIM)
    told = {}
    with httpx.Client(transport=transport, base_url=program.url, timeout=PATIENCE) as client:
        for route in ROUTES:
            answer = client.get(route, headers={"Connection": "close"})
            told[route] = answer.status_code
    return told


ALL_WELL = dict.fromkeys(ROUTES, 200)


@pytest.mark.parametrize("address", [VICTIM, OTHER])
@pytest.mark.parametrize("kind", HORDES)
def test_a_thousand_clients_that_hang_keep_nobody_else_from_an_answer(
    attacked: Program, kind: str, address: str
) -> None:
    with HORDES[kind](attacked.port, address, CLIENTS):
        for _ in range(3):
            assert answers(attacked) == ALL_WELL


@pytest.mark.parametrize("kind", STREAMS)
def test_what_one_connection_sends_without_end_is_cut_and_costs_little(
    attacked: Program, kind: str
) -> None:
    assert attacked.process is not None
    process = psutil.Process(attacked.process.pid)
    before = process.memory_info().rss
    sent, answer = pour(attacked.port, VICTIM, islice(STREAMS[kind](), 4096), 256 * MIB)
    assert sent < 64 * MIB  # what fits into buffers before the end is noticed
    assert process.memory_info().rss - before < 64 * MIB
    if answer and kind != "pipelined":
        assert int(answer.split(b" ", 2)[1]) in (400, 410, 431)
    assert answers(attacked) == ALL_WELL


def test_thousands_of_made_up_deliveries_are_not_read(attacked: Program) -> None:
    assert attacked.process is not None
    process = psutil.Process(attacked.process.pid)
    before = process.memory_info().rss
    for number in range(40):
        head = b"POST /websub/made-up-%d HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
        chunks = iter([head % number, *[b"a" * 65536] * 137])
        _, answer = pour(attacked.port, VICTIM, chunks, 10 * MIB)
        assert not answer or b" 410 " in answer
    assert process.memory_info().rss - before < 64 * MIB
    assert answers(attacked) == ALL_WELL
    assert "Traceback" not in attacked.log()
