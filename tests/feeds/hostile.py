"""Documents made to hurt a parser, by name. Sizes up to 10 MB."""

from __future__ import annotations

from collections.abc import Callable

HEAD = '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>'
TAIL = "</channel></rss>"
ITEM = "<item><guid>g</guid><title>kept</title></item>"


def rss(inside: str) -> bytes:
    return f"{HEAD}{inside}{TAIL}".encode()


def attributes_on_one_item() -> bytes:
    attributes = " ".join(f'a{i}="1"' for i in range(60_000))
    return rss(f"<item {attributes}><title>x</title></item>{ITEM}")


def attributes_malformed() -> bytes:
    return rss(f"<item {' '.join(f'a{i}=1' for i in range(60_000))}><title>x</title></item>{ITEM}")


def xmlns_on_every_item() -> bytes:
    return rss("".join(f'<item xmlns:n{i}="urn:{i}"><n{i}:t>x</n{i}:t><title>t{i}</title></item>'
                       for i in range(20_000)))  # fmt: skip


def nested_xmlns() -> bytes:
    return rss(ITEM + "".join(f'<a xmlns:n{i}="urn:{i}">' for i in range(50_000)))


def comment_flood_in_html() -> bytes:
    return rss(
        f"<item><title>x</title><description><![CDATA[{'<!--' * 60_000}]]></description></item>"
    )


def comment_flood_in_xml() -> bytes:
    return rss("<!--" * 60_000 + ITEM)


def cdata_flood() -> bytes:
    return rss("<![CDATA[" * 60_000 + ITEM)


def two_hundred_thousand_items() -> bytes:
    return rss("<item><title>x</title></item>" * 200_000)


def two_hundred_thousand_items_malformed() -> bytes:
    return rss("<item><title>x</title></item>" * 200_000 + "<b>")


def author_of_half_a_megabyte() -> bytes:
    return rss(f"<item><title>x</title><author>{'a@' * 250_000}</author></item>")


def author_of_half_a_megabyte_malformed() -> bytes:
    return rss(f"<item><title>x</title><author>{'a' * 500_000}</author></item><x>")


def entity_bomb() -> bytes:
    levels = "".join(f'<!ENTITY e{i} "' + f"&e{i - 1};" * 10 + '">' for i in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "lol">{levels}]>'
        f'<rss version="2.0"><channel><item><title>&e9;</title></item>{ITEM}</channel></rss>'
    ).encode()


def quadratic_entity() -> bytes:
    return (
        f"<!DOCTYPE rss [<!ENTITY a '{'x' * 500}'>]>"
        f'<rss version="2.0"><channel><item><title>'
        + "&a;" * 100_000
        + f"</title></item>{ITEM}</channel></rss>"
    ).encode()


def external_entity() -> bytes:
    return (
        '<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        f'<rss version="2.0"><channel><item><title>a&f;b</title></item>{ITEM}</channel></rss>'
    ).encode()


def unfinished_doctype() -> bytes:
    return b"<!DOCTYPE rss [" + b'<!ENTITY a "b">' * 100_000


def surrogate_reference() -> bytes:
    return rss(f"<item><title>a&#xD800;b&#x110000;c&#0;d</title></item>{ITEM}")


def depth() -> bytes:
    return rss(ITEM + "<a>" * 100_000)


def balanced_depth() -> bytes:
    return rss(ITEM + "<a>" * 100_000 + "</a>" * 100_000)


def depth_inside_description() -> bytes:
    inside = "<div>" * 2_000 + "</div>" * 2_000
    return rss(f"{ITEM}<item><title>x</title><description>{inside}</description></item>")


def one_title_of_nine_megabytes() -> bytes:
    return rss(f"<item><title>{'x' * 9_000_000}</title></item>")


def bare_ampersands() -> bytes:
    return rss(f"<item><title>x</title><description>{'&' * 5_000_000}</description></item>")


def angle_brackets() -> bytes:
    return rss("<" * 5_000_000)


def zeros() -> bytes:
    return b"\x00" * 10_000_000


def blanks() -> bytes:
    return b" " * 10_000_000


def bad_bytes() -> bytes:
    return rss("").replace(TAIL.encode(), b"\xff" * 9_000_000 + TAIL.encode())


def opening_html_in_items() -> bytes:
    return rss(f"<item><title>{'<b>' * 100_000}</title></item>")


def odd_dates() -> bytes:
    days = (f"the {i % 28}th day, {1990 + i % 30}" for i in range(5_000))
    return rss("".join(f"<item><title>x</title><pubDate>{day}</pubDate></item>" for day in days))


def categories() -> bytes:
    labels = "".join(f"<category>c{i}</category>" for i in range(200_000))
    return rss(f"<item><title>x</title>{labels}</item>")


def json_depth() -> bytes:
    return b'{"version":"https://jsonfeed.org/version/1.1","items":' + b"[" * 1_000_000


def json_number() -> bytes:
    return (
        b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":'
        + b"9" * 2_000_000
        + b',"title":"kept"}]}'
    )


def json_items() -> bytes:
    return (
        b'{"version":"https://jsonfeed.org/version/1.1","items":['
        + b",".join([b'{"id":1}'] * 900_000)
        + b"]}"
    )


def html_depth() -> bytes:
    return b"<!doctype html><html><body>" + b"<div>" * 1_000_000


def html_links() -> bytes:
    return (
        b"<html><head>" + b'<link rel="alternate" type="application/rss+xml" href="/f">' * 100_000
    )


def prefixes_undeclared() -> bytes:
    return rss("".join(f"<item><p{i}:x>1</p{i}:x><title>t</title></item>" for i in range(20_000)))


def unclosed_items() -> bytes:
    return rss("<item><title>x" * 100_000)


def tags_of_spaces() -> bytes:
    return rss("<item" + " " * 5_000_000 + "<b")


def doctype_again_and_again() -> bytes:
    return rss("<!DOCTYPE a [" * 300_000)


def mail_addresses() -> bytes:
    return rss(f"<item><title>x</title><author>{'<a@b' * 100_000}</author></item><x>")


def script_after_the_root() -> bytes:
    return rss(ITEM) + b"<script>" + b"</rss" * 1_000_000


def empty() -> bytes:
    return b""


def over_the_limit() -> bytes:
    return rss("x" * (10 * 1024 * 1024))


DOCUMENTS: dict[str, Callable[[], bytes]] = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and name not in ("rss", "Callable") and not name.startswith("_")
}
