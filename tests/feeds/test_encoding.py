"""Every encoding, however it is declared."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.feeds.mending.encoding import charset_named, charset_of, decode
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


def test_utf_8_with_some_bad_bytes_is_utf_8_in_a_short_text_too() -> None:
    body = feed("Fähre für Größe X", '<?xml version="1.0" encoding="utf-8"?>').encode()
    assert title_of(body.replace(b"X", b"\x93Q\x94")) == "Fähre für Größe “Q”"
    halves = body.replace(b"X", b"\xed\xa0\xbd\xed\xb8\x80")
    assert title_of(halves) == "Fähre für Größe 😀"


def test_windows_1252_is_what_remains() -> None:
    assert decode(b"caf\xe9 \x93q\x94").text == "café “q”"


@pytest.mark.parametrize(
    "text",
    [
        "Fähre fährt später, die Züge auch. Größe und Äußeres, für süße Bürger",
        "L’été, l’élève créé à Noël préfère être réélu où naît la naïveté",
        "São Paulo: ações não são opções; avião e coração",
        "El señor y el niño, mañana en España: ¿qué pasó?",
        "På Ålesund åker färjan över ån, blåbær og rødgrød",
        "Città, perché, più, così: è già lunedì",
    ],
)
@pytest.mark.parametrize("declaration", ['<?xml version="1.0" encoding="UTF-8"?>', "", None])
def test_western_text_without_a_true_declaration_is_western(
    text: str, declaration: str | None
) -> None:
    body = feed(text, declaration or "").encode("cp1252")
    http = "application/xml; charset=utf-8" if declaration is None else None
    assert title_of(body, http) == text


RUSSIAN = "Паром вернулся на линию после ремонта"
GREEK = "Το πλοίο επέστρεψε σήμερα στο λιμάνι"


@pytest.mark.parametrize(
    ("text", "charset", "language"),
    [
        (RUSSIAN, "cp1251", ""),
        (RUSSIAN, "cp1251", "ru-RU"),
        (RUSSIAN, "koi8-r", "ru"),
        (RUSSIAN.upper(), "koi8-r", ""),
        (GREEK, "iso8859-7", ""),
        (GREEK, "cp1253", "el"),
        ("Łódź: prom wrócił na linię", "iso8859-2", "pl"),
        ("Śródmieście: prom wrócił", "cp1250", "pl-PL"),
        ("İstanbul’da vapur seferleri başladı", "cp1254", "tr"),
        ("המעבורת חזרה", "cp1255", "he"),
        ("عادت العبارة", "cp1256", "ar"),
        ("เรือกลับมา", "cp874", "th"),
        ("Fährschiff über Øresund", "cp1252", "en"),
        ("STRAẞE FÄHRE ÄÖÜ ÉÈÀ".replace("ẞ", "SS"), "cp1252", ""),
    ],
)
@pytest.mark.parametrize("declaration", ['<?xml version="1.0" encoding="UTF-8"?>', ""])
def test_the_language_or_the_words_tell_an_undeclared_charset(
    text: str, charset: str, language: str, declaration: str
) -> None:
    document = feed(text, declaration).replace(
        "<channel>", f"<channel><language>{language}</language>"
    )
    assert title_of(document.encode(charset)) == text


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ISO_8859-1:1987", "cp1252"),
        ("csISOLatin1", "cp1252"),
        ("iso-ir-100", "cp1252"),
        ("l1", "cp1252"),
        ("ANSI_X3.4-1968", "cp1252"),
        ("cyrillic", "iso8859-5"),
        ("win-874", "cp874"),
        ("en_US.utf8", "utf-8"),
        ("ISO-8859-1/Windows-1252", "cp1252"),
        ("greek8", "iso8859-7"),
        ("sun_eu_greek", "iso8859-7"),
        ("logical", "iso8859-8"),
        ("l9", "iso8859-15"),
        ("koi", "koi8-r"),
        ("koi8_r", "koi8-r"),
        ("koi8-ru", "koi8-u"),
        ("dos-874", "cp874"),
        ("x-cp1251", "cp1251"),
        ("x-mac-ukrainian", "mac-cyrillic"),
        ("chinese", "gb18030"),
        ("cn-big5", "big5hkscs"),
        ("csEUCPkdFmtJapanese", "euc_jp"),
        ("csShiftJIS", "cp932"),
        ("ms932", "cp932"),
        ("korean", "cp949"),
        ("unicode20utf8", "utf-8"),
        ("unicodeFFFE", "utf-16-be"),
        ("ucs-2", "utf-16"),
        ("iso-2022-kr", "iso2022_kr"),
        ("866", "cp866"),
        # what people and programs write instead
        ("koi8r", "koi8-r"),
        ("win-1251", "cp1251"),
        ("windows_1251", "cp1251"),
        ("Windows 1252", "cp1252"),
        ("cp-1250", "cp1250"),
        ("windows-cp1251", "cp1251"),
        ("1251", "cp1251"),
        ("UTF_8", "utf-8"),
        ("utf 8", "utf-8"),
        ("utf8mb4", "utf-8"),
        ("x-utf-8", "utf-8"),
        ("charset=utf-8", "utf-8"),
        ("8859-2", "iso8859-2"),
        ("ISO 8859-15", "iso8859-15"),
        ("iso-latin-1", "cp1252"),
        ("latin-2", "iso8859-2"),
        ("shiftjis", "cp932"),
        ("SJIS-win", "cp932"),
        ("eucJP-ms", "euc_jp"),
        ("EUC_KR", "cp949"),
        ("cp949", "cp949"),
        ("euc-cn", "gb18030"),
        ("windows-936", "gb18030"),
        ("big-5", "big5hkscs"),
        ("tis620", "cp874"),
        ("x-macroman", "mac-roman"),
        ("cp850", "cp850"),
        ("cp65001", "utf-8"),
    ],
)
def test_a_charset_is_known_by_its_labels_and_misspellings(label: str, codec: str) -> None:
    assert charset_named(label) == codec
    assert charset_of(f'text/xml; Charset="{label}"') == codec
    text = "<rss><channel><item><title>Ж</title></item></channel></rss>"
    if codec == "cp1251":
        assert title_of(f'<?xml version="1.0" encoding="{label}"?>{text}'.encode(codec)) == "Ж"


@pytest.mark.parametrize("content_type", [None, "text/xml"])
@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_characters_without_a_mark_are_seen_by_their_zeros(
    charset: str, content_type: str | None
) -> None:
    for start in ("\n", "<!-- made by hand -->", '<?xml version="1.0"?>', ""):
        assert title_of(feed("Größe", start).encode(charset), content_type) == "Größe"


@pytest.mark.parametrize("label", ["utf-16", "UCS-2", "cp037"])
def test_a_declaration_that_its_own_first_character_refutes_does_not_hold(label: str) -> None:
    body = feed("Größe", f'<?xml version="1.0" encoding="{label}"?>')
    assert title_of(body.encode()) == "Größe"
    assert title_of(body.encode("cp1252")) == "Größe"
    assert title_of(feed("all ASCII").encode(), f"text/xml; charset={label}") == "all ASCII"


def test_a_declaration_after_a_comment_counts_and_one_inside_the_document_does_not() -> None:
    comment = "<!-- " + "x" * 2000 + " -->"
    body = feed("Привет", f'{comment}<?xml version="1.0" encoding="windows-1251"?>')
    assert title_of(body.encode("cp1251")) == "Привет"
    quoted = feed("Größe", "").replace(
        "<guid>", '<x><![CDATA[<?xml encoding="koi8-r"?>]]></x><guid>'
    )
    assert title_of(quoted.encode("cp1252")) == "Größe"


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
