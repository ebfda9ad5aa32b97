"""The wheel, installed by the oldest pip promised and without the lock file, polls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import parts
from tests.e2e.feeds import rss
from tests.origin import Origin

ROOT = Path(__file__).parent.parent.parent
OLDEST_PIP = "23.0"


def run(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "AGGREGATOR_CONFIG")}
    return subprocess.run(
        words, cwd=folder, env=kept, capture_output=True, text=True, timeout=1200, check=False
    )


def unavailable(said: str) -> None:
    reason = f"the package index does not answer: {said[-300:]}"
    if parts.required():
        pytest.fail(f"{reason} ({parts.REQUIRE} is set)", pytrace=False)
    pytest.skip(reason)


@pytest.mark.timeout(1500)
def test_the_wheel_polls_in_an_empty_environment(tmp_path: Path, origin: Origin) -> None:
    built = run(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
        "-w", tmp_path, ROOT, folder=tmp_path,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("newsroom_aggregator-*.whl")
    assert run(sys.executable, "-m", "venv", "empty", folder=tmp_path).returncode == 0
    place = tmp_path / "empty" / "bin"
    pip = (place / "python", "-m", "pip", "install", "-q")
    oldest = run(*pip, f"pip=={OLDEST_PIP}", folder=tmp_path)
    if oldest.returncode != 0:
        unavailable(oldest.stderr)
    installed = run(*pip, wheel, folder=tmp_path)
    assert installed.returncode == 0, installed.stderr
    assert (tmp_path / "empty" / "share" / "man" / "man1" / "aggregator.1").exists()

    origin.answer("/north", body=rss("north", range(3)))
    document = {
        "storage": {"url": f"sqlite:///{tmp_path}/news.db"},
        "fetching": {"allow_networks": ["127.0.0.1/32"], "allow_ports": [origin.port]},
        "sources": [{"id": "north", "url": origin.url("/north")}],
    }
    config = tmp_path / "aggregator.yaml"
    config.write_text(yaml.safe_dump(document))
    polled = run(place / "aggregator", "poll", "--json", "--config", config, folder=tmp_path)
    assert polled.returncode == 0, polled.stderr
    (line,) = polled.stdout.splitlines()
    assert json.loads(line)["new"] == 3
    # What only the running service loads, trafilatura and its parts among it.
    loaded = run(
        place / "python", "-c",
        "import aggregator.service, aggregator.server.app, aggregator.work.tick, "
        "aggregator.pipeline.following.reading",
        folder=tmp_path,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr
