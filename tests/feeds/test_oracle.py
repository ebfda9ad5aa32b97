"""feedparser as the oracle: on documents both understand, both read the same."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import feedparser
from hypothesis import given
from hypothesis import strategies as st

from aggregator.feeds.parse import parse_document

WORDS = st.text(
    alphabet=st.characters(whitelist_categories=("Lu", "Ll", "Nd", "Lo"), max_codepoint=0x9FFF),
    min_size=1,
    max_size=20,
)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "title": WORDS,
            "path": st.text(alphabet="abc123/-", min_size=1, max_size=12),
            "id": st.text(alphabet="abcdef0123456789", min_size=4, max_size=8),
            "date": st.datetimes(datetime(1991, 1, 1), datetime(2037, 1, 1)),
        }
    ),
    min_size=1,
    max_size=5,
)


def as_rss(items: list[dict[str, object]]) -> str:
    rows = "".join(
        f"<item><title>{escape(str(i['title']))}</title><link>https://a.example/{i['path']}</link>"
        f'<guid isPermaLink="false">urn:{i["id"]}</guid>'
        f"<pubDate>{i['date']:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for i in items
    )
    return f'<rss version="2.0"><channel><title>t</title>{rows}</channel></rss>'


def as_atom(items: list[dict[str, object]]) -> str:
    rows = "".join(
        f"<entry><title>{escape(str(i['title']))}</title><id>urn:{i['id']}</id>"
        f'<link href="https://a.example/{i["path"]}"/><updated>{i["date"]:%Y-%m-%dT%H:%M:%SZ}'
        "</updated></entry>"
        for i in items
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>{rows}</feed>'


@given(ITEMS, st.sampled_from([as_rss, as_atom]))
def test_id_link_title_and_date_agree(items: list[dict[str, object]], write: object) -> None:
    body = write(items).encode()  # type: ignore[operator]
    ours = parse_document(body).entries
    theirs = feedparser.parse(body).entries
    assert len(ours) == len(theirs) == len(items)
    for entry, raw in zip(ours, theirs, strict=True):
        assert (entry.id, entry.link, entry.title) == (raw.id, raw.link, raw.title)
        parsed = raw.get("published_parsed") or raw.get("updated_parsed")
        when = datetime.fromtimestamp(calendar.timegm(parsed), UTC)
        assert (entry.published or entry.updated) == when
