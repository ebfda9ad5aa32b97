"""Text of a page, made harmless for tree builders.

HTML tree construction (WHATWG HTML §13.2.6) is quadratic in places: every `<div>` looks up the
whole stack of open elements for a `<p>`, every block reopens all open formatting elements, every
attribute is compared with those before it. Measured with lexbor: 500 kB of `<div>` take 22 s,
35 kB of `<p><b class=N>` make two million nodes. `prepared` cuts a page where such a pattern
begins, after one linear scan.
"""

from __future__ import annotations

import codecs
import re

from aggregator.markup.elements import names

MAX_BYTES = 3 * 1024 * 1024
MAX_DEPTH = 400
MAX_ATTRIBUTES = 400
MAX_REOPENED = 200_000

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]{0,30})([^<>]*)|<!--")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})
# WHATWG §13.2.4.3
_FORMATTING = names("a b big code em font i nobr s small strike strong tt u")
# Void elements, and those that the parser closes by itself when the next one begins.
_SHALLOW = names(
    "area base br col embed hr img input link meta param source track wbr "
    "p li dt dd option optgroup tr td th tbody thead tfoot body html head frame"
)

# Labels whose WHATWG decoder is a superset of the codec of that name (Encoding Standard §4.2).
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
    "unicode": "utf-8",
    "utf8": "utf-8",
}
_CHARSET = re.compile(r"charset\s*+=\s*+[\"']?\s*+([\w:.+-]{2,40})", re.I)
_META = re.compile(rb"<meta[^>]{0,400}?charset\s*+=\s*+[\"']?\s*+([\w:.+-]{2,40})", re.I)


def prepared(page: bytes | str, content_type: str | None = None) -> str:
    """The page as text: decoded, at most `MAX_BYTES`, cut where a tree builder would blow up.

    Args:
        page: the body as received (bytes) or already decoded (str).
        content_type: the HTTP header, whose `charset` wins over the page's own (HTML §13.2.3.2).
    """
    text = page[:MAX_BYTES] if isinstance(page, str) else _decoded(page[:MAX_BYTES], content_type)
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text[: _cut(text)]


def _decoded(body: bytes, content_type: str | None) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    declared = []
    if content_type and (found := _CHARSET.search(content_type[:400])):
        declared.append(found[1])
    if found_meta := _META.search(body[:8192]):
        declared.append(found_meta[1].decode("ascii", "replace"))
    for label in declared:
        name = _SUPERSETS.get(label.lower(), label)
        if name.lower().startswith("utf-16"):
            name = "utf-8"  # a page whose ASCII could be read is not UTF-16 (HTML §13.2.3.3)
        try:
            codec = codecs.lookup(name)
        except (LookupError, ValueError):
            continue
        if not codec._is_text_encoding:
            continue
        if codec.name != "utf-8" and _is_utf8(body):
            return body.decode("utf-8", "ignore")  # declared by a template, written by an editor
        text = body.decode(name, "replace")
        if codec.name != "utf-8" or text.count("\ufffd") * 50 <= len(text):
            return text
    return _undeclared(body)


def _is_utf8(body: bytes) -> bool:
    """Whether bytes hold letters beyond ASCII, and all in UTF-8: chance makes no such text."""
    if body.isascii():
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(body) - 4 and not body[: error.start].isascii()
    return True


def _undeclared(body: bytes) -> str:
    """UTF-8 if it is (a sequence cut at the end forgiven), else GB 18030 if it is, else 1252."""
    for name, slack in (("utf-8", 4), ("gb18030", 4)):
        try:
            return body.decode(name)
        except UnicodeDecodeError as error:
            if error.start >= len(body) - slack:
                return body.decode(name, "ignore")
    return body.decode("cp1252", "replace")


def _cut(text: str) -> int:
    """Where to stop reading: the length of `text` when nothing in it is out of bounds."""
    depth = formatting = reopened = 0
    position = 0
    while found := _TAG.search(text, position):
        position = found.end()
        name = found[2]
        if name is None:  # a comment
            end = text.find("-->", found.start() + 2)
            if end < 0:
                return len(text)
            position = end + 3
            continue
        name = name.lower()
        if found[1]:
            if name in _FORMATTING:
                formatting = max(0, formatting - 1)
            if name not in _SHALLOW:
                depth = max(0, depth - 1)
            continue
        attributes = found[3]
        if len(attributes) > 2 * MAX_ATTRIBUTES and (
            len(_QUOTED.sub("", attributes).split()) > MAX_ATTRIBUTES
            or attributes.count("=") > 4 * MAX_ATTRIBUTES
        ):
            return found.start()
        if name in _RAW:
            end = text.find("</" + found[2], position)
            if end < 0:
                end = text.lower().find("</" + name, position)
                if end < 0:
                    return len(text)
            position = end
            depth += 1  # its end tag takes it back
            continue
        if name in _SHALLOW:
            reopened += formatting
        elif not attributes.endswith("/") or name in _FORMATTING:
            depth += 1
            reopened += formatting
            if name in _FORMATTING:
                formatting += 1
        if depth > MAX_DEPTH or reopened > MAX_REOPENED:
            return found.start()
    return len(text)
