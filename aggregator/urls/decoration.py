"""What of a path is decoration: words beside an id, places in front of a name.

A site that gives a page a number finds it by that number, whatever words stand beside it; a name
that stands for itself is found in every section. Numbers that are days or months, languages and
everything with a figure stay: they pick.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aggregator.urls.grade import sections

_MONTH_OR_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?")
_NUMBER = re.compile(r"(?:id|[a-z])?(\d{6,})(?:\.p)?", re.IGNORECASE)
# Two words or more.
_WORDS = re.compile(r"\A(?=.*[^\W\d_]{2})[^\W\d_][^\W_]*+(?:[-_]++[^\W_]++)++[-_]*+")
_SPELLED = re.compile(r".*(?:%[0-9A-F]{2}){6}.*")  # a word in a script of its own
_COUNTED = re.compile(r".*[-_](?:\d{1,5}|[ivx]+)[-_]*")  # part-2, day-8: one of several
_NAME_AND_NUMBER = re.compile(r"\A(?=.*[^\W\d_])(?P<name>.+)[-_.](?P<number>\d{6,}+)")
_LOCALE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2,4})?", re.IGNORECASE)
_PLACE = re.compile(r"[^\W\d_]+(?:[-_][^\W\d_]+)*")  # a directory of plain words
_NAME_WORDS = 3
_FIGURES = 6  # in a path: day, number or both
_LONG_NAME = re.compile(r"(?=.*\d{6}).+|(?=.*-.*-).{20,}")

# Segments that say "here is an article" and not which one.
_KINDS = frozenset({"news", "noticia", "noticias", "nachrichten", "story", "stories", "articles"})
# Sections that hold another form of the same piece, or other things than articles.
_FORMS = frozenset(
    {"video", "videos", "photos", "pictures", "gallery", "podcast", "podcasts", "tv", "live"}
    | {"comments", "people", "events", "reviews", "jobs", "forum", "guardian", "newsletters"}
    | {"author", "authors", "tag", "tags", "topic", "topics", "category", "categories"}
)
# Below these stand things that have numbers: the first number after them is the thing's.
_NUMBERED = frozenset(
    {"t", "d", "thread", "threads", "topic", "topics", "questions", "discussion", "discussions"}
    | {"itm", "item", "items", "ip", "listing", "product", "products", "prd", "dp", "app"}
)
_ITS_NUMBER = re.compile(r"(?:id)?\d{3,}")
_NUMBER_FIRST = re.compile(r"(?!(?:19|20)\d\d-)(\d{3,})-.*[^\W\d_].*")
_NUMBER_LAST = re.compile(r"\A(?=.*[^\W\d_]).+(?:\.(\d{3,}+)|-(\d{6,}+))")
# Below these stand other people's things: their number is not the page's.
_HOLDERS = frozenset(
    {"group", "groups", "board", "boards", "user", "users", "u", "author", "authors", "channel"}
    | {"category", "categories", "c", "forum", "forums", "tag", "tags", "section", "sections"}
    | {"team", "teams", "club", "company", "album", "playlist", "collection", "blog", "blogs"}
)


def undecorated(path: str) -> str:
    """`path` (canonical, without a trailing slash) without what no server looks at."""
    segments = path.split("/")[1:]
    if len(segments) < 2:
        return path
    segments = _without_words_beside_a_number(_thing(segments))
    segments = _without_places(_without_kinds(segments))
    return "".join(f"/{segment}" for segment in segments)


def _thing(segments: Sequence[str]) -> list[str]:
    """`/threads/a-title.88`, `/t/a-title/88`, `/item/88/a-title`: the thing numbered 88."""
    kept = list(segments)
    for place, segment in enumerate(kept[:-1]):
        if segment.casefold() not in _NUMBERED:
            continue
        below = kept[place + 1]
        if len(kept) > place + 2:
            after = kept[place + 2]
            if _ITS_NUMBER.fullmatch(after) and not below[0].isdecimal():
                del kept[place + 1]
            elif _ITS_NUMBER.fullmatch(below) and len(kept) == place + 3 and _is_title(after):
                del kept[place + 2]
        elif found := _NUMBER_FIRST.fullmatch(below) or _NUMBER_LAST.fullmatch(below):
            number = next(group for group in found.groups() if group)
            if not _MONTH_OR_DAY.fullmatch(number):
                kept[place + 1] = number
        break
    return kept


def _without_words_beside_a_number(segments: list[str]) -> list[str]:
    """`/706332/some-words` and `/some-words/706332` are 706332."""
    *before, one, last = segments if len(segments) > 1 else ["", *segments]
    if is_strong_number(last) and _is_title(one) and not _LOCALE.fullmatch(one):
        return [*before, last]
    held = before and before[-1].casefold() in _HOLDERS
    if is_strong_number(one) and _is_title(last) and not _COUNTED.fullmatch(last) and not held:
        return [*before, one]
    return segments


def _without_kinds(segments: list[str]) -> list[str]:
    """A name that stands for itself needs nobody to say that it is an article."""
    figures = sum(map(str.isdecimal, "".join(segments)))
    if figures < _FIGURES and not _LONG_NAME.fullmatch(segments[-1]):
        return segments
    return [part for part in segments[:-1] if part.casefold() not in _KINDS] + segments[-1:]


def _without_places(segments: list[str]) -> list[str]:
    """Before words and a number that are one name, sections only say where the page was put."""
    last = segments[-1]
    if names_and_numbers(last):
        kept = [p for p in segments[:-1] if not _PLACE.fullmatch(p) or _LOCALE.fullmatch(p)]
    elif is_strong_number(last):
        known = sections() - _FORMS
        kept = [p for p in segments[:-1] if p.casefold() not in known or _LOCALE.fullmatch(p)]
    else:
        return segments
    return [*kept, last]


def names_and_numbers(segment: str) -> bool:
    """Whether a part of a path is an article's name with its number: three words, six digits."""
    found = _NAME_AND_NUMBER.fullmatch(segment)
    if found is None or _MONTH_OR_DAY.fullmatch(found["number"]):
        return False
    words = re.split(r"[-_]", found["name"])
    return sum(1 for word in words if word and not word.isdecimal()) >= _NAME_WORDS


def is_strong_number(segment: str) -> bool:
    """Whether a part of a path is a number that a whole site has once: six digits, and no day."""
    found = _NUMBER.fullmatch(segment)
    return found is not None and not _MONTH_OR_DAY.fullmatch(found[1])


def _is_title(segment: str) -> bool:
    return _WORDS.fullmatch(segment) is not None or _SPELLED.fullmatch(segment) is not None
