"""A changed configuration file is noticed; a broken one changes nothing and says so."""

from __future__ import annotations

import re
import signal

from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Origin


def test_sources_come_and_go_with_the_file(program: Program, origin: Origin) -> None:
    for site in ("north", "south"):
        origin.answer(f"/{site}", body=rss(site, range(5)), headers={"ETag": '"1"'})
    north = {"id": "north", "url": origin.url("/north"), "poll": "1s"}
    south = {"id": "south", "url": origin.url("/south"), "poll": "1s"}
    program.configure([north], [origin.port])
    program.start()
    wait_until(lambda: len(program.items()) == 5, "the first source's items arrive")
    program.configure([south], [origin.port])
    wait_until(lambda: len(program.items()) == 10, "a new source is polled without a restart")
    wait_until(lambda: "configuration applied" in program.log(), "it says so")
    asked = len(origin.requests("/north"))
    more = len(origin.requests("/south"))
    wait_until(lambda: len(origin.requests("/south")) >= more + 2, "the new source goes on")
    assert len(origin.requests("/north")) <= asked + 1  # one may have been under way
    assert len(program.items()) == 10  # a removed source's items stay


def test_a_broken_file_keeps_the_old_configuration_and_says_so(
    program: Program, origin: Origin
) -> None:
    origin.answer("/north", body=rss("north", range(5)))
    program.configure([{"id": "north", "url": origin.url("/north"), "poll": "1s"}], [origin.port])
    program.start()
    wait_until(lambda: len(program.items()) == 5, "items arrive")
    good = program.config.read_text()
    program.config.write_text(good.replace("sources:", "sorces:"))
    wait_until(lambda: "the old one stays" in program.log(), "the log says what happened")
    assert "sorces" in program.log()
    assert "sources" in program.log()
    page = program.get("/").text
    assert "was not applied" in page
    assert re.search(r"\.yaml:\d+:\d+: sorces: ", page)
    asked = len(origin.requests("/north"))
    wait_until(lambda: len(origin.requests("/north")) > asked, "polling goes on")
    program.config.write_text(good)
    assert program.process is not None
    program.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "was not applied" not in program.get("/").text, "the mended file is applied")


def test_a_command_polls_beside_the_running_service(program: Program, origin: Origin) -> None:
    origin.answer("/north", body=rss("north", range(5)))
    program.configure([{"id": "north", "url": origin.url("/north")}], [origin.port])
    program.start()
    wait_until(lambda: len(program.items()) == 5, "items arrive")
    origin.answer("/north", body=rss("north", range(9)))
    assert '"new": 4' in program.command("poll", "north", "--json")
    assert len(program.items()) == 9
    assert program.status()["north"]["items"] == 9


def test_a_start_that_cannot_work_says_why_in_one_line(program: Program, origin: Origin) -> None:
    program.configure([{"id": "north", "url": origin.url("/north")}], [origin.port])
    program.start()
    program.command("run", code=2)  # the port is taken
    assert program.stop() == 0
    broken = program.config.read_text().replace("id: north", "id: ''")
    program.config.write_text(broken)
    program.command("check", code=2)
