"""From bytes to text: which encoding a feed document is in.

A byte order mark is authoritative, then the HTTP charset, then the XML declaration, then UTF-8
(RFC 7303 §3; XML 1.0 appendix F), and detection where all of these turn out wrong.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from aggregator.feeds.mending.alphabets import single_byte_charset

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The first characters are ASCII whatever stands there (XML 1.0 appendix F).
_UNMARKED = (
    (re.compile(rb"[\t-~]\x00\x00\x00[\t-~]\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00\x00\x00[\t-~]\x00\x00\x00[\t-~]"), "utf-32-be"),
    (re.compile(rb"[\t-~]\x00[\t-~]\x00"), "utf-16-le"),
    (re.compile(rb"\x00[\t-~]\x00[\t-~]"), "utf-16-be"),
    (re.compile(rb"Lo\xa7\x94"), "cp037"),
)
_CHARSET = re.compile(
    r"charset\s*=\s*(?:\"([^\"]{1,64})\"?|'([^']{1,64})'?|([^\s;,\"']{1,64}))", re.IGNORECASE
)
_HEAD = 4096  # bytes within which a declaration stands; a comment may come before it
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,200}?encoding\s*=\s*(?:\"([^\">]{1,64})|'([^'>]{1,64})|([^\s\"'<>?]{1,64}))",
    re.IGNORECASE,
)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*+=\s*+[\"']?\s*+([A-Za-z0-9_.:\-]+)", re.I)
_ROOT = re.compile(rb"<(?:[\w.\-]{1,20}:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_LATIN = frozenset(("cp1252", "cp1254"))
# Bad bytes for each good non-ASCII character of what is still UTF-8; text in another encoding has
# hardly any that are good by chance.
_FEW = 0.5


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
        if start.match(body):
            return _lenient(body, encoding)
    declared = [
        name
        for name in _declarations(body, content_type)
        if name is not None and not _is_refuted(name, body)
    ]
    if not declared or declared[0] in _LATIN or declared[0] == "utf-8":
        try:
            return Decoded(body.decode("utf-8"), "utf-8")
        except UnicodeDecodeError:
            pass
    for encoding in declared:
        try:
            return Decoded(body.decode(encoding), encoding)
        except UnicodeDecodeError:
            continue
    return _detect(body, declared)


def _is_refuted(encoding: str, body: bytes) -> bool:
    """Whether a document cannot be in UTF-16 or EBCDIC: its first character is an ASCII `<`."""
    return body.lstrip()[:1] == b"<" and b"<".decode(encoding, "ignore") != "<"


def charset_of(content_type: str | None) -> str | None:
    """The charset parameter of a Content-Type, under the name we read it by; None if unknown."""
    for match in _CHARSET.finditer(content_type or ""):
        known = charset_named(match.group(1) or match.group(2) or match.group(3))
        if known is not None:
            return known
    return None


def charset_named(label: str) -> str | None:
    """The codec for what is published under a label; None for a name that is no charset's.

    Labels are compared by their letters and digits alone, and vendors' prefixes before a number of
    a code page mean the same (`win-1251`, `cp1251`, `x-cp1251`), so that `koi8r` is `koi8-r`.
    """
    found = _named(label)
    if found is None and _BETWEEN.search(label):  # `en_US.utf8`, `ISO-8859-1/Windows-1252`
        parts = (_named(part) for part in _BETWEEN.split(label))
        return next((name for name in parts if name is not None), None)
    return found


def _named(label: str) -> str | None:
    known = _charsets()
    name = _NO_MEANING.sub("", _squeezed(label))
    for pattern, canonical in _FORMS:
        if name not in known:
            name = pattern.sub(canonical, name)
    return known.get(name)


_BETWEEN = re.compile(r"[;,/.|]")
_NOT_LABEL = re.compile(r"[^a-z0-9]+")
_NO_MEANING = re.compile(r"\A(?:charset|encoding)+")
# Used in turn as long as the name is not known.
_FORMS = (
    (re.compile(r"\Ax+"), ""),
    (re.compile(r"\A(?:iso|ios|is0)?8859(\d{1,2})(?:19\d\d|windows|ansi)?\Z"), r"iso8859\1"),
    (re.compile(r"\A(?:windows|win|ms|cp|ibm|dos|ansi|codepage)*(\d{3,5})\Z"), r"cp\1"),
    (re.compile(r"\A(?:cs)?isolatin(\d{1,2})\Z"), r"latin\1"),
)
# The code pages among Python's codecs that are not in the Encoding Standard.
_PYTHON_CHARSET = re.compile(
    r"cp\d{3,4}\Z|mac_\w+\Z|hp_roman8\Z|koi8_t\Z|kz1048\Z|ptcp154\Z|johab\Z"
)


def _squeezed(label: str) -> str:
    return _NOT_LABEL.sub("", label.lower())


@lru_cache(maxsize=1)
def _charsets() -> dict[str, str]:
    """Codecs by squeezed label. A stranger's label is looked up here and never by Python."""
    known: dict[str, str] = {}
    for alias, codec in aliases.items():
        if _PYTHON_CHARSET.match(codec):
            known[_squeezed(codec)] = known[_squeezed(alias)] = codec
    known |= {f"utf{n}{order}": f"utf-{n}-{order}" for n in (16, 32) for order in ("le", "be")}
    known["utf32"] = "utf-32"
    text = files("aggregator.feeds").joinpath("data/charsets.txt").read_text("utf-8")
    for line in text.splitlines():
        codec, *labels = line.split() if not line.startswith("#") else [""]
        known |= {_squeezed(label): codec for label in labels}
        if codec:
            known.setdefault(_squeezed(codec), codec)
    return known


