"""Documents that the end-to-end tests serve."""

from __future__ import annotations


def rss(site: str, numbers: range | list[int]) -> bytes:
    """A feed of `site` with an item for each number, newest first."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{site}-{n}</guid>"
        f"<title>{site} reports on bridge {n}</title>"
        f"<link>https://{site}.example/2026/bridge-{n}</link>"
        f"<pubDate>{_date(n)}</pubDate>"
        f"<description>&lt;p&gt;The {site} desk writes that bridge {n} opened.&lt;/p&gt;"
        "</description></item>"
        for n in sorted(numbers, reverse=True)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
        f"<title>The {site}</title><link>https://{site}.example/</link>"
        f"<description>News of {site}</description>{items}</channel></rss>"
    ).encode()


def _date(number: int) -> str:
    return (
        f"Sun, 01 Mar 2026 {number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d} GMT"
    )
