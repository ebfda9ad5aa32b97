"""Names of people in bylines and statements: what is a name, and how several are joined."""

from __future__ import annotations

import re

from aggregator.articles.lists import data_lines

MAX_NAMES = 20
_BY = "|".join(re.escape(word) for word in sorted(data_lines("byline"), key=len)[::-1])
_AND = "|".join(data_lines("joints"))
_LABEL = re.compile(rf"^[\s|·•,/–—-]*+(?:{_BY})(?:\s*+[:：]\s*+|\s++|$)", re.I)
_GLUED = re.compile(r"^By(?=[A-Z][a-z])")
_INSIDE = re.compile(r"^.{0,40}?\s(?:By|Von|Par|Por)\s+(?=[^\W\d_])")
_SURE = re.compile(r"[;、，/|&]|,(?!\s?(?:Jr|Sr|I{2,3})\b)|\band\b")
_MAYBE = re.compile(rf"(?<=\S) (?:{_AND}) (?=\S)", re.I)
_BRACKETS = re.compile(r"[(\[（【][^)\]）】]{0,40}[)\]）】]?$")
_TITLED = re.compile(r"\b[A-ZÀ-Þ]{2,6}\.?$|^(?:Ph\.?D|M\.?D|Dr)\.?$")
_NOT_NAMES = re.compile(
    r"\d|https?:|www\.|@|[!?:;<>{}=…]|\w\.\w+\.\w|字号|"
    r"\b(?:minutes?|mins?|seconds?|hours?|reading|read|share|print|comments?|view|photo|log in|"
    r"last updated|updated|published|leave a reply)\b",
    re.I,
)
# Words of offices and of phrases that no name holds.
_OFFICE = re.compile(
    r"\b(?:of|at|for|the|in|this|editors?|director|professor|correspondent|reporter|journalist|"
    r"staff writer|founder|co-founder|manager|officer|chief|head|analyst|expert|specialist|"
    r"president|fellow|columnist|redakteur\w*|korrespondent\w*|periodista|journaliste)\b",
    re.I,
)
_WIDE = re.compile(r"^[\u3040-\u30ff\u3400-\u9fff]{2,8}$|^[\uac00-\ud7af]{2,5}$")


def names_of(text: str) -> tuple[str, ...]:
    """Names in a byline ("By Jane Doe and John Roe, Science Editor"): labels and offices left out.

    Two names are parted at a joint of any language where either side has two words or more, so
    that "Ortega y Gasset" stays whole.
    """
    text = bare(" ".join(text.split())[:600])
    text = _INSIDE.sub("", text)
    found: list[str] = []
    for part in _SURE.split(text):
        for piece in _parted(bare(part)):
            name = _BRACKETS.sub("", " ".join(piece.split())).strip()
            name = stripped(name)
            if not is_name(name):
                continue
            if found and (_OFFICE.search(name) or _TITLED.fullmatch(name)):
                continue  # "Jane Doe, Director of Studies", "Jane Doe, PhD"
            found.append(name)
    return tuple(dict.fromkeys(found))[:MAX_NAMES]


def bare(text: str) -> str:
    """A byline without its label ("By ", "Written by: ", and "By" glued to the name)."""
    return _GLUED.sub("", _LABEL.sub("", text, count=1), count=1)


def is_label(text: str) -> bool:
    """Whether a text is nothing but the label of a byline."""
    return bool(text.strip()) and not bare(text.strip(" :：")).strip()


def has_label(text: str) -> bool:
    """Whether a text begins with the label of a byline."""
    return bare(text) != text


def is_name(text: str) -> bool:
    """Whether a text may be a name: short, without figures, addresses and words of buttons."""
    return 2 <= len(text) <= 60 and len(text.split()) <= 6 and not _NOT_NAMES.search(text)


def is_person(text: str) -> bool:
    """Whether a text looks like a person's name: two to five capitalised words, or wide script."""
    if not is_name(text) or _OFFICE.search(text):
        return False
    if _WIDE.match(text):
        return True
    words = text.split()
    capitals = [w for w in words if not w[0].islower()]
    return 2 <= len(words) <= 5 and len(capitals) >= 2 and not words[0][0].islower()


def stripped(text: str) -> str:
    """A name without the marks around it."""
    return " ".join(text.split()).strip(" \t|｜()（）[]【】<>:：,，;；/·•-–—").strip()[:120]


def _parted(text: str) -> list[str]:
    parts = _MAYBE.split(text)
    if len(parts) > 1 and all(is_person(stripped(part)) for part in parts):
        return parts
    return [text]


def folded(text: str) -> str:
    """Letters and figures alone, without case: what two ways of writing one name share."""
    return re.sub(r"[\W_]+", "", text).casefold()
