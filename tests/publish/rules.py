"""What makes a document valid: the published schemas, and RSS 2.0's rules written out."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import jsonschema
from lxml import etree

from tests.trees import element, elements, strings

_SCHEMAS = Path(__file__).parent / "schemas"
_RNG = etree.RelaxNG(etree.parse(str(_SCHEMAS / "atom.rng")))
_JSON = jsonschema.Draft7Validator(json.loads((_SCHEMAS / "jsonfeed-1.1.json").read_text("utf-8")))

NS = {
    "a": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
}


def parsed(document: bytes) -> etree._Element:
    """The tree of a well-formed document; lifted limits let a title of 1 MB through."""
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, huge_tree=True))


def assert_valid_atom(document: bytes) -> etree._Element:
    """RFC 4287's RELAX NG, and the clauses its Schematron rules and text add."""
    tree = parsed(document)
    assert _RNG.validate(tree), _RNG.error_log
    ids = strings(tree, "a:entry/a:id/text()", NS)
    assert len(ids) == len(set(ids)) == len(elements(tree, "a:entry", NS))
    assert tree.xpath("a:author", namespaces=NS)
    for entry in elements(tree, "a:entry", NS):
        alternates = elements(entry, "a:link[@rel='alternate']", NS)
        assert alternates or entry.xpath("a:content", namespaces=NS)
        assert len(alternates) <= 1
    return tree


def assert_valid_rss(document: bytes) -> etree._Element:
    """The required elements, the once-only elements and the value types of RSS 2.0."""
    tree = parsed(document)
    assert tree.tag == "rss"
    assert tree.get("version") == "2.0"
    (channel,) = tree
    for name in ("title", "link", "description"):
        assert len(channel.findall(name)) == 1
        assert channel.findtext(name)
    assert parsedate_to_datetime(channel.findtext("lastBuildDate") or "")
    known = {"title", "link", "description", "guid", "pubDate", "category", "comments"}
    for item in channel.findall("item"):
        plain = [e.tag for e in item if not e.tag.startswith("{")]
        assert set(plain) <= known | {"enclosure", "source"}
        once = [t for t in plain if t != "category"]
        assert len(once) == len(set(once))
        assert item.find("title") is not None or item.find("description") is not None
        guid = element(item, "guid")
        assert guid.get("isPermaLink") == "false"
        assert guid.text
        assert parsedate_to_datetime(item.findtext("pubDate") or "").utcoffset() is not None
        for enclosure in item.findall("enclosure"):
            assert int(enclosure.get("length") or "") >= 0
            assert "/" in (enclosure.get("type") or "")
            assert (enclosure.get("url") or "").startswith(("http", "ftp", "magnet"))
        for source in item.findall("source"):
            assert source.get("url")
    return tree


def assert_valid_json(document: bytes) -> dict[str, Any]:
    """The JSON Feed 1.1 schema, and ids that are unique."""
    feed: dict[str, Any] = json.loads(document)
    errors = [f"{list(e.absolute_path)}: {e.message}" for e in _JSON.iter_errors(feed)]
    assert not errors
    ids = [i["id"] for i in feed["items"]]
    assert len(ids) == len(set(ids))
    return feed
