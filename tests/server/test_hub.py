"""Our hub over HTTP: forms in, the answer of whoever keeps the subscribers out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from aggregator.server.websub import Answer
from tests.server.conftest import Serve
from tests.server.samples import settings_of


@dataclass
class Said:
    status: int
    text: str = ""


@dataclass
class Keeper:
    """Remembers what it was asked."""

    asked: list[Mapping[str, str]] = field(default_factory=list)
    answer: Said = field(default_factory=lambda: Said(202))

    async def ask(self, form: Mapping[str, str]) -> Answer:
        self.asked.append(form)
        return self.answer


@pytest.mark.parametrize("fmt", ["atom", "rss", "json"])
def test_a_hub_takes_forms_and_is_named_by_current_documents(serve: Serve, fmt: str) -> None:
    settings = settings_of()
    settings = replace(settings, service=replace(settings.service, hub=True))
    keeper = Keeper()
    with serve(settings=settings, hub=keeper) as client:
        base = settings.service.public_url
        for _ in range(2):  # the second one from memory
            answer = client.get(f"/feeds/all.{fmt}")
            topic = f"{base}/feeds/all.{fmt}"
            assert answer.headers["link"] == f'<{base}/hub>; rel="hub", <{topic}>; rel="self"'
        assert "link" not in client.get(f"/feeds/tag/news.{fmt}").headers
        assert client.post("/hub", data={"hub.mode": "subscribe"}).status_code == 202
        assert keeper.asked == [{"hub.mode": "subscribe"}]
        keeper.answer = Said(429, "no more")
        refused = client.post("/hub", data={"hub.mode": "subscribe"})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
        assert client.post("/hub", content=b"x" * 20_000).status_code == 413
        assert client.post("/hub", content=b"a=b&" * 40).status_code == 400
        assert "WebSub" in client.get("/hub").text


def test_without_the_setting_there_is_no_hub(serve: Serve) -> None:
    keeper = Keeper()
    with serve(hub=keeper) as client:
        assert client.post("/hub", data={"hub.mode": "subscribe"}).status_code == 404
        assert "link" not in client.get("/feeds/all.atom").headers
    assert keeper.asked == []