def _declarations(body: bytes, content_type: str | None) -> tuple[str | None, str | None]:
    head = body[:_HEAD]
    root = _ROOT.search(head)
    match = _DECLARED.search(head, 0, root.start() if root else _HEAD) or _META.search(head)
    if match is None:
        return charset_of(content_type), None
    label = next(group for group in match.groups() if group is not None)
    return charset_of(content_type), charset_named(label.decode("ascii", "replace"))


def _detect(body: bytes, declared: list[str]) -> Decoded:
    """No declaration holds: UTF-8 with a few bad bytes, what was declared, or what words say."""
    as_utf8 = _lenient(body, "utf-8")
    text = as_utf8.text
    good = len(text) - len(text.encode("ascii", "ignore")) - as_utf8.bad
    if as_utf8.bad <= max(1.0, good * _FEW) and good > 0:
        return as_utf8
    multibyte = [name for name in declared if name not in _LATIN and name != "utf-8"]
    for encoding in multibyte:
        return _lenient(body, encoding)
    for encoding, script, share in _EAST_ASIAN:
        if _looks_like(body, encoding, script, share):
            return _lenient(body, encoding)
    return _lenient(body, single_byte_charset(body) or "cp1252")


def _looks_like(body: bytes, encoding: str, script: re.Pattern[str], share: float) -> bool:
    """Whether the text from the first non-ASCII byte on is, in `encoding`, plausible CJK.

    All of it must be common characters, `share` of it in the script that tells, and they must stand
    together: the accents of a Western text, read in pairs with the letters after them, stand alone.
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
    together = sum(map(len, _TOGETHER.findall(text)))
    return (
        len(foreign) >= 4
        and common >= 0.97 * len(foreign)
        and telling >= share * len(foreign)
        and together >= 0.8 * len(foreign)
        and (encoding != "gb18030" or _is_common_chinese(foreign))
    )


def _is_common_chinese(text: str) -> bool:
    """Whether nearly all of `text` is in the rows of GB 2312 that everyday Chinese needs.

    Both bytes are high there; other alphabets read as Chinese give rare characters.
    """
    leads = text.encode("gb2312", "ignore")[::2]
    return sum(lead < 0xD8 for lead in leads) >= 0.9 * len(text)


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
_TOGETHER = re.compile(r"[^\x00-\x7f]{2,}")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_COMMON_CJK = re.compile("[\u3000-\u30ff\u4e00-\u9fa5\uac00-\ud7a3\uff01-\uff5e]")
_SAMPLE = 16_384


def _lenient(body: bytes, encoding: str) -> Decoded:
    """Decode what can be; a stray byte is read as Windows-1252, as it was most likely meant."""
    try:
        return Decoded(body.decode(encoding), encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8" and b"\xed" in body:
            body = _HALVES.sub(_joined, body)
        text = body.decode(encoding, "replace")
        bad = text.count("\ufffd")
        if bad <= _MANY and encoding in ("utf-8", "cp1252"):
            text = body.decode(encoding, _STRAY)
        return Decoded(text, encoding, bad)


# Programs that know Unicode as 16 bits write each half of a UTF-16 pair by itself (CESU-8).
_HALVES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


def _joined(match: re.Match[bytes]) -> bytes:
    pair = match.group().decode("utf-8", "surrogatepass")
    return pair.encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _stray(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.start + 1].decode("cp1252", "replace"), error.start + 1


_MANY = 10_000  # stray bytes; each costs a call into Python
_STRAY = "aggregator.feeds.stray"
codecs.register_error(_STRAY, _stray)
