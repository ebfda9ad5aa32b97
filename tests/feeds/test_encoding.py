"""Every encoding, however it is declared."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.feeds.encoding import charset_of, decode
from aggregator.feeds.parse import parse_document

TITLES = {
    "utf-8": "Übergröße — naïve 😀",
    "utf-16": "Übergröße — naïve",
    "iso-8859-1": "Übergröße naïve",
    "iso-8859-2": "Zażółć gęślą jaźń",
    "iso-8859-5": "Привет мир",
    "iso-8859-7": "Καλημέρα κόσμε",
    "iso-8859-9": "İstanbul ğüşıöç",
    "iso-8859-15": "prix 5 € œuvre",
    "windows-1250": "Příliš žluťoučký kůň",
    "windows-1251": "Привет мир",
    "windows-1252": "“quoted” – naïve €",
    "windows-1253": "Καλημέρα κόσμε",
    "windows-1254": "İstanbul ğüşıöç",
    "windows-1256": "مرحبا بالعالم",
    "koi8-r": "Привет мир",
    "koi8-u": "Привіт їжак",
    "gb2312": "你好，世界新闻",
    "gb18030": "你好，世界新聞㐀",
    "big5": "你好，世界新聞",
    "shift_jis": "こんにちは世界の記事",
    "euc-jp": "こんにちは世界の記事",
    "iso-2022-jp": "こんにちは世界の記事",
    "euc-kr": "안녕하세요 세계",
    "tis-620": "สวัสดีชาวโลก",
}


def feed(title: str, declaration: str = '<?xml version="1.0"?>') -> str:
    return (
        f'{declaration}<rss version="2.0"><channel><title>t</title><item><guid>1</guid>'
        f"<title>{title}</title></item></channel></rss>"
    )


def title_of(body: bytes, content_type: str | None = None) -> str | None:
    return parse_document(body, content_type=content_type).entries[0].title


@pytest.mark.parametrize("charset", TITLES)
def test_the_charset_of_http_is_believed(charset: str) -> None:
    body = feed(TITLES[charset]).encode(charset)
    assert title_of(body, f"application/rss+xml; charset={charset}") == TITLES[charset]


@pytest.mark.parametrize("charset", TITLES)
def test_the_xml_declaration_is_believed(charset: str) -> None:
    text = feed(TITLES[charset], f'<?xml version="1.0" encoding="{charset.upper()}"?>')
    assert title_of(text.encode(charset)) == TITLES[charset]


@pytest.mark.parametrize("charset", TITLES)
def test_the_quoted_upper_case_charset_of_http_wins_over_a_wrong_declaration(charset: str) -> None:
    text = feed(TITLES[charset], '<?xml version="1.0" encoding="utf-8"?>')
    body = text.encode(charset)
    assert title_of(body, f'text/xml; Charset="{charset.upper()}"') == TITLES[charset]


@pytest.mark.parametrize(
    ("mark", "charset"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_is_authoritative(mark: bytes, charset: str) -> None:
    body = mark + feed("Größe", '<?xml version="1.0" encoding="koi8-r"?>').encode(charset)
    assert title_of(body, "text/xml; charset=iso-8859-1") == "Größe"


def test_without_any_declaration_it_is_utf_8() -> None:
    assert title_of(feed("Größe — ok").encode()) == "Größe — ok"


def test_utf_8_declared_latin_1_is_still_utf_8() -> None:
    assert title_of(feed("Größe").encode(), "text/xml; charset=iso-8859-1") == "Größe"


def test_a_stray_byte_does_not_turn_utf_8_into_something_else() -> None:
    body = feed("Größe und Länge der Straße, für alle").encode()
    assert title_of(body.replace(b"<guid>1", b"<guid>\xe91")) == (
        "Größe und Länge der Straße, für alle"
    )


@pytest.mark.parametrize("charset", ["gb2312", "shift_jis", "euc-jp", "euc-kr", "big5"])
def test_undeclared_east_asian_text_is_detected(charset: str) -> None:
    assert title_of(feed(TITLES[charset] * 3).encode(charset)) == TITLES[charset] * 3


def test_windows_1252_is_what_remains() -> None:
    assert decode(b"caf\xe9 \x93q\x94").text == "café “q”"


def test_a_name_that_is_no_charset_is_ignored() -> None:
    assert charset_of("text/xml; charset=punycode") is None
    assert charset_of("text/xml; charset=hex") is None
    assert charset_of("text/xml; charset=unicode_escape") is None
    assert title_of(feed("Größe").encode(), "text/xml; charset=rot13") == "Größe"


def test_text_encoded_twice_is_read_once() -> None:
    twice = "Größe in München".encode().decode("latin-1")
    assert title_of(feed(twice).encode()) == "Größe in München"


@given(
    st.binary(max_size=200), st.sampled_from([None, "text/xml; charset=utf-16", "x; charset=big5"])
)
def test_no_bytes_make_decoding_raise(body: bytes, content_type: str | None) -> None:
    decode(body, content_type)
