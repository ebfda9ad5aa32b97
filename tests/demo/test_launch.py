"""The demo finds ports, writes its configuration, and says why when something does not start."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.config.load import load_settings
from demo.__main__ import configuration, port_from, wait_for
from demo.origin import PORT
from demo.stories import load
from tests import parts
from tests.demo.test_origin import START


def test_a_free_port_is_taken_as_preferred() -> None:
    port = parts.free_port()
    assert port_from(port) == port


def test_another_port_is_found_where_the_preferred_one_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = port_from(port)
    assert found != port
    assert found > 0


def test_the_configuration_follows_the_origins_port_and_opens_nothing_else(tmp_path: Path) -> None:
    settings = load_settings(configuration(tmp_path, 9))
    assert [str(network) for network in settings.fetching.allow_networks] == ["127.0.0.1/32"]
    assert settings.fetching.allow_ports == (9,)
    assert settings.storage.url.reveal() == f"sqlite:///{tmp_path}/aggregator.db"
    paths = {f"http://127.0.0.1:9{outlet.feed_path}" for outlet in load(START).outlets}
    assert {source.url for source in settings.sources} == paths


def test_the_configuration_in_the_repository_is_for_the_origins_usual_port() -> None:
    settings = load_settings(Path(__file__).parents[2] / "demo" / "aggregator.yaml")
    assert settings.fetching.allow_ports == (PORT,)


def test_a_part_that_ends_at_once_is_reported_instead_of_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(SystemExit, match="ended with 3"):
        wait_for(f"http://127.0.0.1:{parts.free_port()}/", process)
