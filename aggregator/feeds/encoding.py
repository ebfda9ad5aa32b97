"""From bytes to text: which encoding a feed document is in.

A byte order mark is authoritative, then the HTTP charset, then the XML declaration, then UTF-8
(RFC 7303 §3; XML 1.0 appendix F), and detection where all of these turn out wrong.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00?\x00", "utf-16-le"),
    (b"<\x00r\x00", "utf-16-le"),
    (b"<\x00f\x00", "utf-16-le"),
    (b"\x00<\x00?", "utf-16-be"),
    (b"\x00<\x00r", "utf-16-be"),
    (b"\x00<\x00f", "utf-16-be"),
    (b"Lo\xa7\x94", "cp037"),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:\-]+)", re.IGNORECASE)
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([A-Za-z0-9_.:\-]+)", re.IGNORECASE
)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:\-]+)", re.IGNORECASE)
# What publishers call an encoding, and the superset they write in (WHATWG Encoding §4.2).
_READ_AS = {
    "gb2312": "gb18030",
    "gb-2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "windows-936": "gb18030",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "windows-949": "cp949",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "x-euc-jp": "euc_jp",
    "iso-8859-8-i": "iso8859-8",
    "unicode-1-1-utf-8": "utf-8",
    "utf8": "utf-8",
    "x-mac-cyrillic": "mac-cyrillic",
    "macintosh": "mac-roman",
    "x-mac-roman": "mac-roman",
}
# Names a stranger may have Python look up; its codecs include ones that are no charsets at all.
_CHARSETS = re.compile(
    r"(?:utf-?(?:8|16|32)(?:-?[lb]e)?|iso-?8859-?\d{1,2}|windows-125[0-8]|cp\d{3,4}|koi8-[rut]|gb18030"
    r"|big5hkscs|euc[-_](?:jp|kr)|iso-2022-(?:jp|kr)|hz(?:-gb-2312)?|mac-(?:roman|cyrillic|greek)|johab)\Z"
)
_LATIN = frozenset(("cp1252", "cp1254"))
_FEW = 0.05  # bad bytes for each good non-ASCII character of what is still UTF-8


class Decoded(NamedTuple):
    """A document as text, the encoding it was read in, and how many bytes were no text in it."""

    text: str
    encoding: str
    bad: int = 0


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """`body` as text; never raises.

    Two departures from what is declared: a declaration of Latin-1 or ASCII does not hold against
    bytes that are valid UTF-8 beyond ASCII, and a UTF-8 document with a few bad bytes stays UTF-8.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _lenient(body[len(mark) :], encoding)
    for start, encoding in _UNMARKED:
        if body.startswith(start):
            return _lenient(body, encoding)
    declared = [name for name in _declarations(body, content_type) if name is not None]
    if not declared or declared[0] in _LATIN or declared[0] == "utf-8":
        try:
            return Decoded(body.decode("utf-8"), "utf-8")
        except UnicodeDecodeError:
            pass
    for encoding in declared:
        if encoding.startswith(("utf-16", "utf-32")) and body[:1] == b"<" and body[1:2] != b"\x00":
            continue  # what could be read so far is ASCII
        try:
            return Decoded(body.decode(encoding), encoding)
        except UnicodeDecodeError:
            continue
    return _detect(body, declared)


def charset_of(content_type: str | None) -> str | None:
    """The charset parameter of a Content-Type, under the name we read it by; None if unknown."""
    match = _CHARSET.search(content_type or "")
    return _known(match.group(1)) if match else None


def _declarations(body: bytes, content_type: str | None) -> tuple[str | None, str | None]:
    head = body[:1024]
    match = _DECLARED.search(head) or _META.search(head)
    return charset_of(content_type), (_known(match.group(1).decode("ascii")) if match else None)


def _known(name: str) -> str | None:
    name = name.lower()
    name = _READ_AS.get(name, name)
    if _CHARSETS.match(name) is None:
        return None
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _detect(body: bytes, declared: list[str]) -> Decoded:
    """No declaration holds: UTF-8 with a few bad bytes, or what was declared, or Windows-1252."""
    as_utf8 = _lenient(body, "utf-8")
    good = len(body) - len(body.translate(None, _LEADING)) - as_utf8.bad
    if as_utf8.bad <= max(1.0, good * _FEW) and good > 0:
        return as_utf8
    multibyte = [name for name in declared if name not in _LATIN and name != "utf-8"]
    for encoding in multibyte:
        return _lenient(body, encoding)
    for encoding, script, share in _EAST_ASIAN:
        if _looks_like(body, encoding, script, share):
            return _lenient(body, encoding)
    return _lenient(body, "cp1252")


def _looks_like(body: bytes, encoding: str, script: re.Pattern[str], share: float) -> bool:
    """Whether the text from the first non-ASCII byte on is, in `encoding`, plausible CJK.

    All of it must be common characters, and `share` of it in the script that tells.
    """
    first = _BEYOND_ASCII.search(body)
    if first is None:
        return False
    sample = body[first.start() : first.start() + _SAMPLE]
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    foreign = "".join(c for c in text if c > "\x7f")
    common = len(_COMMON_CJK.findall(foreign))
    telling = len(script.findall(foreign))
    return len(foreign) >= 4 and common >= 0.97 * len(foreign) and telling >= share * len(foreign)


_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAN = re.compile("[\u4e00-\u9fa5]")
# The order matters: GB 2312 has the kana of EUC-JP, and reads Hangul as Chinese characters.
_EAST_ASIAN = (
    ("euc_jp", _KANA, 0.1),
    ("cp932", _KANA, 0.1),
    ("cp949", _HANGUL, 0.9),
    ("gb18030", _HAN, 0.5),
    ("big5hkscs", _HAN, 0.5),
)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_COMMON_CJK = re.compile("[\u3000-\u30ff\u4e00-\u9fa5\uac00-\ud7a3\uff01-\uff5e]")
_SAMPLE = 16_384
_LEADING = bytes(range(0xC2, 0x100))


def _lenient(body: bytes, encoding: str) -> Decoded:
    """Decode what can be; a stray byte is read as Windows-1252, as it was most likely meant."""
    try:
        return Decoded(body.decode(encoding), encoding)
    except UnicodeDecodeError:
        text = body.decode(encoding, "replace")
        bad = text.count("\ufffd")
        if bad <= _MANY and encoding in ("utf-8", "cp1252"):
            text = body.decode(encoding, _STRAY)
        return Decoded(text, encoding, bad)


def _stray(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.start + 1].decode("cp1252", "replace"), error.start + 1


_MANY = 10_000  # stray bytes; each costs a call into Python
_STRAY = "aggregator.feeds.stray"
codecs.register_error(_STRAY, _stray)
