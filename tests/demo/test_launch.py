"""The demo finds ports, writes its configuration, and says why when something does not start."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.config.load import load_settings
from demo.__main__ import ROOT, TOKEN, check_port, configuration, missing, wait_for
from demo.origin import PORT
from demo.stories import load
from tests import parts
from tests.demo.test_origin import START
from tests.e2e.program import wait_until


def test_a_free_port_is_taken() -> None:
    port = parts.free_port()
    assert check_port(port, "--port") == port


@pytest.mark.parametrize("option", ["--port", "--origin-port"])
def test_a_port_that_is_taken_is_told_with_what_to_do(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = f'cannot listen on 127.0.0.1:{port}: .*: make demo ARGS="{option} {port + 1}"'
        with pytest.raises(SystemExit, match=said):
            check_port(port, option)


@pytest.mark.parametrize(
    "signals",
    [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM), (signal.SIGKILL,)],
    ids=["told twice", "Ctrl-C and timeout", "killed"],
)
def test_however_the_demo_ends_nothing_of_it_stays(
    tmp_path: Path, signals: tuple[signal.Signals, ...]
) -> None:
    port, origin = parts.free_port(), parts.free_port()
    words = ["--port", str(port), "--origin-port", str(origin), "--folder", str(tmp_path / "demo")]
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", *words], cwd=ROOT, stdout=log, stderr=log
        )

        def is_there() -> bool:
            said = (tmp_path / "log").read_text()
            assert process.poll() is None, said
            return "Ctrl-C" in said

        try:
            wait_until(is_there, "the demo is there")
        finally:
            for name in signals:
                process.send_signal(name)
            process.wait(timeout=60)
    wait_until(lambda: not (listens(port) or listens(origin)), "both have ended")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_configuration_follows_the_origins_port_and_opens_nothing_else(tmp_path: Path) -> None:
    settings = load_settings(configuration(tmp_path, 9))
    assert [str(network) for network in settings.fetching.allow_networks] == ["127.0.0.1/32"]
    assert settings.fetching.allow_ports == (9,)
    assert settings.storage.url.reveal() == f"sqlite:///{tmp_path}/aggregator.db"
    paths = {f"http://127.0.0.1:9{outlet.feed_path}" for outlet in load(START).outlets}
    lost = "http://127.0.0.1:9/old-lantern/rss.xml"  # fails on purpose
    assert {source.url for source in settings.sources} == paths | {lost}


def test_as_many_sources_are_there_as_are_asked_for(tmp_path: Path) -> None:
    settings = load_settings(configuration(tmp_path, 9, 50))
    made = [source for source in settings.sources if "couriers" in source.tags]
    assert (len(settings.sources), len(made)) == (50, missing(50))
    paths = {outlet.feed_path for outlet in load(START, missing(50)).outlets}
    assert {source.url.removeprefix("http://127.0.0.1:9") for source in made} <= paths
    (desk,) = [view for view in settings.views if view.token is not None]
    assert desk.token is not None
    assert desk.token.reveal() == TOKEN


def test_the_configuration_in_the_repository_is_for_the_origins_usual_port() -> None:
    settings = load_settings(Path(__file__).parents[2] / "demo" / "aggregator.yaml")
    assert settings.fetching.allow_ports == (PORT,)


def test_a_part_that_ends_at_once_is_reported_instead_of_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(SystemExit, match="ended with 3"):
        wait_for(f"http://127.0.0.1:{parts.free_port()}/", process)
