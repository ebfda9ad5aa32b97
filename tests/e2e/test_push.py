"""The running program tells others what is new, over faults of their network and a kill of ours."""

from __future__ import annotations

import json
import re
from collections import Counter
from urllib.parse import parse_qsl

import httpx

from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Origin, Wire, reply
from tests.patience import PATIENCE


class Subscriber:
    """Takes deliveries of a hub; what goes wrong with the next ones is named in `faults`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.faults: list[str] = []
        self.taken: Counter[str] = Counter()  # ids of items in deliveries that came whole
        self.confirmed = False

    async def __call__(self, wire: Wire) -> None:
        request = wire.request
        if request.method == "GET":
            asked = dict(parse_qsl(request.target.partition("?")[2]))
            await wire.send(reply(200, body=asked["hub.challenge"].encode()))
            self.confirmed = True
            return
        fault = self.faults.pop(0) if self.faults else None
        if fault in (None, "kill"):
            self.taken.update(re.findall(r"<entry[^>]*><id>([^<]+)", request.body.decode()))
        if fault == "kill":
            self.program.kill()  # it has sent everything, and never learns that it was taken
        elif fault == "reset":
            wire.reset()
        else:
            await wire.send(reply(503 if fault else 204))


def read_events(program: Program, cursor: str, number: int) -> list[str]:
    """The first lines of a stream of news after a cursor, its beginning left out."""
    headers = {"Last-Event-ID": cursor} if cursor else {}
    lines: list[str] = []
    url = f"{program.url}/feeds/all/events"
    with httpx.stream("GET", url, headers=headers, timeout=PATIENCE) as answer:
        for line in answer.iter_lines():
            if line.startswith(("id:", "event:", "data:")):
                lines.append(line)
            if len(lines) == number + bool(cursor):
                return lines[bool(cursor) :]
    raise AssertionError(f"the stream ended: {lines}")


def test_a_subscriber_gets_every_item_over_faults_and_a_kill(
    program: Program, origin: Origin
) -> None:
    subscriber = Subscriber(program)
    origin.route("/callback", subscriber)
    origin.answer("/feed", body=rss("alpha", range(3)))
    service = {"hub": True, "base_url": program.url}
    program.configure([{"id": "alpha", "url": origin.url("/feed")}], [origin.port], service=service)
    program.start()
    wait_until(lambda: len(program.items()) == 3, "the first items are there")
    assert program.get("/feeds/_health.atom").status_code == 200
    answer = program.get("/feeds/all.atom")
    hub, topic = re.findall(r"<([^>]+)>", answer.headers["link"])
    form = {"hub.mode": "subscribe", "hub.topic": topic, "hub.callback": origin.url("/callback")}
    assert httpx.post(hub, data=form, timeout=PATIENCE).status_code == 202
    wait_until(lambda: subscriber.confirmed, "the subscriber was asked")

    cursor = read_events(program, "", 1)[0].removeprefix("id: ")

    subscriber.faults = ["reset", "503", "kill"]
    origin.answer("/feed", body=rss("alpha", range(5)))
    program.command("poll", "alpha")
    wait_until(lambda: program.process is not None and program.process.poll() is not None, "killed")
    origin.answer("/feed", body=rss("alpha", range(6)))
    program.start()
    program.command("poll", "alpha")
    wait_until(lambda: len(subscriber.taken) == 3, "every item was taken")
    new = {item["id"] for item in program.items()[:3]}
    assert set(subscriber.taken) == new
    told = [line for line in read_events(program, cursor, 9) if line.startswith("data: ")]
    assert {json.loads(line.removeprefix("data: "))["id"] for line in told} == new
    # What was under way at the kill came again, nothing else.
    assert sorted(subscriber.taken.values()) == [1, 2, 2]
