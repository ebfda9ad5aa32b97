"""Strings that are safe to write into XML, and plain text out of HTML.

Everything that enters the system passes `clean`, so that no later writer has to wonder whether a
string may stand in a document (XML 1.0 §2.2, production Char).
"""

from __future__ import annotations

import html as _html
import re
from itertools import pairwise

import nh3

from aggregator.markup.elements import BLOCKS, REMOVED
from aggregator.markup.tangle import is_tangled, strip_tags

# What XML 1.0 forbids, and the noncharacters of every plane, which it merely discourages but some
# readers refuse: C0 without tab, LF and CR, surrogates, U+FDD0..FDEF, U+xxFFFE and U+xxFFFF.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(p * 0x10000 + 0xFFFE)}{chr(p * 0x10000 + 0xFFFF)}" for p in range(1, 17))
    + "]"
)

_C0 = bytes({*range(0x20)} - {*b"\t\n\r"})
# How noncharacters begin in UTF-8 (and little else): U+FDD0..FDEF, U+FFFE and U+FFFF; and those of
# the other planes, whose first byte few texts have. To look for one byte costs next to nothing.
_BASIC = (b"\xef\xb7", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_LEADS = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")
_ENDS = (b"\xbf\xbe", b"\xbf\xbf")

_SPACE = re.compile(r"\s+")
_BLANKS = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n[ \n]*")
# In what the sanitiser emits every `<` and `>` of text and of attribute values is escaped.
_CANONICAL_TAG = re.compile(r"<[^<>]*+>")
_BREAKING_TAG = re.compile(rf"</*(?:{'|'.join(sorted(BLOCKS))})(?:\s[^<>]*+|/+)?>")
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
_WRITTEN_REFERENCES = (
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&amp;", "&"),
)

_TEXT = nh3.Cleaner(
    tags=set(BLOCKS),
    clean_content_tags=set(REMOVED | {"iframe"}),
    attributes={},
    link_rel=None,
    strip_comments=True,
)

# Inline markup that publishers put into titles. A lone `<b>` may be what the title is about; a
# pair of them is markup.
_PAIR = re.compile(
    r"<(a|abbr|b|bdi|bdo|big|center|cite|code|del|dfn|div|em|font|h[1-6]|i|ins|kbd|mark|nobr|p|q|s"
    r"|samp|small|span|strike|strong|sub|sup|tt|u|var)(?:\s[^<>]*)?>([^<]*)</\1\s*>",
    re.IGNORECASE,
)
_NUMERIC = re.compile(r"&#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});")
_TAG_NAMED = re.compile(r"</?[a-zA-Z]")
_NARROWEST, _WIDE = 40, 60  # characters of a line that text is wrapped to
_GOES_ON = re.compile(r"(?!\S{0,32}(?://|@|www\.))[^\W\d_A-Z]")  # in the middle of a sentence
_MOST_DECODINGS = 3  # times that a text was escaped too often
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_VOID = re.compile(r"<(?:br|wbr|img|hr)(?:\s[^<>]*)?/?>", re.IGNORECASE)


def clean(s: str) -> str:
    """Drop every character that may not stand in an XML document.

    Tab, line feed and carriage return stay. The result encodes as UTF-8 without error.
    """
    if s.isascii():
        raw = s.encode()
        return s if len(raw.translate(None, _C0)) == len(raw) else _UNSAFE.sub("", s)
    try:
        raw = s.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return _UNSAFE.sub("", s)
    # On 100 KB of Cyrillic the pattern costs 12 ms, these look-ups half of one.
    if len(raw.translate(None, _C0)) == len(raw) and not has_noncharacters(raw):
        return s
    return _UNSAFE.sub("", s)


def has_noncharacters(raw: bytes) -> bool:
    """Whether UTF-8 text may hold noncharacters; now and then it says so of text without any."""
    if b"\xef" in raw and any(sequence in raw for sequence in _BASIC):
        return True
    return any(lead in raw for lead in _LEADS) and any(end in raw for end in _ENDS)


def cap(s: str, max_bytes: int) -> str:
    """The longest prefix of `s` that takes at most `max_bytes` bytes of UTF-8."""
    if len(s) * 4 <= max_bytes:
        return s
    encoded = s.encode("utf-8", "ignore")
    if len(encoded) <= max_bytes:
        return s
    return encoded[: max(0, max_bytes)].decode("utf-8", "ignore")


def one_line(s: str) -> str:
    """`s` without unsafe characters, runs of white space made one space, trimmed."""
    if s.isprintable() and "  " not in s:  # the blank is the only white space that is printable
        return s.strip(" ")
    return _SPACE.sub(" ", clean(s)).strip()


def html_to_text(html: str) -> str:
    """The text of an HTML fragment: blocks on lines of their own, scripts and styles left out.

    White space is collapsed, empty lines are dropped, character references are decoded.
    Hostile nesting (see `tangle`) costs a plain removal of tags instead of a parse.
    """
    if "<" not in html and "&" not in html:
        return _tidy(clean(html))
    if is_tangled(html):
        return _tidy(clean(strip_tags(html)))
    # Line breaks of the source are mere blanks; those that count are made from the tags.
    flat = html.replace("\n", " ").replace("\r", " ")
    return canonical_to_text(_TEXT.clean(clean(flat)))


def canonical_to_text(html: str) -> str:
    """The text of HTML that our own sanitiser wrote (every `<` in it begins a tag)."""
    flat = html.replace("\n", " ").replace("\r", " ")
    text = _CANONICAL_TAG.sub("", _BREAKING_TAG.sub("\n", flat))
    # The serialiser writes these five references only (WHATWG HTML §13.3), `&amp;` comes last.
    for reference, character in _WRITTEN_REFERENCES:
        text = text.replace(reference, character)
    return _tidy(clean(text))


def plain_title(s: str) -> str:
    """A title whose format does not say what it is, as one line of plain text.

    RSS says nothing, and much "text" is HTML: paired inline tags and `<br>` are taken for markup, a
    lone `<b>` or `a < b` for text. References left by double escaping are decoded.
    """
    if "<" not in s and "&" not in s:
        return one_line(s)
    s = one_line(unwrap_cdata(s))
    for _ in range(_MOST_DECODINGS):
        before = s
        s = _strip_inline(s)
        if _ENTITY.search(s):
            s = _html.unescape(s)
        if s == before:
            break
    return one_line(s)


def html_title(s: str) -> str:
    """A title that is declared HTML (Atom `type="html"`), as one line of plain text.

    It is read once: the tags and references that are then left are what the title is about.
    """
    return text_title(html_to_text(unwrap_cdata(s)))


def text_title(s: str) -> str:
    """A title that is declared plain text (Atom, JSON Feed), on one line.

    Its tags and references are what it is about. References by number are no words: where the title
    names no tag, double escaping left them.
    """
    if s.startswith("<![CDATA[") and s.endswith("]]>"):  # escaped by mistake
        s = s[9:-3]
    if "&#" in s and "<" not in s:
        s = _NUMERIC.sub(lambda match: _html.unescape(match.group()), s)
    return one_line(s)


def decode_references(s: str) -> str:
    """A name whose references double escaping left; its angle brackets stay as they are."""
    for _ in range(_MOST_DECODINGS):
        before = s
        s = _ENTITY.sub(lambda match: _html.unescape(match.group()), s)
        if s == before:
            break
    return s


def unwrap_cdata(s: str) -> str:
    """Text or HTML without the marks of CDATA sections that were escaped into it.

    HTML knows no such sections: a parser would take the beginning for a comment and drop it. Marks
    that were escaped once more go where they stand around the whole text; elsewhere they may be
    what it is about.
    """
    if "![CDATA[" not in s:
        return s
    whole = s.strip()
    if whole.startswith("&lt;![CDATA[") and whole.endswith("]]&gt;"):
        return whole[12:-6]
    return _CDATA.sub(r"\1", s)


def text_to_html(text: str) -> str:
    """Plain text as HTML: blank lines part paragraphs, other line breaks stay, nothing is a tag.

    Breaks of text that was wrapped to some width are blanks. References in text that names no tag
    were left by double escaping.
    """
    if "&" in text and not _TAG_NAMED.search(text):
        text = _ENTITY.sub(lambda match: _html.unescape(match.group()), text)
    return lines_to_html(_html.escape(text, quote=False))


def lines_to_html(text: str) -> str:
    """Lines as HTML, whose characters are written as HTML already: see `text_to_html`."""
    lines = [line.strip() for line in text.splitlines()]
    between = " " if _is_wrapped(lines) else "<br>"
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    written = [between.join(one) for one in paragraphs if one]
    return "".join(f"<p>{one}</p>" for one in written) if len(written) > 1 else "".join(written)


def _is_wrapped(lines: list[str]) -> bool:
    """Whether a text's line breaks come from a width: most stand in the middle of a sentence.

    In narrow text, as verse is, the next word would not have found room on any of these lines.
    """
    width = max(map(len, lines), default=0)
    if width < _NARROWEST:
        return False
    pairs = [(a, b) for a, b in pairwise(lines) if a and b]
    inside = [
        (a, b)
        for a, b in pairs
        if (a[-1].isalnum() or a[-1] == ",") and _GOES_ON.match(b) is not None
    ]
    if not inside or 2 * len(inside) < len(pairs):
        return False
    return width >= _WIDE or all(len(a) + 1 + len(b.split()[0]) > width for a, b in inside)


def _strip_inline(s: str) -> str:
    if "<" not in s:
        return s
    s = _VOID.sub(" ", s)
    for _ in range(8):  # from the innermost pair outwards
        s, count = _PAIR.subn(r"\2", s)
        if not count:
            break
    return s


def _tidy(s: str) -> str:
    return _BREAKS.sub("\n", _BLANKS.sub(" ", s)).strip()
