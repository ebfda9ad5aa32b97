"""Readers other than feedparser, fed with our documents."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aggregator.publish.formats import FORMATS
from tests.publish.samples import full_item, item, page


@pytest.mark.required("sfeed")
@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_sfeed_reads_dates_titles_links_ids_authors_and_files(sfeed: Path, fmt: str) -> None:
    items = (full_item(1), item(2, title="Tea & <scones>"), item(3, title="渡轮恢复运行"))
    ran = subprocess.run(
        [str(sfeed)], input=FORMATS[fmt].render(page(*items)), capture_output=True, check=True
    )
    rows = [line.split("\t") for line in ran.stdout.decode().splitlines()]
    # timestamp, title, link, content, content type, id, author, enclosure, categories
    assert [(r[0], r[1], r[2], r[5], r[6]) for r in rows] == [
        (str(int(i.published.timestamp())), i.title, i.link, i.public_id, i.author) for i in items
    ]
    assert rows[0][7] == "https://harbour.example/a.mp3"
    assert rows[1][3] == items[1].html
